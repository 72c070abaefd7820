package live

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// PlugNmeet is one plugNmeet that can be asked. It is an interface because live must not know its dialect. The
// texts of its errors are shown to operators.
type PlugNmeet interface {
	// Poll asks who is there now.
	Poll(ctx context.Context) (Poll, error)
	// Past lists the sessions of some rooms, or of all, newest first. After an error there is no more.
	Past(ctx context.Context, roomIDs []string) iter.Seq2[PastSession, error]
	// Files lists recordings that have their file, as facts, newest first.
	Files(ctx context.Context) iter.Seq2[room.Event, error]
	// Artifacts lists artifacts, as facts, newest first: of one session, or, with an empty sid, of all, whose
	// facts then name no session.
	Artifacts(ctx context.Context, roomID, sid string) iter.Seq2[room.Event, error]
}

// Poll is what plugNmeet says is there now.
type Poll struct {
	Began time.Time      // when it was asked
	Ahead time.Duration  // how far plugNmeet's clock is ahead of ours, as its answer tells; 0: not by much, or it does not
	Rooms []room.Listing // without their times
	Doubt string         // why what it does not list may be there all the same, "" if there is no reason
}

// PastSession is a session that plugNmeet remembers.
type PastSession struct {
	SID     string
	Stamped room.Time  // when it was created, by the clock of plugNmeet's database, in a zone that is not told
	Ended   room.Time  // 0: it runs
	Said    room.Event // that it was and ended, as an entry; without its creation
}

// Writer is the record as the reconciler writes it.
type Writer interface {
	Append(ctx context.Context, d room.Delivery) (room.Delivery, error)
}

const (
	agreeing  = 2               // polls in a row that make an absence a fact
	sceptical = 5               // polls, when much is gone at once, or when plugNmeet counts more than it lists
	mostWait  = 2 * time.Second // for deliveries that were on their way while a poll was answered
	writers   = 16              // entries that are appended at a time
)

// ReconcileConfig says how a source is checked.
type ReconcileConfig struct {
	Every time.Duration // between polls
	Quiet time.Duration // what was heard of so lately is left alone
	Leads func() bool   // whether this process is the one that asks; nil: it is
	Log   *slog.Logger
}

// Reconciler holds what deliveries told against what plugNmeet says, and puts right what differs. It never
// changes a session itself: it appends to the record, which all replicas fold. Its Round is not safe for
// concurrent use.
type Reconciler struct {
	ReconcileConfig
	board  *Board
	lists  Lists
	record Writer
	source string
	meet   PlugNmeet

	doubts  doubts
	failing time.Time // since when polls fail; zero while they don't
	why     string    // as it was recorded
	rounds  int       // since missed files and sessions were last looked for
	last    instant   // of the last poll
}

// NewReconciler makes the reconciler of one source.
func NewReconciler(board *Board, lists Lists, record Writer, source string, meet PlugNmeet, config ReconcileConfig) *Reconciler {
	board.expect(source, config.Every)
	return &Reconciler{ReconcileConfig: config, board: board, lists: lists, record: record, source: source, meet: meet, rounds: fillEvery}
}

// Run polls until ctx ends, from when the board is ready.
func (r *Reconciler) Run(ctx context.Context) {
	select {
	case <-r.board.Ready():
	case <-ctx.Done():
		return
	}
	if err := r.recall(ctx); err != nil && ctx.Err() == nil {
		r.Log.Warn("when plugNmeet was asked before this start is not known", "source", r.source, "err", err)
	}
	var logged string // each trouble once, as long as it lasts
	for ctx.Err() == nil {
		if r.Leads == nil || r.Leads() {
			err := r.Round(ctx)
			switch {
			case err == nil:
				logged = ""
			case err.Error() != logged && ctx.Err() == nil:
				logged = err.Error()
				r.Log.Warn("plugNmeet could not be asked whether all is right", "source", r.source, "err", err)
			}
		} else {
			r.doubts = doubts{}
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(float64(r.Every) * (0.9 + 0.2*rand.Float64()))):
		}
	}
}

