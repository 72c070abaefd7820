package live_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/simulate"
	"github.com/roomwatch/roomwatch/store"
)

// desk is a board over a real record, folding until the test ends.
type desk struct {
	*live.Board
	t      *testing.T
	record *store.SQLite
	stop   func()
}

func openDesk(t *testing.T, url string) *desk {
	t.Helper()
	record, err := store.Open(t.Context(), url, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	board := live.NewBoard(record, []string{"default", "other"}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- board.Run(ctx) }()
	d := &desk{Board: board, t: t, record: record}
	d.stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("board: %v", err)
		}
		if err := record.Close(); err != nil {
			t.Errorf("record: %v", err)
		}
		d.stop = func() {}
	}
	t.Cleanup(func() { d.stop() })
	<-board.Ready()
	return d
}

// deliver records bodies, and waits until the board has folded the last of them.
func (d *desk) deliver(bodies ...[]byte) {
	d.t.Helper()
	for _, body := range bodies {
		delivery, err := plugnmeet.Decode("default", body, time.Now())
		if err != nil {
			d.t.Fatal(err)
		}
		if _, err := d.record.Append(d.t.Context(), delivery); err != nil {
			d.t.Fatal(err)
		}
	}
	d.deliverEvent(room.Event{Source: "other", SID: "marker", RoomID: "marker", ID: fmt.Sprint("marker", time.Now().UnixNano()), Kind: room.KindRoomCreated, At: room.At(time.Now())})
}

