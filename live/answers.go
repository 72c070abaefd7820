package live

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// State is the present moment for machines. Its JSON is pinned (design section 5).
type State struct {
	GeneratedAt time.Time       `json:"generated_at"`
	Epoch       string          `json:"epoch"`
	Seq         uint64          `json:"seq"`
	Totals      room.Totals     `json:"totals"`
	Sources     []SourceState   `json:"sources"`
	Sessions    []*room.Summary `json:"sessions"` // created and live, newest first
	Next        string          `json:"next,omitempty"`
	AsOf        time.Time       `json:"as_of,omitzero"` // when Redis is away: the moment up to which deliveries are told
}

// Seq grows whenever something else is shown; together with the epoch it names a state of the board.
func (b *Board) Seq() uint64 {
	b.catchUp()
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.seq
}

// Totals are the sums over all rooms now.
func (b *Board) Totals() room.Totals {
	b.catchUp()
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.totals
}

// Sources is how each source is heard, as pages tell it.
func (b *Board) Sources() []SourceState {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.sourceStates(pageGrain)
}

// SourceNames are the configured sources, in order.
func (b *Board) SourceNames() []string { return b.sources }

// AsOf is zero while the board is up to date, else the moment up to which deliveries are in it.
func (b *Board) AsOf() time.Time {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.asOf
}

// Samples are the totals of the last while, at most a day, one a minute, oldest first. Read only.
func (b *Board) Samples(last time.Duration) []room.Sample {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.sampled(last)
}

func (b *Board) sampled(last time.Duration) []room.Sample {
	from, _ := slices.BinarySearchFunc(b.samples, time.Now().Add(-last), func(s room.Sample, at time.Time) int { return s.At.Compare(at) })
	return withoutGaps(b.samples[from:], b.gapsIn("", time.Now().Add(-last), time.Time{}))
}

// filedSeq is the seq at which lists last changed.
func (b *Board) filedSeq() uint64 {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.filed
}

// State is a page of what is going on, at one moment.
func (b *Board) State(now time.Time, limit int, cursor string) (State, error) {
	after, err := parseCursor(cursor)
	if err != nil {
		return State{}, err
	}
	b.catchUp()
	b.mu.RLock()
	st := State{GeneratedAt: now.UTC(), Epoch: b.epoch, Seq: b.seq, Totals: b.totals, Sources: b.sourceStates(time.Millisecond), AsOf: b.asOf}
	st.Sessions = make([]*room.Summary, 0, len(b.open))
	for _, e := range b.open {
		st.Sessions = append(st.Sessions, e.summary)
	}
	b.mu.RUnlock()
	slices.SortFunc(st.Sessions, func(x, y *room.Summary) int { return strings.Compare(standsAt(y), standsAt(x)) })
	if after != "" {
		from, _ := slices.BinarySearchFunc(st.Sessions, after, func(s *room.Summary, after string) int {
			if standsAt(s) >= after {
				return -1
			}
			return 1
		})
		st.Sessions = st.Sessions[from:]
	}
	if limit = cmp.Or(min(limit, room.MaxLimit), room.DefaultLimit); len(st.Sessions) > limit {
		st.Sessions = st.Sessions[:limit]
		st.Next = base64.RawURLEncoding.EncodeToString([]byte(standsAt(st.Sessions[limit-1])))
	}
	for i, s := range st.Sessions {
		vouched := *s
		b.Vouch(&vouched.Head)
		st.Sessions[i] = &vouched
	}
	return st, nil
}

// beginLayout is a time that sorts as text.
const beginLayout = "20060102150405.000"

// standsAt orders sessions by their begin, then by name.
func standsAt(s *room.Summary) string {
	return s.Begin().UTC().Format(beginLayout) + "\x00" + s.Source + "\x00" + s.SID
}

func parseCursor(cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	at, err := base64.RawURLEncoding.DecodeString(cursor)
	begin, names, _ := strings.Cut(string(at), "\x00")
	if _, notTime := time.Parse(beginLayout, begin); err != nil || notTime != nil || !strings.Contains(names, "\x00") {
		return "", room.ErrBadCursor
	}
	return string(at), nil
}

// pageGrain is how finely pages tell when a source was last heard.
const pageGrain = 5 * time.Second

// sourceStates is how each source is heard, to a grain of time: pages that change with every delivery
// would be sent ten times a second for nothing.
func (b *Board) sourceStates(grain time.Duration) []SourceState {
	out := make([]SourceState, 0, len(b.sources))
	for _, name := range b.sources {
		s := SourceState{Name: name, LastDeliveryAt: b.last[name].UTC().Truncate(grain), Status: "waiting"}
		if !s.LastDeliveryAt.IsZero() {
			s.Status = "receiving"
		}
		b.checkState(&s, grain)
		s.Clocks = b.clockState(name)
		out = append(out, s)
	}
	return out
}

// Find brings the session with this sid into memory, so that it can be watched, and is its key. Source may
// be empty.
func (b *Board) Find(ctx context.Context, source, sid string) (room.Key, error) {
	stored, key, err := b.lookup(ctx, source, sid)
	if stored != nil {
		b.place(stored, nil, false)
	}
	return key, err
}

