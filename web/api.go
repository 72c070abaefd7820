package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/roomwatch/roomwatch/room"
)

// maxQuery bounds every text in a query, in bytes.
const maxQuery = 1024

// askTime bounds a question to the store.
const askTime = 5 * time.Second

// asking is the context of a question to the store. The request's own will not do: the HTTP engine uses
// it again for the next request while the database may still look at it.
func asking() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), askTime)
}

// badValue is a parameter that cannot be used; the API answers 400.
type badValue struct{ name, want string }

func (e *badValue) Error() string { return e.name + ": " + e.want }

// answered turns a bad value into its problem document.
func answered(c *fiber.Ctx, err error) error {
	if bad, ok := err.(*badValue); ok {
		return problem(c, fiber.StatusBadRequest, "Bad value", "The parameter "+bad.name+" must be "+bad.want+".")
	}
	return err
}

// apiState is what is going on now (design section 5). The ETag names the state of the board.
func (s *Server) apiState(c *fiber.Ctx) error {
	limit, err := limitOf(c)
	if err != nil {
		return answered(c, err)
	}
	state, err := s.Board.State(time.Now(), limit, c.Query("cursor"))
	if err != nil {
		return err
	}
	asked := sha256.Sum256([]byte(fmt.Sprint(limit, " ", c.Query("cursor"))))
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
	q, err := sessionQuery(c)
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
	q, err := deliveryQuery(c)
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

func sessionQuery(c *fiber.Ctx) (q room.SessionQuery, err error) {
	if err := bounded(c, "state", "source", "room_id", "q", "from", "to", "cursor"); err != nil {
		return q, err
	}
	q = room.SessionQuery{State: room.State(c.Query("state")), Source: c.Query("source"), RoomID: c.Query("room_id"),
		Text: strings.TrimSpace(c.Query("q")), Cursor: c.Query("cursor")}
	switch q.State {
	case "", room.StateCreated, room.StateLive, room.StateEnded:
	default:
		return q, &badValue{"state", "created, live or ended"}
	}
	if q.From, err = timeOf(c, "from"); err != nil {
		return q, err
	}
	if q.To, err = timeOf(c, "to"); err != nil {
		return q, err
	}
	q.Limit, err = limitOf(c)
	return q, err
}

func deliveryQuery(c *fiber.Ctx) (q room.DeliveryQuery, err error) {
	if err := bounded(c, "verdict", "source", "event", "room_id", "sid", "cursor"); err != nil {
		return q, err
	}
	q = room.DeliveryQuery{Verdict: room.Verdict(c.Query("verdict")), Source: c.Query("source"), Event: c.Query("event"),
		RoomID: c.Query("room_id"), SID: c.Query("sid"), Cursor: c.Query("cursor")}
	switch q.Verdict {
	case "", room.Accepted, room.Late, room.Unknown, room.Duplicate, room.Refused, room.Unreadable:
	default:
		return q, &badValue{"verdict", "accepted, late, unknown, duplicate, unauthentic or unreadable"}
	}
	q.Limit, err = limitOf(c)
	return q, err
}

// bounded refuses texts that are longer than anything we keep, and what is not text.
func bounded(c *fiber.Ctx, names ...string) error {
	for _, name := range names {
		if text := c.Query(name); len(text) > maxQuery || !utf8.ValidString(text) {
			return &badValue{name, fmt.Sprintf("text of at most %d bytes", maxQuery)}
		}
	}
	return nil
}

func limitOf(c *fiber.Ctx) (int, error) {
	text := c.Query("limit")
	if text == "" {
		return room.DefaultLimit, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > room.MaxLimit {
		return 0, &badValue{"limit", fmt.Sprintf("a number from 1 to %d", room.MaxLimit)}
	}
	return limit, nil
}

func timeOf(c *fiber.Ctx, name string) (time.Time, error) {
	text := c.Query(name)
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, &badValue{name, "a time like 2026-11-22T01:00:00Z"}
	}
	return at, nil
}
