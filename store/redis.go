package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/roomwatch/roomwatch/room"
)

// documentSchema grows when documents or entries get facts that an older Roomwatch would lose by reading
// and writing them. Such a one then never leads.
const documentSchema = 2

// pace is how often and how long things are tried; tests make it shorter.
type pace struct {
	lease  time.Duration // how long the lead lasts unless it is renewed
	tend   time.Duration // between two looks at the spool, the lead and the documents
	look   time.Duration // between two looks at the state of the log
	pause  time.Duration // before a broken connection is made again
	opened time.Duration // how long Open waits to have read the log
	again  time.Duration // between two looks at how Redis is set up
}

var usualPace = pace{lease: 6 * time.Second, tend: 250 * time.Millisecond, look: 500 * time.Millisecond,
	pause: 200 * time.Millisecond, opened: 5 * time.Second, again: time.Minute}

// Redis is a record that several replicas share. What Append has answered for is in the log in Redis and,
// where that has replicas, in one of them; or it is in the spool on this machine's disk.
//
// Each replica follows the log into a projection of its own, which is embedded here: it answers every
// question, also while Redis is away.
type Redis struct {
	*SQLite
	pace
	name           string // of this replica
	client, reader redis.UniversalClient
	connects       atomic.Uint64 // of reader, since the start
	replicated     atomic.Bool   // WAIT is required
	shared         bool          // Sentinel or Cluster: replicas are always there

	spool *spool // nil when it is off
	notes chan room.Delivery
	held  held
	sends chan *sending
	fault atomic.Pointer[error] // why deliveries go to the spool now
	since atomic.Int64          // when that began, or began the last time; in ms since 1970
	read  atomic.Int64          // when the log was last read; in ms since 1970

	stop    context.CancelFunc
	tasks   sync.WaitGroup
	ended   chan struct{} // closed when Close begins
	closing sync.Once

	caught     chan struct{} // closed when the log was read to the end that it had at the start
	unfollowed atomic.Pointer[error]
	lost       atomic.Bool // the log is not what it was: whoever leads begins a new record

	reloading  sync.Mutex
	generation int // of the documents: grows when they changed beneath the sessions in memory
	loaded     int // the generation that was read last
	reload     chan struct{}

	scribing  sync.Mutex
	unsaved   map[room.Key]int64 // saved here and not yet in Redis, with the checkpoint of then
	sums      sums
	leadUntil atomic.Int64 // in ns since 1970
	looked    time.Time    // when the lead was last asked for; used by tend alone
	wrote     bool         // the scribe's last work succeeded; used by tend alone
	notesRead int64        // up to where notes were read; used by follow alone
	patience  int64        // how many entries are read at a time; used by follow alone
	written   atomic.Int64 // the checkpoint in Redis, as last seen
	examined  time.Time    // when the set-up of Redis was last looked at; used by tend alone
	warned    atomic.Pointer[[]string]
	secret    atomic.Pointer[string] // fingerprint of ours; nil until it is told
	differs   atomic.Bool            // another replica has another one
	compared  time.Time              // when that was last looked at; used by tend alone
}

// OpenRedis opens the record at a STORE url. The projection and the spool are in the file spoolPath; with
// "off" the projection is in memory, and there is no spool. It fails when Redis answers but cannot be
// used. When it does not answer, it begins with what the projection knows.
func OpenRedis(ctx context.Context, storeURL, spoolPath string, log *slog.Logger) (*Redis, error) {
	return openRedis(ctx, storeURL, spoolPath, usualPace, log)
}

func openRedis(ctx context.Context, storeURL, spoolPath string, pace pace, log *slog.Logger) (*Redis, error) {
	options, err := optionsOf(storeURL)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	r := &Redis{pace: pace, name: rand.Text(), shared: options.MasterName != "" || options.IsClusterMode,
		sends: make(chan *sending, maxWaiting), notes: make(chan room.Delivery, maxWaiting), ended: make(chan struct{}), caught: make(chan struct{}), reload: make(chan struct{}),
		unsaved: make(map[room.Key]int64), patience: followBatch, held: held{entries: make(map[idKey]heldEntry)}}
	r.replicated.Store(r.shared)
	r.client = dial(*options, func() {})
	alone := *options
	alone.PoolSize = 1
	r.reader = dial(alone, func() { r.connects.Add(1) })
	if err := r.examineRedis(ctx, log); err != nil {
		return nil, errors.Join(fmt.Errorf("open store: %w", err), r.client.Close(), r.reader.Close())
	}
	if err := r.openLocal(ctx, spoolPath, log); err != nil {
		return nil, errors.Join(err, r.client.Close(), r.reader.Close())
	}
	r.beginClock(ctx)
	r.start(ctx)
	return r, nil
}

func (r *Redis) openLocal(ctx context.Context, path string, log *slog.Logger) (err error) {
	if path == "off" {
		r.SQLite, err = Open(ctx, "memory:", log)
		return err
	}
	if r.SQLite, err = Open(ctx, "file:"+path, log); err != nil {
		return fmt.Errorf("the local file of a Redis installation (SPOOL): %w", err)
	}
	if r.spool, err = openSpool(ctx, r.SQLite); err == nil {
		err = r.foldAgain(ctx)
	}
	if err != nil {
		return errors.Join(err, r.SQLite.Close())
	}
	return nil
}

