package live

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// Gap is a time in which deliveries of a source may have been lost.
type Gap struct {
	Source string    `json:"source"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Why    string    `json:"why"`
}

const (
	mostGaps   = 200                    // that are remembered, the newest
	shortGap   = 2 * time.Second        // plugNmeet tries three times in three seconds: less loses nothing
	unsureGap  = 2 * time.Minute        // when nobody noted the end: the last sample before this minute is as old without one
	gapEvery   = 500 * time.Millisecond // between looks whether the record can be written
	manyDiffer = 3                      // sessions, half or more of those listed, that are proof of an outage
)

// WatchConfig says how outages of intake are noticed.
type WatchConfig struct {
	Healthy func() error // nil, or why deliveries cannot be stored
	Leads   func() bool  // whether this process is the one among replicas to record them; nil: it is alone
	Log     *slog.Logger
}

// Watchman records when deliveries could not be received.
type Watchman struct {
	WatchConfig
	board   *Board
	lists   Lists
	record  Writer
	began   time.Time
	closing atomic.Int64 // when intake was closed, in milliseconds; 0 while it is open
}

// NewWatchman makes a watchman; intake is open from now on.
func NewWatchman(board *Board, lists Lists, record Writer, config WatchConfig) *Watchman {
	return &Watchman{WatchConfig: config, board: board, lists: lists, record: record, began: time.Now()}
}

// Closing notes that nothing is received from now on.
func (w *Watchman) Closing() { w.closing.CompareAndSwap(0, time.Now().UnixMilli()) }

// Run watches until ctx ends, from when the board is ready. A process that is alone then records when it closed, for
// the next one to know.
func (w *Watchman) Run(ctx context.Context) {
	select {
	case <-w.board.Ready():
	case <-ctx.Done():
		select {
		case <-w.board.Ready(): // both: something may have been received
		default:
			return
		}
	}
	if err := w.begin(ctx); err != nil && ctx.Err() == nil {
		w.Log.Error("gaps in what was received are not known whole", "err", err)
	}
	tick := time.NewTicker(gapEvery)
	defer tick.Stop()
	var since time.Time
	for ctx.Err() == nil {
		switch err := w.Healthy(); {
		case err != nil && since.IsZero():
			since = time.Now()
		case err == nil && !since.IsZero():
			if w.note(ctx, since, time.Now(), "the record could not be written") == nil {
				since = time.Time{}
			}
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	if closed := w.closing.Load(); closed != 0 && w.Leads == nil {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTime)
		defer cancel()
		if err := w.noteAll(last, room.Time(closed), 0, "Roomwatch was stopped"); err != nil {
			w.Log.Warn("when intake was closed could not be recorded", "err", err)
		}
	}
}

// begin reads the gaps that are known, and finds the one before this start.
func (w *Watchman) begin(ctx context.Context) error {
	page, err := w.lists.Deliveries(ctx, room.DeliveryQuery{Event: room.EventGap, Limit: room.MaxLimit})
	if err != nil {
		return err
	}
	w.board.learnGaps(page.Items)
	if w.Leads != nil && !w.Leads() {
		return nil // others were there
	}
	last, err := w.board.record.LastReceived(ctx)
	if err != nil {
		return err
	}
	sampled := w.board.lastSample(w.began)
	for _, source := range w.board.sources {
		from, sure := w.board.closedAt(source), true
		if from.IsZero() || last[source].After(from) {
			from, sure = last[source], false
			if sampled.After(from) {
				from = sampled
			}
		}
		length := w.began.Sub(from)
		if from.IsZero() || length < shortGap || !sure && length < unsureGap {
			continue
		}
		if err := w.noteOf(ctx, source, room.At(from), room.At(w.began), "Roomwatch did not run"); err != nil {
			return err
		}
	}
	return nil
}

func (w *Watchman) note(ctx context.Context, from, to time.Time, why string) error {
	if to.Sub(from) < shortGap {
		return nil
	}
	return w.noteAll(ctx, room.At(from), room.At(to), why)
}

func (w *Watchman) noteAll(ctx context.Context, from, to room.Time, why string) error {
	for _, source := range w.board.sources {
		if err := w.noteOf(ctx, source, from, to, why); err != nil {
			return err
		}
	}
	return nil
}

func (w *Watchman) noteOf(ctx context.Context, source string, from, to room.Time, why string) error {
	return appendGap(ctx, w.record, source, room.Gap{From: from, To: to, Why: why})
}

func appendGap(ctx context.Context, record Writer, source string, g room.Gap) error {
	id := "gap:" + strconv.FormatInt(int64(g.From), 10) + ":" + strconv.FormatInt(int64(g.To), 10)
	return appendOwn(ctx, record, room.Event{Source: source, Kind: room.KindGap, ID: id, At: cmp.Or(g.To, g.From), Gap: &g})
}

// outage records that a check found so much missing that deliveries must have been lost as a whole.
func (r *Reconciler) outage(ctx context.Context, f *findings) error {
	if f.since == 0 || f.said.Sessions < manyDiffer || 2*f.said.Sessions < max(f.said.Rooms, f.size.rooms) {
		return nil
	}
	return appendGap(ctx, r.record, r.source, room.Gap{From: f.since, To: f.at.ours,
		Why: fmt.Sprintf("deliveries were lost: a check found %d sessions other than they had been told", f.said.Sessions)})
}

// learnGaps takes what the record has of them, newest first.
func (b *Board) learnGaps(entries []room.Delivery) {
	b.mu.Lock()
	for _, d := range slices.Backward(entries) {
		if d.Said != nil && d.Said.Gap != nil {
			b.addGap(d.Said)
		}
	}
	b.mu.Unlock()
	b.turnPage(nil)
}

// addGap keeps a gap. One without an end is that Roomwatch was stopped: it has its end when it starts again.
func (b *Board) addGap(e *room.Event) {
	g := Gap{e.Source, e.Gap.From.Time(), e.Gap.To.Time(), e.Gap.Why}
	gaps := slices.DeleteFunc(slices.Clone(b.gaps), func(known Gap) bool {
		return known.Source == g.Source && known.From.Equal(g.From) && (known.To.IsZero() || known.To.Equal(g.To))
	})
	at, _ := slices.BinarySearchFunc(gaps, g, func(x, y Gap) int { return x.From.Compare(y.From) })
	if g.To.IsZero() && slices.ContainsFunc(gaps, func(known Gap) bool { return known.Source == g.Source && known.From.Equal(g.From) }) {
		return // it came again
	}
	gaps = slices.Insert(gaps, at, g)
	b.gaps = gaps[max(0, len(gaps)-mostGaps):]
}

// closedAt is when a process noted that it closed, if none has begun since; else the zero time.
func (b *Board) closedAt(source string) (at time.Time) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, g := range b.gaps {
		if g.Source == source && g.To.IsZero() {
			at = g.From
		}
	}
	return at
}

func (b *Board) lastSample(before time.Time) (at time.Time) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, s := range b.samples {
		if s.At.Before(before.Truncate(time.Minute)) {
			at = s.At
		}
	}
	return at
}

// Gaps are the times, that overlap with from to to, in which deliveries may have been lost: of one source or, when
// that is "", of all. A zero to is now.
func (b *Board) Gaps(source string, from, to time.Time) (out []Gap) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.gapsIn(source, from, to)
}

func (b *Board) gapsIn(source string, from, to time.Time) (out []Gap) {
	for _, g := range b.gaps {
		if (source == "" || g.Source == source) && !g.To.IsZero() && g.To.After(from) && (to.IsZero() || g.From.Before(to)) {
			out = append(out, g)
		}
	}
	return out
}

// withoutGaps leaves out the samples of minutes in which deliveries were lost: they tell what had been before.
func withoutGaps(samples []room.Sample, gaps []Gap) []room.Sample {
	if len(gaps) == 0 {
		return samples
	}
	return slices.DeleteFunc(slices.Clone(samples), func(s room.Sample) bool {
		return slices.ContainsFunc(gaps, func(g Gap) bool { return !s.At.Before(g.From) && s.At.Before(g.To) })
	})
}
