package web

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/plugnmeet"
)

const (
	maxBody   = 1 << 20  // of a delivery; plugNmeet's are 4 to 10 kB (contract section 3)
	usualBody = 64 << 10 // for which there is room at once
)

// authentic reads a delivery as it came and checks who signed it. The token is looked at first: of a sender whose
// token is not good nothing is kept, however much comes on however many connections. What is returned is in body.
func (s *Server) authentic(c *fiber.Ctx, body *bytes.Buffer, received time.Time) ([]byte, plugnmeet.Proof, error) {
	signed, err := s.signed(&c.Request().Header, received)
	if err != nil {
		if unread(c) != nil {
			err = fiber.ErrBadRequest
		}
		return nil, plugnmeet.Proof{}, err
	}
	s.knownConnection(c)
	body.Grow(min(max(c.Request().Header.ContentLength(), 0), usualBody) + bytes.MinRead)
	if err := readTo(body, c, maxBody); err != nil {
		return nil, plugnmeet.Proof{}, err
	}
	c.Response().Header.ResetConnectionClose() // nothing of this request is left on the line
	proof, err := signed.Covers(body.Bytes())
	return body.Bytes(), proof, err
}

// signed is what the token of a request proves, whose body nobody has looked at. The error is a *plugnmeet.Refusal.
func (s *Server) signed(header *fasthttp.RequestHeader, now time.Time) (plugnmeet.Signed, error) {
	return s.keyring.Load().Signed(valuesOf(header, fiber.HeaderAuthorization), valuesOf(header, "Hash-Token"), now)
}

// bodies are buffers for deliveries, which are done with when they are decoded. Nothing of one stays in its buffer: rooms'
// keys and PINs are in it.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func leaveBody(body *bytes.Buffer) {
	body.Reset()
	clear(body.AvailableBuffer()[:body.Cap()])
	if body.Cap() <= 2*usualBody { // a rare large one must not stay in memory
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

// unread takes in what a sender is still busy sending, for a moment and without keeping it: who writes to a line
// that was closed may never see our answer. The error is that what came is no body.
func unread(c *fiber.Ctx) error {
	stream := c.Context().RequestBodyStream()
	if stream == nil {
		return nil
	}
	_ = c.Context().Conn().SetReadDeadline(time.Now().Add(lingerTime))
	err := discard(stream, maxLinger)
	var slow net.Error
	if errors.Is(err, io.EOF) || errors.As(err, &slow) && slow.Timeout() {
		return nil
	}
	return err
}

// discard reads up to so many bytes, through little memory: thousands may be at it.
func discard(from io.Reader, most int) error {
	space := make([]byte, 512)
	for most > 0 {
		n, err := from.Read(space)
		if err != nil {
			return err
		}
		most -= n
	}
	return nil
}

// Bodies of other requests are forms and small documents, which the engine has read when they are asked for, or
// larger: of those only so much is read at one time, in all and for an address.
const (
	maxBodies     = 8 << 20
	maxBodiesFrom = 512 << 10
)

var errBodies = errors.New("too many bodies are being read")

// intake counts the bytes of bodies that are being read.
type intake struct {
	mu   sync.Mutex
	all  int
	from map[netip.Prefix]int
}

func newIntake() *intake { return &intake{from: make(map[netip.Prefix]int)} }

// take adds to what is being read, if there is room, and with a negative number takes away from it.
func (i *intake) take(network netip.Prefix, bytes int) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if bytes > 0 && (i.all+bytes > maxBodies || i.from[network]+bytes > maxBodiesFrom) {
		return false
	}
	i.all += bytes
	if i.from[network] += bytes; i.from[network] == 0 {
		delete(i.from, network)
	}
	return true
}

// bounded reads a large body while there is room for it, and lets nobody see one that did not come whole: the engine
// takes that for an empty form.
func (s *Server) bounded(c *fiber.Ctx) error {
	length := c.Request().Header.ContentLength()
	if length <= prefetched {
		return c.Next()
	}
	network := access.Network(s.client(c))
	if !s.intake.take(network, length) {
		c.Set(fiber.HeaderRetryAfter, "1")
		return errBodies
	}
	defer s.intake.take(network, -length)
	body := new(bytes.Buffer)
	if err := readTo(body, c, maxOther); err != nil {
		return err
	}
	c.Request().SetBodyRaw(body.Bytes())
	return c.Next()
}
