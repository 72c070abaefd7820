package store

import (
	"database/sql"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/access"
)

func TestFault52AnAnswerIsNoTroubleOfTheStore(t *testing.T) {
	t.Parallel()
	s := openAt(t, "memory:")
	a, ctx := s.Accounts(), t.Context()
	wants(t, "the first", a.AddUser(ctx, local("ana", access.Admin), true), nil)
	for what, c := range map[string]struct {
		do   func() error
		want error
	}{
		"a user who is there": {func() error { return a.AddUser(ctx, local("ana", access.Viewer), false) }, access.ErrExists},
		"a second first user": {func() error { return a.AddUser(ctx, local("eve", access.Admin), true) }, access.ErrSetupDone},
		"the last admin, demoted": {func() error {
			return changed(a, "ana", func(u access.User) access.User { return u.WithRole(access.Viewer) })
		}, access.ErrLastAdmin},
		"the last admin, removed":  {func() error { return a.RemoveUser(ctx, access.LocalKey("ana")) }, access.ErrLastAdmin},
		"a token that is not":      {func() error { return a.RevokeToken(ctx, tokenHash("none"), time.Now()) }, access.ErrUnknown},
		"the use of one":           {func() error { return a.TouchToken(ctx, tokenHash("none"), time.Now()) }, access.ErrUnknown},
		"a login that was removed": {func() error { return a.TouchLogin(ctx, access.Login{Hash: tokenHash("none")}) }, access.ErrUnknown},
	} {
		wants(t, what, c.do(), c.want)
		if err := s.Health(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A token is revoked and everybody told, or neither.
func TestATokenIsRevokedInOneTransaction(t *testing.T) {
	t.Parallel()
	s := openAt(t, "memory:")
	a, ctx := s.Accounts(), t.Context()
	token := access.APIToken{Hash: tokenHash("t"), Name: "t", CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}
	wants(t, "a token", a.AddToken(ctx, token), nil)
	exec := func(query string) {
		t.Helper()
		wants(t, query, s.write(ctx, func(tx *sql.Tx) error { _, err := tx.Exec(query); return err }), nil)
	}
	exec("CREATE TRIGGER mute BEFORE INSERT ON marks WHEN new.name = 'accounts' BEGIN SELECT RAISE(ABORT, 'nobody is told'); END")
	if err := a.RevokeToken(ctx, token.Hash, time.Now()); err == nil {
		t.Error("it is revoked although nobody is told")
	}
	if got, err := a.Token(ctx, token.Hash); err != nil || !got.RevokedAt.IsZero() {
		t.Errorf("it is half revoked: %+v, %v", got, err)
	}
	exec("DROP TRIGGER mute")
	before, _ := a.Version(ctx)
	wants(t, "revoking", a.RevokeToken(ctx, token.Hash, time.Now()), nil)
	if after, err := a.Version(ctx); err != nil || after != before+1 {
		t.Errorf("the version went from %d to %d, %v", before, after, err)
	}
}
