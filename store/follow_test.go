package store

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/roomwatch/roomwatch/room"
)

// inOrder checks that entries are exactly those from first to last, by position.
func inOrder(t *testing.T, entries []room.Delivery, first, last int) {
	t.Helper()
	if len(entries) != last-first+1 {
		t.Fatalf("%d entries, want %d", len(entries), last-first+1)
	}
	for i, d := range entries {
		if d.Position != strconv.Itoa(first+i) {
			t.Fatalf("entry %d is at %s, want %d", i, d.Position, first+i)
		}
	}
}

func TestFollowersSeeEveryEntryInOrderWhileEightWritersAppend(t *testing.T) {
	forEachStore(t, func(t *testing.T, open func() *SQLite) {
		s := open()
		const writers, each, before = 8, 150, 700
		fill(t, s, 0, before)
		s.tail.from, s.tail.entries = before, nil // as after a restart: those are only in the table

		var work sync.WaitGroup
		for _, after := range []int{0, 3, 499, 500, 699, before} {
			work.Go(func() {
				inOrder(t, read(t, s, strconv.Itoa(after), before+writers*each-after), after+1, before+writers*each)
			})
		}
		for w := range writers {
			work.Go(func() {
				for i := range each {
					mustAppend(t, s, entry(before+w*each+i))
				}
			})
		}
		work.Wait()
	})
}

// fill appends entries from..to-1, many at a time.
func fill(t testing.TB, s record, from, to int) {
	t.Helper()
	var senders sync.WaitGroup
	for w := range 64 {
		senders.Go(func() {
			for n := from + w; n < to; n += 64 {
				mustAppend(t, s, entry(n))
			}
		})
	}
	senders.Wait()
}

func TestAFollowerLeftFarBehindTheTailReadsTheTable(t *testing.T) {
	forEachStore(t, func(t *testing.T, open func() *SQLite) {
		s := open()
		const all = 2*tailEntries + 300
		fill(t, s, 0, all)
		if s.tail.from == 0 || len(s.tail.entries) > 2*tailEntries {
			t.Errorf("the tail begins at %d with %d entries", s.tail.from, len(s.tail.entries))
		}
		inOrder(t, read(t, s, "", all), 1, all)
		inOrder(t, read(t, s, strconv.Itoa(all-1), 1), all, all)
	})
}

func TestTheTailIsBoundedInBytes(t *testing.T) {
	var tail tail
	tail.begin(0)
	for n := range 200 {
		d := entry(n)
		d.Position, d.Body = strconv.Itoa(n+1), make([]byte, 1<<20)
		held, _, _ := tail.after(tail.from)
		before := slices.Clone(held)
		tail.publish([]room.Delivery{d})
		if !reflect.DeepEqual(held, before) {
			t.Fatalf("what a follower holds has changed with entry %d", n+1)
		}
		if len(tail.entries) > 2*tailBytes>>20+1 {
			t.Fatalf("%d MiB in the tail", len(tail.entries))
		}
		if newest, _, _ := tail.after(int64(n)); len(newest) != 1 || newest[0].ID != d.ID {
			t.Fatalf("the newest of %d is not in the tail", n+1)
		}
	}
}

func TestFollowResumesAfterReopening(t *testing.T) {
	path := "file:" + filepath.Join(t.TempDir(), "r.db")
	s := openAt(t, path)
	fill(t, s, 0, 20)
	closeStore(t, s)
	s = openAt(t, path)
	if end, err := s.End(t.Context()); err != nil || end != "20" {
		t.Errorf("the end is %q, %v", end, err)
	}
	inOrder(t, read(t, s, "9", 11), 10, 20) // "9" would stand after "10" as text
	fill(t, s, 20, 25)
	inOrder(t, read(t, s, "20", 5), 21, 25)
	inOrder(t, read(t, s, "", 25), 1, 25)
}

func TestAPositionBeyondTheRecordStartsOver(t *testing.T) {
	forEachStore(t, func(t *testing.T, open func() *SQLite) {
		s := open()
		fill(t, s, 0, 5)
		inOrder(t, read(t, s, "4000", 5), 1, 5)
	})
}

func TestFollowIsNotHeldUpByEntriesThatRetentionRemoved(t *testing.T) {
	path := "file:" + filepath.Join(t.TempDir(), "r.db")
	s := openAt(t, path)
	fill(t, s, 0, 5)
	if _, err := s.writes.Exec("DELETE FROM deliveries WHERE position < 5"); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	s = openAt(t, path)
	inOrder(t, read(t, s, "2", 1), 5, 5)
	if _, err := s.writes.Exec("DELETE FROM deliveries"); err != nil {
		t.Fatal(err)
	}
	if d := mustAppend(t, s, entry(6)); d.Position != "6" {
		t.Errorf("position %s was used before", d.Position)
	}
	inOrder(t, read(t, s, "2", 1), 6, 6)
}

func TestFollowEndsWithItsContextItsReaderOrTheStore(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		mustAppend(t, s, entry(1))
		follow := func(ctx context.Context, fn func([]room.Delivery) error) <-chan error {
			ended := make(chan error, 1)
			go func() { ended <- s.Follow(ctx, "", fn) }()
			return ended
		}
		ctx, cancel := context.WithCancel(t.Context())
		seen := make(chan struct{})
		cancelled := follow(ctx, func([]room.Delivery) error { close(seen); return nil })
		<-seen
		cancel()
		if err := <-cancelled; err != context.Canceled {
			t.Errorf("cancelled: %v", err)
		}
		if err := <-follow(t.Context(), func([]room.Delivery) error { return errEnough }); err != errEnough {
			t.Errorf("its own error: %v", err)
		}
		if err := s.Follow(t.Context(), "no position", nil); err == nil || errors.Is(err, context.Canceled) {
			t.Errorf("a position that is none: %v", err)
		}
		waiting := make(chan struct{})
		closed := follow(t.Context(), func([]room.Delivery) error { close(waiting); return nil })
		<-waiting
		closeStore(t, s)
		if err := <-closed; !errors.Is(err, ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	})
}

func TestAnEmptyRecordHasNeitherEndNorCheckpoint(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		end, err := s.End(t.Context())
		checkpoint, err2 := s.Checkpoint(t.Context())
		if end != "" || checkpoint != "" || err != nil || err2 != nil {
			t.Errorf("end %q, checkpoint %q, %v, %v", end, checkpoint, err, err2)
		}
		last, err := s.LastReceived(t.Context())
		if len(last) != 0 || err != nil {
			t.Errorf("last received %v, %v", last, err)
		}
	})
}

func TestTheCheckpointNeverGoesBack(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		for _, step := range []struct{ save, want string }{{"9", "9"}, {"10", "10"}, {"9", "10"}, {"", "10"}, {"0", "10"}} {
			mustSave(t, s, step.save)
			if got, err := s.Checkpoint(t.Context()); err != nil || got != step.want {
				t.Errorf("after %q the checkpoint is %q, %v, want %q", step.save, got, err, step.want)
			}
		}
		for _, wrong := range []string{"-1", "x", "99999999999999999999"} {
			if err := s.Save(t.Context(), nil, wrong); err == nil {
				t.Errorf("%q was taken", wrong)
			}
		}
	})
}
