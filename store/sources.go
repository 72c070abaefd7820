package store

import (
	"context"
	"database/sql"
	"maps"
	"sync"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

const putSource = `INSERT INTO sources (source, greatest, received) VALUES (?, ?, ?)
	ON CONFLICT (source) DO UPDATE SET greatest = excluded.greatest, received = excluded.received`

// clock is how far a source has come.
type clock struct {
	greatest room.Time // the greatest created_at, each no later than its receipt
	received room.Time // when the record last took something
}

// sources are the clocks of all sources, as committed. Roomwatch's own entries do not move them: a
// source did not send those, and they follow another clock.
type sources struct {
	mu     sync.Mutex
	clocks map[string]clock
}

func (s *sources) load(ctx context.Context, db *sql.DB) error {
	s.clocks = make(map[string]clock)
	rows, err := db.QueryContext(ctx, "SELECT source, greatest, received FROM sources")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var c clock
		if err := rows.Scan(&name, &c.greatest, &c.received); err != nil {
			return err
		}
		s.clocks[name] = c
	}
	return rows.Err()
}

// heard is what a transaction adds to the clocks; it counts when the transaction is committed.
type heard struct{ before, now map[string]clock }

// listen: only the writer changes the clocks, and only it listens.
func (s *sources) listen() *heard { return &heard{before: s.clocks, now: make(map[string]clock)} }

func (s *sources) keep(h *heard) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(s.clocks, h.now)
}

func (h *heard) clock(source string) clock {
	if c, ok := h.now[source]; ok {
		return c
	}
	return h.before[source]
}

func own(d room.Delivery) bool { return d.Said.Kind >= room.KindListed }

// judge is the verdict of a delivery, seen from what its source had said before.
func (h *heard) judge(d room.Delivery) room.Verdict {
	late := d.Said.At < h.clock(d.Source).greatest-room.Time(room.LateAfter.Milliseconds())
	if d.Verdict == room.Accepted && late && !own(d) {
		return room.Late
	}
	return d.Verdict
}

func (h *heard) note(d room.Delivery) {
	if own(d) {
		return
	}
	c, received := h.clock(d.Source), room.At(d.ReceivedAt)
	h.now[d.Source] = clock{max(c.greatest, min(d.Said.At, received)), max(c.received, received)}
}

func (h *heard) save(put *sql.Stmt) error {
	for name, c := range h.now {
		if _, err := put.Exec(name, int64(c.greatest), int64(c.received)); err != nil {
			return err
		}
	}
	return nil
}

// LastReceived is when the record last took something from each source; Roomwatch's own entries do not count.
func (s *SQLite) LastReceived(context.Context) (map[string]time.Time, error) {
	s.sources.mu.Lock()
	defer s.sources.mu.Unlock()
	last := make(map[string]time.Time, len(s.sources.clocks))
	for name, c := range s.sources.clocks {
		last[name] = c.received.Time()
	}
	return last, nil
}
