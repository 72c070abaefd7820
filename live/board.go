// Package live is the present moment: the board folds the record into sessions, views ask it questions,
// and the hub sends what changed to whoever watches. It knows neither HTML nor SQL: what it needs of
// those it declares as small interfaces, and main hands them in.
package live

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// Record is what the board needs of the store. It is an interface because there are several stores, and
// because live must not know them.
type Record interface {
	Follow(ctx context.Context, after string, fn func([]room.Delivery) error) error
	End(ctx context.Context) (string, error)
	Checkpoint(ctx context.Context) (string, error)
	Save(ctx context.Context, sessions []*room.Session, checkpoint string) error
	Load(ctx context.Context, key room.Key) (*room.Session, error) // room.ErrNotFound
	Recent(ctx context.Context, since time.Time, fn func(*room.Session) error) error
	Siblings(ctx context.Context, source, roomID string) (map[string]room.Created, error)
	LastReceived(ctx context.Context) (map[string]time.Time, error)
	Noted() uint64 // how many notes were written: grows
	Sample(ctx context.Context, s room.Sample) error
	Samples(ctx context.Context, since time.Time) ([]room.Sample, error)
	AsOf() time.Time // zero while what is delivered comes soon; else the moment up to which it came
}

// Board holds every session that is open or was lately. It changes only by folding the record, so every
// replica that follows the same record shows the same.
type Board struct {
	record  Record
	log     *slog.Logger
	epoch   string
	sources []string

	folded chan struct{} // closed when the record is folded to the end that it had at start
	ready  chan struct{} // closed when that is saved, too, so that lists show it
	bell   chan struct{} // holds one token while something changed that the hub has not taken

	mu       sync.RWMutex
	sessions map[room.Key]*entry
	open     map[room.Key]*entry // those that have not ended
	closed   map[room.Key]*entry // those that have
	rooms    index               // by the session's own room_id
	lines    lineage             // the same, in order
	dirty    map[room.Key]*entry // those with something that is not saved
	touched  map[room.Key]*entry // those whose facts changed since what they show was derived
	behind   bool                // something was folded since then
	children index               // breakouts, by their parent's room_id
	changes  changes             // of what open sessions show
	totals   room.Totals
	last     map[string]time.Time // newest delivery by source
	seq      uint64
	position string // of the last entry folded
	saved    string // the checkpoint in the store; used by the saver alone
	swept    time.Time
	goal     string // of the last entry that there was at start
	news     news
	noted    uint64        // of the record, when lists were last told of
	filed    uint64        // the seq at which lists last changed
	samples  []room.Sample // of the last day, one a minute
	alarms   []room.Alarm  // replaced, never changed
	asOf     time.Time     // of the record, as it was last told

	gaps       []Gap // by their begin; replaced, never changed
	clocks     map[string]*sourceClocks
	checks     map[string]*check // by source, of those that have an API to ask
	overdue    map[string]bool   // sources whose API has not answered for too long, as of the last look
	trusted    time.Time         // until then no session is trusted less merely because time goes by
	unverified time.Duration     // after so long without a delivery a session is not verified, where there is no API
}

// news is what changed since the hub last asked.
type news struct {
	sessions map[room.Key]struct{}
	rooms    map[roomKey]struct{} // that had some of them
	filed    bool                 // what lists show: sessions were saved, or notes written
	rail     bool                 // the newest of what came of sessions, which every overview shows
	bars     bool                 // what every page shows: how sources are heard, what needs attention, the minute
}

func freshNews() news {
	return news{sessions: make(map[room.Key]struct{}), rooms: make(map[roomKey]struct{})}
}

type roomKey struct{ source, roomID string }

// index finds sessions by a room_id. Under an empty room_id it keeps nothing.
type index map[roomKey]map[room.Key]*entry

func (ix index) move(e *entry, from, to roomKey) {
	key := e.session.Key()
	if from != to {
		ix.drop(key, from)
	}
	if to.roomID == "" {
		return
	}
	if ix[to] == nil {
		ix[to] = make(map[room.Key]*entry, 1)
	}
	ix[to][key] = e
}

