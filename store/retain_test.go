package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

const day = 24 * time.Hour

func mustRetain(t *testing.T, s record, now time.Time, history, bodies time.Duration) {
	t.Helper()
	if err := s.Retain(t.Context(), now, history, bodies); err != nil {
		t.Fatal(err)
	}
}

func TestRetentionTakesWhatEndedLongAgoWithAllThatIsFiledOfIt(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		var many []*room.Session
		for i := range 3*retainSessions + 1 {
			many = append(many, artifact(recorded(fmt.Sprint("old", i), i, fmt.Sprint("r", i)), fmt.Sprint("a", i), "X", i+1, nil))
		}
		mustSave(t, s, "", many...)
		mustSave(t, s, "", meeting("default", "open", "room01", "Weekly", 0, false, "Ana"), recorded("new", 10*24*60, "new"))
		mustRetain(t, s, noon.Add(10*day), 5*day, day)
		if got := sids(all(t, s, room.SessionQuery{})); !slices.Equal(got, []string{"new", "open"}) {
			t.Errorf("sessions %q", got)
		}
		for text, want := range map[string]int{"weekly": 2, "ana": 2} {
			if got := all(t, s, room.SessionQuery{Text: text}); len(got) != want {
				t.Errorf("%q finds %q", text, sids(got))
			}
			if n, err := s.CountSessions(t.Context(), room.SessionQuery{Text: text}); n != want || err != nil {
				t.Errorf("%q counts %d, %v", text, n, err)
			}
		}
		if got := recordIDs(t, s, room.RecordingQuery{}); !slices.Equal(got, []string{"new"}) {
			t.Errorf("recordings %q", got)
		}
		if n := count(t, s, "artifacts"); n != 0 {
			t.Errorf("%d artifacts", n)
		}
		if _, err := s.Load(t.Context(), room.Key{Source: "default", SID: "old1"}); !errors.Is(err, ErrNotFound) {
			t.Errorf("load: %v", err)
		}
	})
}

func TestRetentionTakesBodiesFirstAndEntriesOnlyUpToTheCheckpoint(t *testing.T) {
	forEachStore(t, func(t *testing.T, open func() *SQLite) {
		s := open()
		const old = 2*retainRows + 10
		fill(t, s, 0, old)
		late := entry(old)
		late.ReceivedAt = noon.Add(9 * day)
		mustAppend(t, s, late)
		end, err := s.End(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		checkpoint := old / 2
		mustSave(t, s, fmt.Sprint(checkpoint))
		mustRetain(t, s, noon.Add(10*day), 100*day, 5*day)
		if n := count(t, s, "deliveries WHERE body IS NOT NULL"); n != 1 {
			t.Errorf("%d bodies", n)
		}
		if d, err := s.Delivery(t.Context(), "3"); err != nil || len(d.Body) != 0 || d.ID == "" {
			t.Errorf("%s, %v", asJSON(t, d), err)
		}
		if d, err := s.Delivery(t.Context(), end); err != nil || len(d.Body) == 0 {
			t.Errorf("%s, %v", asJSON(t, d), err)
		}
		if problems, err := checkSums(t.Context(), s.reads); len(problems) != 0 || err != nil {
			t.Errorf("sums without bodies: %q, %v", problems, err)
		}
		mustRetain(t, s, noon.Add(10*day), 5*day, 5*day)
		if n := count(t, s, "deliveries"); n != old+1-checkpoint {
			t.Errorf("%d entries", n)
		}
		s.tail.from, s.tail.entries = old+1, nil // as after a restart
		inOrder(t, read(t, s, fmt.Sprint(checkpoint), old+1-checkpoint), checkpoint+1, old+1)
		mustRetain(t, s, noon.Add(10*day), 5*day, 5*day)
		kept, err := s.stored(t.Context(), int64(checkpoint))
		if err != nil {
			t.Fatal(err)
		}
		if again := mustAppend(t, s, kept[0]); again.Verdict != room.Duplicate {
			t.Errorf("an entry that is kept comes again as %s", again.Verdict)
		}
	})
}

func TestRetentionTakesNotesIntakeAndSamples(t *testing.T) {
	forEachStore(t, func(t *testing.T, open func() *SQLite) {
		s := open()
		for n := range 2*retainRows + 1 {
			if err := s.Sample(t.Context(), room.Sample{At: noon.Add(time.Duration(n) * time.Minute)}); err != nil {
				t.Fatal(err)
			}
		}
		var notes []room.Delivery
		for n := range 2*retainRows + 1 {
			note := refusal(n)
			note.ReceivedAt = noon.Add(time.Duration(n) * time.Minute)
			notes = append(notes, note)
		}
		s.writeNotes(notes)
		mustRetain(t, s, noon.Add(day+2*retainRows*time.Minute), day, day)
		for _, table := range []string{"notes", "intake", "samples"} {
			if n := count(t, s, table); n != 1 {
				t.Errorf("%d rows of %s", n, table)
			}
		}
	})
}

func TestAppendsGoBetweenTheStepsOfRetentionAndItsContextEndsIt(t *testing.T) {
	forEachStore(t, func(t *testing.T, open func() *SQLite) {
		s := open()
		fill(t, s, 0, 6*retainRows)
		mustSave(t, s, fmt.Sprint(6*retainRows))
		release := hold(t, s)
		var work sync.WaitGroup
		retained := make(chan struct{})
		work.Go(func() { mustRetain(t, s, noon.Add(10*day), day, day); close(retained) })
		work.Go(func() {
			mustAppend(t, s, entry(99_999))
			select {
			case <-retained:
				t.Error("it waited for all of it")
			default:
			}
		})
		eventually(t, "the append waits", func() bool { return len(s.appends) == 1 })
		release()
		work.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Retain(ctx, noon.Add(20*day), day, day); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	})
}

func TestListsCanBeWalkedWhileRetentionTakesTheirEnd(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		fill(t, s, 0, 600)
		var many []*room.Session
		for i := range 100 {
			many = append(many, recorded(fmt.Sprint("s", i), i*60, fmt.Sprint("r", i)))
		}
		mustSave(t, s, "600", many...)
		now := noon.Add(2 * day)
		seen, cursor := 0, ""
		for hours := 0; ; hours++ {
			page, err := s.Sessions(t.Context(), room.SessionQuery{Limit: 10, Text: "weekly", Cursor: cursor})
			if err != nil {
				t.Fatal(err)
			}
			if seen += len(page.Items); page.Next == "" {
				break
			}
			cursor = page.Next
			mustRetain(t, s, now.Add(time.Duration(hours)*time.Hour), 2*day, day)
		}
		if seen < 90 || seen > 100 {
			t.Errorf("%d seen", seen)
		}
	})
}
