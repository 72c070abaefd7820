package web

import (
	"sync"
	"time"
)

// maxSockets bounds the open sockets of a process.
const maxSockets = 20_000

// sockets counts the open ones, and waits for them when the process shuts down: the HTTP server does not.
type sockets struct {
	mu     sync.Mutex
	open   int
	shut   chan struct{} // closed when no more are taken
	vacant chan struct{} // closed when, after that, the last one left
}

func newSockets() *sockets {
	return &sockets{shut: make(chan struct{}), vacant: make(chan struct{})}
}

func (s *sockets) closed() bool {
	select {
	case <-s.shut:
		return true
	default:
		return false
	}
}

func (s *sockets) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed() || s.open >= maxSockets {
		return false
	}
	s.open++
	return true
}

func (s *sockets) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

func (s *sockets) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open--; s.open == 0 && s.closed() {
		close(s.vacant)
	}
}

// close takes no more sockets. It is called once.
func (s *sockets) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if close(s.shut); s.open == 0 {
		close(s.vacant)
	}
}

// wait returns when the last socket left, or after a while.
func (s *sockets) wait(most time.Duration) {
	select {
	case <-s.vacant:
	case <-time.After(most):
	}
}
