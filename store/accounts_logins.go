package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/roomwatch/roomwatch/access"
)

const (
	loginOf  = "SELECT doc FROM logins WHERE hash = ?"
	putLogin = "INSERT OR REPLACE INTO logins (hash, user, ends, doc) VALUES (?, ?, ?, ?)"
)

// AddLogin begins a login. Logins that are over are forgotten, and of one user's too many those that were
// idle for longest.
func (a *Accounts) AddLogin(ctx context.Context, l access.Login) error {
	return failedAccounts("add a login", a.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM logins WHERE ends < ?", msOf(l.Begun)); err != nil {
			return err
		}
		if err := setLogin(tx, l); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM logins WHERE hash IN
			(SELECT hash FROM logins WHERE user = ? ORDER BY ends DESC LIMIT -1 OFFSET ?)`, string(l.User), maxLogins)
		return err
	}))
}

func setLogin(tx *sql.Tx, l access.Login) error {
	data, err := json.Marshal(l)
	if err == nil {
		_, err = tx.Exec(putLogin, l.Hash[:], string(l.User), msOf(l.Ends()), data)
	}
	return err
}

// Login is the login of a token, with its user as it is now. The error is access.ErrUnknown. Whether it is
// good is asked by access.Login.Check.
func (a *Accounts) Login(ctx context.Context, token access.Hash) (l access.Login, u access.User, err error) {
	if l, err = one[access.Login](ctx, a.reads, loginOf, token[:]); err == nil {
		u, err = one[access.User](ctx, a.reads, userOf, string(l.User))
	}
	return l, u, failedAccounts("read a login", err)
}

// TouchLogin notes when a login was last seen. One that was removed meanwhile stays removed.
func (a *Accounts) TouchLogin(ctx context.Context, l access.Login) error {
	return failedAccounts("note a login", a.write(ctx, func(tx *sql.Tx) error {
		if _, err := one[access.Login](ctx, tx, loginOf, l.Hash[:]); err != nil {
			return err
		}
		return setLogin(tx, l)
	}))
}

// Logins are those of a user, or everybody's for "", the one seen last first. Some may be over.
func (a *Accounts) Logins(ctx context.Context, user access.UserKey) ([]access.Login, error) {
	query, args := "SELECT doc FROM logins ORDER BY ends DESC LIMIT 1000", []any(nil)
	if user != "" {
		query, args = "SELECT doc FROM logins WHERE user = ? ORDER BY ends DESC", []any{string(user)}
	}
	logins, err := docs[access.Login](ctx, a.reads, query, args...)
	return logins, failedAccounts("list logins", err)
}

// RemoveLogin ends a login. One that is not there has ended already.
func (a *Accounts) RemoveLogin(ctx context.Context, token access.Hash) error {
	return a.changing(ctx, "remove a login", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM logins WHERE hash = ?", token[:])
		return err
	})
}
