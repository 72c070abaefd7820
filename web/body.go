package web

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/roomwatch/roomwatch/plugnmeet"
)

const (
	maxBody     = 1 << 20  // of a delivery; plugNmeet's are 4 to 10 kB (contract section 3)
	maxStranger = 64 << 10 // what is read of a body before its token is known to be good
)

// authentic reads a delivery as it came and checks who signed it. A large one is read to its end only if
// its token is good: nobody else makes us keep a mebibyte, however many connections they open. What is returned
// is in body.
func (s *Server) authentic(c *fiber.Ctx, body *bytes.Buffer, received time.Time) ([]byte, plugnmeet.Proof, error) {
	keyring, authorization, hashToken := s.keyring.Load(), values(c, fiber.HeaderAuthorization), values(c, "Hash-Token")
	length := c.Request().Header.ContentLength()
	body.Grow(min(max(length, 0), maxStranger) + bytes.MinRead)
	err := readTo(body, c, maxStranger)
	if errors.Is(err, fiber.ErrRequestEntityTooLarge) {
		if proof, err := keyring.Verify(authorization, hashToken, body.Bytes(), received); err != nil && !wrongBody(err) {
			return nil, proof, err
		}
		body.Grow(max(length-body.Len(), 0) + bytes.MinRead)
		err = readTo(body, c, maxBody)
	}
	if err != nil {
		return nil, plugnmeet.Proof{}, err
	}
	c.Response().Header.ResetConnectionClose() // nothing of this request is left on the line
	proof, err := keyring.Verify(authorization, hashToken, body.Bytes(), received)
	return body.Bytes(), proof, err
}

// bodies are buffers for deliveries, which are done with when they are decoded.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func leaveBody(body *bytes.Buffer) {
	if body.Cap() <= 2*maxStranger { // a rare large one must not stay in memory
		body.Reset()
		bodies.Put(body)
	}
}

// readTo reads on until the body ends, or is longer than so many bytes.
func readTo(body *bytes.Buffer, c *fiber.Ctx, limit int) error {
	stream := c.Context().RequestBodyStream()
	if stream == nil {
		return nil
	}
	_, err := body.ReadFrom(io.LimitReader(stream, int64(limit+1-body.Len())))
	var slow net.Error
	switch {
	case errors.As(err, &slow) && slow.Timeout():
		return fiber.ErrRequestTimeout
	case err != nil:
		return fiber.ErrBadRequest
	case body.Len() > limit:
		return fiber.ErrRequestEntityTooLarge
	}
	return nil
}

// unread takes in what a sender is still busy sending, up to what we read of strangers: who writes to a line
// that was closed may never see our answer.
func unread(c *fiber.Ctx) {
	if stream := c.Context().RequestBodyStream(); stream != nil {
		_, _ = io.CopyN(io.Discard, stream, maxStranger)
	}
}

// wrongBody says that a token is good, but not for this body.
func wrongBody(err error) bool {
	var refusal *plugnmeet.Refusal
	return errors.As(err, &refusal) && refusal.Code == "body_hash"
}