func (ix index) drop(key room.Key, from roomKey) {
	if delete(ix[from], key); len(ix[from]) == 0 {
		delete(ix, from)
	}
}

// entry is a session in memory. Its summary is replaced, never changed, so that a view may hold on to it.
type entry struct {
	session  *room.Session
	summary  *room.Summary
	lately   lately
	standing standing // as told to its siblings
	fresh    []string // connections and tracks that deliveries named since
	room     roomKey
	parent   roomKey                 // with an empty room_id: it is no breakout
	siblings map[string]room.Created // of the room_id, as the store knew them when this one was new
	used     time.Time               // when it was last looked up or changed
	heard    bool                    // lately, not merely looked up: it may be shown among others
}

// standing is where a session stands among the sessions of its room_id.
type standing struct {
	created room.Created
	begin   time.Time
	room    roomKey
}

// NewBoard makes an empty board over a record. Sources are the configured names, in order.
func NewBoard(record Record, sources []string, log *slog.Logger) *Board {
	clocks := make(map[string]*sourceClocks, len(sources))
	for _, name := range sources {
		clocks[name] = new(sourceClocks)
	}
	return &Board{
		record: record, log: log, epoch: newEpoch(), sources: sources,
		folded: make(chan struct{}), ready: make(chan struct{}), bell: make(chan struct{}, 1),
		sessions: make(map[room.Key]*entry), open: make(map[room.Key]*entry), closed: make(map[room.Key]*entry),
		dirty: make(map[room.Key]*entry), touched: make(map[room.Key]*entry), rooms: make(index), lines: make(lineage), children: make(index),
		last: make(map[string]time.Time), news: freshNews(),
		clocks: clocks, checks: make(map[string]*check), unverified: defaultUnverified,
	}
}

// Epoch names this start of the process, or the last time that the record was begun anew since: a seq
// means nothing in another epoch.
func (b *Board) Epoch() string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.epoch
}

func newEpoch() string { return rand.Text()[:10] }

// Ready is closed when the record is folded to the end that it had at start, and lists are filled to it.
func (b *Board) Ready() <-chan struct{} { return b.ready }

// fold takes a batch of entries. Entries may come again: nothing here depends on how often one is seen. What
// sessions then show is derived when somebody asks: many batches may come before.
func (b *Board) fold(ctx context.Context, batch []room.Delivery) error {
	if err := b.admitLocked(ctx, batch); err != nil {
		return err
	}
	b.behind = true
	for _, d := range batch {
		b.take(d)
	}
	b.position, b.behind = batch[len(batch)-1].Position, true
	b.arrive()
	b.mu.Unlock()
	b.tell()
	return nil
}

// take applies one entry.
func (b *Board) take(d room.Delivery) {
	own := d.Said != nil && d.Said.Kind.Own()
	if !own && d.ReceivedAt.After(b.last[d.Source]) {
		b.last[d.Source] = d.ReceivedAt
	}
	if !own {
		b.lag(d)
	}
	if d.Position == b.goal {
		b.goal = ""
	}
	switch {
	case own && d.Said.Kind == room.KindPolled:
		b.polled(d.Said)
	case own && d.Said.Kind == room.KindClocks:
		b.clocked(d.Said)
	case own && d.Said.Gap != nil:
		b.addGap(d.Said)
		b.news.filed = true
	}
	if d.Said == nil || d.Said.SID == "" {
		return
	}
	key := room.Key{Source: d.Source, SID: d.Said.SID}
	e := b.sessions[key]
	e.heard = true                    // it may have been looked up before
	b.dirty[key] = e                  // even an entry that says nothing new tells when the session was last heard of
	b.news.sessions[key] = struct{}{} // its page lists it all the same
	if e.session.Apply(*d.Said) {
		b.touched[key] = e
		if p := d.Said.Participant; p != nil && p.SID != "" {
			e.fresh = append(e.fresh, p.SID)
		}
		if t := d.Said.Track; t != nil {
			e.fresh = append(e.fresh, t.SID)
		}
	}
}

