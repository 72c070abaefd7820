package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// axeTags are the rules that every page must keep; those of good practice too.
const axeTags = `["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]`

// axeRun looks at the page as it stands and tells what it found, one line for each rule and place.
const axeRun = `axe.run({ include: [["html"]] }, { resultTypes: ["violations"], preload: false, runOnly: { type: "tag", values: %s }, rules: %s })
	.then(found => found.violations.map(v => v.id + " (" + v.impact + "): " + v.nodes.length + " × " + v.help + "\n" +
		v.nodes.slice(0, 4).map(n => "    " + n.target.join(" ") + "\n      " + n.html.slice(0, 200) + "\n      " + (n.any[0] ?? n.all[0] ?? n.none[0])?.message).join("\n")))`

// unfolded is what lies folded on every page: how it is opened, and when it is.
var unfolded = map[string]struct{ open, is string }{
	"the palette":    {`document.dispatchEvent(new KeyboardEvent("keydown", { key: "k", ctrlKey: true, bubbles: true }))`, `document.querySelector("#palette[open] a, #palette[open] [role=option]")`},
	"the keys":       {`document.getElementById("help").showModal()`, `document.querySelector("#help[open]")`},
	"the connection": {`document.getElementById("connection").showPopover()`, `document.querySelector("#connection:popover-open")`},
	"the notices":    {`document.getElementById("notices").showPopover()`, `document.querySelector("#notices:popover-open")`},
	"what is known":  {`document.querySelector("#rooms details").open = true`, `document.querySelector("#rooms details[open]")`},
	"a toast": {`import(document.getElementById("toasts").dataset.script).then(({ toast }) => {
		for (const level of ["", "late", "bad"]) toast({ title: "Summary is ready", text: "Weekly ops · 1.0 kB", href: "/", at: Date.now(), level });
	})`, `document.querySelector("#toasts article")`},
}

// look is a width of the window and a theme.
type look struct {
	width int64
	theme string
}

func axeSource(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatalf("axe-core is missing: `make test` installs it (%v)", err)
	}
	return string(source)
}

// isAccessible lets axe look at every page, in both themes, on a desk, a tablet and a phone: it finds nothing.
func (h *house) isAccessible(t *testing.T) {
	axe := axeSource(t)
	h.each(t, func(t *testing.T, p pageAt) {
		h.b.do(h.wide(1440))
		h.open(t, p)
		h.b.do(chromedp.Evaluate(axe, nil))
		h.b.do(chromedp.Evaluate(`document.dispatchEvent(new CustomEvent("roomwatch:ask", { detail: "pause" }))`, nil))
		looks := []look{{390, "dark"}, {768, "light"}, {1440, "dark"}, {1440, "light"}} // colours depend on the theme, the rest on the width
		switch {
		case p.kin:
			looks = looks[:1]
		case p.name == "gallery": // has both themes in it
			looks = looks[1:2]
		}
		for _, look := range looks {
			h.b.do(h.wide(look.width), chromedp.Evaluate(fmt.Sprintf(`document.documentElement.dataset.theme = %q`, look.theme), nil))
			for _, fault := range h.axe(p) {
				t.Errorf("%s at %d px, %s: %s", p.path, look.width, look.theme, fault)
			}
		}
		h.complaints(t, p)
	})
	for name, how := range unfolded {
		t.Run(name, func(t *testing.T) {
			h.b.do(h.wide(1440))
			h.open(t, h.pages[0])
			h.b.do(chromedp.Evaluate(axe, nil), chromedp.Evaluate(how.open, nil))
			h.b.await(name, how.is)
			for _, look := range []look{{1440, "light"}, {390, "dark"}} {
				h.b.do(h.wide(look.width), chromedp.Evaluate(fmt.Sprintf(`document.documentElement.dataset.theme = %q`, look.theme), nil))
				for _, fault := range h.axe(h.pages[0]) {
					t.Errorf("with %s at %d px, %s: %s", name, look.width, look.theme, fault)
				}
				if fault := eval[string](h.b, tooWide); fault != "" {
					t.Errorf("with %s at %d px the page %s", name, look.width, fault)
				}
			}
			h.complaints(t, h.pages[0])
		})
	}
	t.Run("or axe says so", func(t *testing.T) {
		h.b.do(h.wide(1440))
		h.open(t, errorPages[1])
		h.b.do(chromedp.Evaluate(axe, nil))
		h.b.do(chromedp.Evaluate(`document.querySelector("h1").style.color = "rgb(128 128 128 / 20%)"; document.querySelector("nav a").replaceChildren()`, nil))
		if faults := h.axe(errorPages[1]); len(faults) != 2 {
			t.Errorf("a grey heading and a link without words are %d faults: %v", len(faults), faults)
		}
	})
}

func (h *house) axe(p pageAt) (faults []string) {
	rules := `{}`
	if p.name == "gallery" { // specimens are parts of pages, not pages
		rules = `{ "heading-order": { enabled: false }, "landmark-unique": { enabled: false }, "landmark-no-duplicate-banner": { enabled: false }, "region": { enabled: false } }`
	}
	h.b.do(chromedp.Evaluate(fmt.Sprintf(axeRun, axeTags, rules), &faults, func(p *runtime.EvaluateParams) *runtime.EvaluateParams {
		return p.WithAwaitPromise(true)
	}))
	for i, fault := range faults {
		faults[i] = strings.TrimSpace(fault)
	}
	return faults
}
