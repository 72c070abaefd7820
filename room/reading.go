package room

import "cmp"

// straggleAfter: an event whose oldest time is more than this before the creation of the session that it
// names belongs to an earlier session of the room_id (contract 4.7).
const straggleAfter Time = 5_000

// reading is a session while it is read: which reports count, and whether it is over.
type reading struct {
	*Session
	created   Created
	oldest    Time // reports born before this are stragglers
	alive     Time // the newest poll that listed the session
	firstSign Time // the earliest evidence of life, 0 when there is none
	endedAt   Time
	endedBy   Evidence
	state     State
}

func (s *Session) read() reading {
	r := reading{Session: s, created: s.Created()}
	if at := r.created.Best(); at != 0 {
		r.oldest = at - straggleAfter
	}
	for _, said := range s.Room {
		r.alive = max(r.alive, said.Said.AliveAt)
	}
	r.firstSign = r.findFirstSign()
	r.endedAt, r.endedBy = r.findEnd()
	r.state = r.findState()
	return r
}

// counts: the report is not a straggler's.
func (r *reading) counts(s Stamp) bool { return s.Born >= r.oldest }

func (r *reading) over() bool { return r.endedBy != "" }

// findFirstSign is the earliest time of what only happens in a session that lives (design section 2).
func (r *reading) findFirstSign() (first Time) {
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
	for _, told := range r.Connections {
		for _, said := range told {
			if r.counts(said.Stamp) && said.Kind != KindAbsent {
				first = earliest(first, earliest(said.Said.Joined, said.At))
			}
		}
	}
	for _, told := range r.Tracks {
		for _, said := range told {
			if r.counts(said.Stamp) && said.Kind != KindAbsent {
				first = earliest(first, said.At)
			}
		}
	}
	return first
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
		case KindSessionEnded, KindRoomFinished:
			webhook = earliest(webhook, at)
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
		FirstEventAt: r.First.Time(), Capped: r.Capped}
	if r.alive != 0 {
		h.Trust, h.VerifiedAt = TrustConfirmed, r.alive.Time()
	}
	started := Time(0)
	for _, said := range r.Room {
		h.RoomID = lastSaid(h.RoomID, said.Said.RoomID)
		if !said.Kind.Own() {
			h.KnownBy = "webhook"
		}
		if !r.counts(said.Stamp) {
			continue
		}
		h.Title = lastSaid(h.Title, said.Said.Title)
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
