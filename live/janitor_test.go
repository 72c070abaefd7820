package live_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// heardAgo records an event that was received so long ago, and waits until the board shows it.
func (d *desk) heardAgo(ago time.Duration, e room.Event) {
	d.t.Helper()
	received := time.Now().Add(-ago)
	e.Received, e.At = room.At(received), room.At(received)
	_, err := d.record.Append(d.t.Context(), room.Delivery{ReceivedAt: received, Source: e.Source, ID: e.ID, Event: e.Kind.String(), RoomID: e.RoomID, SID: e.SID, Verdict: room.Accepted, Said: &e})
	if err != nil {
		d.t.Fatal(err)
	}
	d.deliver()
}

func (d *desk) await(what string, fact func() bool) {
	d.t.Helper()
	for deadline := time.Now().Add(time.Minute); !fact(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			d.t.Fatalf("never: %s", what)
		}
	}
}

func TestARoomThatNobodySpeaksOfIsUnverifiedAndThenEnded(t *testing.T) {
	d := openDesk(t, "memory:")
	janitor := live.NewJanitor(d.Board, d.record, live.JanitorConfig{Unverified: time.Hour, Ended: 24 * time.Hour, Log: slog.New(slog.DiscardHandler)})
	person := &room.ParticipantSaid{SID: "PA_1", Identity: "u1", Name: "Ana"}
	for sid, ago := range map[string]time.Duration{"fresh": 59 * time.Minute, "silent": 2 * time.Hour, "dead": 25 * time.Hour} {
		d.heardAgo(ago, room.Event{Source: "default", SID: sid, RoomID: sid, ID: sid, Kind: room.KindParticipantJoined, Participant: person})
	}
	trust := func(sid string) room.Trust { return d.detail(sid).Trust }
	d.await("a room that is silent for two hours is unverified", func() bool { return trust("silent") == room.TrustUnverified })
	if trust("fresh") != room.TrustUnconfirmed {
		t.Errorf("a room that was heard of in the last hour is %s", trust("fresh"))
	}
	if err := janitor.Look(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	d.await("the janitor ends a room that is silent for a day", func() bool { return d.detail("dead").State == room.StateEnded })
	dead := d.detail("dead")
	if dead.EndedBy != room.ByJanitor || len(dead.Corrections) != 1 || dead.Corrections[0].What != room.Silent || dead.Corrections[0].PeopleGone != 1 {
		t.Errorf("%+v, %+v", dead.Head, dead.Corrections)
	}
	if !dead.EndedAt.Equal(dead.LastEventAt) {
		t.Errorf("it ended at %v, and was last heard of at %v", dead.EndedAt, dead.LastEventAt)
	}
	if err := janitor.Look(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	d.deliver()
	if n := len(d.detail("dead").Corrections); n != 1 {
		t.Errorf("it was ended %d times", n)
	}
	for _, sid := range []string{"fresh", "silent"} {
		if d.detail(sid).State != room.StateLive {
			t.Errorf("%s is %s", sid, d.detail(sid).State)
		}
	}
}

// Row 46: by a clock that cannot be believed nobody knows for how long nothing was heard.
func TestFault46TheJanitorEndsNothingByAClockThatIsNotSteady(t *testing.T) {
	d := openDesk(t, "memory:")
	wrong := errors.New("a year ahead")
	janitor := live.NewJanitor(d.Board, d.record, live.JanitorConfig{Unverified: time.Hour, Ended: 24 * time.Hour, Log: slog.New(slog.DiscardHandler),
		Steady: func(context.Context) error { return wrong }})
	d.heardAgo(25*time.Hour, room.Event{Source: "default", SID: "s", RoomID: "s", ID: "s", Kind: room.KindRoomStarted})
	look := func() room.State {
		if err := janitor.Look(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		d.deliver()
		return d.detail("s").State
	}
	if state := look(); state != room.StateLive {
		t.Errorf("by a wrong clock it is %s", state)
	}
	wrong = nil
	if state := look(); state != room.StateEnded {
		t.Errorf("by one that is steady it is %s", state)
	}
}
