// The live protocol: one socket, frames of changes, and a page that is the same as one freshly loaded.
// A frame leads from the state in data-seq to the state in its "s"; a reset leads there from anywhere.

const body = document.body;
const policy = window.trustedTypes?.createPolicy("roomwatch", { createHTML: (html) => html }) ?? { createHTML: (html) => html };

const PROTOCOL = "roomwatch.v1";
const SILENCE = 35_000;      // two heartbeats and some: the socket is dead, whatever it says
const STILL = 2_500;         // a pointer that rests this long no longer holds the rows under it
const HOLD = 12_000;         // rows are never held longer than this
const MANY = 2_000;          // waiting changes; more than these are cheaper to load again

let socket;                  // the current one: frames of any other are not heard
let tries = 0;
let heard = Date.now();      // when the last frame came; the page itself is one
let paused = false;
let kept = [];               // frames that came while the reader paused, in order
let changes = 0;             // in them; NaN when it is the whole view that came, Infinity when they were too many
let timer;                   // of the next try
let waiting = [];            // changes of place that wait while rows are held, in order
let waitsFor = 0;            // the seq that is reached when they are done
let heldSince = 0;
let settling = false;        // they are being done
let pointed = 0;             // when the pointer last moved

const byId = (id) => document.getElementById(id);

function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = policy.createHTML(html);
  return template.content.firstElementChild;
}

// What belongs to the reader stays: open details, typed text, and what a script put there.
const manners = {
  beforeNodeMorphed(old, fresh) {
    if (old.nodeType !== Node.ELEMENT_NODE) return true;
    if (old.hasAttribute("data-keep")) return false;
    if (old.localName === "details" && fresh.localName === "details") fresh.open = old.open;
    return true;
  },
};

function morph(element, html) {
  const fresh = parse(html);
  if (!fresh) return;
  applied([fresh], element);
  Idiomorph.morph(element, fresh, { morphStyle: "outerHTML", ignoreActiveValue: true, callbacks: manners });
}

// place puts an element under its parent, before the given sibling or at the end.
function place(element, op) {
  const parent = byId(op.p), before = op.b ? byId(op.b) : null;
  if (!parent || (op.b && before?.parentNode !== parent)) throw new Error(`no place for ${op.t}`);
  if (element.parentNode === parent && element.nextElementSibling === before) return;
  if (element.isConnected && parent.moveBefore) parent.moveBefore(element, before);
  else parent.insertBefore(element, before);
}

const placed = (element, op) => element.parentNode === byId(op.p) && (element.nextElementSibling?.id ?? "") === (op.b ?? "");

function put(op) {
  const element = byId(op.t);
  if (element) {
    if (!op.seen) morph(element, op.h);
    if (placed(element, op)) return;
    if (holding()) return waiting.push({ ...op, seen: true });
    return place(element, op);
  }
  if (holding()) return waiting.push(op);
  const fresh = parse(op.h);
  place(fresh, op);
  applied([fresh]);
}

function del(op) {
  const element = byId(op.t);
  if (!element) return;
  if (holding()) return waiting.push(op);
  element.remove();
}

const reach = (seq) => { body.dataset.seq = seq; };
const emit = (name, detail) => document.dispatchEvent(new CustomEvent("roomwatch:" + name, { detail }));

// applied tells of elements that came into the page or, with the old one, of what one is about to become.
const applied = (elements, old) => emit("applied", { elements, old });

const deeds = { put, del, say: (op) => emit("news", op.h) };

function reset(frame) {
  waiting = [];
  morph(byId(frame.o[0].t), frame.o[0].h);
  body.dataset.epoch = frame.e;
  reach(frame.s);
}

function apply(frame) {
  if (frame.r) return reset(frame);
  if (frame.s <= Math.max(Number(body.dataset.seq), waiting.length ? waitsFor : 0)) return;
  for (const op of frame.o) deeds[op.k]?.(op);
  waitsFor = frame.s;
  if (!waiting.length) reach(frame.s);
  else if (waiting.length > MANY) settle();
}

// Holding: rows don't jump under the pointer or the focus. Changes inside a row apply at once; rows that
// come, go or move wait in order, and the state reached waits with them.

