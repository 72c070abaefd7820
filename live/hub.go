package live

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

const (
	// Tick is how long changes are gathered before they are sent: at most ten frames a second.
	Tick      = 100 * time.Millisecond
	slowTick  = 500 * time.Millisecond // of views with more than slowFrom matches
	slowFrom  = 1000
	listTick  = 500 * time.Millisecond // of lists, which are asked of the store
	viewLives = 60 * time.Second       // after its last reader, so that who reconnects can resume
	maxViews  = 200
	heartbeat = 15 * time.Second
	againTime = 5 * time.Second // after the store did not answer
)

var (
	// ErrTooManyViews: more different questions are watched than one process answers.
	ErrTooManyViews = errors.New("too many different views are open")
	// ErrClosing: the process shuts down; the viewer should come back.
	ErrClosing = errors.New("closing")
)

// Hub keeps the views that are watched, and tells their viewers when they changed.
type Hub struct {
	board  *Board
	lists  Lists
	html   Renderer
	limits room.Limits
	tick   time.Duration
	log    *slog.Logger
	rail   rail
	mask   Mask

	mu      sync.Mutex
	views   map[Question]*watched
	closing bool
}

// watched is a view with its viewers.
type watched struct {
	*view
	viewers map[*Viewer]struct{}
	idle    time.Time // since when it has no viewers
	stale   bool      // to be refreshed before it is shown: it is new, or something changed while nobody watched
	next    time.Time // not to be refreshed before
}

// NewHub makes a hub over a board and the lists of what the record holds. Limits are from when on pages
// mark something; tick is how long changes are gathered, usually Tick.
func NewHub(board *Board, lists Lists, html Renderer, limits room.Limits, tick time.Duration, log *slog.Logger) *Hub {
	return &Hub{board: board, lists: lists, html: html, limits: limits, tick: tick, log: log, views: make(map[Question]*watched)}
}

// MaskWith says what people are called where names are masked. Without it, no view with masked names opens.
// It is called before the hub is used.
func (h *Hub) MaskWith(mask Mask) { h.mask = mask }

// Page is a view as a page: the HTML of its root, and what a socket needs to go on from there.
type Page struct {
	Root  []byte
	Live  string
	Epoch string
	Seq   uint64
	At    time.Time
}

// Page renders the view. It stays for a minute, so that the socket that follows can go on from it. The
// error is ErrTooManyViews, ErrClosing, room.ErrBadCursor, or the store's.
func (h *Hub) Page(q Question) (Page, error) {
	w, err := h.open(q, nil)
	if err != nil {
		return Page{}, err
	}
	root, seq, err := w.page()
	if err != nil {
		return Page{}, err
	}
	return Page{Root: root, Live: q.Path(), Epoch: h.board.Epoch(), Seq: seq, At: time.Now()}, nil
}

// open finds or makes the view of a question, and lets a viewer in. The question is asked after the lock
// is given back: the record may take its time, and others watch other things.
func (h *Hub) open(q Question, viewer *Viewer) (*watched, error) {
	h.mu.Lock()
	w, err := h.find(q)
	if err != nil {
		h.mu.Unlock()
		return nil, err
	}
	if viewer != nil {
		viewer.view = w
		w.viewers[viewer] = struct{}{}
	}
	stale := w.stale
	w.stale, w.idle = false, time.Now()
	h.mu.Unlock()
	if !stale {
		return w, nil
	}
	changed, err := w.refresh()
	if err != nil {
		h.giveUp(q, w, viewer)
		return nil, err
	}
	if changed {
		h.wake(w) // somebody may have come in meanwhile
	}
	return w, nil
}

// find is the view of a question; one that is new, or was not watched when something changed, is stale.
func (h *Hub) find(q Question) (*watched, error) {
	if h.closing {
		return nil, ErrClosing
	}
	if w := h.views[q]; w != nil {
		return w, nil
	}
	if len(h.views) >= maxViews && !h.dropIdlest() {
		return nil, ErrTooManyViews
	}
	if q.For.Masked && h.mask == nil {
		return nil, ErrNoView
	}
	var r *roster
	if rooms, ok := q.List.(RoomQuery); ok {
		r = newRoster(rooms, q.For.Masked)
	}
	v := newView(h.html, func() (Model, uint64, error) { return h.ask(q, r) })
	h.views[q] = &watched{view: v, viewers: make(map[*Viewer]struct{}), stale: true}
	return h.views[q], nil
}

// giveUp leaves a view whose question could not be answered; the next to ask tries again.
func (h *Hub) giveUp(q Question, w *watched, viewer *Viewer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(w.viewers, viewer)
	w.stale = true
	if len(w.viewers) == 0 {
		delete(h.views, q)
	}
}

