package web

import (
	"encoding/binary"
	"encoding/json"
	"net"
	"time"
	"unicode/utf8"

	"github.com/gofiber/contrib/websocket"

	"github.com/roomwatch/roomwatch/live"
)

const (
	maxMessage  = 4 << 10         // a viewer has little to say
	maxMessages = 20              // a second, pings and pongs too
	maxControl  = 125             // of a ping, pong or close
	writeTime   = 5 * time.Second // for one frame; who takes longer comes again
	pongTime    = 60 * time.Second
	pingEvery   = 25 * time.Second // with the frame that comes next, at the latest a heartbeat later
	lingerTime  = time.Second      // for the last words to arrive
	maxLinger   = 256 << 10        // of what still comes in meanwhile
)

// Close codes of our own, beside those of RFC 6455.
const (
	closeExpired = 4401                          // the viewer's right has ended: log in again
	closeBusy    = 4429                          // the viewer has more than a share: of sockets, views or questions, or talks too much
	closeAgain   = websocket.CloseServiceRestart // the viewer should come again at once
)

// viewer is one open socket, as it is read.
type viewer struct {
	*live.Viewer
	*line
	patience time.Duration           // for a whole message, in however many pieces it comes
	refresh  func(token string) bool // goes on with a fresh embed token, if it is one

	early  []byte // what came in before this was set up, or was read and not looked at
	space  [256]byte
	second int64
	heard  int       // in this second
	due    time.Time // by when a pong has to come
	midway bool      // a message has begun
	packed bool      // and is compressed
	said   []byte    // and this much of it came
}

// sentAway is why a viewer is not read any more: a close code to say, or 0 for none.
type sentAway int

func (sentAway) Error() string { return "sent away" }

// read hears what the viewer says until it goes, and says why when it has to. Only a pong shows that
// somebody is there, and no pong gives a message more time.
func (v *viewer) read() {
	v.due = time.Now().Add(pongTime)
	v.wait(v.due)
	for {
		if err := v.frame(); err != nil {
			if away, ok := err.(sentAway); ok {
				v.leave(int(away))
			}
			return
		}
	}
}

// wait lets the reader wait until then, unless nothing is sent any more: who sets the deadline last must not
// matter.
func (v *viewer) wait(until time.Time) {
	_ = v.conn.SetReadDeadline(until)
	if v.ended() {
		v.wakeReader()
	}
}

// frame hears the next one.
func (v *viewer) frame() error {
	var head [2]byte
	if err := v.take(head[:]); err != nil {
		return err
	}
	first, op, length := head[0], head[0]&0x0f, uint64(head[1]&^bitMasked)
	if head[1]&bitMasked == 0 || first&bitsOther != 0 {
		return sentAway(websocket.CloseProtocolError)
	}
	if op >= opClose {
		if first&(bitFinal|bitPacked) != bitFinal || length > maxControl || op > opPong {
			return sentAway(websocket.CloseProtocolError)
		}
	} else if err := v.begin(first, op); err != nil {
		return err
	}
	switch length {
	case 126:
		var more [2]byte
		if err := v.take(more[:]); err != nil {
			return err
		}
		length = uint64(binary.BigEndian.Uint16(more[:]))
	case 127:
		var more [8]byte
		if err := v.take(more[:]); err != nil {
			return err
		}
		length = binary.BigEndian.Uint64(more[:])
	}
	if op < opClose && (length > maxMessage || length+uint64(len(v.said)) > maxMessage) { // a sum may wrap around
		return sentAway(websocket.CloseMessageTooBig)
	}
	payload, err := v.payload(int(length))
	switch {
	case err != nil:
		return err
	case op >= opClose:
		return v.control(op, payload)
	}
	v.said = append(v.said, payload...)
	if first&bitFinal == 0 {
		return nil
	}
	return v.message()
}

// begin checks the header of a part of a message. With the first part the time for all of it begins.
func (v *viewer) begin(first, op byte) error {
	packed := first&bitPacked != 0
	switch {
	case op > opBinary, v.midway != (op == opContinuation), packed && (v.midway || !v.line.packed):
		return sentAway(websocket.CloseProtocolError)
	case op == opBinary:
		return sentAway(websocket.CloseUnsupportedData)
	case op == opText:
		v.midway, v.packed = true, packed
		v.wait(time.Now().Add(v.patience))
	}
	return nil
}

// payload reads what a frame holds, without its mask.
func (v *viewer) payload(length int) ([]byte, error) {
	var mask [4]byte
	if err := v.take(mask[:]); err != nil || length == 0 {
		return nil, err
	}
	payload := make([]byte, length)
	err := v.take(payload)
	for i := range payload {
		payload[i] ^= mask[i&3]
	}
	return payload, err
}

// take fills p with what comes next.
func (v *viewer) take(p []byte) error {
	for len(p) > 0 {
		if len(v.early) == 0 {
			n, err := v.conn.Read(v.space[:])
			if n == 0 && err != nil {
				return err
			}
			v.early = v.space[:n]
		}
		n := copy(p, v.early)
		p, v.early = p[n:], v.early[n:]
	}
	return nil
}

// message hears a whole one.
func (v *viewer) message() error {
	said, packed := v.said, v.packed
	v.said, v.midway = nil, false
	if v.busy() {
		return sentAway(closeBusy)
	}
	if packed {
		var err error
		switch said, err = unpacked(said, maxMessage); {
		case err == errTooLong:
			return sentAway(websocket.CloseMessageTooBig)
		case err != nil:
			return sentAway(websocket.CloseInvalidFramePayloadData)
		}
	}
	if !utf8.Valid(said) {
		return sentAway(websocket.CloseInvalidFramePayloadData)
	}
	v.wait(v.due)
	if !v.hear(said) {
		return sentAway(closeExpired)
	}
	return nil
}

// busy counts one thing more that was heard.
func (v *viewer) busy() bool {
	if now := time.Now().Unix(); now != v.second {
		v.second, v.heard = now, 0
	}
	v.heard++
	return v.heard > maxMessages
}

// control hears a ping, pong or close.
func (v *viewer) control(op byte, payload []byte) error {
	if op == opClose {
		return goodbye(payload)
	}
	if v.busy() {
		return sentAway(closeBusy)
	}
	if op == opPing {
		v.pong(payload)
		return nil
	}
	if v.due = time.Now().Add(pongTime); !v.midway {
		v.wait(v.due)
	}
	return nil
}

// goodbye answers a close with its own code, if it may be said on the wire.
func goodbye(payload []byte) sentAway {
	if len(payload) == 0 {
		return 0
	}
	if len(payload) == 1 || !utf8.Valid(payload[2:]) {
		return websocket.CloseProtocolError
	}
	switch code := int(binary.BigEndian.Uint16(payload)); {
	case 3000 <= code && code < 5000, 1000 <= code && code <= 1014 && (code < 1004 || code > 1006):
		return sentAway(code)
	}
	return websocket.CloseProtocolError
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

// linger lets the last words arrive: who closes a connection on which something still comes in resets it, and
// what is on its way is lost.
func linger(conn net.Conn) {
	_ = conn.SetReadDeadline(time.Now().Add(lingerTime))
	_ = discard(conn, maxLinger)
	_ = conn.Close()
}
