package live

import (
	"slices"

	"github.com/roomwatch/roomwatch/room"
)

// change is that an open session shows something else: before is nil when it was not open, now when it is not
// any more.
type change struct {
	key         room.Key
	before, now *room.Summary
}

// maxChanges bounds how many changes are remembered. Who missed more looks at all sessions.
const maxChanges = 16_384

// changes are those of the open sessions, in order.
type changes struct {
	list []change
	end  uint64 // how many there ever were
}

func (c *changes) add(key room.Key, before, now *room.Summary) {
	if before == nil && now == nil {
		return
	}
	if len(c.list) == maxChanges {
		c.list = slices.Clone(c.list[maxChanges/2:]) // readers may hold on to the old array
	}
	c.list = append(c.list, change{key, before, now})
	c.end++
}

// since is what changed after the first so many changes, and false when that is not known any more.
func (c *changes) since(n uint64) ([]change, bool) {
	missed := c.end - n
	if missed > uint64(len(c.list)) {
		return nil, false
	}
	return c.list[len(c.list)-int(missed):], true
}

// roster is the open sessions that a question asks for, in its order. It is brought up to date with what
// changed, however many there are.
type roster struct {
	query RoomQuery
	words room.Words
	title bool // names of people are not searched: finding one tells who is there
	order func(x, y *room.Summary) int

	made      bool
	at        uint64                 // of the board's changes
	found     map[*room.Summary]bool // what matches the text; nil without one: all do
	counts    RoomCounts             // of what matches the text
	tops      []*room.Summary        // what is left by the narrowing too, but for breakouts
	breakouts []*room.Summary
	spare     []*room.Summary
}

func newRoster(q RoomQuery, titles bool) *roster {
	return &roster{query: q, words: room.ParseWords(q.Text), title: titles, order: q.order()}
}

// update brings the roster up to the board, whose lock is held.
func (r *roster) update(b *Board) {
	changed, known := b.changes.since(r.at)
	r.at = b.changes.end
	if !r.made || !known || len(changed) > 64+len(r.tops)/4 || !r.follow(b, changed) {
		r.make(b)
	}
}

// make looks at all sessions.
func (r *roster) make(b *Board) {
	r.made, r.found, r.counts, r.tops, r.breakouts = true, nil, RoomCounts{}, nil, nil
	if len(r.words) > 0 {
		r.found = make(map[*room.Summary]bool)
	}
	for _, e := range b.open {
		if !r.takeIn(e) {
			continue
		}
		if list := r.listOf(e.summary); list != nil {
			*list = append(*list, e.summary)
		}
	}
	slices.SortFunc(r.tops, r.order)
	slices.SortFunc(r.breakouts, r.order)
}

// takeIn says whether a session matches the text, and counts it if it does.
func (r *roster) takeIn(e *entry) bool {
	if len(r.words) > 0 {
		if !r.matches(e) {
			return false
		}
		r.found[e.summary] = true
	}
	r.counts.count(e.summary, +1)
	return true
}

func (r *roster) matches(e *entry) bool {
	if r.title {
		return r.words.Find(e.summary.Title, e.summary.RoomID)
	}
	return e.session.Mentions(r.words, e.summary.Head)
}

// listOf is where a session that matches the text stands; nil: the narrowing leaves it out.
func (r *roster) listOf(s *room.Summary) *[]*room.Summary {
	switch {
	case !within(s, r.query.Only):
		return nil
	case s.ParentRoomID != "":
		return &r.breakouts
	}
	return &r.tops
}

// has says whether a session as it shows now is in the roster.
func (r *roster) has(s *room.Summary) bool {
	return (r.found == nil || r.found[s]) && within(s, r.query.Only)
}

