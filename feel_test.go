package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// What operators feel: the pill, the palette, keys, notices. Every claim is held in a true browser against
// the true program.

const isPaused = `document.querySelector("#pill[data-state=paused]")`

// wired lets a test see a page's sockets: what came, and what was sent.
const wired = `
	window.wire = { sockets: [], frames: [], sent: [] };
	const Socket = WebSocket;
	window.WebSocket = class extends Socket {
		constructor(...args) {
			super(...args);
			wire.sockets.push(this);
			this.addEventListener("message", (event) => wire.frames.push(JSON.parse(event.data)));
		}
		send(text) { wire.sent.push(text); super.send(text); }
	};`

// before runs a script in every page that the browser opens from now on, before those of the page.
func (b *browser) before(script string) {
	b.t.Helper()
	b.do(chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(script).Do(ctx)
		return err
	}))
}

func (b *browser) run(script string) {
	b.t.Helper()
	b.do(chromedp.Evaluate(script, nil))
}

// click clicks what the selector finds, once it is there, seen and not covered. That it is and the click are one step in
// the page: a mouse that is sent there may come when something else is there, or when it means something else.
func (b *browser) click(selector string) {
	b.t.Helper()
	b.clickWhen(selector, "true")
}

// clickWhen is click when a condition is true at the same moment.
func (b *browser) clickWhen(selector, condition string) {
	b.t.Helper()
	b.await("it can be clicked: "+selector, fmt.Sprintf(`((e) => {
		if (!e || e.disabled || !(%s)) return false;
		const middle = () => { const { x, y, width, height } = e.getBoundingClientRect(); return [x + width / 2, y + height / 2]; };
		if (!document.elementFromPoint(...middle())) e.scrollIntoView({ block: "center" });
		const top = document.elementFromPoint(...middle());
		if (!top || top !== e && !e.contains(top)) return false;
		e.focus({ preventScroll: true }); // as a mouse would
		e.click();
		return true;
	})(document.querySelector(%q))`, condition, selector))
}

// Steps that the pill offers, by the state in which it does.
const (
	pauseStep  = "live"
	resumeStep = "paused"
)

// step takes what the pill offers in a state: in another its button means something else.
func (b *browser) step(state string) {
	b.t.Helper()
	b.clickWhen(`#pill [data-action]`, fmt.Sprintf(`document.getElementById("pill").dataset.state === %q`, state))
}

func (b *browser) press(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// size makes the window of the page so large.
func (b *browser) size(width, height int64) {
	b.t.Helper()
	b.do(emulation.SetDeviceMetricsOverride(width, height, 1, false))
}

// everyLook does something at each width of a window, in the colours that the system asks for.
func (b *browser) everyLook(do func(look string)) {
	b.t.Helper()
	for _, width := range []int64{390, 768, 1440} {
		for _, scheme := range []string{"light", "dark"} {
			b.size(width, 700)
			b.do(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}))
			do(fmt.Sprint("at ", width, " px, ", scheme, ": "))
		}
	}
	b.do(emulation.SetEmulatedMedia().WithFeatures(nil))
	b.size(1440, 700)
}

// seen is true when something of the page is in the window, at its full width, and its text is not of the
// colour of its ground.
func seen(selector string) string {
	return fmt.Sprintf(`((e) => {
		if (!e?.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return false;
		const { left, right, top, bottom, width } = e.getBoundingClientRect();
		let ground = e;
		while (ground && /, 0\)$|transparent/.test(getComputedStyle(ground).backgroundColor)) ground = ground.parentElement;
		return width > 0 && left >= -0.5 && right <= innerWidth + 0.5 && bottom > 0 && top < innerHeight && document.documentElement.scrollWidth <= innerWidth
			&& getComputedStyle(e).color !== getComputedStyle(ground ?? document.documentElement).backgroundColor;
	})(document.querySelector(%q))`, selector)
}

// claim fails the test, and lets it go on, if the expression is not true in the page.
func (b *browser) claim(what, expression string) {
	b.t.Helper()
	if !eval[bool](b, "Boolean("+expression+")") {
		b.t.Errorf("not so: %s (%s)", what, expression)
	}
}

// meeting is the program with a part of the day of three rooms told, and a page of it.
func meeting(t *testing.T, told int, path string) (*testApp, *browser) {
	t.Helper()
	app := startApp(t, testConfig("memory:"))
	t.Cleanup(app.close)
	app.replay(capture(t, "three-rooms.jsonl")[:told], 0)
	b := startBrowser(t)
	b.before(wired)
	b.visit(app.URL() + path)
	b.await("live", isLive)
	return app, b
}

