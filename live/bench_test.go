package live

import (
	"fmt"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// BenchmarkOverview is what an overview of many rooms costs each time it is brought up to date, apart from
// rendering the rows that changed.
func BenchmarkOverview(b *testing.B) {
	for _, rooms := range []int{100, 10_000, 100_000} {
		open := make(map[room.Key]*entry, rooms)
		for i := range rooms {
			s := &room.Summary{Head: room.Head{Source: "default", SID: fmt.Sprint("s", i), RoomID: fmt.Sprint("r", i), Title: fmt.Sprint("Room ", i),
				State: room.StateLive, People: i % 40, CreatedAt: time.Unix(int64(i%600), 0)}}
			open[s.Key()] = &entry{summary: s}
		}
		board := NewBoard(nil, []string{"default"}, nil)
		for key, e := range open {
			board.set(key, e.summary)
		}
		for _, q := range []RoomQuery{{Sort: "people", Page: 1}, {Sort: "room", Only: OnlyEmpty, Page: 1}} {
			b.Run(fmt.Sprintf("rooms=%d/sort=%s", rooms, q.Sort), func(b *testing.B) {
				r := newRoster(q, false)
				b.ReportAllocs()
				for n := 0; b.Loop(); n++ {
					s := *open[room.Key{Source: "default", SID: fmt.Sprint("s", n%rooms)}].summary
					s.People = n % 50
					board.set(s.Key(), &s)
					board.overview(q, r)
				}
			})
		}
	}
}
