package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/share"
)

const (
	exportRows = 100_000
	exportTime = 15 * time.Minute // for a whole one, however slowly it is read
	truncated  = "Roomwatch-Truncated"
)

var errExports = errors.New("too many exports are under way")

// table is a list that can be exported: where it comes from, and its columns where it has any.
type table[Q, T any] struct {
	name    string // of the page, and of the file
	params  []string
	parse   func(url.Values) (Q, error)
	ask     func(Record, context.Context, Q) (room.Page[T], error)
	columns []column[T]
}

// export answers all that the filters of a page ask for as a file, newest first. It is read from the
// store page by page while it is sent, so that neither waits for the other and little is held in memory.
func export[Q, T any](s *Server, t table[Q, T], form func(*bytes.Buffer, []column[T]) sheet[T]) fiber.Handler {
	return func(c *fiber.Ctx) error {
		values, err := filtersOf(c, t.params...)
		if err != nil {
			return err
		}
		v, err := s.who(c)
		if err != nil {
			return err
		}
		d := &download[T]{closing: s.sockets.closed, left: s.ExportRows, log: s.Log.With("export", t.name)}
		d.sheet = form(&d.out, t.columns)
		who := s.shareOf(c, v)
		d.page = func(cursor string) (room.Page[T], error) { return pageOf(s, v, who, t, values, cursor, d.left) }
		return s.send(c, who, d, t.name+"-"+time.Now().UTC().Format(time.DateOnly)+"."+d.sheet.extension(), d.sheet.mime())
	}
}

// pageOf is what follows the cursor. The page's own limit and cursor say where its reader is, not what is asked for.
func pageOf[Q, T any](s *Server, v visitor, who share.Holder, t table[Q, T], values url.Values, cursor string, most int) (room.Page[T], error) {
	values.Set("limit", strconv.Itoa(min(most, room.MaxLimit)))
	values.Set("cursor", cursor)
	q, err := t.parse(values)
	if err != nil {
		return room.Page[T]{}, err
	}
	patience := live.PageTurn
	if cursor != "" {
		patience = live.LongTurn // it has begun, and would break off
	}
	page, err := askedWithin(s, who, patience, func(ctx context.Context) (room.Page[T], error) { return t.ask(s.Record, ctx, limited(v, q)) })
	veiled(s, v, page.Items)
	return page, err
}

// stream is a body that is made while it is sent.
type stream interface {
	io.ReadCloser
	more() error
	onto(line net.Conn, response *fasthttp.Response, patience time.Duration, release func())
}

// send begins the answer. Its first page is made before, so that a question that cannot be answered gets
// a proper error.
func (s *Server) send(c *fiber.Ctx, who share.Holder, body stream, file, mime string) error {
	if err := s.shares.exports.Take(who, 1); err != nil {
		return fmt.Errorf("%w: %w", errExports, err)
	}
	release, sent := sync.OnceFunc(func() { s.shares.exports.Give(who, 1) }), false
	defer func() {
		if !sent {
			release()
		}
	}()
	if err := body.more(); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, mime)
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="roomwatch-`+file+`"`)
	if c.Method() == fiber.MethodHead {
		return nil // the engine would send the end of a stream even without its body
	}
	if err := c.Response().Header.AddTrailer(truncated); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	body.onto(c.Context().Conn(), c.Response(), s.WriteTime, release)
	c.Context().SetBodyStream(body, -1)
	sent = true
	return nil
}

// download is a stream of rows. The engine reads it in the goroutine of the request and closes it after;
// an error breaks the line before the end of the body is sent, so that nobody takes a part for the whole.
type download[T any] struct {
	page    func(cursor string) (room.Page[T], error)
	sheet   sheet[T]
	closing func() bool
	log     *slog.Logger

	out    bytes.Buffer // of the sheet: what is not sent yet
	cursor string
	rows   int
	left   int // rows that may still be sent
	over   bool
	cut    bool // there would be more

	line     net.Conn
	response *fasthttp.Response
	patience time.Duration
	until    time.Time
	release  func()
}

func (d *download[T]) onto(line net.Conn, response *fasthttp.Response, patience time.Duration, release func()) {
	d.line, d.response, d.patience, d.release = line, response, patience, release
	d.until = time.Now().Add(exportTime)
}

// Read gives what there is to send, and the reader of it time to take it.
func (d *download[T]) Read(p []byte) (int, error) {
	for d.out.Len() == 0 {
		if d.over {
			d.response.Header.Set(truncated, strconv.FormatBool(d.cut))
			return 0, io.EOF
		}
		if err := d.more(); err != nil {
			d.log.Error("an export broke off", "rows", d.rows, "err", err)
			return 0, err
		}
	}
	by := time.Now().Add(d.patience)
	if by.After(d.until) {
		by = d.until
	}
	if err := d.line.SetWriteDeadline(by); err != nil {
		return 0, err
	}
	return d.out.Read(p)
}

// more writes the next page.
func (d *download[T]) more() error {
	if d.closing() {
		return live.ErrClosing
	}
	page, err := d.page(d.cursor)
	if err != nil {
		return err
	}
	for i := range page.Items {
		if err := d.sheet.row(&page.Items[i]); err != nil {
			return err
		}
	}
	d.cursor, d.rows, d.left = page.Next, d.rows+len(page.Items), d.left-len(page.Items)
	d.cut = page.Next != "" && d.left <= 0
	if d.over = page.Next == "" || d.cut; d.over {
		return d.sheet.end(page.Next)
	}
	return d.sheet.flush()
}

// Close lets another export begin.
func (d *download[T]) Close() error {
	d.release()
	return nil
}