func TestAPausedPageCountsWhatWaitsAndResumingLosesNothing(t *testing.T) {
	t.Parallel()
	app, b := meeting(t, 20, "/")
	day := capture(t, "three-rooms.jsonl")
	b.await("three rooms", rows+` === 3`)
	b.run(`wire.from = wire.frames.length; document.dispatchEvent(new CustomEvent("roomwatch:ask", { detail: "pause" }))`)
	b.await("paused", isPaused)
	paused := eval[string](b, shown)
	app.replay(day[20:100], 0)
	other := b.tab(app.URL())
	other.await("another page shows four rooms", rows+` === 4`)
	const ops = `wire.frames.slice(wire.from).reduce((n, frame) => n + frame.o.length, 0)`
	b.await("more than a few changes wait", ops+` > 20`)
	b.await("the pill counts them", fmt.Sprintf(`document.querySelector("#pill [data-figure]").textContent === (%s).toLocaleString("en") + " waiting"`, ops))
	b.everyLook(func(look string) {
		b.claim(look+"the count is seen", seen(`#pill [data-figure]`))
		b.claim(look+"so is the way to go on", seen(`#pill [data-action]`))
	})
	if now := eval[string](b, shown); now != paused {
		t.Errorf("a paused page changed from\n%s\nto\n%s", paused, now)
	}
	b.step(resumeStep)
	b.await("four rooms after resuming", rows+` === 4`)
	b.sameAsFresh(app.URL())
	b.claim("it was one socket all the time, and the server was not asked to wait", `wire.sockets.length === 1 && wire.sent.length === 0`)
}

func TestAPausedPageThatMissesTooMuchAsksForTheWholeAgain(t *testing.T) {
	t.Parallel()
	app, b := meeting(t, 20, "/")
	b.await("three rooms", rows+` === 3`)
	b.step(pauseStep)
	b.await("paused", isPaused)
	b.run(`wire.sockets.at(-1).onmessage({ data: JSON.stringify({ e: document.body.dataset.epoch, s: 1e9, at: Date.now(), o: Array(2001).fill({ k: "del", t: "nobody" }) }) })`)
	b.await("the pill says so", `document.querySelector("#pill [data-figure]").textContent === "2,000+ waiting"`)
	b.claim("the server is told to send no more", `wire.sent.join() === '{"k":"pause"}'`)
	app.replay(capture(t, "three-rooms.jsonl")[20:100], 0)
	b.step(resumeStep)
	b.await("four rooms after resuming", rows+` === 4`)
	b.await("live", isLive)
	b.sameAsFresh(app.URL())
	b.claim("on a socket that asks for everything", `wire.sockets.length === 2 && !wire.sockets[1].url.includes("s=")`)
}

// A server that comes back is another epoch: what a paused page gets from it is the whole view.
func TestAPausedPageOutlivesARestartOfTheServer(t *testing.T) {
	t.Parallel()
	config := testConfig("file:" + t.TempDir() + "/record.db")
	day := capture(t, "three-rooms.jsonl")
	app := startApp(t, config)
	app.replay(day[:20], 0)
	line := layCable(t, app.Addr())
	b := startBrowser(t)
	b.visit(line.url())
	b.await("live", isLive)
	b.step(pauseStep)
	b.await("paused", isPaused)
	line.cut()
	app.close()
	app = startApp(t, config)
	defer app.close()
	app.replay(day[20:100], 0)
	line.lead(app.Addr())
	b.await("changes wait", `document.querySelector("#pill[data-state=paused] [data-figure]")?.textContent.includes("waiting")`)
	b.claim("the page stands still", rows+` === 3`)
	b.step(resumeStep)
	b.await("four rooms after resuming", rows+` === 4`)
	b.sameAsFresh(line.url())
}

func TestThePillTellsEverythingOfTheConnection(t *testing.T) {
	t.Parallel()
	app, b := meeting(t, 20, "/")
	b.size(1440, 700)
	b.click(`#pill .pill-is`)
	b.await("the account opens", `document.querySelector("#connection:popover-open [data-heard] time")`)
	b.await("it tells the age of the last frame", `/ ago$/.test(document.querySelector("#connection [data-heard]").textContent)`)
	b.claim("and the state", `document.querySelector("#connection [data-state]").textContent === document.body.dataset.seq + " of " + document.body.dataset.epoch`)
	b.claim("and the address", `document.querySelector("#connection [data-copy]").textContent === document.body.dataset.live`)
	b.click(`#connection [data-reconnect]`)
	b.await("another socket is live", `wire.sockets.length === 2 && wire.sockets[1].readyState === 1 && `+isLive)
	b.press(kb.Escape)
	b.await("it closes", `!document.querySelector("#connection:popover-open")`)
	b.sameAsFresh(app.URL())
}

