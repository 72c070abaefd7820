package store

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/roomwatch/roomwatch/room"
)

// withoutTimes takes away what versions up to 7 did not have.
const withoutTimes = "DROP TABLE lasting; DROP TABLE received; "

// lasted is a session from a time on, for so long; it goes on when that is negative.
func lasted(sid string, begin time.Time, long time.Duration) *room.Session {
	created := event(room.KindRoomCreated, sid, sid+"created", begin)
	created.RoomID, created.Title, created.CreationTime = "room01", "Weekly", created.At
	events := []room.Event{created, joined(sid, "PA_1", "ana", "Ana", begin)}
	events[1].RoomID = "room01"
	if long >= 0 {
		events = append(events, event(room.KindSessionEnded, sid, sid+"ended", begin.Add(long)))
	}
	return session(events...)
}

func TestASessionIsListedWhenItsTimeMeetsThatWhichIsAskedFor(t *testing.T) {
	s := openAt(t, "memory:")
	half := time.Date(2026, 11, 20, 14, 0, 0, 0, time.UTC)
	mustSave(t, s, "", lasted("before", half.Add(-10*time.Minute), 10*time.Minute), lasted("across", half.Add(-10*time.Minute), 20*time.Minute),
		lasted("within", half.Add(5*time.Minute), time.Minute), lasted("around", half.Add(-30*24*time.Hour), 60*24*time.Hour),
		lasted("open", half.Add(-time.Hour), -1), lasted("after", half.Add(30*time.Minute), time.Minute), lasted("momentary", half, 0))
	for _, text := range []string{"", "weekly ana"} {
		q := room.SessionQuery{From: half, To: half.Add(30 * time.Minute), Text: text}
		if got := sids(all(t, s, q)); !slices.Equal(got, []string{"within", "momentary", "across", "open", "around"}) {
			t.Errorf("%q from 14:00 to 14:30: %q", text, got)
		}
		if n, err := s.CountSessions(t.Context(), q); n != 5 || err != nil {
			t.Errorf("%q from 14:00 to 14:30: %d are counted, %v", text, n, err)
		}
	}
	mustSave(t, s, "", lasted("open", half.Add(-time.Hour), 30*time.Minute)) // it had ended before
	if got := sids(all(t, s, room.SessionQuery{From: half, To: half.Add(time.Minute)})); !slices.Equal(got, []string{"momentary", "across", "around"}) {
		t.Errorf("after one of them ended: %q", got)
	}
}

// A session is listed if, and only if, the time from its beginning to its end or to now meets what is asked for.
func TestWhatOverlapsIsWhatAPlainReadingFinds(t *testing.T) {
	s := openAt(t, "memory:")
	now := time.Now().UTC().Truncate(time.Millisecond) // some will have ended later: other clocks may be ahead
	var plain []room.Summary
	spread := []time.Duration{0, time.Millisecond, 15 * time.Minute, 16 * time.Minute, time.Hour, 3 * time.Hour, 20 * time.Hour, 70 * time.Hour, 256 * time.Hour, 257 * time.Hour, 2000 * time.Hour, -1}
	for n := range 120 {
		m := lasted(fmt.Sprintf("s%03d", n), now.Add(-time.Duration(n*n*7)*time.Minute), spread[n%len(spread)])
		mustSave(t, s, "", m)
		plain = append(plain, m.Summary())
	}
	rapid.Check(t, func(rt *rapid.T) {
		some := plain[rapid.IntRange(0, len(plain)-1).Draw(rt, "some")]
		edge := rapid.SampledFrom([]time.Time{some.Begin(), some.EndedAt, now.Add(time.Hour)}).Draw(rt, "edge")
		q := room.SessionQuery{Limit: rapid.IntRange(1, 60).Draw(rt, "limit"), Text: rapid.SampledFrom([]string{"", "week"}).Draw(rt, "text")}
		if !edge.IsZero() {
			q.From = edge.Add(time.Duration(rapid.IntRange(-1, 1).Draw(rt, "nudge")) * time.Millisecond / 2)
			if rapid.Bool().Draw(rt, "ends") {
				q.To = q.From.Add(time.Duration(rapid.IntRange(0, 5000).Draw(rt, "long")) * time.Minute)
			}
		}
		want := make(map[string]bool)
		for _, sum := range plain {
			if overlaps(sum, q.From, q.To) {
				want[sum.SID] = true
			}
		}
		got := sids(all(t, s, q))
		for _, sid := range got {
			if !want[sid] {
				rt.Fatalf("%+v lists %s", q, sid)
			}
		}
		if n, err := s.CountSessions(t.Context(), q); len(got) != len(want) || n != len(want) || err != nil {
			rt.Fatalf("%+v: %d listed, %d counted (%v), want %d", q, len(got), n, err, len(want))
		}
	})
}

