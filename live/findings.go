package live

import (
	"context"

	"github.com/roomwatch/roomwatch/room"
)

// findings are what a round finds.
type findings struct {
	Poll
	since   room.Time              // the last check before
	entries map[string]*room.Event // what is to be appended, by sid
	absent  []*absence
	size    size
	gone    size
	said    room.PollSaid
}

// compare holds every listed session against what is known of it, and finds those that are not listed.
func (r *Reconciler) compare(ctx context.Context, poll Poll) (*findings, error) {
	f := &findings{Poll: poll, since: r.board.checkedAt(r.source), entries: make(map[string]*room.Event)}
	f.said.Rooms = len(poll.Rooms)
	listed := make(map[string]bool, len(poll.Rooms))
	for _, l := range poll.Rooms {
		for i, e := range l.Events {
			l.Events[i].AliveAt = poll.AliveAt - room.Time(r.Quiet.Milliseconds())
			if e.Participant != nil && e.Track == nil {
				f.said.People++
			}
		}
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
		f.size.people += s.People
		if !listed[s.SID] && s.received < room.At(poll.Began) {
			f.unlisted(s)
		}
	}
	return f, nil
}

func (f *findings) listed(sid string, l room.Listing, d room.Difference) {
	f.gone.people += d.PeopleGone
	if d.News != nil {
		f.entries[sid] = d.News
	}
	for _, a := range d.Absent {
		f.absent = append(f.absent, &absence{Absence: a, id: sid + " " + a.ID(), session: l.Events[0], short: l.Short, heard: a.Heard, now: f.At})
	}
}

func (f *findings) unlisted(s openSession) {
	f.gone.rooms++
	f.gone.people += s.People
	f.said.Unlisted = append(f.said.Unlisted, s.SID)
	f.absent = append(f.absent, &absence{
		id: s.SID, session: room.Event{Source: s.Source, SID: s.SID, RoomID: s.RoomID}, whole: true, people: s.People, bots: s.Bots,
		heard: s.received, now: room.At(f.Began), lastEvent: room.At(s.LastEventAt), alive: room.At(s.VerifiedAt),
	})
}

// conclude makes facts of the absences that enough polls agree on.
func (r *Reconciler) conclude(ctx context.Context, f *findings) error {
	r.doubts.weigh(f.absent, f.size, f.gone, f.At)
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
		e = &room.Event{Source: a.session.Source, SID: a.session.SID, RoomID: a.session.RoomID, Kind: room.KindListed, At: f.At, AliveAt: a.session.AliveAt}
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
