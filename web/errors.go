package web

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/share"
	"github.com/roomwatch/roomwatch/views"
)

// status answers with the small JSON object that webhooks and probes get.
func status(c *fiber.Ctx, code int, text string) error {
	return c.Status(code).JSON(struct {
		Status string `json:"status"`
	}{text})
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
	bare   bool // no page says it: who is refused before a handler is asked is rarely a person
}

// known are the errors that have an answer of their own.
var known = []struct {
	is error
	mishap
}{
	{room.ErrNotFound, mishap{code: fiber.StatusNotFound, title: "Not known", detail: "Nothing with this id is known. It may have passed the time for which history is kept."}},
	{room.ErrBadCursor, mishap{code: fiber.StatusBadRequest, title: "Bad cursor", detail: "The cursor was not made by this list. Start again without it."}},
	{live.ErrNoView, mishap{code: fiber.StatusBadRequest, title: "No such view", detail: "The view parameter names no view."}},
	{live.ErrBroken, mishap{code: fiber.StatusInternalServerError, title: "Cannot be shown", detail: "Something in what this page shows is a fault of Roomwatch's. Other pages are not concerned. Load it again in a minute; if it stays, report it with the log, which says where it happened."}},
	{live.ErrClosing, mishap{code: fiber.StatusServiceUnavailable, title: "Closing", detail: "This process is shutting down. Try again."}},
	{errBodies, mishap{code: fiber.StatusServiceUnavailable, title: "Too many bodies", detail: "As much is being read at this moment as this process reads at one time. Try again."}},
	{share.ErrOwn, own},
	{live.ErrQuestions, mishap{code: fiber.StatusServiceUnavailable, title: "Too many questions", detail: "As many questions are under way as this process answers at one time. Try again in a moment."}},
	{errExports, mishap{code: fiber.StatusServiceUnavailable, title: "Too many exports", detail: "As many exports are under way as this process serves at one time. Try again in a minute."}},
	{share.ErrFull, mishap{code: fiber.StatusServiceUnavailable, title: "Too many sockets", detail: "As many live connections are open as this process serves. Try again in a minute."}},
	{errNoAPI, mishap{code: fiber.StatusNotFound, title: "Cannot be asked", detail: "The plugNmeet of this session has no SERVER_URL set, so that nothing can be asked of it."}},
	{errGone, mishap{code: fiber.StatusNotFound, title: "No longer there", detail: "plugNmeet does not have this file any more."}},
	{errAPI, mishap{code: fiber.StatusBadGateway, title: "plugNmeet does not answer", detail: "It was asked in vain. The foot of every page says how it is heard; the cause is in the log of the server."}},
	{context.DeadlineExceeded, slow}, // the hub's own time for a question
	{errSlow, slow},
	{errNobody, unknown},
	{errNotEmbed, mishap{code: fiber.StatusUnauthorized, title: "No valid token", detail: "The page around this frame must give it a token that this Roomwatch has made for it."}},
	{errExpired, mishap{code: fiber.StatusUnauthorized, title: "Expired", detail: "The token of this frame has expired. Reload the page around it."}},
	{errFrame, mishap{code: fiber.StatusForbidden, title: "For frames only", detail: "This is shown within another page, not by itself."}},
	{errForbidden, mishap{code: fiber.StatusForbidden, title: "Not allowed", detail: "This takes another role, or a token of another scope. An admin can change that."}},
	{errSite, mishap{code: fiber.StatusForbidden, title: "From another site", detail: "Pages of other sites may not do this. Open Roomwatch itself.", bare: true}},
	{errFailures, mishap{code: fiber.StatusTooManyRequests, title: "Too many failures", detail: "Too many authentications from this address have failed. Try again in a minute."}},
	{errAccounts, mishap{code: fiber.StatusServiceUnavailable, title: "Accounts cannot be read", detail: "Who you are cannot be looked up now. Try again in a moment."}},
}

// refusals are what is refused before a handler is asked, by the HTTP engine or for want of a route.
var refusals = map[int]mishap{
	fiber.StatusNotFound:                    {fiber.StatusNotFound, "Not found", "There is nothing at this address.", false},
	fiber.StatusMethodNotAllowed:            {fiber.StatusMethodNotAllowed, "Method not allowed", "The header Allow says which methods are.", true},
	fiber.StatusRequestTimeout:              {fiber.StatusRequestTimeout, "Timeout", "The request took too long to come in.", true},
	fiber.StatusRequestEntityTooLarge:       {fiber.StatusRequestEntityTooLarge, "Too large", "The body is larger than what is read here: 1 MiB of a delivery, 64 KiB elsewhere.", true},
	fiber.StatusRequestHeaderFieldsTooLarge: {fiber.StatusRequestHeaderFieldsTooLarge, "Headers too large", "The request line and the headers are larger than 16 KiB.", true},
	fiber.StatusUpgradeRequired:             {fiber.StatusUpgradeRequired, "WebSocket expected", "This address answers to WebSockets only.", true},
}

