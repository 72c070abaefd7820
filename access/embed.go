package access

import (
	"errors"
	"slices"
	"time"
)

const (
	// MaxEmbed is how long an embed token lives at most: a frame asks its parent for fresh ones.
	MaxEmbed = 5 * time.Minute
	maxID    = 256 // bytes of a source or a room_id
)

// EmbedScope is what an embed token lets its frame show, and where that frame may stand.
type EmbedScope struct {
	Source string // one; never empty
	RoomID string // the one room, or
	All    bool   // all rooms of the source
	Parent Origin // the page that may frame it
	Mask   bool   // names are masked
}

// Embed is a verified embed token. Two tokens may differ in their times only for one to refresh the other.
type Embed struct {
	EmbedScope
	IssuedAt, ExpiresAt time.Time
}

// NewEmbed is an embed that begins now. ttl 0 is MaxEmbed. Times are whole seconds, as in a token.
func NewEmbed(scope EmbedScope, now time.Time, ttl time.Duration) (Embed, error) {
	if ttl == 0 {
		ttl = MaxEmbed
	}
	now = now.UTC().Truncate(time.Second)
	e := Embed{scope, now, now.Add(ttl.Truncate(time.Second))}
	return e, e.Validate()
}

// Validate refuses scopes that say nothing or two things, and times that no token may have. What is not
// valid is neither signed nor, signed by whatever mistake, believed.
func (e Embed) Validate() error {
	if err := e.EmbedScope.Validate(); err != nil {
		return err
	}
	if life := e.ExpiresAt.Sub(e.IssuedAt); life < time.Second || life > MaxEmbed {
		return errors.New("an embed token lives from one second to five minutes")
	}
	return nil
}

// Validate refuses scopes that say nothing or two things.
func (s EmbedScope) Validate() error {
	switch {
	case s.Source == "":
		return errors.New("an embed token needs a source")
	case s.All == (s.RoomID != ""):
		return errors.New("an embed token is for one room_id or for all rooms: name a room_id or set all, not both")
	case len(s.Source) > maxID || len(s.RoomID) > maxID:
		return errors.New("the source and the room_id of an embed token have at most 256 bytes")
	}
	_, err := ParseOrigin(string(s.Parent))
	return err
}

// Target is what the scope is about.
func (s EmbedScope) Target() Target { return Target{s.Source, s.RoomID} }

// Covers says whether the target lies within the scope. Everything lies in no scope. A breakout room has a
// room_id of its own: it is outside the scope of its parent.
func (s EmbedScope) Covers(on Target) bool {
	if s.Source == "" || on.Source != s.Source {
		return false
	}
	return s.All || s.RoomID != "" && on.RoomID == s.RoomID
}

// Refreshes says whether a frame that lives by the token old may go on with e: it must have the same
// source, scope, mask and parent.
func (e Embed) Refreshes(old Embed) bool { return e.EmbedScope == old.EmbedScope }

// Expired says whether the token's time is over. A socket closes then (4401).
func (e Embed) Expired(now time.Time) bool { return !now.Before(e.ExpiresAt) }

// Framable says whether the parent is still one of those that are allowed: the list may have changed since
// the token was made.
func (s EmbedScope) Framable(parents []Origin) bool { return slices.Contains(parents, s.Parent) }
