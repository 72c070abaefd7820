package views

import (
	"fmt"
	"strings"

	"github.com/a-h/templ"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// mostHealed is how many corrections the intake page names. The list below has them all.
const mostHealed = 5

// healed is what was put right in the last hour.
type healed struct {
	n      int // corrections
	more   bool
	total  room.Corrected
	ended  int // sessions that had ended, found, and taken up again
	found  int
	back   int
	wrong  int // corrections that were taken back, in whole or in part
	newest []healedLine
}

type healedLine struct {
	sign
	source, sid, name, text string
	at                      room.Time
}

// healedOf sums up corrections, newest first. Of those that an operator asked for none is one.
func healedOf(m live.Intake) (h healed) {
	for _, d := range m.Corrections {
		if d.Said == nil || d.Said.Corrected == nil || d.Said.Corrected.What == room.Asked {
			continue
		}
		c := *d.Said.Corrected
		h.n++
		switch c.What {
		case room.Gone, room.Silent:
			if !d.TakenBack.Whole {
				h.ended++
			}
		case room.Found, room.Passed:
			h.found++
		case room.Back:
			h.back++
		}
		h.total.Add(d.TakenBack.Left(c))
		if d.TakenBack.Text != "" {
			h.wrong++
		}
		if len(h.newest) < mostHealed {
			h.newest = append(h.newest, healedLine{correctionSign(c), d.Source, d.SID, d.Name, withTakenBack(c.Text(), d.TakenBack), room.At(d.ReceivedAt)})
		}
	}
	h.more = len(m.Corrections) == room.MaxLimit
	return h
}

// text is the sum in a sentence.
func (h healed) text() string {
	parts := h.total.Parts()
	say := func(n int, one, many string) {
		if n > 0 {
			parts = append(parts, plural(n, one, many))
		}
	}
	say(h.found, "session was unknown", "sessions were unknown")
	say(h.ended, "session had ended", "sessions had ended")
	say(h.back, "session goes on", "sessions go on")
	say(h.wrong, "correction was taken back", "corrections were taken back")
	in := "In the last hour"
	if h.more {
		in = "In the newest " + comma(room.MaxLimit) + " corrections"
	}
	return in + ": " + strings.Join(parts, ", ") + "."
}

// key tells bands apart.
func (h healed) key() string { return fmt.Sprintf("%#v", h) }

func healedElements(m live.Intake) []live.Element {
	h := healedOf(m)
	if h.n == 0 {
		return nil
	}
	return []live.Element{{ID: "healed", Parent: "healed-box", Version: h.key(), Render: func() []byte { return render(healedBand("healed", h)) }}}
}

func correctionsURL() templ.SafeURL {
	return listURL(intakePath, room.DeliveryQuery{Event: room.EventCorrection})
}

// notAsked is why an API was not asked.
func notAsked(api string) string {
	if api == live.APINone {
		return "no API is set"
	}
	return "not asked yet"
}

// agreed is how a poll compared with what was known.
func agreed(s live.SourceState) string {
	if s.Rooms == 0 {
		return "no rooms there"
	}
	return fmt.Sprintf("%d of %d agree", s.Agreed, s.Rooms)
}