func TestDeliveriesAreFoundByWhenTheyWereReceived(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		var all []room.Delivery
		for n := range 300 {
			d := entry(n)
			d.ReceivedAt = noon.Add(time.Duration(n) * 7 * time.Second)
			if n%50 == 49 {
				d.ReceivedAt = d.ReceivedAt.Add(-3 * time.Hour) // it waited for Redis
			}
			all = append(all, mustAppend(t, s, d))
		}
		for n := range 5 {
			s.Note(refusal(n * 60))
			all = append(all, refusal(n*60))
		}
		eventually(t, "the notes are written", func() bool { return count(t, s, "notes") == 5 })
		for _, from := range []time.Duration{-4 * time.Hour, -150 * time.Minute, 0, 61 * time.Second, 20 * time.Minute, 5 * time.Hour} {
			for _, long := range []time.Duration{0, time.Second, time.Minute, 10 * time.Minute, time.Hour} {
				q := room.DeliveryQuery{From: noon.Add(from), To: noon.Add(from + long), Limit: 7}
				if long == time.Hour {
					q.To = time.Time{}
				}
				want := 0
				for _, d := range all {
					if !d.ReceivedAt.Before(q.From) && (q.To.IsZero() || d.ReceivedAt.Before(q.To)) {
						want++
					}
				}
				if got := listed(t, s, q); len(got) != want {
					t.Errorf("from %v for %v: %d, want %d", from, long, len(got), want)
				}
			}
		}
	})
}

// What lies before or behind the time that is asked for is not read, however much that is.
func TestDeliveriesOfATimeAreFoundWithoutReadingTheOthers(t *testing.T) {
	s := openAt(t, "memory:")
	for n := range 2000 {
		d := entry(n)
		d.ReceivedAt = noon.Add(time.Duration(n) * time.Minute)
		mustAppend(t, s, d)
	}
	first, last, err := s.receivedWithin(t.Context(), noon.Add(1000*time.Minute), noon.Add(1010*time.Minute))
	if err != nil || first < 990 || last > 1020 || last-first < 10 {
		t.Errorf("from %d to %d, %v", first, last, err)
	}
}

func TestAnOlderFileLearnsWhenItsSessionsWentOnAndItsDeliveriesCame(t *testing.T) {
	url := "file:" + filepath.Join(t.TempDir(), "r.db")
	s := openAt(t, url)
	mustSave(t, s, "", lasted("across", noon.Add(-10*time.Minute), 20*time.Minute), lasted("open", noon.Add(-time.Hour), -1), lasted("before", noon.Add(-time.Hour), time.Minute))
	for n := range 500 {
		mustAppend(t, s, entry(n))
	}
	err := s.write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(withoutTimes + "PRAGMA user_version = 7")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	s = openAt(t, url)
	if got := sids(all(t, s, room.SessionQuery{From: noon, To: noon.Add(time.Minute)})); !slices.Equal(got, []string{"across", "open"}) {
		t.Errorf("sessions %q", got)
	}
	from := entry(100).ReceivedAt
	if got := listed(t, s, room.DeliveryQuery{From: from, To: from.Add(10 * time.Second)}); len(got) == 0 || !got[len(got)-1].ReceivedAt.Equal(from) {
		t.Errorf("deliveries %s", asJSON(t, got))
	}
	if problems, err := Check(t.Context(), url); err != nil || len(problems) > 0 {
		t.Errorf("the file carried over: %q, %v", problems, err)
	}
}
