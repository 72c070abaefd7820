package room

import (
	"errors"
	"time"
)

// Bounds of a page of any list, and of what is counted.
const (
	DefaultLimit = 50
	MaxLimit     = 200
	MaxCount     = 10_000 // of matches; more are told as MaxCount + 1
)

// Page is a part of a list, newest first. Next asks for the following part; it is empty at the end.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

var (
	// ErrNotFound: no such session, or no such delivery, is known.
	ErrNotFound = errors.New("not known")
	// ErrBadCursor: the cursor was not made by the list that is asked.
	ErrBadCursor = errors.New("not a cursor of this list")
	// ErrReload: documents have changed beneath sessions in memory, which are to be read again.
	ErrReload = errors.New("documents have changed and must be read again")
)

// SessionQuery asks for sessions. Empty fields ask for everything. From and To ask for what overlaps them: a
// session whose time, from Head.Begin to its end or to now, meets the time from From up to, but not including, To.
// Every word of Text must begin a word of the title, the room_id, or the name or identity of somebody who was
// there; with Titles, who was there does not count.
type SessionQuery struct {
	State    State
	Source   string
	RoomID   string
	Parent   string // the room_id of the room that they are breakouts of
	Text     string
	Titles   bool
	From, To time.Time
	Limit    int
	Cursor   string
}

// RecordingQuery asks for recordings. From and To are about Recording.Begin; Text is searched as in
// SessionQuery, in the session that was recorded.
type RecordingQuery struct {
	State    string
	Source   string
	RoomID   string
	Text     string
	Titles   bool
	From, To time.Time
	Limit    int
	Cursor   string
}

// Classes of artifacts: files, and records of what was used up.
const (
	ClassFile  = "file"
	ClassUsage = "usage"
)

// ArtifactQuery asks for artifacts. From and To are about their creation; Text as in SessionQuery.
type ArtifactQuery struct {
	Type     string
	Class    string // ClassFile, ClassUsage, or "" for both
	Source   string
	RoomID   string
	Text     string
	Titles   bool
	From, To time.Time
	Limit    int
	Cursor   string
}

// DeliveryQuery asks for deliveries, recorded and noted. Empty fields ask for everything; From (inclusive) and
// To (exclusive) are about when they were received.
type DeliveryQuery struct {
	Verdict  Verdict
	Source   string
	Event    string // the event's name on the wire
	RoomID   string
	SID      string
	From, To time.Time
	Limit    int
	Cursor   string
}

// Filed is what a list says of the session that a recording or an artifact is of.
type Filed struct {
	Source         string    `json:"source"`
	SID            string    `json:"sid"`
	RoomID         string    `json:"room_id"`
	Title          string    `json:"title,omitempty"`
	SessionEndedAt time.Time `json:"session_ended_at,omitzero"`
}

// FiledRecording is a recording in a list of recordings of many sessions.
type FiledRecording struct {
	Filed
	Recording
}

// FiledArtifact is an artifact in a list of artifacts of many sessions.
type FiledArtifact struct {
	Filed
	Artifact
}

// RecordingCount is how many recordings are in a state.
type RecordingCount struct {
	State string
	N     int
	Bytes int64
	Since time.Time // the earliest: of processing ones when they ended, of the others when they began
}

// UsageDay is what artifacts of one unit (tokens, seconds, characters) came to on a day (UTC).
type UsageDay struct {
	Day      time.Time
	Unit     string
	Total    int64
	Cost     float64 // the sum of plugNmeet's estimates
	Records  int
	Unpriced int // of the records, those without a price
}

// RoomCost is what the artifacts of a room (source and room_id) are estimated to cost.
type RoomCost struct {
	Filed // of its newest session
	Cost  float64
}

// IntakeCount is how many deliveries of a source got a verdict within a minute.
type IntakeCount struct {
	Minute  time.Time
	Source  string
	Verdict Verdict
	N       int
}

// RefusalCount is how many deliveries were refused for one reason, and the newest of them.
type RefusalCount struct {
	Code   string // plugnmeet's word for the reason
	N      int
	Newest Delivery
}
