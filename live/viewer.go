package live

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/roomwatch/roomwatch/share"
)

// Line is the way to one viewer. It is an interface because live must not know sockets. Neither method waits.
type Line interface {
	// Send hands a frame over. It is false while the one before is still on its way: the line then calls the
	// viewer's Free when that has gone.
	Send(v *Viewer, f *Frame, now time.Time) bool
	// End sends the viewer away: ErrClosing, or that its view cannot be shown.
	End(err error)
}

// Viewer is one socket that watches a view. It is one flag, not a queue: whatever happened meanwhile, the
// next frame leads from where the viewer is to the state shown then.
type Viewer struct {
	hub  *Hub
	view *watched
	line Line
	who  share.Holder

	mu     sync.Mutex
	epoch  string
	seq    uint64
	last   time.Time // when something was sent
	dirty  bool      // there may be something to send
	reset  bool
	paused bool
	closed bool
}

// Watch makes a viewer of the question that goes on from state s of an epoch, and sends it what has changed
// since. A state that is not one of this process is answered with a reset. The error is ErrOwnViews, ErrTooManyViews, or
// one of Page's.
func (h *Hub) Watch(q Question, who share.Holder, epoch string, s uint64, line Line) (*Viewer, error) {
	now := h.board.Epoch()
	v := &Viewer{hub: h, line: line, who: who, epoch: now, seq: s, reset: epoch != now || s > h.board.Seq()}
	if _, err := h.open(q, who, v); err != nil {
		return nil, err
	}
	v.nudge(time.Now())
	return v, nil
}

// Close ends the watching: nothing is sent over the line any more.
func (v *Viewer) Close() {
	v.hub.mu.Lock()
	v.hub.leave(v.view, v)
	v.hub.mu.Unlock()
	v.mu.Lock()
	v.closed = true
	v.mu.Unlock()
}

// nudge sends what there may be.
func (v *Viewer) nudge(now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.dirty = true
	v.send(now)
}

// Free says that the line takes the next frame.
func (v *Viewer) Free() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.send(time.Now())
}

// Pause stops changes (true) or lets them come again (false). Frames that only say that the socket is
// alive go on.
func (v *Viewer) Pause(paused bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.paused = paused
	v.send(time.Now())
}

// send sends a frame if there may be something to say, and the line takes it now.
func (v *Viewer) send(now time.Time) {
	if !v.dirty || v.paused || v.closed {
		return
	}
	if epoch := v.hub.board.Epoch(); epoch != v.epoch {
		v.epoch, v.reset = epoch, true
	}
	f, seq := v.view.after(v.epoch, v.seq, v.reset)
	if f == nil {
		return // whoever asks what there is to show sends it
	}
	if known := !v.reset && seq <= v.seq && !v.last.IsZero(); known {
		v.dirty = false
		return
	}
	if !v.line.Send(v, f, now) {
		return
	}
	if v.seq = max(seq, v.seq); v.reset {
		v.seq, v.reset = seq, false
	}
	v.dirty, v.last = false, now
}

// beat tells a viewer who has heard nothing for long that the socket is alive.
func (v *Viewer) beat(now time.Time, empty func(epoch string, seq uint64) *Frame) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed || v.last.IsZero() || now.Sub(v.last) < heartbeat-beatEvery {
		return
	}
	if v.line.Send(v, empty(v.epoch, v.seq), now) {
		v.last = now
	}
}

// beatEvery is how often it is looked who has heard nothing for long.
const beatEvery = time.Second

// beats looks until ctx ends.
func (h *Hub) beats(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			type state struct {
				epoch string
				seq   uint64
			}
			made := make(map[state]*Frame) // many are at the same
			empty := func(epoch string, seq uint64) *Frame {
				f := made[state{epoch, seq}]
				if f == nil {
					f = &Frame{Text: encode(frame{Epoch: epoch, Seq: seq, At: now.UnixMilli()})}
					made[state{epoch, seq}] = f
				}
				return f
			}
			for _, v := range h.everybody() {
				v.beat(now, empty)
			}
		}
	}
}

// everybody is all viewers, of whatever view.
func (h *Hub) everybody() (viewers []*Viewer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, w := range h.views {
		for v := range w.viewers {
			viewers = append(viewers, v)
		}
	}
	return viewers
}

// manyViewers are sent to by as many goroutines as there are processors.
const manyViewers = 1024

// wake sends the viewers of a view what has changed.
func (h *Hub) wake(w *watched) {
	h.mu.Lock()
	viewers := make([]*Viewer, 0, len(w.viewers))
	for v := range w.viewers {
		viewers = append(viewers, v)
	}
	h.mu.Unlock()
	share := len(viewers)
	if share >= manyViewers {
		share = (share + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0)
	}
	var sending sync.WaitGroup
	for from := share; from < len(viewers); from += share {
		part := viewers[from:min(from+share, len(viewers))]
		sending.Go(func() { nudge(part) })
	}
	nudge(viewers[:share])
	sending.Wait()
}

func nudge(viewers []*Viewer) {
	now := time.Now()
	for _, v := range viewers {
		v.nudge(now)
	}
}
