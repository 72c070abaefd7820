package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// memory is what a process has resident now, in bytes.
func (p *process) memory(t *testing.T) (now int64) {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		_, _ = fmt.Sscanf(line, "VmRSS: %d kB", &now)
	}
	return now << 10
}

// attackers is how many connections a test may hold open, of those that a row asks for.
func attackers(t *testing.T, asked int) int {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	return min(asked, int(min(limit.Cur, 1<<20))-300)
}

// Row 44: 6,000 bodies of 64 kB that never end, without a token, from many addresses: to the webhook with their length
// and in chunks, and to the login.
func TestFault44BodiesWithoutATokenThatNeverEndCostLittleMemory(t *testing.T) {
	p := startProcess(t, t.TempDir(), "--auth=local")
	defer func() { _ = p.Process.Kill(); _ = p.Wait() }()
	addr := strings.TrimPrefix(p.url, "http://")
	part := strings.Repeat("x", 60<<10)
	requests := []string{
		"POST /webhook HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65536\r\n\r\n" + part,
		"POST /webhook HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n" + part,
		"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 65536\r\n\r\nname=" + part,
	}
	p.served(t, "before")
	before := p.memory(t)
	var senders sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	var next atomic.Int64
	for range 16 {
		senders.Go(func() {
			for n := next.Add(1); n <= int64(attackers(t, 6000)); n = next.Add(1) {
				dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 2, byte(n%25))}, Timeout: patience}
				conn, err := dialer.Dial("tcp", addr)
				if err != nil {
					continue // the system's own queue was full
				}
				_ = conn.SetWriteDeadline(time.Now().Add(patience))
				_, _ = io.WriteString(conn, requests[n%3]) // it may be refused at once
				mu.Lock()
				open = append(open, conn)
				mu.Unlock()
			}
		})
	}
	senders.Wait()
	p.served(t, "beside the bodies")
	grown := resident(t, p.Process.Pid) - before
	t.Logf("%d bodies cost %d MiB at the peak, %d MiB now", len(open), grown>>20, (p.memory(t)-before)>>20)
	if grown > 100<<20 {
		t.Errorf("%d bodies cost %d MiB at the peak", len(open), grown>>20)
	}
	for _, conn := range open {
		_ = conn.Close()
	}
	await(t, "the memory is given back", func() bool {
		p.served(t, "after the bodies") // what is in use is collected as the process works
		return p.memory(t)-before < 40<<20
	})
}
