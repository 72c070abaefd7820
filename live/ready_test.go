package live_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/store"
)

// held is a record that saves no session before it may.
type held struct {
	*store.SQLite
	may chan struct{}
}

func (h *held) Save(ctx context.Context, sessions []*room.Session, checkpoint string) error {
	if len(sessions) > 0 {
		<-h.may
	}
	return h.SQLite.Save(ctx, sessions, checkpoint)
}

// After a crash there are entries that no document has. Whoever asks lists as soon as the board is ready finds them.
func TestABoardIsReadyWhenListsHaveWhatItFoldedAtStart(t *testing.T) {
	url := "file:" + filepath.Join(t.TempDir(), "record.db")
	open := func() *store.SQLite {
		record, err := store.Open(t.Context(), url, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return record
	}
	const sessions = 300
	record := open()
	for n := range sessions {
		e := event(room.KindRoomCreated, fmt.Sprint("s", n), n)
		e.RoomID = e.SID
		_, err := record.Append(t.Context(), room.Delivery{ReceivedAt: time.Now(), Source: e.Source, ID: e.ID, Event: e.Kind.String(),
			RoomID: e.RoomID, SID: e.SID, Verdict: room.Accepted, Said: &e})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := record.Close(); err != nil {
		t.Fatal(err)
	}
	h := &held{open(), make(chan struct{})}
	board := live.NewBoard(h, []string{"default"}, slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- board.Run(ctx) }()
	for deadline := time.Now().Add(time.Minute); board.Totals().Rooms < sessions; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never folded")
		}
	}
	select {
	case <-board.Ready():
		t.Error("ready before what it folded was saved")
	default:
	}
	close(h.may)
	<-board.Ready()
	if n, err := h.CountSessions(t.Context(), room.SessionQuery{}); err != nil || n != sessions {
		t.Errorf("ready, and %d of %d sessions are listed: %v", n, sessions, err)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}
