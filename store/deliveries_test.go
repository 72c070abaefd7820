package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// refusal is the n-th of a row of notes.
func refusal(n int) room.Delivery {
	return room.Delivery{ReceivedAt: noon.Add(time.Duration(n) * time.Second), Verdict: room.Refused, Reason: fmt.Sprint("expired ", n, " s ago")}
}

func listed(t testing.TB, s record, q room.DeliveryQuery) (items []room.Delivery) {
	t.Helper()
	for {
		page, err := s.Deliveries(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if items = append(items, page.Items...); page.Next == "" {
			return items
		}
		if len(page.Items) == 0 {
			t.Fatal("an empty page that says that there is more")
		}
		q.Cursor = page.Next
	}
}

func TestDeliveriesAndNotesAreOneListNewestFirst(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		for n := range 20 {
			if n%3 == 0 {
				s.Note(refusal(n))
			} else {
				mustAppend(t, s, entry(n))
			}
		}
		eventually(t, "the notes are written", func() bool { return count(t, s, "notes") == 7 })
		for _, limit := range []int{1, 3, 7, 200} {
			items := listed(t, s, room.DeliveryQuery{Limit: limit})
			if len(items) != 20 || !slices.IsSortedFunc(items, func(a, b room.Delivery) int { return b.ReceivedAt.Compare(a.ReceivedAt) }) {
				t.Fatalf("by pages of %d: %s", limit, asJSON(t, items))
			}
			for _, d := range items {
				if recorded := d.Verdict.Recorded(); recorded != (d.Position != "") || recorded != (len(d.Body) > 0) {
					t.Errorf("%s", asJSON(t, d))
				}
			}
		}
	})
}

func TestDeliveriesAreFilteredByVerdictEventRoomAndSession(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		for n := range 14 {
			mustAppend(t, s, entry(n))
		}
		s.Note(refusal(1))
		eventually(t, "the note is written", func() bool { return count(t, s, "notes") == 1 })
		for want, q := range map[int]room.DeliveryQuery{
			1:  {Verdict: room.Refused},
			14: {Verdict: room.Accepted},
			2:  {SID: "sid-3"},
			0:  {Event: "room_created"},
			15: {Limit: 4},
		} {
			if items := listed(t, s, q); len(items) != want {
				t.Errorf("%+v: %d, want %d", q, len(items), want)
			}
		}
	})
}

func TestDeliveriesThatComeBetweenPagesDisturbNone(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		for n := range 6 {
			mustAppend(t, s, entry(n))
		}
		first, err := s.Deliveries(t.Context(), room.DeliveryQuery{Limit: 3})
		if err != nil {
			t.Fatal(err)
		}
		mustAppend(t, s, entry(6))
		second, err := s.Deliveries(t.Context(), room.DeliveryQuery{Limit: 3, Cursor: first.Next})
		if err != nil || len(second.Items) != 3 || second.Items[0].ID != entry(2).ID || second.Next != "" {
			t.Errorf("%s, %v", asJSON(t, second), err)
		}
		if _, err := s.Deliveries(t.Context(), room.DeliveryQuery{Cursor: "bm90IG91cnM"}); !errors.Is(err, ErrBadCursor) {
			t.Errorf("a cursor that is not ours: %v", err)
		}
	})
}
