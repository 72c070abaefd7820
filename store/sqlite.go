// Package store keeps the record: every delivery in the order in which it was taken, and the sessions
// that were folded from them. What Append has answered for is on the disk.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	_ "modernc.org/sqlite" // registers the driver

	"github.com/roomwatch/roomwatch/room"
)

// What callers tell apart.
var (
	ErrHeld      = errors.New("another serve holds the store")
	ErrClosed    = errors.New("the store is closed")
	ErrNotFound  = room.ErrNotFound
	ErrBadCursor = room.ErrBadCursor
)

const (
	readers     = 4    // connections for lists and searches, which may take seconds
	ownReaders  = 2    // connections for what a delivery waits for, and again for accounts: each takes next to no time
	busyTimeout = 1000 // ms that another program's write is waited for; a webhook has 2 s in all
)

// SQLite is the embedded record. All of it may be used from many goroutines.
//
// One goroutine writes (serve); the others hand it their work. Reads have connections of their own,
// which a write does not hold up; and those that everybody waits for have others than lists.
type SQLite struct {
	log           *slog.Logger
	path          string       // "" in memory
	held          *flock.Flock // nil in memory
	files         files
	clock         *wallClock
	writes, reads *sql.DB
	own           *sql.DB              // what the board and the writer read: a delivery must not wait behind a search
	accountReads  *sql.DB              // who somebody is: no page opens before that is known
	searches      chan struct{}        // holds a token for each that goes on, see searching
	prepared      map[string]*sql.Stmt // the writer's, by their text
	asking        map[string]*sql.Stmt // the readers', of what is asked with every delivery or save
	space         []byte               // the writer's, for sums
	words         words                // the writer's
	warnings      []string             // as of Open

	gate    sync.RWMutex // held for reading while work is handed in, so that Close finds all of it
	closed  bool
	closing chan struct{}
	running sync.WaitGroup
	appends chan *pending
	jobs    chan *job
	urgent  chan *job // done before the others, see writeFirst

	tail     tail
	versions versions
	sources  sources
	saving   sync.Mutex // one Save at a time: it reads, merges and writes; nor does retention take sessions meanwhile
	notes    chan room.Delivery
	noted    atomic.Uint64
	dropped  atomic.Uint64

	probing *time.Ticker // when the writer looks whether all is well, without being asked
	trouble atomic.Pointer[error]
	began   atomic.Int64 // when the transaction that runs now began, in ns; 0 when none runs
	damaged atomic.Bool  // SQLite found the file damaged
	saved   atomic.Bool  // the file is gone, and what it held was saved, see save
	gone    bool         // the writer has met that it is gone or cut off
	suspect atomic.Bool  // something in it could not be read
}

// Open opens the record at a STORE url, "file:PATH" or "memory:". A file has one holder: ErrHeld when there is
// another. A file that does not exist is made; its folder must exist. One that is damaged is set aside,
// and a fresh record begun: see Warnings.
func Open(ctx context.Context, storeURL string, log *slog.Logger) (*SQLite, error) {
	s := &SQLite{
		log:      log,
		clock:    newClock(),
		words:    make(words),
		searches: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1)),
		closing:  make(chan struct{}),
		appends:  make(chan *pending, maxWaiting),
		jobs:     make(chan *job),
		urgent:   make(chan *job),
		notes:    make(chan room.Delivery, maxWaiting),
		probing:  time.NewTicker(time.Second),
	}
	err := s.hold(storeURL)
	if err == nil {
		err = s.begin(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("open store: %w", errors.Join(err, s.disconnect(), s.letGo()))
	}
	s.running.Go(s.serve)
	s.running.Go(s.keepNotes)
	return s, nil
}

// pathOf is the file of a STORE url, "" for memory.
func pathOf(storeURL string) (string, error) {
	switch path, isFile := strings.CutPrefix(storeURL, "file:"); {
	case isFile && path != "":
		return filepath.Abs(path)
	case storeURL == "memory:":
		return "", nil
	}
	return "", fmt.Errorf("%q: only file:PATH and memory: are known", storeURL)
}

func (s *SQLite) hold(storeURL string) (err error) {
	if s.path, err = pathOf(storeURL); err != nil || s.path == "" {
		return err
	}
	held := flock.New(s.path+".lock", flock.SetPermissions(0o600))
	locked, err := held.TryLock()
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	if !locked {
		return ErrHeld
	}
	s.held = held
	return nil
}

// begin opens and reads the record, a fresh one when the file is damaged.
func (s *SQLite) begin(ctx context.Context) error {
	err := s.connectAndLoad(ctx)
	if isDamage(err) && s.path != "" {
		if err := errors.Join(s.disconnect(), s.setAside(err)); err != nil {
			return err
		}
		err = s.connectAndLoad(ctx)
	}
	if err != nil {
		return err
	}
	return s.lookBeside()
}

func (s *SQLite) connectAndLoad(ctx context.Context) error {
	open := s.openFile
	if s.path == "" {
		open = s.openMemory
	}
	if err := open(); err != nil {
		return err
	}
	return s.load(ctx)
}

func (s *SQLite) openFile() error {
	err := s.files.hold(s.path)
	if err != nil {
		return err
	}
	s.writes, err = connect(s.path, 1, "journal_mode(wal)", "synchronous(full)", "journal_size_limit(67108864)", "wal_autocheckpoint(8000)")
	if err != nil {
		return err
	}
	for _, pool := range []struct {
		db          **sql.DB
		connections int
	}{{&s.reads, readers}, {&s.own, ownReaders}, {&s.accountReads, ownReaders}} {
		if *pool.db, err = connect(s.path, pool.connections, "query_only(1)"); err != nil {
			return err
		}
	}
	return nil
}