func (r *Redis) start(ctx context.Context) {
	run, stop := context.WithCancel(context.Background())
	r.stop = stop
	for range lanes {
		r.tasks.Go(func() { r.lane(run) })
	}
	r.tasks.Go(func() { r.follow(run) })
	r.tasks.Go(func() { r.tend(run) })
	r.tasks.Go(func() { r.passNotes(run) })
	r.awaitLog(ctx)
	r.reloading.Lock()
	defer r.reloading.Unlock()
	r.loaded = r.generation
}

// awaitLog waits until the log was read, for a while, and not when it cannot be.
func (r *Redis) awaitLog(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, r.opened)
	defer cancel()
	tick := time.NewTicker(r.pause)
	defer tick.Stop()
	for {
		select {
		case <-r.caught:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
			if r.unreachable() {
				return
			}
		}
	}
}

func (r *Redis) unreachable() bool {
	err := r.unfollowed.Load()
	return err != nil && !errors.Is(*err, errNoRecord)
}

// Close answers what was handed in, writes what this replica leads, and gives up the lead.
func (r *Redis) Close() (err error) {
	r.closing.Do(func() {
		close(r.ended)
		r.stop()
		r.tasks.Wait()
		r.resign()
		if r.spool != nil {
			r.spool.close()
		}
		err = errors.Join(r.client.Close(), r.reader.Close(), r.SQLite.Close())
	})
	return err
}

// redisTime is how long Redis has for a delivery in all, waiting included; then the spool has its time.
const redisTime = 1200 * time.Millisecond

// Append stores a delivery durably in Redis, or in the spool when Redis does not take it in time. It
// returns what SQLite's Append does. Of a delivery in the spool neither the position nor whether it is a
// duplicate is known.
func (r *Redis) Append(ctx context.Context, d room.Delivery) (room.Delivery, error) {
	if d.Said == nil || d.ID == "" {
		return room.Delivery{}, errors.New("append delivery: it says nothing or has no id")
	}
	said, err := encodeSaid(d.Said)
	if err != nil {
		return room.Delivery{}, fmt.Errorf("append delivery: %w", err)
	}
	d.ReceivedAt, d.Position = d.ReceivedAt.UTC().Truncate(time.Millisecond), ""
	e, began := logged{d, said}, time.Now()
	recorded, err := r.offer(ctx, e)
	if err == nil {
		return recorded, nil
	}
	select {
	case <-r.ended:
		return room.Delivery{}, fmt.Errorf("append delivery: %w", ErrClosed)
	default:
	}
	if ctx.Err() == nil && r.spool != nil {
		within, cancel := context.WithDeadline(ctx, began.Add(redisTime+spoolTime))
		defer cancel()
		if err = r.spool.put(within, e); err == nil {
			return d, nil
		}
	}
	return room.Delivery{}, fmt.Errorf("append delivery: %w", cmp.Or(ctx.Err(), err))
}

// End is the position of the newest entry, once the log was read to the end that it had at the start; as
// long as Redis cannot be reached, of the newest that is known here.
func (r *Redis) End(ctx context.Context) (string, error) {
	tick := time.NewTicker(r.look)
	defer tick.Stop()
	for {
		select {
		case <-r.caught:
			return r.SQLite.End(ctx)
		case <-ctx.Done():
			return "", ctx.Err()
		case <-r.ended:
			return "", ErrClosed
		case <-tick.C:
			if r.unreachable() {
				return r.SQLite.End(ctx)
			}
		}
	}
}

// Follow is SQLite's. It also returns room.ErrReload, when documents have changed beneath what was loaded
// from them: the caller reads them again (Recent, Load) and goes on from where it was.
func (r *Redis) Follow(ctx context.Context, after string, fn func([]room.Delivery) error) error {
	r.reloading.Lock()
	stale, changed := r.loaded != r.generation, r.reload
	r.reloading.Unlock()
	if stale {
		return room.ErrReload
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-changed:
			cancel(room.ErrReload)
		case <-ctx.Done():
		}
	}()
	err := r.SQLite.Follow(ctx, after, fn)
	if errors.Is(context.Cause(ctx), room.ErrReload) {
		return room.ErrReload
	}
	return err
}

// Recent is SQLite's. Whoever asks knows the documents as they are.
func (r *Redis) Recent(ctx context.Context, since time.Time, fn func(*room.Session) error) error {
	r.reloading.Lock()
	r.loaded = r.generation
	r.reloading.Unlock()
	return r.SQLite.Recent(ctx, since, fn)
}

// turn tells followers that documents have changed.
func (r *Redis) turn() {
	r.reloading.Lock()
	defer r.reloading.Unlock()
	r.generation++
	close(r.reload)
	r.reload = make(chan struct{})
}

// Save saves sessions here; whoever leads then writes them to Redis.
func (r *Redis) Save(ctx context.Context, sessions []*room.Session, checkpoint string) error {
	r.scribing.Lock() // with the checkpoint, the scribe must find all that is saved up to it
	defer r.scribing.Unlock()
	if err := r.SQLite.Save(ctx, sessions, checkpoint); err != nil {
		return err
	}
	position, err := parsePosition(checkpoint)
	for _, s := range sessions {
		r.unsaved[s.Key()] = position
	}
	return err
}
