package main

import (
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

const (
	rows = `document.querySelectorAll("#rooms > tr[id^=session-]").length`
)

// Rows don't jump under the pointer: what changes inside a row is shown at once, rows that come wait until
// the pointer rests.
func TestRowsWaitUnderThePointerAndThenCome(t *testing.T) {
	t.Parallel()
	app := startApp(t, testConfig("memory:"))
	defer app.close()
	day := capture(t, "three-rooms.jsonl")
	app.replay(day[:20], 0)
	b := startBrowser(t)
	b.visit(app.URL())
	b.await("live", isLive)
	b.await("three rooms", rows+` === 3`)
	b.do(chromedp.Evaluate(`
		new MutationObserver((records) => {
			for (const record of records) {
				if (record.target.id === "rooms" && record.addedNodes.length > 0) window.came ??= performance.now();
				else if (!(record.target.closest ? record.target : record.target.parentElement)?.closest("time")) window.changed ??= performance.now();
			}
		}).observe(document.getElementById("rooms"), { childList: true, subtree: true, characterData: true });
	`, nil))
	var x, y float64
	b.do(
		chromedp.Evaluate(`document.querySelector("#rooms > tr:nth-child(2)").scrollIntoView({ block: "center" })`, nil),
		chromedp.Evaluate(`document.querySelector("#rooms > tr:nth-child(2)").getBoundingClientRect().x + 40`, &x),
		chromedp.Evaluate(`document.querySelector("#rooms > tr:nth-child(2)").getBoundingClientRect().y + 10`, &y),
	)
	b.do(input.DispatchMouseEvent(input.MouseMoved, x, y))
	b.await("the pointer is over the rows", `document.querySelector("[data-hold]:hover")`)
	app.replay(day[20:100], 0)
	b.await("what changes inside a row is shown", `window.changed`)
	b.await("the new room comes when the pointer rests", rows+` === 4`)
	if early := eval[bool](b, `window.came < window.changed + 500`); early {
		t.Error("the new row came at once, under the pointer")
	}
	b.sameAsFresh(app.URL())
}
