package live

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/roomwatch/roomwatch/room"
)

// What a list of live rooms can be narrowed to.
const (
	OnlyRecording   = "recording"
	OnlyStreaming   = "streaming"
	OnlyScreens     = "screens"
	OnlyBreakouts   = "breakouts"
	OnlyEmpty       = "empty"
	OnlyUnconfirmed = "unconfirmed"
)

var onlys = []string{OnlyRecording, OnlyStreaming, OnlyScreens, OnlyBreakouts, OnlyEmpty, OnlyUnconfirmed}

// What a list of live rooms can be sorted by, each in the direction that is asked for most; the first is the default.
var sorts = []string{"people", "room", "mics", "cams", "screens", "running"}

// PageRows is how many rows of live rooms a page holds, breakouts that stand under the last of them apart.
const PageRows = 50

// maxPage bounds what can be asked for; beyond the last page the last one is shown.
const maxPage = 100_000

// RoomQuery asks for live rooms.
type RoomQuery struct {
	Text    string // as in room.SessionQuery
	Only    string // OnlyRecording and so on, "" for all
	Sort    string // people, room, mics, cams, screens or running
	Reverse bool   // of the direction that is usual for Sort
	Page    int    // from 1
}

// ParseRoomQuery reads q, only, sort (with a - before it to turn it round) and page. What makes no sense is
// left out: the page of live rooms always shows some.
func ParseRoomQuery(v url.Values) RoomQuery {
	q := RoomQuery{Text: strings.TrimSpace(clip(v.Get("q"))), Only: v.Get("only"), Sort: sorts[0], Page: 1}
	if !slices.Contains(onlys, q.Only) {
		q.Only = ""
	}
	if by, reverse := strings.CutPrefix(v.Get("sort"), "-"); slices.Contains(sorts, by) {
		q.Sort, q.Reverse = by, reverse
	}
	if page, err := strconv.Atoi(v.Get("page")); err == nil && page > 0 {
		q.Page = min(page, maxPage)
	}
	return q
}

// Values is the text form that ParseRoomQuery reads.
func (q RoomQuery) Values() url.Values {
	v := make(url.Values)
	set := func(name, value string, usual bool) {
		if !usual {
			v.Set(name, value)
		}
	}
	by := q.Sort
	if q.Reverse {
		by = "-" + by
	}
	set("q", q.Text, q.Text == "")
	set("only", q.Only, q.Only == "")
	set("sort", by, by == "" || by == sorts[0])
	set("page", strconv.Itoa(q.Page), q.Page <= 1)
	return v
}

// RoomCounts is how many of the rooms that match a text each narrowing would leave.
type RoomCounts struct{ Recording, Streaming, Screens, Breakouts, Empty, Unconfirmed int }

func (c *RoomCounts) count(s *room.Summary, sign int) {
	add := func(n *int, only string) {
		if within(s, only) {
			*n += sign
		}
	}
	add(&c.Recording, OnlyRecording)
	add(&c.Streaming, OnlyStreaming)
	add(&c.Screens, OnlyScreens)
	add(&c.Breakouts, OnlyBreakouts)
	add(&c.Empty, OnlyEmpty)
	add(&c.Unconfirmed, OnlyUnconfirmed)
}

// within says whether a room is left by a narrowing.
func within(s *room.Summary, only string) bool {
	switch only {
	case OnlyRecording:
		return s.RecordingsActive > 0
	case OnlyStreaming:
		return s.StreamsActive > 0
	case OnlyScreens:
		return s.Screens > 0
	case OnlyBreakouts:
		return s.ParentRoomID != ""
	case OnlyEmpty:
		return s.People == 0
	case OnlyUnconfirmed:
		return s.Trust == room.TrustDisputed || s.Trust == room.TrustUnverified
	}
	return true
}

// order compares two rooms as a query asks; those that are equal in it stand newest first.
func (q RoomQuery) order() func(x, y *room.Summary) int {
	by := map[string]func(x, y *room.Summary) int{
		"people":  func(x, y *room.Summary) int { return cmp.Compare(y.People, x.People) },
		"room":    func(x, y *room.Summary) int { return cmp.Compare(strings.ToLower(x.Name()), strings.ToLower(y.Name())) },
		"mics":    func(x, y *room.Summary) int { return cmp.Compare(y.Microphones, x.Microphones) },
		"cams":    func(x, y *room.Summary) int { return cmp.Compare(y.Cameras, x.Cameras) },
		"screens": func(x, y *room.Summary) int { return cmp.Compare(y.Screens, x.Screens) },
		"running": func(x, y *room.Summary) int { return x.Begin().Compare(y.Begin()) },
	}[q.Sort]
	if by == nil {
		by = func(x, y *room.Summary) int { return cmp.Compare(y.People, x.People) }
	}
	sign := 1
	if q.Reverse {
		sign = -1
	}
	return func(x, y *room.Summary) int {
		return cmp.Or(sign*by(x, y), y.Begin().Compare(x.Begin()), cmp.Compare(x.SID, y.SID), cmp.Compare(x.Source, y.Source))
	}
}