// Errors keep the last data: greyed, with its age, until the page is live again.
func TestAPageWithoutNewsSaysSinceWhenAndKeepsWhatItShows(t *testing.T) {
	t.Parallel()
	app := startApp(t, testConfig("memory:"))
	defer app.close()
	app.replay(capture(t, "three-rooms.jsonl")[:20], 0)
	line := layCable(t, app.Addr())
	b := startBrowser(t)
	b.visit(line.url())
	b.await("live", isLive)
	const ink = `getComputedStyle(document.querySelector("#rooms .name")).color`
	fresh := eval[string](b, ink)
	line.cut()
	b.await("the page says that it is not live", `document.querySelector("#pill[data-state=reconnecting]")`)
	b.await("and when it tries again", `/^in \d+ s$/.test(document.querySelector("#pill [data-figure]").textContent)`)
	b.run(`window.clock = Date.now; Date.now = () => window.clock() + 36_000`)
	b.await("stale", `document.querySelector("#pill[data-state=stale]")`)
	b.await("since when", `/^since \d\d:\d\d:\d\d$/.test(document.querySelector("#pill [data-figure]").textContent)`)
	b.await("as of when", `/^as of \d\d:\d\d:\d\d$/.test(document.getElementById("as-of").innerText)`)
	b.claim("the rows are still there", rows+` === 3`)
	if now := eval[string](b, ink); now == fresh {
		t.Errorf("what is stale is as black as what is fresh: %s", now)
	}
	b.await("it is said", `document.getElementById("news").textContent.startsWith("Nothing was heard")`)
	b.everyLook(func(look string) { b.claim(look+"as of when is seen", seen(`#as-of`)) })
	line.lead(app.Addr())
	// The page may come back by itself before the step is taken.
	b.await("the step is taken, or needed no more", isLive+` || (window.stepped ??= document.querySelector("#pill[data-state=stale] [data-action]")?.click() ?? true)`)
	b.await("live again", isLive)
	b.claim("the age is gone", `document.getElementById("as-of").hidden`)
	b.await("that is said, too", `document.getElementById("news").textContent === "Live again."`)
}

func TestThePillFitsInEveryState(t *testing.T) {
	t.Parallel()
	_, b := meeting(t, 20, "/")
	for _, width := range []int64{320, 390, 768, 1024, 1440} {
		b.size(width, 700)
		for _, state := range []string{"connecting", "live", "paused", "reconnecting", "stale", "offline", "expired", "blocked"} {
			told, heard := state, 0
			if state == "blocked" {
				told = "reconnecting"
				b.run(`document.dispatchEvent(new CustomEvent("roomwatch:obstacle", { detail: "A proxy is in the way." }))`)
			}
			if state == "stale" {
				told, heard = "reconnecting", 60_000
			}
			waiting := map[string]string{"paused": "Infinity"}[state]
			b.run(fmt.Sprintf(`document.dispatchEvent(new CustomEvent("roomwatch:connection", { detail: { state: %q, heard: Date.now() - %d, due: Date.now() + 29_000, waiting: %s } }))`,
				told, heard, cmp.Or(waiting, "0")))
			what := fmt.Sprint(state, " at ", width)
			// A frame that came meanwhile has told the true state.
			b.claim(what, fmt.Sprintf(`(({ left, right }) => left >= 0 && right <= innerWidth && document.documentElement.scrollWidth <= innerWidth)(document.querySelector(".bar-end").getBoundingClientRect()) || document.getElementById("pill").dataset.state !== %q`, state))
		}
		b.run(`document.dispatchEvent(new CustomEvent("roomwatch:obstacle", { detail: "" }))`)
	}
}

// watchFlashes notes which cells flash and what they say then.
const watchFlashes = `
	window.flashed = [];
	new MutationObserver((records) => {
		for (const { target, oldValue } of records)
			if (target.classList.contains("flash") && !(oldValue ?? "").split(" ").includes("flash")) flashed.push(target);
	}).observe(document.getElementById("view"), { subtree: true, attributeFilter: ["class"], attributeOldValue: true });`

func TestOnlyCellsThatChangedFlash(t *testing.T) {
	t.Parallel()
	app, b := meeting(t, 20, "/")
	day := capture(t, "three-rooms.jsonl")
	b.await("three rooms", rows+` === 3`)
	b.run(watchFlashes)
	app.replay(day[20:21], 0) // Emma joins rig-f1-2
	b.await("one cell flashes: the people of that room", `flashed.length === 1 && flashed[0].matches("td.people") && flashed[0].closest("tr").innerText.includes("rig-f1-2")`)
	b.await("for a moment", `!document.querySelector(".flash")`)
	b.sameAsFresh(app.URL())
	app.replay(day[21:93], 0)
	b.await("others do", `flashed.length > 5`)
	b.everyLook(func(look string) {
		b.claim(look+"a flash is seen", `(() => {
			const cell = document.querySelector("#rooms td.people");
			cell.classList.remove("flash");
			const still = getComputedStyle(cell).backgroundColor;
			cell.classList.add("flash");
			for (const a of cell.getAnimations()) { a.pause(); a.currentTime = 0; }
			const flash = getComputedStyle(cell).backgroundColor;
			cell.classList.remove("flash");
			return flash !== still;
		})()`)
	})
	b.claim("never a time, a heading or a row", `flashed.every((cell) => cell.localName === "td" && !cell.matches(".run"))`)
	app.replay(day[93:94], 0)
	b.await("a row comes", rows+` === 4`)
	b.claim("without a flash", `!flashed.some((cell) => cell.closest("tr").innerText.includes("side1"))`)
	b.await("all is still", `!document.querySelector(".flash")`)
	b.do(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}))
	before := eval[int](b, `flashed.length`)
	people := eval[string](b, row("rig-f1-1")+`.cells[1].innerText`)
	app.replay(day[94:137], 0)
	b.await("people leave", row("rig-f1-1")+`.cells[1].innerText !== `+fmt.Sprintf("%q", people))
	if now := eval[int](b, `flashed.length`); now != before {
		t.Errorf("%d cells flashed for somebody who asked for less motion", now-before)
	}
}

