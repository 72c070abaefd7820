package views

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// timelineElements are the drawing of a session, or the sentence that says why there is none.
func timelineElements(m live.Room) []live.Element {
	t, why := timelineOf(m)
	if why != "" {
		return []live.Element{element("timeline-none", "timeline-note", why, say)}
	}
	d := m.Detail
	out := []live.Element{element("timeline-summary", "timeline-said", t.summary(d), say)}
	if spans := t.spans(); spans != nil {
		out = append(out, element("timeline-spans", "timeline-tools", spanChoice{d.Key(), t.ended != 0, t.span}, spanLinks))
	}
	if n := len(d.Participants); n > maxLanes {
		text := fmt.Sprintf("The first %s of %s people and bots are drawn. The table below has all of them.", comma(maxLanes), comma(n))
		out = append(out, element("timeline-more", "timeline-note", text, say))
	}
	out = append(out, element("timeline-now", "timeline-over", overlay{t.window, t.now, t.ended}, overlayDrawing))
	out = append(out, t.gapElements(m.Gaps)...)
	out = append(out, element("timeline-axis", "timeline-top", t.axis(d), axisDrawing))
	out = append(out, t.peopleLanes(d.Participants)...)
	out = append(out, t.recordingLanes(d.Recordings)...)
	out = append(out, t.streamLanes(d.Streams)...)
	out = append(out, t.artifactLane(made(d))...)
	return append(out, t.correctionLane(d.Corrections)...)
}

// spanChoice is what the links to the windows depend on.
type spanChoice struct {
	key   room.Key
	ended bool
	span  string
}

func (c spanChoice) links() []spanLink {
	t := timeline{span: c.span, more: true}
	if c.ended {
		t.ended = 1
	}
	return t.spans()
}

// overlay is what lies over all lanes: the lines at now and at the end.
type overlay struct {
	window
	now, ended room.Time // 0 for none
}

// axis is the top of the drawing: times, and how many people were here.
type axis struct {
	window
	people string // now, in words
	peak   string
	path   string // in a box of 100,000 by top
	top    int
}

func (t timeline) axis(d *room.Detail) axis {
	a := axis{window: t.window, peak: "peak " + comma(d.PeakPeople), top: max(d.PeakPeople, 1)}
	if t.ended == 0 {
		a.people, a.peak = comma(d.People)+" now", ", "+a.peak
	}
	a.path = t.path(room.Steps(d.Participants), a.top)
	return a
}

// path is the number of people over time as steps, from the bottom of the box and back to it. Downwards is
// greater, so that a point's height is top less its number.
func (t timeline) path(steps []room.Step, top int) string {
	people := 0
	for len(steps) > 0 && steps[0].At <= t.from {
		people, steps = steps[0].People, steps[1:]
	}
	out := fmt.Appendf(nil, "M0 %dV%d", top, top-people)
	for _, s := range steps {
		if s.At >= t.to {
			break
		}
		out = fmt.Appendf(out, "H%sV%d", thousandths(t.x(s.At)), top-s.People)
		people = s.People
	}
	if people > 0 {
		out = fmt.Appendf(out, "H100000V%d", top)
	}
	return string(out)
}

func thousandths(x float64) string { return strconv.Itoa(int(math.Round(x * 1000))) }

// summary is the drawing in a sentence, for those who do not see it.
func (t timeline) summary(d *room.Detail) string {
	out := "Times from " + utcShort(t.begin, t.fine()) + " to " + utcShort(cmp.Or(t.ended, t.now), t.fine()) + " UTC: "
	sum := d.Summary()
	out += plural(sum.PeopleSeen, "person", "people") + ", at most " + comma(d.PeakPeople) + " at one time"
	for _, of := range []struct {
		n         int
		one, many string
	}{
		{len(d.Recordings), "recording", "recordings"}, {len(d.Streams), "stream", "streams"}, {len(made(d)), "artifact", "artifacts"},
		{len(d.Corrections), "correction", "corrections"},
	} {
		if of.n > 0 {
			out += ", " + plural(of.n, of.one, of.many)
		}
	}
	return out + ". The table of people and the lists beside it tell the same. The arrow keys move a line through the drawing that tells how it was at a moment."
}

// utcShort is a moment as the labels of the drawing have it: without its day, with seconds only where that is fine.
func utcShort(t room.Time, fine bool) string {
	if fine {
		return t.Time().Format("15:04:05")
	}
	return t.Time().Format("15:04")
}

// tickText is an hour, at midnight the day.
func tickText(t tick) string {
	if t.days || t.at%oneDay == 0 {
		return t.at.Time().Format("2 Jan")
	}
	return utcShort(t.at, t.fine)
}

// anchor keeps a label at the right edge within the page.
func (t tick) anchor() string {
	if position(t.x) > 98.5 {
		return "end"
	}
	return "middle"
}

// countClass is where the number of a label stands for its words: where those do not show.
func countClass(l label) string { return strings.Replace(cmp.Or(l.fit, "w9999"), "w", "n", 1) }
