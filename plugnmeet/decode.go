package plugnmeet

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

const (
	maxDepth = 32
	maxID    = 256
)

// Unreadable is why an authentic body cannot be taken as a delivery. Reason is for an operator.
type Unreadable struct{ Reason string }

// Error is the reason.
func (u *Unreadable) Error() string { return u.Reason }

// Decode reads the body of one delivery from source, in the form that plugNmeet documents or the one
// that it sends (contract 1.6), and returns it ready for the record: Verdict is Accepted or Unknown, Body
// is redacted, Said is what it says and shares no memory with body.
//
// What is merely odd (a field of an unexpected type, a time that cannot be) is left out and named in
// Reason. The error is an *Unreadable if body is not strict JSON, not an object, nested too deep, or has an
// id that is too long; the delivery then holds what a note of it needs.
func Decode(source string, body []byte, received time.Time) (room.Delivery, error) {
	d := room.Delivery{ReceivedAt: received.UTC(), Source: source, Verdict: room.Unreadable}
	desk := takeDesk()
	defer desk.leave(body)
	r := &desk.reading
	*r = reading{received: room.At(received), said: &room.Event{Source: source, Received: room.At(received)}, at: r.at[:0]}
	shown, taken := desk.swift.redact(body)
	if !taken {
		var err *Unreadable
		if shown, err = desk.careful(body, r); err != nil {
			d.Reason = err.Reason
			return d, err
		}
	}
	if err := r.read(shown); err != nil {
		d.Reason = err.Reason
		return d, err
	}
	r.settle(body)
	said := r.said
	d.ID, d.Event, d.RoomID, d.SID = said.ID, r.event, said.RoomID, said.SID
	d.Verdict, d.Reason = r.verdict()
	if r.created != 0 {
		d.LagMS = int64(r.received - r.created)
	}
	d.Body, d.Said = shown, said
	return d, nil
}

// careful checks and redacts a body in more than one pass, and knows what is wrong with it.
func (d *desk) careful(body []byte, r *reading) (shown []byte, err *Unreadable) {
	if err := strict(body); err != nil {
		return nil, err
	}
	shown, oddity := d.redaction.redact(body)
	if oddity != "" {
		r.note(oddity)
	}
	return shown, nil
}

// settle decides what depends on more than one member of the body.
func (r *reading) settle(body []byte) {
	said := r.said
	said.Kind = room.WebhookKind(r.event)
	if said.Kind == room.KindOther {
		said.Name = r.event
	}
	if said.ID == "" {
		hash := sha256.Sum256(body)
		said.ID = "sha256:" + hex.EncodeToString(hash[:])
	}
	if said.At = r.created; said.At == 0 {
		said.At = r.received
	}
	if said.Title == "" {
		said.Title = shown(r.roomName, maxTitle)
	}
	said.Participant, said.Track, said.Job = orNil(said.Participant), orNil(said.Track), orNil(said.Job)
	said.Artifact, said.Speech = orNil(said.Artifact), orNil(said.Speech)
}

// orNil is nil for an object that said nothing.
func orNil[T comparable](said *T) *T {
	var nothing T
	if said == nil || *said == nothing {
		return nil
	}
	return said
}

// verdict says how far the delivery was understood, and what not.
func (r *reading) verdict() (room.Verdict, string) {
	var reasons []string
	verdict := room.Accepted
	switch {
	case r.event == "":
		verdict, reasons = room.Unknown, append(reasons, "names no event")
	case r.said.Kind == room.KindOther:
		verdict, reasons = room.Unknown, append(reasons, "unknown event "+quoted(r.event))
	}
	if r.partly {
		verdict = room.Unknown // the odd value is among the reasons
	}
	if r.said.SID == "" {
		verdict, reasons = room.Unknown, append(reasons, "names no session")
	}
	if r.created == 0 {
		reasons = append(reasons, "no usable created_at, the time of receipt stands in")
	}
	if verdict == room.Accepted && len(reasons) == 0 && r.oddities == 0 {
		return verdict, ""
	}
	return verdict, strings.Join(append(reasons, r.odd()...), "; ")
}
