package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/share"
)

const (
	// Tick is how long changes are gathered before they are sent: at most ten frames a second.
	Tick      = 100 * time.Millisecond
	slowTick  = 500 * time.Millisecond // of views with more than slowFrom matches
	slowFrom  = 1000
	listTick  = 500 * time.Millisecond // of lists, which are asked of the store
	viewLives = 60 * time.Second       // after its last reader, so that who reconnects can resume
	heartbeat = 15 * time.Second
	againTime = 5 * time.Second // after the store did not answer
	PageTurn  = 2 * time.Second // that a page waits until one of its reader's own questions is answered
	LongTurn  = time.Minute     // that a viewer waits: many come back at one time after a restart, and the page is there
)

var (
	// ErrTooManyViews: more different views are watched than one process has memory for.
	ErrTooManyViews = fmt.Errorf("too many different views are open: %w", share.ErrFull)
	// ErrOwnViews: whoever asks watches as many different views as one may.
	ErrOwnViews = fmt.Errorf("as many different views are open as one may have: %w", share.ErrOwn)
	// ErrQuestions: whoever asks has as many questions to the record under way as one may, or all have; it wraps
	// share.ErrOwn or share.ErrFull.
	ErrQuestions = errors.New("too many questions are under way")
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

	memory    *share.Pool // of all views
	shares    *share.Pool // of those who watch them
	questions *share.Pool // to the record
	brought   chan brought
	beside    sync.WaitGroup

	mu      sync.Mutex
	panics  uint64    // in views
	stackAt time.Time // when the stack of one was last logged
	views   map[Question]*watched
	closing bool
}

// watched is a view with its viewers.
type watched struct {
	*view
	viewers map[*Viewer]struct{}
	idle    time.Time // since when it has no viewers
	stale   bool      // to be refreshed before it is shown: it is new, or something changed while nobody watched
	counted
	next time.Time // not to be refreshed before; used by Run alone, as the following
	busy bool      // it is being refreshed beside Run
}

// brought is that a view was refreshed beside Run, or why not.
type brought struct {
	w   *watched
	q   Question
	err error
}

// NewHub makes a hub over a board and the lists of what the record holds. Limits are from when on pages
// mark something; tick is how long changes are gathered, usually Tick.
func NewHub(board *Board, lists Lists, html Renderer, limits room.Limits, tick time.Duration, log *slog.Logger) *Hub {
	return &Hub{board: board, lists: lists, html: html, limits: limits, tick: tick, log: log, views: make(map[Question]*watched),
		memory: share.New(viewMemory), shares: share.New(share.Limits{}), questions: share.New(share.Limits{}), brought: make(chan brought)}
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

// Page renders the view. It stays for a minute, so that the socket that follows can go on from it, but for who has
// all views that one may have: their page is made all the same, and not kept. The error is ErrQuestions, ErrClosing,
// room.ErrBadCursor, or the store's.
func (h *Hub) Page(q Question, who share.Holder) (Page, error) {
	w, err := h.open(q, who, nil)
	if errors.Is(err, ErrOwnViews) || errors.Is(err, ErrTooManyViews) {
		w = &watched{view: h.newView(q)}
		_, err = h.bringUp(w, q, who, PageTurn, false)
	}
	if err != nil {
		return Page{}, err
	}
	root, seq := w.page()
	return Page{Root: root, Live: q.Path(), Epoch: h.board.Epoch(), Seq: seq, At: time.Now()}, nil
}

// open finds or makes the view of a question, and lets a viewer in. The question is asked after the lock
// is given back: the record may take its time, and others watch other things.
func (h *Hub) open(q Question, who share.Holder, viewer *Viewer) (*watched, error) {
	h.mu.Lock()
	w, err := h.find(q, who, viewer != nil)
	if err != nil {
		h.mu.Unlock()
		return nil, err
	}
	if viewer != nil {
		viewer.view = w
		h.enter(w, viewer)
	}
	stale := w.stale
	w.stale, w.idle = false, time.Now()
	h.mu.Unlock()
	if !stale && w.answered() {
		return w, nil
	}
	patience := PageTurn
	if viewer != nil {
		patience = LongTurn
	}
	changed, err := h.bringUp(w, q, who, patience, stale)
	if err != nil {
		h.noteBroken(q, err)
		h.giveUp(q, w, viewer)
		return nil, err
	}
	if changed {
		h.weigh(w)
		h.wake(w) // somebody may have come in meanwhile
	}
	return w, nil
}

// bringUp asks a view's question, when it is somebody's turn; of one that has an answer, only when that is stale.
func (h *Hub) bringUp(w *watched, q Question, who share.Holder, patience time.Duration, stale bool) (changed bool, err error) {
	if h.asksRecord(q) {
		done, err := h.Turn(who, patience)
		if err != nil {
			return false, err
		}
		defer done()
	}
	if stale {
		return w.refresh(context.Background())
	}
	return false, w.answer(context.Background())
}

// Turn waits, for a while, until somebody may ask the record one question; done says that it was answered. The error is
// ErrQuestions.
func (h *Hub) Turn(who share.Holder, patience time.Duration) (done func(), err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := h.questions.Wait(ctx, who); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrQuestions, err)
	}
	return func() { h.questions.Give(who, 1) }, nil
}

