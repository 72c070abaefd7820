package web

import (
	"errors"

	"github.com/gofiber/fiber/v2"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// status answers with the small JSON object that webhooks and probes get.
func status(c *fiber.Ctx, code int, text string) error {
	return c.Status(code).JSON(fiber.Map{"status": text})
}

// problem answers with an RFC 9457 problem document. The detail is a fixed text.
func problem(c *fiber.Ctx, code int, title, detail string) error {
	return c.Status(code).JSON(fiber.Map{"type": "about:blank", "title": title, "status": code, "detail": detail}, "application/problem+json")
}

// known are the errors that have an answer of their own.
var known = []struct {
	is     error
	code   int
	title  string
	detail string
}{
	{room.ErrNotFound, fiber.StatusNotFound, "No such session", "No session with this id is known. It may have passed the time for which history is kept."},
	{room.ErrBadCursor, fiber.StatusBadRequest, "Bad cursor", "The cursor was not made by this list."},
	{live.ErrNoView, fiber.StatusBadRequest, "No such view", "The view parameter names no view."},
	{live.ErrTooManyViews, fiber.StatusServiceUnavailable, "Too many views", "More different views are open than this process serves. Try again in a minute."},
	{live.ErrClosing, fiber.StatusServiceUnavailable, "Closing", "This process is shutting down. Try again."},
}

// answerError turns every error into a fixed text. The cause is logged, never sent.
func (s *Server) answerError(c *fiber.Ctx, err error) error {
	for _, k := range known {
		if errors.Is(err, k.is) {
			return problem(c, k.code, k.title, k.detail)
		}
	}
	var refused *fiber.Error
	if errors.As(err, &refused) && refused.Code < fiber.StatusInternalServerError {
		return s.answerRefused(c, refused.Code)
	}
	s.Log.Error("request failed", "method", c.Method(), "route", c.Route().Path, "err", err)
	return problem(c, fiber.StatusInternalServerError, "Something failed here", "The cause is in the log of the server.")
}

// answerRefused answers what the HTTP engine refused before a handler ran.
func (s *Server) answerRefused(c *fiber.Ctx, code int) error {
	texts := map[int]string{
		fiber.StatusNotFound:                    "not found",
		fiber.StatusMethodNotAllowed:            "method not allowed",
		fiber.StatusRequestTimeout:              "the request took too long",
		fiber.StatusRequestEntityTooLarge:       "more than 1 MiB",
		fiber.StatusRequestHeaderFieldsTooLarge: "headers are too large",
		fiber.StatusUpgradeRequired:             "a WebSocket is expected here",
	}
	text, ok := texts[code]
	if !ok {
		code, text = fiber.StatusBadRequest, "bad request"
	}
	if code == fiber.StatusRequestEntityTooLarge {
		c.Context().SetConnectionClose()
	}
	return status(c, code, text)
}
