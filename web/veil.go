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
	list, err := limited(v, q.List)
	q.List, q.For = list, v.audience()
	return q, err
}

// limited is the question if the visitor may ask it: a search by name tells who was there.
func limited[Q any](v visitor, q Q) (Q, error) {
	text := ""
	switch list := any(q).(type) {
	case room.SessionQuery:
		text = list.Text
	case room.RecordingQuery:
		text = list.Text
	case room.ArtifactQuery:
		text = list.Text
	}
	if text != "" && !v.May(access.SearchPeople, access.Target{}) {
		return q, errMasked
	}
	return q, nil
}

// veiled takes out of a list what the visitor must not see.
func veiled[T any](v visitor, items []T) {
	deliveries, ok := any(items).([]room.Delivery)
	if !ok || v.May(access.SeeBodies, access.Target{}) {
		return
	}
	for i := range deliveries {
		deliveries[i].Body = nil
	}
}
