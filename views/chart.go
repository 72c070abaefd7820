package views

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// Charts are drawn as the path data of SVG. A slot of time without a count is a gap: nothing is drawn in
// it and nothing across it, because nothing is known of it.

// point is a count that holds for a slot of time.
type point struct{ slot, n int }

// plot is the ground on which points are drawn: slots side by side from left, counts from base up to top.
type plot struct {
	slots     int
	left      float64
	width     float64
	top, base float64
}

// lately is the ground of a sparkline: 60 minutes in 86 by 26. The margins are for the dot at its end.
var lately = plot{slots: 60, left: 1, width: 82, top: 3, base: 24}

func (p plot) x(slot int) float64 { return p.left + float64(slot)*p.width/float64(p.slots) }

// y is the height of a count. When even the greatest is 0, all lie on the base.
func (p plot) y(n, most int) float64 {
	if most <= 0 {
		return p.base
	}
	return p.base - (p.base-p.top)*float64(n)/float64(most)
}

// line is the steps along the points; most is the count that reaches the top.
func (p plot) line(points []point, most int) string {
	var d pathData
	for _, run := range runs(points) {
		d.to('M', p.x(run[0].slot), p.y(run[0].n, most))
		d = p.steps(d, run, most)
	}
	return string(d)
}

// area is what lies under the line.
func (p plot) area(points []point, most int) string {
	var d pathData
	for _, run := range runs(points) {
		d.to('M', p.x(run[0].slot), p.base)
		d.to('V', p.y(run[0].n, most))
		d = p.steps(d, run, most)
		d.to('V', p.base)
		d = append(d, 'Z')
	}
	return string(d)
}

// steps goes on along a run to the end of its last slot. Equal neighbours are one step.
func (p plot) steps(d pathData, run []point, most int) pathData {
	for i, pt := range run[1:] {
		if pt.n != run[i].n {
			d.to('H', p.x(pt.slot))
			d.to('V', p.y(pt.n, most))
		}
	}
	d.to('H', p.x(run[len(run)-1].slot+1))
	return d
}

// runs are the points without a gap between them.
func runs(points []point) (out [][]point) {
	begin := 0
	for i := range points {
		if i+1 == len(points) || points[i+1].slot != points[i].slot+1 {
			out = append(out, points[begin:i+1])
			begin = i + 1
		}
	}
	return out
}

// pathData is the text of a path's d, to a tenth of a unit.
type pathData []byte

func (d *pathData) to(command byte, numbers ...float64) {
	*d = append(*d, command)
	for i, n := range numbers {
		if i > 0 {
			*d = append(*d, ' ')
		}
		*d = append(*d, tenth(n)...)
	}
}

func tenth(n float64) string { return strconv.FormatFloat(math.Round(n*10)/10, 'f', -1, 64) }

// percent places something in a drawing that is as wide as its column.
func percent(part, whole float64) string {
	if whole <= 0 {
		return "0%"
	}
	return strconv.FormatFloat(math.Round(part/whole*10_000)/100, 'f', -1, 64) + "%"
}

// pointsOf takes the greatest count of every slot. Samples are in the order of time; those outside are left out.
func pointsOf(samples []room.Sample, from time.Time, slot time.Duration, slots int, count func(room.Totals) int) []point {
	var out []point
	for _, s := range samples {
		at := int(s.At.Sub(from) / slot)
		if s.At.Before(from) || at >= slots {
			continue
		}
		switch last := len(out) - 1; {
		case last < 0 || at > out[last].slot:
			out = append(out, point{at, count(s.Totals)})
		case at == out[last].slot:
			out[last].n = max(out[last].n, count(s.Totals))
		}
	}
	return out
}

// peak is the first of the greatest points.
func peak(points []point) (greatest point) {
	for i, p := range points {
		if i == 0 || p.n > greatest.n {
			greatest = p
		}
	}
	return greatest
}

// spark is a drawn hour: a line, what lies under it, and the dot where it ends. It is comparable.
type spark struct{ line, area, x, y string }

// sparkOf draws the points on the ground of a sparkline; no points are an empty drawing.
func sparkOf(points []point) (s spark) {
	if len(points) == 0 {
		return s
	}
	most, last := peak(points).n, points[len(points)-1]
	return spark{lately.line(points, most), lately.area(points, most), tenth(lately.x(last.slot + 1)), tenth(lately.y(last.n, most))}
}

// dayPlot is the ground of the last day: a slot is 5 minutes, so that a day's line stays small.
const (
	daySlot  = 5 * time.Minute
	daySlots = int(24 * time.Hour / daySlot)
)

var (
	peopleLane = plot{slots: daySlots, width: float64(daySlots), top: 6, base: 46}
	otherLane  = plot{slots: daySlots, width: float64(daySlots), top: 54, base: 74}
)

// dayChart is how many people, rooms and recordings there were in the last 24 hours.
type dayChart struct {
	version dayVersion
	from    time.Time
	people  dayFigure
	rooms   dayFigure
	record  dayFigure
	gaps    []band
	most    [2]int // of people, and of rooms and recordings: what the tops of the lanes are
}

// dayVersion: minutes that have been do not change, so that their number and the last of them tell all.
type dayVersion struct {
	n        int
	last, to time.Time
	gaps     string
}

// dayFigure is one figure over the day.
type dayFigure struct {
	points []point
	now    int
	peak   int
	peakAt time.Time
}

func concurrencyOf(samples []room.Sample, gaps []live.Gap, now time.Time) (c dayChart) {
	to := now.Truncate(daySlot).Add(daySlot)
	c.from = to.Add(-24 * time.Hour)
	c.version = dayVersion{n: len(samples), to: to}
	if len(samples) > 0 {
		c.version.last = samples[len(samples)-1].At
	}
	c.gaps = bandsOf(gaps, window{room.At(c.from), room.At(to)})
	c.version.gaps = fmt.Sprint(c.gaps)
	c.people = figureOf(samples, c.from, func(t room.Totals) int { return t.People })
	c.rooms = figureOf(samples, c.from, func(t room.Totals) int { return t.Rooms })
	c.record = figureOf(samples, c.from, func(t room.Totals) int { return t.RecordingsActive })
	c.most = [2]int{c.people.peak, max(c.rooms.peak, c.record.peak)}
	return c
}

func figureOf(samples []room.Sample, from time.Time, count func(room.Totals) int) (f dayFigure) {
	f.points = pointsOf(samples, from, daySlot, daySlots, count)
	for _, s := range samples {
		if !s.At.Before(from) && (f.peakAt.IsZero() || count(s.Totals) > f.peak) {
			f.peak, f.peakAt = count(s.Totals), s.At
		}
		f.now = count(s.Totals)
	}
	return f
}

// hours are the whole hours of the day that is drawn, each with its place.
func (c dayChart) hours() (out []hour) {
	for at := c.from.Truncate(time.Hour).Add(time.Hour); at.Before(c.from.Add(24 * time.Hour)); at = at.Add(time.Hour) {
		out = append(out, hour{at, percent(float64(at.Sub(c.from)), float64(24*time.Hour)), at.Hour()%3 == 0})
	}
	return out
}

// hour is a mark on the axis. Every third one is written.
type hour struct {
	at      time.Time
	x       string
	written bool
}

func (c dayChart) peakX(f dayFigure) string {
	return percent(float64(f.peakAt.Sub(c.from)), float64(24*time.Hour))
}
