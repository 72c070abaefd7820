package views

import (
	"cmp"
	"time"

	"github.com/a-h/templ"

	"github.com/roomwatch/roomwatch/room"
)

// filedHead is what is known of the session that something in a list is of.
func filedHead(f room.Filed) room.Head {
	return room.Head{Source: f.Source, SID: f.SID, RoomID: f.RoomID, Title: f.Title}
}

func filedURL(f room.Filed) templ.SafeURL { return roomURL(filedHead(f)) }

func filedName(f room.Filed) string { return cmp.Or(name(filedHead(f)), "no name") }

// recordingSince is since when a recording is in its state, for states that go on.
func recordingSince(l recordingLine) time.Time {
	switch l.State {
	case room.RecordingActive:
		return l.StartedAt
	case room.RecordingProcessing:
		return l.ended()
	}
	return time.Time{}
}
