package room

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Participant is one identity in a session: everything that was seen of it, over all its connections.
type Participant struct {
	Identity    string       `json:"identity"`
	Name        string       `json:"name,omitempty"`
	Kind        string       `json:"kind"` // person, recorder, rtmp, agent, translator, ingress, sip
	Online      bool         `json:"online"`
	Roles       *Roles       `json:"roles,omitempty"` // as the API told last; absent when it never did
	Connections []Connection `json:"connections"`
	Tracks      []Track      `json:"tracks"`
	listed      bool         // the API listed it in this session
}

// Connection is one participant.sid: from joining to leaving.
type Connection struct {
	SID      string    `json:"sid"`
	JoinedAt time.Time `json:"joined_at,omitzero"`
	LeftAt   time.Time `json:"left_at,omitzero"`
	Reason   string    `json:"reason,omitempty"` // LiveKit's DisconnectReason, absent when unknown
	// Superseded: nothing told of its end, but the same identity connected again, and LiveKit keeps one connection
	// an identity. LeftAt is when the next one began.
	Superseded bool `json:"superseded,omitempty"`
	Open       bool `json:"-"`
	own        bool // something told of its end
	told       bool // a delivery told of it; else only the API did
	left       Time // when a delivery told that it ended, 0 if none did
	alive      Time // the newest poll that listed it
	seen       Time // the first report of it, for when nobody says when it began
}

func (c Connection) first() Time { return earliest(At(c.JoinedAt), At(c.LeftAt)) }

// Human says whether the participant is a person, on a phone or not, rather than one of plugNmeet's bots.
func (p Participant) Human() bool { return personal(p.Kind) }

func personal(kind string) bool { return kind == "person" || kind == "sip" }

// First is when the participant was first seen, 0 when no time is known.
func (p Participant) First() (first Time) {
	for _, c := range p.Connections {
		first = earliest(first, c.first())
	}
	for _, t := range p.Tracks {
		first = earliest(first, t.first())
	}
	return first
}

// kindOf labels an identity by the names that plugNmeet reserves (contract 4.8), else by LiveKit's kind.
func kindOf(identity, said string) string {
	switch {
	case identity == "RECORDER_BOT":
		return "recorder"
	case identity == "RTMP_BOT":
		return "rtmp"
	case strings.HasPrefix(identity, "pnm_agent-"):
		return "agent"
	case strings.HasPrefix(identity, "pnm_tts_agent-"):
		return "translator"
	case strings.HasPrefix(identity, "ingres_"), said == "INGRESS", said == "BRIDGE": // a bridge brings in a camera by RTSP
		return "ingress"
	case strings.HasPrefix(identity, "sip_"), said == "SIP":
		return "sip"
	case said == "AGENT":
		return "agent"
	case said == "EGRESS":
		return "recorder"
	}
	return "person" // a CONNECTOR, too: a caller by a messenger; and what we have no word for
}

// person gathers what is said of one identity before it takes its shape.
type person struct {
	Participant
	said    string
	nameBy  Stamp
	kindBy  Stamp
	rolesBy Stamp
}

// crowd is who was here while that is being derived: people by identity, and whose each connection is.
type crowd struct {
	people map[string]*person
	owners map[string]connectionOwner
}

// connectionOwner: whose connection it is, and when it closed (0 while open).
type connectionOwner struct {
	identity string
	left     Time
}

func (c crowd) of(identity string) *person {
	p := c.people[identity]
	if p == nil {
		p = &person{Participant: Participant{Identity: identity, Connections: []Connection{}, Tracks: []Track{}}}
		c.people[identity] = p
	}
	return p
}

func (c crowd) connected(identity string) bool {
	p := c.people[identity]
	return p != nil && len(p.Connections) > 0
}

// participants derives who was here, with their connections and tracks.
func (r *reading) participants() []Participant {
	c := crowd{make(map[string]*person), make(map[string]connectionOwner, len(r.Connections))}
	r.heardOf = r.heardSince()
	for sid, told := range r.Connections {
		if identity, ok := r.identityOf(told); ok && !r.others[sid] {
			p := c.of(identity)
			connection := r.connection(sid, told, p)
			p.Connections = append(p.Connections, connection)
		}
	}
	for identity, p := range c.people {
		p.withoutTwins()
		for _, connection := range p.Connections {
			c.owners[connection.SID] = connectionOwner{identity, At(connection.LeftAt)}
		}
	}
	for sid, told := range r.Tracks {
		if t, owner, ok := r.track(sid, told, c); ok {
			p := c.of(owner)
			p.Tracks = append(p.Tracks, t)
			for _, said := range told {
				if r.counts(said.Stamp) {
					p.hear(said.Stamp, Shown(said.Said.OwnerName), "")
				}
			}
		}
	}
	return c.sorted()
}

