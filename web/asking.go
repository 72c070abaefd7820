package web

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/share"
)

// askTime bounds a question to the store.
const askTime = 5 * time.Second

// errSlow: a question took longer than its time.
var errSlow = errors.New("the question took too long")

// asked asks the store, when it is somebody's turn. The request's own context will not do: the HTTP engine uses it again
// for the next request while the database may still look at it.
func asked[T any](s *Server, who share.Holder, question func(context.Context) (T, error)) (T, error) {
	return askedWithin(s, who, live.PageTurn, question)
}

// askedWithin is asked, by who waits so long for their turn.
func askedWithin[T any](s *Server, who share.Holder, patience time.Duration, question func(context.Context) (T, error)) (out T, err error) {
	done, err := s.Hub.Turn(who, patience)
	if err != nil {
		return out, err
	}
	defer done()
	ctx, cancel := context.WithTimeout(context.Background(), s.AskTime)
	defer cancel()
	out, err = question(ctx)
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", errSlow, err)
	}
	return out, err
}

// filters are the parameters of a request. Pages ignore those that nobody asks for: others' links add some.
func filters(c *fiber.Ctx) (url.Values, error) {
	values, err := url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		return nil, &room.BadValue{Name: "query", Want: "an ordinary query string"}
	}
	return values, nil
}

// filtersOf are the parameters of a request by a program, which may have no other ones than these.
func filtersOf(c *fiber.Ctx, known ...string) (url.Values, error) {
	values, err := filters(c)
	if err == nil {
		err = room.Only(values, known...)
	}
	return values, err
}

// param is a part of the path, "" when it is none that can be read.
func param(c *fiber.Ctx, name string) string {
	text, err := url.PathUnescape(c.Params(name))
	if err != nil {
		return ""
	}
	return text
}