func TestAHiddenTabStaysConnectedAndIsRightOnReturn(t *testing.T) {
	t.Parallel()
	app, b := meeting(t, 20, "/")
	b.await("three rooms", rows+` === 3`)
	b.run(`Object.defineProperty(document, "hidden", { configurable: true, get: () => true }); document.dispatchEvent(new Event("visibilitychange"));` + watchFlashes)
	app.replay(capture(t, "three-rooms.jsonl")[20:100], 0)
	b.await("the fourth room is there, unseen", rows+` === 4`)
	b.claim("nothing flashed", `flashed.length === 0`)
	b.claim("it is the same socket", `wire.sockets.length === 1`)
	b.run(`document.querySelector("#rooms time").textContent = "old"; delete document.hidden; document.dispatchEvent(new Event("visibilitychange"))`)
	b.claim("ages are written at once", `document.querySelector("#rooms time").textContent !== "old"`)
	b.sameAsFresh(app.URL())
}

// The clock goes forward in Madrid at 01:00 UTC on 29 March 2026, and back on 25 October.
func TestTimesAreRightInEveryZoneAndForLong(t *testing.T) {
	t.Parallel()
	_, b := meeting(t, 20, "/")
	b.do(emulation.SetTimezoneOverride("Europe/Madrid"))
	b.visit(eval[string](b, "location.href"))
	b.await("live", isLive)
	b.run(`
		window.text = (attributes) => {
			const time = document.createElement("time");
			for (const [name, value] of Object.entries(attributes)) time.setAttribute(name, value);
			document.dispatchEvent(new CustomEvent("roomwatch:applied", { detail: { elements: [time] } }));
			return time.textContent;
		};
		window.full = (at) => text({ datetime: at, "data-clock": "full" });
		window.age = (hours) => text({ datetime: new Date(Date.now() - hours * 3_600_000 - 5000).toISOString(), "data-age": "" });`)
	for what, claim := range map[string][2]string{
		"UTC to begin with": {`full("2026-03-29T01:00:00Z")`, "Sun 29 Mar 2026, 01:00:00 UTC"},
		"an hour":           {`age(1)`, "1h 00m"},
		"a day":             {`age(24)`, "1d 00h"},
		"a year":            {`age(24 * 365 + 7)`, "365d 07h"},
		"the future":        {`age(-1)`, "<1m"},
	} {
		if got := eval[string](b, claim[0]); got != claim[1] {
			t.Errorf("%s: %s is %q, want %q", what, claim[0], got, claim[1])
		}
	}
	b.click(`.bar [data-zone=local]`)
	for at, want := range map[string]string{
		"2026-03-29T00:59:59Z": "Sun 29 Mar 2026, 01:59:59 Madrid",
		"2026-03-29T01:00:00Z": "Sun 29 Mar 2026, 03:00:00 Madrid",
		"2026-10-25T00:30:00Z": "Sun 25 Oct 2026, 02:30:00 Madrid",
		"2026-10-25T01:30:00Z": "Sun 25 Oct 2026, 02:30:00 Madrid",
		"2026-12-31T23:30:00Z": "Fri 1 Jan 2027, 00:30:00 Madrid",
	} {
		if got := eval[string](b, fmt.Sprintf(`full(%q)`, at)); got != want {
			t.Errorf("%s is %q, want %q", at, got, want)
		}
	}
	b.claim("the zone is told", `document.querySelector(".foot time").textContent.endsWith("Madrid")`)
}

// found is true when the palette shows exactly what was found for a text.
func found(text string) string {
	return fmt.Sprintf(`(() => {
		const marks = [...document.querySelectorAll("#palette mark")];
		return document.querySelector("#palette[open]") && marks.length > 0 && marks.every((mark) => mark.textContent.toLowerCase() === %q);
	})()`, text)
}

