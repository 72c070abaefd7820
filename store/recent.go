package store

import (
	"errors"
	"sync"
	"time"

	"github.com/roomwatch/roomwatch/access"
)

// Of what ends somebody's access others must hear within two seconds: nothing that was read before counts for longer.
const (
	recentFor = 2 * time.Second
	maxRecent = 10_000
)

// recent is what was read just now, for a moment in which the place it was read from is away. What was ended here is
// over at once, whether that place has heard of it or not.
type recent struct {
	mu    sync.Mutex
	round int // grows when what is being read may be changed meanwhile
	known map[string]reading
	ended map[string]struct{}
}

type reading struct {
	what any
	at   time.Time
}

// recall reads something or, when that fails, is what was read just now. That there is nothing is an answer, too.
func recall[T any](r *recent, name string, read func() (T, error)) (T, error) {
	round, over := r.begin(name)
	if over {
		var none T
		return none, access.ErrUnknown
	}
	what, err := read()
	switch {
	case err == nil:
		r.keep(name, what, round)
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

func (r *recent) begin(name string) (round int, over bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, over = r.ended[name]
	return r.round, over
}

func (r *recent) keep(name string, what any, round int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if round != r.round {
		return // it may have been read before it was changed
	}
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

// forgetAll is before and after a change: what was read before it counts no more.
func (r *recent) forgetAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.round++
	clear(r.known)
}

// end says that something is over for good.
func (r *recent) end(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.round++
	delete(r.known, name)
	if r.ended == nil || len(r.ended) >= maxRecent {
		r.ended = make(map[string]struct{})
	}
	r.ended[name] = struct{}{}
}
