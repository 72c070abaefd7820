package web

import (
	"errors"
	"sync"
	"time"

	"github.com/roomwatch/roomwatch/live"
)

// How many sockets may be open: in a process, and where there is a login, of one user or token, and from one
// address. Behind a proxy that is not among the trusted ones, everybody has its address.
const (
	maxSockets = 20_000
	maxOfOne   = 200
	maxFrom    = 2_000
)

var errFull = errors.New("too many sockets are open")

// sockets counts the open ones, and waits for them when the process shuts down: the HTTP server does not.
type sockets struct {
	mu     sync.Mutex
	open   int
	of     map[string]int // by whoever opened them, and by address
	shut   chan struct{}  // closed when no more are taken
	vacant chan struct{}  // closed when, after that, the last one left
}

func newSockets() *sockets {
	return &sockets{of: make(map[string]int), shut: make(chan struct{}), vacant: make(chan struct{})}
}

func (s *sockets) closed() bool {
	select {
	case <-s.shut:
		return true
	default:
		return false
	}
}

// share is what sockets have in common, and how many of them there may be.
type share struct {
	name string
	most int
}

// enter counts one more, or says why there must not be one.
func (s *sockets) enter(shares []share) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed():
		return live.ErrClosing
	case s.open >= maxSockets:
		return errFull
	}
	for _, share := range shares {
		if s.of[share.name] >= share.most {
			return errFull
		}
	}
	for _, share := range shares {
		s.of[share.name]++
	}
	s.open++
	return nil
}

func (s *sockets) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

func (s *sockets) leave(shares []share) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, share := range shares {
		if s.of[share.name]--; s.of[share.name] == 0 {
			delete(s.of, share.name)
		}
	}
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
