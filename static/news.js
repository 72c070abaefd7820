// What the page tells by itself: new artifacts and what begins to need attention, as a notice in the corner,
// in the list behind the bell, in the title, and to screen readers.

const byId = (id) => document.getElementById(id);

// Saying. What answers the reader is said at once; news one thing in five seconds, the newest of them.

const PACE = 5000;
let next, speaking;

document.addEventListener("roomwatch:say", (event) => { byId("said").textContent = event.detail; });

document.addEventListener("roomwatch:news", (event) => {
  next = event.detail;
  speaking ??= speak();
});

function speak() {
  if (next === undefined) return speaking = undefined;
  byId("news").textContent = next;
  next = undefined;
  return speaking = setTimeout(speak, PACE);
}

const news = (text) => document.dispatchEvent(new CustomEvent("roomwatch:news", { detail: text }));

// The title and the icon of the tab count what needs attention.

const title = document.title;
const icon = document.querySelector("link[rel=icon]");
const calm = icon.href;

function count() {
  const n = Number(document.querySelector("[data-alarms]")?.dataset.alarms) || 0;
  const text = n > 0 ? `(${n}) ${title}` : title;
  if (document.title === text) return;
  document.title = text;
  icon.href = n > 0 ? new URL(icon.dataset.alert, location).href : calm;
}

// Notices: kept for this visit, and loaded with what draws them when there is one.

const MOST = 50;

function kept() {
  try { return JSON.parse(sessionStorage.getItem("roomwatch.notices")) ?? []; } catch { return []; }
}

function keep(list, unseen) {
  try {
    sessionStorage.setItem("roomwatch.notices", JSON.stringify(list.slice(0, MOST)));
    sessionStorage.setItem("roomwatch.unseen", String(unseen));
  } catch { /* private mode: they are shown, not kept */ }
}

const unseen = () => { try { return Number(sessionStorage.getItem("roomwatch.unseen")); } catch { return 0; } };

function mark() {
  const n = unseen(), badge = document.querySelector("#bell [data-unseen]");
  badge.hidden = n === 0;
  badge.textContent = n > 9 ? "9+" : String(n);
  byId("bell").setAttribute("aria-label", n ? `Notices, ${n} new` : "Notices");
}

const drawing = () => import(byId("toasts").dataset.script);

async function show(notices) {
  try {
    const { toast } = await drawing();
    for (const notice of notices) toast(notice);
  } catch { /* said and kept all the same */ }
}

document.addEventListener("roomwatch:toast", (event) => show([event.detail]));

byId("notices").addEventListener("beforetoggle", async (event) => {
  if (event.newState !== "open") return;
  keep(kept(), 0);
  mark();
  const { list } = await drawing();
  list(event.target, kept());
});

// What comes in one breath is told in one breath: a meeting that ends leaves many artifacts.

const BREATH = 800;
let breath = [];

function hear(notice) {
  if (!breath.length) setTimeout(tell, BREATH);
  breath.push(notice);
}

function tell() {
  const fresh = breath.reverse();
  breath = [];
  keep([...fresh, ...kept()], unseen() + fresh.length);
  mark();
  const troubles = fresh.filter((notice) => notice.level), rest = fresh.filter((notice) => !notice.level);
  const told = [...summed(rest, "new artifacts"), ...summed(troubles, "new troubles")];
  show(told);
  if (told.length) news(told.map(({ long, title, text }) => `${long ?? title}, ${text}`).join(". "));
}

// summed is one notice for more than two of a kind.
function summed(notices, what) {
  if (notices.length < 3) return notices;
  const rooms = new Set(notices.map((notice) => notice.room));
  const text = rooms.size === 1 ? notices[0].room : `in ${rooms.size} rooms`;
  return [{ ...notices[0], title: `${notices.length} ${what}`, long: undefined, text, href: rooms.size === 1 ? notices[0].href : undefined }];
}

// What a fresh element tells: it was put by a frame, not by the page.

const textOf = (element, which) => element.querySelector(which)?.textContent.trim().replace(/\s+/g, " ") ?? "";
const iconOf = (element) => element.querySelector("svg use")?.getAttribute("href").split("#")[1];

// by the id's beginning
const tellers = {
  artifact: (element, told) => ({ ...told, long: `New artifact: ${told.title}`, text: [told.room, textOf(element, ".figure")].filter(Boolean).join(" · ") }),
  alarm: (element, told) => ({ ...told, title: textOf(element, ".kind"), text: `${told.room}: ${textOf(element, ".reason")}`, level: element.dataset.level }),
};

const lists = ["new-artifacts", "alarms", "alarms-beyond"];

function toldBy(element) {
  const teller = tellers[element.id.split("-")[0]];
  if (!teller || !lists.includes(element.parentElement?.id)) return;
  const link = element.querySelector("a[href]");
  const at = Number(document.body.dataset.at) || Date.now();
  hear(teller(element, { title: textOf(element, ".name"), room: textOf(element, "a[href]"), href: link?.getAttribute("href"), icon: iconOf(element), at }));
}

document.addEventListener("roomwatch:applied", (event) => {
  if (!event.detail.old) event.detail.elements.forEach(toldBy);
});

// Told after each frame, and of a page that is no longer live.
document.addEventListener("roomwatch:connection", count);

mark();
count();
