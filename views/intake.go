package views

import (
	"fmt"
	"time"

	"github.com/a-h/templ"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

const (
	intakePath  = "/intake"
	rateMinutes = 5
)

func intakeElements(m live.Intake) []live.Element {
	c := countsOf(m)
	out := []live.Element{element("told-text", "told", intakeTold{len(m.Sources), c.all}, intakeText)}
	ids := distinctIDs{}
	for _, s := range m.Sources {
		out = append(out, element(ids.of("intake-source-"+s.Name, "again"), "intake-sources", sourceLineOf(s, c), intakeSource))
	}
	for _, v := range verdictCounters {
		out = append(out, element("verdict-"+string(v.verdict), "verdicts", counterOf(m, c, v.verdict, v.sign), counterBox))
	}
	if d := diagnose(m, c); d.title != "" {
		out = append(out, live.Element{ID: "diagnosis", Parent: "diagnosis-box", Version: d.key(), Render: func() []byte { return render(diagnosisBand("diagnosis", d)) }})
	}
	out = append(out, healedElements(m)...)
	out = append(out, deliveryElements(m.Rows, false)...)
	out = append(out, listElements(listState{
		shown: len(m.Rows), n: -1, what: deliveryNoun, path: intakePath, q: m.Query,
		next: olderPage(m.Query, m.Next), newest: newestPage(m.Query), received: true, // what to do else, the diagnosis says
		when: "Every delivery appears here with its verdict, as soon as it has been answered.",
	})...)
	return append(out, footElements(m.Sources, m.AlarmCount, m.AsOf)...)
}

// intakeTold is how much came in the last hour, from how many sources.
type intakeTold struct{ sources, deliveries int }

func (t intakeTold) text() string {
	return plural(t.sources, "source", "sources") + ", " + plural(t.deliveries, "delivery", "deliveries") + " in the last hour"
}

// counts are the deliveries of the last hour: in all, and by whole minutes.
type counts struct {
	from     time.Time
	all      int
	verdicts map[room.Verdict]*tally
	sources  map[string]*tally // of those that were authentic
	refused  map[string]int    // by source
}

type tally struct {
	n      int
	minute [60]int
}

func countsOf(m live.Intake) counts {
	c := counts{from: m.Minute.Add(-time.Hour), verdicts: make(map[room.Verdict]*tally), sources: make(map[string]*tally), refused: make(map[string]int)}
	for _, count := range m.Counts {
		at := int(count.Minute.Sub(c.from) / time.Minute)
		if count.Minute.Before(c.from) {
			continue
		}
		c.all += count.N
		add(c.verdicts, count.Verdict, at, count.N)
		if count.Verdict == room.Refused {
			c.refused[count.Source] += count.N
		} else {
			add(c.sources, count.Source, at, count.N)
		}
	}
	return c
}

func add[K comparable](to map[K]*tally, key K, at, n int) {
	t := to[key]
	if t == nil {
		t = new(tally)
		to[key] = t
	}
	t.n += n
	if at < len(t.minute) { // the minute that goes on is no whole one
		t.minute[at] += n
	}
}

// whole is how many came in minutes that are over.
func (t *tally) whole() int { return t.lately(len(t.minute)) }

// spark draws the hour: a minute without deliveries had none.
func (t *tally) spark() spark {
	points := make([]point, 60)
	for i := range points {
		points[i].slot = i
		if t != nil {
			points[i].n = t.minute[i]
		}
	}
	return sparkOf(points)
}

// lately is how many came in the last whole minutes.
func (t *tally) lately(minutes int) (n int) {
	if t == nil {
		return 0
	}
	for _, count := range t.minute[len(t.minute)-minutes:] {
		n += count
	}
	return n
}

// sourceLine is a source with its last hour.
type sourceLine struct {
	live.SourceState
	sign
	rate string
	hour spark
}

func sourceLineOf(s live.SourceState, c counts) sourceLine {
	t := c.sources[s.Name]
	return sourceLine{s, healthOf(s, t, c.refused[s.Name]), perMinute(t.lately(rateMinutes), rateMinutes), t.spark()}
}

// healthOf is how a source is heard, in words.
func healthOf(s live.SourceState, t *tally, refused int) sign {
	heard := t != nil && t.n > 0
	switch {
	case refused > 0 && heard:
		return sign{"triangle", "receiving, but " + plural(refused, "delivery", "deliveries") + " refused in the last hour", "late"}
	case refused > 0:
		return sign{"crossed", "all of the last hour refused: " + comma(refused), "failed"}
	case s.LastDeliveryAt.IsZero():
		return sign{"dashed", "nothing received yet", "late"}
	case !heard:
		return sign{"ring", "silent for the last hour", ""}
	case s.Clocks.Differ():
		return sign{"triangle", "receiving, but " + s.Clocks.Words(), "late"}
	case t.lately(rateMinutes) == 0 && t.n == t.whole():
		return sign{"disc", "quiet for the last " + plural(rateMinutes, "minute", "minutes"), "good"}
	}
	return sign{"disc", "steady; all signatures good", "good"}
}

// counter is a verdict's figure of the last hour. Following it lists the deliveries that got it.
type counter struct {
	sign
	n    int
	hour spark
	href templ.SafeURL
	on   bool
}

func counterOf(m live.Intake, c counts, v room.Verdict, s sign) counter {
	t := c.verdicts[v]
	out := counter{sign: s, hour: t.spark(), href: verdictURL(m.Query, v), on: m.Query.Verdict == v}
	if t != nil {
		out.n = t.n
	}
	if out.n == 0 {
		out.class = ""
	}
	return out
}

// verdictURL sets the verdict or, when it is set, takes it away.
func verdictURL(q room.DeliveryQuery, v room.Verdict) templ.SafeURL {
	if q.Cursor = ""; q.Verdict == v {
		v = ""
	}
	q.Verdict = v
	return listURL(intakePath, q)
}

func verdictOptions(q room.DeliveryQuery) []option {
	all := q
	all.Verdict, all.Cursor = "", ""
	out := []option{{word: "All", href: listURL(intakePath, all), on: q.Verdict == ""}}
	for _, v := range verdictCounters {
		on := q.Verdict == v.verdict
		out = append(out, option{v.word, verdictURL(q, v.verdict), on, on})
	}
	return out
}

// diagnosis is what is wrong with what comes in, in words, and what to do about it.
type diagnosis struct {
	title    string
	findings []finding
	setUp    bool // nothing ever came: say how to begin
	plumbing bool // what was refused is lost to plugNmeet
}

// finding is one reason for which deliveries were refused.
type finding struct {
	n            int
	word, reason string
	source       string
	advice       string
	newest       time.Time
}

func (f finding) head() string {
	head := comma(f.n) + " × " + f.word
	if f.reason != "" {
		head += ", the newest:"
	}
	return head
}

// key tells diagnoses apart.
func (d diagnosis) key() string { return fmt.Sprintf("%#v", d) }

func diagnose(m live.Intake, c counts) (d diagnosis) {
	refused := 0
	names := make(map[string]bool)
	for _, r := range m.Refusals {
		if r.N <= 0 {
			continue
		}
		refused += r.N
		names[r.Newest.Source] = true
		d.findings = append(d.findings, finding{r.N, refusalWord(r.Code), r.Newest.Reason, r.Newest.Source, adviceFor(r.Code), r.Newest.ReceivedAt})
	}
	never := !delivered(m.Sources) && c.all == refused
	switch {
	case refused == 0 && never && len(m.Rows) == 0:
		return diagnosis{title: "No delivery has arrived yet", setUp: true}
	case refused == 0:
		return diagnosis{}
	}
	d.title = plural(refused, "delivery was refused", "deliveries were refused") + " in the last hour"
	if never {
		d.title += ", and none was ever accepted"
	} else if len(names) == 1 && m.Refusals[0].Newest.Source != "" {
		d.title = plural(refused, "delivery of ", "deliveries of ") + m.Refusals[0].Newest.Source + was(refused) + " refused in the last hour"
	}
	d.plumbing = true
	return d
}

func was(n int) string {
	if n == 1 {
		return " was"
	}
	return " were"
}

// delivered says whether any source ever delivered.
func delivered(sources []live.SourceState) bool {
	for _, s := range sources {
		if !s.LastDeliveryAt.IsZero() {
			return true
		}
	}
	return false
}

// eventNames are suggestions for the field of events.
func eventNames() (names []string) {
	for k := room.Kind(1); k < room.KindListed; k++ {
		if name := k.String(); name != "other" {
			names = append(names, name)
		}
	}
	return append(names, room.EventCorrection, room.KindAsked.String(), room.EventGap, room.EventClocks, room.EventPolled, room.EventListed)
}

// counterTone is the colour of a counter's hour: only trouble has one.
func counterTone(c counter) string {
	if c.class == "failed" {
		return "verm"
	}
	return "grey"
}