func TestThePaletteFindsRoomsPeopleAndThingsToDo(t *testing.T) {
	t.Parallel()
	app, b := meeting(t, 100, "/")
	b.everyLook(func(look string) {
		b.do(chromedp.KeyEvent("k", chromedp.KeyModifiers(2)))
		b.await(look+"what goes on", `document.querySelectorAll("#palette [aria-label=Rooms] [role=option]").length === 4`)
		b.claim(look+"the palette fits", seen(`#palette`)+` && document.getElementById("palette").getBoundingClientRect().bottom <= innerHeight`)
		b.press("ha")
		b.await(look+"Hanako", found("ha"))
		b.claim(look+"in her room", `document.querySelector("#palette [aria-label=Rooms] [role=option]").innerText.includes("Room 2")`)
		b.claim(look+"and as a person", `document.querySelector("#palette [aria-label=People] [role=option]").innerText.includes("Hanako")`)
		b.claim(look+"the first is chosen", `document.querySelector("#palette input").getAttribute("aria-activedescendant") === document.querySelector("#palette [aria-selected=true]").id`)
		b.press(kb.ArrowDown)
		b.claim(look+"the arrow goes on", `document.querySelectorAll("#palette [role=option]")[1].getAttribute("aria-selected") === "true"`)
		b.press(kb.ArrowUp + kb.ArrowUp)
		b.claim(look+"round the end", `[...document.querySelectorAll("#palette [role=option]")].at(-1).getAttribute("aria-selected") === "true"`)
		b.press(kb.ArrowDown + kb.Enter)
		b.await(look+"Enter goes there", `location.pathname.startsWith("/rooms/") && document.querySelector("#head")?.innerText.includes("rig-f1-2")`)
		b.visit(app.URL())
		b.await(look+"live", isLive)
	})
}

func TestThePaletteDoesWhatItSaysAndEscapeLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	_, b := meeting(t, 100, "/")
	b.size(1440, 700)
	b.click(`.finder`)
	b.await("it is open", `document.querySelector("#palette [data-do=pause]")`)
	b.press("pause")
	b.await("one thing to do", `document.querySelectorAll("#palette [role=option]").length === 1 && document.querySelector("#palette mark")`)
	b.press(kb.Enter)
	b.await("paused", isPaused)
	b.click(`.finder`)
	b.await("now it resumes", `document.querySelector("#palette[open] [data-do=pause]")?.innerText.includes("Resume")`)
	b.press("nobody is called like this")
	b.await("it says why there is nothing", `document.querySelector("#palette .none")?.innerText.includes("matches")`)
	b.press(kb.Escape)
	b.claim("closed", `!document.querySelector("dialog[open]")`)
	b.claim("the focus is back", `document.activeElement.matches(".finder")`)
	b.visit(eval[string](b, `location.origin`) + "/find?q=hanako")
	b.claim("a page of its own says the same", `document.querySelector("#found mark").textContent === "Hanako" && !document.getElementById("pill")`)
	b.do(chromedp.KeyEvent("k", chromedp.KeyModifiers(2)))
	b.await("nothing lives there to be paused", `document.querySelector("#palette[open] [data-do=theme]") && !document.querySelector("#palette [data-do=pause]")`)
	b.claim("no id is there twice", `[...document.querySelectorAll("[id]")].every(({ id }, i, all) => all.findIndex((other) => other.id === id) === i)`)
}

// Answers come in any order; the one to what was typed last stays.
func TestThePaletteShowsTheAnswerToWhatWasTypedLast(t *testing.T) {
	t.Parallel()
	_, b := meeting(t, 100, "/")
	b.size(1440, 700)
	var held sync.Map
	chromedp.ListenTarget(b.Context, func(event any) {
		paused, ok := event.(*fetch.EventRequestPaused)
		if !ok {
			return
		}
		if strings.HasSuffix(paused.Request.URL, "?q=ha") {
			held.Store("slow", paused.RequestID)
			return
		}
		go b.letGo(paused.RequestID)
	})
	b.do(fetch.Enable().WithPatterns([]*fetch.RequestPattern{{URLPattern: "*/find*"}}))
	b.click(`.finder`)
	b.await("it is open", `document.querySelector("#palette [data-do=pause]")`)
	// The first answer is held back; that request may be given up by the page, which is as good.
	b.run(`window.ask = (text) => { const input = document.querySelector("#palette input"); input.value = text; input.dispatchEvent(new Event("input")); }; ask("ha")`)
	b.await("it asks", `document.querySelector("#palette-found[aria-busy]")`)
	b.run(`ask("emma")`)
	b.await("Emma", found("emma"))
	if id, ok := held.Load("slow"); ok {
		b.letGo(id.(fetch.RequestID))
	}
	b.run(`ask("ivo")`)
	b.await("Ivo", found("ivo"))
	b.claim("and nobody else", `!document.getElementById("palette").innerText.includes("Hanako")`)
}

// letGo lets a request pass; one that the page gave up is gone.
func (b *browser) letGo(id fetch.RequestID) {
	target := chromedp.FromContext(b.Context).Target
	_ = fetch.ContinueRequest(id).Do(cdp.WithExecutor(b.Context, target))
}

