package web

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/views"
)

// status answers with the small JSON object that webhooks and probes get.
func status(c *fiber.Ctx, code int, text string) error {
	return c.Status(code).JSON(fiber.Map{"status": text})
}

// problem answers with an RFC 9457 problem document. The detail is a fixed text.
func problem(c *fiber.Ctx, code int, title, detail string) error {
	return c.Status(code).JSON(fiber.Map{"type": "about:blank", "title": title, "status": code, "detail": detail}, "application/problem+json")
}

// mishap is what an answer says of an error: always a fixed text.
type mishap struct {
	code   int
	title  string
	detail string
}

// known are the errors that have an answer of their own.
var known = []struct {
	is error
	mishap
}{
	{room.ErrNotFound, mishap{fiber.StatusNotFound, "Not known", "Nothing with this id is known. It may have passed the time for which history is kept."}},
	{room.ErrBadCursor, mishap{fiber.StatusBadRequest, "Bad cursor", "The cursor was not made by this list."}},
	{live.ErrNoView, mishap{fiber.StatusBadRequest, "No such view", "The view parameter names no view."}},
	{live.ErrTooManyViews, mishap{fiber.StatusServiceUnavailable, "Too many views", "More different views are open than this process serves. Try again in a minute."}},
	{live.ErrClosing, mishap{fiber.StatusServiceUnavailable, "Closing", "This process is shutting down. Try again."}},
}

// refusals are what is refused before a handler is asked, by the HTTP engine or for want of a route.
var refusals = map[int]mishap{
	fiber.StatusNotFound:                    {fiber.StatusNotFound, "Not found", "There is nothing at this address."},
	fiber.StatusMethodNotAllowed:            {fiber.StatusMethodNotAllowed, "Method not allowed", "The header Allow says which methods are."},
	fiber.StatusRequestTimeout:              {fiber.StatusRequestTimeout, "Timeout", "The request took too long to come in."},
	fiber.StatusRequestEntityTooLarge:       {fiber.StatusRequestEntityTooLarge, "Too large", "The body is larger than what is read here: 1 MiB of a delivery, 64 KiB elsewhere."},
	fiber.StatusRequestHeaderFieldsTooLarge: {fiber.StatusRequestHeaderFieldsTooLarge, "Headers too large", "The request line and the headers are larger than 16 KiB."},
	fiber.StatusUpgradeRequired:             {fiber.StatusUpgradeRequired, "WebSocket expected", "This address answers to WebSockets only."},
}

var (
	badRequest = mishap{fiber.StatusBadRequest, "Bad request", "The request is not one that HTTP allows."}
	failed     = mishap{fiber.StatusInternalServerError, "Something failed here", "The cause is in the log of the server."}
)

// answerError turns every error into a fixed text. The cause is logged, never sent.
func (s *Server) answerError(c *fiber.Ctx, err error) error {
	secure(c.Response()) // a failed upgrade has cleared them
	m := failed
	var refused *fiber.Error
	switch {
	case errors.As(err, &refused):
		if m = refusals[refused.Code]; m.code == 0 {
			m = badRequest // a line that broke, too: that is no failure of ours, and answered in vain
		}
	default:
		for _, k := range known {
			if errors.Is(err, k.is) {
				m = k.mishap
			}
		}
	}
	if m.code == fiber.StatusRequestEntityTooLarge && strings.HasPrefix(strings.ToLower(c.Path()), "/webhook") {
		s.note(c, room.Delivery{ReceivedAt: time.Now(), Verdict: room.Unreadable, Reason: "the body is larger than 1 MiB"}, "oversized")
	}
	if m == failed {
		s.Log.Error("request failed", "method", c.Method(), "route", c.Route().Path, "err", err)
	}
	return answer(c, m)
}

// machines are the addresses that no person reads.
var machines = []string{"/webhook", "/live", "/livez", "/readyz", "/health", "/metrics"}

// answer says what went wrong in the manner of the address: a problem document, the small object that
// machines get, or a page.
func answer(c *fiber.Ctx, m mishap) error {
	path := strings.TrimRight(strings.ToLower(c.Path()), "/")
	switch {
	case path == "/api" || strings.HasPrefix(path, "/api/"):
		return problem(c, m.code, m.title, m.detail)
	case slices.Contains(machines, path), m.code < fiber.StatusInternalServerError && m.code != fiber.StatusNotFound:
		return status(c, m.code, strings.ToLower(m.title))
	case m == refusals[fiber.StatusNotFound]:
		return render(c, m.code, views.NotFoundPage())
	}
	return render(c, m.code, views.ErrorPage(m.code, m.title+".", m.detail))
}
