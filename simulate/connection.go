package simulate

import (
	"time"
)

// person is who an identity is: a human, a caller or one of plugNmeet's bots.
type person struct {
	identity   string
	name       string
	role       string // as room.Participant.Kind
	kind       string // LiveKit's, "" for STANDARD
	attributes map[string]string
	hidden     bool
}

func (p *person) human() bool { return p.role == "person" || p.role == "sip" }

// connection is one participant.sid, from joining to leaving.
type connection struct {
	session *session
	who     *person
	sid     string
	twin    string // the sid on which a hybrid user publishes; plugNmeet never tells of that connection
	joined  time.Time
	left    time.Time
	reason  string
	version int
	tracks  []*track
}

// open: the session has not ended, and this neither.
func (c *connection) open() bool { return c.left.IsZero() && !c.session.isOver() }

// after lets f happen unless the connection is closed by then.
func (c *connection) after(d time.Duration, f func()) {
	c.session.life.after(d, func() {
		if c.open() {
			f()
		}
	})
}

// admit connects somebody.
func (s *session) admit(who *person) *connection {
	l := s.life
	c := &connection{session: s, who: who, sid: l.dice.livekitID("PA_", 12), joined: l.now, version: 2}
	if hybrid(who.identity) {
		c.twin = twinOf(c.sid)
	}
	s.connections = append(s.connections, c)
	s.relay(body{Event: "participant_joined", Room: s.media(), Participant: c.wire("ACTIVE")}, 0)
	return c
}

// leave closes the connection in good order.
func (c *connection) leave(reason string) {
	c.unpublishAll()
	c.depart(reason)
	if c.who.human() {
		d := c.session.life.dice
		c.session.after(d.between(10*time.Second, 20*time.Second), c.session.emptied)
	}
}

// depart ends the connection, and tells so unless that will be told under the wrong sid.
func (c *connection) depart(reason string) {
	if c == c.session.straggler {
		return
	}
	c.tell(reason)
}

func (c *connection) tell(reason string) {
	media := c.session.media() // still counts the one who leaves
	c.left, c.reason = c.session.life.now, reason
	c.version++
	c.session.relay(body{Event: "participant_left", Room: media, Participant: c.wire("DISCONNECTED")}, 0)
}

// tellLeft tells the leaving as of another session: the room_id meant that one when the event was handled.
func (c *connection) tellLeft(as *session) {
	const clearly = 7 * time.Second // the receiver needs five to see that it cannot be
	if as.created.Sub(c.joined) < clearly {
		return
	}
	media := as.media()
	media.CreationTime = seconds(c.session.started)
	gone := *c
	gone.reason = "ROOM_DELETED"
	as.relay(body{Event: "participant_left", Room: media, Participant: gone.wire("DISCONNECTED")}, 0)
}

// chooseStraggler picks a bot, which is still there when the session ends.
func (s *session) chooseStraggler() {
	for _, c := range s.connections {
		if c.left.IsZero() && !c.who.human() {
			s.straggler = c
			return
		}
	}
}

func (c *connection) wire(state string) *participantPart {
	return &participantPart{
		SID: c.sid, Identity: c.who.identity, State: state,
		JoinedAt: seconds(c.joined), JoinedAtMS: milliseconds(c.joined),
		Name: c.who.name, Version: c.version,
		Permission:  &permissionPart{CanSubscribe: true, CanPublish: true, CanPublishData: true, Hidden: c.who.hidden},
		IsPublisher: len(c.tracks) > 0, Kind: c.who.kind, Attributes: c.who.attributes, DisconnectReason: c.reason,
	}
}

// gather lets the people of a meeting come, of which one is there from the start and stays.
func (s *session) gather(length time.Duration) {
	s.attend(s.life.guest(s), length, 0)
	for range s.crowd() - 1 {
		s.expect(length)
	}
}

// crowd is how many come: mostly few, sometimes many.
func (s *session) crowd() int {
	d, usual := s.life.dice, float64(s.life.plan.People)
	switch roll := d.Float64(); {
	case roll < 0.62:
		usual *= 0.3 + 0.6*d.Float64()
	case roll < 0.92:
		usual *= 0.8 + 0.9*d.Float64()
	default:
		usual *= 2 + 3*d.Float64()
	}
	return max(2, int(usual+0.5))
}

// expect lets one more person come, mostly at the beginning, and many stay to the end.
func (s *session) expect(length time.Duration) {
	d := s.life.dice
	arrival := d.about(80 * time.Second)
	if d.chance(0.25) {
		arrival = d.between(0, length*8/10)
	}
	var stay time.Duration // to the end
	if d.chance(0.4) {
		stay = d.between(time.Minute, length)
	}
	s.after(arrival, func() { s.attend(s.life.guest(s), length, stay) })
}

// attend is one person's meeting; stay 0 is to its end.
func (s *session) attend(who *person, length, stay time.Duration) {
	if s.leaving {
		return
	}
	d := s.life.dice
	c := s.admit(who)
	c.participate()
	if stay > 0 {
		reason := "CLIENT_INITIATED"
		switch roll := d.Float64(); {
		case roll < 0.04:
			reason = "PARTICIPANT_REMOVED"
		case roll < 0.08:
			reason = "SIGNAL_CLOSE"
		case roll < 0.1:
			reason = "" // unknown
		}
		c.after(stay, func() { c.leave(reason) })
	}
	if d.chance(0.12) {
		c.after(d.between(30*time.Second, length), c.drop)
	}
}

// drop is a broken network. Either the client is back before LiveKit noticed, and the old connection goes
// for its double, after it in time; or LiveKit gives the connection up and the client may come again.
func (c *connection) drop() {
	s, d := c.session, c.session.life.dice
	switch {
	case s.leaving:
		return
	case d.chance(0.5):
		s.admit(c.who).participate()
		c.after(d.between(50*time.Millisecond, 700*time.Millisecond), func() { c.leave("DUPLICATE_IDENTITY") })
		return
	}
	c.after(d.between(15*time.Second, 25*time.Second), func() {
		c.leave("CONNECTION_TIMEOUT")
		if d.chance(0.7) {
			s.after(d.between(2*time.Second, 40*time.Second), func() { s.comeBack(c.who) })
		}
	})
}

// comeBack connects somebody who is not here by another connection.
func (s *session) comeBack(who *person) {
	if !s.leaving && !s.has(who.identity) {
		s.admit(who).participate()
	}
}

func (s *session) has(identity string) bool {
	for _, c := range s.connections {
		if c.open() && c.who.identity == identity {
			return true
		}
	}
	return false
}
