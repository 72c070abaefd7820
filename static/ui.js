// The manners of a page: ages that tick, the time zone, theme, density, copying, and cells that show that
// they changed. The protocol is live.js; it tells of freshly put elements by the event roomwatch:applied.
// Scripts speak to each other by such events: roomwatch:do asks for what a switch does, roomwatch:say has
// something said to screen readers. All listeners are on the document, so that replaced rows keep working.

const root = document.documentElement;
const keep = (key, value) => { try { localStorage.setItem("roomwatch." + key, value); } catch { /* private mode */ } };
const kept = (key) => { try { return localStorage.getItem("roomwatch." + key); } catch { return null; } };

// Time

let skew = 0; // the server's clock minus ours, ms

/** setSkew says how far the server's clock is ahead of ours, in ms. */
export function setSkew(ms) {
  if (Number.isFinite(ms)) skew = ms;
}

const now = () => Date.now() + skew;

// The page was made when its answer began; one that comes out of the history was made some time ago.
function firstSkew() {
  const [visit] = performance.getEntriesByType("navigation");
  const at = Number(document.body.dataset.at);
  if (at && visit && visit.type !== "back_forward") setSkew(at - (performance.timeOrigin + visit.responseStart));
}

const two = (n) => String(n).padStart(2, "0");

function coarse(ms) {
  const minutes = Math.floor(ms / 60000), hours = Math.floor(minutes / 60);
  if (minutes < 1) return "<1m";
  if (hours < 1) return `${minutes}m`;
  if (hours < 24) return `${hours}h ${two(minutes % 60)}m`;
  return `${Math.floor(hours / 24)}d ${two(hours % 24)}h`;
}

function fresh(ms) {
  if (ms < 1000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 60000) return `${Math.floor(ms / 1000)} s`;
  return coarse(ms);
}

let zone = kept("zone") === "local" ? "local" : "utc";

/** localName is the reader's zone by its city: Europe/Madrid is Madrid. */
function localName() {
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone || "Local";
  return name.slice(name.lastIndexOf("/") + 1).replaceAll("_", " ");
}

const zoneName = () => zone === "utc" ? "UTC" : localName();

let formats;
function setFormats() {
  const at = { timeZone: zone === "utc" ? "UTC" : undefined, hourCycle: "h23" };
  const time = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
  const day = { weekday: "short", day: "numeric", month: "short" };
  const format = (options) => new Intl.DateTimeFormat("en-GB", { ...at, ...options });
  formats = {
    time: format(time), day: format(day), full: format({ ...day, year: "numeric" }),
    hm: format({ hour: "2-digit", minute: "2-digit" }), date: format({ day: "numeric", month: "short" }),
  };
}

const utcDay = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", weekday: "short", day: "numeric", month: "short" });

/** exact is a moment to the second, with its date and zone. */
const exact = (date) => `${formats.full.format(date).replace(",", "")}, ${formats.time.format(date)} ${zoneName()}`;

const clock = (date) => dated(date, formats.time, formats.day.format(now()));

// Times of day in other manners: on an axis, to the minute, and under the head of their day in UTC, which
// may be another day for the reader.
const clocks = {
  hour: (date) => formats.hm.format(date),
  minute: (date) => dated(date, formats.hm, formats.day.format(now())),
  in: (date) => dated(date, formats.hm, utcDay.format(date)),
  second: (date) => dated(date, formats.time, utcDay.format(date)),
};

function dated(date, time, told) {
  const day = formats.day.format(date);
  return day === told ? time.format(date) : `${day.replace(",", "")} ${time.format(date)}`;
}

const write = (element, text) => { if (element.textContent !== text) element.textContent = text; };

