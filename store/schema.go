package store

import (
	"context"
	"database/sql"
	"fmt"
)

// migrations lead from one schema version to the next; PRAGMA user_version counts those that were run.
// A released one is never changed, only followed by another.
//
// Times are milliseconds since 1970. deliveries is the hot table and has but two indexes: that
// which tells duplicates, and that which finds what was delivered of a session; AUTOINCREMENT, because a position must never be used twice. words is contentless: the text
// can always be had from the documents.
var migrations = []string{`
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
`, `
CREATE INDEX deliveries_session ON deliveries (sid);
`}

// migrate brings the schema to the version that this program knows.
func migrate(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var version int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > len(migrations) {
		return fmt.Errorf("written by a newer Roomwatch: schema version %d, this one knows %d", version, len(migrations))
	}
	for ; version < len(migrations); version++ {
		if _, err := tx.ExecContext(ctx, migrations[version]); err != nil {
			return fmt.Errorf("to schema version %d: %w", version+1, err)
		}
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version+1)); err != nil {
			return err
		}
	}
	return tx.Commit()
}
