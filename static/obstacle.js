// Why a page cannot go live, when its socket fails again and again though Roomwatch can be reached: something between
// the two does not pass it on. Roomwatch is asked at the very address of the socket, and says what it sees of the
// page. What it says twice, with a try between, is told by the event roomwatch:obstacle; "" takes it back. That a share is
// used up, or the view is broken, needs no asking: the socket is closed with a code that says so.

const { body } = document;
const emit = (name, detail) => document.dispatchEvent(new CustomEvent("roomwatch:" + name, { detail }));

const USED_UP = 4429;
const SHARE = "As many live views or connections are open under this login or token as one may have, so this page stands still and shows what was known when it was loaded. Close other tabs or windows of Roomwatch. It is tried again every half minute; Reconnect tries at once.";
const BROKEN = 1011;
const FAULT = "Something in what this page shows is a fault of Roomwatch’s, so it stands still and shows what was known before. Other pages are not concerned. It is tried again every half minute; Reconnect tries at once. If it stays, report it with the log, which says where it happened.";
const TRIES = 3; // that fail before it is asked: a restart is over by then

let failed = 0;  // tries since the page was live
let before = ""; // what was in the way at the try before
let told = "";

async function ask() {
  let answer;
  try {
    answer = await fetch(body.dataset.live, { headers: { "Roomwatch-Page": self.origin }, redirect: "manual", cache: "no-store" });
  } catch {
    return ""; // it cannot be reached, which the pill says
  }
  if (answer.type === "opaqueredirect") return "A proxy sends the live connection to another address, perhaps to log in. Load the page again; if that does not help, have the proxy pass /live to Roomwatch.";
  if (answer.status >= 500) return "";
  const { detail } = await answer.json().catch(() => ({}));
  if (detail || answer.status === 401 || answer.status === 403 || answer.status === 429) return detail ?? "";
  return `What answers at ${new URL(answer.url).pathname} is not Roomwatch (HTTP ${answer.status}): a proxy leads the live connection elsewhere. Have it pass /live as it is; where Roomwatch is served below a path, BASE_PATH must name that.`;
}

function tell(text) {
  if (text === told) return;
  told = text;
  emit("obstacle", text);
}

document.addEventListener("roomwatch:connection", async ({ detail: { state, code } }) => {
  if (state === "live" || state === "paused") {
    failed = 0;
    before = "";
    return tell("");
  }
  if (code === USED_UP) return tell(SHARE);
  if (code === BROKEN) return tell(FAULT);
  if (state !== "reconnecting" && state !== "offline" || ++failed < TRIES) return;
  const mine = failed, why = await ask();
  if (mine !== failed) return;
  tell(why === before ? why : "");
  before = why;
});
