package live

import (
	"slices"

	"github.com/roomwatch/roomwatch/room"
)

// Audience is who sees the same. It is a part of every question, so that no two audiences share a view; what
// an audience must not see is not in the model of its view, whatever the HTML makes of that. The zero value
// sees everything.
type Audience struct {
	Masked       bool // names and identities of people stand for others (see Mask)
	NoDeliveries bool
	NoBodies     bool   // of deliveries
	NoFiles      bool   // nothing can be downloaded
	NoEnds       bool   // no room can be ended
	Frame        string // the source that a frame is bound to; "" outside of frames
	FrameRoom    string // the room_id that it is bound to, "" for all of the source
}

// Mask is what somebody is called where names are masked: an identity and a name that stand for theirs
// within one session.
type Mask func(source, sid, identity string) (masked, name string)

// Detail is the session with everybody's identity and name masked. What it is given stays as it is.
func (m Mask) Detail(d room.Detail) room.Detail {
	d.Participants = slices.Clone(d.Participants)
	for i := range d.Participants {
		p := &d.Participants[i]
		p.Identity, p.Name = m(d.Source, d.SID, p.Identity)
		if !p.Human() {
			p.Name = p.Kind
		}
	}
	d.Speech = slices.Clone(d.Speech)
	for i := range d.Speech {
		if user := &d.Speech[i].UserID; *user != "" { // "" is the whole session
			*user, _ = m(d.Source, d.SID, *user)
		}
	}
	d.Artifacts = slices.Clone(d.Artifacts)
	for i := range d.Artifacts {
		d.Artifacts[i] = m.Artifact(d.Source, d.SID, d.Artifacts[i])
	}
	return d
}

// Artifact is the artifact of a session without the identities of those whose usage it tells.
func (m Mask) Artifact(source, sid string, a room.Artifact) room.Artifact {
	if a.Usage == nil || len(a.Usage.Breakdown) == 0 {
		return a
	}
	usage := *a.Usage
	usage.Breakdown = make(map[string]int64, len(a.Usage.Breakdown))
	for key, n := range a.Usage.Breakdown {
		user, rest := room.UsageBy(a.Type, key)
		if user != "" {
			user, _ = m(source, sid, user)
		}
		usage.Breakdown[user+rest] += n
	}
	a.Usage = &usage
	return a
}
