package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// ErrClock: our clock cannot be right, or was not. What goes by it and cannot be taken back waits.
var ErrClock = errors.New("the clock leapt, or differs from when the record was last written")

const (
	leapt   = 10 * time.Minute // between what our clock and the time that has passed say of a running process
	stopped = 24 * time.Hour   // a stop that is longer looks like a clock that is ahead
	steady  = 24 * time.Hour   // how long a clock must go evenly to be believed again
	seeing  = 5 * time.Minute  // how old what the record knows of our clock may be
)

const warnClock = "the clock leapt, or differs by more than a day from when the record was last written; nothing is removed until it has gone evenly for a day"

// wallClock finds out whether ours can be believed. A machine that starts a year ahead would have retention remove
// everything; one that is behind will leap ahead. The record knows when it was last written, and a running process how
// much time has passed.
type wallClock struct {
	wall func() time.Time     // without a monotonic reading
	up   func() time.Duration // since the process began; it never leaps

	mu      sync.Mutex
	last    time.Time     // by wall; zero: nothing is known
	lastUp  time.Duration // at that moment
	since   time.Time     // since when it goes evenly after a leap; zero: it is believed
	written time.Time     // what the record knows of last
	doubted atomic.Bool   // since is set
}

func newClock() *wallClock {
	began := time.Now()
	return &wallClock{wall: func() time.Time { return time.Now().Round(0) }, up: func() time.Duration { return time.Since(began) }}
}

// look compares the clock with what it should say. It returns by how much it is off, 0 when it goes evenly.
func (c *wallClock) look() (off time.Duration) {
	now, up := c.wall(), c.up()
	if !c.last.IsZero() {
		off = now.Sub(c.last) - (up - c.lastUp)
	}
	ahead := leapt
	if c.lastUp < 0 { // nobody knows how long nothing ran
		ahead = stopped
	}
	c.last, c.lastUp = now, up
	switch {
	case off > ahead || off < -leapt || c.since.After(now):
		c.since = now
	case !c.since.IsZero() && now.Sub(c.since) >= steady:
		c.since, off = time.Time{}, 0
	default:
		off = 0
	}
	c.doubted.Store(!c.since.IsZero())
	return off
}

// Steady is nil, or ErrClock when what is old must not be told by our clock: after a leap, or a start at another time
// than the record lets expect, until the clock has gone evenly for a day.
func (s *SQLite) Steady(ctx context.Context) error {
	c := s.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	doubted := c.doubted.Load()
	off := c.look()
	switch {
	case off != 0:
		s.log.Error("the clock leapt, or is wrong: nothing is removed until it has gone evenly for a day", "off", off.Round(time.Second), "now", c.last)
	case doubted && !c.doubted.Load():
		s.log.Info("the clock has gone evenly for a day, and is believed again", "now", c.last)
	}
	if off != 0 || doubted != c.doubted.Load() || c.last.Sub(c.written) > seeing {
		if err := s.noteClock(ctx); err != nil {
			return s.failed("note the clock", err)
		}
	}
	if c.doubted.Load() {
		return ErrClock
	}
	return nil
}

// noteClock keeps what is known of the clock for the next start.
func (s *SQLite) noteClock(ctx context.Context) error {
	c := s.clock
	var since int64
	if !c.since.IsZero() {
		since = c.since.UnixMilli()
	}
	err := s.write(ctx, func(tx *sql.Tx) error {
		put := s.in(tx)(putMark)
		if _, err := put.Exec("clock", c.last.UnixMilli()); err != nil {
			return err
		}
		_, err := put.Exec("clock doubted", since)
		return err
	})
	if err == nil {
		c.written = c.last
	}
	return err
}

// readClock takes over what the record knows: when it was last written, and whether the clock was doubted then.
func (s *SQLite) readClock(ctx context.Context) error {
	var noted, since, sampled, received room.Time
	err := s.writes.QueryRowContext(ctx, `SELECT coalesce((SELECT value FROM marks WHERE name = 'clock'), 0), coalesce((SELECT value FROM marks WHERE name = 'clock doubted'), 0),
		coalesce((SELECT max(at) FROM samples), 0), coalesce((SELECT max(received) FROM sources), 0)`).Scan(&noted, &since, &sampled, &received)
	if err != nil {
		return fmt.Errorf("read the clock: %w", err)
	}
	c := s.clock
	if noted == 0 { // by an earlier program
		noted = max(sampled, received)
	}
	if noted != 0 {
		c.last, c.lastUp = noted.Time(), -1
	}
	if since != 0 {
		c.since = since.Time()
		c.doubted.Store(true)
	}
	return nil
}
