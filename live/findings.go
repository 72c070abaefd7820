package live

import (
	"context"
	"hash/fnv"

	"github.com/roomwatch/roomwatch/room"
)

// findings are what a round finds.
type findings struct {
	Poll
	at      instant                // when it was asked
	since   room.Time              // the last check before, by our clock
	entries map[string]*room.Event // what is to be appended, by sid
	absent  []*absence
	counts  map[string]count // by sid
	size    size
	gone    size
	said    room.PollSaid
}

// compare holds every listed session against what is known of it, and finds those that are not listed.
func (r *Reconciler) compare(ctx context.Context, poll Poll) (*findings, error) {
	f := &findings{Poll: poll, at: r.board.instantOf(r.source, poll), since: r.board.checkedAt(r.source),
		entries: make(map[string]*room.Event), counts: make(map[string]count, len(poll.Rooms))}
	r.last = f.at
	f.said.Rooms = len(poll.Rooms)
	listed := make(map[string]bool, len(poll.Rooms))
	for _, l := range poll.Rooms {
		f.date(&l, room.Time(r.Quiet.Milliseconds()))
		f.said.People += l.Attendees
		sid := l.Events[0].SID
		listed[sid] = true
		known, err := r.board.known(ctx, room.Key{Source: r.source, SID: sid})
		if err != nil {
			return nil, err
		}
		f.listed(sid, l, room.Compare(known, l))
	}
	for _, s := range r.board.openOf(r.source) {
		f.size.rooms++
		if listed[s.SID] {
			continue
		}
		f.size.people += s.People
		f.said.Unlisted = append(f.said.Unlisted, s.SID)
		if s.received < f.at.ours {
			f.unlisted(s)
		}
	}
	return f, nil
}

// date says when the listing was so: of each thing by the clock by which deliveries tell of it. Ends of a session are
// told by either of two clocks.
func (f *findings) date(l *room.Listing, quiet room.Time) {
	l.Media, l.Certain = f.at.livekit, settled(min(f.at.plugnmeet, f.at.livekit))
	for i := range l.Events {
		e := &l.Events[i]
		e.At, e.AliveAt = f.at.livekit, settled(f.at.livekit)-quiet
		if i == 0 {
			e.At, e.AliveAt = f.at.plugnmeet, l.Certain-quiet
		}
	}
}

func (f *findings) listed(sid string, l room.Listing, d room.Difference) {
	f.size.people += d.People
	f.gone.people += d.PeopleGone
	f.counts[sid] = countOf(l, d)
	if d.News != nil {
		f.entries[sid] = d.News
	}
	for _, a := range d.Absent {
		f.absent = append(f.absent, &absence{Absence: a, id: sid + " " + a.ID(), session: l.Events[0], at: a.Now, heard: a.Heard, now: a.Now})
	}
}

// countOf is what plugNmeet counts in a session beside whom it lists.
func countOf(l room.Listing, d room.Difference) count {
	c := count{joined: l.Joined, attendees: l.Attendees, uncounted: d.Uncounted, missing: len(d.Absent) > 0}
	for _, e := range l.Events[1:] {
		if e.Track == nil {
			h := fnv.New64a()
			_, _ = h.Write([]byte(e.Participant.Identity))
			c.who ^= h.Sum64()
		}
	}
	return c
}

func (f *findings) unlisted(s openSession) {
	f.gone.rooms++
	f.gone.people += s.People
	f.absent = append(f.absent, &absence{
		id: s.SID, session: room.Event{Source: s.Source, SID: s.SID, RoomID: s.RoomID}, whole: true, people: s.People, bots: s.Bots,
		at: f.at.plugnmeet, heard: s.received, now: f.at.ours, lastEvent: room.At(s.LastEventAt), alive: s.Alive(),
	})
}

// conclude makes facts of the absences that enough polls agree on.
func (r *Reconciler) conclude(ctx context.Context, f *findings) error {
	r.doubts.count(f.counts)
	r.doubts.weigh(f.absent, f.size, f.gone, f.said.People == 0 && r.doubts.anyShort())
	if err := r.corroborate(ctx, f.absent); err != nil {
		r.Log.Warn("plugNmeet could not be asked for sessions that it no longer lists", "source", r.source, "err", err)
	}
	disputed := make(map[string]bool)
	for _, a := range f.absent {
		switch {
		case a.believed(r.Quiet):
			f.believe(a)
		case !disputed[a.session.SID] && (a.need > agreeing || a.polls >= agreeing):
			disputed[a.session.SID] = true
			f.said.Disputed = append(f.said.Disputed, a.session.SID)
		}
	}
	return nil
}

// believe adds the absence to the entry of its session.
func (f *findings) believe(a *absence) {
	if a.whole {
		e := a.session
		e.Kind, e.At = room.KindAbsent, a.endedAt()
		e.Corrected = &room.Corrected{What: room.Gone, PeopleGone: a.people, BotsGone: a.bots}
		f.entries[e.SID] = &e
		return
	}
	e := f.entries[a.session.SID]
	if e == nil {
		e = &room.Event{Source: a.session.Source, SID: a.session.SID, RoomID: a.session.RoomID, Kind: room.KindListed, At: a.session.At, AliveAt: a.session.AliveAt}
		f.entries[e.SID] = e
	}
	end := a.Said
	end.At = a.since
	e.Also = append(e.Also, end)
	if a.Counts == (room.Corrected{}) {
		return
	}
	if e.Corrected == nil {
		e.Corrected = &room.Corrected{What: room.Adjusted}
	}
	e.Corrected.Add(a.Counts)
}

// mostPast bounds how many past sessions are looked through for those that are no longer listed.
const mostPast = 500

// corroborate asks plugNmeet's memory about sessions that are no longer listed. That one ended is word enough; of
// one that runs there, its absence from the list is no proof yet.
func (r *Reconciler) corroborate(ctx context.Context, absent []*absence) error {
	asked := make(map[string]*absence)
	var roomIDs []string
	for _, a := range absent {
		if a.whole && a.polls >= agreeing && a.isQuiet(r.Quiet) && len(asked) < room.MaxLimit {
			asked[a.session.SID] = a
			roomIDs = append(roomIDs, a.session.RoomID)
		}
	}
	if len(asked) == 0 {
		return nil
	}
	n := 0
	for p, err := range r.meet.Past(ctx, roomIDs) {
		if err != nil {
			return err
		}
		if a := asked[p.SID]; a != nil {
			delete(asked, p.SID)
			a.need = agreeing
			if a.ended = p.Ended; p.Ended == 0 {
				a.need = sceptical
			}
		}
		if n++; n == mostPast || len(asked) == 0 {
			break
		}
	}
	return nil
}