const badValue = "Bad value"

var (
	slow = mishap{code: fiber.StatusServiceUnavailable, title: "Too slow", detail: "The question took too long. Narrow it."}
	own  = mishap{code: fiber.StatusTooManyRequests, title: "Too much at one time", detail: "As much of yours is under way already as one may have: two questions, or two exports. Wait until they are answered, or close other pages of Roomwatch; then try again."}

	badRequest = mishap{code: fiber.StatusBadRequest, title: "Bad request", detail: "The request is not one that HTTP allows.", bare: true}
	unknown    = mishap{code: fiber.StatusUnauthorized, title: "Not logged in", detail: "Log in first, or send an API token as Authorization: Bearer."}
	failed     = mishap{code: fiber.StatusInternalServerError, title: "Something failed here", detail: "The cause is in the log of the server."}
)

// mishapOf is what an answer says of an error. What a bad value should be is a fixed text, too.
func mishapOf(err error) mishap {
	var refused *fiber.Error
	var bad *room.BadValue
	var other *room.UnknownParam
	switch {
	case errors.As(err, &other):
		return mishap{code: fiber.StatusBadRequest, title: "Unknown parameter", detail: other.Error()}
	case errors.As(err, &bad):
		return mishap{code: fiber.StatusBadRequest, title: badValue, detail: "The parameter " + bad.Name + " must be " + bad.Want + "."}
	case errors.As(err, &refused):
		if m, ok := refusals[refused.Code]; ok {
			return m
		}
		return badRequest // a line that broke, too: that is no failure of ours, and answered in vain
	}
	for _, k := range known {
		if errors.Is(err, k.is) {
			return k.mishap
		}
	}
	return failed
}

// answerError turns every error into a fixed text. The cause is logged, never sent.
func (s *Server) answerError(c *fiber.Ctx, err error) error {
	if !strings.HasPrefix(c.Path(), "/embed") {
		secure(c.Response()) // a failed upgrade has cleared them
	}
	m := mishapOf(err)
	if _, pool := s.shares.overdrawn(err); pool != nil {
		s.refusedShare(s.asker(c), err)
		c.Set(fiber.HeaderRetryAfter, "2")
	}
	if m.code == fiber.StatusRequestEntityTooLarge && strings.HasPrefix(strings.ToLower(c.Path()), "/webhook") {
		s.note(c, room.Delivery{ReceivedAt: time.Now(), Verdict: room.Unreadable, Reason: "the body is larger than 1 MiB"}, "oversized")
	}
	switch m {
	case failed:
		s.Log.Error("request failed", "method", c.Method(), "route", c.Route().Path, "err", err)
	case mishapOf(errAPI):
		s.Log.Warn("plugNmeet was asked in vain", "route", c.Route().Path, "err", err)
	case unknown:
		c.Set(fiber.HeaderWWWAuthenticate, `Bearer realm="roomwatch"`)
	case refusals[fiber.StatusNotFound]:
		if handshake(c) {
			s.hindered(c, obstaclePath)
		}
	case slow:
		s.Log.Warn("a question took too long", "method", c.Method(), "route", c.Route().Path, "err", err)
	}
	return s.answer(c, m)
}

// machines are the addresses that no person reads.
var machines = []string{"/webhook", "/live", "/livez", "/readyz", "/health", "/metrics"}

// answer says what went wrong in the manner of the address: a problem document, the small object that
// machines get, or a page.
func (s *Server) answer(c *fiber.Ctx, m mishap) error {
	path := strings.TrimRight(strings.ToLower(c.Path()), "/")
	switch {
	case forPrograms(path):
		return problem(c, m.code, m.title, m.detail)
	case path == "/live" && m.title == badValue:
		return c.Status(m.code).JSON(fiber.Map{"status": strings.ToLower(m.title), "detail": m.detail})
	case strings.HasPrefix(path, "/embed"):
		return s.render(c, m.code, views.EmbedRefused(m.title, m.detail))
	case m.bare, slices.Contains(machines, path):
		return status(c, m.code, strings.ToLower(m.title))
	case m == refusals[fiber.StatusNotFound]:
		return s.render(c, m.code, views.NotFoundPage())
	}
	return s.render(c, m.code, views.ErrorPage(m.code, m.title+".", m.detail))
}

// forPrograms: the API, and what is fetched to be read by a program.
func forPrograms(path string) bool {
	return path == "/api" || strings.HasPrefix(path, "/api/") || strings.HasSuffix(path, ".json")
}
