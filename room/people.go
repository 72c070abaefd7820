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
	Connections []Connection `json:"connections"`
	Tracks      []Track      `json:"tracks"`
}

// Connection is one participant.sid: from joining to leaving.
type Connection struct {
	SID      string    `json:"sid"`
	JoinedAt time.Time `json:"joined_at,omitzero"`
	LeftAt   time.Time `json:"left_at,omitzero"`
	Reason   string    `json:"reason,omitempty"` // LiveKit's DisconnectReason, absent when unknown
	Open     bool      `json:"-"`
	seen     Time      // the first report of it, for when nobody says when it began
}

// Track is one published track. Muted is as last said: plugNmeet announces no later changes of it.
type Track struct {
	SID           string    `json:"sid"`
	Source        string    `json:"source"` // camera, microphone, screen_share, screen_share_audio, unknown
	Media         string    `json:"media"`  // audio, video, data
	Mime          string    `json:"mime,omitempty"`
	Width         int       `json:"width,omitempty"`
	Height        int       `json:"height,omitempty"`
	Simulcast     bool      `json:"simulcast"`
	Encryption    string    `json:"encryption,omitempty"`
	Muted         bool      `json:"muted"`
	PublishedAt   time.Time `json:"published_at,omitzero"`
	UnpublishedAt time.Time `json:"unpublished_at,omitzero"`
	Open          bool      `json:"-"`
	seen          Time      // the first report of it, for when nobody says when it began
}

// human: people and phone callers are counted as people, everything else as bots.
func (p Participant) human() bool { return p.Kind == "person" || p.Kind == "sip" }

// Human says whether the participant is a person, on a phone or not, rather than one of plugNmeet's bots.
func (p Participant) Human() bool { return p.human() }

// First is when the participant was first seen, 0 when no time is known.
func (p Participant) First() (first Time) {
	for _, c := range p.Connections {
		first = earliest(first, earliest(At(c.JoinedAt), At(c.LeftAt)))
	}
	for _, t := range p.Tracks {
		first = earliest(first, earliest(At(t.PublishedAt), At(t.UnpublishedAt)))
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
	case strings.HasPrefix(identity, "ingres_"), said == "INGRESS":
		return "ingress"
	case strings.HasPrefix(identity, "sip_"), said == "SIP":
		return "sip"
	case said == "AGENT":
		return "agent"
	case said == "EGRESS":
		return "recorder"
	}
	return "person"
}

// person gathers what is said of one identity before it takes its shape.
type person struct {
	Participant
	said   string
	nameBy Stamp
	kindBy Stamp
}

// participants derives who was here, with their connections and tracks.
func (r *reading) participants() []Participant {
	people := make(map[string]*person)
	of := func(identity string) *person {
		p := people[identity]
		if p == nil {
			p = &person{Participant: Participant{Identity: identity, Connections: []Connection{}, Tracks: []Track{}}}
			people[identity] = p
		}
		return p
	}
	owners := make(map[string]connectionOwner, len(r.Connections))
	for sid, told := range r.Connections {
		if identity, ok := r.identityOf(told); ok {
			p := of(identity)
			c := r.connection(sid, told, p)
			p.Connections = append(p.Connections, c)
			owners[sid] = connectionOwner{identity, At(c.LeftAt)}
		}
	}
	connected := func(identity string) bool { p := people[identity]; return p != nil && len(p.Connections) > 0 }
	for sid, told := range r.Tracks {
		if t, owner, ok := r.track(sid, told, owners, connected); ok {
			p := of(owner)
			p.Tracks = append(p.Tracks, t)
		}
	}
	out := make([]Participant, 0, len(people))
	for _, p := range people {
		p.finish()
		out = append(out, p.Participant)
	}
	firsts := make(map[string]Time, len(out))
	for _, p := range out {
		firsts[p.Identity] = p.First()
	}
	slices.SortFunc(out, func(a, b Participant) int {
		return cmp.Or(cmp.Compare(firsts[a.Identity], firsts[b.Identity]), cmp.Compare(a.Identity, b.Identity))
	})
	return out
}

