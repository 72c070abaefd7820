package live

import (
	"cmp"
	"slices"

	"github.com/roomwatch/roomwatch/room"
)

// lineage is the sessions of each room in memory, one after the other in the order in which they began. A session is
// told only of its nearest: of many thousands of one room that is all that it can have to do with.
type lineage map[roomKey][]*entry

// nearest is how many sessions before one, and how many after it, are told of it.
const nearest = 4

func (l lineage) place(of roomKey, e *entry, at standing) (int, bool) {
	return slices.BinarySearchFunc(l[of], at, func(x *entry, at standing) int {
		return cmp.Or(x.standing.begin.Compare(at.begin), cmp.Compare(x.session.SID, e.session.SID))
	})
}

// move puts e, which stood at from, to where it stands now.
func (l lineage) move(e *entry, from standing, at standing) {
	l.drop(e, from)
	e.standing = at
	if at.room.roomID == "" {
		return
	}
	i, _ := l.place(at.room, e, at)
	l[at.room] = slices.Insert(l[at.room], i, e)
}

func (l lineage) drop(e *entry, from standing) {
	i, is := l.place(from.room, e, from)
	if !is {
		return
	}
	if l[from.room] = slices.Delete(l[from.room], i, i+1); len(l[from.room]) == 0 {
		delete(l, from.room)
	}
}

// near are the sessions around e.
func (l lineage) near(e *entry) []*entry {
	i, is := l.place(e.standing.room, e, e.standing)
	if !is {
		return nil
	}
	all := l[e.standing.room]
	return slices.Concat(all[max(0, i-nearest):i], all[i+1:min(len(all), i+1+nearest)])
}

// link tells e and the sessions around it of each other's creation, when what is known of e's own time has changed:
// the later one succeeds the earlier. It tells them, too, which connections and tracks both know.
func (b *Board) link(e *entry) {
	own := standing{e.session.Created(), e.summary.Begin(), e.room}
	ids := e.fresh
	e.fresh = nil
	if own != e.standing {
		b.lines.move(e, e.standing, own)
		for _, sibling := range b.lines.near(e) {
			b.succeed(sibling, e.session.SID, own.created)
			b.succeed(e, sibling.session.SID, sibling.session.Created())
		}
		for sid, created := range e.siblings {
			b.succeed(e, sid, created)
		}
		ids = e.session.Named()
	}
	if len(ids) == 0 {
		return
	}
	for _, sibling := range b.lines.near(e) {
		b.share(e, sibling, ids)
	}
}

// succeed tells old that another session was created, if that was later by what is known now.
func (b *Board) succeed(old *entry, sid string, created room.Created) {
	if at := created.Best().Time(); !at.After(old.summary.Begin()) || !old.session.Succeed(sid, created) {
		return
	}
	b.learned(old)
}

// share tells the later of two sessions of the connections and tracks, among these, that both know: they are the
// earlier one's, and were told of the later one by mistake.
func (b *Board) share(x, y *entry, ids []string) {
	earlier, later := x, y
	if x.standing.created.Best() > y.standing.created.Best() {
		earlier, later = y, x
	}
	created := earlier.standing.created
	if created.Best() == 0 || created.Best() == later.standing.created.Best() {
		return
	}
	news := false
	for _, id := range ids {
		if x.session.Names(id) && y.session.Names(id) {
			news = later.session.KnownEarlier(id, earlier.session.Elsewhere(id)) || news
		}
	}
	if news {
		b.learned(later)
	}
}

// learned: a session was told of another one.
func (b *Board) learned(e *entry) {
	b.dirty[e.session.Key()] = e
	b.refresh(e)
}
