package web

import (
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/gofiber/contrib/websocket"

	"github.com/roomwatch/roomwatch/live"
)

// line is what goes to one viewer. It is written at once and never waited for: of a viewer who takes less than
// is sent, what is left goes by a goroutine, which others have not.
type line struct {
	conn   net.Conn
	raw    syscall.RawConn
	packed bool // frames may be compressed

	mu      sync.Mutex
	busy    bool         // a goroutine writes what was left
	waits   *live.Viewer // to be told when it has gone
	later   []byte       // is written after that: pongs and a close
	over    bool         // nothing more is written but that
	pinged  time.Time
	attempt func(fd uintptr) bool // made once
	data    []byte                // for attempt
	written int
}

func newLine(conn net.Conn, packed bool) *line {
	l := &line{conn: conn, packed: packed}
	if sys, ok := conn.(syscall.Conn); ok {
		l.raw, _ = sys.SyscallConn()
	}
	l.attempt = func(fd uintptr) bool {
		n, again := writeNow(fd, l.data)
		l.written = n
		return !again
	}
	return l
}

// Send is live.Line's.
func (l *line) Send(v *live.Viewer, f *live.Frame, now time.Time) bool {
	wire := plainText
	if l.packed {
		wire = packedText
	}
	data := f.As(l.packed, wire)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy || l.over {
		l.waits = v
		return false
	}
	l.write(data)
	if now.Sub(l.pinged) >= pingEvery {
		l.pinged = now
		l.add(inFrame(bitFinal|opPing, nil))
	}
	return true
}

// add writes something small, now or after what is on its way.
func (l *line) add(data []byte) {
	if !l.busy {
		l.write(data)
	} else if len(l.later) < maxMessage {
		l.later = append(l.later, data...)
	}
}

func (l *line) write(data []byte) {
	if l.data, l.written = data, 0; l.raw != nil {
		_ = l.raw.Write(l.attempt) // if it failed, what is left fails too
	}
	left := data[l.written:]
	if l.data = nil; len(left) > 0 {
		l.busy = true
		go l.finish(left)
	}
}

// finish writes what is left. A viewer who takes too long comes again.
func (l *line) finish(left []byte) {
	for {
		_ = l.conn.SetWriteDeadline(time.Now().Add(writeTime))
		_, err := l.conn.Write(left)
		l.mu.Lock()
		if err != nil {
			l.over = true // half a frame may be on its way: nothing more can be said
		}
		if left, l.later = l.later, nil; len(left) == 0 || err != nil {
			break
		}
		l.mu.Unlock()
	}
	_ = l.conn.SetWriteDeadline(time.Time{})
	l.busy = false
	over, waits := l.over, l.waits
	l.waits = nil
	l.mu.Unlock()
	switch {
	case over:
		l.wakeReader()
	case waits != nil:
		waits.Free()
	}
}

// pong answers a ping.
func (l *line) pong(said []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over {
		l.add(inFrame(bitFinal|opPong, said))
	}
}

// leave sends the viewer away with a close code, 0 for none.
func (l *line) leave(code int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return
	}
	l.over = true
	var payload []byte
	if code != 0 {
		payload = binary.BigEndian.AppendUint16(nil, uint16(code))
	}
	if l.add(inFrame(bitFinal|opClose, payload)); !l.busy {
		l.wakeReader()
	}
}

// wakeReader has the reader end: nobody would answer any more.
func (l *line) wakeReader() { _ = l.conn.SetReadDeadline(time.Unix(1, 0)) }

// ended says that nothing more is sent.
func (l *line) ended() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.over
}

// End is live.Line's.
func (l *line) End(err error) { l.leave(farewell(err)) }

// farewell is how a viewer is told that it cannot be served.
func farewell(err error) int {
	switch {
	case errors.Is(err, live.ErrClosing):
		return websocket.CloseServiceRestart
	case errors.Is(err, live.ErrBroken):
		return websocket.CloseInternalServerErr
	case ownShare(err) && !errors.Is(err, live.ErrQuestions): // a question is soon answered
		return closeBusy
	}
	return websocket.CloseTryAgainLater
}
