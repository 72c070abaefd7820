package live

import (
	"context"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// sourceClocks is what is known of the clocks of one source.
type sourceClocks struct {
	livekit, plugnmeet []room.Lag // the newest, as deliveries show them
	told               room.Clocks
	at                 room.Time                 // when told was recorded, 0 while nothing was
	skew               atomic.Pointer[room.Time] // of told; nil while nothing was
}

// known is what was recorded last; c is nil for a source that is not set any more.
func (c *sourceClocks) known() (told room.Clocks) {
	if c != nil {
		told = c.told
	}
	return told
}

// ClockState is how the clocks of a source differ, as pages and machines tell it, in milliseconds ahead.
type ClockState struct {
	Skew       room.Time `json:"livekit_ahead_of_plugnmeet_ms"`
	PlugNmeet  room.Time `json:"plugnmeet_ahead_of_us_ms"`
	MeasuredAt time.Time `json:"measured_at"`
}

// clocksAgree is how far clocks may differ and be called alike: the times of events are told in seconds.
const clocksAgree room.Time = 2_000

// Differ: one of the clocks is off by more than a network explains.
func (c ClockState) Differ() bool { return clockWord(c.Skew) != "" || clockWord(c.PlugNmeet) != "" }

// Words say how the clocks of a source differ, in a sentence without its full stop.
func (c ClockState) Words() string {
	livekit, plugnmeet := clockWord(c.Skew), clockWord(c.PlugNmeet)
	switch {
	case livekit == "" && plugnmeet == "":
		return "the clocks of LiveKit, plugNmeet and Roomwatch agree"
	case plugnmeet == "":
		return "LiveKit’s clock is " + livekit + " plugNmeet’s"
	case livekit == "":
		return "plugNmeet’s and LiveKit’s clocks are " + plugnmeet + " ours"
	}
	return "plugNmeet’s clock is " + plugnmeet + " ours, and LiveKit’s is " + livekit + " plugNmeet’s"
}

// clockWord is "10 s behind" or "3 min ahead of", and "" for clocks that agree.
func clockWord(ahead room.Time) string {
	word := " ahead of"
	if ahead < 0 {
		ahead, word = -ahead, " behind"
	}
	seconds := (ahead + 500) / 1000
	switch {
	case ahead <= clocksAgree:
		return ""
	case seconds < 120:
		return strconv.FormatInt(int64(seconds), 10) + " s" + word
	}
	return strconv.FormatInt(int64(seconds+30)/60, 10) + " min" + word
}

// lag notes what a delivery shows of the clocks of its source.
func (b *Board) lag(d room.Delivery) {
	c := b.clocks[d.Source]
	if c == nil || d.Said == nil || d.Verdict != room.Accepted && d.Verdict != room.Late {
		return
	}
	l, ok := room.LagOf(*d.Said, room.At(d.ReceivedAt))
	if !ok {
		return
	}
	list := &c.plugnmeet
	if l.LiveKit {
		list = &c.livekit
	}
	if len(*list) == room.MostLags {
		copy(*list, (*list)[1:])
		*list = (*list)[:room.MostLags-1]
	}
	*list = append(*list, l)
}

// clocked folds that clocks were measured. Of two measurements the later one counts.
func (b *Board) clocked(e *room.Event) {
	c := b.clocks[e.Source]
	if c == nil || e.Clocks == nil || e.At < c.at {
		return
	}
	c.told, c.at = *e.Clocks, e.At
	c.skew.Store(new(e.Clocks.Skew))
	b.news.bars = true
}

// Skew is how far LiveKit's clock is ahead of plugNmeet's by what the record tells, nil while that was not measured. It
// goes with every delivery that is recorded from now on, see room.Event. It asks for no lock.
func (b *Board) Skew(source string) *room.Time {
	if c := b.clocks[source]; c != nil {
		return c.skew.Load()
	}
	return nil
}

// clockState is what was recorded last of the clocks of a source, the zero state while nothing was.
func (b *Board) clockState(source string) (s ClockState) {
	if c := b.clocks[source]; c != nil && c.at != 0 {
		s = clockStateOf(c.told, c.at)
	}
	return s
}

func clockStateOf(c room.Clocks, at room.Time) ClockState {
	return ClockState{Skew: c.Skew, PlugNmeet: c.PlugNmeet, MeasuredAt: at.Time()}
}

// measured is what the newest deliveries show of the clocks of a source, if that is worth an entry of the record.
func (b *Board) measured(source string) (m room.Clocks, ok bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	c := b.clocks[source]
	m, ok = room.Measure(append(append([]room.Lag(nil), c.livekit...), c.plugnmeet...))
	return m, ok && (c.at == 0 || m.Moved(c.told))
}

// ClockWatchConfig says how clocks are watched.
type ClockWatchConfig struct {
	Every time.Duration // between looks
	Leads func() bool   // whether this process is the one among replicas to record them; nil: it is alone
	Log   *slog.Logger
}

// ClockWatch records how the clocks of each source differ, whenever that has changed.
type ClockWatch struct {
	ClockWatchConfig
	board  *Board
	lists  Lists
	record Writer
}

// NewClockWatch makes the watch over a board.
func NewClockWatch(board *Board, lists Lists, record Writer, config ClockWatchConfig) *ClockWatch {
	return &ClockWatch{config, board, lists, record}
}

// Run watches until ctx ends, from when the board is ready.
func (w *ClockWatch) Run(ctx context.Context) {
	select {
	case <-w.board.Ready():
	case <-ctx.Done():
		return
	}
	if err := w.recall(ctx); err != nil && ctx.Err() == nil {
		w.Log.Warn("how clocks differed before this start is not known", "err", err)
	}
	tick := time.NewTicker(w.Every)
	defer tick.Stop()
	for {
		if w.Leads == nil || w.Leads() {
			if err := w.Look(ctx, time.Now()); err != nil && ctx.Err() == nil {
				w.Log.Error("how clocks differ could not be recorded", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// recall reads what was recorded before the board's checkpoint.
func (w *ClockWatch) recall(ctx context.Context) error {
	for _, source := range w.board.sources {
		page, err := w.lists.Deliveries(ctx, room.DeliveryQuery{Event: room.EventClocks, Source: source, Limit: 1})
		if err != nil {
			return err
		}
		w.board.mu.Lock()
		for _, d := range page.Items {
			if d.Said != nil {
				w.board.clocked(d.Said)
			}
		}
		w.board.mu.Unlock()
	}
	return nil
}

// Look records what has changed.
func (w *ClockWatch) Look(ctx context.Context, now time.Time) error {
	for _, source := range w.board.sources {
		m, changed := w.board.measured(source)
		if !changed {
			continue
		}
		at := room.At(now)
		e := room.Event{Source: source, Kind: room.KindClocks, ID: "clocks:" + strconv.FormatInt(int64(at), 10), At: at, Clocks: &m}
		if err := appendOwn(ctx, w.record, e); err != nil {
			return err
		}
		w.Log.Info("clocks were measured", "source", source, "livekit_ahead_of_plugnmeet_ms", int64(m.Skew),
			"plugnmeet_ahead_of_us_ms", int64(m.PlugNmeet), "deliveries", m.Of)
	}
	return nil
}
