package live

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// Standing of a source's API, as pages and machines tell it.
const (
	APINone      = ""          // there is none to ask
	APIWaiting   = "waiting"   // it was not asked yet
	APIAnswering = "answering" // the last poll was good
	APIFailing   = "failing"   // polls fail, or none came for three times as long as they should
)

// missedPolls is after how many intervals without a good poll nothing is called confirmed any more.
const missedPolls = 3

// defaultUnverified is after how long without a delivery a session of a source without an API is not verified.
const defaultUnverified = time.Hour

// check is what is known of the polls of one source, as the record tells it.
type check struct {
	every    time.Duration
	asked    room.Time // the newest poll, good or not, by our clock
	good     room.Time // the newest good one
	said     room.PollSaid
	disputed map[string]bool
	rooms    int // that the newest good one listed, and of them those that were known as they are
	agreed   int
}

// overdue: what was confirmed was so too long ago to say so. Until the first poll after a start nobody knows.
func (c *check) overdue(now time.Time) bool {
	return c.good != 0 && now.Sub(c.good.Time()) > missedPolls*c.every+mostWait
}

// confirms: the API has said within two polls which rooms go on, so that it is no alarm that deliveries say nothing.
func (c *check) confirms(now time.Time) bool {
	return c != nil && c.said.Failing == "" && c.good != 0 && now.Sub(c.good.Time()) <= 2*c.every+mostWait
}

func (c *check) status(now time.Time) string {
	switch {
	case c.said.Failing != "", c.overdue(now):
		return APIFailing
	case c.good == 0:
		return APIWaiting
	}
	return APIAnswering
}

// expect notes that a source is polled so often. It is called before Run.
func (b *Board) expect(source string, every time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.checks[source] = &check{every: every}
}

// polled folds that there was a poll. Sessions whose trust changes by it are touched.
func (b *Board) polled(e *room.Event) {
	c := b.checks[e.Source]
	if c == nil || e.Poll == nil || e.At < c.asked {
		return // the source has no API any more, or the entry came again
	}
	c.asked, c.said = e.At, *e.Poll
	b.news.filed = true
	if c.said.Failing != "" {
		return
	}
	c.good, c.rooms, c.agreed = e.At, c.said.Rooms, c.said.Rooms-c.said.Differ
	before := c.disputed
	c.disputed = set(c.said.Disputed)
	b.verify(e)
	for key, s := range b.open {
		if key.Source == e.Source && (before[key.SID] != c.disputed[key.SID] || s.summary.Trust == room.TrustUnverified) {
			b.touched[key] = s
		}
	}
}

// verify notes on the sessions that a good poll listed that it did. One that it did not list says so, and one that no
// poll ever listed is too new to be on the list.
func (b *Board) verify(e *room.Event) {
	b.derive() // which sessions are open
	unlisted := set(e.Poll.Unlisted)
	for key, s := range b.open {
		if key.Source == e.Source && !unlisted[key.SID] && s.summary.Alive() != 0 {
			s.session.Verify(e.At)
		}
	}
}

// recall reads of the last good poll before this start which sessions it listed: what comes of every poll is not in
// their documents.
func (r *Reconciler) recall(ctx context.Context) error {
	page, err := r.lists.Deliveries(ctx, room.DeliveryQuery{Event: room.EventPolled, Source: r.source, Limit: recalled})
	if err != nil {
		return err
	}
	r.board.mu.Lock()
	defer r.board.mu.Unlock()
	for _, d := range page.Items {
		if d.Said != nil && d.Said.Poll != nil && d.Said.Poll.Failing == "" {
			r.board.verify(d.Said)
			break
		}
	}
	return nil
}

// recalled is among how many polls a good one is looked for: those that fail are recorded once in a row.
const recalled = 10

func set(list []string) map[string]bool {
	if len(list) == 0 {
		return nil
	}
	out := make(map[string]bool, len(list))
	for _, one := range list {
		out[one] = true
	}
	return out
}

// trust is how far an open session has been checked. What the session says of itself is only whether its
// plugNmeet ever listed it.
func (b *Board) trust(e *entry, s *room.Summary, now time.Time) room.Trust {
	c := b.checks[s.Source]
	switch {
	case s.State == room.StateEnded:
		return s.Trust
	case c == nil && now.Sub(e.session.Received.Time()) > b.unverified:
		return room.TrustUnverified
	case c == nil:
		return room.TrustUnconfirmed
	case c.disputed[s.SID]:
		return room.TrustDisputed
	case s.Trust == room.TrustConfirmed && c.overdue(now):
		return room.TrustUnverified
	}
	return s.Trust
}

// retrust finds the sessions whose trust changed because time went by: when one may have, for there may be many.
func (b *Board) retrust(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	overdue := make(map[string]bool, len(b.checks))
	for source, c := range b.checks {
		overdue[source] = c.overdue(now)
	}
	if maps.Equal(overdue, b.overdue) && now.Before(b.trusted) {
		return
	}
	b.derive()
	b.overdue, b.trusted = overdue, now.Add(b.unverified)
	changed := false
	for _, e := range b.open {
		if e.summary.Trust != b.trust(e, trustOf(e), now) {
			b.refresh(e)
			changed = true
		} else {
			b.trustUntil(e, e.summary.Trust)
		}
	}
	if changed {
		b.seq++
		b.tell()
	}
}

