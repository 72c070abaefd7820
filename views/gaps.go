package views

import (
	"fmt"
	"strings"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// band is a gap as it is drawn: a place in percent, and why it is there.
type band struct{ x, w, why string }

// thinnest is what a gap takes at least of a drawing, in percent: one that is not seen tells nothing.
const thinnest = 0.25

// bandsOf are the gaps within a window.
func bandsOf(gaps []live.Gap, w window) (out []band) {
	for _, g := range gaps {
		from, to := room.At(g.From), room.At(g.To)
		if to <= w.from || from >= w.to {
			continue
		}
		x := pct(w.x(from))
		out = append(out, band{x, pct(max(w.x(to)-position(x), thinnest)), gapWords(g)})
	}
	return out
}

// gapWords is a gap in a sentence.
func gapWords(g live.Gap) string {
	return fmt.Sprintf("%s to %s UTC: %s", utcShort(room.At(g.From), true), utcShort(room.At(g.To), true), g.Why)
}

// gapBands is what the gaps of a timeline depend on.
type gapBands struct{ key string }

// gapElements mark when nothing could be received, over all lanes, and say so below.
func (t timeline) gapElements(gaps []live.Gap) []live.Element {
	bands := bandsOf(gaps, t.window)
	if len(bands) == 0 {
		return nil
	}
	var words []string
	for _, b := range bands {
		words = append(words, b.why)
	}
	told := strings.Join(words, "; ")
	return []live.Element{
		{ID: "timeline-gaps", Parent: "timeline-over", Version: gapBands{fmt.Sprint(bands)}, Render: func() []byte { return render(gapsDrawing("timeline-gaps", bands)) }},
		element("timeline-gaps-said", "timeline-note", "Not everything may have been received: "+told+".", say),
	}
}
