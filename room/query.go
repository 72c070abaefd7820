package room

import (
	"errors"
	"time"
)

// Bounds of a page of any list.
const (
	DefaultLimit = 50
	MaxLimit     = 200
)

// Page is a part of a list, newest first. Next asks for the following part; it is empty at the end.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

// SessionQuery asks for sessions. Empty fields ask for everything; From is inclusive, To exclusive, both
// about Head.Begin. Every word of Text must begin a word of the title, the room_id, or the name or
// identity of somebody who was there.
type SessionQuery struct {
	State    State
	Source   string
	RoomID   string
	Text     string
	From, To time.Time
	Limit    int
	Cursor   string
}

var (
	// ErrNotFound: no such session is known.
	ErrNotFound = errors.New("no such session")
	// ErrBadCursor: the cursor was not made by the list that is asked.
	ErrBadCursor = errors.New("not a cursor of this list")
)

// DeliveryQuery asks for deliveries, recorded and noted, newest first. Empty fields ask for everything.
type DeliveryQuery struct {
	Verdict Verdict
	Source  string
	Event   string // the event's name on the wire
	RoomID  string
	SID     string
	Limit   int
	Cursor  string
}
