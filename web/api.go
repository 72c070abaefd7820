package web

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed" // openapi.yaml
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// list answers a page of a list, newest first, in the form that the store gives it.
func list[Q, T any](s *Server, params []string, parse func(url.Values) (Q, error), ask func(context.Context, Q) (room.Page[T], error)) fiber.Handler {
	return func(c *fiber.Ctx) error {
		values, err := filtersOf(c, params...)
		if err != nil {
			return err
		}
		q, err := parse(values)
		if err != nil {
			return err
		}
		v, err := s.who(c)
		if err != nil {
			return err
		}
		page, err := asked(s, s.shareOf(c, v), func(ctx context.Context) (room.Page[T], error) { return ask(ctx, limited(v, q)) })
		if err != nil {
			return err
		}
		veiled(s, v, page.Items)
		return c.JSON(page)
	}
}

// vouching is the record, whose open sessions come with how far they have been checked: of that the board knows more
// than what was saved. Lists, exports and what is found say the same.
type vouching struct {
	Record
	board *live.Board
}

// Sessions is live.Lists'.
func (v vouching) Sessions(ctx context.Context, q room.SessionQuery) (room.Page[room.Summary], error) {
	page, err := v.Record.Sessions(ctx, q)
	heads := make([]*room.Head, len(page.Items))
	for i := range page.Items {
		heads[i] = &page.Items[i].Head
	}
	v.board.Vouch(heads...)
	return page, err
}

// apiState is what is going on now (design section 5). The ETag names the state of the board.
func (s *Server) apiState(c *fiber.Ctx) error {
	values, err := filtersOf(c, "limit", "cursor")
	if err != nil {
		return err
	}
	q, err := room.ParseSessionQuery(url.Values{"limit": values["limit"], "cursor": values["cursor"]})
	if err != nil {
		return err
	}
	state, err := s.Board.State(time.Now(), q.Limit, q.Cursor)
	if err != nil {
		return err
	}
	page := sha256.Sum256([]byte(fmt.Sprint(q.Limit, " ", q.Cursor)))
	tag := fmt.Sprintf(`"%s-%d-%s"`, state.Epoch, state.Seq, hex.EncodeToString(page[:4]))
	c.Set(fiber.HeaderETag, tag)
	c.Set(fiber.HeaderCacheControl, "private, no-cache")
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

// apiSession is one session, whole.
func (s *Server) apiSession(c *fiber.Ctx) error {
	values, err := filtersOf(c, "source")
	if err != nil {
		return err
	}
	source, sid := values.Get("source"), param(c, "sid")
	detail, err := asked(s, s.asker(c), func(ctx context.Context) (room.Detail, error) { return s.Board.Detail(ctx, source, sid) })
	if err != nil {
		return err
	}
	v, err := s.who(c)
	if err != nil {
		return err
	}
	if v.Masked() {
		detail = live.Mask(s.mask).Detail(detail)
	}
	return c.JSON(detail)
}

// apiDelivery is one delivery of the record, whole.
func (s *Server) apiDelivery(c *fiber.Ctx) error {
	if _, err := filtersOf(c); err != nil {
		return err
	}
	d, err := s.delivery(c)
	if err != nil {
		return err
	}
	v, err := s.who(c)
	if err != nil {
		return err
	}
	one := []room.Delivery{d}
	veiled(s, v, one)
	return c.JSON(one[0])
}

// delivery is the one that the position in the path names.
func (s *Server) delivery(c *fiber.Ctx) (room.Delivery, error) {
	position := param(c, "position")
	return asked(s, s.asker(c), func(ctx context.Context) (room.Delivery, error) { return s.Record.Delivery(ctx, position) })
}

// sampleStep is how far samples are apart. Minutes in which Roomwatch did not run, or received nothing though there
// was something, are missing; gaps says why.
const sampleStep = time.Minute

// apiTotals is the totals of all rooms over time.
func (s *Server) apiTotals(c *fiber.Ctx) error {
	values, err := filtersOf(c, "span")
	if err != nil {
		return err
	}
	span, known := map[string]time.Duration{"": time.Hour, "hour": time.Hour, "day": 24 * time.Hour}[values.Get("span")]
	if !known {
		return &room.BadValue{Name: "span", Want: "hour or day"}
	}
	samples := s.Board.Samples(span)
	if samples == nil {
		samples = []room.Sample{}
	}
	gaps := s.Board.Gaps("", time.Now().Add(-span), time.Time{})
	if gaps == nil {
		gaps = []live.Gap{}
	}
	return c.JSON(fiber.Map{"step_seconds": sampleStep / time.Second, "samples": samples, "gaps": gaps})
}

//go:embed openapi.yaml
var openAPI []byte

// apiDocument is the description of all this.
func (s *Server) apiDocument(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, "application/yaml")
	return c.Send(bytes.Replace(openAPI, []byte("\n  - url: /\n"), []byte("\n  - url: "+cmp.Or(s.BasePath, "/")+"\n"), 1))
}
