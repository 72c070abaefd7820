// Package redistest runs real Redis servers for tests, on free ports of the loopback and in folders of
// their own, and stops them with the test. A test fails when redis-server is missing: it must not pass
// without what it is about.
package redistest

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// startTime bounds the start of a server.
const startTime = 20 * time.Second

// Server is a redis-server, which may be stopped and started again with what it has kept.
type Server struct {
	Port int
	t    testing.TB
	dir  string
	args []string
	cmd  *exec.Cmd
}

// Start starts a server that appends what it is told to a file. Settings are like "--maxmemory", "8mb".
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	return StartAt(t, FreePort(t), settings...)
}

// StartAt is Start on a port that is known before.
func StartAt(t testing.TB, port int, settings ...string) *Server {
	t.Helper()
	s := &Server{Port: port, t: t, dir: t.TempDir()}
	s.args = slices.Concat([]string{"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", s.dir, "--save", "",
		"--appendonly", "yes", "--maxmemory-policy", "noeviction", "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"}, settings)
	s.Run()
	t.Cleanup(s.Kill)
	return s
}

// Addr is host:port.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)) }

// URL is the server as a STORE setting.
func (s *Server) URL() string { return "redis://" + s.Addr() + "/0" }

// Run starts the server again, after Kill.
func (s *Server) Run() {
	s.t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		s.t.Fatalf("redis-server is needed, see scripts/install-tools: %v", err)
	}
	s.launch(program, s.args...)
}

func (s *Server) launch(program string, args ...string) {
	s.t.Helper()
	s.cmd = exec.Command(program, args...)
	s.cmd.SysProcAttr = endsWithUs()
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	for deadline := time.Now().Add(startTime); ; time.Sleep(5 * time.Millisecond) {
		if answer, err := s.Say("PING"); err == nil && strings.HasPrefix(answer, "+PONG") {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s does not answer", filepath.Base(program))
		}
	}
}

// Say sends one command, of words without spaces, and returns the answer: of a bulk its text, else its
// first line.
func (s *Server) Say(command string) (string, error) {
	line, err := net.DialTimeout("tcp", s.Addr(), time.Second)
	if err != nil {
		return "", err
	}
	defer line.Close()
	_ = line.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := fmt.Fprintf(line, "%s\r\n", command); err != nil {
		return "", err
	}
	answer := bufio.NewReader(line)
	first, err := answer.ReadString('\n')
	var size int
	if n, _ := fmt.Sscanf(first, "$%d", &size); n == 0 || err != nil || size < 0 {
		return first, err
	}
	text := make([]byte, size)
	_, err = io.ReadFull(answer, text)
	return string(text), err
}

// Must is Say of what must succeed.
func (s *Server) Must(command string) string {
	s.t.Helper()
	answer, err := s.Say(command)
	if err != nil || strings.HasPrefix(answer, "-") {
		s.t.Fatalf("%s: %q, %v", command, answer, err)
	}
	return strings.TrimSpace(answer)
}

// Kill ends the server as kill -9 does. What it holds is lost but for its file.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait() // it says that it was killed
	s.cmd = nil
}

// given are the ports that FreePort has handed out.
var given sync.Map

// FreePort is a port of the loopback that nobody listened on just now. It is none of those that the system
// gives to whoever asks for any, and is handed out once.
func FreePort(t testing.TB) int {
	t.Helper()
	for range 1000 {
		port := 10_000 + rand.IntN(20_000)
		if _, taken := given.LoadOrStore(port, true); taken {
			continue
		}
		if listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			_ = listener.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}
