package store

import (
	"context"
	"database/sql"
	"fmt"
)

// step leads from one schema version to the next: by SQL, then by Go where that must derive something.
type step struct {
	sql string
	do  func(context.Context, *sql.Tx) error
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

// migrate brings the schema from a version to the one that this program knows. Once begun it is not
// given up: a large record would never come to its end otherwise.
func migrate(ctx context.Context, db *sql.DB, version int) error {
	ctx = context.WithoutCancel(ctx)
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for ; version < len(steps); version++ {
		if err := steps[version].take(ctx, tx); err != nil {
			return fmt.Errorf("to schema version %d: %w", version+1, err)
		}
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version+1)); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (st step) take(ctx context.Context, tx *sql.Tx) error {
	if st.sql != "" {
		if _, err := tx.ExecContext(ctx, st.sql); err != nil {
			return err
		}
	}
	if st.do == nil {
		return nil
	}
	return st.do(ctx, tx)
}