func TestKeysDoWhatTheListSays(t *testing.T) {
	t.Parallel()
	_, b := meeting(t, 100, "/")
	b.size(1440, 800)
	names := eval[[]string](b, `[...document.querySelectorAll("#rooms .name")].map((name) => name.textContent)`)
	focused := `document.activeElement.textContent`
	b.press("j")
	b.claim("the first row", fmt.Sprintf(`%s === %q`, focused, names[0]))
	b.press("jj")
	b.claim("the third", fmt.Sprintf(`%s === %q`, focused, names[2]))
	b.press("k")
	b.claim("the second", fmt.Sprintf(`%s === %q`, focused, names[1]))
	b.claim("it is seen", `document.activeElement.matches(":focus-visible")`)
	b.press("t")
	b.claim("the theme", `document.documentElement.dataset.theme === "light"`)
	b.press("p")
	b.await("pause", isPaused)
	b.press("p")
	b.await("resume", isLive)
	b.press("?")
	b.await("help", `document.querySelector("#help[open]")`)
	b.press("?")
	b.claim("and away", `!document.querySelector("#help[open]")`)
	b.press("/")
	b.claim("the filter", `document.activeElement.matches("#filter input")`)
	b.run(`document.activeElement.value = ""`) // the protocol types a letter even after its key was taken
	b.press("jt?")
	b.claim("typing is typing", `document.activeElement.value === "jt?" && document.documentElement.dataset.theme === "light" && !document.querySelector("dialog[open]")`)
	b.run(`document.activeElement.value = ""; document.activeElement.blur()`)

	b.click(`[data-help]`)
	b.click(`#help [data-keys]`)
	b.claim("single keys are off", `document.querySelector("#help [data-keys]").getAttribute("aria-pressed") === "false"`)
	b.press(kb.Escape)
	b.press("t?p")
	b.claim("none of them does anything", `document.documentElement.dataset.theme === "light" && !document.querySelector("dialog[open]") && `+isLive)
	b.do(chromedp.Reload())
	b.await("live", isLive)
	b.press("?")
	b.claim("also after a reload", `!document.querySelector("dialog[open]")`)
	b.click(`[data-help]`)
	b.click(`#help [data-keys]`)
	b.press(kb.Escape)

	b.press("jj" + kb.Enter)
	b.await("Enter opens the row", `location.pathname.startsWith("/rooms/")`)
	b.await("live", isLive)
	for key, path := range map[string]string{"o": "/", "s": "/sessions", "r": "/recordings", "a": "/artifacts", "i": "/intake"} {
		b.press("g" + key)
		b.await("g "+key, fmt.Sprintf(`location.pathname === %q && document.documentElement?.dataset.ticking === ""`, path))
	}
}

// everyPage are the pages of the day of three rooms.
var everyPage = map[string]string{
	"overview": "/", "room": "/rooms/770aa658-cb96-4525-8930-57d5a3d2e818", "sessions": "/sessions", "recordings": "/recordings",
	"artifacts": "/artifacts", "intake": "/intake", "find": "/find?q=hanako",
}

func TestIdsCopyOnEveryPage(t *testing.T) {
	t.Parallel()
	app, b := meeting(t, 110, "/")
	b.size(1440, 900)
	for name, path := range everyPage {
		if name == "find" || name == "artifacts" {
			continue // has no ids; has none yet
		}
		b.visit(app.URL() + path)
		b.await(name+" is live", isLive)
		b.await(name+" has ids", `(window.id = [...document.querySelectorAll("#view [data-copy]")].find((button) => button.checkVisibility()))`)
		b.run(`id.dataset.wanted = id.dataset.copy || id.textContent.trim(); window.wanted = id.dataset.wanted`)
		place := eval[[2]float64](b, `(id.scrollIntoView({ block: "center" }), (({ x, y, width, height }) => [x + width / 2, y + height / 2])(id.getBoundingClientRect()))`)
		b.do(chromedp.MouseClickXY(place[0], place[1])) // by the place: a frame may come between finding an element and clicking it
		b.await(name+": it says so", `id.dataset.copied === "" && document.getElementById("said").textContent === "Copied " + (id.dataset.copy === "link" ? location.href : wanted)`)
		b.await(name+": in the corner, too", `document.querySelector("#toasts article")?.innerText.startsWith("Copied")`)
	}
}

func TestNewArtifactsAreToldAndKept(t *testing.T) {
	t.Parallel()
	app, b := meeting(t, 120, "/")
	b.size(1440, 900)
	b.run(`
		window.most = 0;
		new MutationObserver(() => { most = Math.max(most, document.querySelectorAll("#toasts article").length); })
			.observe(document.getElementById("toasts"), { childList: true });`)
	b.claim("nothing is told of what the page came with", `!document.querySelector("#toasts article") && document.querySelector("#bell [data-unseen]").hidden`)
	day := capture(t, "three-rooms.jsonl")
	app.replay(day[120:153], 0)
	const told = `[...document.querySelectorAll("#toasts article")].find((article) => article.innerText.startsWith("New artifact: "))`
	b.await("the first artifact is told", told)
	b.claim("with a link to its room", told+`.querySelector("a").pathname.startsWith("/rooms/")`)
	b.await("and to who cannot see it", `document.getElementById("news").textContent.includes("New artifact: ")`)
	b.await("the bell counts", `Number(document.querySelector("#bell [data-unseen]").textContent) > 0 && /^Notices, [1-9] new$/.test(document.getElementById("bell").getAttribute("aria-label"))`)
	b.await("one is dismissed", `((article) => {
		if (!article) return false;
		article.dataset.dismissed = "";
		article.querySelector("button").click();
		return true;
	})(document.querySelector("#toasts article"))`)
	b.await("it goes", `!document.querySelector("#toasts [data-dismissed]")`)
	app.replay(day[153:], 0)
	b.await("all nine are counted", `document.querySelectorAll("#new-artifacts > [id^=artifact-]").length > 5 && Number(document.querySelector("#bell [data-unseen]").textContent.replace("+", "")) >= 8`)
	b.claim("never more than three at once", `most <= 3`)
	b.visit(app.URL() + "/sessions")
	b.await("live", isLive)
	b.claim("the bell remembers on another page", `!document.querySelector("#bell [data-unseen]").hidden`)
	b.click(`#bell`)
	b.await("the list", `document.querySelectorAll("#notices:popover-open li").length >= 9`)
	b.claim("times are told", `/^\d\d:\d\d:\d\d$/.test(document.querySelector("#notices li time").textContent)`)
	b.claim("what was seen is not counted", `document.querySelector("#bell [data-unseen]").hidden`)
	b.press(kb.Escape)
	b.await("closed", `!document.querySelector("#notices:popover-open")`)
}