// trustUntil notes when a session may be trusted less, if nothing is heard of it.
func (b *Board) trustUntil(e *entry, trust room.Trust) {
	if trust != room.TrustUnconfirmed {
		return
	}
	if until := e.session.Received.Time().Add(b.unverified); until.Before(b.trusted) {
		b.trusted = until
	}
}

// trustOf is what the session says of its own trust.
func trustOf(e *entry) *room.Summary {
	s := &room.Summary{Head: room.Head{Source: e.summary.Source, SID: e.summary.SID, State: e.summary.State, Trust: room.TrustUnconfirmed}}
	if !e.summary.VerifiedAt.IsZero() {
		s.Trust = room.TrustConfirmed
	}
	return s
}

// verifiedAt is when plugNmeet last listed the session, the zero time if it never did. Its summary may be older than
// the last poll.
func (e *entry) verifiedAt() time.Time {
	if e.summary.VerifiedAt.IsZero() || e.session.Verified == 0 {
		return e.summary.VerifiedAt
	}
	return e.session.Verified.Time()
}

// Vouch sets how far sessions have been checked, of those that are open.
func (b *Board) Vouch(heads ...*room.Head) {
	b.catchUp()
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, h := range heads {
		if e := b.open[h.Key()]; e != nil {
			h.Trust, h.VerifiedAt = e.summary.Trust, e.verifiedAt()
		}
	}
}

// checkedAt is the newest good poll of a source, 0 if there was none.
func (b *Board) checkedAt(source string) room.Time {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if c := b.checks[source]; c != nil {
		return c.good
	}
	return 0
}

// errUnfolded: the record does not yield what was appended to it.
var errUnfolded = errors.New("the poll was recorded and is not folded yet")

// awaitCheck returns when a poll is folded.
func (b *Board) awaitCheck(ctx context.Context, source string, at room.Time) error {
	ctx, cancel := context.WithTimeout(ctx, loadTime)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for b.checkedAt(source) < at {
		select {
		case <-ctx.Done():
			return errUnfolded
		case <-tick.C:
		}
	}
	return nil
}

// openSession is an open session as the reconciler and the janitor see it.
type openSession struct {
	*room.Summary
	received room.Time // when Roomwatch last received something of it
}

func (b *Board) openOf(source string) (out []openSession) {
	b.catchUp()
	b.mu.RLock()
	defer b.mu.RUnlock()
	for key, e := range b.open {
		if key.Source == source {
			out = append(out, openSession{e.summary, e.session.Received})
		}
	}
	return out
}

// known is everything known of a session, the zero Detail when that is nothing.
func (b *Board) known(ctx context.Context, key room.Key) (room.Detail, error) {
	if d, held := b.held(key); held {
		return d, nil
	}
	stored, err := b.record.Load(ctx, key)
	if errors.Is(err, room.ErrNotFound) {
		return b.heldSince(key), nil
	}
	if err != nil {
		return room.Detail{}, err
	}
	return stored.Detail(), nil
}

func (b *Board) held(key room.Key) (room.Detail, bool) {
	b.catchUp() // sessions learn of their successors
	b.mu.RLock()
	defer b.mu.RUnlock()
	e := b.sessions[key]
	if e == nil {
		return room.Detail{}, false
	}
	return e.session.Detail(), true
}

// heldSince: a session that has no document may have come in while the record was asked.
func (b *Board) heldSince(key room.Key) room.Detail {
	d, _ := b.held(key)
	return d
}

// checkState tells how the API of a source is heard.
func (b *Board) checkState(s *SourceState, grain time.Duration) {
	c := b.checks[s.Name]
	if c == nil {
		s.API = APINone
		return
	}
	s.API, s.ReconciledAt = c.status(time.Now()), c.good.Time().Truncate(grain)
	s.Rooms, s.Agreed = c.rooms, c.agreed
	if s.API == APIFailing {
		s.APIError, s.APISince = c.said.Failing, c.said.Since.Time()
	}
}

// vouch says of a session that goes on how far it has been checked, as pages tell it.
// Times of tracks are of LiveKit's clock, which is so far ahead of ours.
func (e *entry) vouch(d *room.Detail, livekit room.Time) {
	if d.State != room.StateEnded {
		d.Trust, d.VerifiedAt = e.summary.Trust, e.verifiedAt().Truncate(time.Second)
		checkMutes(d, d.VerifiedAt.Add(time.Duration(livekit)*time.Millisecond))
	}
}

// checkMutes: a poll that lists a session as it is known has confirmed who was muted when it was made.
func checkMutes(d *room.Detail, made time.Time) {
	for _, p := range d.Participants {
		for i, t := range p.Tracks {
			p.Tracks[i].MuteChecked = t.MuteChecked || d.Trust == room.TrustConfirmed && t.PublishedAt.Before(made)
		}
	}
}
