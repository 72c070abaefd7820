package live

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/roomwatch/roomwatch/room"
)

// set gives a session on the board another summary, nil for one that is not open.
func (b *Board) set(key room.Key, s *room.Summary) {
	var before *room.Summary
	e := b.open[key]
	if e == nil {
		e = &entry{session: room.New(key)}
	} else {
		before = e.summary
		b.rooms.drop(key, e.room)
	}
	delete(b.open, key)
	if s != nil {
		e.summary, e.room = s, roomKey{s.Source, s.RoomID}
		b.open[key] = e
		b.rooms.move(e, e.room, e.room)
	}
	b.changes.add(key, before, s)
}

// However sessions come, change and go, a roster that follows them shows what one that is made anew does.
func TestARosterThatFollowsShowsWhatAFreshOneDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := NewBoard(nil, []string{"default"}, nil)
		draw := func(n int) *room.Summary {
			s := &room.Summary{Head: room.Head{Source: "default", SID: fmt.Sprint("s", n), RoomID: fmt.Sprint("r", n%12), Title: rapid.SampledFrom([]string{"", "alpha", "alpine", "beta"}).Draw(t, "title"),
				State: room.StateLive, People: rapid.IntRange(0, 3).Draw(t, "people"), CreatedAt: time.Unix(rapid.Int64Range(0, 2).Draw(t, "begin"), 0)},
				RecordingsActive: rapid.IntRange(0, 1).Draw(t, "recording")}
			if rapid.IntRange(0, 3).Draw(t, "breakout") == 0 {
				s.ParentRoomID = fmt.Sprint("r", rapid.IntRange(0, 12).Draw(t, "parent"))
			}
			return s
		}
		q := RoomQuery{Text: rapid.SampledFrom([]string{"", "", "alp", "beta"}).Draw(t, "text"), Only: rapid.SampledFrom([]string{"", OnlyRecording, OnlyEmpty, OnlyBreakouts}).Draw(t, "only"),
			Sort: rapid.SampledFrom(sorts).Draw(t, "sort"), Reverse: rapid.Bool().Draw(t, "reverse"), Page: rapid.IntRange(1, 3).Draw(t, "page")}
		follows := newRoster(q, true)
		for step := range rapid.IntRange(1, 8).Draw(t, "steps") {
			for range rapid.IntRange(0, 60).Draw(t, "changes") {
				n := rapid.IntRange(0, 120).Draw(t, "session")
				s := draw(n)
				if rapid.IntRange(0, 4).Draw(t, "ends") == 0 {
					s = nil
				}
				b.set(room.Key{Source: "default", SID: fmt.Sprint("s", n)}, s)
			}
			fresh := newRoster(q, true)
			fresh.update(b)
			follows.update(b)
			if !slices.Equal(follows.tops, fresh.tops) || !slices.Equal(follows.breakouts, fresh.breakouts) || follows.counts != fresh.counts || len(follows.found) != len(fresh.found) {
				t.Fatalf("step %d: %d rooms, %d breakouts, %+v; fresh %d, %d, %+v", step, len(follows.tops), len(follows.breakouts), follows.counts, len(fresh.tops), len(fresh.breakouts), fresh.counts)
			}
			rows, before, page, pages := follows.page(b)
			rows2, before2, page2, pages2 := fresh.page(b)
			if !slices.Equal(rows, rows2) || before != before2 || page != page2 || pages != pages2 {
				t.Fatalf("step %d: page %d of %d after %d, fresh %d of %d after %d", step, page, pages, before, page2, pages2, before2)
			}
		}
	})
}

// Who has missed more changes than are remembered looks at all sessions.
func TestARosterThatSleptLongLooksAtAll(t *testing.T) {
	b := NewBoard(nil, []string{"default"}, nil)
	r := newRoster(RoomQuery{}, true)
	at := func(n int) *room.Summary {
		return &room.Summary{Head: room.Head{Source: "default", SID: fmt.Sprint("s", n%300), RoomID: "r", People: n}}
	}
	for n := range maxChanges + 5000 {
		b.set(at(n).Key(), at(n))
		if n == 10 {
			r.update(b)
		}
	}
	r.update(b)
	if len(r.tops) != 300 || r.tops[0].People != maxChanges+4999 {
		t.Errorf("%d rooms, the fullest has %d", len(r.tops), r.tops[0].People)
	}
}