func TestNoticesStayWhileSomebodyPointsAtThem(t *testing.T) {
	t.Parallel()
	_, b := meeting(t, 20, "/")
	b.size(1440, 900)
	b.run(`document.dispatchEvent(new CustomEvent("roomwatch:toast", { detail: { title: "Copied", text: "room01", brief: true } }))`)
	b.await("a brief one", `document.querySelector("#toasts article")`)
	b.do(chromedp.ScrollIntoView(`#toasts article`, chromedp.ByQuery))
	b.do(chromedp.MouseClickXY(eval[float64](b, `document.querySelector("#toasts article").getBoundingClientRect().x + 60`),
		eval[float64](b, `document.querySelector("#toasts article").getBoundingClientRect().y + 20`)))
	b.await("pointed at", `document.querySelector("#toasts:hover")`)
	b.run(`document.querySelector("#toasts article").dataset.left = "1"; window.passes = 0; const pass = setInterval(() => passes++, 250)`)
	b.await("time passes", `passes > 3`)
	b.claim("it is still there", `document.querySelector("#toasts article")`)
	b.do(chromedp.MouseClickXY(700, 500))
	b.await("and goes", `!document.querySelector("#toasts article")`)
	b.everyLook(func(look string) {
		b.run(`document.querySelector("#toasts article button")?.click(); document.dispatchEvent(new CustomEvent("roomwatch:toast", { detail: { title: "New artifact: summary", text: "Weekly ops", at: Date.now() } }))`)
		b.await(look+"a notice is seen", seen(`#toasts article`))
	})
}

// News come one in five seconds, the newest of them; what answers the reader is said at once.
func TestNewsAreSaidOneInFiveSeconds(t *testing.T) {
	t.Parallel()
	_, b := meeting(t, 20, "/")
	b.run(`
		window.said = [];
		new MutationObserver(() => said.push({ at: performance.now(), text: document.getElementById("news").textContent }))
			.observe(document.getElementById("news"), { childList: true });
		for (const text of ["first", "second", "third"]) document.dispatchEvent(new CustomEvent("roomwatch:news", { detail: text }));`)
	b.await("the first and the newest", `said.length === 2`)
	b.claim("in that order", `said[0].text === "first" && said[1].text === "third"`)
	b.claim("with time between", `said[1].at - said[0].at >= 4900`)
	b.press("t")
	b.claim("an answer does not wait", `document.getElementById("said").textContent === "Theme: light"`)
}

// A recording goes on in an empty room: the tab says so by its title and icon, a notice tells it, and when
// somebody comes the tab is as before.
func TestTheTabCountsWhatNeedsAttention(t *testing.T) {
	t.Parallel()
	app, b := meeting(t, 0, "/")
	b.size(1440, 900)
	other := b.tab(app.URL() + "/sessions")
	const calm, marked = `document.querySelector("link[rel=icon]").href.includes("/favicon.svg?v=")`, `document.querySelector("link[rel=icon]").href.includes("/favicon-alert.svg?v=")`
	b.claim("nothing does", `document.title === "Live rooms · Roomwatch" && `+calm)
	app.told(60, "room_created", "s1", "")
	app.told(59, "room_started", "s1", "")
	app.told(50, "start_recording", "s1", recorderJob)
	b.await("one thing does", `document.title === "(1) Live rooms · Roomwatch" && `+marked)
	other.await("on every page", `document.title === "(1) Sessions · Roomwatch" && `+marked)
	b.await("a notice tells it", `document.querySelector("#toasts article.late")?.innerText.startsWith("Recording, no people")`)
	b.claim("with its room and why", `((text) => text.includes("room-s1: ") && text.includes("limit 2 min"))(document.querySelector("#toasts article.late").innerText)`)
	b.claim("and leads there", `document.querySelector("#toasts article.late a").pathname === "/rooms/s1"`)
	b.claim("it is said", `document.getElementById("news").textContent.startsWith("Recording, no people")`)
	app.told(0, "participant_joined", "s1", someone)
	b.await("no more", `document.title === "Live rooms · Roomwatch" && `+calm)
	other.await("anywhere", `document.title === "Sessions · Roomwatch" && `+calm)
	app.told(0, "end_recording", "s1", strings.Replace(recorderJob, "success", "no space left", 1))
	b.await("a failure is told in another colour", `document.querySelector("#toasts article.bad")?.innerText.includes("no space left")`)
}

