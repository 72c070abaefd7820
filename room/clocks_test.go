package room_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/roomwatch/roomwatch/room"
)

// lags are those of n deliveries of either kind on a steady network, by clocks that are so many seconds ahead of ours.
func lags(t *rapid.T, plugnmeet, livekit room.Time, n int) (out []room.Lag) {
	for range n {
		way := func(most int) room.Time { return room.Time(rapid.IntRange(0, most).Draw(t, "on the way")) }
		out = append(out, room.Lag{Lag: way(1500) - 1000*plugnmeet}, room.Lag{LiveKit: true, Lag: way(2500) - 1000*livekit})
	}
	return out
}

func TestClocksAreMeasuredToWithinThreeSecondsByMostDeliveries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plugnmeet, livekit := room.Time(rapid.IntRange(-60, 60).Draw(t, "plugNmeet")), room.Time(rapid.IntRange(-180, 180).Draw(t, "LiveKit"))
		many := lags(t, plugnmeet, livekit, 30)
		for range 9 { // were held up, or are of another day
			many = append(many, room.Lag{LiveKit: rapid.Bool().Draw(t, "whose"), Lag: room.Time(rapid.IntRange(-60_000, 90_000).Draw(t, "odd"))})
		}
		c, ok := room.Measure(rapid.Permutation(many).Draw(t, "order"))
		near := func(got, want room.Time) bool { return got-1000*want <= 3000 && 1000*want-got <= 3000 }
		if !ok || !near(c.Skew, livekit-plugnmeet) || !near(c.PlugNmeet, plugnmeet) || !near(c.LiveKit(), livekit) {
			t.Fatalf("%+v, %v, of %d and %d", c, ok, plugnmeet, livekit)
		}
	})
}

func TestNoClockIsMeasuredByFewDeliveriesOrByThoseThatDoNotAgree(t *testing.T) {
	few := []room.Lag{{Lag: 100}, {LiveKit: true, Lag: 10_000}}
	if c, ok := room.Measure(few); ok {
		t.Errorf("by two deliveries: %+v", c)
	}
	var day []room.Lag // a meeting of five minutes that is posted at once
	for i := range room.Time(60) {
		day = append(day, room.Lag{LiveKit: i%5 != 0, Lag: 60_000 - i*1000})
	}
	if c, ok := room.Measure(day); ok {
		t.Errorf("by a meeting that is posted at once: %+v", c)
	}
}

func TestOnlyWhatIsFreshTellsOfAClock(t *testing.T) {
	received := sec(1000)
	for name, c := range map[string]struct {
		e  room.Event
		ok bool
	}{
		"plugNmeet's own":             {event(room.KindRoomCreated, 999), true},
		"LiveKit's":                   {event(room.KindParticipantJoined, 880), true},
		"of yesterday":                {event(room.KindParticipantJoined, 0), false},
		"plugNmeet's, minutes late":   {event(room.KindRoomCreated, 700), false},
		"our own":                     {event(room.KindListed, 999), false},
		"of a kind that is not known": {event(room.KindOther, 999), false},
	} {
		if l, ok := room.LagOf(c.e, received); ok != c.ok || ok && l.Lag != received-c.e.At {
			t.Errorf("%s: %v %v", name, l, ok)
		}
	}
	unusable := event(room.KindRoomCreated, 1000) // its created_at could not be used, the time of receipt stands in
	unusable.Received = received
	if _, ok := room.LagOf(unusable, received); ok {
		t.Error("the time of receipt was taken for a clock")
	}
}
