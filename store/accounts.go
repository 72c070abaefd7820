package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/roomwatch/roomwatch/access"
)

// accountTables hold who may look, each thing as a document under its key. Of tokens there are hashes only.
// The mark "accounts" counts what may end somebody's access, so that every serve hears of it.
const accountTables = `
CREATE TABLE users (
	key TEXT PRIMARY KEY,
	doc BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE logins (
	hash BLOB PRIMARY KEY,
	user TEXT NOT NULL,
	ends INTEGER NOT NULL,
	doc  BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX logins_user ON logins (user);
CREATE INDEX logins_ends ON logins (ends);
CREATE TABLE tokens (
	hash BLOB PRIMARY KEY,
	doc  BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE audit (
	row      INTEGER PRIMARY KEY AUTOINCREMENT,
	stranger INTEGER NOT NULL,
	doc      BLOB NOT NULL
);
CREATE INDEX audit_strangers ON audit (row) WHERE stranger = 1;
`

// What is kept at most. A user who logs in once more loses the login that was idle for longest.
const (
	maxUsers     = 5_000
	maxLogins    = 50 // of one user
	maxTokens    = 500
	maxAudited   = 50_000
	maxStrangers = 5_000 // of the audited, what anybody can cause
)

// Accounts are who may look: users, their logins, tokens of machines, and the trail of what they did. All
// of it may be used from many goroutines.
type Accounts struct {
	reads *sql.DB
	write func(context.Context, func(*sql.Tx) error) error
	close func() error
}

// Accounts are those of the record. They end with it.
func (s *SQLite) Accounts() *Accounts {
	return &Accounts{s.accountReads, s.write, func() error { return nil }}
}

// OpenAccounts opens the accounts of a record, beside its serve if there is one. It makes no record, and puts none right.
func OpenAccounts(ctx context.Context, storeURL string) (*Accounts, error) {
	db, err := beside(storeURL)
	if err == nil {
		if err = known(ctx, db); err != nil {
			err = errors.Join(err, db.Close())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open accounts: %w", err)
	}
	return &Accounts{db, func(ctx context.Context, fn func(*sql.Tx) error) error { return alone(ctx, db, fn) }, db.Close}, nil
}

// Close ends what OpenAccounts began.
func (a *Accounts) Close() error { return a.close() }

// alone runs fn in a transaction of a connection of its own.
func alone(ctx context.Context, db *sql.DB, fn func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}

const countUp = `INSERT INTO marks (name, value) VALUES ('accounts', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1`

// Version grows whenever somebody's access may have ended: a login, a user or a token was changed or removed.
func (a *Accounts) Version(ctx context.Context) (version int64, err error) {
	err = a.reads.QueryRowContext(ctx, "SELECT value FROM marks WHERE name = 'accounts'").Scan(&version)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return version, failedAccounts("read the version", err)
}

// changing is a write after which others must look again who may still look.
func (a *Accounts) changing(ctx context.Context, what string, fn func(*sql.Tx) error) error {
	err := a.write(ctx, func(tx *sql.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		_, err := tx.Exec(countUp)
		return err
	})
	return failedAccounts(what, err)
}

// answers are errors that say what is the case rather than that something failed.
var answers = []error{access.ErrUnknown, access.ErrExists, access.ErrLastAdmin, access.ErrTooMany, access.ErrSetupDone}

func isAnswer(err error) bool {
	return slices.ContainsFunc(answers, func(answer error) bool { return errors.Is(err, answer) })
}

// failedAccounts leaves answers alone.
func failedAccounts(what string, err error) error {
	if err == nil {
		return nil
	}
	for _, answer := range answers {
		if errors.Is(err, answer) {
			return answer
		}
	}
	return fmt.Errorf("accounts: %s: %w", what, err)
}

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// docs are the documents that a query yields.
func docs[T any](ctx context.Context, on querier, query string, args ...any) (out []T, err error) {
	rows, err := on.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var doc sql.RawBytes
		var item T
		if err := rows.Scan(&doc); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(doc, &item); err != nil {
			return nil, fmt.Errorf("%w: %w", errUndecodable, err)
		}
		out = append(out, item)
	}
	return out, rows.Err()
}

// one is the document of a query, or access.ErrUnknown.
func one[T any](ctx context.Context, on querier, query string, args ...any) (item T, err error) {
	items, err := docs[T](ctx, on, query, args...)
	if err == nil && len(items) == 0 {
		err = access.ErrUnknown
	}
	if err != nil {
		return item, err
	}
	return items[0], nil
}

func msOf(t time.Time) int64 { return t.UnixMilli() }
