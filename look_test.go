package main

import (
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// On a phone a row is a card that says what each figure is; on wider windows rows stand under their headings.
func TestRowsAreCardsOnAPhoneAndATableElsewhere(t *testing.T) {
	t.Parallel()
	_, b := meeting(t, 100, "/")
	b.await("four rooms", rows+` === 4`)
	b.everyLook(func(look string) {
		b.claim(look+"a room is seen", seen(`#rooms > tr .name`))
		b.claim(look+"it is recorded, and that is seen", seen(`#rooms > tr .badge`))
		if phone := eval[bool](b, `innerWidth < 600`); phone {
			b.claim(look+"it is a card", `getComputedStyle(document.querySelector("#rooms > tr")).display !== "table-row"`)
			b.claim(look+"the sections are at hand", seen(`nav [aria-current=page]`))
			return
		}
		b.claim(look+"it is a row", `getComputedStyle(document.querySelector("#rooms > tr")).display === "table-row"`)
		b.claim(look+"under headings", `[...document.querySelectorAll("#view thead th")].some((th) => th.checkVisibility() && th.innerText.trim() !== "")`)
	})
}

// Where windows are narrow, rows have two lines anyhow, and the choice is not offered.
func TestDensityIsChosenAndKept(t *testing.T) {
	t.Parallel()
	_, b := meeting(t, 100, "/")
	b.await("four rooms", rows+` === 4`)
	const tall = `document.querySelector("#rooms > tr").getBoundingClientRect().height`
	b.everyLook(func(look string) {
		if offered := eval[bool](b, `document.querySelector("[data-density-switch]").checkVisibility()`); !offered {
			b.claim(look+"there is room for the choice", `innerWidth < 1400`)
			return
		}
		b.run(`document.querySelector("[data-density-switch=compact]").click()`)
		compact := eval[float64](b, tall)
		b.run(`document.querySelector("[data-density-switch=comfortable]").click()`)
		if comfortable := eval[float64](b, tall); comfortable <= compact {
			t.Errorf("%sa comfortable row is %v px tall, a compact one %v", look, comfortable, compact)
		}
	})
	b.visit(eval[string](b, `location.href`))
	b.claim("it is kept", `document.documentElement.dataset.density === "comfortable" && document.querySelector("[data-density-switch=comfortable]").getAttribute("aria-pressed") === "true"`)
}

func TestWhatOpensFitsInEveryLook(t *testing.T) {
	t.Parallel()
	_, b := meeting(t, 100, "/")
	b.everyLook(func(look string) {
		for what, open := range map[string]string{
			"#help":       `document.getElementById("help").showModal()`,
			"#connection": `document.getElementById("connection").showPopover()`,
			"#notices":    `document.getElementById("notices").showPopover()`,
		} {
			b.run(open)
			b.claim(look+what+" is seen", seen(what))
			b.press(kb.Escape)
			b.await(look+what+" closes", `!document.querySelector("dialog[open], :popover-open")`)
		}
	})
}

// What the system asks for is followed, until the reader chooses; a choice is kept.
func TestThemesFollowTheSystemUntilOneIsChosen(t *testing.T) {
	t.Parallel()
	_, b := meeting(t, 20, "/")
	const ground = `getComputedStyle(document.documentElement).backgroundColor`
	grounds := make(map[string]bool)
	b.everyLook(func(string) { grounds[eval[string](b, ground)] = true })
	if len(grounds) != 2 {
		t.Errorf("light and dark have the grounds %v", grounds)
	}
	b.run(`for (let i = 0; i < 3 && document.documentElement.dataset.theme !== "dark"; i++) document.querySelector("[data-theme-switch]").click()`)
	dark := eval[string](b, ground)
	b.everyLook(func(look string) {
		if got := eval[string](b, ground); got != dark {
			t.Errorf("%sdark was chosen, the ground is %s", look, got)
		}
	})
}
