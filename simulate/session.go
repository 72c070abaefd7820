package simulate

import (
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/roomwatch/roomwatch/room"
)

// fate is how a session ends.
type fate int

const (
	endsByHost  fate = iota // by the API: session_ended, then LiveKit closes the room
	endsAlone               // everybody leaves: room_finished, then session_ended
	endsByTime              // the planned minutes are over: as by the API
	nobodyComes             // LiveKit never hears of it
	endsUnsaid              // plugNmeet lost track of it: no end is ever told, until its room_id is used again
)

// session is one meeting, as it really is.
type session struct {
	life   *Life
	place  *place // nil for a breakout
	parent *session
	sid    string
	roomID string
	limit  int // of participants, 0 is unlimited
	fate   fate
	again  bool // its room_id is used again soon

	leaving bool // nobody comes any more
	ending  bool // its end was asked for, and somebody is waited for

	created, started, ended time.Time
	endedBy                 room.Evidence
	meta                    metadata
	wire                    jsontext.Value // meta as it is sent, nil if it has changed

	connections []*connection // all there were
	recordings  []*job
	streams     []*job
	artifacts   []room.Artifact
	analytics   []room.Analytics
	breakouts   []*session
	straggler   *connection // whose leaving plugNmeet tells under the sid of the next session
}

func (s *session) isOver() bool { return s.endedBy != "" }

// after lets f happen unless the session is over by then.
func (s *session) after(d time.Duration, f func()) {
	s.life.after(d, func() {
		if !s.isOver() {
			f()
		}
	})
}

// open creates a session at a place.
func (l *Life) open(at *place) {
	s := l.create(at.id, metadata{Title: at.title, Analytics: l.dice.chance(0.9)})
	last := at.last
	s.place, at.last, at.busy = at, s, true
	s.again = l.dice.chance(0.25)
	s.decide()
	s.announce()
	if last != nil {
		last.followedBy(s)
	}
	if s.fate == nobodyComes {
		s.after(l.dice.between(4*time.Minute, 25*time.Minute), s.endByAPI)
		return
	}
	s.after(l.dice.between(2*time.Second, 40*time.Second), s.live)
}

func (l *Life) create(roomID string, meta metadata) *session {
	meta.StartedAt, meta.ID = l.now, l.dice.uuid()
	s := &session{life: l, sid: l.dice.uuid(), roomID: roomID, created: l.now, meta: meta}
	l.sessions = append(l.sessions, s)
	return s
}

// decide draws what the integrator asked for and how it will end.
func (s *session) decide() {
	d, m := s.life.dice, &s.meta
	if d.chance(0.6) {
		m.Welcome = "Welcome to <b>" + m.Title + "</b> & enjoy"
	}
	if d.chance(0.5) {
		m.Course = pick(d, []string{"ops-101", "B2-Deutsch", "数学-3", "«été»"})
	}
	if d.chance(0.1) {
		m.EncryptionKey = d.uuid()
	}
	if d.chance(0.1) {
		m.WebhookURL = "https://hooks.example.org/meet?token=" + d.uuid()
	}
	if d.chance(0.1) {
		s.limit = 100
	}
	m.MuteOnStart = d.chance(0.2)
	switch roll := d.Float64(); {
	case roll < 0.04:
		s.fate = nobodyComes
	case roll < 0.055:
		s.fate = endsUnsaid
	case roll < 0.15:
		s.fate, m.PlannedMinutes = endsByTime, pick(d, []int{15, 30, 45, 60})
	case roll < 0.55:
		s.fate = endsAlone
	}
	if m.PlannedMinutes == 0 && d.chance(0.2) {
		m.PlannedMinutes = 120
	}
}

// announce is room_created, which is the only one without LiveKit's part of the room.
func (s *session) announce() {
	r := s.described()
	r.EmptyTimeout = emptyTimeout
	if s.limit != 0 {
		r.MaxParticipants = new(s.limit)
	}
	s.tell(body{Event: "room_created", Room: r})
}

// followedBy is told to the last session of the place when the next one is created.
func (s *session) followedBy(next *session) {
	if !s.isOver() {
		s.close(room.BySuccessor)
	}
	if c := s.straggler; c != nil {
		next.after(s.life.dice.between(6*time.Second, 30*time.Second), func() { c.tellLeft(next) })
	}
}

// start is when the first media client connects. plugNmeet sleeps before it tells so of a breakout.
func (s *session) start() {
	l := s.life
	s.started = l.now
	var held time.Duration
	if s.parent != nil {
		held = l.dice.between(2*time.Second, 3*time.Second)
	}
	s.relay(body{Event: "room_started", Room: s.media()}, held)
	s.change(func(m *metadata) { m.StartedAt = l.now })
}