function tickTime(element) {
  const { age, clock: kind } = element.dataset;
  if (kind === "now") return write(element, exact(new Date(now())));
  const at = Date.parse(element.dateTime);
  if (Number.isNaN(at)) return;
  if (clocks[kind]) return write(element, clocks[kind](new Date(at)));
  const ms = Math.max(0, now() - at);
  if (age === "") write(element, coarse(ms));
  else if (age === "fresh") write(element, fresh(ms));
  else if (age === "ago") write(element, fresh(ms) + " ago");
  else if (kind === "ms") write(element, `${clock(new Date(at))}.${String(at % 1000).padStart(3, "0")}`);
  else if (kind === "full") write(element, exact(new Date(at)));
  else if (kind !== undefined) write(element, clock(new Date(at)));
}

// Times of day in drawings hold their moment in ms. On an axis, midnight is named by its day.
function hm(element) {
  const { hm: at, as } = element.dataset;
  const date = at === "now" ? now() : Number(at);
  const text = (as === "second" ? formats.time : formats.hm).format(date);
  write(element, as === "day" || as === "tick" && text === "00:00" ? formats.date.format(date) : text);
}

const tickDrawn = (within, which = "[data-hm]") => { for (const element of within.querySelectorAll(which)) hm(element); };

function tick(within) {
  if (within.localName === "time") tickTime(within);
  for (const element of within.querySelectorAll("time[datetime]")) tickTime(element);
  tickDrawn(within, within === document ? "[data-hm=now]" : "[data-hm]");
  for (const element of within.querySelectorAll("[data-origin]")) write(element, location.origin + element.dataset.origin);
}

// Switches: pressed is told to everybody, not only shown

function show() {
  const theme = root.dataset.theme ?? "auto";
  for (const b of document.querySelectorAll("[data-theme-switch]")) {
    b.setAttribute("aria-label", `Theme: ${theme}`);
    b.title = `Theme: ${theme} (t)`;
  }
  for (const b of document.querySelectorAll("[data-zone]")) {
    b.setAttribute("aria-pressed", String(b.dataset.zone === zone));
    if (b.dataset.zone !== "local") continue;
    write(b, localName());
    b.hidden = localName() === "UTC";
  }
  for (const name of document.querySelectorAll("[data-zone-name]")) write(name, zoneName());
  for (const b of document.querySelectorAll("[data-density-switch]")) {
    b.setAttribute("aria-pressed", String(b.dataset.densitySwitch === (root.dataset.density ?? "compact")));
  }
  for (const b of document.querySelectorAll("[data-keys]")) b.setAttribute("aria-pressed", String(keysOn()));
}

function setZone(to) {
  zone = to;
  keep("zone", to);
  setFormats();
  show();
  tick(document);
  tickDrawn(document);
}

function setDensity(to) {
  if (to === "comfortable") root.dataset.density = to;
  else delete root.dataset.density;
  keep("density", to);
  show();
}

function nextTheme() {
  const next = { auto: "light", light: "dark", dark: "auto" }[root.dataset.theme ?? "auto"];
  if (next === "auto") delete root.dataset.theme;
  else root.dataset.theme = next;
  keep("theme", next);
  show();
  say(`Theme: ${next}`);
}

const keysOn = () => root.dataset.keys !== "off";

function setKeys(on) {
  if (on) delete root.dataset.keys;
  else root.dataset.keys = "off";
  keep("keys", on ? "on" : "off");
  show();
  say(on ? "Single keys are on" : "Single keys are off");
}

const emit = (name, detail) => document.dispatchEvent(new CustomEvent("roomwatch:" + name, { detail }));
const say = (text) => emit("say", text);

// Copying

/** copyText is what a button copies: this page's address, another element's text, what it is told to, or its own text. */
function copyText(button) {
  const { copy, copyFrom, copyOrigin } = button.dataset;
  if (copyOrigin !== undefined) return location.origin + copy;
  if (copy === "link") return location.href;
  if (copyFrom) return button.closest("section").querySelector(copyFrom).textContent;
  return copy || button.textContent.trim();
}

async function copy(button) {
  const text = copyText(button);
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    if (!copyOldWay(text)) return say("The browser did not allow copying");
  }
  button.dataset.copied = "";
  setTimeout(() => { delete button.dataset.copied; }, 1200);
  const short = text.length < 200 ? text : "";
  emit("toast", { icon: "copy", title: "Copied", text: short, brief: true });
  say(`Copied ${short}`);
}

