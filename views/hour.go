package views

import (
	"github.com/roomwatch/roomwatch/live"
)

// The ground of a room's last hour: two units a slot, people above, what was made of it below.
const (
	hourUnit  = 2
	hourTop   = 1.5
	hourBase  = 14.0
	underBase = 17.5 // of the first line below; the second is three more down
)

// drawnHour is the last hour of a room as path data.
type drawnHour struct{ people, recorded, streamed, missed, label string }

func hourDrawing(h live.Hour) (d drawnHour) {
	if h.Slots <= 0 {
		return d
	}
	most := 0
	for _, n := range h.People {
		most = max(most, int(n))
	}
	d.label = "peak " + comma(most)
	d.people = hourSteps(h, most)
	if d.missed = hourSpans(h.Missed, hourBase); d.missed != "" {
		d.label += ", with gaps in what was received"
	}
	below := underBase
	if d.streamed = hourSpans(h.Streamed, below); d.streamed != "" {
		below += 3
	}
	d.recorded = hourSpans(h.Recorded, below)
	return d
}

// hourSteps begins at the base where the room began and ends outside of the drawing, so that its stroke
// closes nothing off.
func hourSteps(h live.Hour, most int) string {
	var d pathData
	begun := live.HourSlots - h.Slots
	first := float64(begun * hourUnit)
	if begun == 0 {
		first = -hourUnit
	}
	ground := plot{top: hourTop, base: hourBase}
	d.to('M', first, hourBase)
	last := hourBase
	for i := begun; i < live.HourSlots; i++ {
		y := ground.y(int(h.People[i]), most)
		if y == last {
			continue
		}
		if i > begun {
			d.to('H', float64(i*hourUnit))
		}
		d.to('V', y)
		last = y
	}
	d.to('H', (live.HourSlots+1)*hourUnit)
	d.to('V', hourBase)
	return string(d)
}

// hourSpans are the slots of which the bits are set, as lines.
func hourSpans(bits uint32, y float64) string {
	var d pathData
	for i := 0; i < live.HourSlots; i++ {
		if bits>>i&1 == 0 {
			continue
		}
		d.to('M', float64(i*hourUnit), y)
		for i < live.HourSlots && bits>>i&1 == 1 {
			i++
		}
		d.to('H', float64(i*hourUnit))
	}
	return string(d)
}
