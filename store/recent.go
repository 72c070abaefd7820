package store

import (
	"errors"
	"sync"
	"time"

	"github.com/roomwatch/roomwatch/access"
)

const (
	recentFor = 5 * time.Minute
	maxRecent = 10_000
)

// recent is what was read lately, for while the place it was read from is away: whoever is in need not be
// thrown out because of that, and nobody new comes in by it.
type recent struct {
	mu    sync.Mutex
	known map[string]reading
}

type reading struct {
	what any
	at   time.Time
}

// recall reads something or, when that fails, is what was read lately. That there is nothing is an answer, too.
func recall[T any](r *recent, name string, read func() (T, error)) (T, error) {
	what, err := read()
	switch {
	case err == nil:
		r.keep(name, what)
		return what, nil
	case errors.Is(err, access.ErrUnknown):
		r.forget(name)
		return what, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if last, ok := r.known[name]; ok && time.Since(last.at) < recentFor {
		return last.what.(T), nil
	}
	return what, err
}

func (r *recent) keep(name string, what any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil || len(r.known) >= maxRecent {
		r.known = make(map[string]reading)
	}
	r.known[name] = reading{what, time.Now()}
}

func (r *recent) forget(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.known, name)
}