// follow applies changes. It is false when they are not of what is here.
func (r *roster) follow(b *Board, changed []change) bool {
	gone, come := make(map[*[]*room.Summary][]*room.Summary, 2), make(map[*[]*room.Summary][]*room.Summary, 2)
	net := make(map[room.Key]*room.Summary, len(changed)) // how each was before the first of its changes
	for _, c := range changed {
		if _, known := net[c.key]; !known {
			net[c.key] = c.before
		}
	}
	for key, before := range net {
		if before != nil && (r.found == nil || r.found[before]) {
			delete(r.found, before)
			r.counts.count(before, -1)
			if list := r.listOf(before); list != nil {
				gone[list] = append(gone[list], before)
			}
		}
		if e := b.open[key]; e != nil && r.takeIn(e) {
			if list := r.listOf(e.summary); list != nil {
				come[list] = append(come[list], e.summary)
			}
		}
	}
	for _, list := range []*[]*room.Summary{&r.tops, &r.breakouts} {
		if !r.merge(list, gone[list], come[list]) {
			return false
		}
	}
	return true
}

// merge takes some out of a list in order, and others in.
func (r *roster) merge(list *[]*room.Summary, gone, come []*room.Summary) bool {
	if len(gone)+len(come) == 0 {
		return true
	}
	slices.SortFunc(gone, r.order)
	slices.SortFunc(come, r.order)
	out, rest := r.spare[:0], *list
	for len(gone)+len(come) > 0 {
		next, leaves := come, false
		if len(come) == 0 || len(gone) > 0 && r.order(gone[0], come[0]) <= 0 {
			next, leaves = gone, true
		}
		at, _ := slices.BinarySearchFunc(rest, next[0], r.order)
		out, rest = append(out, rest[:at]...), rest[at:]
		if leaves {
			if len(rest) == 0 || rest[0] != gone[0] {
				return false
			}
			gone, rest = gone[1:], rest[1:]
		} else {
			out, come = append(out, come[0]), come[1:]
		}
	}
	*list, r.spare = append(out, rest...), *list
	return true
}

// page cuts out the page asked for, breakouts under their parent. The board's lock is held.
func (r *roster) page(b *Board) (rows []Row, before, page, pages int) {
	return r.query.cut(r.tops, r.breakouts, func(parent roomKey) bool {
		for key := range b.rooms[parent] {
			if e := b.open[key]; e != nil && e.summary.ParentRoomID == "" && r.has(e.summary) {
				return true
			}
		}
		return false
	})
}

// cut makes the page of a query of sessions and breakouts in their order: breakouts stand under their parent, if
// there is one, else like any other. It says how many stand before it, and which page it is: the last one, when
// there are fewer.
func (q RoomQuery) cut(tops, breakouts []*room.Summary, there func(parent roomKey) bool) (rows []Row, before, page, pages int) {
	under := make(map[roomKey][]*room.Summary)
	var alone []*room.Summary
	for _, s := range breakouts {
		if parent := (roomKey{s.Source, s.ParentRoomID}); there(parent) {
			under[parent] = append(under[parent], s)
		} else {
			alone = append(alone, s)
		}
	}
	n := len(tops) + len(alone)
	pages = max(1, (n+PageRows-1)/PageRows)
	page = min(max(q.Page, 1), pages)
	from, order := (page-1)*PageRows, q.order()
	if len(breakouts) == 0 { // no need to walk there
		before, tops = from, tops[from:]
		n, from = n-from, 0
	}
	for i := range min(from+PageRows, n) {
		var s *room.Summary
		if len(alone) == 0 || len(tops) > 0 && order(tops[0], alone[0]) < 0 {
			s, tops = tops[0], tops[1:]
		} else {
			s, alone = alone[0], alone[1:]
		}
		own := roomKey{s.Source, s.RoomID}
		if i < from {
			before += 1 + len(under[own])
		} else {
			rows = append(rows, Row{Summary: s})
			for _, breakout := range under[own] {
				rows = append(rows, Row{Summary: breakout, Breakout: true})
			}
		}
		delete(under, own) // two sessions may have the room_id
	}
	return rows, before, page, pages
}
