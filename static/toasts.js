// Draws notices: in the corner for a while, three at most, and in the list behind the bell. Loaded by news.js
// when there is something to draw.

const region = document.getElementById("toasts");
const MOST = 3;
const STEP = 250;
const LAST = { brief: 2000, "": 8000, late: 12_000, bad: 20_000 }; // ms by level, while nobody looks at it

function make(name, className, ...children) {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

const sprite = document.querySelector("#bell use").getAttribute("href").split("#")[0];

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

function time(at) {
  const element = make("time");
  element.dateTime = new Date(at).toISOString();
  element.dataset.clock = "";
  return element;
}

function words({ title, text, href }) {
  const head = make("p", "notice-title", href ? make("a", "", title) : title);
  if (href) head.firstChild.setAttribute("href", href);
  return make("div", "", head, make("p", "notice-text", text));
}

const glyphs = { bad: "crossed", late: "triangle" };

function draw(name, notice, ...more) {
  const glyph = icon(notice.icon ?? glyphs[notice.level] ?? "bell");
  return make(name, `notice-line ${notice.level ?? ""}`, glyph, words(notice), notice.at ? time(notice.at) : "", ...more);
}

const ticked = (element) => document.dispatchEvent(new CustomEvent("roomwatch:applied", { detail: { elements: [element] } }));

/** toast shows a notice for a while. */
export function toast(notice) {
  if (notice.brief) region.querySelector("[data-brief]")?.remove();
  const close = make("button", "ghost", icon("clear"));
  close.type = "button";
  close.setAttribute("aria-label", `Dismiss: ${notice.title}`);
  const element = draw("article", { ...notice, title: notice.long ?? notice.title }, close);
  element.dataset.left = LAST[notice.brief ? "brief" : notice.level ?? ""];
  if (notice.brief) element.dataset.brief = "";
  region.append(element);
  while (region.children.length > MOST) region.firstChild.remove();
  ticked(element);
  running ??= setInterval(pass, STEP);
}

let running;

// Time passes only while nobody points at a notice, is in one, or looks at another tab.
function pass() {
  if (document.hidden || region.matches(":hover, :focus-within")) return;
  for (const element of [...region.children]) {
    if ((element.dataset.left -= STEP) <= 0) element.remove();
  }
  if (region.children.length) return;
  clearInterval(running);
  running = undefined;
}

region.addEventListener("click", (event) => event.target.closest("button")?.closest("article").remove());

/** list fills the list behind the bell, the newest first. */
export function list(popover, notices) {
  const items = notices.map((notice) => draw("li", notice));
  popover.querySelector("ol").replaceChildren(...items);
  popover.querySelector(".none").hidden = items.length > 0;
  ticked(popover);
}
