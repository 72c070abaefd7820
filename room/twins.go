package room

import "slices"

// A hybrid user has two connections at LiveKit: that of the browser, and the twin on which their app publishes.
// plugNmeet tells of the first alone, but its API lists the person on the twin's participant.sid (contract 5.3).

// crashLag is how long after the next connection of an identity began its earlier one may be told to have ended: LiveKit
// keeps one connection an identity, but says so late after a crash (contract 5.4b).
const crashLag Time = 15_000

// twinSoon is how soon after its owner's connection a twin begins, mostly.
const twinSoon Time = 5_000

// began is when the connection did, as well as that is known.
func (c Connection) began() Time {
	if !c.JoinedAt.IsZero() {
		return At(c.JoinedAt)
	}
	return c.seen
}

// replacedBy: it was told to have ended because the identity connected again then, as far as can be told.
func (c Connection) replacedBy(joined Time) bool {
	return c.left != 0 && (c.Reason == "DUPLICATE_IDENTITY" || joined > c.left-crashLag && joined > At(c.JoinedAt)+twinSoon)
}

// isTwin: only the API tells of c, and the person was on another connection of theirs all the while. That one says when
// they left, unless plugNmeet goes on listing them after it.
func (c Connection) isTwin(of Connection) bool {
	switch {
	case of.Open && c.alive > of.began():
		return true // it was listed beside that one
	case of.began() > c.began()+crashLag, of.replacedBy(c.began()):
		return false
	case of.Open:
		return true
	}
	return c.began() < At(of.LeftAt) && c.alive < At(of.LeftAt)
}

// withoutTwins orders the connections that deliveries tell of, and leaves out those that are the twins of one.
func (p *person) withoutTwins() {
	told, listed := p.Connections, []Connection(nil)
	if slices.ContainsFunc(told, func(c Connection) bool { return !c.told }) {
		told = nil
		for _, c := range p.Connections {
			if c.told {
				told = append(told, c)
			} else {
				listed = append(listed, c)
			}
		}
	}
	p.Connections = told
	p.oneAtATime()
	if len(listed) == 0 {
		return
	}
	for _, c := range listed {
		if !slices.ContainsFunc(told, c.isTwin) {
			p.Connections = append(p.Connections, c)
		}
	}
	p.oneAtATime()
}

// lastTold is the connection that deliveries tell of which is open or, if none is, began last; nil if they tell of none.
func (p *Participant) lastTold() (last *Connection) {
	for i := range p.Connections {
		if c := &p.Connections[i]; c.told && (last == nil || c.Open || !last.Open) {
			last = c
		}
	}
	return last
}