// sorted is everybody by their first time, then identity.
func (c crowd) sorted() []Participant {
	out, firsts := make([]Participant, 0, len(c.people)), make(map[string]Time, len(c.people))
	for _, p := range c.people {
		p.finish()
		out, firsts[p.Identity] = append(out, p.Participant), p.First()
	}
	slices.SortFunc(out, func(a, b Participant) int { return byFirst(firsts, a.Identity, b.Identity) })
	return out
}

func (r *reading) identityOf(told Told[ConnectionSaid]) (identity string, ok bool) {
	for _, said := range told {
		if r.counts(said.Stamp) && said.Kind != KindAbsent {
			identity, ok = lastSaid(identity, said.Said.Identity), true
		}
	}
	return identity, ok
}

// connection derives one connection and tells p its name and kind.
func (r *reading) connection(sid string, told Told[ConnectionSaid], p *person) Connection {
	var joined, left, absent, alive, seen Time
	var reason string
	var delivered bool
	for _, said := range told {
		if r.counts(said.Stamp) {
			alive, seen = max(alive, said.Said.AliveAt), earliest(seen, said.At)
			delivered = delivered || !said.Kind.Own()
			p.listed = p.listed || said.Kind == KindListed
		}
	}
	heard := max(alive, r.heardOf[sid], r.heardOf["of "+p.Identity])
	for _, said := range told {
		if !r.counts(said.Stamp) {
			continue
		}
		p.hear(said.Stamp, Shown(said.Said.Name), said.Said.Kind)
		if said.Said.Roles != nil && !said.Stamp.before(p.rolesBy) {
			p.Roles, p.rolesBy = said.Said.Roles, said.Stamp
		}
		joined = earliest(joined, said.Said.Joined)
		at := said.Said.Left
		switch {
		case at <= alive:
		case said.Kind == KindParticipantLeft:
			left, reason = earliest(left, at), lastSaid(reason, said.Said.Reason)
		case said.Kind == KindAbsent && at > heard:
			absent = earliest(absent, at)
		}
	}
	end := r.endOf(joined, left, absent)
	return Connection{SID: sid, JoinedAt: joined.Time(), LeftAt: end.Time(), Reason: reason, Open: end == 0, seen: seen,
		own: left != 0 || absent != 0, told: delivered, left: left, alive: alive}
}

// oneAtATime orders the connections and ends each where the next one begins, at the latest. A poll that listed the
// earlier one after that knows better: a hybrid app has two.
func (p *person) oneAtATime() {
	slices.SortFunc(p.Connections, func(a, b Connection) int {
		return cmp.Or(cmp.Compare(a.first(), b.first()), cmp.Compare(a.SID, b.SID))
	})
	for i := range p.Connections {
		c := &p.Connections[i]
		for _, next := range p.Connections[i+1:] {
			began := At(next.JoinedAt)
			if began == 0 || began < At(c.JoinedAt) || began <= c.alive {
				continue
			}
			if c.Open || At(c.LeftAt) > began {
				c.LeftAt, c.Open, c.Superseded = next.JoinedAt, false, !c.own
			}
			break
		}
	}
}

// endOf is the end of a connection or track: its own webhook's, else the API's, else the session's, and
// never before its start. 0 while it goes on.
func (r *reading) endOf(start, webhook, api Time) Time {
	end := cmp.Or(webhook, api, r.endedAt)
	if end == 0 {
		return 0
	}
	return max(end, start)
}

// hear takes name and kind from the last report that has them, over all connections and tracks of the identity.
func (p *person) hear(by Stamp, name, kind string) {
	if name != "" && !by.before(p.nameBy) {
		p.Name, p.nameBy = name, by
	}
	if kind != "" && !by.before(p.kindBy) {
		p.said, p.kindBy = kind, by
	}
}

func (p *person) finish() {
	p.Kind = kindOf(p.Identity, p.said)
	for _, c := range p.Connections {
		p.Online = p.Online || c.Open
	}
	if len(p.Connections) == 0 {
		for _, t := range p.Tracks {
			p.Online = p.Online || t.Open
		}
	}
	slices.SortFunc(p.Tracks, func(a, b Track) int {
		return cmp.Or(cmp.Compare(a.first(), b.first()), cmp.Compare(a.SID, b.SID))
	})
}
