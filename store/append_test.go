package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

func TestAnAppendedDeliveryIsReadAsItWasRecorded(t *testing.T) {
	forEachStore(t, func(t *testing.T, open func() *SQLite) {
		s := open()
		d := entry(1)
		muted := true
		d.Said.Track = &room.TrackSaid{SID: "TR_1", Source: "microphone", Media: "audio", Muted: &muted}
		d.Said.Artifact = &room.ArtifactSaid{ID: "a", Usage: &room.ArtifactUsage{Unit: "tokens", Total: 3, EstimatedCost: 0.1 + 0.2}}
		d.ReceivedAt = d.ReceivedAt.Add(123 * time.Microsecond).In(time.FixedZone("east", 3600))
		recorded := mustAppend(t, s, d)
		bodiless := mustAppend(t, s, func() room.Delivery {
			d := entry(2)
			d.Body, d.Verdict, d.Reason = nil, room.Unknown, "names no session"
			return d
		}())

		fromMemory := read(t, s, "", 2)
		fromTable, err := s.stored(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		want := []room.Delivery{recorded, bodiless}
		if !reflect.DeepEqual(fromMemory, want) {
			t.Errorf("from memory %s\nwant %s", asJSON(t, fromMemory), asJSON(t, want))
		}
		if !reflect.DeepEqual(fromTable, want) {
			t.Errorf("from the table %s\nwant %s", asJSON(t, fromTable), asJSON(t, want))
		}
		if recorded.Position == "" || recorded.Verdict != room.Accepted || bodiless.Verdict != room.Unknown {
			t.Errorf("recorded as %s, %s", asJSON(t, recorded), asJSON(t, bodiless))
		}
	})
}

func TestOneEventIDFromFiftySendersIsOneEntry(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		verdicts := make(chan room.Verdict, 50)
		var senders sync.WaitGroup
		for range cap(verdicts) {
			senders.Go(func() {
				d, err := s.Append(t.Context(), entry(1))
				if err != nil {
					t.Error(err)
				}
				if (d.Position == "") != (d.Verdict == room.Duplicate) {
					t.Errorf("position %q with verdict %s", d.Position, d.Verdict)
				}
				verdicts <- d.Verdict
			})
		}
		senders.Wait()
		close(verdicts)
		got := make(map[room.Verdict]int)
		for v := range verdicts {
			got[v]++
		}
		if want := map[room.Verdict]int{room.Accepted: 1, room.Duplicate: 49}; !reflect.DeepEqual(got, want) {
			t.Errorf("verdicts %v, want %v", got, want)
		}
		if n := count(t, s, "deliveries"); n != 1 {
			t.Errorf("%d entries", n)
		}
	})
}

func TestOfTwoBodiesUnderOneEventIDTheFirstCounts(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		first, second := entry(1), entry(1)
		second.Body = []byte(`{"event":"participant_joined","other":true}`)
		mustAppend(t, s, first)
		same := entry(1)
		same.Position = "77" // of another record
		if again := mustAppend(t, s, same); again.Verdict != room.Duplicate || again.Reason != "" || again.Position != "" {
			t.Errorf("the same body again: %s, %q at %q", again.Verdict, again.Reason, again.Position)
		}
		if other := mustAppend(t, s, second); other.Verdict != room.Duplicate || other.Reason != room.Conflict {
			t.Errorf("another body: %s, %q", other.Verdict, other.Reason)
		}
		if stored := read(t, s, "", 1); len(stored) != 1 || string(stored[0].Body) != string(first.Body) {
			t.Errorf("stored %s", asJSON(t, stored))
		}
		elsewhere := entry(1)
		elsewhere.Source = "other"
		if d := mustAppend(t, s, elsewhere); d.Verdict != room.Accepted {
			t.Errorf("the id of another source is %s", d.Verdict)
		}
	})
}

func TestADeliveryIsLateWhenItsSourceHadSaidMuchLaterThings(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		n := 0
		verdict := func(source string, kind room.Kind, created, received time.Duration) room.Verdict {
			n++
			e := event(kind, "sid", fmt.Sprint("ev", n), noon.Add(created))
			e.Source, e.Received = source, room.At(noon.Add(received))
			return mustAppend(t, s, delivery(e)).Verdict
		}
		steps := []struct {
			claim             string
			source            string
			kind              room.Kind
			created, received time.Duration
			want              room.Verdict
		}{
			{"the first of a source", "a", room.KindRoomCreated, 0, 0, room.Accepted},
			{"created exactly 60 s before", "a", room.KindRoomCreated, -time.Minute, time.Second, room.Accepted},
			{"created more than 60 s before", "a", room.KindRoomCreated, -time.Minute - time.Millisecond, time.Second, room.Late},
			{"another source keeps its own time", "b", room.KindRoomCreated, -time.Hour, 0, room.Accepted},
			{"a clock that is an hour ahead", "a", room.KindRoomCreated, time.Hour, 2 * time.Second, room.Accepted},
			{"counts only up to its receipt", "a", room.KindRoomCreated, 0, 3 * time.Second, room.Accepted},
			{"our own entry is never late", "a", room.KindListed, -time.Hour, 4 * time.Second, room.Accepted},
			{"nor does it make others late", "a", room.KindListed, time.Hour, time.Hour, room.Accepted},
			{"as this shows", "a", room.KindRoomCreated, time.Second, time.Hour, room.Accepted},
		}
		for _, step := range steps {
			if got := verdict(step.source, step.kind, step.created, step.received); got != step.want {
				t.Errorf("%s: %s, want %s", step.claim, got, step.want)
			}
		}
	})
}