// find is the view of a question, counted for who opens it, unless others watch it and they do not yet. One that is new,
// or was not watched when something changed, is stale.
func (h *Hub) find(q Question, who share.Holder, watching bool) (*watched, error) {
	if h.closing {
		return nil, ErrClosing
	}
	if q.For.Masked && h.mask == nil {
		return nil, ErrNoView
	}
	if w := h.views[q]; w != nil {
		if !watching && len(w.viewers) > 0 {
			return w, nil
		}
		return w, h.count(w, who)
	}
	for h.memory.Take(share.Holder{Kind: who.Kind}, 1) != nil {
		if !h.dropIdlest(func(*watched) bool { return true }) {
			return nil, ErrTooManyViews
		}
	}
	w := &watched{view: h.newView(q), viewers: make(map[*Viewer]struct{}), stale: true, counted: counted{weight: 1, by: make(map[share.Holder]int)}}
	if err := h.count(w, who); err != nil {
		h.memory.Give(share.Holder{}, 1)
		return nil, err
	}
	h.views[q] = w
	return w, nil
}

func (h *Hub) newView(q Question) *view {
	var r *roster
	if rooms, ok := q.List.(RoomQuery); ok {
		r = newRoster(rooms, q.For.Masked)
	}
	return newView(h.html, func(ctx context.Context) (Model, uint64, error) { return h.ask(ctx, q, r) })
}

// giveUp leaves a view whose question could not be answered; the next to ask tries again.
func (h *Hub) giveUp(q Question, w *watched, viewer *Viewer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if w.stale = true; viewer != nil {
		h.leave(w, viewer)
	}
	if len(w.viewers) == 0 && h.views[q] == w {
		h.drop(q)
	}
}

// Run refreshes the views when the board changes, until ctx ends. What asks the record is refreshed beside it, each view
// by itself: the record may take its time, and others watch other things.
func (h *Hub) Run(ctx context.Context) {
	h.beside.Go(func() { h.beats(ctx) })
	h.beside.Go(func() { h.readRail(ctx) })
	defer h.beside.Wait()
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
		case done := <-h.brought:
			h.settle(done, pending)
			again.Reset(h.refresh(ctx, pending))
			continue
		case <-h.board.bell:
			news, watched := h.news()
			if !watched {
				break
			}
			now := h.board.footing()
			news.bars = news.bars || now != foot
			foot = now
			h.touched(news, pending)
		}
		again.Reset(h.refresh(ctx, pending))
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

// news takes what has changed, and says whether anybody watches. For nobody it is only thrown away: it would grow without
// end, and what sessions show need not be derived.
func (h *Hub) news() (taken news, watched bool) {
	watched = h.watched()
	taken = h.board.takeNews(watched)
	if watched {
		return taken, true
	}
	taken.bars = true // to whoever came just now, what was taken may not have been shown
	return taken, !h.unwatched()
}

// unwatched says that there is no viewer, and notes that views are stale then.
func (h *Hub) unwatched() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.anyViewer() {
		return false
	}
	for _, w := range h.views {
		w.stale = true
	}
	return true
}

func (h *Hub) anyViewer() bool {
	for _, w := range h.views {
		if len(w.viewers) > 0 {
			return true
		}
	}
	return false
}

// watched says whether there is a viewer.
func (h *Hub) watched() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.anyViewer()
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
		return n.rail || len(n.sessions) > 0
	case q.Name == viewEmbedRoom:
		_, mine := n.rooms[roomKey{q.For.Frame, string(q.List.(Label))}]
		return mine
	case q.Name == viewEmbed:
		return len(n.sessions) > 0
	}
	return n.filed
}

// refresh refreshes the pending views that are due and says when to look again.
func (h *Hub) refresh(ctx context.Context, pending map[*watched]Question) time.Duration {
	now, wait := time.Now(), time.Hour
	for w, q := range pending {
		if w.busy {
			continue // it is looked at again when that is done
		}
		if due := w.next.Sub(now); due > 0 {
			wait = min(wait, due)
			continue
		}
		delete(pending, w)
		if h.asksRecord(q) {
			w.busy = true
			h.beside.Go(func() {
				done := brought{w, q, h.bring(ctx, w, q)}
				select {
				case h.brought <- done:
				case <-ctx.Done():
				}
			})
			continue
		}
		h.settle(brought{w, q, h.show(ctx, w)}, pending)
		wait = min(wait, againTime)
	}
	return wait
}

// bring refreshes a view that asks the record, on account of somebody who watches it, when their turn has come.
func (h *Hub) bring(ctx context.Context, w *watched, q Question) error {
	who, watched := h.onBehalf(w)
	if !watched {
		return nil
	}
	if h.questions.Wait(ctx, who) != nil {
		return nil // ctx has ended
	}
	defer h.questions.Give(who, 1)
	return h.show(ctx, w)
}

// show refreshes a view and sends its viewers what has changed.
func (h *Hub) show(ctx context.Context, w *watched) error {
	changed, err := w.refresh(ctx)
	if changed {
		h.weigh(w)
		h.wake(w)
	}
	return err
}

// settle notes when a view that was refreshed may be again.
func (h *Hub) settle(done brought, pending map[*watched]Question) {
	done.w.busy = false
	if errors.Is(done.err, ErrBroken) {
		h.noteBroken(done.q, done.err)
		h.sendAway(done.w)
		return
	}
	if done.err != nil {
		h.log.Error("a view could not be brought up to date, trying again", "view", done.q.Name, "err", done.err)
		pending[done.w], done.w.next = done.q, time.Now().Add(againTime)
		return
	}
	done.w.next = time.Now().Add(h.pause(done.w, done.q))
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
			h.drop(q)
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
