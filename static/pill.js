// The pill says how the page is connected and offers the next step; behind its figure is the whole account.
// live.js tells what is the case by the event roomwatch:connection, and is asked by roomwatch:ask.

const byId = (id) => document.getElementById(id);
const emit = (name, detail) => document.dispatchEvent(new CustomEvent("roomwatch:" + name, { detail }));

const SILENCE = 35_000; // after which what is shown may be wrong, whatever is tried meanwhile
const MANY = "2,000+";

// By state: the word, what the button says and does, and the sentence.
const states = {
  connecting: ["Connecting", "", "", "Connecting to Roomwatch."],
  live: ["Live", "Pause", "pause", "Changes are shown as they happen."],
  paused: ["Paused", "Resume", "resume", "The page stands still. What changes meanwhile waits and is shown when you resume."],
  reconnecting: ["Reconnecting", "Now", "reconnect", "The connection is lost and being tried again. Nothing will be missing afterwards."],
  stale: ["Stale", "Reconnect", "reconnect", "Nothing was heard for too long: what the page shows may no longer be so."],
  offline: ["Offline", "Retry", "reconnect", "Roomwatch cannot be reached. The page shows what was known last."],
  blocked: ["Not live", "Why", "why", ""], // and what is in the way
  expired: ["Session expired", "Sign in", "leave", "Your login has ended. The page shows what was known last."],
};
const old = new Set(["stale", "offline", "blocked", "expired"]); // in which the page shows what was

const pill = byId("pill"), account = byId("connection"), asOf = byId("as-of");
let connection = { state: "connecting", heard: Date.now() };
let shown = "connecting";
let obstacle = ""; // what keeps the page from going live, and what to change

function stateNow() {
  const { state, heard } = connection;
  const trying = state === "reconnecting" || state === "connecting";
  if (obstacle && (trying || state === "offline")) return "blocked";
  return trying && Date.now() - heard > SILENCE ? "stale" : state;
}

const sentence = (state) => state === "blocked" ? obstacle : states[state][3];

const write = (element, text) => { if (element.textContent !== text) element.textContent = text; };

// time is when the server last spoke, by its own clock, for ui.js to write in a manner.
function time(element, manner, before = "") {
  const at = new Date(Number(document.body.dataset.at)).toISOString();
  const old = element.querySelector("time");
  if (old?.dataset.manner === manner) {
    old.dateTime = at;
    return;
  }
  const fresh = document.createElement("time");
  fresh.dateTime = at;
  fresh.dataset.manner = manner;
  if (manner === "clock") fresh.dataset.clock = "";
  else fresh.dataset.age = manner;
  element.replaceChildren(before, fresh);
  emit("applied", { elements: [element] });
}

function waitingWords({ waiting }) {
  if (waiting === 0) return "";
  if (waiting === Infinity) return `${MANY} waiting`;
  return Number.isNaN(waiting) ? "changes waiting" : `${waiting.toLocaleString("en")} waiting`;
}

function figure(element, state) {
  if (state === "live") time(element, "fresh");
  else if (state === "stale") time(element, "clock", "since ");
  else if (state === "paused") write(element, waitingWords(connection));
  else if (state === "reconnecting" || state === "offline") write(element, `in ${Math.max(0, Math.ceil((connection.due - Date.now()) / 1000))} s`);
  else write(element, "");
}

function show() {
  const state = stateNow();
  const [word, action] = states[state];
  if (pill.dataset.state !== state) pill.dataset.state = state;
  write(pill.querySelector("[data-word]"), word);
  figure(pill.querySelector("[data-figure]"), state);
  const button = pill.querySelector("[data-action]");
  write(button, action);
  button.hidden = action === "";
  asOf.hidden = !old.has(state);
  if (!asOf.hidden) asOf.querySelector("time").dateTime = new Date(Number(document.body.dataset.at)).toISOString();
  if (account.matches(":popover-open")) tell();
  if (state !== shown) changed(state);
}

function changed(state) {
  if (old.has(state)) emit("news", sentence(state));
  else if (state === "live" && old.has(shown)) emit("news", "Live again.");
  if (old.has(state)) emit("applied", { elements: [asOf] });
  shown = state;
}

// tell writes the account.
function tell() {
  write(byId("connection-said"), sentence(stateNow()));
  time(account.querySelector("[data-heard]"), "ago");
  write(account.querySelector("[data-state]"), `${document.body.dataset.seq} of ${document.body.dataset.epoch}`);
}

function step() {
  const deed = states[stateNow()][2];
  if (deed === "leave") location.reload();
  else if (deed === "why") account.togglePopover(true);
  else if (deed) emit("ask", deed);
}

document.addEventListener("roomwatch:connection", (event) => {
  connection = { ...connection, ...event.detail };
  show();
});

document.addEventListener("roomwatch:obstacle", (event) => {
  obstacle = event.detail;
  show();
});

document.addEventListener("roomwatch:do", (event) => {
  if (event.detail === "pause" && ["live", "paused"].includes(connection.state)) step();
});

pill.querySelector("[data-action]").addEventListener("click", step);
account.querySelector("[data-reconnect]").addEventListener("click", () => emit("ask", "reconnect"));
account.addEventListener("toggle", tell);
setInterval(() => { if (!document.hidden) show(); }, 1000);
