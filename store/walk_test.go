package store

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// walk reads a list to its end, and returns how often each row came.
func walk[T any](t *testing.T, page func(cursor string) (room.Page[T], error), name func(T) string) map[string]int {
	t.Helper()
	seen := make(map[string]int)
	for cursor := ""; ; {
		p, err := page(cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range p.Items {
			seen[name(item)]++
		}
		if cursor = p.Next; cursor == "" {
			return seen
		}
	}
}

func TestAWalkSeesEachRowOnceWhileHundredsArrive(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		const before = 300
		made := func(n int) *room.Session {
			sid := fmt.Sprintf("s%04d", n)
			return artifact(recorded(sid, n/3, "r"+sid), "a"+sid, "X", n/3+1, nil) // three begin together
		}
		var work sync.WaitGroup
		var first []*room.Session
		for n := range before {
			first = append(first, made(n))
		}
		fill(t, s, 0, before)
		mustSave(t, s, "", first...)
		stop, begun := make(chan struct{}), make(chan struct{})
		work.Go(func() { // arrives everywhere: above, between, and beside what is there
			for n := before; ; n++ {
				m := made(n)
				if n%2 == 0 {
					m = artifact(recorded(fmt.Sprintf("t%04d", n), n%100, fmt.Sprint("rt", n)), fmt.Sprint("at", n), "X", n%100, nil)
				}
				mustSave(t, s, "", m)
				mustAppend(t, s, entry(n))
				s.Note(refusal(n))
				if n == before+20 {
					close(begun)
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
		<-begun
		ctx := t.Context()
		once := func(what string, seen map[string]int, name func(n int) string) {
			for n := range before {
				if key := name(n); seen[key] != 1 {
					t.Errorf("%s: %s came %d times", what, key, seen[key])
				}
			}
			for key, times := range seen {
				if times > 1 && key != "" {
					t.Errorf("%s: %s came %d times", what, key, times)
				}
			}
		}
		prefixed := func(prefix string) func(int) string {
			return func(n int) string { return fmt.Sprintf("%ss%04d", prefix, n) }
		}
		for _, text := range []string{"", "weekly"} {
			once("sessions "+text, walk(t, func(c string) (room.Page[room.Summary], error) {
				return s.Sessions(ctx, room.SessionQuery{Limit: 20, Cursor: c, Text: text})
			}, func(r room.Summary) string { return r.SID }), prefixed(""))
			once("recordings "+text, walk(t, func(c string) (room.Page[room.FiledRecording], error) {
				return s.Recordings(ctx, room.RecordingQuery{Limit: 20, Cursor: c, Text: text})
			}, func(r room.FiledRecording) string { return r.RecordID }), prefixed("r"))
			once("artifacts "+text, walk(t, func(c string) (room.Page[room.FiledArtifact], error) {
				return s.Artifacts(ctx, room.ArtifactQuery{Limit: 20, Cursor: c, Text: text})
			}, func(r room.FiledArtifact) string { return r.ArtifactID }), prefixed("a"))
		}
		once("deliveries", walk(t, func(c string) (room.Page[room.Delivery], error) {
			return s.Deliveries(ctx, room.DeliveryQuery{Limit: 20, Cursor: c})
		}, func(d room.Delivery) string { return d.ID }), func(n int) string { return entry(n).ID })
		close(stop)
		work.Wait()
	})
}

func TestEverySessionOfOneMillisecondIsListedOnce(t *testing.T) {
	s := openAt(t, "memory:")
	var many []*room.Session
	for n := range 1500 {
		many = append(many, session(event(room.KindRoomStarted, fmt.Sprint("s", n), fmt.Sprint("e", n), noon)))
	}
	mustSave(t, s, "", many...)
	seen := walk(t, func(c string) (room.Page[room.Summary], error) {
		return s.Sessions(t.Context(), room.SessionQuery{Limit: 100, Cursor: c, From: noon, To: noon.Add(time.Millisecond)})
	}, func(r room.Summary) string { return r.SID })
	if len(seen) != len(many) {
		t.Errorf("%d seen", len(seen))
	}
}
