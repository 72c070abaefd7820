package live

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

const (
	// Tick is how long changes are gathered before they are sent: at most ten frames a second.
	Tick      = 100 * time.Millisecond
	slowTick  = 500 * time.Millisecond // of views with more than slowFrom matches
	slowFrom  = 1000
	viewLives = 60 * time.Second // after its last reader, so that who reconnects can resume
	maxViews  = 200
	heartbeat = 15 * time.Second
)

var (
	// ErrTooManyViews: more different questions are watched than one process answers.
	ErrTooManyViews = errors.New("too many different views are open")
	// ErrNoView: the text names no view.
	ErrNoView = errors.New("no such view")
	// ErrClosing: the process shuts down; the viewer should come back.
	ErrClosing = errors.New("closing")
)

// Question is what a view answers. Equal questions share one view.
type Question struct {
	Name string   // overview or room
	Key  room.Key // of a room; the source may be empty until the session is found
	Text string   // the filter of the overview
}

// maxText bounds a filter text, in bytes.
const maxText = 200

// ParseQuestion reads the view parameter of a live path and the page's filters beside it.
func ParseQuestion(name, text string) (Question, error) {
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "")
	}
	if name == "overview" {
		return Question{Name: "overview", Text: strings.TrimSpace(text)}, nil
	}
	if sid, ok := strings.CutPrefix(name, "room:"); ok && sid != "" && len(sid) <= 256 {
		return Question{Name: "room", Key: room.Key{SID: sid}}, nil
	}
	return Question{}, ErrNoView
}

// Path is where the question is asked over a socket.
func (q Question) Path() string {
	v := url.Values{"view": {q.Name}}
	if q.Name == "room" {
		v.Set("view", "room:"+q.Key.SID)
	}
	if q.Text != "" {
		v.Set("q", q.Text)
	}
	if q.Key.Source != "" && q.Key.Source != "default" {
		v.Set("source", q.Key.Source)
	}
	return "/live?" + v.Encode()
}

// Hub keeps the views that are watched, and tells their viewers when they changed.
type Hub struct {
	board *Board
	html  Renderer
	tick  time.Duration

	mu      sync.Mutex
	views   map[Question]*watched
	closing bool
}

// watched is a view with its viewers.
type watched struct {
	*view
	viewers map[*Viewer]struct{}
	idle    time.Time // since when it has no viewers
	stale   bool      // changed while nobody watched
	next    time.Time // not to be refreshed before
}

// NewHub makes a hub over a board. Tick is how long changes are gathered, usually Tick.
func NewHub(board *Board, html Renderer, tick time.Duration) *Hub {
	return &Hub{board: board, html: html, tick: tick, views: make(map[Question]*watched)}
}

// Page is a view as a page: the HTML of its root, and what a socket needs to go on from there.
type Page struct {
	Root  []byte
	Live  string
	Epoch string
	Seq   uint64
	At    time.Time
}

// Page renders the view. It stays for a minute, so that the socket that follows can go on from it.
func (h *Hub) Page(q Question) (Page, error) {
	h.mu.Lock()
	w, err := h.open(q)
	h.mu.Unlock()
	if err != nil {
		return Page{}, err
	}
	root, seq := w.page()
	return Page{Root: root, Live: q.Path(), Epoch: h.board.epoch, Seq: seq, At: time.Now()}, nil
}

// open finds or makes the view of a question.
func (h *Hub) open(q Question) (*watched, error) {
	if h.closing {
		return nil, ErrClosing
	}
	w := h.views[q]
	switch {
	case w == nil:
		if len(h.views) >= maxViews && !h.dropIdlest() {
			return nil, ErrTooManyViews
		}
		w = &watched{view: newView(h.html, h.asker(q)), viewers: make(map[*Viewer]struct{})}
		h.views[q] = w
	case w.stale:
		w.stale = false
		w.refresh()
	}
	w.idle = time.Now()
	return w, nil
}

func (h *Hub) asker(q Question) func() (Model, uint64) {
	if q.Name == "room" {
		return func() (Model, uint64) {
			r, seq := h.board.room(q.Key)
			return r, seq
		}
	}
	return func() (Model, uint64) {
		o, seq := h.board.overview(q.Text)
		return o, seq
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
	sweep := time.NewTicker(viewLives / 4)
	defer sweep.Stop()
	again := time.NewTimer(time.Hour)
	defer again.Stop()
	pending := make(map[*watched]Question)
	var heard string
	for {
		select {
		case <-ctx.Done():
			return
		case <-sweep.C:
			h.sweep()
			continue
		case <-again.C:
		case <-h.board.news:
			foot := h.board.footing()
			h.touched(h.board.takeChanged(), foot != heard, pending)
			heard = foot
		}
		again.Reset(h.refresh(pending))
		h.breathe(ctx)
	}
}

// breathe gathers changes for a tick: the first change after a pause is sent at once.
func (h *Hub) breathe(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(h.tick):
	}
}

// touched adds the views that the changed sessions are part of. Nobody watches some of these: they are
// refreshed when somebody does.
func (h *Hub) touched(changed map[room.Key]struct{}, foot bool, pending map[*watched]Question) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for q, w := range h.views {
		_, mine := changed[q.Key]
		if !foot && !mine && (q.Name == "room" || len(changed) == 0) {
			continue
		}
		if len(w.viewers) == 0 {
			w.stale = true
			continue
		}
		pending[w] = q
	}
}

// refresh refreshes the pending views that are due and says when to look again.
func (h *Hub) refresh(pending map[*watched]Question) time.Duration {
	now, wait := time.Now(), time.Hour
	for w := range pending {
		if due := w.next.Sub(now); due > 0 {
			wait = min(wait, due)
			continue
		}
		delete(pending, w)
		if w.view.refresh() {
			h.wake(w)
		}
		if w.matches() > slowFrom {
			w.next = now.Add(max(slowTick, h.tick))
		}
	}
	return wait
}

func (h *Hub) wake(w *watched) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for viewer := range w.viewers {
		viewer.nudge()
	}
}

// sweep drops views that had no reader for a minute, and keeps the sessions of watched rooms in memory.
func (h *Hub) sweep() {
	var rooms []room.Key
	h.mu.Lock()
	for q, w := range h.views {
		switch {
		case len(w.viewers) > 0 && q.Name == "room":
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
	var viewers []*Viewer
	for _, w := range h.views {
		for viewer := range w.viewers {
			viewers = append(viewers, viewer)
		}
	}
	h.mu.Unlock()
	for i, viewer := range viewers {
		close(viewer.bye)
		if i < len(viewers)-1 {
			time.Sleep(spread / time.Duration(len(viewers)))
		}
	}
}
