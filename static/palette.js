// The palette asks the page at /find and shows the part of it that matters. Loaded when it is first opened.

const PAUSE = 90; // between keys, before it asks

let dialog, input, box;
let asked = 0;    // the newest question: answers to older ones are not shown
let timer, request;

/** open shows the palette, with what goes on. */
export function open(element) {
  if (!dialog) prepare(element);
  input.value = "";
  dialog.showModal();
  ask();
}

function prepare(element) {
  dialog = element;
  input = dialog.querySelector("input");
  box = dialog.querySelector("#palette-found");
  box.setAttribute("role", "listbox");
  box.setAttribute("aria-label", "Found");
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  });
  input.addEventListener("keydown", key);
  box.addEventListener("click", choose);
  box.addEventListener("pointermove", (event) => {
    const option = event.target.closest("[role=option]");
    if (option && (event.movementX || event.movementY)) select(option);
  });
  dialog.addEventListener("close", () => {
    clearTimeout(timer);
    request?.abort();
  });
}

// A document asked for as one is parsed by the browser, and nothing in it runs.
function ask() {
  const mine = ++asked, text = input.value;
  request?.abort();
  request = new XMLHttpRequest();
  request.open("GET", new URL("../find?" + new URLSearchParams(text ? { q: text } : {}), import.meta.url)); // wherever Roomwatch is served
  request.responseType = "document";
  request.onload = () => answer(mine, request.status === 200 && request.response?.getElementById("found"));
  request.onerror = () => answer(mine);
  request.send();
  box.setAttribute("aria-busy", "true");
}

function answer(mine, found) {
  if (mine !== asked) return;
  box.removeAttribute("aria-busy");
  if (!found) return failed();
  const part = document.adoptNode(found);
  for (const button of part.querySelectorAll("[data-do]")) suit(button);
  box.replaceChildren(...part.childNodes);
  options().forEach((option, i) => { option.id = `option-${i}`; });
  document.dispatchEvent(new CustomEvent("roomwatch:applied", { detail: { elements: [box] } }));
  select(options()[0]);
  box.scrollTop = 0;
  const n = options().length;
  document.dispatchEvent(new CustomEvent("roomwatch:news", { detail: n === 1 ? "1 result" : `${n} results` }));
}

// The last answer stays, so that what can be done without a server still can.
function failed() {
  const text = document.createElement("p");
  text.className = "none";
  text.textContent = "Rooms and people could not be asked for: Roomwatch did not answer. Type again to try again.";
  box.querySelector(".none")?.remove();
  box.prepend(text);
}

// What is offered fits the page: there is nothing to pause where nothing lives, and a paused page resumes.
function suit(button) {
  if (button.dataset.do !== "pause") return;
  const state = document.getElementById("pill")?.dataset.state;
  if (state !== "live" && state !== "paused") button.closest("li").remove();
  else if (state === "paused") button.querySelector(".hit-name").textContent = "Resume live changes";
}

// Groups and their entries are what an input with a list needs, beyond what a page of links has.
function options() {
  for (const section of box.querySelectorAll("section:not([role])")) {
    const head = section.querySelector("h2");
    section.setAttribute("role", "group");
    section.setAttribute("aria-label", head.textContent);
    section.removeAttribute("aria-labelledby"); // the page itself may have such a head
    head.removeAttribute("id");
    for (const plain of section.querySelectorAll("h2, ul, li")) plain.setAttribute("role", "presentation");
    for (const hit of section.querySelectorAll(".hit")) {
      hit.setAttribute("role", "option");
      hit.setAttribute("aria-selected", "false");
      hit.tabIndex = -1;
    }
  }
  return [...box.querySelectorAll("[role=option]")];
}

const selected = () => box.querySelector("[aria-selected=true]");

function select(option) {
  selected()?.setAttribute("aria-selected", "false");
  if (!option) return input.removeAttribute("aria-activedescendant");
  option.setAttribute("aria-selected", "true");
  input.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

function key(event) {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (by) {
    const all = options();
    select(all[(all.indexOf(selected()) + by + all.length) % all.length]);
  } else if (event.key === "Enter" && !event.isComposing) {
    selected()?.click();
  } else {
    return;
  }
  event.preventDefault();
}

function choose(event) {
  const hit = event.target.closest(".hit");
  if (!hit) return;
  dialog.close();
  if (hit.dataset.do) document.dispatchEvent(new CustomEvent("roomwatch:do", { detail: hit.dataset.do }));
}
