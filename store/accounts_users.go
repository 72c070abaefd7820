package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/roomwatch/roomwatch/access"
)

const (
	userOf   = "SELECT doc FROM users WHERE key = ?"
	allUsers = "SELECT doc FROM users ORDER BY key"
	putUser  = "INSERT OR REPLACE INTO users (key, doc) VALUES (?, ?)"
)

// Users are all there are, by their keys.
func (a *Accounts) Users(ctx context.Context) ([]access.User, error) {
	users, err := docs[access.User](ctx, a.reads, allUsers)
	return users, failedAccounts("list users", err)
}

// User is one of them, or access.ErrUnknown.
func (a *Accounts) User(ctx context.Context, key access.UserKey) (access.User, error) {
	u, err := one[access.User](ctx, a.reads, userOf, string(key))
	return u, failedAccounts("read a user", err)
}

// AddUser adds somebody new. The error is access.ErrExists or, of one who must be the first,
// access.ErrSetupDone.
func (a *Accounts) AddUser(ctx context.Context, u access.User, first bool) error {
	return failedAccounts("add a user", a.write(ctx, func(tx *sql.Tx) error {
		all, err := docs[access.User](ctx, tx, allUsers)
		if err != nil {
			return err
		}
		if err := access.Addable(all, u, first, maxUsers); err != nil {
			return err
		}
		return putDoc(tx, putUser, string(u.Key), u)
	}))
}

// ChangeUser changes a user and returns how it was and is. The error is access.ErrUnknown or
// access.ErrLastAdmin.
func (a *Accounts) ChangeUser(ctx context.Context, key access.UserKey, change func(access.User) access.User) (before, after access.User, err error) {
	err = a.changing(ctx, "change a user", func(tx *sql.Tx) error {
		all, err := docs[access.User](ctx, tx, allUsers)
		if err != nil {
			return err
		}
		if before, err = one[access.User](ctx, tx, userOf, string(key)); err != nil {
			return err
		}
		if after, err = access.Changed(all, before, change(before)); err != nil {
			return err
		}
		return putDoc(tx, putUser, string(key), after)
	})
	return before, after, err
}

// RemoveUser removes a user with all logins. The error is access.ErrUnknown or access.ErrLastAdmin.
func (a *Accounts) RemoveUser(ctx context.Context, key access.UserKey) error {
	return a.changing(ctx, "remove a user", func(tx *sql.Tx) error {
		all, err := docs[access.User](ctx, tx, allUsers)
		if err != nil {
			return err
		}
		before, err := one[access.User](ctx, tx, userOf, string(key))
		if err != nil {
			return err
		}
		if _, err := access.Changed(all, before, access.User{}); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM logins WHERE user = ?", string(key)); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM users WHERE key = ?", string(key))
		return err
	})
}

func putDoc(tx *sql.Tx, query string, key any, doc any) error {
	data, err := json.Marshal(doc)
	if err == nil {
		_, err = tx.Exec(query, key, data)
	}
	return err
}
