package views

import (
	"cmp"
	"strconv"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

const (
	oneSecond = room.Time(1_000)
	oneMinute = 60 * oneSecond
	oneHour   = 60 * oneMinute
	oneDay    = 24 * oneHour
)

// window is the stretch of time that a timeline draws, from its left edge to its right one. Positions are
// in percent of the drawing's width, so that nothing here needs to know how wide that is.
type window struct{ from, to room.Time }

// x is where a moment stands, in percent. What is outside stands at the nearer edge.
func (w window) x(t room.Time) float64 {
	return min(max(float64(t-w.from)/float64(w.to-w.from)*100, 0), 100)
}

func (w window) has(t room.Time) bool { return t >= w.from && t <= w.to }

// pct has four decimals: 0.1 s of a day.
func pct(x float64) string {
	b := strconv.AppendFloat(make([]byte, 0, 10), x, 'f', 4, 64)
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	if b[len(b)-1] == '.' {
		b = b[:len(b)-1]
	}
	return string(append(b, '%'))
}

// timeline is what all parts of the drawing of a session have in common. It is comparable, and for a live
// session all of it but now stays the same for minutes.
type timeline struct {
	window
	begin room.Time // of the session
	now   room.Time // the clock of the page; 0 when nothing goes on any more
	ended room.Time // 0 while the session goes on
	span  string    // which window it is
	more  bool      // another window would show something else
}

// timelineOf lays the window out, or says in a sentence why there is none.
func timelineOf(m live.Room) (t timeline, why string) {
	d := m.Detail
	t.begin, t.ended = beginning(d), room.At(d.EndedAt)
	switch {
	case d.State == room.StateEnded && t.ended == 0:
		return t, noTimeline["after"]
	case len(d.Participants)+len(d.Recordings)+len(d.Streams) == 0 && d.State != room.StateEnded:
		return t, noTimeline["nobody"]
	case t.begin == 0 || t.ended != 0 && t.begin > t.ended:
		return t, noTimeline["begin"]
	}
	clock := room.At(m.Minute)
	if clock == 0 {
		clock = room.At(d.LastEventAt)
	}
	t.from = t.begin
	if cmp.Or(t.ended, clock)-t.begin > 10*oneMinute {
		t.from = floorTo(t.begin, oneMinute)
	}
	if t.ended == 0 {
		t.now = max(clock, t.begin)
		t.live(m.Span)
	} else {
		t.over(d, m.Span, clock)
	}
	return t, ""
}

const quarter = 15 * oneMinute

// live ends the window some minutes after now, on a boundary that moves only every few minutes: whatever
// goes on is drawn to the right edge and cut off at now, so that it need not be drawn again meanwhile.
func (t *timeline) live(span string) {
	t.more = t.now-t.from > 20*oneMinute
	if span == live.SpanQuarter && t.more {
		t.span = span
		t.to = ceilTo(t.now+oneMinute, 5*oneMinute)
		t.from = t.to - quarter - 5*oneMinute
		return
	}
	to := t.now + 2*oneMinute
	t.to = ceilTo(to, max(5*oneMinute, stepOf(to-t.from)))
}

// over draws a session that has ended and what followed. That takes at most half of the width, so that the
// session stays readable: it is drawn as far as three quarters of the session's length, with an eighth on
// top as room for words. What came later is told at the edge.
func (t *timeline) over(d *room.Detail, span string, clock room.Time) {
	length := max(t.ended-t.from, oneMinute)
	t.to = t.from + length
	far := false
	last := t.ended
	for _, at := range afterwards(d, clock) {
		switch {
		case at <= t.ended:
		case at-t.ended <= length*3/4:
			last = max(last, at)
		default:
			far = true
		}
	}
	t.more = far || last > t.ended
	if processing(d) && clock > t.ended {
		t.now = clock
	}
	switch {
	case span == live.SpanSession && t.more:
		t.span = span
	case last > t.ended:
		t.to = last + (last-t.from)/8
	case far:
		t.to += length / 4
	}
	if !t.has(t.now) {
		t.now = 0
	}
}

// beginning is the first that is known of a session while it lived, 0 if nothing is.
func beginning(d *room.Detail) room.Time {
	first := earlier(room.At(d.CreatedAt), room.At(d.StartedAt))
	for _, p := range d.Participants {
		first = earlier(first, p.First())
	}
	for _, r := range d.Recordings {
		first = earlier(first, room.At(r.StartedAt))
	}
	for _, s := range d.Streams {
		first = earlier(first, room.At(s.StartedAt))
	}
	return first
}

func earlier(a, b room.Time) room.Time {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// afterwards is every moment at which something can have come of a session after its end.
func afterwards(d *room.Detail, clock room.Time) (out []room.Time) {
	for _, r := range d.Recordings {
		out = append(out, room.At(r.EndedAt), room.At(r.ReadyAt))
	}
	for _, s := range d.Streams {
		out = append(out, room.At(s.EndedAt))
	}
	for _, a := range made(d) {
		out = append(out, a.at)
	}
	if processing(d) {
		out = append(out, ceilTo(clock, 5*oneMinute))
	}
	return out
}

func processing(d *room.Detail) bool {
	for _, r := range d.Recordings {
		if r.State == room.RecordingProcessing {
			return true
		}
	}
	return false
}

// steps between the labels of the axis.
var tickSteps = []room.Time{5 * oneSecond, 10 * oneSecond, 15 * oneSecond, 30 * oneSecond,
	oneMinute, 2 * oneMinute, 5 * oneMinute, 10 * oneMinute, 15 * oneMinute, 30 * oneMinute, oneHour, 2 * oneHour, 3 * oneHour, 6 * oneHour, 12 * oneHour, oneDay}

// stepOf gives a length at most twelve labels.
func stepOf(length room.Time) room.Time {
	for _, step := range tickSteps {
		if length <= 12*step {
			return step
		}
	}
	return ceilTo(length, 12*oneDay) / 12
}

func floorTo(t, step room.Time) room.Time { return t - t%step }
func ceilTo(t, step room.Time) room.Time  { return floorTo(t+step-1, step) }

// A tick is a label of the axis. Every other one is odd, and goes where there is little room.
type tick struct {
	at   room.Time
	x    string
	days bool // it names a day, not an hour
	fine bool // it has seconds
	odd  bool
}

// fine: so little time is drawn that it is told to the second.
func (w window) fine() bool { return stepOf(w.to-w.from) < oneMinute }

func (w window) ticks() (out []tick) {
	step := stepOf(w.to - w.from)
	for at := ceilTo(w.from, step); at <= w.to; at += step {
		out = append(out, tick{at, pct(w.x(at)), step >= oneDay, w.fine(), at/step%2 == 1})
	}
	return out
}

// edge is until when a lane can say something: now, or the session's end.
func (t timeline) edge() room.Time {
	if t.ended != 0 {
		return min(t.ended, t.to)
	}
	return min(t.now, t.to)
}

// spans are the windows to choose from, none when there is only one.
func (t timeline) spans() []spanLink {
	switch {
	case !t.more:
		return nil
	case t.ended == 0:
		return []spanLink{{"", "Whole session", t.span == ""}, {live.SpanQuarter, "Last 15 min", t.span != ""}}
	}
	return []spanLink{{"", "Session and what followed", t.span == ""}, {live.SpanSession, "Session only", t.span != ""}}
}

type spanLink struct {
	name, word string
	current    bool
}
