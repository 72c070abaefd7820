package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/roomwatch/roomwatch/access"
)

const (
	tokenOf   = "SELECT doc FROM tokens WHERE hash = ?"
	allTokens = "SELECT doc FROM tokens"
	putToken  = "INSERT OR REPLACE INTO tokens (hash, doc) VALUES (?, ?)"
)

// AddToken keeps a new API token, and forgets those that ended long ago. The error is access.ErrTooMany.
func (a *Accounts) AddToken(ctx context.Context, t access.APIToken) error {
	return failedAccounts("add a token", a.write(ctx, func(tx *sql.Tx) error {
		all, err := docs[access.APIToken](ctx, tx, allTokens)
		if err != nil {
			return err
		}
		kept := 0
		for _, old := range all {
			if !old.Forgettable(t.CreatedAt) {
				kept++
				continue
			}
			if _, err := tx.ExecContext(ctx, "DELETE FROM tokens WHERE hash = ?", old.Hash[:]); err != nil {
				return err
			}
		}
		if kept >= maxTokens {
			return access.ErrTooMany
		}
		return putDoc(tx, putToken, t.Hash[:], t)
	}))
}

// Token is the one of a hash, or access.ErrUnknown. Whether it is good is asked by access.APIToken.Check.
func (a *Accounts) Token(ctx context.Context, token access.Hash) (access.APIToken, error) {
	t, err := one[access.APIToken](ctx, a.reads, tokenOf, token[:])
	return t, failedAccounts("read a token", err)
}

// Tokens are all API tokens, revoked and expired ones too.
func (a *Accounts) Tokens(ctx context.Context) ([]access.APIToken, error) {
	tokens, err := docs[access.APIToken](ctx, a.reads, allTokens)
	return tokens, failedAccounts("list tokens", err)
}

// TouchToken notes when a token was last used. It revives nothing.
func (a *Accounts) TouchToken(ctx context.Context, token access.Hash, used time.Time) error {
	return failedAccounts("note a token", a.write(ctx, func(tx *sql.Tx) error {
		return changeToken(ctx, tx, token, func(t *access.APIToken) { t.UsedAt = used })
	}))
}

// RevokeToken ends a token, which stays listed for a while. Others hear of it in the same
// transaction. The error is access.ErrUnknown.
func (a *Accounts) RevokeToken(ctx context.Context, token access.Hash, at time.Time) error {
	return a.changing(ctx, "revoke a token", func(tx *sql.Tx) error {
		return changeToken(ctx, tx, token, func(t *access.APIToken) {
			if t.RevokedAt.IsZero() {
				t.RevokedAt = at
			}
		})
	})
}

func changeToken(ctx context.Context, tx *sql.Tx, token access.Hash, change func(*access.APIToken)) error {
	t, err := one[access.APIToken](ctx, tx, tokenOf, token[:])
	if err != nil {
		return err
	}
	change(&t)
	return putDoc(tx, putToken, token[:], t)
}
