package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// step leads from one schema version to the next: by SQL, then by Go where that must derive something.
type step struct {
	sql string
	do  func(context.Context, *sql.Tx, *progress) error
}

// progress tells how far a migration is, again and again: one of a million rows takes minutes.
type progress struct {
	of   int          // steps in all
	step atomic.Int64 // that is taken
	rows atomic.Int64 // of it that are done
}

const tellEvery = 5 * time.Second

// tell logs the progress every so often until it is told to stop.
func (p *progress) tell(log *slog.Logger, every time.Duration) (stop func()) {
	var telling sync.WaitGroup
	ended, began := make(chan struct{}), time.Now()
	telling.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
				log.Info("the record is being brought up to date", "step", p.step.Load(), "of", p.of, "rows", p.rows.Load(), "took", time.Since(began).Round(time.Second))
			}
		}
	})
	return func() { close(ended); telling.Wait() }
}

// steps are the migrations; PRAGMA user_version counts those that were run. A released one is never
// changed, only followed by another.
//
// Times are milliseconds since 1970. deliveries is the hot table and has but two whole indexes: that
// which tells duplicates, and that which finds what was delivered of a session; AUTOINCREMENT, because a
// position must never be used twice. words is contentless: the text is with the sessions.
var steps = []step{{sql: version1}, {sql: version2}, {version3, carryDocuments}, {sql: version4}, {sql: accountTables}, {do: carryTitles}, packedFromHere, {timeTables, fillTimes}, {do: carryWords}}

const version1 = `
CREATE TABLE deliveries (
	position    INTEGER PRIMARY KEY AUTOINCREMENT,
	received_at INTEGER NOT NULL,
	created_at  INTEGER NOT NULL,
	source      TEXT NOT NULL,
	id          TEXT NOT NULL,
	event       TEXT NOT NULL,
	room_id     TEXT NOT NULL,
	sid         TEXT NOT NULL,
	verdict     TEXT NOT NULL,
	reason      TEXT NOT NULL,
	lag_ms      INTEGER NOT NULL,
	said        BLOB NOT NULL,
	body        BLOB,
	UNIQUE (id, source)
);
CREATE TABLE notes (
	row         INTEGER PRIMARY KEY,
	received_at INTEGER NOT NULL,
	source      TEXT NOT NULL,
	id          TEXT NOT NULL,
	event       TEXT NOT NULL,
	room_id     TEXT NOT NULL,
	sid         TEXT NOT NULL,
	verdict     TEXT NOT NULL,
	reason      TEXT NOT NULL,
	lag_ms      INTEGER NOT NULL
);
CREATE TABLE sources (
	source   TEXT PRIMARY KEY,
	greatest INTEGER NOT NULL,
	received INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE checkpoint (
	one      INTEGER PRIMARY KEY CHECK (one = 1),
	position INTEGER NOT NULL
);
CREATE TABLE sessions (
	row             INTEGER PRIMARY KEY,
	source          TEXT NOT NULL,
	sid             TEXT NOT NULL,
	room_id         TEXT NOT NULL,
	state           TEXT NOT NULL,
	begin_ms        INTEGER NOT NULL,
	received_ms     INTEGER NOT NULL,
	created_for     INTEGER NOT NULL,
	created_failing INTEGER NOT NULL,
	text_hash       INTEGER NOT NULL,
	summary         BLOB NOT NULL,
	doc             BLOB NOT NULL,
	UNIQUE (sid, source)
);
CREATE INDEX sessions_newest ON sessions (begin_ms, source, sid);
CREATE INDEX sessions_state ON sessions (state, begin_ms, source, sid);
CREATE INDEX sessions_room ON sessions (room_id, begin_ms, source, sid);
CREATE INDEX sessions_received ON sessions (received_ms);
CREATE VIRTUAL TABLE words USING fts5 (text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2');
CREATE TABLE probe (filler BLOB NOT NULL);
`

const version2 = `
CREATE INDEX deliveries_session ON deliveries (sid);
`

