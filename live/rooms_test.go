package live

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/roomwatch/roomwatch/room"
)

func TestALinkToRoomsAsksForWhatIsShown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := RoomQuery{Text: rapid.SampledFrom([]string{"", "a b", "x&y=ü"}).Draw(t, "text"), Only: rapid.SampledFrom(append(onlys, "")).Draw(t, "only"),
			Sort: rapid.SampledFrom(sorts).Draw(t, "sort"), Reverse: rapid.Bool().Draw(t, "reverse"), Page: rapid.IntRange(1, maxPage).Draw(t, "page")}
		v, err := url.ParseQuery(q.Values().Encode())
		if err != nil || ParseRoomQuery(v) != q {
			t.Fatalf("%+v is read back as %+v", q, ParseRoomQuery(v))
		}
	})
}

func TestNonsenseAsksForTheFirstPageOfAllRooms(t *testing.T) {
	for _, query := range []string{"only=x&sort=y&page=-1", "page=0&sort=-", "page=1e9", ""} {
		v, _ := url.ParseQuery(query)
		if got, want := ParseRoomQuery(v), (RoomQuery{Sort: "people", Page: 1}); got != want {
			t.Errorf("%s: %+v", query, got)
		}
	}
}

// arrange is the page of a query among these sessions.
func arrange(q RoomQuery, sums []*room.Summary) (rows []Row, before, page, pages int) {
	b := NewBoard(nil, []string{"default"}, nil)
	for _, s := range sums {
		e := &entry{session: room.New(s.Key()), summary: s, room: roomKey{s.Source, s.RoomID}}
		b.open[s.Key()], b.sessions[s.Key()] = e, e
		b.rooms.move(e, e.room, e.room)
	}
	r := newRoster(q, false)
	r.update(b)
	return r.page(b)
}

// Every room is on exactly one page, whatever is asked, and a breakout under its parent.
func TestThePagesOfRoomsHoldEveryRoomOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var sums []*room.Summary
		for i := range rapid.IntRange(0, 180).Draw(t, "rooms") {
			s := &room.Summary{Head: room.Head{Source: "default", SID: fmt.Sprint("s", i), RoomID: fmt.Sprint("r", i%170), State: room.StateLive,
				People: rapid.IntRange(0, 3).Draw(t, "people"), CreatedAt: time.Unix(rapid.Int64Range(0, 3).Draw(t, "begin"), 0)}}
			if parent := rapid.IntRange(-1, 40).Draw(t, "parent"); parent >= 0 && parent < i {
				s.ParentRoomID = fmt.Sprint("r", parent)
			}
			sums = append(sums, s)
		}
		q := RoomQuery{Sort: rapid.SampledFrom(sorts).Draw(t, "sort"), Reverse: rapid.Bool().Draw(t, "reverse")}
		seen := make(map[string]bool)
		for page, pages := 1, 1; page <= pages; page++ {
			q.Page = page
			rows, before, shown, n := arrange(q, sums)
			if before != len(seen) {
				t.Fatalf("%d rooms stand before page %d, and %d were seen", before, page, len(seen))
			}
			if pages = n; shown != page {
				t.Fatalf("page %d of %d is shown for page %d", shown, n, page)
			}
			for i, r := range rows {
				if seen[r.SID] {
					t.Fatalf("%s is listed twice", r.SID)
				}
				seen[r.SID] = true
				if r.Breakout && (i == 0 || rows[i-1].RoomID != r.ParentRoomID && rows[i-1].ParentRoomID != r.ParentRoomID) {
					t.Fatalf("%s does not stand under its parent", r.SID)
				}
			}
		}
		if len(seen) != len(sums) {
			t.Fatalf("%d of %d rooms are listed", len(seen), len(sums))
		}
	})
}

func TestSortsGoTheWayThatIsAskedFor(t *testing.T) {
	sum := func(sid, title string, people, begin int) *room.Summary {
		return &room.Summary{Head: room.Head{SID: sid, Title: title, People: people, CreatedAt: time.Unix(int64(begin), 0)}}
	}
	sums := []*room.Summary{sum("a", "beta", 2, 30), sum("b", "Alpha", 9, 20), sum("c", "gamma", 2, 10)}
	for query, want := range map[string]string{"": "bac", "sort=-people": "acb", "sort=room": "bac", "sort=-room": "cab", "sort=running": "cba", "sort=-running": "abc"} {
		v, _ := url.ParseQuery(query)
		rows, _, _, _ := arrange(ParseRoomQuery(v), sums)
		got := ""
		for _, r := range rows {
			got += r.SID
		}
		if got != want {
			t.Errorf("%q: %s, want %s", query, got, want)
		}
	}
}
