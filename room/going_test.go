package room_test

import (
	"testing"

	"github.com/roomwatch/roomwatch/room"
)

func going(what string) func(*room.Event) { return func(e *room.Event) { e.Going = what } }

func TestWhatBeganUnseenGoesOnUntilSomethingSaysOtherwise(t *testing.T) {
	created, joined := event(room.KindRoomCreated, 0), event(room.KindParticipantJoined, 1, who("PA_1", "u1", 1))
	start, end := room.KindRecordingStarted, room.KindRecordingEnded
	found := func(at int) room.Event { return event(room.KindListed, at, going(room.GoingRecording)) }
	over := func(at int) room.Event { return event(room.KindAbsent, at, going(room.GoingRecording)) }
	file := event(room.KindRecordingProceeded, 400, job("r1", "success", "r1.mp4", 1))
	for name, c := range map[string]struct {
		events []room.Event
		active int
		since  int
		all    int
	}{
		"found":                              {[]room.Event{found(100)}, 1, 100, 1},
		"found again and again":              {[]room.Event{found(130), found(100), found(160)}, 1, 100, 1},
		"and over":                           {[]room.Event{found(100), over(200)}, 0, 0, 0},
		"and another one":                    {[]room.Event{found(100), over(200), found(300)}, 1, 300, 1},
		"its start is told":                  {[]room.Event{found(100), event(start, 60, job("r1", "success", "", 0))}, 1, 60, 1},
		"its end is told":                    {[]room.Event{found(100), event(end, 200, job("r1", "success", "", 0))}, 0, 0, 1},
		"its file is told":                   {[]room.Event{found(100), file}, 0, 0, 1},
		"one before it was told whole":       {[]room.Event{event(start, 10, job("r0", "success", "", 0)), event(end, 50, job("r0", "success", "", 0)), found(100)}, 1, 100, 2},
		"the file of the one before is late": {[]room.Event{event(start, 10, job("r1", "success", "", 0)), event(end, 50, job("r1", "success", "", 0)), found(100), file}, 1, 100, 2},
		"found again after a known end":      {[]room.Event{found(100), event(end, 200, job("r1", "success", "", 0)), found(300)}, 1, 300, 2},
		"the session is over":                {[]room.Event{found(100), event(room.KindSessionEnded, 200)}, 0, 0, 0},
		"a stream":                           {[]room.Event{event(room.KindListed, 100, going(room.GoingStream))}, 0, 0, 0},
	} {
		d := of(t, append([]room.Event{created, joined}, c.events...)...)
		sum := d.Summary()
		if sum.RecordingsActive != c.active || len(d.Recordings) != c.all || c.since != 0 && room.At(sum.RecordingSince) != sec(c.since) {
			t.Errorf("%s: %d active since %v: %+v", name, sum.RecordingsActive, sum.RecordingSince, d.Recordings)
		}
		if stream := sum.StreamsActive == 1; stream != (name == "a stream") {
			t.Errorf("%s: streams %+v", name, d.Streams)
		}
	}
}

func TestNothingGoesOnInASessionThatWasNeverSeenToLive(t *testing.T) {
	d := of(t, event(room.KindListed, 100, going(room.GoingRecording)))
	if d.State != room.StateEnded || d.Summary().RecordingsActive != 0 {
		t.Errorf("%s, %+v", d.State, d.Recordings)
	}
}

// A recording's own end is better evidence than a check's, whichever comes first.
func TestTheEndOfAJobIsItsOwn(t *testing.T) {
	started := event(room.KindRecordingStarted, 10, job("r1", "success", "", 0))
	absent := event(room.KindAbsent, 50, job("r1", "", "", 0), going(room.GoingRecording))
	own := event(room.KindRecordingEnded, 90, job("r1", "success", "", 0))
	if d := of(t, started, absent); d.Summary().RecordingsActive != 0 || room.At(d.Recordings[0].EndedAt) != sec(50) {
		t.Errorf("%+v", d.Recordings)
	}
	if d := of(t, started, absent, own); room.At(d.Recordings[0].EndedAt) != sec(90) {
		t.Errorf("%+v", d.Recordings)
	}
	stream := event(room.KindStreamStarted, 10, job("s1", "success", "", 0))
	if d := of(t, stream, event(room.KindAbsent, 50, job("s1", "", "", 0), going(room.GoingStream))); d.Summary().StreamsActive != 0 || len(d.Recordings) != 0 {
		t.Errorf("%+v %+v", d.Streams, d.Recordings)
	}
}
