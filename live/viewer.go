package live

import (
	"context"
	"time"
)

// Viewer is one socket that watches a view. It is one flag, not a queue: whatever happened meanwhile, the
// next frame leads from where the viewer is to the state shown then.
type Viewer struct {
	hub   *Hub
	view  *watched
	dirty chan struct{} // holds one token while there may be something to send
	calm  chan bool     // holds the last pause (true) or resume that was not taken yet
	bye   chan struct{} // closed when the process shuts down

	epoch  string
	seq    uint64
	reset  bool
	paused bool
	last   time.Time
}

// Watch makes a viewer of the question that goes on from state s of an epoch. A state that is not one of
// this process is answered with a reset.
func (h *Hub) Watch(q Question, epoch string, s uint64) (*Viewer, error) {
	v := &Viewer{hub: h, epoch: h.board.Epoch(), seq: s, reset: epoch != h.board.Epoch() || s > h.board.Seq(),
		dirty: make(chan struct{}, 1), calm: make(chan bool, 1), bye: make(chan struct{})}
	v.nudge()
	if _, err := h.open(q, v); err != nil {
		return nil, err
	}
	return v, nil
}

// Close ends the watching.
func (v *Viewer) Close() {
	v.hub.mu.Lock()
	defer v.hub.mu.Unlock()
	delete(v.view.viewers, v)
	v.view.idle = time.Now()
}

func (v *Viewer) nudge() {
	select {
	case v.dirty <- struct{}{}:
	default:
	}
}

// Pause stops changes (true) or lets them come again (false). Frames that only say that the socket is
// alive go on. Of a viewer that changes its mind faster than it is served, the last word counts. One
// goroutine calls it.
func (v *Viewer) Pause(paused bool) {
	select {
	case <-v.calm:
	default:
	}
	v.calm <- paused
}

// Next waits for the next frame: a change, or after a while an empty one. One goroutine calls it.
func (v *Viewer) Next(ctx context.Context) ([]byte, error) {
	beat := time.NewTimer(time.Until(v.last.Add(heartbeat)))
	if v.last.IsZero() {
		beat.Reset(heartbeat)
	}
	defer beat.Stop()
	for {
		dirty := v.dirty
		if v.paused {
			dirty = nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-v.bye:
			return nil, ErrClosing
		case v.paused = <-v.calm:
		case <-dirty:
			return v.frame()
		case <-beat.C:
			v.last = time.Now()
			return encode(frame{Epoch: v.epoch, Seq: v.seq, At: v.last.UnixMilli()})
		}
	}
}

func (v *Viewer) frame() ([]byte, error) {
	if now := v.hub.board.Epoch(); now != v.epoch {
		v.epoch, v.reset = now, true
	}
	data, seq, err := v.view.after(v.epoch, v.seq, v.reset)
	if err != nil {
		return nil, err
	}
	if v.seq = max(seq, v.seq); v.reset {
		v.seq, v.reset = seq, false
	}
	v.last = time.Now()
	return data, nil
}
