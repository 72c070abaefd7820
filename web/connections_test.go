package web_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/web"
)

// wanting is a listener that fails so often before it takes a connection.
type wanting struct {
	net.Listener
	times atomic.Int32
	with  error
}

func (w *wanting) Accept() (net.Conn, error) {
	if w.times.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: w.with}
	}
	return w.Listener.Accept()
}

func TestFault41AcceptGoesOnAfterAPause(t *testing.T) {
	t.Parallel()
	for _, with := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ECONNABORTED, syscall.EPROTO} {
		w := &wanting{with: with}
		w.times.Store(3)
		r := startOn(t, func(l net.Listener) net.Listener { w.Listener = l; return w })
		if a := r.get("/livez"); a.StatusCode != http.StatusOK {
			t.Errorf("after %v: %d", with, a.StatusCode)
		}
		if line := r.metric("roomwatch_accept_failures_total"); line != "roomwatch_accept_failures_total 3" {
			t.Errorf("after %v: %q", with, line)
		}
		if a := r.get("/health"); a.StatusCode != http.StatusOK || !strings.Contains(a.body, "connections could not be accepted") {
			t.Errorf("after %v: %d %s", with, a.StatusCode, a.body)
		}
		if !strings.Contains(r.logged.String(), "raise the limit of open files") {
			t.Errorf("after %v: %s", with, r.logged)
		}
	}
}

// dialFrom opens a connection from an address of this machine.
func (r *rig) dialFrom(address string) net.Conn {
	r.t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}, Timeout: patience}
	conn, err := dialer.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// asks sends a request on a connection that stays open, and says what is answered, or that it is closed.
func asks(conn net.Conn, request string) (code int, err error) {
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, request); err != nil {
		return 0, err
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, err
}

const livez = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"

// 160 files leave room for 43 strangers and 43 known ones.
const fewFiles = 160

func TestFault41StrangersGoAndThoseWhoAreKnownStay(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin(), func(c *web.Config) { c.Files = fewFiles })
	cookie := r.loggedIn(r.user("ana", access.Viewer, ""), 0)
	ana, source := r.dialFrom("127.0.0.3"), r.dialFrom("127.0.0.3")
	page := "GET / HTTP/1.1\r\nHost: localhost\r\nCookie: " + cookie + "\r\n\r\n"
	delivery := func() string {
		body := event("room_created", "s1", "r1", "")
		return post("/webhook", "Authorization: "+sign(t, body)+"\r\n"+contentLength(len(body)), body)
	}
	for name, at := range map[string]struct {
		net.Conn
		request string
	}{"ana": {ana, page}, "a source": {source, delivery()}} {
		if code, err := asks(at.Conn, at.request); code != http.StatusOK {
			t.Fatalf("%s: %d %v", name, code, err)
		}
	}
	first := r.dialFrom("127.0.0.3")
	for n := range 300 {
		r.dialFrom(fmt.Sprint("127.0.0.", 4+n%100))
	}
	if code, err := asks(first, livez); err == nil {
		t.Errorf("the first stranger of three hundred is answered %d", code)
	}
	if code, err := asks(ana, page); code != http.StatusOK {
		t.Errorf("ana has to go for strangers: %d %v", code, err)
	}
	if code, err := asks(source, delivery()); code != http.StatusOK {
		t.Errorf("a source has to go for strangers: %d %v", code, err)
	}
	if code, err := asks(r.dialFrom("127.0.0.3"), delivery()); code != http.StatusOK {
		t.Errorf("a delivery beside three hundred strangers: %d %v", code, err)
	}
}

