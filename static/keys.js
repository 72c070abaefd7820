// Keys, and what they open: the palette, which is loaded when it is first asked for, and the list of keys.
// Single keys can be turned off (WCAG 2.1.4); Ctrl-K and Escape stay.

const byId = (id) => document.getElementById(id);
const emit = (name, detail) => document.dispatchEvent(new CustomEvent("roomwatch:" + name, { detail }));

const keysOn = () => document.documentElement.dataset.keys !== "off";
const pages = { o: ".", s: "sessions", r: "recordings", a: "artifacts", i: "intake" };
const go = (page) => location.assign(new URL("../" + page, import.meta.url)); // wherever Roomwatch is served
const SECOND = 1500; // within which the second of two keys has to come

// On a Mac, keys are pressed with another one.
if (/^Mac|^iP/.test(navigator.platform)) for (const key of document.querySelectorAll("[data-ctrl]")) key.textContent = "⌘ " + key.dataset.ctrl;

// Opening

async function openPalette() {
  const dialog = byId("palette");
  if (dialog.open) return dialog.close();
  try {
    const { open } = await import(dialog.dataset.script);
    open(dialog);
  } catch {
    go("find"); // which does the same in a page of its own
  }
}

function openHelp() {
  const dialog = byId("help");
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

// A dialog is closed by its button, or by a click beside it.
document.addEventListener("click", (event) => {
  const { target } = event;
  if (target.localName === "dialog" || target.closest?.("dialog [data-close]")) return target.closest("dialog").close();
  if (target.closest?.("[data-help]")) return openHelp();
  const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  if (!target.closest?.("a[data-find]") || !plain) return;
  event.preventDefault();
  openPalette();
});

document.addEventListener("roomwatch:do", (event) => {
  if (event.detail === "help") openHelp();
});

// Rows

// What can be gone through: the first link of each row that is seen.
function links() {
  const all = [];
  for (const row of document.querySelectorAll("#view tbody tr")) {
    const link = row.querySelector("a[href]");
    if (link?.checkVisibility()) all.push(link);
  }
  return all;
}

function move(by) {
  const all = links();
  const here = document.activeElement.closest("#view tbody tr")?.querySelector("a[href]");
  const at = all.indexOf(here);
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by];
  next?.focus();
}

function search() {
  const input = document.querySelector("#filter input[type=search]");
  if (!input) return openPalette();
  input.focus();
  input.select();
}

// Keys

let first = 0; // when g was pressed

const deeds = {
  "/": search,
  "?": openHelp,
  j: () => move(1),
  k: () => move(-1),
  p: () => emit("do", "pause"),
  t: () => emit("do", "theme"),
  g: () => { first = Date.now(); },
};

function single(key) {
  const second = Date.now() - first < SECOND && pages[key];
  first = 0;
  if (second) go(second);
  else deeds[key]?.();
  return Boolean(second || deeds[key]);
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.defaultPrevented) return;
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    return openPalette();
  }
  const typing = event.target.closest?.("input, textarea, select, [contenteditable], dialog:not(#help)");
  if (typing || !keysOn() || event.ctrlKey || event.metaKey || event.altKey) return;
  if (single(event.key)) event.preventDefault();
});