// version3 makes a row of a list its place in time (see placeOf), and gives recordings and artifacts
// tables of their own. Every index ends with what a count must see, so that counting reads it alone. The
// partial ones on deliveries leave out what is common: finding that needs no index.
//
// sum is a checksum of the row, see sums.go. Of deliveries it is NULL when they are older than this version.
const version3 = `
DROP INDEX sessions_newest;
DROP INDEX sessions_state;
DROP INDEX sessions_room;
DROP INDEX sessions_received;
ALTER TABLE sessions RENAME TO carried;
CREATE TABLE sessions (
	row             INTEGER PRIMARY KEY,
	source          TEXT NOT NULL,
	sid             TEXT NOT NULL,
	room_id         TEXT NOT NULL,
	parent          TEXT NOT NULL,
	state           TEXT NOT NULL,
	received_ms     INTEGER NOT NULL,
	created_for     INTEGER NOT NULL,
	created_failing INTEGER NOT NULL,
	sum             INTEGER NOT NULL,
	summary         BLOB NOT NULL,
	text            TEXT NOT NULL,
	doc             BLOB NOT NULL,
	UNIQUE (sid, source)
);
CREATE INDEX sessions_state ON sessions (state, row, source);
CREATE INDEX sessions_room ON sessions (room_id, row, source, state);
CREATE INDEX sessions_parent ON sessions (parent, row, source, state);
CREATE INDEX sessions_source ON sessions (source, row, state);
CREATE INDEX sessions_received ON sessions (received_ms, state);
CREATE TABLE recordings (
	row      INTEGER PRIMARY KEY,
	session  INTEGER NOT NULL,
	id       TEXT NOT NULL,
	source   TEXT NOT NULL,
	room_id  TEXT NOT NULL,
	state    TEXT NOT NULL,
	size     INTEGER NOT NULL,
	since_ms INTEGER NOT NULL,
	sum      INTEGER NOT NULL,
	doc      BLOB NOT NULL
);
CREATE INDEX recordings_session ON recordings (session);
CREATE INDEX recordings_state ON recordings (state, row, source, size, since_ms);
CREATE INDEX recordings_room ON recordings (room_id, row, source, state);
CREATE INDEX recordings_source ON recordings (source, row, state);
CREATE TABLE artifacts (
	row     INTEGER PRIMARY KEY,
	session INTEGER NOT NULL,
	id      TEXT NOT NULL,
	source  TEXT NOT NULL,
	room_id TEXT NOT NULL,
	type    TEXT NOT NULL,
	class   TEXT NOT NULL,
	size    INTEGER NOT NULL,
	day     INTEGER NOT NULL,
	unit    TEXT NOT NULL,
	total   INTEGER NOT NULL,
	cost    REAL NOT NULL,
	sum     INTEGER NOT NULL,
	doc     BLOB NOT NULL
);
CREATE INDEX artifacts_session ON artifacts (session);
CREATE INDEX artifacts_type ON artifacts (type, row, source, class);
CREATE INDEX artifacts_class ON artifacts (class, row, source, type);
CREATE INDEX artifacts_room ON artifacts (room_id, row, source, class, type);
CREATE INDEX artifacts_source ON artifacts (source, row, class, type);
CREATE INDEX artifacts_usage ON artifacts (day, unit, row, total, cost, source, room_id) WHERE class = 'usage';
DROP TABLE words;
CREATE VIRTUAL TABLE words USING fts5 (text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE terms USING fts5vocab (words, instance);
ALTER TABLE deliveries ADD COLUMN sum INTEGER;
CREATE INDEX deliveries_verdict ON deliveries (verdict) WHERE verdict <> 'accepted';
CREATE INDEX deliveries_event ON deliveries (event)
	WHERE event NOT IN ('participant_joined', 'participant_left', 'track_published', 'track_unpublished');
ALTER TABLE notes ADD COLUMN code TEXT NOT NULL DEFAULT '';
CREATE TABLE intake (
	minute  INTEGER NOT NULL,
	source  TEXT NOT NULL,
	verdict TEXT NOT NULL,
	n       INTEGER NOT NULL,
	PRIMARY KEY (minute, source, verdict)
) WITHOUT ROWID;
CREATE TABLE samples (
	at          INTEGER PRIMARY KEY,
	rooms       INTEGER NOT NULL,
	people      INTEGER NOT NULL,
	bots        INTEGER NOT NULL,
	microphones INTEGER NOT NULL,
	cameras     INTEGER NOT NULL,
	screens     INTEGER NOT NULL,
	recordings  INTEGER NOT NULL,
	streams     INTEGER NOT NULL
);
CREATE TABLE marks (
	name  TEXT PRIMARY KEY,
	value INTEGER NOT NULL
) WITHOUT ROWID;
`

// version4 adds what waits for Redis, see spool.go. In an embedded record it stays empty.
const version4 = `
CREATE TABLE spool (
	row   INTEGER PRIMARY KEY AUTOINCREMENT,
	entry BLOB NOT NULL,
	said  BLOB NOT NULL,
	body  BLOB
);
`

// packedFromHere changes nothing: what is written from then on is packed, which earlier programs could not read.
var packedFromHere step

// versionOf is how many steps a record has taken, 0 when it is new.
func versionOf(ctx context.Context, db *sql.DB) (version int, err error) {
	err = db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version)
	return version, err
}

// Outdated says whether the next Open of a file has an older record to bring up to date, which may take minutes.
func Outdated(path string) (bool, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	version := make([]byte, 4)
	if _, err := file.ReadAt(version, 60); err != nil { // where SQLite keeps it (sqlite.org/fileformat.html, 1.3)
		if errors.Is(err, io.EOF) {
			err = nil // what is no record says so when it is opened
		}
		return false, err
	}
	return binary.BigEndian.Uint32(version) < uint32(len(steps)), nil
}

// migrate brings the schema from a version to the one that this program knows, in one transaction. It takes as long as
// it takes: ctx must not have the deadline of a start, or a large record would never come to its end.
func migrate(ctx context.Context, db *sql.DB, version int, log *slog.Logger) error {
	p := &progress{of: len(steps)}
	if version > 0 {
		log.Info("an older record is brought up to date; until then nothing is taken", "schema", version, "to", len(steps))
		defer p.tell(log, tellEvery)()
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for ; version < len(steps); version++ {
		p.step.Store(int64(version + 1))
		p.rows.Store(0)
		if err := steps[version].take(ctx, tx, p); err != nil {
			return fmt.Errorf("to schema version %d: %w", version+1, err)
		}
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version+1)); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	log.Debug("the record is up to date", "schema", len(steps))
	return nil
}

func (st step) take(ctx context.Context, tx *sql.Tx, p *progress) error {
	if st.sql != "" {
		if _, err := tx.ExecContext(ctx, st.sql); err != nil {
			return err
		}
	}
	if st.do == nil {
		return nil
	}
	return st.do(ctx, tx, p)
}