// openMemory keeps the record in the memory of a single connection, which is the database: readers wait
// for the writer and the other way round. The alternatives are worse: a shared cache fails reads with
// "table is locked", and the memdb VFS makes readers and writer wait for each other by sleeping.
// A read that is cancelled does not lose the connection, the driver sees to that.
func (s *SQLite) openMemory() (err error) {
	s.writes, err = connect(":memory:", 1)
	s.reads, s.own, s.accountReads = s.writes, s.writes, s.writes
	return err
}

// connect opens connections to a file that is there. It makes none: a connection may be opened late, after somebody
// removed the file.
func connect(path string, connections int, pragmas ...string) (*sql.DB, error) {
	return connectAs(path, url.Values{"mode": {"rw"}}, connections, pragmas...)
}

func connectAs(path string, access url.Values, connections int, pragmas ...string) (*sql.DB, error) {
	query := url.Values{"_txlock": {"immediate"}, "_busy_timeout": {fmt.Sprint(busyTimeout)}}
	query["_pragma"] = append(pragmas, "foreign_keys(0)", "temp_store(memory)")
	dsn := path + "?" + query.Encode()
	if path != ":memory:" {
		maps.Copy(query, access)
		dsn = (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String()
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// load brings the schema up to date and reads what the writer must know.
func (s *SQLite) load(ctx context.Context) error {
	version, err := s.examine(ctx)
	if err != nil {
		return err
	}
	if version > len(steps) {
		return fmt.Errorf("written by a newer Roomwatch: schema version %d, this one knows %d", version, len(steps))
	}
	if version < len(steps) {
		if err := migrate(ctx, s.writes, version, s.log); err != nil {
			return err
		}
	}
	if s.prepared, err = prepare(ctx, s.writes, slices.Concat(sessionWrites,
		[]string{putLasting, dropLasting, putReceived, insertDelivery, bodyOf, putSource, addIntake, putCheckpoint, insertNote, putMark})); err != nil {
		return err
	}
	if s.asking, err = prepare(ctx, s.own, []string{documentOf, standingOf, heardOf, siblingsOf}); err != nil {
		return err
	}
	if err := s.sources.load(ctx, s.writes); err != nil {
		return err
	}
	end, err := s.end(ctx)
	if err != nil {
		return err
	}
	s.tail.begin(end)
	if err := s.readClock(ctx); err != nil {
		return err
	}
	if err := s.markOpen(ctx); err != nil {
		return err
	}
	if err := s.openReaders(ctx); err != nil {
		return err
	}
	return s.files.know()
}

// openReaders opens all connections that read, so that none is opened later, when another file may be there.
func (s *SQLite) openReaders(ctx context.Context) error {
	if s.path == "" {
		return nil
	}
	var opened []*sql.Conn
	defer func() {
		for _, conn := range opened {
			_ = conn.Close() // it goes back to the others
		}
	}()
	for _, pool := range []*sql.DB{s.reads, s.own, s.accountReads} {
		for range pool.Stats().MaxOpenConnections {
			conn, err := pool.Conn(ctx)
			if err != nil {
				return err
			}
			opened = append(opened, conn)
		}
	}
	return nil
}

// preparer is a database or a transaction.
type preparer interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

func prepare(ctx context.Context, on preparer, queries []string) (map[string]*sql.Stmt, error) {
	prepared := make(map[string]*sql.Stmt, len(queries))
	for _, query := range queries {
		stmt, err := on.PrepareContext(ctx, query)
		if err != nil {
			return nil, err
		}
		prepared[query] = stmt
	}
	return prepared, nil
}

// in gives the writer's statements in a transaction.
func (s *SQLite) in(tx *sql.Tx) writes {
	bound := make(map[string]*sql.Stmt)
	return func(query string) *sql.Stmt {
		stmt := bound[query]
		if stmt == nil {
			stmt = tx.Stmt(s.prepared[query])
			bound[query] = stmt
		}
		return stmt
	}
}

// failed is err with what was done. Whatever fails for the file's damage is remembered.
func (s *SQLite) failed(what string, err error) error {
	s.remember(err)
	return fmt.Errorf("%s: %w", what, err)
}

// Leads: nobody else has an embedded record, so its serve does what only one should do.
func (s *SQLite) Leads() bool { return true }

// AsOf is zero: what is delivered is shown at once.
func (s *SQLite) AsOf() time.Time { return time.Time{} }

// Close commits and answers what was handed in, then closes the record. Work that comes later gets
// ErrClosed, and so do followers.
func (s *SQLite) Close() error {
	s.gate.Lock()
	if s.closed {
		s.gate.Unlock()
		return nil
	}
	s.closed = true
	s.gate.Unlock()
	close(s.appends)
	close(s.closing)
	s.running.Wait()
	s.markClosed()
	return errors.Join(s.disconnect(), s.letGo())
}

func (s *SQLite) disconnect() error {
	var errs []error
	back := s.files.aside()
	for _, reads := range []*sql.DB{s.reads, s.own, s.accountReads} {
		if reads != nil && reads != s.writes {
			errs = append(errs, reads.Close())
		}
	}
	if s.writes != nil {
		errs = append(errs, s.writes.Close()) // last, so that it folds the write-ahead log into the file
	}
	s.reads, s.own, s.accountReads, s.writes = nil, nil, nil, nil
	return errors.Join(append(errs, back(), s.files.letGo())...)
}

func (s *SQLite) letGo() error {
	if s.held == nil {
		return nil
	}
	return s.held.Unlock()
}
