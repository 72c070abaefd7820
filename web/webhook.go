package web

import (
	"context"
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
)

// appendTime bounds how long a delivery may wait to be stored: plugNmeet waits for us without a limit of
// its own and holds the room's whole queue meanwhile, so we answer within two seconds (contract 4.1).
const appendTime = 1700 * time.Millisecond

// webhook takes one delivery: verify, decode, redact, store, answer. A 200 means that it is stored
// durably. plugNmeet takes every 4xx but 429 as delivered, so only what cannot heal gets one.
func (s *Server) webhook(c *fiber.Ctx) error {
	received := time.Now()
	if encoded(c) {
		s.note(c, room.Delivery{ReceivedAt: received, Verdict: room.Unreadable, Reason: "the body is encoded: plugNmeet sends plain JSON"})
		return status(c, fiber.StatusUnsupportedMediaType, "send the body without Content-Encoding")
	}
	body := c.BodyRaw()
	proof, err := s.Keyring.Verify(values(c, fiber.HeaderAuthorization), values(c, "Hash-Token"), body, received)
	if err != nil {
		return s.refuse(c, received, err)
	}
	d, err := plugnmeet.Decode(proof.Source, body, received)
	if err != nil {
		return s.unreadable(c, proof.Source, received, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), appendTime)
	defer cancel()
	recorded, err := s.Record.Append(ctx, d)
	if err != nil {
		s.Log.Error("a delivery could not be stored", "source", d.Source, "id", d.ID, "event", d.Event, "err", err)
		c.Set(fiber.HeaderRetryAfter, "5")
		return status(c, fiber.StatusServiceUnavailable, "cannot store now")
	}
	if recorded.Verdict == room.Duplicate {
		recorded.Body, recorded.Said = nil, nil
		s.Record.Note(recorded)
	}
	return status(c, fiber.StatusOK, string(recorded.Verdict))
}

func encoded(c *fiber.Ctx) bool {
	encoding := c.Get(fiber.HeaderContentEncoding)
	return encoding != "" && encoding != "identity"
}

// values are all values of a header: two that differ must not be told apart by their order.
func values(c *fiber.Ctx, header string) []string {
	var out []string
	for _, value := range c.Request().Header.PeekAll(header) {
		out = append(out, string(value))
	}
	return out
}

// refuse answers a delivery that is not authentic. It says nothing of why: the reason is for the operator.
func (s *Server) refuse(c *fiber.Ctx, received time.Time, err error) error {
	d := room.Delivery{ReceivedAt: received, Verdict: room.Refused, Reason: "not authentic"}
	var refusal *plugnmeet.Refusal
	if errors.As(err, &refusal) {
		d.Source, d.Reason = refusal.Source, refusal.Reason
	}
	failures := s.note(c, d)
	if failures > maxRefused {
		return status(c, fiber.StatusTooManyRequests, "too many failed authentications")
	}
	return status(c, fiber.StatusUnauthorized, "not authentic")
}

func (s *Server) unreadable(c *fiber.Ctx, source string, received time.Time, err error) error {
	d := room.Delivery{Source: source, ReceivedAt: received, Verdict: room.Unreadable, Reason: "not a delivery"}
	var unreadable *plugnmeet.Unreadable
	if errors.As(err, &unreadable) {
		d.Reason = unreadable.Reason
	}
	s.note(c, d)
	return status(c, fiber.StatusUnprocessableEntity, "unreadable")
}

// note keeps a refused delivery for the operator, a few a minute of each address, and counts it.
func (s *Server) note(c *fiber.Ctx, d room.Delivery) (failures int) {
	failures = s.refused.add(c.IP(), d.ReceivedAt)
	if failures <= maxNotes {
		s.Record.Note(d)
	}
	return failures
}
