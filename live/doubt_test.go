package live

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// polls weighs the same absences so many times and says from which poll on all are believed, 0 if never.
func polls(d *doubts, n int, quiet time.Duration, now, gone size, missing int) (from int) {
	for i := 1; i <= n; i++ {
		absent := missingRooms(missing, room.Time(1_000_000+30_000*i))
		d.weigh(absent, now, gone, false)
		if from == 0 && allBelieved(absent, quiet) {
			from = i
		}
	}
	return from
}

func missingRooms(n int, at room.Time) (absent []*absence) {
	for k := range n {
		absent = append(absent, &absence{id: fmt.Sprint("s", k), whole: true, heard: 1_000_000, at: at, now: at})
	}
	return absent
}

func allBelieved(absent []*absence, quiet time.Duration) bool {
	return !slices.ContainsFunc(absent, func(a *absence) bool { return !a.believed(quiet) })
}

// inside polls a session, in which somebody is missing or nobody, as plugNmeet counts and lists it, and says how many
// polls in a row it takes from the first that misses them until that is believed, 0 if it is not.
func inside(d *doubts, counts ...count) (took int) {
	for _, c := range counts {
		d.count(map[string]count{"s": c})
		var absent []*absence
		if c.missing {
			absent = append(absent, &absence{id: "ana", session: room.Event{SID: "s"}, now: 1})
		}
		d.weigh(absent, size{10, 80}, size{0, 1}, c.attendees == 0 && d.anyShort())
		if len(absent) == 0 {
			continue
		}
		took++
		if absent[0].believed(0) {
			return took
		}
	}
	return 0
}

func times(n int, c count) []count { return slices.Repeat([]count{c}, n) }

func TestACounterThatIsWrongIsNotBelieved(t *testing.T) {
	right, wrong := count{joined: 5, attendees: 5, who: 1}, count{joined: 8, attendees: 5, who: 1, uncounted: 3}
	stuck := count{joined: 8, attendees: 4, who: 2, uncounted: 4, missing: true}
	follows := count{joined: 7, attendees: 4, who: 2, uncounted: 3, missing: true}
	nobody := count{joined: 5, who: 0, uncounted: 5, missing: true}
	for name, c := range map[string]struct {
		polls []count
		want  int
	}{
		"it agrees":                               {append(times(3, right), times(6, count{joined: 4, attendees: 4, who: 2, missing: true})...), 2},
		"it says more from the first miss on":     {append(times(3, right), times(6, stuck)...), 5},
		"it has been wrong, and follows":          {append(times(3, wrong), times(6, follows)...), 2},
		"it has been wrong, and is stuck":         {append(times(3, wrong), times(6, stuck)...), 2},
		"it has been wrong for two polls only":    {append(times(2, wrong), times(6, stuck)...), 5},
		"it was wrong and has agreed since":       {slices.Concat(times(3, wrong), times(1, right), times(6, stuck)), 5},
		"the list changed meanwhile":              {slices.Concat(times(2, wrong), times(1, count{joined: 8, attendees: 5, who: 7, uncounted: 3}), times(6, stuck)), 5},
		"nobody is listed at all, for a long day": {append(times(3, right), times(1000, nobody)...), 0},
		"nobody, and it has been wrong":           {append(times(3, wrong), times(6, nobody)...), 2},
	} {
		if got := inside(new(doubts), c.polls...); got != c.want {
			t.Errorf("%s: believed after %d polls, want %d", name, got, c.want)
		}
	}
}

