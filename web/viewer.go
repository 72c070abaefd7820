package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync/atomic"
	"time"
	"unicode/utf8"

	fasthttpws "github.com/fasthttp/websocket"
	"github.com/gofiber/contrib/websocket"

	"github.com/roomwatch/roomwatch/live"
)

const (
	maxMessage  = 4 << 10         // a viewer has little to say
	maxMessages = 20              // a second, pings and pongs too
	writeTime   = 5 * time.Second // for one frame; who takes longer comes again
	pongTime    = 60 * time.Second
	pingEvery   = 25 * time.Second // with the frame that comes next, at the latest a heartbeat later
	lingerTime  = time.Second      // for the last words to arrive
	maxLinger   = 256 << 10        // of what still comes in meanwhile
)

// Close codes of our own, beside those of RFC 6455.
const (
	closeExpired = 4401                          // the viewer's right has ended: log in again
	closeBusy    = 4429                          // the viewer talks too much
	closeAgain   = websocket.CloseServiceRestart // the viewer should come again at once
)

// sentAway is why a viewer's writer ends, with the code that says so.
type sentAway int

func (sentAway) Error() string { return "sent away" }

var errBusy = errors.New("the viewer talks too much")

// viewer is one open socket. One goroutine writes, another reads.
type viewer struct {
	*live.Viewer
	conn     *websocket.Conn
	patience time.Duration           // for a whole message, in however many pieces it comes
	refresh  func(token string) bool // goes on with a fresh embed token, if it is one
	ended    atomic.Bool             // nothing is written any more

	second int64
	heard  int       // in this second
	due    time.Time // by when a pong has to come
	midway bool      // a message has begun
}

// write sends frames and pings until the viewer goes, or is sent away.
func (v *viewer) write(ctx context.Context) {
	defer v.end()
	var pinged time.Time
	for {
		data, err := v.Next(ctx)
		switch {
		case errors.Is(err, live.ErrClosing):
			say(v.conn, websocket.CloseServiceRestart)
			return
		case err != nil:
			var away sentAway
			if errors.As(context.Cause(ctx), &away) {
				say(v.conn, int(away))
			}
			return
		}
		_ = v.conn.SetWriteDeadline(time.Now().Add(writeTime))
		if err := v.conn.WriteMessage(websocket.TextMessage, data); err != nil {
			return // half a frame may be on its way: nothing more can be said
		}
		if time.Since(pinged) < pingEvery {
			continue
		}
		pinged = time.Now()
		if err := v.conn.WriteControl(websocket.PingMessage, nil, pinged.Add(writeTime)); err != nil {
			return
		}
	}
}

// end wakes the reader: nobody would answer any more.
func (v *viewer) end() {
	v.ended.Store(true)
	_ = v.conn.SetReadDeadline(time.Unix(1, 0))
}

// wait lets the reader wait until then, unless the writer has ended: who of them sets the deadline last
// must not matter.
func (v *viewer) wait(until time.Time) error {
	err := v.conn.SetReadDeadline(until)
	if v.ended.Load() {
		v.end()
	}
	return err
}

// read hears what the viewer says until it goes, and says why when it has to. Only a pong shows that
// somebody is there, and no pong gives a message more time.
func (v *viewer) read() {
	v.conn.SetReadLimit(maxMessage)
	v.conn.SetPingHandler(v.pinged)
	v.conn.SetPongHandler(v.ponged)
	v.due = time.Now().Add(pongTime)
	for {
		_ = v.wait(v.due)
		data, code, err := v.message()
		switch {
		case errors.Is(err, errBusy):
			say(v.conn, closeBusy)
			return
		case errors.Is(err, fasthttpws.ErrReadLimit): // of a length that is no number the library says nothing
			say(v.conn, websocket.CloseMessageTooBig)
			return
		case err != nil:
			return // the library has said why, if the viewer broke the protocol
		case code != 0:
			say(v.conn, code)
			return
		}
		if !v.hear(data) {
			say(v.conn, closeExpired)
			return
		}
	}
}

// message is the next whole one, or the code to close with.
func (v *viewer) message() (data []byte, code int, err error) {
	kind, message, err := v.conn.NextReader()
	if err != nil {
		return nil, 0, err
	}
	v.midway = true
	defer func() { v.midway = false }()
	if err := v.wait(time.Now().Add(v.patience)); err != nil {
		return nil, 0, err
	}
	if data, err = io.ReadAll(message); err != nil {
		return nil, 0, err
	}
	switch {
	case v.busy():
		return nil, 0, errBusy
	case kind != websocket.TextMessage:
		return nil, websocket.CloseUnsupportedData, nil
	case !utf8.Valid(data):
		return nil, websocket.CloseInvalidFramePayloadData, nil
	}
	return data, 0, nil
}

// busy counts one thing more that was heard.
func (v *viewer) busy() bool {
	if now := time.Now().Unix(); now != v.second {
		v.second, v.heard = now, 0
	}
	v.heard++
	return v.heard > maxMessages
}

func (v *viewer) pinged(data string) error {
	if v.busy() {
		return errBusy
	}
	_ = v.conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(writeTime))
	return nil
}

func (v *viewer) ponged(string) error {
	if v.busy() {
		return errBusy
	}
	v.due = time.Now().Add(pongTime)
	if v.midway {
		return nil
	}
	return v.wait(v.due)
}

// hear does what the viewer says, and is false when it must go: its fresh token is none for what it watches.
func (v *viewer) hear(data []byte) bool {
	var message struct {
		Kind  string `json:"k"`
		Token string `json:"token"`
	}
	if json.Unmarshal(data, &message) != nil {
		return true
	}
	switch message.Kind {
	case "auth":
		return v.refresh(message.Token)
	case "pause":
		v.Pause(true)
	case "resume":
		v.Pause(false)
	}
	return true
}

// say closes the socket with a code.
func say(conn *websocket.Conn, code int) {
	_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(writeTime))
}

// linger lets the last words arrive: who closes a line on which something still comes in resets it, and
// what is on its way is lost.
func linger(conn *websocket.Conn) {
	line := conn.NetConn()
	_ = line.SetReadDeadline(time.Now().Add(lingerTime))
	_, _ = io.CopyN(io.Discard, line, maxLinger)
}