func TestFault41AnAddressTakesNobodyElsesRoom(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin(), func(c *web.Config) { c.Files = fewFiles })
	other := r.dialFrom("127.0.0.3")
	var many []net.Conn
	for range 12 {
		many = append(many, r.dialFrom("127.0.0.4"))
	}
	r.await("the oldest of one address goes when others come", func() bool {
		many = append(many, r.dialFrom("127.0.0.4"))
		_ = many[0].SetReadDeadline(time.Now().Add(time.Millisecond))
		_, err := many[0].Read(make([]byte, 1))
		return err == io.EOF
	})
	if code, err := asks(other, livez); code != http.StatusOK {
		t.Errorf("one of another address, that came before: %d %v", code, err)
	}
}

func TestFault41ConnectionsOfATrustedProxyAreManyPeoples(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin(func(a *web.Auth) { a.Proxies = access.Proxies{netip.MustParsePrefix("127.0.0.9/32")} }), func(c *web.Config) { c.Files = fewFiles })
	var through []net.Conn
	for range 30 { // an address of strangers has ten
		through = append(through, r.dialFrom("127.0.0.9"))
	}
	for range 300 {
		r.dialFrom("127.0.0.4")
	}
	for n, conn := range through {
		if code, err := asks(conn, livez); code != http.StatusOK {
			t.Errorf("connection %d of the proxy: %d %v", n, code, err)
		}
	}
}

func TestFault44TheTokenIsLookedAtBeforeTheBodyIsRead(t *testing.T) {
	t.Parallel()
	r := start(t)
	for name, headers := range map[string]string{
		"no token, 64 kB":     contentLength(64 << 10),
		"no token, few bytes": contentLength(300),
		"a join token's kind": "Authorization: eyJhbGciOiJIUzI1NiJ9.e30.AA\r\n" + contentLength(300),
		"no token, in chunks": "Transfer-Encoding: chunked\r\n",
		"a login of a proxy":  "Authorization: Basic YTpi\r\n" + contentLength(300),
	} {
		got, bodies, err := r.raw(1, post("/webhook", headers, "")) // and not one byte of the body ever comes
		if len(got) != 1 || got[0].StatusCode != http.StatusUnauthorized || bodies[0] != fixedAnswer {
			t.Errorf("%s: %v %v %v", name, got, bodies, err)
		}
	}
	r.await("a note of each", func() bool { return len(r.deliveries("verdict=unauthentic")) == 5 })
}

func TestFault44AFormThatDoesNotComeWholeIsNoForm(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin(), readTime(time.Second))
	got, _, err := r.raw(1, post("/login", "Content-Type: application/x-www-form-urlencoded\r\n"+contentLength(60<<10), "name=ana&password="+strings.Repeat("x", 20<<10)))
	if len(got) != 1 || got[0].StatusCode != http.StatusRequestTimeout {
		t.Errorf("%v %v", got, err)
	}
	if acts := r.did(); len(acts) != 0 {
		t.Errorf("it counts as an attempt: %v", acts)
	}
}

func TestFault44BodiesOfStrangersAreBoundedByAddress(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin(), func(c *web.Config) { c.Files = 5000 })
	form := post("/login", "Content-Type: application/x-www-form-urlencoded\r\n"+contentLength(60<<10), "name=ana&password="+strings.Repeat("x", 20<<10))
	for range 9 {
		if _, err := io.WriteString(r.dialFrom("127.0.0.4"), form); err != nil {
			t.Fatal(err)
		}
	}
	r.await("another one of that address is refused", func() bool {
		conn := r.dialFrom("127.0.0.4")
		defer conn.Close()
		_, _ = io.WriteString(conn, form)
		_ = conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		return err == nil && answer.StatusCode == http.StatusServiceUnavailable && answer.Header.Get("Retry-After") != ""
	})
	whole := post("/login", "Content-Type: application/x-www-form-urlencoded\r\n"+contentLength(20<<10), "name=ana&password="+strings.Repeat("x", 20<<10-len("name=ana&password=")))
	if code, err := asks(r.dialFrom("127.0.0.5"), whole); code != http.StatusUnauthorized {
		t.Errorf("of another address: %d %v", code, err)
	}
}