// Pages on plain http have no clipboard object.
function copyOldWay(text) {
  const area = document.createElement("textarea");
  const focused = document.activeElement;
  area.value = text;
  area.className = "sr-only";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  focused?.focus({ preventScroll: true });
  return done;
}

// Changed cells: a row that is about to become another shows which of its texts are new. Ages don't count,
// and nothing flashes for who asked for less motion.

const calm = matchMedia("(prefers-reduced-motion: reduce)");
const FLASH = 600;

function words(cell) {
  let text = cell.textContent;
  for (const time of cell.querySelectorAll("time")) text = text.replace(time.textContent, "");
  return text;
}

function flash(old, fresh) {
  if (calm.matches || document.hidden || old.localName !== "tr") return;
  const before = old.cells, after = fresh.cells;
  if (before.length !== after?.length) return;
  for (let i = 0; i < before.length; i++) {
    if (before[i].localName !== "td") continue;
    if (words(before[i]) !== words(after[i])) end(before[i]);
    else if (!before[i].classList.contains("flash")) continue;
    after[i].classList.add("flash"); // which the old cell takes over
  }
}

const ends = new WeakMap();

function end(cell) {
  clearTimeout(ends.get(cell));
  ends.set(cell, setTimeout(() => {
    cell.classList.remove("flash");
    if (!cell.className) cell.removeAttribute("class");
  }, FLASH));
}

// Listeners

const opened = () => document.querySelectorAll("details[open]");

document.addEventListener("click", (event) => {
  for (const details of opened()) if (!details.contains(event.target)) details.open = false;
  const button = event.target.closest?.("button");
  if (!button) return;
  const { copy: copied, zone: to, densitySwitch, themeSwitch, keys } = button.dataset;
  if (copied !== undefined) copy(button);
  else if (to) setZone(to);
  else if (densitySwitch) setDensity(densitySwitch);
  else if (themeSwitch !== undefined) nextTheme();
  else if (keys !== undefined) setKeys(!keysOn());
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const details of opened()) {
    if (details.contains(document.activeElement)) details.querySelector("summary").focus();
    details.open = false;
  }
});

const deeds = {
  theme: nextTheme,
  zone: () => setZone(zone === "utc" ? "local" : "utc"),
  density: () => setDensity(root.dataset.density ? "compact" : "comfortable"),
};

document.addEventListener("roomwatch:do", (event) => deeds[event.detail]?.());

// Exact times and whole names are put in reach when somebody points at them, so that rows stay small.
document.addEventListener("pointerover", (event) => {
  const element = event.target.closest?.("time[datetime], .name, .clip");
  if (!element) return;
  if (element.localName === "time") {
    const at = Date.parse(element.dateTime);
    if (!Number.isNaN(at) && element.dataset.clock !== "now") element.title = exact(new Date(at));
  } else if (element.scrollWidth > element.clientWidth) {
    element.title = element.textContent;
  }
});

// Fields that say nothing stay out of the address.
document.addEventListener("formdata", (event) => {
  for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
});

document.addEventListener("roomwatch:applied", (event) => {
  const { elements = [], old } = event.detail ?? {};
  for (const element of elements) tick(element);
  if (old) flash(old, elements[0]);
});

/** tell says the server's clock to other scripts: they have none of their own. */
const tell = () => emit("tick", now());

document.addEventListener("visibilitychange", () => { if (!document.hidden) tick(document); });

new MutationObserver(() => setSkew(Number(document.body.dataset.at) - Date.now()))
  .observe(document.body, { attributeFilter: ["data-at"] });

if (kept("keys") === "off") root.dataset.keys = "off";
firstSkew();
setFormats();
show();
tick(document);
tickDrawn(document);
root.dataset.ticking = "";
setInterval(() => {
  if (document.hidden) return;
  tick(document);
  tell();
}, 1000);
addEventListener("load", tell);
