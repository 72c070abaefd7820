package room_test

import (
	"fmt"
	"testing"

	"github.com/roomwatch/roomwatch/room"
)

// meeting is what is said of a room to which a hundred people come, each with microphone and camera; it is
// recorded, and every fourth leaves.
func meeting() []room.Event {
	events := []room.Event{event(room.KindRoomCreated, 0), event(room.KindRoomStarted, 1), event(room.KindRecordingStarted, 2, job("r1", "success", "", 0))}
	for i := range 100 {
		here := who(fmt.Sprintf("PA_%03d", i), fmt.Sprintf("u-%03d", i), 3+i)
		named := func(e *room.Event) { e.Title, e.Participant.Name = "Weekly ops", fmt.Sprintf("Person %d", i) }
		events = append(events, event(room.KindParticipantJoined, 3+i, here, named),
			event(room.KindTrackPublished, 4+i, here, track(fmt.Sprintf("TR_AM%03d", i), "microphone")),
			event(room.KindTrackPublished, 4+i, here, track(fmt.Sprintf("TR_VC%03d", i), "camera")))
		if i%4 == 0 {
			events = append(events, event(room.KindParticipantLeft, 200+i, here, named))
		}
	}
	return events
}

// BenchmarkApply folds the whole meeting; one operation is one event.
func BenchmarkApply(b *testing.B) {
	events := meeting()
	b.ReportAllocs()
	s, next := room.New(key), 0
	for b.Loop() {
		if next == len(events) {
			s, next = room.New(key), 0
		}
		s.Apply(events[next])
		next++
	}
}

// BenchmarkApplyKnown folds an event that says nothing new, as a replica does that reads the record again.
func BenchmarkApplyKnown(b *testing.B) {
	events := meeting()
	s := merged([][]room.Event{events})
	b.ReportAllocs()
	next := 0
	for b.Loop() {
		s.Apply(events[next])
		next = (next + 1) % len(events)
	}
}

func BenchmarkDetail(b *testing.B) {
	s := merged([][]room.Event{meeting()})
	b.ReportAllocs()
	for b.Loop() {
		if d := s.Detail(); d.People != 75 {
			b.Fatal(d.People)
		}
	}
}
