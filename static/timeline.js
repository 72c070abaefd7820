// The timeline under the reader's hand: the line at now moves between changes, and a line under the pointer,
// or moved by the arrow keys, tells how it was at a moment. What it tells it reads from the drawing itself,
// so that it can say nothing else than what is drawn. ui.js keeps the clock and writes the times.

const byId = (id) => document.getElementById(id);
const numbers = (element, ...names) => names.map((name) => parseFloat(element.getAttribute(name)));

// Now

let clock = 0;

/** place moves the line at now, and what is cut off there, in an overlay that is on the page or comes to it. */
function place(overlay) {
  const { from, to } = overlay.dataset;
  const x = Math.min(100, (clock - from) / (to - from) * 100).toFixed(3) + "%";
  const set = (element, name) => { if (element.getAttribute(name) !== x) element.setAttribute(name, x); };
  for (const element of overlay.querySelectorAll("[data-now]")) set(element, "x");
  for (const element of overlay.querySelectorAll("[data-past]")) set(element, "width");
}

document.addEventListener("roomwatch:tick", (event) => {
  clock = event.detail;
  index = undefined;
  const overlay = byId("timeline-now");
  if (overlay) place(overlay);
});

// A fresh overlay has the clock of its page, which counts minutes.
document.addEventListener("roomwatch:applied", (event) => {
  if (event.detail.elements[0] === reading) return;
  index = undefined;
  for (const element of event.detail.elements) {
    const overlay = element.id === "timeline-now" ? element : element.querySelector?.("#timeline-now");
    if (overlay && clock) place(overlay);
  }
  if (at) requestAnimationFrame(show);
});

// Reading

let index; // what is drawn, by kind: from, to, and whose lane; made when it is asked for, gone with any change

function drawn(kind) {
  index ??= {};
  return index[kind] ??= [...byId("timeline").querySelectorAll(`.lane > svg > rect.${kind}`)].map((stripe) => {
    const [x, width] = numbers(stripe, "x", "width");
    return { from: x, to: x + width, lane: stripe.closest(".lane") };
  });
}

const there = (kind, percent) => drawn(kind).filter(({ from, to }) => from <= percent && percent < to);
const count = (kind, percent) => there(kind, percent).length;

// The steps of the chart are a path from the bottom of a box, whose height is the greatest number.
function people(percent) {
  const box = document.querySelector("#timeline-axis [data-top]");
  let n = 0, x = 0;
  for (const [, step, value] of box.firstElementChild.getAttribute("d").matchAll(/([HV])(\d+)/g)) {
    if (step === "H") x = value / 1000;
    else if (x <= percent) n = box.dataset.top - value;
  }
  return n;
}

// Cursor: a moment of the timeline that the reader looks at. It lies outside of the view, which is replaced.

let at = 0;
let line, reading;

function frame() {
  const overlay = byId("timeline-now"), drawing = overlay?.querySelector(".lines");
  if (!drawing) return;
  const from = Number(overlay.dataset.from), to = Number(overlay.dataset.to);
  const now = drawing.querySelector("[data-now]");
  return { from, to, until: now ? Math.min(to, clock || to) : to, box: drawing.getBoundingClientRect(), seen: byId("timeline").getBoundingClientRect() };
}

function make(name, className, ...children) {
  const element = document.createElement(name);
  element.className = className;
  element.append(...children);
  return element;
}

const icons = {}; // made once: a fresh one would ask for its file again

function icon(name) {
  return icons[name] ??= drawIcon(name);
}

function drawIcon(name) {
  const use = document.querySelector("#timeline use, .legend use")?.cloneNode();
  if (!use) return "";
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, "#" + name));
  for (const attribute of ["x", "y", "width", "height"]) use.removeAttribute(attribute);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.append(use);
  return svg;
}

const some = (n, one, many) => `${n} ${n === 1 ? one : many}`;

