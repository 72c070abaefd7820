package web

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

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
		s.note(c, room.Delivery{ReceivedAt: received, Verdict: room.Unreadable, Reason: "the body is encoded: plugNmeet sends plain JSON, does a proxy compress it?"}, "encoded")
		_ = unread(c)
		return status(c, fiber.StatusUnsupportedMediaType, "send the body without Content-Encoding")
	}
	space := bodies.Get().(*bytes.Buffer)
	defer leaveBody(space)
	body, proof, err := s.authentic(c, space, received)
	var refusal *plugnmeet.Refusal
	switch {
	case errors.As(err, &refusal):
		return s.refuse(c, received, refusal)
	case err != nil:
		return err
	}
	s.metrics.signed(proof)
	d, err := plugnmeet.Decode(proof.Source, body, received)
	if err != nil {
		s.note(c, d, "unreadable")
		return status(c, fiber.StatusUnprocessableEntity, "unreadable")
	}
	d.Said.Skew = s.Board.Skew(d.Source)
	return s.store(c, d)
}

// store appends the delivery to the record and answers. A duplicate is a note beside what came first.
func (s *Server) store(c *fiber.Ctx, d room.Delivery) error {
	ctx, cancel := context.WithTimeout(context.Background(), appendTime)
	defer cancel()
	recorded, err := s.Record.Append(ctx, d)
	if err != nil {
		s.metrics.unstored.Inc()
		s.Log.Error("a delivery could not be stored", "source", d.Source, "id", d.ID, "event", d.Event, "err", err)
		c.Set(fiber.HeaderRetryAfter, "5")
		return status(c, fiber.StatusServiceUnavailable, "cannot store now")
	}
	s.metrics.count(recorded, "")
	if recorded.Verdict == room.Duplicate {
		s.metrics.conflict(recorded)
		recorded.Reason = cmp.Or(recorded.Reason, "the same event id was received before")
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
	return valuesOf(&c.Request().Header, header)
}

func valuesOf(of *fasthttp.RequestHeader, header string) []string {
	var out []string
	for _, value := range of.PeekAll(header) {
		out = append(out, string(value))
	}
	return out
}

// refuse answers a delivery that is not authentic. It says nothing of why: the reason is for the operator.
func (s *Server) refuse(c *fiber.Ctx, received time.Time, refusal *plugnmeet.Refusal) error {
	s.note(c, room.Delivery{ReceivedAt: received, Source: refusal.Source, Verdict: room.Refused, Reason: refusal.Reason}, refusal.Code)
	if s.refused.add(s.network(c), received) > maxRefused {
		return status(c, fiber.StatusTooManyRequests, "too many failed authentications")
	}
	return status(c, fiber.StatusUnauthorized, "not authentic")
}

// note keeps a refused delivery for the operator, some a minute of each address, and counts it.
func (s *Server) note(c *fiber.Ctx, d room.Delivery, code string) {
	d.Code = code
	s.metrics.count(d, code)
	if s.noted.add(s.network(c), d.ReceivedAt) <= maxNotes {
		s.Record.Note(d)
	}
}
