package views

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

func TestLinesAreDrawnInSteps(t *testing.T) {
	ground := plot{slots: 4, left: 1, width: 8, top: 2, base: 10}
	for _, c := range []struct {
		what       string
		points     []point
		line, area string
	}{
		{"none", nil, "", ""},
		{"one", []point{{0, 5}}, "M1 2H3", "M1 10V2H3V10Z"},
		{"one, at the end", []point{{3, 5}}, "M7 2H9", "M7 10V2H9V10Z"},
		{"all zero", []point{{0, 0}, {1, 0}, {2, 0}}, "M1 10H7", "M1 10V10H7V10Z"},
		{"equal neighbours are one step", []point{{0, 2}, {1, 2}, {2, 4}, {3, 4}}, "M1 6H5V2H9", "M1 10V6H5V2H9V10Z"},
		{"a gap ends the line", []point{{0, 4}, {2, 2}}, "M1 2H3M5 6H7", "M1 10V2H3V10ZM5 10V6H7V10Z"},
		{"huge", []point{{0, math.MaxInt}, {1, 0}}, "M1 2H3V10H5", "M1 10V2H3V10H5V10Z"},
		{"thirds", []point{{0, 1}, {1, 3}}, "M1 7.3H3V2H5", "M1 10V7.3H3V2H5V10Z"},
	} {
		most := peak(c.points).n
		if got := ground.line(c.points, most); got != c.line {
			t.Errorf("%s: line %q, want %q", c.what, got, c.line)
		}
		if got := ground.area(c.points, most); got != c.area {
			t.Errorf("%s: area %q, want %q", c.what, got, c.area)
		}
	}
}

// Nothing is known of a minute without a sample: nothing may be drawn in it or across it.
func TestGapsAreNotBridged(t *testing.T) {
	var samples []room.Sample
	for i := range 60 {
		if i < 20 || i >= 27 {
			samples = append(samples, room.Sample{At: at(i), Totals: room.Totals{People: 5}})
		}
	}
	s, _, _ := lastHour(samples, func(t room.Totals) int { return t.People })
	if strings.Count(s.line, "M") != 2 || strings.Count(s.area, "Z") != 2 {
		t.Errorf("one gap, but the line is %q and the area %q", s.line, s.area)
	}
	if want := "M1 3H28.3M37.9 3H83"; s.line != want {
		t.Errorf("line %q, want %q", s.line, want)
	}
	day := concurrencyOf(dayFixture(), nil, noon)
	if got := strings.Count(peopleLane.line(day.people.points, day.most[0]), "M"); got != 2 {
		t.Errorf("the day has one gap, its line begins %d times", got)
	}
}

func TestSlotsTakeTheGreatest(t *testing.T) {
	sample := func(minute, people int) room.Sample {
		return room.Sample{At: at(minute), Totals: room.Totals{People: people}}
	}
	samples := []room.Sample{sample(-1, 99), sample(0, 1), sample(4, 7), sample(5, 3), sample(2, 50), sample(19, 4), sample(20, 99)}
	got := pointsOf(samples, noon, 5*time.Minute, 4, func(t room.Totals) int { return t.People })
	want := []point{{0, 7}, {1, 3}, {3, 4}}
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("points %v, want %v", got, want)
	}
}

func TestPeakIsTheFirstOfTheGreatest(t *testing.T) {
	if got := peak([]point{{3, 1}, {5, 9}, {6, 9}}); got != (point{5, 9}) {
		t.Errorf("peak %v", got)
	}
	if got := peak(nil); got != (point{}) {
		t.Errorf("peak of nothing %v", got)
	}
}

func TestAxisOfCostsIsRound(t *testing.T) {
	for _, c := range []struct{ most, top float64 }{
		{12.95, 16}, {17.3, 20}, {0.00446, 0.006}, {1, 1.2}, {100, 120}, {1e12, 1.2e12}, {0, 1},
	} {
		lines, top := rungs(c.most)
		if math.Abs(top-c.top) > c.top/1e6 || top < c.most {
			t.Errorf("top for %v is %v, want %v", c.most, top, c.top)
		}
		if len(lines) < 2 || len(lines) > 6 || lines[0].word != "0" {
			t.Errorf("rungs for %v: %v", c.most, lines)
		}
	}
}