// live is the whole of a meeting, from its first participant.
func (s *session) live() {
	d := s.life.dice
	s.start()
	length := min(d.between(5*time.Minute, 90*time.Minute), d.between(15*time.Minute, 150*time.Minute))
	if s.fate == endsByTime {
		length = time.Duration(s.meta.PlannedMinutes) * time.Minute
	}
	s.gather(length)
	s.hireBots(length)
	s.after(length, func() {
		switch s.fate {
		case endsAlone, endsUnsaid:
			s.disperse()
		default:
			s.endByAPI()
		}
	})
}

// disperse lets everybody leave by themselves.
func (s *session) disperse() {
	s.leaving = true
	if s.started.IsZero() {
		s.endByAPI()
	}
	for _, c := range s.connections {
		if c.who.human() {
			c.after(s.life.dice.between(0, 50*time.Second), func() { c.leave("CLIENT_INITIATED") })
		}
	}
}

// emptied is called a while after somebody left.
func (s *session) emptied() {
	if s.isOver() || s.people() > 0 {
		return
	}
	s.dismissBots()
	switch {
	case s.fate != endsUnsaid:
		s.after(s.life.dice.between(8*time.Second, 15*time.Second), s.finish)
	case s.place != nil:
		again := s.place
		s.place = nil
		s.life.after(s.life.dice.between(30*time.Minute, 90*time.Minute), func() { s.life.open(again) })
	}
}

// finish is LiveKit closing an empty room, after which plugNmeet ends the session.
func (s *session) finish() {
	if s.people() > 0 {
		return
	}
	s.relay(body{Event: "room_finished", Room: s.media()}, 0)
	s.close(room.ByWebhook)
	s.life.after(s.life.dice.between(time.Second, 10*time.Second), func() {
		s.tell(body{Event: "session_ended", Room: s.described()})
		s.settle()
	})
}

// patience is how long plugNmeet waits for those who do not leave when a session ends.
const patience = 10 * time.Second

// endByAPI is an end by a host, by the clock or by plugNmeet's janitor. People leave at once when they are told.
// Callers and translators are not told: plugNmeet waits for them, and the session runs on till then.
func (s *session) endByAPI() {
	switch {
	case s.ending:
	case !s.hasToBeWaitedFor():
		s.endNow()
	default:
		s.ending, s.leaving = true, true
		for _, c := range s.connections {
			if c.open() && c.who.role == "person" {
				c.leave("CLIENT_INITIATED")
			}
		}
		s.after(patience, s.endNow)
	}
}

func (s *session) hasToBeWaitedFor() bool {
	return slices.ContainsFunc(s.connections, func(c *connection) bool {
		return c.open() && (c.who.role == "sip" || c.who.role == "translator")
	})
}

func (s *session) endNow() {
	d := s.life.dice
	s.tell(body{Event: "session_ended", Room: s.described()})
	s.close(room.ByWebhook)
	if s.again {
		s.chooseStraggler()
	}
	if !s.started.IsZero() {
		s.life.after(d.between(20*time.Millisecond, 300*time.Millisecond), s.evict)
	}
	s.life.after(d.between(400*time.Millisecond, 3*time.Second), s.settle)
}

// evict is LiveKit deleting the room.
func (s *session) evict() {
	for _, c := range s.connections {
		if c.left.IsZero() {
			c.unpublishAll()
			c.depart("ROOM_DELETED")
		}
	}
	s.relay(body{Event: "room_finished", Room: s.media()}, 0)
}

// close is the moment from which the session is over.
func (s *session) close(by room.Evidence) {
	l := s.life
	s.ended, s.endedBy = l.now, by
	for _, job := range s.jobs() {
		job.interrupt()
	}
	l.forget()
	if s.place != nil && by == room.ByWebhook {
		l.openNext(s)
	}
	for _, b := range s.breakouts {
		b.after(l.dice.between(time.Second, 4*time.Second), b.endByAPI)
	}
}

// openNext keeps the number of rooms.
func (l *Life) openNext(s *session) {
	if s.again {
		l.after(l.dice.between(15*time.Second, 2*time.Minute), func() { l.open(s.place) })
		return
	}
	s.place.busy = false
	l.after(l.dice.between(5*time.Second, time.Minute), func() { l.open(l.freePlace()) })
}

// settle is what plugNmeet does after it ended a session.
func (s *session) settle() {
	for _, job := range s.jobs() {
		job.stop("success")
	}
	s.account()
}

// here counts the connections that LiveKit counts.
func (s *session) here() (n int) {
	for _, c := range s.connections {
		if c.left.IsZero() {
			n++
		}
	}
	return n
}

func (s *session) people() (n int) {
	for _, c := range s.connections {
		if c.open() && c.who.human() {
			n++
		}
	}
	return n
}
