package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"golang.org/x/sys/unix"
)

// lines is what a process writes.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// startLimited is a serve that may have so many files open.
func startLimited(t *testing.T, files int, log io.Writer) *process {
	t.Helper()
	cmd := command(t, t.TempDir(), serveArgs()...)
	cmd.Stderr = log
	cmd.Args = append([]string{"sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, files), cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
	p := started(t, cmd)
	t.Cleanup(func() { _ = p.Process.Kill(); _ = p.Wait() })
	return p
}

// files is how many the process has open.
func (p *process) files(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.Process.Pid))
	if err != nil {
		t.Fatalf("the process is gone: %v", err)
	}
	return len(open)
}

// silent opens so many connections that say nothing, each from the address that is asked for.
func silent(t *testing.T, p *process, from func(n int) string, times int) []net.Conn {
	t.Helper()
	var open []net.Conn
	for n := range times {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from(n))}, Timeout: patience}
		conn, err := dialer.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		if err != nil {
			t.Fatalf("connection %d: %v", n, err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		open = append(open, conn)
	}
	return open
}

// closed says whether the other end has closed the connection.
func closed(conn net.Conn) bool {
	_ = conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := conn.Read(make([]byte, 1))
	var slow net.Error
	return err != nil && !(errors.As(err, &slow) && slow.Timeout())
}

// served holds that deliveries and probes are answered as ever, each on a connection of its own.
func (p *process) served(t *testing.T, when string) {
	t.Helper()
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for n := range 20 {
		if !post(client, p.url, fmt.Appendf(nil, `{"event":"room_created","room":{"sid":"s%d","room_id":"r"},"id":"%s %d","created_at":"1795311099"}`, n, when, n)) {
			t.Fatalf("%s: delivery %d is not taken", when, n)
		}
		for _, path := range []string{"/health", "/readyz", "/livez"} {
			answer, err := client.Get(p.url + path)
			if err != nil {
				t.Fatalf("%s: %s: %v", when, path, err)
			}
			_ = answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				t.Errorf("%s: %s: %d", when, path, answer.StatusCode)
			}
		}
	}
}

// metric is a figure of the process.
func (p *process) metric(t *testing.T, name string) (value float64) {
	t.Helper()
	answer, err := http.Get(p.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if _, err := fmt.Sscanf(line, name+" %g", &value); err == nil {
			return value
		}
	}
	t.Fatalf("there is no figure %s", name)
	return 0
}

// Row 41: 700 connections that say nothing, where 512 files may be open. The oldest of them go; deliveries and
// probes are answered all the while.
func TestFault41SilentConnectionsTakeNobodysDescriptors(t *testing.T) {
	for name, from := range map[string]func(int) string{
		"of one address":       func(int) string { return "127.0.0.1" },
		"of several addresses": func(n int) string { return fmt.Sprint("127.0.1.", 1+n%20) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := startLimited(t, 512, nil)
			atRest := p.files(t)
			open := silent(t, p, from, 700)
			p.served(t, "beside 700 silent ones")
			if files := p.files(t); files > 480 {
				t.Errorf("%d files are open", files)
			}
			if !closed(open[0]) || closed(open[len(open)-1]) {
				t.Error("the oldest is not the one that had to go")
			}
			if n := p.metric(t, "roomwatch_connections_closed_for_room_total"); n < 350 {
				t.Errorf("%g had to go", n)
			}
			for _, conn := range open {
				_ = conn.Close()
			}
			await(t, "as many files as before", func() bool { return p.files(t) <= atRest+10 })
			p.served(t, "after them")
		})
	}
}

// Row 41: as many sockets as there may be leave the descriptors that deliveries need, and strangers beside them
// close no socket.
func TestFault41SocketsLeaveAReserveForDeliveries(t *testing.T) {
	p := startLimited(t, 512, nil)
	dialer := websocket.Dialer{HandshakeTimeout: 20 * time.Second}
	var sockets []*websocket.Conn
	for range 500 {
		conn, answer, err := dialer.Dial(strings.Replace(p.url, "http", "ws", 1)+"/live?view=overview", http.Header{"Origin": {p.url}})
		if err != nil {
			if answer == nil || answer.StatusCode != http.StatusServiceUnavailable {
				t.Fatalf("after %d sockets: %v %v", len(sockets), answer, err)
			}
			continue
		}
		defer conn.Close()
		sockets = append(sockets, conn)
	}
	if len(sockets) < 150 || len(sockets) > 400 {
		t.Fatalf("%d sockets are open", len(sockets))
	}
	p.served(t, "beside all sockets")
	open := silent(t, p, func(int) string { return "127.0.0.1" }, 300)
	p.served(t, "beside all sockets and 300 silent ones")
	for n, socket := range sockets {
		if closed(socket.NetConn()) && n > 0 { // what is read here is a frame
			t.Fatalf("socket %d is closed", n)
		}
	}
	for _, conn := range open {
		_ = conn.Close()
	}
}

// Row 41: the descriptors are wanting all the same, since they are taken by something else. Serve waits and goes on.
func TestFault41ServeOutlivesAWantOfDescriptors(t *testing.T) {
	log := &lines{}
	p := startLimited(t, 512, log)
	set := func(files uint64) {
		t.Helper()
		if err := unix.Prlimit(p.Process.Pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: files, Max: 512}, nil); err != nil {
			t.Fatal(err)
		}
	}
	p.served(t, "at first")                                             // it has begun: nothing changes the limit any more
	set(3)                                                              // what is open may stay; nothing more can be opened
	waiting := silent(t, p, func(int) string { return "127.0.0.1" }, 5) // the system takes them in
	await(t, "accept fails, and the log says so", func() bool { return strings.Contains(log.String(), "raise the limit of open files") })
	set(512)
	await(t, "a delivery is taken again", func() bool { // the store may have met the want, too: it tries every second
		return post(http.DefaultClient, p.url, []byte(`{"event":"room_created","room":{"sid":"s","room_id":"r"},"id":"first","created_at":"1795311099"}`))
	})
	p.served(t, "when there are descriptors again")
	for _, conn := range waiting {
		_ = conn.Close()
	}
	if n := p.metric(t, "roomwatch_accept_failures_total"); n < 1 {
		t.Errorf("accept failed %g times: the test did not do what it means to", n)
	}
}
