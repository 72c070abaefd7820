package live

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

const mostJobs = room.MaxLimit // recordings in trouble that are listed

// Attention finds what is wrong, in the background: once for everybody who looks.
type Attention struct {
	board  *Board
	lists  Lists
	limits room.Limits
	log    *slog.Logger
	every  time.Duration
	tell   func([]room.Alarm) // of those that are new; nil: nobody wants to know
}

// LookEvery is how often it is looked whether something needs attention.
const LookEvery = 5 * time.Second

// NewAttention looks at a board and at what the record lists, every so often, usually LookEvery. Tell, if not
// nil, is called with alarms that were not there before; the next look waits for it.
func NewAttention(board *Board, lists Lists, limits room.Limits, every time.Duration, log *slog.Logger, tell func([]room.Alarm)) *Attention {
	return &Attention{board: board, lists: lists, limits: limits, every: every, log: log, tell: tell}
}

// Run looks every few seconds, once the board is ready, until ctx ends.
func (a *Attention) Run(ctx context.Context) {
	select {
	case <-a.board.Ready():
	case <-ctx.Done():
		return
	}
	tick := time.NewTicker(a.every)
	defer tick.Stop()
	for ctx.Err() == nil {
		a.look(ctx, time.Now())
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// look replaces what is listed. What the record cannot say now is left out, and said in the log.
func (a *Attention) look(ctx context.Context, now time.Time) {
	asking, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	alarms := a.board.trouble(now, a.limits)
	recordings, err := a.recordings(asking, now)
	refused, err2 := a.refused(asking, now)
	if err := errors.Join(err, err2); err != nil && ctx.Err() == nil {
		a.log.Warn("what needs attention is not known whole", "err", err)
	}
	alarms = slices.Concat(alarms, recordings, refused)
	slices.SortFunc(alarms, func(x, y room.Alarm) int {
		return cmp.Or(x.Concern.Compare(y.Concern), y.Since.Compare(x.Since), cmp.Compare(x.ID(), y.ID()))
	})
	if fresh := a.board.setAlarms(alarms); len(fresh) > 0 && a.tell != nil {
		a.tell(fresh)
	}
}

// recordings are those that failed or whose file is overdue.
func (a *Attention) recordings(ctx context.Context, now time.Time) (out []room.Alarm, err error) {
	for _, state := range []string{room.RecordingFailed, room.RecordingProcessing} {
		page, err := a.lists.Recordings(ctx, room.RecordingQuery{State: state, Limit: mostJobs})
		if err != nil {
			return out, err
		}
		for _, r := range page.Items {
			out = append(out, r.Alarms(now, a.limits)...)
		}
	}
	return out, nil
}

// refused is a burst of refusals, told by the reason of most of them.
func (a *Attention) refused(ctx context.Context, now time.Time) ([]room.Alarm, error) {
	refusals, err := a.lists.Refusals(ctx, now.Add(-room.RefusedIn))
	if err != nil || len(refusals) == 0 {
		return nil, err
	}
	n := 0
	for _, r := range refusals {
		n += r.N
	}
	if n < a.limits.Refused {
		return nil, nil
	}
	newest := refusals[0].Newest
	return []room.Alarm{{Concern: room.ConcernIntakeRefused, Source: newest.Source, Since: newest.ReceivedAt, Limit: room.RefusedIn,
		Count: n, Message: newest.Reason}}, nil
}

// trouble is what is wrong with open sessions and with sources.
func (b *Board) trouble(now time.Time, limits room.Limits) (out []room.Alarm) {
	b.catchUp()
	b.mu.RLock()
	defer b.mu.RUnlock()
	rooms := make(map[string]int)
	for _, e := range b.open {
		out = append(out, e.summary.Alarms(now, b.clocks[e.summary.Source].known(), limits)...)
		if e.summary.State == room.StateLive {
			rooms[e.summary.Source]++
		}
	}
	for _, name := range b.sources {
		if c := b.checks[name]; c != nil && c.overdue(now) {
			out = append(out, room.Alarm{Concern: room.ConcernAPIFailing, Source: name, Since: c.good.Time(), Limit: missedPolls * c.every,
				Count: rooms[name], Message: c.said.Failing})
		}
		last := b.last[name]
		if rooms[name] > 0 && !last.IsZero() && now.Sub(last) > limits.Silent && !b.checks[name].confirms(now) {
			out = append(out, room.Alarm{Concern: room.ConcernSourceSilent, Source: name, Since: last.UTC(), Limit: limits.Silent, Count: rooms[name]})
		}
	}
	return out
}

// setAlarms replaces the list and says which were not in it before.
func (b *Board) setAlarms(alarms []room.Alarm) (fresh []room.Alarm) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if slices.Equal(alarms, b.alarms) {
		return nil
	}
	known := make(map[string]bool, len(b.alarms))
	for _, a := range b.alarms {
		known[a.ID()] = true
	}
	for _, a := range alarms {
		if !known[a.ID()] {
			fresh = append(fresh, a)
		}
	}
	b.alarms, b.news.bars = alarms, true
	b.seq++
	b.tell()
	return fresh
}

// Alarms is what needs attention now, the most pressing first. Read only.
func (b *Board) Alarms() []room.Alarm {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.alarms
}