function told(percent) {
  const lanes = new Set(there("screen", percent).map(({ lane }) => lane));
  const shares = [...lanes].map((lane) => make("bdi", "", lane.querySelector(".name").textContent));
  const lines = [make("p", "", [
    some(people(percent), "person", "people"),
    some(count("mic", percent), "microphone", "microphones"),
    some(count("cam", percent), "camera", "cameras"),
  ].join(" · "))];
  if (shares.length > 2) lines.push(make("p", "", `${shares.length} share a screen`));
  else for (const name of shares) lines.push(make("p", "", name, " shares a screen"));
  const jobs = [];
  if (count("rec", percent)) jobs.push(make("span", "rec", icon("rec"), "recording "));
  if (count("stream", percent)) jobs.push(make("span", "live", icon("waves"), "streaming"));
  if (jobs.length) lines.push(make("p", "", ...jobs));
  return lines;
}

function time() {
  const element = make("time", "");
  element.dateTime = new Date(at).toISOString();
  element.dataset.clock = "";
  return element;
}

function grain({ from, to, box }) {
  const seconds = (to - from) / box.width / 1000;
  return make("span", "note", `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s a pixel`);
}

function show() {
  const f = frame();
  if (!f || !at) return hide();
  at = Math.min(Math.max(at, f.from), f.until);
  const percent = (at - f.from) / (f.to - f.from) * 100;
  line ??= document.body.appendChild(make("div", "crosshair"));
  reading ??= document.body.appendChild(make("div", "reading"));
  line.hidden = reading.hidden = false;
  reading.replaceChildren(make("p", "", time(), grain(f)), ...told(percent));
  document.dispatchEvent(new CustomEvent("roomwatch:applied", { detail: { elements: [reading] } }));
  stand(f, f.box.left + f.box.width * percent / 100);
}

function stand({ seen }, x) {
  const top = Math.max(seen.top, 0), bottom = Math.min(seen.bottom, innerHeight);
  const set = (element, values) => { for (const [name, value] of Object.entries(values)) element.style.setProperty(name, `${value}px`); };
  set(line, { left: x, top: top + 20, height: Math.max(0, bottom - top - 20) });
  const { width, height } = reading.getBoundingClientRect();
  const left = x + 10 + width < innerWidth ? x + 10 : Math.max(4, x - 10 - width);
  set(reading, { left, top: Math.max(4, Math.min(top + 62, innerHeight - height - 4)) });
}

function hide() {
  at = 0;
  if (line) line.hidden = reading.hidden = true;
}

// By pointer and by keys

let waiting = false;

function point(event) {
  const f = event.target.closest?.("#timeline") ? frame() : undefined;
  const x = f ? event.clientX - f.box.left : -1;
  if (!f || x < 0 || x > f.box.width) {
    if (at && event.pointerType !== "touch" && document.activeElement?.id !== "timeline") hide();
    return;
  }
  at = f.from + (f.to - f.from) * x / f.box.width;
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    if (at) show();
  });
}

const moves = { ArrowLeft: -1, ArrowRight: 1, PageUp: -60, PageDown: 60 };
let saying;

function key(event) {
  if (event.key === "Escape" && at) return hide();
  if (document.activeElement?.id !== "timeline" || event.ctrlKey || event.metaKey || event.altKey) return;
  const f = frame();
  const move = moves[event.key];
  if (!f || !move && event.key !== "Home" && event.key !== "End") return;
  event.preventDefault();
  const step = (f.to - f.from) / 600 * (event.shiftKey ? 10 : 1);
  if (event.key === "Home") at = f.from;
  else if (event.key === "End") at = f.until;
  else at = (at || f.until) + move * step;
  show();
  clearTimeout(saying);
  saying = setTimeout(() => document.dispatchEvent(new CustomEvent("roomwatch:say", { detail: [reading.querySelector("time"), ...[...reading.children].slice(1)].map((part) => part.textContent).join(", ") })), 500);
}

document.addEventListener("pointermove", point, { passive: true });
document.addEventListener("pointerdown", point, { passive: true });
document.addEventListener("keydown", key);
document.addEventListener("focusout", (event) => { if (event.target.id === "timeline") hide(); });
addEventListener("scroll", () => { if (at) hide(); }, { passive: true, capture: true });