func (h *Hub) dropIdlest() bool {
	var idlest Question
	var since time.Time
	for q, w := range h.views {
		if len(w.viewers) == 0 && (since.IsZero() || w.idle.Before(since)) {
			idlest, since = q, w.idle
		}
	}
	delete(h.views, idlest)
	return !since.IsZero()
}

// Run refreshes the views when the board changes, until ctx ends.
func (h *Hub) Run(ctx context.Context) {
	var beating sync.WaitGroup
	beating.Go(func() { h.beats(ctx) })
	defer beating.Wait()
	sweep := time.NewTicker(viewLives / 4)
	defer sweep.Stop()
	again := time.NewTimer(time.Hour)
	defer again.Stop()
	pending := make(map[*watched]Question)
	var foot string
	for {
		select {
		case <-ctx.Done():
			return
		case <-sweep.C:
			h.sweep()
			continue
		case <-again.C:
		case <-h.board.bell:
			if h.unwatched() {
				break // what sessions show need not be derived
			}
			news := h.board.takeNews()
			now := h.board.footing()
			news.bars = news.bars || now != foot
			foot = now
			h.touched(news, pending)
		}
		again.Reset(h.refresh(pending))
		h.breathe(ctx)
	}
}

// breathe gathers changes for a tick: the first change after a pause is sent at once. Nobody wakes in time
// from less than a millisecond.
func (h *Hub) breathe(ctx context.Context) {
	if h.tick < time.Millisecond {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(h.tick):
	}
}

// unwatched says that there is no viewer, and notes that views are stale then.
func (h *Hub) unwatched() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, w := range h.views {
		if len(w.viewers) > 0 {
			return false
		}
	}
	for _, w := range h.views {
		w.stale = true
	}
	return true
}

// touched adds the views that the news is for. Nobody watches some of these: they are refreshed when
// somebody does.
func (h *Hub) touched(news news, pending map[*watched]Question) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for q, w := range h.views {
		if !news.concerns(q) {
			continue
		}
		if len(w.viewers) == 0 {
			w.stale = true
			continue
		}
		pending[w] = q
	}
}

// concerns says whether a view may show something else now.
func (n news) concerns(q Question) bool {
	switch {
	case n.bars:
		return true
	case q.Name == viewRoom:
		_, mine := n.sessions[q.Key]
		return mine
	case q.Name == viewOverview:
		return n.filed || len(n.sessions) > 0
	case q.Name == viewEmbedRoom:
		_, mine := n.rooms[roomKey{q.For.Frame, string(q.List.(Label))}]
		return mine
	case q.Name == viewEmbed:
		return len(n.sessions) > 0
	}
	return n.filed
}

// refresh refreshes the pending views that are due and says when to look again.
func (h *Hub) refresh(pending map[*watched]Question) time.Duration {
	now, wait := time.Now(), time.Hour
	for w, q := range pending {
		if due := w.next.Sub(now); due > 0 {
			wait = min(wait, due)
			continue
		}
		delete(pending, w)
		changed, err := w.view.refresh()
		if err != nil {
			h.log.Error("a view could not be brought up to date, trying again", "view", q.Name, "err", err)
			pending[w], w.next = q, now.Add(againTime)
			continue
		}
		if changed {
			h.wake(w)
		}
		w.next = now.Add(h.pause(w, q))
	}
	return wait
}

// pause is how long a view waits before it is refreshed again.
func (h *Hub) pause(w *watched, q Question) time.Duration {
	switch {
	case q.List != nil && q.Name != viewOverview && q.Name != viewEmbedRoom:
		return max(listTick, h.tick)
	case w.matches() > slowFrom:
		return max(slowTick, h.tick)
	}
	return 0
}

// sweep drops views that had no reader for a minute, and keeps the sessions of watched rooms in memory.
func (h *Hub) sweep() {
	var rooms []room.Key
	h.mu.Lock()
	for q, w := range h.views {
		switch {
		case len(w.viewers) > 0 && q.Name == viewRoom:
			rooms = append(rooms, q.Key)
		case len(w.viewers) == 0 && time.Since(w.idle) > viewLives:
			delete(h.views, q)
		}
	}
	h.mu.Unlock()
	for _, key := range rooms {
		h.board.holds(key)
	}
}

// Close sends every viewer away, spread over a while so that they do not all come back at once.
func (h *Hub) Close(spread time.Duration) {
	h.mu.Lock()
	h.closing = true
	h.mu.Unlock()
	viewers := h.everybody()
	for i, viewer := range viewers {
		viewer.line.End(ErrClosing)
		if i < len(viewers)-1 {
			time.Sleep(spread / time.Duration(len(viewers)))
		}
	}
}
