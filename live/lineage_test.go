package live

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// A connection that two sessions of a room know is the earlier one's, whichever was heard of first, and whatever comes
// between: within two minutes nothing else tells.
func TestTheLaterSessionIsToldWhichConnectionsAreTheEarlierOnes(t *testing.T) {
	began := time.Now().Add(-time.Hour)
	at := func(second int) room.Time { return room.At(began.Add(time.Duration(second) * time.Second)) }
	tell := func(kind room.Kind, sid string, second int, connection string) room.Event {
		e := room.Event{Kind: kind, SID: sid, RoomID: "r1", ID: fmt.Sprint(kind, sid, second, connection), At: at(second)}
		if connection != "" {
			e.Participant = &room.ParticipantSaid{SID: connection, Identity: "of " + connection}
		}
		return e
	}
	events := []room.Event{
		tell(room.KindRoomCreated, "first", 0, ""), tell(room.KindParticipantJoined, "first", 5, "PA_1"),
		tell(room.KindSessionEnded, "first", 60, ""), tell(room.KindRoomCreated, "second", 62, ""),
		tell(room.KindParticipantLeft, "second", 61, "PA_1"), tell(room.KindParticipantJoined, "second", 66, "PA_2"),
	}
	for seed := range uint64(50) {
		b := NewBoard(nil, []string{"default"}, nil)
		for _, i := range rand.New(rand.NewPCG(seed, 1)).Perm(len(events)) {
			b.hear(began.Add(70*time.Second), events[i])
			b.catchUp()
		}
		second := b.sessions[room.Key{Source: "default", SID: "second"}].session.Detail()
		if len(second.Participants) != 1 || second.People != 1 || second.LeftOut != 1 {
			t.Fatalf("seed %d: %d left out, %+v", seed, second.LeftOut, second.Participants)
		}
	}
}

// Of many sessions of one room each is told of its nearest, in whatever order they come.
func TestEverySessionOfARoomIsSucceededByTheNext(t *testing.T) {
	began := time.Now().Add(-24 * time.Hour)
	b := NewBoard(nil, []string{"default"}, nil)
	const sessions = 300
	for _, n := range rand.New(rand.NewPCG(7, 1)).Perm(sessions) {
		at := began.Add(time.Duration(n) * time.Minute)
		b.hear(at, room.Event{Kind: room.KindRoomCreated, SID: fmt.Sprint("s", n), RoomID: "r1", ID: fmt.Sprint("c", n), At: room.At(at)})
		b.hear(at, room.Event{Kind: room.KindRoomStarted, SID: fmt.Sprint("s", n), RoomID: "r1", ID: fmt.Sprint("st", n), At: room.At(at) + 1000})
		b.catchUp()
	}
	for n := range sessions - 1 {
		d := b.sessions[room.Key{Source: "default", SID: fmt.Sprint("s", n)}].session.Detail()
		if next := room.At(began.Add(time.Duration(n+1) * time.Minute)); d.EndedBy != room.BySuccessor || room.At(d.EndedAt) != next {
			t.Fatalf("session %d is ended by %q at %v, the next was created at %v", n, d.EndedBy, d.EndedAt, next.Time())
		}
	}
	if len(b.open) != 1 {
		t.Errorf("%d go on", len(b.open))
	}
}