func TestLateIsJudgedWithinABatchAndAfterReopening(t *testing.T) {
	path := "file:" + filepath.Join(t.TempDir(), "r.db")
	s := openAt(t, path)
	release := hold(t, s)
	var senders sync.WaitGroup
	send := func(d room.Delivery, want room.Verdict) {
		waiting := len(s.appends)
		senders.Go(func() {
			if got := mustAppend(t, s, d).Verdict; got != want {
				t.Errorf("%s is %s, want %s", d.ID, got, want)
			}
		})
		eventually(t, "it waits", func() bool { return len(s.appends) == waiting+1 })
	}
	send(entry(1000), room.Accepted)
	send(entry(1), room.Late)
	release()
	senders.Wait()
	closeStore(t, s)
	if got := mustAppend(t, openAt(t, path), entry(2)).Verdict; got != room.Late {
		t.Errorf("after reopening: %s", got)
	}
}

func TestLastReceivedIsTheNewestReceiptOfEachSource(t *testing.T) {
	path := "file:" + filepath.Join(t.TempDir(), "r.db")
	s := openAt(t, path)
	other := entry(3)
	other.Source = "other"
	mustAppend(t, s, entry(9))
	mustAppend(t, s, entry(5)) // received before the other
	mustAppend(t, s, other)
	poll := delivery(event(room.KindListed, "sid-1", "poll", noon.Add(time.Hour)))
	mustAppend(t, s, poll)
	check := func(s *SQLite) {
		t.Helper()
		last, err := s.LastReceived(t.Context())
		if want := map[string]time.Time{"default": entry(9).ReceivedAt, "other": other.ReceivedAt}; err != nil || !reflect.DeepEqual(last, want) {
			t.Errorf("last received %v, %v, want %v", last, err, want)
		}
	}
	check(s)
	closeStore(t, s)
	check(openAt(t, path))
}

func TestAnAppendGivesUpWithItsContextAndTheRetryIsADuplicate(t *testing.T) {
	forEachStore(t, func(t *testing.T, open func() *SQLite) {
		s := open()
		release := hold(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		answer := make(chan error)
		go func() {
			_, err := s.Append(ctx, entry(1))
			answer <- err
		}()
		eventually(t, "it waits", func() bool { return len(s.appends) == 1 })
		cancel()
		if err := <-answer; !errors.Is(err, context.Canceled) {
			t.Errorf("answer %v", err)
		}
		release()
		read(t, s, "", 1)
		if d := mustAppend(t, s, entry(1)); d.Verdict != room.Duplicate {
			t.Errorf("the retry is %s", d.Verdict)
		}
	})
}

func TestADeliveryThatSaysNothingIsRefused(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		for _, spoil := range []func(*room.Delivery){func(d *room.Delivery) { d.Said = nil }, func(d *room.Delivery) { d.ID = "" }} {
			d := entry(1)
			spoil(&d)
			if _, err := s.Append(t.Context(), d); err == nil {
				t.Error("it was taken")
			}
		}
	})
}

func TestNotesAreKeptWithoutBodiesTheNewestTenThousand(t *testing.T) {
	forEachStore(t, func(t *testing.T, open func() *SQLite) {
		s := open()
		notes := make([]room.Delivery, maxNotes+50)
		for i := range notes {
			notes[i] = room.Delivery{ReceivedAt: noon, Source: "default", ID: fmt.Sprint(i), Verdict: room.Refused, Reason: "not signed"}
		}
		s.writeNotes(notes)
		if n := count(t, s, "notes"); n != maxNotes {
			t.Errorf("%d notes", n)
		}
		d := entry(1)
		d.Verdict = room.Duplicate
		s.Note(d)
		var newest string
		eventually(t, "the note is written", func() bool {
			if err := s.reads.QueryRow("SELECT id FROM notes ORDER BY row DESC LIMIT 1").Scan(&newest); err != nil {
				t.Fatal(err)
			}
			return newest == d.ID
		})
		if n := count(t, s, "notes"); n != maxNotes {
			t.Errorf("%d notes", n)
		}
	})
}

func TestANoteNeverWaitsAndALostOneIsCounted(t *testing.T) {
	forEachStore(t, func(t *testing.T, open func() *SQLite) {
		s := open()
		release := hold(t, s)
		const sent = 3 * maxWaiting
		for i := range sent {
			s.Note(room.Delivery{ReceivedAt: noon, ID: fmt.Sprint(i), Verdict: room.Unreadable})
		}
		release()
		lost := int(s.NotesDropped())
		if lost < sent-2*maxWaiting || lost > sent-maxWaiting {
			t.Errorf("%d of %d lost", lost, sent)
		}
	})
}

func TestNotesThatWaitAreWrittenAtClose(t *testing.T) {
	path := "file:" + filepath.Join(t.TempDir(), "r.db")
	s := openAt(t, path)
	for i := range 700 {
		s.Note(room.Delivery{ReceivedAt: noon, ID: fmt.Sprint(i), Verdict: room.Unreadable})
	}
	closeStore(t, s)
	if n := count(t, openAt(t, path), "notes"); n != 700 {
		t.Errorf("%d notes", n)
	}
}
