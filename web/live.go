package web

import (
	"context"
	"errors"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

const protocol = "roomwatch.v1"

// live upgrades to a socket that watches one view. Everything that can be refused is refused before.
func (s *Server) live() fiber.Handler {
	upgrade := websocket.New(s.watch, websocket.Config{
		Subprotocols: []string{protocol}, ReadBufferSize: 512, WriteBufferSize: 4096,
		RecoverHandler: func(*websocket.Conn) {
			if cause := recover(); cause != nil {
				s.Log.Error("a socket failed", "cause", cause, "stack", string(debug.Stack()))
			}
		},
	})
	return func(c *fiber.Ctx) error {
		if !websocket.IsWebSocketUpgrade(c) {
			return fiber.ErrUpgradeRequired
		}
		if origins := values(c, fiber.HeaderOrigin); len(origins) != 1 || !s.ownOrigin(origins[0], c.Hostname()) {
			return status(c, fiber.StatusForbidden, "this page may not open the socket")
		}
		v, err := s.socketVisitor(c)
		if err != nil {
			return err
		}
		q, err := s.question(c, v)
		if err != nil {
			return err
		}
		c.Locals("question", q)
		c.Locals("guest", &guest{visitor: v, until: v.until(time.Now()), shares: s.shares(c, v)})
		return upgrade(c)
	}
}

// shares are what the visitor's sockets are counted by. Where there is no login, everybody is at this machine.
func (s *Server) shares(c *fiber.Ctx, v visitor) []share {
	if s.LoopbackOnly {
		return nil
	}
	shares := []share{{"address " + s.client(c).String(), maxFrom}}
	if who := v.Actor(); v.embed.Source == "" { // the same frame may stand on many desks
		shares = append(shares, share{who.Kind + " " + who.Name, maxOfOne})
	}
	return shares
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
	return s.found(q)
}

// found is the question with the key of its session, which may have to be read back from the record.
func (s *Server) found(q live.Question) (live.Question, error) {
	key, err := asked(s, func(ctx context.Context) (room.Key, error) { return s.Board.Find(ctx, q.Key.Source, q.Key.SID) })
	q.Key = key
	return q, err
}

// watch is the life of a socket: one goroutine writes frames, this one reads. It must not return before
// the writer has: the connection and its buffers go back to a pool.
func (s *Server) watch(conn *websocket.Conn) {
	defer linger(conn)
	g, _ := conn.Locals("guest").(*guest)
	if err := s.sockets.enter(g.shares); err != nil {
		say(conn, farewell(err))
		return
	}
	defer s.sockets.leave(g.shares)
	v := &viewer{conn: conn, patience: s.ReadTime, refresh: func(token string) bool { return s.refresh(g, token) }}
	var err error
	if v.Viewer, err = s.Hub.Watch(wanted(conn)); err != nil {
		say(conn, farewell(err))
		return
	}
	defer v.Close()
	ctx, cancel := context.WithCancelCause(context.Background())
	g.leave = func(code int) { cancel(sentAway(code)) }
	defer s.warden.forget(g)
	if !s.warden.admit(g) {
		say(conn, closeExpired)
		return
	}
	var writer sync.WaitGroup
	writer.Go(func() { v.write(ctx) })
	defer writer.Wait()
	defer cancel(nil)
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

// farewell is how a viewer is told that it cannot be served.
func farewell(err error) int {
	if errors.Is(err, live.ErrClosing) {
		return websocket.CloseServiceRestart
	}
	return websocket.CloseTryAgainLater
}
