package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// archive fills a store with sessions: one a minute, the last 20 of them live. Half are weekly, one has a
// zebra. It writes documents as Save does, without looking for what is stored.
func archive(b *testing.B, s *SQLite, many int) {
	b.Helper()
	for i := 0; i < many; i += 500 {
		err := s.write(context.Background(), func(tx *sql.Tx) error {
			for n := i; n < min(many, i+500); n++ {
				d := document{session: archived(n, many), isNew: true}
				if err := d.encode(); err != nil {
					return err
				}
				if err := errors.Join(d.put(s.in(tx)), d.putLasting(s.in(tx), d.row)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func archived(n, many int) *room.Session {
	title, sid := []string{"Weekly review", "Board meeting"}[n%2], fmt.Sprintf("s%07d", n)
	people := []string{fmt.Sprint("Ana ", n%3000), fmt.Sprint("Bo ", n*7%3000), fmt.Sprint("Person ", n*13%3000)}
	if n == many/2 {
		people[0] = "Zebra"
	}
	roomID := "big"
	if n%10 != 0 {
		roomID = fmt.Sprintf("room-%d", n%400)
	}
	m := meeting("default", sid, roomID, title, n, n < many-20, people...)
	if n%4 == 0 {
		e := event(room.KindRecordingProceeded, sid, sid+"r", noon.Add(time.Duration(n)*time.Minute+30*time.Second))
		e.Job = &room.JobSaid{RecordID: "rec-" + sid, FilePath: "x.mp4", SizeBytes: 1e6}
		m.Apply(e)
	}
	if n%2 == 0 {
		e := event(room.KindArtifactCreated, sid, sid+"a", noon.Add(time.Duration(n)*time.Minute+40*time.Second))
		e.Artifact = &room.ArtifactSaid{ID: "art-" + sid, Type: "MEETING_SUMMARY_USAGE", Usage: &room.ArtifactUsage{Unit: "tokens", Total: 5, EstimatedCost: 0.1}}
		m.Apply(e)
	}
	return m
}

func BenchmarkPage(b *testing.B) {
	for _, many := range []int{2_000, 200_000} {
		s := openAt(b, "file:"+filepath.Join(b.TempDir(), "r.db"))
		archive(b, s, many)
		middle := noon.Add(time.Duration(many/2) * time.Minute)
		half := middle.Add(500 * time.Minute)
		for _, bench := range []struct {
			name string
			q    room.SessionQuery
		}{
			{"newest", room.SessionQuery{}},
			{"rare word", room.SessionQuery{Text: "zebra"}},
			{"common word", room.SessionQuery{Text: "weekly"}},
			{"beginning", room.SessionQuery{Text: "p"}},
			{"no word", room.SessionQuery{Text: "xylophone"}},
			{"two words", room.SessionQuery{Text: "ana weekly"}},
			{"rare and common", room.SessionQuery{Text: "zebra p"}},
			{"two that never meet", room.SessionQuery{Text: "weekly board"}},
			{"word and live", room.SessionQuery{Text: "weekly", State: room.StateLive}},
			{"word and ended", room.SessionQuery{Text: "weekly", State: room.StateEnded}},
			{"word and days", room.SessionQuery{Text: "weekly", From: middle, To: half}},
			{"days", room.SessionQuery{From: middle, To: half}},
			{"room", room.SessionQuery{RoomID: "big"}},
			{"room and word", room.SessionQuery{RoomID: "big", Text: "weekly"}},
			{"live", room.SessionQuery{State: room.StateLive}},
			{"ended", room.SessionQuery{State: room.StateEnded}},
		} {
			b.Run(fmt.Sprintf("%s/%d", bench.name, many), func(b *testing.B) {
				for b.Loop() {
					if _, err := s.Sessions(context.Background(), bench.q); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(fmt.Sprintf("count %s/%d", bench.name, many), func(b *testing.B) {
				for b.Loop() {
					if _, err := s.CountSessions(context.Background(), bench.q); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		benchmarkShelves(b, s, many, middle)
	}
}

func benchmarkShelves(b *testing.B, s *SQLite, many int, middle time.Time) {
	ctx := context.Background()
	for _, bench := range []struct {
		name string
		ask  func() error
	}{
		{"recordings", func() error { _, err := s.Recordings(ctx, room.RecordingQuery{}); return err }},
		{"recordings, common word", func() error { _, err := s.Recordings(ctx, room.RecordingQuery{Text: "weekly"}); return err }},
		{"recordings, rare word", func() error { _, err := s.Recordings(ctx, room.RecordingQuery{Text: "zebra"}); return err }},
		{"recordings, failed", func() error { _, err := s.Recordings(ctx, room.RecordingQuery{State: "failed"}); return err }},
		{"recordings, room", func() error { _, err := s.Recordings(ctx, room.RecordingQuery{RoomID: "big"}); return err }},
		{"recordings by state", func() error { _, err := s.RecordingCounts(ctx, middle); return err }},
		{"count recordings", func() error { _, err := s.CountRecordings(ctx, room.RecordingQuery{}); return err }},
		{"artifacts, usage", func() error { _, err := s.Artifacts(ctx, room.ArtifactQuery{Class: room.ClassUsage}); return err }},
		{"artifacts, file", func() error { _, err := s.Artifacts(ctx, room.ArtifactQuery{Class: room.ClassFile}); return err }},
		{"usage", func() error { _, err := s.Usage(ctx, middle); return err }},
		{"costliest", func() error { _, err := s.CostliestRooms(ctx, middle, 10); return err }},
	} {
		b.Run(fmt.Sprintf("%s/%d", bench.name, many), func(b *testing.B) {
			for b.Loop() {
				if err := bench.ask(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
