package web

import (
	"context"
	"io"
	"net"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/share"
)

const protocol = "roomwatch.v1"

// live upgrades to a socket that watches one view. Everything that can be refused is refused before.
func (s *Server) live() fiber.Handler {
	upgrade := websocket.New(s.detach, websocket.Config{Subprotocols: []string{protocol}, EnableCompression: true,
		RecoverHandler: func(*websocket.Conn) {
			if cause := recover(); cause != nil {
				s.Log.Error("a socket failed", "cause", cause, "stack", string(debug.Stack()))
			}
		},
	})
	return func(c *fiber.Ctx) error {
		if !websocket.IsWebSocketUpgrade(c) {
			return s.notUpgraded(c)
		}
		if origins := values(c, fiber.HeaderOrigin); len(origins) != 1 || !s.ownOrigin(c, origins[0]) {
			return s.foreign(c, origins)
		}
		v, err := s.socketVisitor(c)
		if err != nil {
			return err
		}
		q, err := s.question(c, v)
		if err != nil {
			return err
		}
		if !s.knownConnection(c) {
			return share.ErrFull
		}
		c.Locals("question", q)
		g := &guest{visitor: v, until: v.until(time.Now()), who: s.shareOf(c, v)}
		c.Locals("guest", g)
		err = upgrade(c)
		g.packed = len(c.Response().Header.Peek("Sec-WebSocket-Extensions")) > 0 // agreed to; the socket begins after the answer
		return err
	}
}

// question reads what is to be watched, if the visitor may. A room is found first: its session may have to be
// read back.
func (s *Server) question(c *fiber.Ctx, v visitor) (live.Question, error) {
	filters, err := filters(c)
	if err != nil {
		return live.Question{}, err
	}
	if !v.Known() {
		return live.Question{}, errNobody
	}
	q, err := live.ParseQuestion(filters.Get("view"), filters)
	if err != nil {
		return q, err
	}
	if q, err = v.asks(q); err != nil || !q.IsRoom() {
		return q, err
	}
	return s.found(q, s.shareOf(c, v))
}

// found is the question with the key of its session, which may have to be read back from the record.
func (s *Server) found(q live.Question, who share.Holder) (live.Question, error) {
	key, err := asked(s, who, func(ctx context.Context) (room.Key, error) { return s.Board.Find(ctx, q.Key.Source, q.Key.SID) })
	q.Key = key
	return q, err
}

// detach takes the bare connection out of an upgraded one. Whoever holds on to that holds on to the buffers and
// maps of its request, some thirty kilobytes; so it is let go, and the viewer lives on what comes with it.
func (s *Server) detach(conn *websocket.Conn) {
	g, _ := conn.Locals("guest").(*guest)
	q, epoch, seq := wanted(conn)
	bare, early := bareOf(conn.NetConn())
	go s.watch(bare, early, g, func(l *line) (*live.Viewer, error) { return s.Hub.Watch(q, g.who, epoch, seq, l) })
}

// bareOf is the connection beneath that of a request, and what of it was read already.
func bareOf(conn net.Conn) (bare net.Conn, early []byte) {
	over, ok := conn.(interface{ UnsafeConn() net.Conn })
	if !ok {
		return conn, nil
	}
	_ = conn.SetReadDeadline(time.Unix(1, 0)) // what is in the buffer comes all the same
	early, _ = io.ReadAll(io.LimitReader(conn, maxHeader))
	_ = conn.SetReadDeadline(time.Time{})
	return over.UnsafeConn(), early
}

// watch is the life of a socket: this goroutine reads, and whoever has something for the viewer writes.
func (s *Server) watch(conn net.Conn, early []byte, g *guest, view func(*line) (*live.Viewer, error)) {
	defer func() {
		if cause := recover(); cause != nil {
			s.Log.Error("a socket failed", "cause", cause, "stack", string(debug.Stack()))
			_ = conn.Close()
		}
	}()
	defer linger(conn)
	l := newLine(conn, g.packed)
	if err := s.sockets.enter(g.who); err != nil {
		s.refusedShare(g.who, err)
		l.End(err)
		return
	}
	defer s.sockets.leave(g.who)
	v := &viewer{line: l, patience: s.ReadTime, early: early, refresh: func(token string) bool { return s.refresh(g, token) }}
	var err error
	if v.Viewer, err = view(l); err != nil {
		s.refusedShare(g.who, err)
		l.End(err)
		return
	}
	defer v.Viewer.Close()
	g.leave = l.leave
	defer s.warden.forget(g)
	if !s.warden.admit(g) {
		l.leave(closeExpired)
		return
	}
	v.read()
}

// wanted is what the viewer wants to see, and the state that it has: one that is no number is none.
func wanted(conn *websocket.Conn) (q live.Question, epoch string, seq uint64) {
	q, _ = conn.Locals("question").(live.Question)
	seq, err := strconv.ParseUint(conn.Query("s"), 10, 64)
	if err != nil {
		return q, "", 0
	}
	return q, conn.Query("e"), seq
}