// connectionOwner: whose connection it is, and when it closed (0 while open).
type connectionOwner struct {
	identity string
	left     Time
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
	for _, said := range told {
		if r.counts(said.Stamp) {
			alive, seen = max(alive, said.Said.AliveAt), earliest(seen, said.At)
		}
	}
	for _, said := range told {
		if !r.counts(said.Stamp) {
			continue
		}
		p.hear(said)
		joined = earliest(joined, said.Said.Joined)
		at := said.Said.Left
		switch {
		case at <= alive:
		case said.Kind == KindParticipantLeft:
			left, reason = earliest(left, at), lastSaid(reason, said.Said.Reason)
		case said.Kind == KindAbsent:
			absent = earliest(absent, at)
		}
	}
	end := r.endOf(joined, left, absent)
	return Connection{SID: sid, JoinedAt: joined.Time(), LeftAt: end.Time(), Reason: reason, Open: end == 0, seen: seen}
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

// hear takes name and kind from the last report that has them, over all connections of the identity.
func (p *person) hear(said Report[ConnectionSaid]) {
	if said.Said.Name != "" && !said.before(p.nameBy) {
		p.Name, p.nameBy = said.Said.Name, said.Stamp
	}
	if said.Said.Kind != "" && !said.before(p.kindBy) {
		p.said, p.kindBy = said.Said.Kind, said.Stamp
	}
}

// track derives one track and whose it is: the connection with its participant.sid, else the identity,
// else the identity without "+" (contract 4.8). A track goes with the connection it was made on.
func (r *reading) track(sid string, told Told[TrackTold], owners map[string]connectionOwner, connected func(string) bool) (t Track, owner string, ok bool) {
	var published, unpublished, absent, alive Time
	var ownerSID string
	t.SID = sid
	for _, said := range told {
		if r.counts(said.Stamp) {
			alive, t.seen = max(alive, said.Said.AliveAt), earliest(t.seen, said.At)
		}
	}
	for _, said := range told {
		if !r.counts(said.Stamp) || said.Kind == KindAbsent && !ok {
			continue
		}
		ok = true
		t.learn(said.Said)
		owner, ownerSID = lastSaid(owner, said.Said.Owner), lastSaid(ownerSID, said.Said.OwnerSID)
		published = earliest(published, said.Said.Published)
		at := said.Said.Unpublished
		switch {
		case at <= alive:
		case said.Kind == KindAbsent:
			absent = earliest(absent, at)
		default:
			unpublished = earliest(unpublished, at)
		}
	}
	if c, known := owners[ownerSID]; known {
		owner, absent = c.identity, cmp.Or(absent, c.left)
	} else if stripped := withoutPlus(owner); !connected(owner) && connected(stripped) {
		owner = stripped
	}
	end := r.endOf(published, unpublished, absent)
	t.PublishedAt, t.UnpublishedAt, t.Open = published.Time(), end.Time(), end == 0
	t.settle()
	return t, owner, ok
}

func (t *Track) learn(said TrackTold) {
	t.Source, t.Media, t.Mime = lastSaid(t.Source, said.Source), lastSaid(t.Media, said.Media), lastSaid(t.Mime, said.Mime)
	t.Width, t.Height = lastSaid(t.Width, said.Width), lastSaid(t.Height, said.Height)
	t.Simulcast, t.Encryption = t.Simulcast || said.Simulcast, lastSaid(t.Encryption, said.Encryption)
	if said.Muted != nil {
		t.Muted = *said.Muted
	}
}

// settle fills in what the wire leaves out: a source tells the media, and audio is the zero value.
func (t *Track) settle() {
	t.Source = cmp.Or(t.Source, "unknown")
	switch {
	case t.Source == "camera", t.Source == "screen_share":
		t.Media = "video"
	case t.Source == "microphone", t.Source == "screen_share_audio":
		t.Media = "audio"
	}
	t.Media = cmp.Or(t.Media, "audio")
}

func withoutPlus(identity string) string { return strings.ReplaceAll(identity, "+", "") }

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
	slices.SortFunc(p.Connections, func(a, b Connection) int {
		return cmp.Or(cmp.Compare(earliest(At(a.JoinedAt), At(a.LeftAt)), earliest(At(b.JoinedAt), At(b.LeftAt))), cmp.Compare(a.SID, b.SID))
	})
	slices.SortFunc(p.Tracks, func(a, b Track) int {
		return cmp.Or(cmp.Compare(earliest(At(a.PublishedAt), At(a.UnpublishedAt)), earliest(At(b.PublishedAt), At(b.UnpublishedAt))), cmp.Compare(a.SID, b.SID))
	})
}
