package store

import (
	"errors"
	"testing"

	"github.com/roomwatch/roomwatch/room"
)

// A document under another session's key cannot be read as that: a board that asked for one and got the other would look for
// it for ever.
func TestADocumentOfAnotherSessionIsNotTakenForIt(t *testing.T) {
	s := openAt(t, "memory:")
	session := room.New(room.Key{Source: "default", SID: "mine"})
	session.Apply(room.Event{Source: "default", Kind: room.KindRoomCreated, SID: "mine", RoomID: "r", ID: "1", At: room.At(noon)})
	if err := s.Save(t.Context(), []*room.Session{session}, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := s.writes.Exec("UPDATE sessions SET sid = 'other'"); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Load(t.Context(), room.Key{Source: "default", SID: "other"}); !errors.Is(err, errUndecodable) {
		t.Errorf("it is read as %v, %v", got, err)
	}
}
