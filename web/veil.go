package web

import (
	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// mask is what somebody is called where names are masked.
func (s *Server) mask(source, sid, identity string) (masked, name string) {
	return access.Mask(s.keys.mask, source, sid, identity)
}

// viewing is what it takes to open a view. One that is not here shows rooms.
var viewing = map[string]access.Action{
	live.ViewSessions: access.SeeHistory, live.ViewRecordings: access.SeeHistory, live.ViewArtifacts: access.SeeHistory, live.ViewIntake: access.SeeIntake,
}

// asks is the question as this visitor may ask it, or why not.
func (v visitor) asks(q live.Question) (live.Question, error) {
	roomID, framed := q.Framed()
	on := access.Target{Source: v.embed.Source, RoomID: roomID}
	if framed != (v.embed.Source != "") || !v.May(viewing[q.Name], on) {
		return q, errForbidden
	}
	q.List, q.For = limited(v, q.List), v.audience()
	return q, nil
}

// limited is the question as the visitor may ask it: a search by name tells who was there, so for some only
// titles and room ids are searched.
func limited[Q any](v visitor, q Q) Q {
	if v.May(access.SearchPeople, access.Target{Source: v.embed.Source, RoomID: v.embed.RoomID}) {
		return q
	}
	var narrow any
	switch list := any(q).(type) {
	case room.SessionQuery:
		list.Titles = true
		narrow = list
	case room.RecordingQuery:
		list.Titles = true
		narrow = list
	case room.ArtifactQuery:
		list.Titles = true
		narrow = list
	default:
		return q
	}
	return narrow.(Q)
}

// veiled takes out of a list what the visitor must not see.
func veiled[T any](s *Server, v visitor, items []T) {
	switch items := any(items).(type) {
	case []room.Delivery:
		if v.May(access.SeeBodies, access.Target{}) {
			return
		}
		for i := range items {
			items[i].Body = nil
		}
	case []room.FiledArtifact:
		if !v.Masked() {
			return
		}
		for i := range items {
			a := &items[i]
			a.Artifact = live.Mask(s.mask).Artifact(a.Source, a.SID, a.Artifact)
		}
	}
}
