package room

import (
	"fmt"
	"slices"
)

// LiveKit does not know plugNmeet's sessions, so plugNmeet stamps what LiveKit tells it with the session that the
// room_id has when it handles the event (contract 4.7). What is late of an earlier session then names the present
// one: a straggler. It is left out of everything that is read, but only on evidence of the earlier session:
//
//   - its connection or track is known there too (Session.Earlier), or
//   - its own times lie before the creation of the session that it names by more than the two clocks can differ.
//
// LiveKit's creation_time is no such evidence: LiveKit goes on with its room object when a room is made again at once.

const (
	// straggleAfter is by how much the times of an event may lie before the creation of its session when the skew
	// of the clocks is known.
	straggleAfter Time = 5_000

	// unmeasured is what two clocks may differ beyond straggleAfter while nobody has measured it: two minutes in all.
	unmeasured Time = 115_000

	// never is the birth of an event that cannot be a straggler.
	never = Time(1<<63 - 1)
)

// born is when a LiveKit-born event began to be true, at the latest, by plugNmeet's clock.
func (e Event) born() Time {
	if !e.Kind.livekitBorn() {
		return never
	}
	born := e.At
	if e.Participant != nil && e.Participant.JoinedAt != 0 {
		born = min(born, e.Participant.JoinedAt)
	}
	switch {
	case e.Skew == nil:
		return born + unmeasured
	case *e.Skew < 0: // LiveKit's clock is behind
		return born - *e.Skew
	}
	return born // a clock that is ahead hides nobody: what is taken for early may be so by a wrong measurement
}

// Renew judges anew what a document from before Session.Heard tells: LiveKit's creation_time was evidence then, and
// two minutes were not allowed for the clocks.
func (s *Session) Renew() {
	if s.Heard != 0 {
		return
	}
	renew(s.Room, func(r *Report[RoomSaid]) Time { return 0 })
	for _, told := range s.Connections {
		renew(told, func(r *Report[ConnectionSaid]) Time { return r.Said.Joined })
	}
	for _, told := range s.Tracks {
		renew(told, func(r *Report[TrackTold]) Time { return 0 })
	}
}

// renew gives reports that may be stragglers' the birth that they have today.
func renew[F fact[F]](told Told[F], joined func(*Report[F]) Time) {
	for i := range told {
		if r := &told[i]; r.Kind.livekitBorn() {
			r.Born = max(r.Born, earliest(r.At, joined(r))+unmeasured)
		}
	}
}

// KnownEarlier notes what another session knows of the connection or track of this sid. Whether it is that one's is
// derived: it is if that one was created first, and it began at the same time in both. It reports whether this is news.
func (s *Session) KnownEarlier(sid string, there Elsewhere) bool {
	known, is := s.Earlier[sid]
	merged := Elsewhere{known.merge(there.Created), earliest(known.Began, there.Began)}
	switch {
	case there.Best() == 0, merged == known:
		return false
	case !is && len(s.Earlier) >= maxEarlier:
		news := !s.Capped
		s.Capped = true
		return news
	}
	if s.Earlier == nil {
		s.Earlier = make(map[string]Elsewhere, 1)
	}
	s.Earlier[sid] = merged
	return true
}

// evidence is what tells the stragglers of one session.
type evidence struct {
	since  Time            // the creation of the session, 0 when it is not known: then nothing is a straggler
	oldest Time            // reports born before are stragglers
	others map[string]bool // connections and tracks of an earlier session
}

func (s *Session) evidence(created Created) (ev evidence) {
	ev.since = created.Best()
	if ev.since == 0 {
		return ev
	}
	// Nobody can name a session before it is there. So where its creation is told to be later than the first
	// delivery of it, that clock is wrong, and nobody who was seen is erased by it.
	ev.oldest = ev.since - straggleAfter
	if s.Heard != 0 {
		ev.oldest = min(ev.oldest, s.Heard-straggleAfter)
	}
	for sid, there := range s.Earlier {
		if there.Best() < ev.since && sameBegin(there.Began, s.began(sid)) && !listed(s.Connections[sid]) && !listed(s.Tracks[sid]) {
			if ev.others == nil {
				ev.others = make(map[string]bool, len(s.Earlier))
			}
			ev.others[sid] = true
		}
	}
	return ev
}

// sameBegin: two accounts of when something began are of one thing. They are told in seconds or in milliseconds.
func sameBegin(a, b Time) bool { return a == 0 || b == 0 || max(a, b)-min(a, b) < 1_000 }

// listed: plugNmeet's API said that it is in this session.
func listed[F fact[F]](told Told[F]) bool {
	for _, r := range told {
		if r.Kind == KindListed {
			return true
		}
	}
	return false
}

// counts: the report is not a straggler's, by its own times.
func (ev *evidence) counts(s Stamp) bool { return s.Born >= ev.oldest }

// theirs: the track is of an earlier session, or was made on a connection that is.
func (ev *evidence) theirs(sid string, told Told[TrackTold]) bool {
	if len(ev.others) == 0 {
		return false
	}
	for _, r := range told {
		if ev.others[r.Said.OwnerSID] {
			return true
		}
	}
	return ev.others[sid]
}

// leftOut is how many connections, tracks, starts and ends were told of this session and are left out.
func (r *reading) leftOut() (n int) {
	if r.since == 0 && r.lastJoin == 0 {
		return 0
	}
	for sid, told := range r.Connections {
		if r.others[sid] || !anyCounts(&r.evidence, told) {
			n++
		}
	}
	for sid, told := range r.Tracks {
		if r.theirs(sid, told) || !anyCounts(&r.evidence, told) {
			n++
		}
	}
	for _, said := range r.Room {
		started, finished := said.Kind == KindRoomStarted, said.Kind == KindRoomFinished
		if (started || finished) && !r.counts(said.Stamp) || finished && r.finishes(said.Said.Moment, said.Said.Object) != "" {
			n++
		}
	}
	return n
}

func anyCounts[F fact[F]](ev *evidence, told Told[F]) bool {
	return slices.ContainsFunc(told, func(r Report[F]) bool { return ev.counts(r.Stamp) })
}

// Stragglers judges the events of one session as it was known at one moment.
type Stragglers struct{ r reading }

// Stragglers judges by what is known now. It holds on to the session, which must not change meanwhile.
func (s *Session) Stragglers() Stragglers { return Stragglers{s.read()} }

// Why says why an event of the session counts for nothing that is read of it, in words that follow "left out: ", or ""
// if it counts.
func (s Stragglers) Why(e Event) string {
	switch {
	case !e.Kind.livekitBorn():
	case e.Participant != nil && s.r.others[e.Participant.SID], e.Track != nil && s.r.others[e.Track.SID]:
		return "it is of an earlier session of this room, which knows the same connection or track"
	case e.born() < s.r.oldest:
		return fmt.Sprintf("it is of an earlier session of this room: it began %d s before this one was created, "+
			"which is more than the clocks differ", (s.r.since-e.began())/1000)
	case e.Kind == KindRoomFinished:
		return s.r.finishes(e.At, e.CreationTime)
	}
	return ""
}

// began is when the event, or what it speaks of, began by LiveKit's clock.
func (e Event) began() Time {
	if p := e.Participant; p != nil && p.JoinedAt != 0 {
		return min(e.At, p.JoinedAt)
	}
	return e.At
}
