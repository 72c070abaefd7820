package store

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

func TestIntakeCountsEachDeliveryOnceByItsMinuteSourceAndVerdict(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		fill(t, s, 0, 90) // received a second after they were created
		other := entry(500)
		other.Source = "another"
		mustAppend(t, s, other)
		mustAppend(t, s, delivery(event(room.KindListed, "sid-1", "poll", noon))) // our own
		again := mustAppend(t, s, entry(3))
		s.Note(again)
		s.Note(refusal(30))
		eventually(t, "the notes are written", func() bool { return s.Noted() == 2 })
		minute := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
		want := []room.IntakeCount{
			{Minute: minute(0), Source: "", Verdict: room.Refused, N: 1},
			{Minute: minute(0), Source: "default", Verdict: room.Accepted, N: 59},
			{Minute: minute(0), Source: "default", Verdict: room.Duplicate, N: 1},
			{Minute: minute(1), Source: "default", Verdict: room.Accepted, N: 31},
			{Minute: minute(8), Source: "another", Verdict: room.Accepted, N: 1},
		}
		got, err := s.Intake(t.Context(), noon.Add(20*time.Second))
		sum := 0
		for _, c := range got {
			if c.Verdict == room.Late { // as the senders raced
				sum += c.N
			}
		}
		if err != nil || sum == 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("%v, %v\nwant %v", got, err, want)
		}
		if got, err := s.Intake(t.Context(), minute(2)); err != nil || len(got) != 1 {
			t.Errorf("since: %v, %v", got, err)
		}
	})
}

func TestWhatIsNotCommittedIsNotCounted(t *testing.T) {
	s := openAt(t, "memory:")
	refused := fillUp(t, s)
	before, err := s.Intake(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(t.Context(), refused); err == nil {
		t.Error("it was taken")
	}
	if after, err := s.Intake(t.Context(), time.Time{}); err != nil || !reflect.DeepEqual(after, before) {
		t.Errorf("%v, before %v, %v", after, before, err)
	}
}

func TestRefusalsAreCountedByTheirCodeWithTheNewest(t *testing.T) {
	forEachStore(t, func(t *testing.T, open func() *SQLite) {
		s := open()
		var notes []room.Delivery
		for n, code := range []string{"exp", "sig", "sig", "exp", "sig", "json"} {
			note := refusal(n)
			note.Code, note.ID = code, fmt.Sprint(n)
			if code == "json" {
				note.Verdict = room.Unreadable
			}
			notes = append(notes, note)
		}
		duplicate := refusal(9)
		duplicate.Verdict = room.Duplicate
		s.writeNotes(append(notes, duplicate))
		got, err := s.Refusals(t.Context(), noon.Add(time.Second))
		want := []room.RefusalCount{{Code: "sig", N: 3, Newest: notes[4]}, {Code: "exp", N: 1, Newest: notes[3]}, {Code: "json", N: 1, Newest: notes[5]}}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s, %v\nwant %s", asJSON(t, got), err, asJSON(t, want))
		}
		if listed := listed(t, s, room.DeliveryQuery{Verdict: room.Unreadable}); len(listed) != 1 || listed[0].Code != "json" {
			t.Errorf("listed %s", asJSON(t, listed))
		}
		if s.Noted() != uint64(len(notes)+1) {
			t.Errorf("%d noted", s.Noted())
		}
	})
}

func TestAMinuteHasOneSampleTheLast(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		at := func(minute, second, people int) room.Sample {
			return room.Sample{At: noon.Add(time.Duration(minute)*time.Minute + time.Duration(second)*time.Second),
				Totals: room.Totals{Rooms: 1, People: people, Bots: 3, Microphones: 4, Cameras: 5, Screens: 6, RecordingsActive: 7, StreamsActive: 8}}
		}
		for _, sample := range []room.Sample{at(0, 0, 1), at(2, 0, 2), at(1, 0, 3), at(2, 30, 4)} {
			if err := s.Sample(t.Context(), sample); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.Samples(t.Context(), noon.Add(time.Minute))
		if want := []room.Sample{at(1, 0, 3), at(2, 0, 4)}; err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v, %v\nwant %v", got, err, want)
		}
	})
}

func TestOneDeliveryIsReadByItsPosition(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		want := mustAppend(t, s, entry(1))
		if got, err := s.Delivery(t.Context(), want.Position); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s, %v, want %s", asJSON(t, got), err, asJSON(t, want))
		}
		for _, position := range []string{"", "0", "2", "-1", "+1", "01", "x", "99999999999999999999"} {
			if _, err := s.Delivery(t.Context(), position); err == nil {
				t.Errorf("there is one at %q", position)
			}
		}
	})
}

func TestRareVerdictsAndEventsAreFoundAmongMany(t *testing.T) {
	s := openAt(t, "memory:")
	odd := entry(0)
	odd.Verdict, odd.Event, odd.RoomID = room.Unknown, "ingress_started", "elsewhere"
	mustAppend(t, s, odd)
	fill(t, s, 1, 500)
	for _, q := range []room.DeliveryQuery{{Verdict: room.Unknown}, {Event: "ingress_started"}, {Event: "ingress_started", Verdict: room.Unknown, Source: "default"}, {RoomID: "elsewhere"}} {
		if got := listed(t, s, q); len(got) != 1 || got[0].ID != odd.ID {
			t.Errorf("%+v: %d", q, len(got))
		}
	}
	if got := listed(t, s, room.DeliveryQuery{Event: "participant_joined", Limit: 200}); len(got) != 499 {
		t.Errorf("%d joined", len(got))
	}
}
