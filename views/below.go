package views

import (
	"strings"
	"sync"
)

// rooted are the attributes that hold an address of ours. Each is written from the root: no page knows where
// Roomwatch is served.
var rooted = []string{"href", "src", "action", "data-live", "data-script", "data-alert", "data-origin"}

// Below moves the addresses in HTML below a path ("/roomwatch"), for who is served there; "" changes nothing. What
// is below it already stays as it is, so that parts may be moved before the whole. Quotes are escaped in every text
// and in every value, so nothing that somebody typed is taken for an attribute.
func Below(base string, html []byte) []byte {
	if base == "" {
		return html
	}
	mover, known := movers.Load(base)
	if !known {
		mover, _ = movers.LoadOrStore(base, newMover(base))
	}
	return []byte(mover.(*strings.Replacer).Replace(string(html)))
}

// movers are by their base: a process has one, or none, and to make it costs as much as to move a large page.
var movers sync.Map

// newMover replaces the beginnings of addresses. Of pairs that match at one place the first one counts.
func newMover(base string) *strings.Replacer {
	pairs := []string{
		// Without scripts these stand as they are.
		` data-origin="/webhook">https://ROOMWATCH/`, ` data-origin="` + base + `/webhook">https://ROOMWATCH` + base + `/`,
		` data-origin="/webhook">/`, ` data-origin="` + base + `/webhook">` + base + `/`,
		` data-origin="">https://ROOMWATCH`, ` data-origin="` + base + `">https://ROOMWATCH` + base,
	}
	for _, name := range rooted {
		below := " " + name + `="` + base
		pairs = append(pairs, below+"/", below+"/", below+`"`, below+`"`, " "+name+`="/`, below+"/")
	}
	return strings.NewReplacer(pairs...)
}