// Round asks once, and appends what differs. It returns when the board has folded that.
func (r *Reconciler) Round(ctx context.Context) error {
	poll, err := r.meet.Poll(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return errors.Join(err, r.failed(ctx, time.Now(), err.Error()))
	}
	select {
	case <-time.After(min(mostWait, r.Every/10)):
	case <-ctx.Done():
		return ctx.Err()
	}
	f, err := r.compare(ctx, poll)
	if err == nil && poll.Doubt == "" {
		err = r.conclude(ctx, f)
	}
	if err == nil {
		err = r.write(ctx, f)
	}
	if err != nil {
		return err
	}
	return r.fillUp(ctx, f.said.Sessions > 0)
}

// write appends the entries, and then that there was a poll: whoever has folded that has folded them.
func (r *Reconciler) write(ctx context.Context, f *findings) error {
	began := strconv.FormatInt(f.Began.UnixMilli(), 10)
	entries := make([]room.Event, 0, len(f.entries))
	for sid, e := range f.entries {
		e.ID = "api:" + began + ":" + sid
		if c := e.Corrected; c != nil {
			c.Since = f.at.byPlugNmeet(f.since)
			f.said.Healed.Add(*c)
			f.said.Sessions++
			if e.Kind == room.KindListed {
				f.said.Differ++
			}
		}
		entries = append(entries, *e)
	}
	if err := r.appendAll(ctx, entries); err != nil {
		return err
	}
	if f.Doubt != "" {
		return r.failed(ctx, f.Began, f.Doubt)
	}
	if err := r.outage(ctx, f); err != nil {
		return err
	}
	r.failing, r.why = time.Time{}, ""
	e := room.Event{Source: r.source, Kind: room.KindPolled, ID: "api:" + began, At: f.at.ours, Poll: &f.said}
	if err := r.append(ctx, e); err != nil {
		return err
	}
	return r.board.awaitCheck(ctx, r.source, f.at.ours)
}

// failed records why polls fail, once for as long as they do.
func (r *Reconciler) failed(ctx context.Context, now time.Time, why string) error {
	if r.failing.IsZero() {
		r.failing = now
	}
	if r.why == why {
		return nil
	}
	said := room.PollSaid{Failing: why, Since: room.At(r.failing)}
	err := r.append(ctx, room.Event{Source: r.source, Kind: room.KindPolled, ID: "api:" + strconv.FormatInt(now.UnixMilli(), 10) + ":failing", At: room.At(now), Poll: &said})
	if err == nil {
		r.why = why
	}
	return err
}

func (r *Reconciler) appendAll(ctx context.Context, entries []room.Event) error {
	errs := make([]error, len(entries))
	lines := make(chan struct{}, writers)
	var busy sync.WaitGroup
	for i, e := range entries {
		lines <- struct{}{}
		busy.Go(func() {
			errs[i] = r.append(ctx, e)
			<-lines
		})
	}
	busy.Wait()
	return cmp.Or(errs...)
}

func (r *Reconciler) append(ctx context.Context, e room.Event) error {
	return appendOwn(ctx, r.record, e)
}

// appendOwn records an entry of our own.
func appendOwn(ctx context.Context, record Writer, e room.Event) error {
	now := time.Now()
	e.Received = room.At(now)
	d := room.Delivery{ReceivedAt: now, Source: e.Source, ID: e.ID, Event: e.Kind.String(), RoomID: e.RoomID, SID: e.SID, Verdict: room.Accepted, Said: &e}
	switch {
	case e.Clocks != nil:
		d.Reason = clockStateOf(*e.Clocks, e.At).Words()
	case e.Corrected != nil:
		d.Event, d.Reason = room.EventCorrection, e.Corrected.Text()
	case e.Kind == room.KindAbsent: // of nothing that counts, as the second connection of somebody who is there
		d.Event = room.EventListed
	}
	_, err := record.Append(ctx, d)
	return err
}
