package room

import (
	"encoding/json"
	"time"
)

// Verdict is what became of a delivery.
type Verdict string

// Accepted, late and unknown deliveries are in the record; the others are notes, without position and body.
const (
	Accepted   Verdict = "accepted"
	Late       Verdict = "late"        // applied, though created more than LateAfter before what the source had already said
	Unknown    Verdict = "unknown"     // applied as far as understood: an event or enum value we don't know, or no session is named
	Duplicate  Verdict = "duplicate"   // the record has this event id of this source
	Refused    Verdict = "unauthentic" // not signed by a source we know, or changed on the way
	Unreadable Verdict = "unreadable"  // authentic, but not a delivery we can read
)

// Recorded says whether deliveries of this verdict are in the record; the others are notes.
func (v Verdict) Recorded() bool { return v == Accepted || v == Late || v == Unknown }

// Conflict is the reason of a duplicate whose body differs from the one that was recorded, which counts.
const Conflict = "its event id was received before with another body, which counts"

// LateAfter is how far behind its source's newest created_at a delivery is called late.
const LateAfter = 60 * time.Second

// Delivery is one POST of plugNmeet's, as the record keeps it. Its JSON is pinned (design section 5).
type Delivery struct {
	Position   string          `json:"position,omitempty"` // opaque; grows along the record
	ReceivedAt time.Time       `json:"received_at"`
	Source     string          `json:"source,omitempty"`
	ID         string          `json:"id,omitempty"`
	Event      string          `json:"event,omitempty"` // the event's name on the wire
	RoomID     string          `json:"room_id,omitempty"`
	SID        string          `json:"sid,omitempty"`
	Verdict    Verdict         `json:"verdict"`
	Reason     string          `json:"reason,omitempty"` // in words for an operator
	Code       string          `json:"code,omitempty"`   // of notes: the reason in one word, for counting
	LagMS      int64           `json:"lag_ms"`           // received_at − created_at
	Body       json.RawMessage `json:"body,omitempty"`   // redacted; absent on notes

	Said *Event `json:"-"` // what it says; nil on notes
}
