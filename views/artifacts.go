package views

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

const (
	artifactsPath = "/artifacts"
	artifactCells = 7
)

func artifactsElements(m live.Artifacts) []live.Element {
	items := m.Page.Items
	first, last := span(items, filedAt)
	out := listElements(listState{
		shown: len(items), n: m.Matches, what: artifactNoun, path: artifactsPath, q: m.Query, text: m.Query.Text,
		next: olderPage(m.Query, m.Page.Next), newest: newestPage(m.Query), received: received(m.Sources),
		when: "plugNmeet makes analytics, transcripts and usage records after a room has ended, if they are switched on; a summary can take hours.",
	})
	ids := distinctIDs{}
	head := heads("artifacts", artifactCells, m.Minute, artifactNoun, first, last, m.Query.Cursor != "", m.Page.Next != "")
	out = append(out, byDay(ids, items, filedAt, head, func(a room.FiledArtifact) live.Element {
		return element(ids.of("artifact-"+a.ArtifactID, a.Source), "artifacts", artifactLineOf(a, filesOf(m.Sources, m.NoFiles)), artifactRow)
	})...)
	days := usageDays(m.Days, m.Minute)
	out = append(out, element("cost-chart", "cost-box", days, costChart))
	out = append(out, usageRows(days)...)
	out = append(out, costliest(ids, m.Costliest)...)
	return append(out, footElements(m.Sources, m.AlarmCount, m.AsOf)...)
}

func filedAt(a room.FiledArtifact) time.Time { return a.CreatedAt }

// artifactLine is an artifact in a list, without pointers, so that equal ones are equal.
type artifactLine struct {
	room.Filed
	id, kind   string
	created    time.Time
	note       string
	amount     string
	exact      string
	file       bool
	priced     bool // has a price, even if it is 0
	cost       float64
	references string
	fetch      string // the address of its file
}

func artifactLineOf(a room.FiledArtifact, sources []live.SourceState) artifactLine {
	l := artifactLine{Filed: a.Filed, id: a.ArtifactID, kind: a.Type, created: a.CreatedAt, note: usageNote(a), amount: figure(a), references: a.Reference,
		fetch: artifactFileURL(sources, room.Key{Source: a.Source, SID: a.SID}, a.Artifact)}
	if a.File != nil {
		l.file, l.exact = true, exactly(a.File.SizeBytes)
	} else if a.Usage != nil {
		l.exact = strings.TrimSpace(comma(int(a.Usage.Total)) + " " + a.Usage.Unit)
	}
	if a.Usage != nil {
		l.priced, l.cost = true, a.Usage.EstimatedCost
	}
	return l
}