// deliverEvent records an event and waits until the board shows it.
func (d *desk) deliverEvent(e room.Event) {
	d.t.Helper()
	e.Received = room.At(time.Now())
	recorded, err := d.record.Append(d.t.Context(), room.Delivery{ReceivedAt: time.Now(), Source: e.Source, ID: e.ID, Event: e.Kind.String(), RoomID: e.RoomID, SID: e.SID, Verdict: room.Accepted, Said: &e})
	if err != nil {
		d.t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for d.Position() != recorded.Position {
		if time.Now().After(deadline) {
			d.t.Fatalf("the board stays at %q, before %q", d.Position(), recorded.Position)
		}
		time.Sleep(time.Millisecond)
	}
}

func event(kind room.Kind, sid string, second int) room.Event {
	return room.Event{Source: "default", SID: sid, RoomID: "room01", ID: fmt.Sprint(kind, sid, second), Kind: kind, At: room.Time(1_795_311_000_000 + second*1000)}
}

func (d *desk) detail(sid string) room.Detail {
	d.t.Helper()
	detail, err := d.Detail(d.t.Context(), "", sid)
	if err != nil {
		d.t.Fatalf("session %s: %v", sid, err)
	}
	return detail
}

func bodies(t *testing.T, path string) [][]byte {
	t.Helper()
	file, err := os.Open(filepath.Join("..", "testdata", path))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	deliveries, err := simulate.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for _, d := range deliveries {
		out = append(out, d.Body)
	}
	return out
}

// shown is everything that the board knows of the sessions, and of what goes on.
func (d *desk) shown(sids []string) []byte {
	d.t.Helper()
	state, err := d.State(time.Time{}, 0, "")
	if err != nil {
		d.t.Fatal(err)
	}
	all := []any{state.Totals, state.Sessions}
	for _, sid := range sids {
		all = append(all, d.detail(sid))
	}
	data, err := json.Marshal(all)
	if err != nil {
		d.t.Fatal(err)
	}
	return data
}

func TestABoardEndsTheSameInAnyOrder(t *testing.T) {
	for path, sids := range map[string][]string{
		"contract/webhooks.jsonl":    {"0d6a7c1e-5f0b-4a39-9c55-2f6d0f3a9b11", "7b9e2d30-18c4-4f6a-b1d7-5a0c6e93f2d8", "c2f1b7a4-93de-4b0e-8a27-71f9c5d0e842"},
		"captures/three-rooms.jsonl": {"770aa658-cb96-4525-8930-57d5a3d2e818", "224e88ea-7d9d-46bc-968e-4c919d09dc7e"},
	} {
		var want []byte
		given := bodies(t, path)
		for seed := range uint64(15) {
			d := openDesk(t, "memory:")
			order := slices.Clone(given)
			if seed > 0 {
				order = nil
				for _, r := range simulate.Shuffled(recorded(given), seed, true) {
					order = append(order, r.Body)
				}
			}
			d.deliver(order...)
			d.deliverEvent(room.Event{Source: "other", SID: "marker", RoomID: "marker", ID: "the end", Kind: room.KindSessionEnded, At: room.At(time.Now())})
			got := d.shown(sids)
			if want == nil {
				want = got
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s, seed %d:\n%s\nin order:\n%s", path, seed, got, want)
			}
			d.stop()
		}
	}
}

func recorded(bodies [][]byte) (out []simulate.Recorded) {
	for _, body := range bodies {
		out = append(out, simulate.Recorded{Body: body})
	}
	return out
}

func TestANewSessionOfARoomEndsTheOneBefore(t *testing.T) {
	for name, order := range map[string][]room.Event{
		"old first": {event(room.KindRoomCreated, "old", 10), event(room.KindRoomStarted, "old", 11), event(room.KindRoomCreated, "new", 60), event(room.KindRoomStarted, "new", 61)},
		"new first": {event(room.KindRoomStarted, "new", 61), event(room.KindRoomCreated, "new", 60), event(room.KindRoomStarted, "old", 11), event(room.KindRoomCreated, "old", 10)},
	} {
		d := openDesk(t, "memory:")
		for _, e := range order {
			d.deliverEvent(e)
		}
		if old := d.detail("old"); old.EndedBy != room.BySuccessor || old.EndedAt.Unix() != 1_795_311_060 {
			t.Errorf("%s: the old one is %s, ended %v by %q", name, old.State, old.EndedAt, old.EndedBy)
		}
		if now := d.detail("new"); now.State != room.StateLive {
			t.Errorf("%s: the new one is %s by %s", name, now.State, now.EndedBy)
		}
		if totals := d.Totals(); totals.Rooms != 1 {
			t.Errorf("%s: %d rooms", name, totals.Rooms)
		}
	}
}

// The session that comes late finds its successor in the store: that one has long left memory.
func TestALateSessionIsSucceededByOneThatIsOnlyStored(t *testing.T) {
	url := "file:" + filepath.Join(t.TempDir(), "record.db")
	record, err := store.Open(t.Context(), url, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	long := room.New(room.Key{Source: "default", SID: "new"})
	for _, e := range []room.Event{event(room.KindRoomCreated, "new", 60), event(room.KindSessionEnded, "new", 90)} {
		long.Apply(e)
	}
	if err := record.Save(t.Context(), []*room.Session{long}, ""); err != nil {
		t.Fatal(err)
	}
	if err := record.Close(); err != nil {
		t.Fatal(err)
	}
	d := openDesk(t, url)
	d.deliverEvent(event(room.KindRoomStarted, "old", 11))
	if old := d.detail("old"); old.EndedBy != room.BySuccessor {
		t.Errorf("the old one is %s by %q", old.State, old.EndedBy)
	}
}

func TestARestartFoldsFromTheCheckpointAndEndsTheSame(t *testing.T) {
	url := "file:" + filepath.Join(t.TempDir(), "record.db")
	sids := []string{"770aa658-cb96-4525-8930-57d5a3d2e818", "224e88ea-7d9d-46bc-968e-4c919d09dc7e", "3497452e-fe9c-450a-a190-71c79287d5ed"}
	given := bodies(t, "captures/three-rooms.jsonl")
	whole := openDesk(t, "memory:")
	whole.deliver(given...)
	whole.deliverEvent(room.Event{Source: "other", SID: "marker", RoomID: "marker", ID: "the end", Kind: room.KindSessionEnded, At: room.At(time.Now())})
	want := whole.shown(sids)
	for at := 0; at < len(given); at += 60 {
		d := openDesk(t, url)
		d.deliver(given[at:min(at+60, len(given))]...)
		d.stop()
	}
	d := openDesk(t, url)
	d.deliverEvent(room.Event{Source: "other", SID: "marker", RoomID: "marker", ID: "the end", Kind: room.KindSessionEnded, At: room.At(time.Now())})
	if got := d.shown(sids); !bytes.Equal(got, want) {
		t.Errorf("with restarts\n%s\nat one go\n%s", got, want)
	}
}

func TestStateIsPagedNewestFirst(t *testing.T) {
	d := openDesk(t, "memory:")
	for i := range 7 {
		e := event(room.KindRoomStarted, fmt.Sprint("s", i), i)
		e.RoomID = fmt.Sprint("room", i)
		d.deliverEvent(e)
	}
	var got []string
	for cursor := ""; ; {
		state, err := d.State(time.Now(), 3, cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range state.Sessions {
			got = append(got, s.SID)
		}
		if cursor = state.Next; cursor == "" {
			break
		}
	}
	if want := []string{"s6", "s5", "s4", "s3", "s2", "s1", "s0"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if _, err := d.State(time.Now(), 3, "not ours"); err == nil {
		t.Error("a cursor that is not ours is taken")
	}
}