func TestHowManyPollsAnAbsenceTakes(t *testing.T) {
	for _, c := range []struct {
		name      string
		now, gone size
		missing   int
		quiet     time.Duration
		want      int
	}{
		{"one room of many", size{10, 80}, size{1, 3}, 1, time.Minute, 2},
		{"the only room", size{1, 5}, size{1, 5}, 1, time.Minute, 2},
		{"all three rooms", size{3, 9}, size{3, 9}, 3, time.Minute, 2},
		{"two of four rooms", size{4, 9}, size{2, 4}, 2, time.Minute, 5},
		{"all rooms", size{24, 160}, size{24, 160}, 24, time.Minute, 5},
		{"half of the people of one room", size{1, 10}, size{0, 5}, 5, time.Minute, 5},
		{"fewer than half", size{1, 11}, size{0, 5}, 5, time.Minute, 2},
		{"nine people, all of them", size{1, 9}, size{0, 9}, 9, time.Minute, 2},
		{"heard of two minutes before", size{10, 80}, size{1, 3}, 1, 2 * time.Minute, 4},
	} {
		if got := polls(new(doubts), 8, c.quiet, c.now, c.gone, c.missing); got != c.want {
			t.Errorf("%s: believed after %d polls, want %d", c.name, got, c.want)
		}
	}
}

// Who was heard of between two polls that did not list them was there then.
func TestNobodyIsTakenToHaveLeftBeforeTheyWereHeardOf(t *testing.T) {
	var d doubts
	for i, heard := range []room.Time{500, 1500, 1500} {
		a := &absence{id: "ana", session: room.Event{SID: "s"}, at: room.Time(1000 + 1000*i), now: room.Time(1000 + 1000*i), heard: heard}
		d.weigh([]*absence{a}, size{10, 80}, size{0, 1}, false)
		if want := []room.Time{1000, 2000, 2000}[i]; a.since != want || a.polls != i+1 {
			t.Errorf("after poll %d they left at %d, %d polls; want %d", i+1, a.since, a.polls, want)
		}
	}
}

func TestAnAbsenceIsDoubtedAnewOnceItWasListedAgain(t *testing.T) {
	var d doubts
	if got := polls(&d, 1, 0, size{10, 80}, size{1, 3}, 1); got != 0 {
		t.Fatalf("believed after %d", got)
	}
	d.weigh(nil, size{10, 80}, size{}, false)
	if got := polls(&d, 3, 0, size{10, 80}, size{1, 3}, 1); got != 2 {
		t.Errorf("believed after %d further polls", got)
	}
}

// A thousand leave, and of a tenth of them it is not told: that is no mass drop, the others said that they left.
func TestWhoIsLeftOverOfAMassLeaveTakesTwoPolls(t *testing.T) {
	var d doubts
	d.weigh(nil, size{1, 1000}, size{}, false)
	if got := polls(&d, 5, time.Minute, size{1, 100}, size{0, 100}, 100); got != 2 {
		t.Errorf("believed after %d polls", got)
	}
}

// Lies that grow from poll to poll are one lie.
func TestWhatGoesBitByBitIsAMassDropAllTheSame(t *testing.T) {
	var d doubts
	for i, missing := range []int{4, 8, 9} {
		at := room.Time(1_000_000 + 30_000*i)
		absent := missingRooms(missing, at)
		d.weigh(absent, size{10, 10}, size{missing, missing}, false)
		for _, a := range absent {
			if i > 0 && a.believed(0) {
				t.Errorf("at poll %d, with %d of 10 rooms missing, %s is believed to be gone", i+1, missing, a.id)
			}
		}
	}
}

func TestAnEndIsTakenFromPlugNmeetsMemoryOnlyIfItCanBe(t *testing.T) {
	const minute = room.Time(60_000)
	for _, c := range []struct {
		name                           string
		ended, lastEvent, alive, since room.Time
		want                           room.Time
	}{
		{"as it is", 100 * minute, 99 * minute, 99 * minute, 102 * minute, 100 * minute},
		{"none", 0, 99 * minute, 0, 102 * minute, 102 * minute},
		{"in another time zone behind", 40 * minute, 99 * minute, 0, 102 * minute, 102 * minute},
		{"in another time zone ahead", 220 * minute, 99 * minute, 0, 102 * minute, 102 * minute},
		{"before it was listed last", 100 * minute, 99 * minute, 101 * minute, 102 * minute, 102 * minute},
	} {
		a := absence{ended: c.ended, lastEvent: c.lastEvent, alive: c.alive, since: c.since}
		if got := a.endedAt(); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got/minute, c.want/minute)
		}
	}
}
