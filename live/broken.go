package live

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"
)

// ErrBroken: the program panicked when it asked for a view or rendered it.
var ErrBroken = errors.New("the view cannot be shown")

// broken is a panic in a view. Its text names nobody: of a value that somebody made, only the type is told.
type broken struct {
	what  string
	stack []byte
}

func brokenBy(p any) error {
	what := fmt.Sprintf("a value of type %T", p)
	if err, ok := p.(runtime.Error); ok {
		what = err.Error()
	}
	return &broken{what, debug.Stack()}
}

func (b *broken) Error() string { return ErrBroken.Error() + ": panic: " + b.what }
func (b *broken) Unwrap() error { return ErrBroken }

// stackEvery is how often at most a stack is written to the log: whoever looks at a broken view makes it panic again.
const stackEvery = time.Minute

// noteBroken counts a panic in a view and writes it to the log, if it was one.
func (h *Hub) noteBroken(q Question, err error) {
	var why *broken
	if !errors.As(err, &why) {
		return
	}
	h.mu.Lock()
	h.panics++
	due := time.Since(h.stackAt) >= stackEvery
	if due {
		h.stackAt = time.Now()
	}
	h.mu.Unlock()
	if due {
		h.log.Error("a view panicked; others go on", "view", q.Name, "panic", why.what, "stack", string(why.stack))
	}
}

// Panics is how often asking for a view, or rendering it, panicked.
func (h *Hub) Panics() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.panics
}

// sendAway tells the viewers of a view that it is broken. Whoever comes again asks anew.
func (h *Hub) sendAway(w *watched) {
	h.mu.Lock()
	w.stale = true
	viewers := make([]*Viewer, 0, len(w.viewers))
	for v := range w.viewers {
		viewers = append(viewers, v)
	}
	h.mu.Unlock()
	for _, v := range viewers {
		v.line.End(ErrBroken)
	}
}
