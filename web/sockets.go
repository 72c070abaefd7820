package web

import (
	"sync"
	"time"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/share"
)

// sockets counts the open ones, and waits for them when the process shuts down: the HTTP server does not.
type sockets struct {
	pool   *share.Pool
	mu     sync.Mutex
	open   int
	shut   chan struct{} // closed when no more are taken
	vacant chan struct{} // closed when, after that, the last one left
}

func newSockets(pool *share.Pool) *sockets {
	return &sockets{pool: pool, shut: make(chan struct{}), vacant: make(chan struct{})}
}

func (s *sockets) closed() bool {
	select {
	case <-s.shut:
		return true
	default:
		return false
	}
}

// enter counts one more, or says why there must not be one.
func (s *sockets) enter(who share.Holder) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed() {
		return live.ErrClosing
	}
	if err := s.pool.Take(who, 1); err != nil {
		return err
	}
	s.open++
	return nil
}

func (s *sockets) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

func (s *sockets) leave(who share.Holder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pool.Give(who, 1)
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
