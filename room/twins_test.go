package room_test

import (
	"strings"
	"testing"

	"github.com/roomwatch/roomwatch/room"
)

// polled is what a poll says of somebody, or of what they publish.
func polled(at int, more ...func(*room.Event)) room.Event {
	return event(room.KindListed, at, append(more, alive(at))...)
}

// PA_1 is the connection that deliveries tell of, PA_twin what the API lists.
func TestWhoIsListedOnATwinIsWhereDeliveriesSayUntilTheyLeave(t *testing.T) {
	created := event(room.KindRoomCreated, 0)
	joined := event(room.KindParticipantJoined, 10, who("PA_1", "u1", 10))
	twin := func(at, since int) room.Event { return polled(at, who("PA_twin", "u1", since)) }
	left := event(room.KindParticipantLeft, 100, who("PA_1", "u1", 10), reason("CLIENT_INITIATED"))
	for name, c := range map[string]struct {
		events []room.Event
		want   string // the connections, an open one with a +
	}{
		"listed first, joined told late":            {[]room.Event{created, twin(50, 12), joined}, "PA_1+"},
		"and left":                                  {[]room.Event{created, twin(50, 12), joined, left}, "PA_1"},
		"the join was never told":                   {[]room.Event{created, twin(50, 12), left}, "PA_1"},
		"nothing was told":                          {[]room.Event{created, twin(50, 12)}, "PA_twin+"},
		"listed long after leaving":                 {[]room.Event{created, twin(50, 12), joined, left, twin(200, 12)}, "PA_1 PA_twin+"},
		"it came at the end: connected again":       {[]room.Event{created, twin(150, 99), joined, left}, "PA_1 PA_twin+"},
		"told late, as after a crash":               {[]room.Event{created, twin(95, 92), joined, left}, "PA_1 PA_twin+"},
		"its double, however early":                 {[]room.Event{created, twin(50, 40), joined, event(room.KindParticipantLeft, 100, who("PA_1", "u1", 10), reason("DUPLICATE_IDENTITY"))}, "PA_1 PA_twin+"},
		"a short visit":                             {[]room.Event{created, twin(15, 12), joined, event(room.KindParticipantLeft, 20, who("PA_1", "u1", 10))}, "PA_1"},
		"began before the one that is told":         {[]room.Event{created, twin(50, 12), event(room.KindParticipantJoined, 60, who("PA_1", "u1", 60))}, "PA_twin PA_1+"},
		"after the next of two connections, unsaid": {[]room.Event{created, joined, event(room.KindParticipantJoined, 60, who("PA_2", "u1", 60)), twin(70, 30)}, "PA_1 PA_2+"},
	} {
		d := of(t, c.events...)
		var got []string
		for _, connection := range participant(t, d, "u1").Connections {
			sid := connection.SID
			if connection.Open {
				sid += "+"
			}
			got = append(got, sid)
		}
		if strings.Join(got, " ") != c.want || d.PeakPeople != 1 {
			t.Errorf("%s: %q, peak %d, want %q", name, got, d.PeakPeople, c.want)
		}
	}
}

// A check found somebody gone, and then a delivery told of a track of theirs.
func TestADeliveryOfLaterSaysThatAnAbsenceWasNone(t *testing.T) {
	created, joined := event(room.KindRoomCreated, 0), event(room.KindParticipantJoined, 10, who("PA_1", "u1", 10))
	absent := event(room.KindAbsent, 50, who("PA_1", "u1", 0))
	for name, c := range map[string]struct {
		more   room.Event
		online bool
	}{
		"nothing":                        {event(room.KindRoomStarted, 1), false},
		"a track of before":              {event(room.KindTrackPublished, 40, who("PA_1", "u1", 0), track("TR_1", "camera")), false},
		"as much as clocks may differ":   {event(room.KindTrackUnpublished, 54, who("PA_1", "u1", 0), track("TR_1", "camera")), false},
		"a track of after":               {event(room.KindTrackPublished, 60, who("PA_1", "u1", 0), track("TR_1", "camera")), true},
		"a track of after, on a twin":    {event(room.KindTrackPublished, 60, who("PA_twin", "u1", 0), track("TR_1", "camera")), true},
		"a track of after, of another":   {event(room.KindTrackPublished, 60, who("PA_2", "u2", 0), track("TR_1", "camera")), false},
		"that a check found a track":     {polled(60, who("PA_1", "u1", 0), track("TR_1", "camera")), false},
		"that they left after it":        {event(room.KindParticipantLeft, 70, who("PA_1", "u1", 10)), false},
		"that they are listed once more": {polled(60, who("PA_1", "u1", 10)), true},
	} {
		if p := participant(t, of(t, created, joined, absent, c.more), "u1"); p.Online != c.online {
			t.Errorf("%s: online %v, %+v", name, p.Online, p.Connections)
		}
	}
	missed := event(room.KindAbsent, 90, who("PA_1", "u1", 0))
	if p := participant(t, of(t, created, joined, absent, event(room.KindTrackPublished, 60, who("PA_1", "u1", 0), track("TR_1", "camera")), missed), "u1"); p.Online {
		t.Error("a later absence counts")
	}
}
