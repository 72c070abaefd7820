package live

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// slowLoad is a record in which something happens while a session is loaded.
type slowLoad struct {
	Record
	meanwhile func()
}

func (r slowLoad) Load(_ context.Context, key room.Key) (*room.Session, error) {
	r.meanwhile()
	return room.New(key), nil
}

func (slowLoad) AsOf() time.Time { return time.Time{} }

// A batch speaks of a session that ended long ago and is in memory, and of one that has to be loaded. While that is
// loaded, the first is forgotten.
func TestABatchIsFoldedThoughASessionIsForgottenMeanwhile(t *testing.T) {
	record := &slowLoad{}
	b := NewBoard(record, []string{"default"}, slog.New(slog.DiscardHandler))
	now := time.Now()
	ended := room.Event{Source: "default", SID: "old", RoomID: "r", Kind: room.KindSessionEnded, ID: "e1", At: room.At(now), Received: room.At(now)}
	b.hear(now, ended)
	b.catchUp()
	clear(b.dirty) // it was saved
	times := 0
	record.meanwhile = func() {
		if times++; times == 1 {
			b.forget(now.Add(24 * time.Hour))
		}
	}
	fresh := room.Event{Source: "default", SID: "new", RoomID: "r", Kind: room.KindRoomCreated, ID: "e2", At: room.At(now), Received: room.At(now)}
	batch := []room.Delivery{{Position: "1", Source: "default", SID: "old", ReceivedAt: now, Said: &ended}, {Position: "2", Source: "default", SID: "new", ReceivedAt: now, Said: &fresh}}
	if err := b.fold(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if times != 2 || b.sessions[room.Key{Source: "default", SID: "old"}] == nil {
		t.Errorf("loaded %d times, the old one is %v", times, b.sessions[room.Key{Source: "default", SID: "old"}])
	}
}
