package web_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/fasthttp/websocket"
)

// frame is what comes over the socket (design section 4).
type frame struct {
	Epoch string `json:"e"`
	Seq   uint64 `json:"s"`
	At    int64  `json:"at"`
	Reset bool   `json:"r"`
	Ops   []struct {
		Kind   string `json:"k"`
		Target string `json:"t"`
		Parent string `json:"p"`
		Before string `json:"b"`
		HTML   string `json:"h"`
	} `json:"o"`

	bytes []byte
}

// socket is an open socket of a test.
type socket struct {
	*websocket.Conn
	r *rig
}

// dial opens a socket as a page of ours would, or says with which status that was refused.
func (r *rig) dial(query string, headers ...string) (*socket, int) {
	r.t.Helper()
	header := http.Header{"Origin": {r.url}, "Sec-Websocket-Protocol": {"roomwatch.v1"}}
	for i := 0; i+1 < len(headers); i += 2 {
		header[headers[i]] = []string{headers[i+1]}
		if headers[i] == "Origin" {
			header["Origin"] = strings.Fields(headers[i+1]) // none, or several
		}
	}
	return r.dialWith(&websocket.Dialer{HandshakeTimeout: 10 * time.Second}, query, header)
}

func (r *rig) dialWith(dialer *websocket.Dialer, query string, header http.Header) (*socket, int) {
	r.t.Helper()
	conn, answer, err := dialer.Dial("ws://"+r.addr+"/live?"+query, header)
	if err != nil {
		if answer == nil {
			r.t.Fatalf("%s: %v", query, err)
		}
		return nil, answer.StatusCode
	}
	s := &socket{conn, r}
	r.t.Cleanup(func() { _ = s.Close() })
	return s, 0
}

// open is a socket that must be there.
func (r *rig) open(query string) *socket {
	r.t.Helper()
	s, code := r.dial(query)
	if s == nil {
		r.t.Fatalf("%s: %d", query, code)
	}
	return s
}

// deaf is a socket that takes next to nothing until it is read from.
func (r *rig) deaf(query string) *socket {
	r.t.Helper()
	small := &net.Dialer{Control: func(_, _ string, line syscall.RawConn) (err error) {
		failed := line.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 2048) })
		return errors.Join(failed, err)
	}}
	s, code := r.dialWith(&websocket.Dialer{NetDialContext: small.DialContext}, query, http.Header{"Origin": {r.url}})
	if s == nil {
		r.t.Fatal(code)
	}
	return s
}

// watch opens a socket for its first frame only.
func (r *rig) watch(query string) (code int, f frame) {
	r.t.Helper()
	s, code := r.dial(query)
	if s == nil {
		return code, f
	}
	defer s.Close()
	return 0, s.next()
}

// next is the frame that comes next.
func (s *socket) next() frame {
	s.r.t.Helper()
	f, err := s.frame(patience)
	if err != nil {
		s.r.t.Fatal("no frame:", err)
	}
	return f
}

func (s *socket) frame(within time.Duration) (f frame, err error) {
	_ = s.SetReadDeadline(time.Now().Add(within))
	_, data, err := s.ReadMessage()
	if err != nil {
		return f, err
	}
	f.bytes = data
	return f, json.Unmarshal(data, &f)
}

// shows reads frames until one puts the text, and says which.
func (s *socket) shows(text string) frame {
	s.r.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		f, err := s.frame(time.Until(deadline))
		if err != nil {
			s.r.t.Fatalf("%q never comes: %v", text, err)
		}
		for _, op := range f.Ops {
			if strings.Contains(op.HTML, text) {
				return f
			}
		}
	}
}

// closed reads on until the socket is closed and says with which code; 0 if the line just broke.
func (s *socket) closed(within time.Duration) int {
	s.r.t.Helper()
	for deadline := time.Now().Add(within); ; {
		_, err := s.frame(time.Until(deadline))
		var closed *websocket.CloseError
		var slow net.Error
		switch {
		case errors.As(err, &closed):
			if closed.Code == websocket.CloseAbnormalClosure {
				return 0
			}
			return closed.Code
		case errors.As(err, &slow) && slow.Timeout():
			s.r.t.Fatal("the socket was not closed")
		case err != nil:
			return 0
		}
	}
}

// send writes raw bytes on the line, past everything that the library would refuse.
func (s *socket) send(parts ...[]byte) {
	_ = s.NetConn().SetWriteDeadline(time.Time{}) // the library leaves its own behind
	for _, part := range parts {
		if _, err := s.NetConn().Write(part); err != nil {
			return // it was closed meanwhile, which the test asks for
		}
	}
}

// wire makes a WebSocket frame of any sort. The mask is zero, so that the payload is as it is sent.
func wire(first byte, payload []byte) []byte {
	var out bytes.Buffer
	out.WriteByte(first)
	switch n := len(payload); {
	case n < 126:
		out.WriteByte(0x80 | byte(n))
	default:
		out.WriteByte(0x80 | 126)
		_ = binary.Write(&out, binary.BigEndian, uint16(n))
	}
	out.Write([]byte{0, 0, 0, 0})
	out.Write(payload)
	return out.Bytes()
}

// lateUntil reads until the text comes and says how late the latest frame was; an hour if it never comes.
func (s *socket) lateUntil(text string) (late time.Duration) {
	for deadline := time.Now().Add(patience); ; {
		f, err := s.frame(time.Until(deadline))
		if err != nil {
			return time.Hour
		}
		if len(f.Ops) > 0 {
			late = max(late, time.Since(time.UnixMilli(f.At)))
		}
		if bytes.Contains(f.bytes, []byte(text)) {
			return late
		}
	}
}

// reaches reads until the text comes, or the socket is closed, and is false if neither happens.
func (s *socket) reaches(text string) bool {
	for deadline := time.Now().Add(patience); ; {
		f, err := s.frame(time.Until(deadline))
		var slow net.Error
		if err != nil {
			return !errors.As(err, &slow) || !slow.Timeout()
		}
		if bytes.Contains(f.bytes, []byte(text)) {
			return true
		}
	}
}