// Detail is everything known of the session with this sid, in memory or stored. Source may be empty.
func (b *Board) Detail(ctx context.Context, source, sid string) (room.Detail, error) {
	stored, key, err := b.lookup(ctx, source, sid)
	if err != nil {
		return room.Detail{}, err
	}
	if stored != nil {
		return stored.Detail(), nil
	}
	d, _ := b.held(key)
	b.Vouch(&d.Head)
	return d, nil
}

// Name is what people call a session in memory; of one that is not, its sid.
func (b *Board) Name(key room.Key) string {
	b.catchUp()
	b.mu.RLock()
	defer b.mu.RUnlock()
	if e := b.sessions[key]; e != nil {
		return e.summary.Name()
	}
	return key.SID
}

// takenBack is what was taken back of the correction that an entry brought to a session in memory.
func (b *Board) takenBack(key room.Key, entry string) (back room.TakenBack) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if e := b.sessions[key]; e != nil {
		back = e.session.TakenBack(entry)
	}
	return back
}

// lookup finds a session by its sid: if it is in memory its key alone, else its document too.
func (b *Board) lookup(ctx context.Context, source, sid string) (*room.Session, room.Key, error) {
	for _, name := range b.sources {
		if source != "" && source != name {
			continue
		}
		key := room.Key{Source: name, SID: sid}
		if b.holds(key) {
			return nil, key, nil
		}
		stored, err := b.record.Load(ctx, key)
		if !errors.Is(err, room.ErrNotFound) {
			return stored, key, err
		}
	}
	return nil, room.Key{}, room.ErrNotFound
}

// overview is the page of live rooms as it is now, and the seq that it is of.
func (b *Board) overview(q RoomQuery, r *roster) (Overview, uint64) {
	b.catchUp()
	b.mu.RLock()
	seq := b.seq
	r.update(b)
	o := Overview{Query: q, Totals: b.totals, Sources: b.sourceStates(pageGrain), Ended: b.justEnded(), Hour: b.sampled(time.Hour), Alarms: b.alarms, AsOf: b.asOf,
		Counts: r.counts, Matches: len(r.tops) + len(r.breakouts)}
	o.Rows, o.Before, o.Query.Page, o.Pages = r.page(b)
	b.mu.RUnlock()
	b.fillHours(o.Rows, time.Now())
	return o, seq
}

// justEnded lists the sessions that ended last among those in memory, newest first.
func (b *Board) justEnded() []*room.Summary {
	const most = 8
	var out []*room.Summary
	for _, e := range b.closed {
		if e.heard && !e.summary.EndedAt.IsZero() {
			out = append(out, e.summary)
		}
	}
	slices.SortFunc(out, func(x, y *room.Summary) int {
		return cmp.Or(y.EndedAt.Compare(x.EndedAt), cmp.Compare(x.SID, y.SID))
	})
	return out[:min(len(out), most)]
}

// room is the page of one session as it is now, and the seq that it is of.
func (b *Board) room(key room.Key) (Room, uint64) {
	b.catchUp()
	b.mu.RLock()
	defer b.mu.RUnlock()
	r := Room{SID: key.SID, Sources: b.sourceStates(pageGrain), AlarmCount: len(b.alarms), AsOf: b.asOf}
	e := b.sessions[key]
	if e == nil {
		return r, b.seq
	}
	d := e.session.Detail()
	e.vouch(&d, ahead(b.clocks[key.Source].known().LiveKit()))
	r.Detail = &d
	r.Gaps = b.gapsIn(key.Source, d.Begin(), d.EndedAt)
	r.Parent = b.newestOf(roomKey{key.Source, d.ParentRoomID}, d.Begin())
	r.Breakouts = b.breakoutsOf(e)
	return r, b.seq
}

// newestOf is the session of a room_id that had begun last at a moment: the one a breakout belongs to.
func (b *Board) newestOf(rk roomKey, at time.Time) (newest *room.Summary) {
	if rk.roomID == "" {
		return nil
	}
	for _, e := range b.rooms[rk] {
		if begin := e.summary.Begin(); !begin.After(at) && (newest == nil || begin.After(newest.Begin())) {
			newest = e.summary
		}
	}
	return newest
}

// breakoutsOf lists the breakout rooms of a session. plugNmeet names a parent by its room_id (contract
// 4.7), which an earlier session may have had too.
func (b *Board) breakoutsOf(parent *entry) []*room.Summary {
	var out []*room.Summary
	for _, e := range b.children[parent.room] {
		if b.newestOf(parent.room, e.summary.Begin()) == parent.summary {
			out = append(out, e.summary)
		}
	}
	slices.SortFunc(out, byName)
	return out
}

func byName(x, y *room.Summary) int {
	return cmp.Or(cmp.Compare(x.Name(), y.Name()), x.Begin().Compare(y.Begin()), cmp.Compare(x.SID, y.SID))
}

// footing changes when what pages say about the sources does.
func (b *Board) footing() string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return fmt.Sprint(b.sourceStates(pageGrain))
}
