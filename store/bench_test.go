package store

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/redistest"
	"github.com/roomwatch/roomwatch/room"
)

func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 64} {
		for _, url := range []string{"file:" + filepath.Join(b.TempDir(), "r.db"), "memory:"} {
			kind, _, _ := strings.Cut(url, ":")
			b.Run(fmt.Sprintf("%s/writers=%d", kind, writers), func(b *testing.B) {
				s := openAt(b, url)
				var n atomic.Int64
				b.SetParallelism(max(1, writers/runtime.GOMAXPROCS(0)))
				if writers == 1 {
					defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
				}
				run := time.Now().UnixNano()
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						d := entry(int(n.Add(1)))
						d.ID = fmt.Sprint(run, d.ID)
						if _, err := s.Append(context.Background(), d); err != nil {
							b.Error(err)
						}
					}
				})
			})
		}
	}
}

func BenchmarkFollow(b *testing.B) {
	s := openAt(b, "memory:")
	fill(b, s, 0, 2000)
	b.Run("tail", func(b *testing.B) {
		for b.Loop() {
			read(b, s, "", 2000)
		}
	})
	b.Run("table", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.stored(context.Background(), 0); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSessions(b *testing.B) {
	s := openAt(b, "file:"+filepath.Join(b.TempDir(), "r.db"))
	const many = 20_000
	var sessions []*room.Session
	for i := range many {
		sessions = append(sessions, meeting("a", fmt.Sprint("s", i), fmt.Sprintf("room-%d", i%500), fmt.Sprint("Weekly meeting ", i), i, i%100 != 0,
			"Ana Díaz", fmt.Sprint("Person ", i%3000), "Bo"))
	}
	b.Run("save", func(b *testing.B) {
		b.ReportMetric(many, "sessions/op")
		for b.Loop() {
			mustSave(b, s, "", sessions...)
		}
	})
	mustSave(b, s, "", sessions...)
	for name, q := range map[string]room.SessionQuery{"newest": {}, "live": {State: room.StateLive}, "room": {RoomID: "room-7"},
		"word": {Text: "1234"}, "common word": {Text: "weekly"}, "letter": {Text: "p"}, "two common": {Text: "ana week", State: room.StateLive}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Sessions(context.Background(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRedisAppend is beside BenchmarkAppend, through a Redis on this machine.
func BenchmarkRedisAppend(b *testing.B) {
	r := replica(b, redistest.Start(b).URL())
	var n atomic.Int64
	b.SetParallelism(64 / runtime.GOMAXPROCS(0))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := r.Append(context.Background(), entry(int(n.Add(1)))); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkSave is what a save costs for each session that changed a little, among many.
func BenchmarkSave(b *testing.B) {
	s := openAt(b, "file:"+filepath.Join(b.TempDir(), "r.db"))
	const many = 5000
	var sessions []*room.Session
	for i := range many {
		sessions = append(sessions, meeting("a", fmt.Sprint("s", i), fmt.Sprintf("room-%d", i), fmt.Sprint("Weekly meeting ", i), i, false, "Ana Díaz", fmt.Sprint("Person ", i%3000), "Bo"))
	}
	mustSave(b, s, "", sessions...)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		var changed []*room.Session
		for i := range 100 {
			session := sessions[(n*100+i*37)%many]
			e := event(room.KindParticipantLeft, session.SID, fmt.Sprint("left", n, i), noon.Add(time.Duration(n)*time.Second))
			e.Source, e.RoomID, e.Title = "a", fmt.Sprintf("room-%d", i), fmt.Sprint("Other title ", n)
			session.Apply(e)
			changed = append(changed, session)
		}
		mustSave(b, s, "", changed...)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/100, "µs/session")
}