// kindsOf are the kinds of a class, all of them for "".
func kindsOf(class string) (kinds []string) {
	for _, kind := range artifactKinds {
		usage := strings.HasSuffix(kind, "_USAGE")
		if class == "" || usage == (class == room.ClassUsage) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

func classOptions(q room.ArtifactQuery) []option {
	of := func(word, class string) option {
		set := q
		set.Class, set.Cursor = class, ""
		if class != q.Class {
			set.Type = "" // it may be of the other class
		}
		return option{word: word, href: listURL(artifactsPath, set), on: q.Class == class}
	}
	return []option{of("All", ""), of("Files", room.ClassFile), of("Usage", room.ClassUsage)}
}

// The units that usage is counted in, in the order in which they are drawn.
const (
	unitSeconds = iota
	unitTokens
	unitCharacters
	unitOther
	units
)

var unitNames = [units]string{"seconds", "tokens", "characters", "other"}

func unitOf(name string) int {
	for unit, known := range unitNames {
		if name == known {
			return unit
		}
	}
	return unitOther
}

const daysDrawn = 14

// usageDay is what was used up on a day, by unit.
type usageDay struct {
	day      time.Time
	total    [units]int64
	cost     [units]float64
	records  int
	unpriced int
}

func (d usageDay) sum() (sum float64) {
	for _, c := range d.cost {
		sum += c
	}
	return sum
}

// usageMonth are the days that are drawn, oldest first; today is the last of them.
type usageMonth [daysDrawn]usageDay

func usageDays(told []room.UsageDay, now time.Time) (days usageMonth) {
	first := now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-daysDrawn)
	for i := range days {
		days[i].day = first.AddDate(0, 0, i)
	}
	for _, t := range told {
		i := daysLater(first, t.Day)
		if i < 0 || i >= daysDrawn || t.Day.Before(first) {
			continue
		}
		unit := unitOf(t.Unit)
		days[i].total[unit] += t.Total
		days[i].cost[unit] += t.Cost
		days[i].records += t.Records
		days[i].unpriced += t.Unpriced
	}
	return days
}

func (m usageMonth) most() (most float64) {
	for _, d := range m {
		most = max(most, d.sum())
	}
	return most
}

func (m usageMonth) unpriced() (n int) {
	for _, d := range m {
		n += d.unpriced
	}
	return n
}

// months are those that the days are in: November 2026.
func (m usageMonth) months() string {
	first, last := m[0].day, m[daysDrawn-1].day
	switch {
	case first.Month() == last.Month():
		return last.Format("January 2006")
	case first.Year() == last.Year():
		return first.Format("January") + " and " + last.Format("January 2006")
	}
	return first.Format("January 2006") + " and " + last.Format("January 2006")
}

// The ground of the chart of costs. It is as wide as its column, so x is in percent.
const (
	costTop, costBase = 14.0, 124.0
	costLeft          = 9.0
)

// slab is a part of a day's column.
type slab struct{ unit, x, wide, y, high string }

// column is where the nth day stands and how wide it is, in percent.
func column(n int) (x, wide float64) {
	each := (100 - costLeft) / daysDrawn
	return costLeft + each*(float64(n)+0.16), each * 0.68
}

// bars stack the costs of every day by unit. Top is the cost that reaches the top.
func (m usageMonth) bars(top float64) (out [daysDrawn][]slab) {
	for n, d := range m {
		x, wide := column(n)
		y := costBase
		for unit, c := range d.cost {
			high := (costBase - costTop) * c / top
			if !(high > 0) {
				continue
			}
			high = max(high, 1)
			y -= high
			out[n] = append(out[n], slab{unitNames[unit], percent(x, 100), percent(wide, 100), tenth(y), tenth(high)})
		}
	}
	return out
}

// rung is a line across the chart with its cost.
type rung struct{ y, word string }

// rungs are round costs up to one at or above the most, and that one.
func rungs(most float64) (out []rung, top float64) {
	step := roundStep(most / 4)
	count := max(1, math.Ceil(most/step-1e-9))
	top = step * count
	for i := 0.0; i <= count; i++ {
		out = append(out, rung{tenth(costBase - (costBase-costTop)*i/count), short(step * i)})
	}
	return out, top
}

// roundStep is the least of 1, 2, 4, 5 and 10 times a power of ten that is not below n.
func roundStep(n float64) float64 {
	if !(n > 0) || math.IsInf(n, 0) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(n)))
	for _, times := range []float64{1, 2, 4, 5} {
		if n <= times*power*(1+1e-9) {
			return times * power
		}
	}
	return 10 * power
}

func usageRows(days usageMonth) (out []live.Element) {
	for i := range days {
		d := days[daysDrawn-1-i]
		if d.records > 0 || i == 0 {
			out = append(out, element("usage-"+d.day.Format(time.DateOnly), "usage", usageLine{d, i == 0}, usageRow))
		}
	}
	return out
}

type usageLine struct {
	usageDay
	today bool
}

func (l usageLine) word() string {
	word := l.day.Format("Mon 2")
	if l.today {
		word += ", so far"
	}
	return word
}

// costLine is a room with its part of the dearest one's cost.
type costLine struct {
	room.Filed
	cost float64
	wide string
}

func costliest(ids distinctIDs, rooms []room.RoomCost) (out []live.Element) {
	for _, r := range rooms {
		if r.Cost > 0 {
			line := costLine{r.Filed, r.Cost, percent(r.Cost, rooms[0].Cost)}
			out = append(out, element(ids.of("costly-"+r.SID, r.Source), "costliest", line, costItem))
		}
	}
	if len(out) == 0 {
		out = append(out, element("empty-costliest", "costliest", "Nothing that was used up today has a price.", sayItem))
	}
	return out
}

func middle(n int) string {
	x, wide := column(n)
	return percent(x+wide/2, 100)
}

// short is a round cost as an axis writes it.
func short(c float64) string {
	switch {
	case c >= 1e6:
		return strconv.FormatFloat(c, 'g', 3, 64)
	case c >= 1000:
		return comma(int(c))
	}
	return strconv.FormatFloat(c, 'g', 4, 64)
}
