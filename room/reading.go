package room

import (
	"cmp"
	"slices"
)

// reading is a session while it is read: which reports count, and whether it is over.
type reading struct {
	*Session
	evidence
	created   Created
	alive     Time   // the newest poll that listed the session
	firstSign Time   // the earliest evidence of life, 0 when there is none
	lastJoin  Time   // when somebody joined last, by LiveKit's clock
	objects   []Time // the creation_times of LiveKit's room objects that somebody was in, the newest last
	endedAt   Time
	endedBy   Evidence
	state     State
	heardOf   map[string]Time // see heardSince
}

func (s *Session) read() reading {
	r := reading{Session: s, created: s.Created()}
	r.evidence = s.evidence(r.created)
	for _, said := range s.Room {
		r.alive = max(r.alive, said.Said.AliveAt)
		if r.counts(said.Stamp) && (said.Kind == KindRoomStarted || said.Kind == KindParticipantJoined) {
			if o := said.Said.Object; o != 0 && !slices.Contains(r.objects, o) {
				r.objects = append(r.objects, o)
			}
		}
	}
	slices.Sort(r.objects)
	r.findLife()
	r.endedAt, r.endedBy = r.findEnd()
	r.state = r.findState()
	return r
}

func (r *reading) over() bool { return r.endedBy != "" }

// findLife finds the earliest time of what only happens in a session that lives (design section 2), and when somebody
// joined last.
func (r *reading) findLife() {
	first := Time(0)
	for _, said := range r.Room {
		switch said.Kind {
		case KindRoomStarted, KindRecordingStarted, KindStreamStarted:
			if r.counts(said.Stamp) {
				first = earliest(first, said.Said.Moment)
			}
		case KindListed:
			if said.Said.AliveAt != 0 { // that it was is no sign that it lives
				first = earliest(first, cmp.Or(said.Said.Moment, said.At))
			}
		}
	}
	for sid, told := range r.Connections {
		if r.others[sid] {
			continue
		}
		for _, said := range told {
			if r.counts(said.Stamp) && said.Kind != KindAbsent {
				first = earliest(first, earliest(said.Said.Joined, said.At))
			}
			if r.counts(said.Stamp) && said.Kind == KindParticipantJoined {
				r.lastJoin = max(r.lastJoin, said.At)
			}
		}
	}
	for sid, told := range r.Tracks {
		if r.theirs(sid, told) {
			continue
		}
		for _, said := range told {
			if r.counts(said.Stamp) && said.Kind != KindAbsent {
				first = earliest(first, said.At)
			}
		}
	}
	r.firstSign = first
}

// finishes says why a room_finished of a time and of a room object of LiveKit's does not end this session, "" if it
// does. That LiveKit's room finished is often told late, and then names the next session (contract 4.7). LiveKit's
// own events are in order by its own clock: it finishes a room after the last has joined it.
func (r *reading) finishes(at, object Time) (why string) {
	switch {
	case at < r.lastJoin:
		return "people joined after it"
	case object != 0 && r.strange(object):
		return "it is of an earlier room object of LiveKit’s"
	case r.since == 0:
		return ""
	case r.firstSign == 0 || at < r.firstSign:
		return "nothing had begun in this session before it"
	}
	return ""
}

// strange: a room object of LiveKit's is an earlier session's. That it is old is no evidence, for LiveKit uses objects
// again; that nobody of this session was in it, and perhaps in a newer one, is.
func (r *reading) strange(object Time) bool {
	if n := len(r.objects); n > 0 {
		return object < r.objects[n-1] && !slices.Contains(r.objects, object)
	}
	return r.since != 0 && object < r.since-straggleAfter
}

// findEnd is when the session ended, on the best evidence. Ends at or before the newest poll that still
// listed the session do not count: that is all there is to revival.
func (r *reading) findEnd() (Time, Evidence) {
	var webhook, absent, janitor Time
	for _, said := range r.Room {
		at := said.Said.Moment
		if at <= r.alive || !r.counts(said.Stamp) {
			continue
		}
		switch said.Kind {
		case KindSessionEnded:
			webhook = earliest(webhook, at)
		case KindRoomFinished:
			if r.finishes(at, said.Said.Object) == "" {
				webhook = earliest(webhook, at)
			}
		case KindAbsent:
			absent = earliest(absent, at)
		case KindJanitor:
			janitor = earliest(janitor, at)
		}
	}
	switch successor := r.succeededAt(); {
	case webhook != 0:
		return webhook, ByWebhook
	case absent != 0:
		return absent, ByReconcile
	case successor != 0:
		return successor, BySuccessor
	case janitor != 0:
		return janitor, ByJanitor
	}
	return 0, ""
}

// succeededAt is when the next session of the room_id was created, 0 if none is known. Without a time of
// its own a session cannot tell a successor from a predecessor.
func (r *reading) succeededAt() (at Time) {
	own := r.created.Best()
	if own == 0 {
		own = r.firstSign
	}
	if own == 0 {
		return 0
	}
	for _, successor := range r.Successors {
		if c := successor.Best(); c > own && c > r.alive {
			at = earliest(at, c)
		}
	}
	return at
}

func (r *reading) findState() State {
	switch {
	case r.over():
		return StateEnded
	case r.firstSign != 0:
		return StateLive
	case r.created.For != 0:
		return StateCreated
	}
	return StateEnded // known only by what comes after an end
}

// head derives what all forms of a session share; people and bots are counted from its participants.
func (r *reading) head(participants []Participant) Head {
	h := Head{Source: r.Source, SID: r.SID, State: r.state, KnownBy: "api", Trust: TrustUnconfirmed,
		CreatedAt: r.created.Best().Time(), EndedAt: r.endedAt.Time(), EndedBy: r.endedBy,
		FirstEventAt: r.First.Time(), Capped: r.Capped, LeftOut: r.leftOut()}
	if r.alive != 0 {
		h.Trust, h.VerifiedAt, h.alive = TrustConfirmed, cmp.Or(r.Verified, r.alive).Time(), r.alive
	}
	started := Time(0)
	for _, said := range r.Room {
		h.RoomID = lastSaid(h.RoomID, said.Said.RoomID)
		if !said.Kind.Own() {
			h.KnownBy = "webhook"
		}
		if !r.counts(said.Stamp) || said.Kind == KindRoomFinished && r.finishes(said.Said.Moment, said.Said.Object) != "" {
			continue
		}
		h.Title = lastSaid(h.Title, Shown(said.Said.Title))
		h.ParentRoomID = lastSaid(h.ParentRoomID, said.Said.ParentRoomID)
		h.EmptyTimeout = lastSaid(h.EmptyTimeout, said.Said.EmptyTimeout)
		h.MaxParticipants = lastSaid(h.MaxParticipants, said.Said.MaxParticipants)
		h.PlannedMinutes = lastSaid(h.PlannedMinutes, said.Said.PlannedMinutes)
		if !said.Kind.Own() {
			h.LastEventAt = said.At.Time() // reports are in the order of time
		}
		if said.Kind == KindRoomStarted {
			started = earliest(started, said.Said.Moment)
		}
	}
	if started == 0 {
		started = r.firstSign
	}
	h.StartedAt = started.Time()
	for _, p := range participants {
		switch {
		case !p.Online:
		case p.Human():
			h.People++
		default:
			h.Bots++
		}
	}
	h.PeakPeople = peak(participants)
	return h
}

// lastSaid is the last writer's value: an empty one does not write.
func lastSaid[T comparable](known, said T) T {
	var empty T
	if said == empty {
		return known
	}
	return said
}