func TestEveryPageIsCompleteWithoutJavaScript(t *testing.T) {
	t.Parallel()
	app := startApp(t, testConfig("memory:"))
	defer app.close()
	app.replay(capture(t, "three-rooms.jsonl"), 0)
	app.history(5)
	b := startBrowser(t)
	b.do(emulation.SetScriptExecutionDisabled(true))
	for name, want := range map[string]string{"overview": "No room is live", "room": "Aïcha Benali", "sessions": "rig-f1-2-side1", "recordings": "Ready", "artifacts": "tokens",
		"intake": "participant_joined", "find": "Hanako"} {
		b.visit(app.URL() + everyPage[name])
		var text string
		b.do(chromedp.Text("body", &text, chromedp.ByQuery))
		if !strings.Contains(text, want) || !strings.Contains(text, "does not update without JavaScript") {
			t.Errorf("%s does not show %q, or does not say that it does not update:\n%s", name, want, text)
		}
	}
}

func TestPaperShowsThePageAndNothingThatFloats(t *testing.T) {
	t.Parallel()
	app, b := meeting(t, 110, "/")
	b.size(1000, 900)
	for name, path := range everyPage {
		b.visit(app.URL() + path)
		b.await(name+" is there", `document.documentElement.dataset.ticking === ""`)
		b.run(`document.dispatchEvent(new CustomEvent("roomwatch:toast", { detail: { title: "Copied", text: "x" } }))`)
		b.await(name+": a notice", `document.querySelector("#toasts article")`)
		b.do(emulation.SetEmulatedMedia().WithMedia("print"))
		b.claim(name+": nothing floats", `![".bar", ".foot", "#toasts", "#palette", "#help", ".sources", "#as-of"].some((which) => document.querySelector(which)?.checkVisibility())`)
		b.claim(name+": the page is there", `document.getElementById("view").innerText.length > 100`)
		b.claim(name+": as wide as the paper", `document.documentElement.scrollWidth <= innerWidth`)
		b.do(emulation.SetEmulatedMedia().WithMedia(""))
	}
}

// The theme is set before the first paint: a page never shows the other one first.
func TestThemesComeWithoutAFlash(t *testing.T) {
	t.Parallel()
	app, b := meeting(t, 20, "/")
	const ground = `getComputedStyle(document.documentElement).backgroundColor`
	auto := eval[string](b, ground)
	b.run(`localStorage.setItem("roomwatch.theme", "dark")`)
	b.before(`document.addEventListener("readystatechange", () => { window.first ??= document.documentElement.dataset.theme; })`)
	b.visit(app.URL())
	b.await("live", isLive)
	b.claim("dark from the beginning", `first === "dark"`)
	if dark := eval[string](b, ground); dark == auto {
		t.Errorf("dark is %s, and light too", dark)
	}
	b.claim("the script of it holds the first paint", `document.querySelector("head script[src*=theme]:not([defer], [async], [type])")`)
}

// budget is what a first visit of the overview may load, in bytes of bodies as they go over the line. The font
// is not counted: the page is complete without it.
const budget = 40_000

func TestTheFirstLoadIsSmall(t *testing.T) {
	t.Parallel()
	app := startApp(t, testConfig("memory:"))
	defer app.close()
	app.replay(capture(t, "three-rooms.jsonl")[:100], 0)
	b := startBrowser(t)
	b.do(network.Enable(), network.SetCacheDisabled(true))
	b.visit(app.URL())
	b.await("live, and all loaded", isLive+` && document.readyState === "complete"`)
	sizes := eval[map[string]int64](b, `Object.fromEntries([...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
		.map(({ name, encodedBodySize }) => [new URL(name).pathname, encodedBodySize]))`)
	total := int64(0)
	for url, size := range sizes {
		if !strings.Contains(url, ".woff2") {
			total += size
			t.Logf("%6d %s", size, url)
		}
	}
	t.Logf("%6d in all", total)
	if total > budget || len(sizes) < 10 {
		t.Errorf("%d files of %d bytes, more than %d", len(sizes), total, budget)
	}
}

func TestFindRefusesWhatIsNoText(t *testing.T) {
	app := startApp(t, testConfig("memory:"))
	defer app.close()
	for path, want := range map[string]int{"/find": http.StatusOK, "/find?q=": http.StatusOK, "/find?q=%00%ff": http.StatusBadRequest,
		"/find?q=" + strings.Repeat("x", 2000): http.StatusBadRequest, "/find?q=" + strings.Repeat("%22%3Cscript%3E+", 50): http.StatusOK} {
		if got := app.get(path, nil); got != want {
			t.Errorf("%.40s: %d, want %d", path, got, want)
		}
	}
}
