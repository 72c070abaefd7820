package web

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"

	"github.com/roomwatch/roomwatch/live"
)

const (
	protocol    = "roomwatch.v1"
	maxMessage  = 4 << 10         // a viewer has little to say
	maxMessages = 20              // a second
	writeTime   = 5 * time.Second // for one frame; who takes longer comes again
	pongTime    = 60 * time.Second
	pingEvery   = 25 * time.Second // with the frame that comes next, at the latest a heartbeat later
)

// Close codes of our own, beside those of RFC 6455.
const (
	closeSlow = 4408 // the viewer does not read; it may come again
	closeBusy = 4429 // the viewer talks too much
)

// live upgrades to a socket that watches one view. Everything that can be refused is refused before.
func (s *Server) live() fiber.Handler {
	upgrade := websocket.New(s.watch, websocket.Config{
		Subprotocols: []string{protocol}, ReadBufferSize: 512, WriteBufferSize: 4096,
		RecoverHandler: func(*websocket.Conn) {
			if cause := recover(); cause != nil {
				s.Log.Error("a socket failed", "cause", cause)
			}
		},
	})
	return func(c *fiber.Ctx) error {
		if !websocket.IsWebSocketUpgrade(c) {
			return fiber.ErrUpgradeRequired
		}
		if !s.ownOrigin(c.Get(fiber.HeaderOrigin), c.Hostname()) {
			return status(c, fiber.StatusForbidden, "this page may not open the socket")
		}
		q, err := s.question(c)
		if err != nil {
			return err
		}
		c.Locals("question", q)
		return upgrade(c)
	}
}

// question reads what is to be watched. A room is found first: its session may have to be read back.
func (s *Server) question(c *fiber.Ctx) (live.Question, error) {
	q, err := live.ParseQuestion(c.Query("view"), c.Query("q"))
	if err != nil || q.Name != "room" {
		return q, err
	}
	ctx, cancel := asking()
	defer cancel()
	q.Key, err = s.Board.Find(ctx, c.Query("source"), q.Key.SID)
	return q, err
}

// watch is the life of a socket: one goroutine writes frames, this one reads. It must not return before
// the writer has: the connection and its buffers go back to a pool.
func (s *Server) watch(conn *websocket.Conn) {
	if !s.sockets.enter() {
		say(conn, websocket.CloseServiceRestart)
		return
	}
	defer s.sockets.leave()
	q, _ := conn.Locals("question").(live.Question)
	seq, _ := strconv.ParseUint(conn.Query("s"), 10, 64)
	viewer, err := s.Hub.Watch(q, conn.Query("e"), seq)
	if err != nil {
		say(conn, websocket.CloseTryAgainLater)
		return
	}
	defer viewer.Close()
	ctx, cancel := context.WithCancel(context.Background())
	var writer sync.WaitGroup
	writer.Go(func() {
		write(ctx, conn, viewer)
		_ = conn.SetReadDeadline(time.Unix(1, 0)) // wakes the reader
	})
	read(conn, viewer)
	cancel()
	writer.Wait()
}

// write sends frames and pings until the viewer goes, or is sent away.
func write(ctx context.Context, conn *websocket.Conn, viewer *live.Viewer) {
	var pinged time.Time
	for {
		data, err := viewer.Next(ctx)
		switch {
		case errors.Is(err, live.ErrClosing):
			say(conn, websocket.CloseServiceRestart)
			return
		case err != nil:
			return
		}
		_ = conn.SetWriteDeadline(time.Now().Add(writeTime))
		if err := conn.WriteMessage(websocket.TextMessage, data); err != nil {
			say(conn, closeSlow)
			return
		}
		if time.Since(pinged) < pingEvery {
			continue
		}
		pinged = time.Now()
		if err := conn.WriteControl(websocket.PingMessage, nil, pinged.Add(writeTime)); err != nil {
			return
		}
	}
}

// read hears what the viewer says until it goes. Only a pong shows that somebody is there.
func read(conn *websocket.Conn, viewer *live.Viewer) {
	conn.SetReadLimit(maxMessage)
	alive := func(string) error { return conn.SetReadDeadline(time.Now().Add(pongTime)) }
	conn.SetPongHandler(alive)
	_ = alive("")
	second, said := int64(0), 0
	for {
		kind, data, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if now := time.Now().Unix(); now != second {
			second, said = now, 0
		}
		if said++; said > maxMessages || kind != websocket.TextMessage {
			say(conn, closeBusy)
			return
		}
		hear(data, viewer)
	}
}

func hear(data []byte, viewer *live.Viewer) {
	var message struct {
		Kind string `json:"k"`
	}
	if json.Unmarshal(data, &message) != nil {
		return
	}
	switch message.Kind {
	case "pause":
		viewer.Pause(true)
	case "resume":
		viewer.Pause(false)
	}
}

// say closes the socket with a code.
func say(conn *websocket.Conn, code int) {
	_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(writeTime))
}