function occupied() {
  if (Date.now() - pointed < STILL && document.querySelector("[data-hold]:hover")) return true;
  return Boolean(document.activeElement?.closest("[data-hold]"));
}

function holding() {
  if (waiting.length) return true;
  if (settling || !occupied()) return false;
  heldSince = Date.now();
  return true;
}

function settle() {
  const ops = waiting;
  waiting = [];
  settling = true;
  try {
    for (const op of ops) deeds[op.k](op);
    reach(waitsFor);
  } catch {
    reload();
  } finally {
    settling = false;
  }
}

function release() {
  if (waiting.length && !paused && (!occupied() || Date.now() - heldSince > HOLD)) settle();
}

// Connecting

function connect(fresh) {
  clearTimeout(timer);
  waiting = [];
  forget();
  const url = new URL(body.dataset.live, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  if (!fresh) {
    url.searchParams.set("e", body.dataset.epoch);
    url.searchParams.set("s", body.dataset.seq);
  }
  const protocols = [PROTOCOL];
  emit("connecting", protocols); // in a frame, the token goes along
  const own = socket = new WebSocket(url, protocols);
  own.onmessage = (event) => { if (own === socket) hear(event.data); };
  own.onclose = (event) => { if (own === socket) lost(event.code); };
}

function hear(text) {
  const frame = JSON.parse(text);
  heard = Date.now();
  tries = 0;
  body.dataset.at = frame.at;
  if (!paused) return take(frame);
  keep(frame);
  show("paused");
}

// keep sets a frame aside while the reader pauses. Of too many the server is told to send no more, and the
// whole view is loaded again when the reader resumes.
function keep(frame) {
  if (frame.r) forget(NaN);
  if (!frame.o.length || changes === Infinity) return;
  kept.push(frame);
  changes += frame.o.length;
  if (kept.length <= MANY && !(changes > MANY)) return;
  forget(Infinity);
  socket.send(JSON.stringify({ k: "pause" }));
}

const forget = (n = 0) => { kept = []; changes = n; };

function take(frame) {
  try {
    apply(frame);
    show("live");
  } catch {
    reload();
  }
}

// reload asks for the whole view again: the page and the server no longer agree on what is where.
function reload() {
  show("connecting");
  drop();
  connect(true);
}

function drop(own = socket) { socket = undefined; own?.close(); }

function lost(code) {
  if (code === 4401) return show("expired");
  const wait = (code === 4429 || code === 1011 ? 30_000 : Math.min(30_000, 250 * 2 ** tries++)) * (0.5 + Math.random());
  show(tries > 8 ? "offline" : "reconnecting", Date.now() + wait, code);
  timer = setTimeout(connect, wait);
}

// show tells the pill how the page is connected; due is when it will be tried again after it was closed with a code.
function show(state, due, code) {
  emit("connection", { state, heard, due, code, waiting: waiting.length + changes });
}

function watch() {
  release();
  if (socket?.readyState === WebSocket.OPEN && Date.now() - heard > SILENCE) {
    drop();
    lost();
  }
}

// What the reader asks of the connection comes from the pill.

function pause(on) {
  paused = on;
  if (on) return show("paused");
  if (changes === Infinity) return reload();
  const frames = kept, own = socket;
  forget();
  show("live");
  for (const frame of frames) if (own === socket) take(frame);
}

function again() {
  tries = 0;
  drop();
  connect();
}

if (body.dataset.live) {
  const asked = { pause: () => pause(true), resume: () => pause(false), reconnect: again, leave: () => { drop(); clearTimeout(timer); } };
  document.addEventListener("roomwatch:ask", (event) => asked[event.detail]?.());
  document.addEventListener("roomwatch:tell", (event) => { if (socket?.readyState === WebSocket.OPEN) socket.send(event.detail); });
  document.addEventListener("pointermove", () => { pointed = Date.now(); }, { passive: true });
  document.addEventListener("focusout", () => setTimeout(release));
  addEventListener("online", () => { if (socket?.readyState !== WebSocket.OPEN) again(); });
  addEventListener("pageshow", (event) => { if (event.persisted) connect(); });
  setInterval(watch, 500);
  connect();
}
