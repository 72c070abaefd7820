package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/roomwatch/roomwatch/room"
)

// askTime bounds a question to the store.
const askTime = 5 * time.Second

// asking is the context of a question to the store. The request's own will not do: the HTTP engine uses
// it again for the next request while the database may still look at it.
func asking() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), askTime)
}

// answered turns a bad value into its problem document.
func answered(c *fiber.Ctx, err error) error {
	var bad *room.BadValue
	if errors.As(err, &bad) {
		return problem(c, fiber.StatusBadRequest, "Bad value", "The parameter "+bad.Name+" must be "+bad.Want+".")
	}
	return err
}

// apiState is what is going on now (design section 5). The ETag names the state of the board.
func (s *Server) apiState(c *fiber.Ctx) error {
	q, err := query(c, room.ParseSessionQuery)
	if err != nil {
		return answered(c, err)
	}
	state, err := s.Board.State(time.Now(), q.Limit, q.Cursor)
	if err != nil {
		return err
	}
	asked := sha256.Sum256([]byte(fmt.Sprint(q.Limit, " ", q.Cursor)))
	tag := fmt.Sprintf(`"%s-%d-%s"`, state.Epoch, state.Seq, hex.EncodeToString(asked[:4]))
	c.Set(fiber.HeaderETag, tag)
	c.Set(fiber.HeaderCacheControl, "no-cache")
	if hasTag(c.Get(fiber.HeaderIfNoneMatch), tag) {
		return c.SendStatus(fiber.StatusNotModified)
	}
	return c.JSON(state)
}

// hasTag says whether If-None-Match names the tag. A proxy that compresses makes it a weak one.
func hasTag(list, tag string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == tag {
			return true
		}
	}
	return false
}

// apiSessions is the history, newest first.
func (s *Server) apiSessions(c *fiber.Ctx) error {
	q, err := query(c, room.ParseSessionQuery)
	if err != nil {
		return answered(c, err)
	}
	ctx, cancel := asking()
	defer cancel()
	page, err := s.Record.Sessions(ctx, q)
	if err != nil {
		return err
	}
	return c.JSON(page)
}

// apiSession is one session, whole.
func (s *Server) apiSession(c *fiber.Ctx) error {
	ctx, cancel := asking()
	defer cancel()
	detail, err := s.Board.Detail(ctx, c.Query("source"), sidOf(c))
	if err != nil {
		return err
	}
	return c.JSON(detail)
}

// apiDeliveries is what came in, newest first: the record and the notes of what was refused.
func (s *Server) apiDeliveries(c *fiber.Ctx) error {
	q, err := query(c, room.ParseDeliveryQuery)
	if err != nil {
		return answered(c, err)
	}
	ctx, cancel := asking()
	defer cancel()
	page, err := s.Record.Deliveries(ctx, q)
	if err != nil {
		return err
	}
	return c.JSON(page)
}

// query reads what is asked of a list.
func query[Q any](c *fiber.Ctx, parse func(url.Values) (Q, error)) (q Q, err error) {
	values, err := filters(c)
	if err != nil {
		return q, err
	}
	return parse(values)
}
