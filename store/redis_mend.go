package store

import (
	"context"
	"sync"
	"time"
)

// What the log has lost is put back by whoever knows it: the replicas that have read it, and the one that
// has taken it and not read it yet.

type idKey struct{ source, id string }

const (
	heldFor = 10 * time.Second // how long an entry that was answered for is held at most: by then all have read it
	maxHeld = 20_000
)

// held are entries that this replica has put into the log, and has not read from it yet.
type held struct {
	mu      sync.Mutex
	entries map[idKey]heldEntry
}

type heldEntry struct {
	logged
	since time.Time
}

func (h *held) hold(batch []*sending) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	for _, p := range batch {
		if p.Position != "" && len(h.entries) < maxHeld {
			h.entries[idKey{p.Source, p.ID}] = heldEntry{p.logged, now}
		}
	}
}

func (h *held) release(batch []logged) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range batch {
		delete(h.entries, idKey{e.Source, e.ID})
	}
}

// sweep lets go of what was read before it was held.
func (h *held) sweep(old time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for key, e := range h.entries {
		if e.since.Before(old) {
			delete(h.entries, key)
		}
	}
}

func (h *held) all() (entries []logged) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.entries {
		entries = append(entries, e.logged)
	}
	return entries
}

// mend puts back what is known here from a position on and not in the log, say with a master that died
// before its replica had it. Every replica does so; the script takes each entry once.
func (r *Redis) mend(ctx context.Context, from int64, there map[idKey]bool) error {
	missing := func(batch []logged) error {
		var sends []*sending
		for _, e := range batch {
			if !there[idKey{e.Source, e.ID}] {
				sends = append(sends, &sending{logged: e})
			}
		}
		if len(sends) == 0 {
			return nil
		}
		r.log.Warn("entries that are known here are not in the log: they are put back", "entries", len(sends))
		return r.send(ctx, sends)
	}
	if err := r.kept(ctx, from, missing); err != nil {
		return err
	}
	return missing(r.held.all())
}
