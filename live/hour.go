package live

import (
	"math"
	"slices"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

const (
	// HourSlots is in how many slots the last hour of a room is told: two minutes each.
	HourSlots = 30
	hourSlot  = time.Hour / HourSlots
)

// Hour is what a room did in the last hour, by slots, the oldest first. It is comparable.
type Hour struct {
	Slots    int // how many of the slots, up to the last one, the room has been there; 0 when that is not known
	People   [HourSlots]uint16
	Recorded uint32 // a bit for each slot in which it was recorded, the lowest is the oldest slot
	Streamed uint32
	Missed   uint32 // the slots in which deliveries may have been lost
}

// lately is what an Hour is made of. It is replaced with the summary, never changed.
type lately struct {
	begun    time.Time
	steps    []room.Step
	recorded []span
	streamed []span
}

// span is when something went on; without an end it does yet.
type span struct{ from, to time.Time }

// latelyOf keeps what the hours to come can show, of a session that goes on.
func latelyOf(d room.Detail, now time.Time) (l lately) {
	if d.State == room.StateEnded {
		return l
	}
	horizon := now.Add(-time.Hour - hourSlot)
	l.begun = d.Begin()
	add := func(list []span, from, to time.Time, active bool) []span {
		switch {
		case active:
			to = time.Time{}
		case to.Before(horizon):
			return list
		}
		return append(list, span{from, to})
	}
	for _, r := range d.Recordings {
		l.recorded = add(l.recorded, r.Begin(), r.EndedAt, r.State == room.RecordingActive)
	}
	for _, s := range d.Streams {
		l.streamed = add(l.streamed, s.StartedAt, s.EndedAt, s.State == room.StreamLive)
	}
	steps := room.Steps(d.Participants)
	old, _ := slices.BinarySearchFunc(steps, horizon, func(s room.Step, at time.Time) int { return s.At.Time().Compare(at) })
	l.steps = slices.Clone(steps[max(0, old-1):])
	return l
}

// hour is the hour that ends with the slot of now.
func (l lately) hour(now time.Time) (h Hour) {
	end := now.Truncate(hourSlot).Add(hourSlot)
	from := end.Add(-time.Hour)
	slot := func(at time.Time) int { return min(max(0, int(at.Sub(from)/hourSlot)), HourSlots-1) }
	if l.begun.IsZero() {
		return h
	}
	h.Slots = HourSlots - slot(l.begun)
	fill := func(first, last, people int) {
		for i := first; i <= last; i++ {
			h.People[i] = max(h.People[i], uint16(min(people, math.MaxUint16)))
		}
	}
	for i, step := range l.steps {
		until := end.Add(-1)
		if i+1 < len(l.steps) {
			until = l.steps[i+1].At.Time().Add(-1)
		}
		if !until.Before(from) {
			fill(slot(step.At.Time()), slot(until), step.People)
		}
	}
	bits := func(list []span) (out uint32) {
		for _, s := range list {
			if s.to.IsZero() {
				s.to = end.Add(-1)
			}
			if s.from.IsZero() || s.to.Before(from) || s.to.Before(s.from) {
				continue
			}
			for i := slot(s.from); i <= slot(s.to); i++ {
				out |= 1 << i
			}
		}
		return out
	}
	h.Recorded, h.Streamed = bits(l.recorded), bits(l.streamed)
	return h
}

// fillHours tells the last hour of each row, and when it was confirmed.
func (b *Board) fillHours(rows []Row, now time.Time) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for i := range rows {
		if e := b.sessions[rows[i].Key()]; e != nil {
			rows[i].Hour = e.lately.hour(now)
			rows[i].Hour.Missed = missedIn(rows[i].Hour, b.gapsIn(rows[i].Source, now.Add(-time.Hour), time.Time{}), now)
			rows[i].VerifiedAt = e.verifiedAt().Truncate(time.Second)
		}
	}
}

// missedIn are the slots of which a gap takes half a minute or more.
func missedIn(h Hour, gaps []Gap, now time.Time) (out uint32) {
	end := now.Truncate(hourSlot).Add(hourSlot)
	for _, g := range gaps {
		for i := HourSlots - h.Slots; i < HourSlots; i++ {
			from := end.Add(time.Duration(i-HourSlots) * hourSlot)
			to := from.Add(hourSlot)
			if g.From.After(from) {
				from = g.From
			}
			if g.To.Before(to) {
				to = g.To
			}
			if to.Sub(from) >= 30*time.Second {
				out |= 1 << i
			}
		}
	}
	return out
}
