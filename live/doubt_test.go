package live

import (
	"fmt"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// polls weighs the same absences so many times and says from which poll on all are believed, 0 if never.
func polls(d *doubts, n int, quiet time.Duration, now, gone size, missing int, short bool) (from int) {
	for i := 1; i <= n; i++ {
		at := room.Time(1_000_000 + 30_000*i)
		var absent []*absence
		for k := range missing {
			absent = append(absent, &absence{id: fmt.Sprint("s", k), whole: true, short: short, heard: 1_000_000, now: at})
		}
		d.weigh(absent, now, gone, at)
		all := true
		for _, a := range absent {
			all = all && a.believed(quiet)
		}
		if all {
			return i
		}
	}
	return 0
}

func TestHowManyPollsAnAbsenceTakes(t *testing.T) {
	for _, c := range []struct {
		name      string
		now, gone size
		missing   int
		short     bool
		quiet     time.Duration
		want      int
	}{
		{"one room of many", size{10, 80}, size{1, 3}, 1, false, time.Minute, 2},
		{"the only room", size{1, 5}, size{1, 5}, 1, false, time.Minute, 2},
		{"all three rooms", size{3, 9}, size{3, 9}, 3, false, time.Minute, 2},
		{"two of four rooms", size{4, 9}, size{2, 4}, 2, false, time.Minute, 5},
		{"all rooms", size{24, 160}, size{24, 160}, 24, false, time.Minute, 5},
		{"half of the people of one room", size{1, 10}, size{0, 5}, 5, false, time.Minute, 5},
		{"fewer than half", size{1, 11}, size{0, 5}, 5, false, time.Minute, 2},
		{"nine people, all of them", size{1, 9}, size{0, 9}, 9, false, time.Minute, 2},
		{"plugNmeet counts more than it lists", size{10, 80}, size{0, 1}, 1, true, time.Minute, 5},
		{"heard of two minutes before", size{10, 80}, size{1, 3}, 1, false, 2 * time.Minute, 4},
	} {
		if got := polls(new(doubts), 8, c.quiet, c.now, c.gone, c.missing, c.short); got != c.want {
			t.Errorf("%s: believed after %d polls, want %d", c.name, got, c.want)
		}
	}
}

func TestAnAbsenceIsDoubtedAnewOnceItWasListedAgain(t *testing.T) {
	var d doubts
	if got := polls(&d, 1, 0, size{10, 80}, size{1, 3}, 1, false); got != 0 {
		t.Fatalf("believed after %d", got)
	}
	d.weigh(nil, size{10, 80}, size{}, 2_000_000)
	if got := polls(&d, 3, 0, size{10, 80}, size{1, 3}, 1, false); got != 2 {
		t.Errorf("believed after %d further polls", got)
	}
}

// A thousand leave, and of a tenth of them it is not told: that is no mass drop, the others said that they left.
func TestWhoIsLeftOverOfAMassLeaveTakesTwoPolls(t *testing.T) {
	var d doubts
	d.weigh(nil, size{1, 1000}, size{}, 1_000_000)
	if got := polls(&d, 5, time.Minute, size{1, 100}, size{0, 100}, 100, false); got != 2 {
		t.Errorf("believed after %d polls", got)
	}
}

// Lies that grow from poll to poll are one lie.
func TestWhatGoesBitByBitIsAMassDropAllTheSame(t *testing.T) {
	var d doubts
	rooms := func(missing int, at room.Time) (absent []*absence) {
		for k := range missing {
			absent = append(absent, &absence{id: fmt.Sprint("s", k), whole: true, heard: 1, now: at})
		}
		return absent
	}
	for i, missing := range []int{4, 8, 9} {
		at := room.Time(1_000_000 + 30_000*i)
		absent := rooms(missing, at)
		d.weigh(absent, size{10, 10}, size{missing, missing}, at)
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
