// A page in a frame: it lives by a token, which the page around it renews before it ends. The two speak by
// postMessage, each naming the other's origin exactly. live.js keeps the socket; the token goes with it.

const { parent: origin } = document.body.dataset;
const emit = (name, detail) => document.dispatchEvent(new CustomEvent("roomwatch:" + name, { detail }));
const byId = (id) => document.getElementById(id);

const AHEAD = 60_000; // before the end, a fresh token is asked for; of a short-lived one, at half its time
const AGAIN = 5_000;

let token = new URL(location.href).searchParams.get("token");
let ends = Number(document.body.dataset.expires);
let asked = 0;
let over = false;
const skew = Number(document.body.dataset.at) - Date.now();
const now = () => Date.now() + skew;
let lead = Math.min(AHEAD, (ends - now()) / 2);

// What is in the address is seen by others: histories, screenshots, whoever copies it.
const clean = new URL(location.href);
clean.searchParams.delete("token");
history.replaceState(null, "", clean);

document.addEventListener("roomwatch:connecting", (event) => { event.detail.push("roomwatch.auth." + token); });

function ask() {
  asked = now();
  window.parent.postMessage({ type: "roomwatch:token", expires: ends }, origin);
}

/** endOf is when a token ends, in ms; NaN for what is none. */
function endOf(text) {
  try {
    return JSON.parse(atob(text.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).exp * 1000;
  } catch {
    return NaN;
  }
}

addEventListener("message", (event) => {
  if (event.origin !== origin || event.source !== window.parent || event.data?.type !== "roomwatch:token") return;
  const fresh = event.data.token, end = typeof fresh === "string" ? endOf(fresh) : NaN;
  if (!(end > ends)) return;
  token = fresh;
  ends = end;
  lead = Math.min(AHEAD, (ends - now()) / 2);
  if (!over) return emit("tell", JSON.stringify({ k: "auth", token }));
  over = false;
  byId("expired").hidden = true;
  emit("ask", "reconnect");
});

function look() {
  if (now() < ends - lead) return;
  if (now() - asked > AGAIN) ask();
  if (!over && now() >= ends) expire();
}

function expire() {
  over = true;
  byId("expired").hidden = false;
  emit("ask", "leave");
  show({ state: "expired" });
}

// How it is connected, in a word.

const words = { connecting: "Connecting", live: "Live", paused: "Paused", reconnecting: "Reconnecting", blocked: "Not live", offline: "Offline", expired: "Expired" };
const pill = byId("link"), button = document.querySelector("[data-pause]");
let heard = Date.now();
let shown = "connecting";
let obstacle = false;

function show(connection) {
  if (over && connection.state !== "expired") return;
  shown = obstacle && connection.state !== "expired" ? "blocked" : connection.state;
  heard = connection.heard ?? heard;
  pill.dataset.link = shown;
  pill.querySelector("[data-word]").textContent = words[shown];
  const paused = shown === "paused";
  button.hidden = !paused && shown !== "live";
  button.setAttribute("aria-pressed", String(paused));
  button.setAttribute("aria-label", paused ? "Resume" : "Pause");
  if (shown === "expired" && !over) expire();
  figure();
}

function figure() {
  const seconds = (Date.now() - heard) / 1000;
  pill.querySelector("[data-figure]").textContent = shown === "live" ? (seconds < 1 ? seconds.toFixed(1) : Math.floor(seconds)) + " s" : "";
}

document.addEventListener("roomwatch:obstacle", ({ detail: text }) => {
  const why = byId("obstacle");
  obstacle = text !== "";
  why.hidden = !obstacle;
  why.querySelector("span").textContent = text;
  if (obstacle) show({ state: "blocked" });
});

document.addEventListener("roomwatch:connection", (event) => show(event.detail));
button.addEventListener("click", () => emit("ask", shown === "paused" ? "resume" : "pause"));
setInterval(() => { look(); figure(); }, 500);
