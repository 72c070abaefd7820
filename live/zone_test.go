package live

import (
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

func TestTheZoneOfTheDatabaseIsLearntFromSessionsThatAreKnownBothWays(t *testing.T) {
	noon := room.At(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	minutes := func(n int) room.Time { return room.Time(n) * 60_000 }
	other := func(at, offset int) stamp { return stamp{noon + minutes(at+offset), noon + minutes(at)} }
	for name, c := range map[string]struct {
		said, ended int // of the session, in minutes from noon
		others      []stamp
		want        int // -1: not known
	}{
		"UTC":                           {10, 40, []stamp{other(0, 0)}, 10},
		"two hours ahead":               {130, 40, []stamp{other(0, 120)}, 10},
		"five hours behind":             {-290, 40, []stamp{other(0, -300)}, 10},
		"half past":                     {340, 40, []stamp{other(0, 330)}, 10},
		"a quarter to":                  {355, 40, []stamp{other(0, 345)}, 10},
		"known a minute later":          {130, 40, []stamp{{noon + minutes(120), noon + 59_000}}, 10},
		"nobody is known":               {130, 40, nil, -1},
		"known in no zone":              {130, 40, []stamp{other(0, 127)}, -1},
		"known on another day":          {130, 40, []stamp{other(0, 24*60)}, -1},
		"it would end before it began":  {130, 40, []stamp{other(0, 60)}, -1},
		"it ended as soon as it began":  {160, 40, []stamp{{noon + minutes(120), noon + 400}}, 40},
		"the season's zone has changed": {130, 40, []stamp{other(-60*24*40, 60), other(-60, 120)}, 10},
		"not stamped":                   {-int(noon / 60_000), 40, []stamp{other(0, 0)}, -1},
	} {
		got := createdAt(noon+minutes(c.said), noon+minutes(c.ended), c.others)
		if want := noon + minutes(c.want); c.want == -1 && got != 0 || c.want != -1 && got != want {
			t.Errorf("%s: %v, want %v", name, got.Time(), want.Time())
		}
	}
}

func TestAPollIsDatedByEachClock(t *testing.T) {
	began := time.UnixMilli(1_795_309_200_500)
	at := room.At(began)
	for name, c := range map[string]struct {
		ahead              time.Duration
		measured           *room.Clocks
		plugnmeet, livekit room.Time
	}{
		"alike":                     {0, nil, at, at},
		"by its answer":             {time.Minute, nil, at + 59_000, at + 59_000},
		"by its answer, behind":     {-time.Minute, nil, at - 60_000, at - 60_000},
		"as deliveries show":        {time.Minute, &room.Clocks{PlugNmeet: -30_000, Skew: 50_000}, at - 30_000, at + 19_000},
		"deliveries take a moment":  {0, &room.Clocks{PlugNmeet: -700, Skew: -400}, at, at},
		"an hour ahead, both":       {time.Hour, &room.Clocks{PlugNmeet: 3_600_000}, at + 3_599_000, at + 3_599_000},
		"LiveKit's alone is behind": {0, &room.Clocks{Skew: -8_000}, at, at - 8_000},
	} {
		b := NewBoard(nil, []string{"default"}, nil)
		if c.measured != nil {
			b.clocked(&room.Event{Source: "default", Kind: room.KindClocks, At: 1, Clocks: c.measured})
		}
		if got := b.instantOf("default", Poll{Began: began, Ahead: c.ahead}); got != (instant{at, c.plugnmeet, c.livekit}) {
			t.Errorf("%s: %+v, want %d, %d", name, got, c.plugnmeet-at, c.livekit-at)
		}
	}
}