// catchUp brings what is shown up to what is folded. Whoever reads what is shown calls it before.
func (b *Board) catchUp() {
	b.mu.RLock()
	behind := b.behind
	b.mu.RUnlock()
	if !behind {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.derive()
}

// derive is catchUp for who has the lock.
func (b *Board) derive() {
	if !b.behind {
		return
	}
	b.settle(b.touched)
	clear(b.touched)
	b.behind = false
	b.seq++
}

// settle derives what the touched sessions show, keeps the totals, and tells sessions of one room_id of
// each other's creation.
func (b *Board) settle(touched map[room.Key]*entry) {
	for _, e := range touched {
		b.refresh(e)
	}
	for _, e := range touched {
		b.link(e)
	}
}

func (b *Board) refresh(e *entry) {
	detail := e.session.Detail()
	sum := detail.Summary()
	e.lately = latelyOf(detail, time.Now())
	sum.Trust = b.trust(e, &sum, time.Now())
	b.trustUntil(e, sum.Trust)
	b.totals.Count(e.summary, -1)
	b.totals.Count(&sum, +1)
	key := sum.Key()
	var before, now *room.Summary
	if b.open[key] != nil {
		before = e.summary
	}
	if e.summary = &sum; sum.State == room.StateEnded {
		delete(b.open, key)
		b.closed[key] = e
	} else {
		delete(b.closed, key)
		b.open[key], now = e, &sum
	}
	b.changes.add(key, before, now)
	b.rooms.move(e, e.room, roomKey{sum.Source, sum.RoomID})
	b.children.move(e, e.parent, roomKey{sum.Source, sum.ParentRoomID})
	e.room, e.parent = roomKey{sum.Source, sum.RoomID}, roomKey{sum.Source, sum.ParentRoomID}
	b.mark(e)
}

// mark notes what the hub has to look at again: the session, its parent, and its breakout rooms.
func (b *Board) mark(e *entry) {
	b.news.sessions[e.session.Key()] = struct{}{}
	b.news.rooms[e.room] = struct{}{}
	for key := range b.rooms[e.parent] {
		b.news.sessions[key] = struct{}{}
	}
	for key := range b.children[e.room] {
		b.news.sessions[key] = struct{}{}
	}
}

// arrive notes that the goal was passed.
func (b *Board) arrive() {
	if b.goal == "" && !closed(b.folded) {
		close(b.folded)
	}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// tell leaves a token that something changed; a token that lies there says the same.
func (b *Board) tell() {
	select {
	case b.bell <- struct{}{}:
	default:
	}
}

// takeNews hands over what changed since it was last called; what was told but not derived yet is in it when it is whole.
func (b *Board) takeNews(whole bool) news {
	b.mu.Lock()
	defer b.mu.Unlock()
	if whole {
		b.derive()
	}
	taken := b.news
	b.news = freshNews()
	return taken
}

// admitLocked brings the sessions that a batch speaks of into memory, and takes the lock. Loading one takes a while, in
// which another that was there may be forgotten: it is loaded again.
func (b *Board) admitLocked(ctx context.Context, batch []room.Delivery) error {
	for {
		if err := b.admitAll(ctx, batch); err != nil {
			return err
		}
		b.mu.Lock()
		missing := slices.ContainsFunc(batch, func(d room.Delivery) bool {
			return d.Said != nil && d.Said.SID != "" && b.sessions[room.Key{Source: d.Source, SID: d.Said.SID}] == nil
		})
		if !missing {
			return nil
		}
		b.mu.Unlock()
	}
}

// admitAll brings the sessions that a batch speaks of into memory, before the lock is taken.
func (b *Board) admitAll(ctx context.Context, batch []room.Delivery) error {
	for _, d := range batch {
		if d.Said == nil || d.Said.SID == "" {
			continue
		}
		key := room.Key{Source: d.Source, SID: d.Said.SID}
		if b.holds(key) {
			continue
		}
		if err := b.admit(ctx, key, d.Said.RoomID); err != nil {
			return fmt.Errorf("load session: %w", err)
		}
	}
	return nil
}
