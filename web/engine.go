package web

import (
	"bytes"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

const (
	prefetched = 8 << 10  // of a body the engine reads before a handler is asked
	maxOther   = 64 << 10 // of the body of anything but a delivery
	chunked    = -1       // is the engine's length of a body that does not tell its own
)

// engine puts before the HTTP engine what Fiber's routes come too late for: requests that are refused
// while they are read, and those with a method that nobody knows.
func (s *Server) engine() {
	engine := s.app.Server()
	answer, refuse := engine.Handler, engine.ErrorHandler
	engine.Handler = func(ctx *fasthttp.RequestCtx) {
		secure(&ctx.Response)
		if length := ctx.Request.Header.ContentLength(); length > prefetched || length == chunked {
			ctx.SetConnectionClose() // what nobody reads would be taken for the next request
		}
		if ambiguous(&ctx.Request.Header) {
			refuse(ctx, errAmbiguous)
			ctx.SetConnectionClose()
			return
		}
		answer(ctx)
		s.sendBelow(&ctx.Response.Header)
	}
	engine.KeepHijackedConns = true // see detach
	engine.ConnState = s.connections.changed
	engine.HeaderReceived = func(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
		s.fromRoot(header)
		return s.askFirst(header)
	}
	engine.ExpectHandler = func(ctx *fasthttp.RequestCtx) int {
		switch header := &ctx.Request.Header; {
		case tooLarge(header):
			refuse(ctx, fasthttp.ErrBodyTooLarge)
		case s.unsigned(header):
			engine.Handler(ctx)
		default:
			return fasthttp.StatusContinue
		}
		if c, ok := ctx.Conn().(*connection); ok {
			c.lingers.Store(true) // its sender may be busy with the body
		}
		return ctx.Response.StatusCode()
	}
	engine.ErrorHandler = func(ctx *fasthttp.RequestCtx, err error) {
		secure(&ctx.Response)
		refuse(ctx, err)
	}
}

var errAmbiguous = errors.New("a request that others may read differently")

// ambiguous finds requests whose end or whose headers a proxy before us may see elsewhere: what it takes
// for a part of one would be a request of its own here. Also those that name no host.
func ambiguous(header *fasthttp.RequestHeader) bool {
	raw := header.RawHeaders()
	return bytes.Count(raw, []byte("\n")) != bytes.Count(raw, []byte("\r\n")) || // lines that end otherwise
		bytes.Contains(raw, []byte("\n ")) || bytes.Contains(raw, []byte("\n\t")) || // folded lines
		named(raw, "Content-Length:") && named(raw, "Transfer-Encoding:") || // two lengths
		header.IsHTTP11() && len(header.Host()) == 0
}

// named says whether a header is there. The engine forgets the one of two that it does not use.
func named(raw []byte, header string) bool {
	for line := range bytes.Lines(raw) {
		if len(line) > len(header) && bytes.EqualFold(line[:len(header)], []byte(header)) {
			return true
		}
	}
	return false
}

// tooLarge says what is not read: only the webhook reads large bodies, and those without a length, with care.
func tooLarge(header *fasthttp.RequestHeader) bool {
	length := header.ContentLength()
	if toWebhook(header) {
		return length > maxBody
	}
	return length > maxOther || length == chunked
}

func toWebhook(header *fasthttp.RequestHeader) bool {
	return strings.HasPrefix(strings.ToLower(string(header.RequestURI())), "/webhook")
}

// unsigned says of which deliveries the body is not read, because nobody signed them who may. Of one in chunks the
// engine reads nothing anyway before the handler is asked, which looks itself.
func (s *Server) unsigned(header *fasthttp.RequestHeader) bool {
	if header.ContentLength() <= 0 || !toWebhook(header) {
		return false
	}
	_, err := s.signed(header, time.Now())
	return err != nil
}

// askFirst has the engine treat a request whose body is not read as if its sender waited for our leave: so it
// is refused before anything of its body is read.
func (s *Server) askFirst(header *fasthttp.RequestHeader) (unchanged fasthttp.RequestConfig) {
	if tooLarge(header) || s.unsigned(header) {
		header.Set(fiber.HeaderExpect, "100-continue")
	}
	return unchanged
}

// secured are the headers that are the same for everything we answer. Their names are spelled as they are sent.
var secured = [...][2][]byte{
	{[]byte("Content-Security-Policy"), []byte(contentPolicy)},
	{[]byte("X-Content-Type-Options"), []byte("nosniff")},
	{[]byte("X-Frame-Options"), []byte("DENY")},
	{[]byte("Referrer-Policy"), []byte("no-referrer")},
	{[]byte("Cross-Origin-Opener-Policy"), []byte("same-origin")},
	{[]byte("Cross-Origin-Resource-Policy"), []byte("same-origin")},
	{[]byte("Permissions-Policy"), []byte("camera=(), microphone=(), geolocation=(), clipboard-write=(self)")},
	{[]byte("Cache-Control"), []byte("no-store")},
}

func secure(response *fasthttp.Response) {
	for _, header := range &secured {
		response.Header.SetCanonical(header[0], header[1])
	}
}

var errPanic = errors.New("panic")

// recovered keeps a mistake in one answer from ending the process, and with it everybody's.
func (s *Server) recovered(c *fiber.Ctx) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, cause, debug.Stack())
		}
	}()
	return c.Next()
}
