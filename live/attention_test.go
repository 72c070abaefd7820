package live

import (
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// hear folds an event of the source default that was received at a time.
func (b *Board) hear(received time.Time, e room.Event) {
	e.Source, e.Received = "default", room.At(received)
	key := room.Key{Source: e.Source, SID: e.SID}
	if e.SID != "" && b.sessions[key] == nil {
		b.place(room.New(key), nil, true)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.take(room.Delivery{ReceivedAt: received, Source: e.Source, ID: e.ID, SID: e.SID, RoomID: e.RoomID, Verdict: room.Accepted, Said: &e})
	b.behind = true
}

func concernsOf(alarms []room.Alarm) (out []room.Concern) {
	for _, a := range alarms {
		out = append(out, a.Concern)
	}
	return out
}

func TestASourceIsNotSilentWhileItsAPIConfirmsItsRooms(t *testing.T) {
	now := time.Now()
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	for name, c := range map[string]struct {
		polled time.Duration // ago; 0: never
		silent bool
	}{"it has no API": {0, true}, "just now": {20 * time.Second, false}, "three polls ago": {95 * time.Second, true}} {
		b := NewBoard(nil, []string{"default"}, nil)
		b.hear(ago(time.Hour), room.Event{SID: "s1", RoomID: "r1", ID: "e1", Kind: room.KindRoomStarted, At: room.At(ago(time.Hour))})
		if c.polled != 0 {
			b.expect("default", 30*time.Second)
			b.hear(ago(c.polled), room.Event{ID: "p1", Kind: room.KindPolled, At: room.At(ago(c.polled)), Poll: &room.PollSaid{Rooms: 1}})
		}
		silent := false
		for _, concern := range concernsOf(b.trouble(now, room.DefaultLimits)) {
			silent = silent || concern == room.ConcernSourceSilent
		}
		if silent != c.silent {
			t.Errorf("%s: silent %v", name, silent)
		}
	}
}

// Two minutes of a recording without people are two minutes of ours, once the clocks are known to differ.
func TestAlarmsOfTheBoardGoByMeasuredClocks(t *testing.T) {
	now := time.Now()
	b := NewBoard(nil, []string{"default"}, nil)
	const behind = 110 * time.Second // LiveKit's clock
	tell := func(ago time.Duration, kind room.Kind, change func(*room.Event)) {
		e := room.Event{SID: "s1", RoomID: "r1", ID: kind.String(), Kind: kind, At: room.At(now.Add(-ago))}
		change(&e)
		b.hear(now.Add(-ago), e)
	}
	person := func(e *room.Event) {
		e.At -= room.Time(behind.Milliseconds())
		e.Participant = &room.ParticipantSaid{SID: "PA_1", Identity: "u1"}
	}
	tell(time.Hour, room.KindRoomCreated, func(*room.Event) {})
	tell(59*time.Minute, room.KindParticipantJoined, person)
	tell(58*time.Minute, room.KindRecordingStarted, func(e *room.Event) { e.Job = &room.JobSaid{RecordID: "r"} })
	tell(30*time.Second, room.KindParticipantLeft, person)
	if got := b.trouble(now, room.DefaultLimits); len(got) != 1 {
		t.Fatalf("the clocks are not measured, and the recording goes on for two minutes and more by LiveKit's: %v", concernsOf(got))
	}
	b.hear(now, room.Event{ID: "c1", Kind: room.KindClocks, At: room.At(now), Clocks: &room.Clocks{Skew: -room.Time(behind.Milliseconds())}})
	if got := b.trouble(now, room.DefaultLimits); len(got) != 0 {
		t.Errorf("it was left half a minute ago: %v", concernsOf(got))
	}
}
