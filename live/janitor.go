package live

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// JanitorConfig says when sessions of sources without an API are given up.
type JanitorConfig struct {
	Unverified time.Duration // after so long without a delivery a session is shown as not verified
	Ended      time.Duration // after so long it is ended
	Leads      func() bool   // whether this process is the one that does so; nil: it is
	Log        *slog.Logger

	// Steady is nil, or why our clock cannot say now for how long nothing was heard. Without it, it can.
	Steady func(context.Context) error
}

// Janitor ends sessions of which nothing was heard for long, where nobody can be asked. Like all of our own facts,
// an end is an entry in the record.
type Janitor struct {
	JanitorConfig
	board  *Board
	record Writer
}

// NewJanitor makes the janitor of the board's sources that have no reconciler. It is made before the board runs.
func NewJanitor(board *Board, record Writer, config JanitorConfig) *Janitor {
	board.mu.Lock()
	defer board.mu.Unlock()
	board.unverified = config.Unverified
	return &Janitor{config, board, record}
}

// Run looks now and then, from when the board is ready until ctx ends.
func (j *Janitor) Run(ctx context.Context) {
	select {
	case <-j.board.Ready():
	case <-ctx.Done():
		return
	}
	tick := time.NewTicker(max(min(j.Ended/10, time.Minute), 100*time.Millisecond))
	defer tick.Stop()
	for {
		if j.Leads == nil || j.Leads() {
			if err := j.Look(ctx, time.Now()); err != nil && ctx.Err() == nil {
				j.Log.Error("sessions that are silent could not be ended", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Look ends what is silent now, by a clock that is steady.
func (j *Janitor) Look(ctx context.Context, now time.Time) error {
	if j.Steady != nil && j.Steady(ctx) != nil {
		return nil // the record says why
	}
	for _, source := range j.board.unasked() {
		for _, s := range j.board.openOf(source) {
			silent := now.Sub(s.received.Time())
			if silent < j.Ended {
				continue
			}
			at := max(room.At(s.LastEventAt), s.Alive()+1) // what it ends by then counts for nothing
			e := room.Event{Source: s.Source, SID: s.SID, RoomID: s.RoomID, Kind: room.KindJanitor, At: at,
				ID:        "janitor:" + s.SID + ":" + strconv.FormatInt(int64(s.received), 10),
				Corrected: &room.Corrected{What: room.Silent, SilentMinutes: int(silent.Minutes()), PeopleGone: s.People, BotsGone: s.Bots}}
			if err := appendOwn(ctx, j.record, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// unasked are the sources without an API.
func (b *Board) unasked() []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.DeleteFunc(slices.Clone(b.sources), func(name string) bool { return b.checks[name] != nil })
}
