package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/redistest"
)

// book is what every kind of accounts does.
type book interface {
	Users(ctx context.Context) ([]access.User, error)
	User(ctx context.Context, key access.UserKey) (access.User, error)
	AddUser(ctx context.Context, u access.User, first bool) error
	ChangeUser(ctx context.Context, key access.UserKey, change func(access.User) access.User) (before, after access.User, err error)
	RemoveUser(ctx context.Context, key access.UserKey) error
	AddLogin(ctx context.Context, l access.Login) error
	Login(ctx context.Context, token access.Hash) (access.Login, access.User, error)
	TouchLogin(ctx context.Context, l access.Login) error
	Logins(ctx context.Context, user access.UserKey) ([]access.Login, error)
	RemoveLogin(ctx context.Context, token access.Hash) error
	AddToken(ctx context.Context, t access.APIToken) error
	Token(ctx context.Context, token access.Hash) (access.APIToken, error)
	Tokens(ctx context.Context) ([]access.APIToken, error)
	TouchToken(ctx context.Context, token access.Hash, used time.Time) error
	RevokeToken(ctx context.Context, token access.Hash, at time.Time) error
	AddEntry(ctx context.Context, e access.Entry) error
	Audit(ctx context.Context, before int64, limit int) ([]access.Entry, int64, error)
	Version(ctx context.Context) (int64, error)
	Close() error
}

// forEachBook runs a claim against the accounts of every kind of store. Each gives two: what one program writes,
// the other reads.
func forEachBook(t *testing.T, claim func(t *testing.T, a, b book)) {
	must := func(t *testing.T, b book, err error) book {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
		return b
	}
	t.Run("file, beside its serve", func(t *testing.T) {
		url := "file:" + filepath.Join(t.TempDir(), "a record?.db")
		serve := openAt(t, url)
		beside, err := OpenAccounts(t.Context(), url)
		claim(t, serve.Accounts(), must(t, beside, err))
	})
	t.Run("memory", func(t *testing.T) {
		accounts := openAt(t, "memory:").Accounts()
		claim(t, accounts, accounts)
	})
	t.Run("redis, beside a replica", func(t *testing.T) {
		url := leastRights(t)
		beside, err := OpenRedisAccounts(t.Context(), url)
		claim(t, replica(t, url).Accounts(), must(t, beside, err))
	})
}

func local(name string, role access.Role) access.User {
	return access.User{Key: access.LocalKey(name), Name: name, Role: role, Password: "$argon2id$", CreatedAt: noon}
}

func tokenHash(text string) access.Hash { return access.HashOf(text) }

func wants(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) || want == nil && err != nil {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func TestUsersAreKeptWithWhatTheyMay(t *testing.T) {
	forEachBook(t, func(t *testing.T, a, b book) {
		ctx := t.Context()
		_, err := a.User(ctx, access.LocalKey("ana"))
		wants(t, "somebody who is not there", err, access.ErrUnknown)
		wants(t, "the first", a.AddUser(ctx, local("ana", access.Admin), true), nil)
		wants(t, "a second first", b.AddUser(ctx, local("eve", access.Admin), true), access.ErrSetupDone)
		wants(t, "the same", b.AddUser(ctx, local("ana", access.Viewer), false), access.ErrExists)
		wants(t, "another", b.AddUser(ctx, local("bo", access.Viewer), false), nil)
		users, err := a.Users(ctx)
		if err != nil || len(users) != 2 || users[0] != local("ana", access.Admin) || users[1].Name != "bo" {
			t.Errorf("users are %v, %v", users, err)
		}
		for what, err := range map[string]error{
			"a lesser role": changed(b, "ana", func(u access.User) access.User { return u.WithRole(access.Operator) }),
			"locking out":   changed(b, "ana", func(u access.User) access.User { return u.WithDisabled(true) }),
			"removing":      b.RemoveUser(ctx, access.LocalKey("ana")),
		} {
			wants(t, what+" the last admin", err, access.ErrLastAdmin)
		}
		before, _ := a.Version(ctx)
		wants(t, "a role", changed(a, "bo", func(u access.User) access.User { return u.WithRole(access.Admin) }), nil)
		if after, err := b.Version(ctx); err != nil || after <= before {
			t.Errorf("the version went from %d to %d, %v", before, after, err)
		}
		wants(t, "removing one of two admins", b.RemoveUser(ctx, access.LocalKey("ana")), nil)
		wants(t, "removing somebody who is not there", a.RemoveUser(ctx, access.LocalKey("ana")), access.ErrUnknown)
		wants(t, "changing somebody who is not there", changed(a, "ana", func(u access.User) access.User { return u }), access.ErrUnknown)
		if u, err := a.User(ctx, access.LocalKey("bo")); err != nil || u.Role != access.Admin || u.Generation != 1 {
			t.Errorf("bo is %+v, %v", u, err)
		}
	})
}

func changed(b book, name string, change func(access.User) access.User) error {
	_, _, err := b.ChangeUser(context.Background(), access.LocalKey(name), change)
	return err
}

func TestTwoAdminsWhoRemoveEachOtherLeaveOne(t *testing.T) {
	forEachBook(t, func(t *testing.T, a, b book) {
		for round := range 10 {
			names := [2]string{fmt.Sprint("ana", round), fmt.Sprint("bo", round)}
			for _, name := range names {
				wants(t, "adding", a.AddUser(t.Context(), local(name, access.Admin), false), nil)
			}
			var both sync.WaitGroup
			for i, by := range []book{a, b} {
				both.Go(func() { _ = by.RemoveUser(context.Background(), access.LocalKey(names[i])) })
			}
			both.Wait()
			users, err := a.Users(t.Context())
			admins := 0
			for _, u := range users {
				if u.Role == access.Admin {
					admins++
				}
			}
			if err != nil || admins == 0 {
				t.Fatalf("round %d: nobody is left, %v", round, err)
			}
		}
	})
}

func TestOfTwoWhoWouldBeTheFirstOneIs(t *testing.T) {
	forEachBook(t, func(t *testing.T, a, b book) {
		var won [2]error
		var both sync.WaitGroup
		for i, by := range []book{a, b} {
			both.Go(func() {
				won[i] = by.AddUser(context.Background(), local([2]string{"ana", "eve"}[i], access.Admin), true)
			})
		}
		both.Wait()
		if (won[0] == nil) == (won[1] == nil) {
			t.Errorf("they were told %v and %v", won[0], won[1])
		}
	})
}

func TestLoginsEndWithTheirUserAndByThemselves(t *testing.T) {
	forEachBook(t, func(t *testing.T, a, b book) {
		ctx := t.Context()
		ana := local("ana", access.Admin)
		wants(t, "adding", a.AddUser(ctx, ana, false), nil)
		wants(t, "adding", a.AddUser(ctx, local("bo", access.Admin), false), nil)
		login := access.NewLogin(tokenHash("one"), ana, "192.0.2.1", "a browser", noon)
		wants(t, "logging in", a.AddLogin(ctx, login), nil)
		l, u, err := b.Login(ctx, tokenHash("one"))
		if err != nil || l != login || u != ana {
			t.Errorf("the login is %+v of %+v, %v", l, u, err)
		}
		_, _, err = b.Login(ctx, tokenHash("two"))
		wants(t, "a token that was made up", err, access.ErrUnknown)
		login.Seen = noon.Add(time.Hour)
		wants(t, "a request", b.TouchLogin(ctx, login), nil)
		if l, _, err := a.Login(ctx, tokenHash("one")); err != nil || !l.Seen.Equal(login.Seen) {
			t.Errorf("seen at %v, %v", l.Seen, err)
		}
		before, _ := a.Version(ctx)
		wants(t, "logging out", b.RemoveLogin(ctx, tokenHash("one")), nil)
		if after, _ := a.Version(ctx); after <= before {
			t.Error("others do not hear of a logout")
		}
		_, _, err = a.Login(ctx, tokenHash("one"))
		wants(t, "after logging out", err, access.ErrUnknown)
		if err := a.TouchLogin(ctx, login); err != nil && !errors.Is(err, access.ErrUnknown) {
			t.Error(err)
		}
		_, _, err = a.Login(ctx, tokenHash("one"))
		wants(t, "after a late request", err, access.ErrUnknown)

		for n := range maxLogins + 3 {
			wants(t, "many logins", a.AddLogin(ctx, access.NewLogin(tokenHash(fmt.Sprint("many", n)), ana, "", "", noon.Add(time.Duration(n)*time.Minute))), nil)
		}
		logins, err := b.Logins(ctx, ana.Key)
		if err != nil || len(logins) != maxLogins || logins[0].Hash != tokenHash(fmt.Sprint("many", maxLogins+2)) {
			t.Errorf("%d logins are left, %v", len(logins), err)
		}
		wants(t, "a login days later", a.AddLogin(ctx, access.NewLogin(tokenHash("later"), local("bo", access.Admin), "", "", noon.Add(9*24*time.Hour))), nil)
		if logins, err := b.Logins(ctx, ""); err != nil || len(logins) != 1 {
			t.Errorf("%d logins are left when nearly all are over, %v", len(logins), err)
		}
		wants(t, "adding", a.AddLogin(ctx, access.NewLogin(tokenHash("last"), ana, "", "", noon.Add(9*24*time.Hour))), nil)
		wants(t, "removing the user", b.RemoveUser(ctx, ana.Key), nil)
		_, _, err = a.Login(ctx, tokenHash("last"))
		wants(t, "the login of a user who was removed", err, access.ErrUnknown)
	})
}

func TestTokensAreRevokedForGood(t *testing.T) {
	forEachBook(t, func(t *testing.T, a, b book) {
		ctx := t.Context()
		token, err := access.NewAPIToken(tokenHash("t"), "prometheus", []access.Scope{access.ReadMetrics}, true, access.LocalKey("ana"), noon, time.Hour)
		wants(t, "making", err, nil)
		wants(t, "adding", a.AddToken(ctx, token), nil)
		wants(t, "a use", b.TouchToken(ctx, token.Hash, noon.Add(time.Minute)), nil)
		wants(t, "revoking", b.RevokeToken(ctx, token.Hash, noon.Add(2*time.Minute)), nil)
		wants(t, "a late use", a.TouchToken(ctx, token.Hash, noon.Add(3*time.Minute)), nil)
		kept, err := a.Token(ctx, token.Hash)
		if err != nil || !kept.RevokedAt.Equal(noon.Add(2*time.Minute)) || !kept.UsedAt.Equal(noon.Add(3*time.Minute)) || kept.Name != "prometheus" || !kept.Mask || !slices.Equal(kept.Scopes, token.Scopes) {
			t.Errorf("%+v, %v", kept, err)
		}
		wants(t, "revoking what is not there", b.RevokeToken(ctx, tokenHash("x"), noon), access.ErrUnknown)
		_, err = b.Token(ctx, tokenHash("x"))
		wants(t, "a token that was made up", err, access.ErrUnknown)
		much, err := access.NewAPIToken(tokenHash("much later"), "x", []access.Scope{access.ReadState}, false, "", noon.Add(200*24*time.Hour), time.Hour)
		wants(t, "making", errors.Join(err, a.AddToken(ctx, much)), nil)
		if all, err := b.Tokens(ctx); err != nil || len(all) != 1 || all[0].Name != "x" {
			t.Errorf("tokens are %v, %v", all, err)
		}
	})
}

func TestStrangersPushNothingOutOfTheTrail(t *testing.T) {
	forEachBook(t, func(t *testing.T, a, b book) {
		ctx := t.Context()
		entry := func(act access.Act, n int) access.Entry {
			return access.NewEntry(noon.Add(time.Duration(n)*time.Second), act, access.Command(), fmt.Sprint(n), "192.0.2.1", "")
		}
		for n := range 7 {
			wants(t, "writing", a.AddEntry(ctx, entry([]access.Act{access.ActRoleChanged, access.ActLoginFailed}[n%2], n)), nil)
		}
		var read []string
		next := int64(0)
		for page := 0; page == 0 || next != 0; page++ {
			entries, after, err := b.Audit(ctx, next, 3)
			if err != nil || len(entries) > 3 || page > 5 {
				t.Fatal(entries, err)
			}
			for _, e := range entries {
				read = append(read, string(e.Act)+e.Target)
			}
			next = after
		}
		want := []string{"role_changed6", "login_failed5", "role_changed4", "login_failed3", "role_changed2", "login_failed1", "role_changed0"}
		if !slices.Equal(read, want) {
			t.Errorf("the trail is %q", read)
		}
	})
}

func TestTheTrailOfStrangersIsBounded(t *testing.T) {
	s := openAt(t, "memory:")
	a := s.Accounts()
	first := access.NewEntry(noon, access.ActRoleChanged, access.Command(), "kept", "", "")
	wants(t, "writing", a.AddEntry(t.Context(), first), nil)
	for range maxStrangers + 2*trimEvery {
		wants(t, "writing", a.AddEntry(t.Context(), access.NewEntry(noon, access.ActLoginFailed, access.Actor{Kind: "nobody"}, "", "", "")), nil)
	}
	if n := count(t, s, "audit"); n > maxStrangers+trimEvery+1 || n < maxStrangers {
		t.Errorf("%d lines are kept", n)
	}
	if entries, err := docs[access.Entry](t.Context(), s.reads, "SELECT doc FROM audit WHERE stranger = 0"); err != nil || len(entries) != 1 || entries[0].Target != "kept" {
		t.Errorf("what was not a stranger's: %v, %v", entries, err)
	}
}

func TestRedisAwayThrowsNobodyOutWhoIsIn(t *testing.T) {
	server := redistest.Start(t)
	a := replica(t, server.URL()).Accounts()
	ana := local("ana", access.Admin)
	wants(t, "adding", a.AddUser(t.Context(), ana, false), nil)
	wants(t, "logging in", a.AddLogin(t.Context(), access.NewLogin(tokenHash("in"), ana, "", "", noon)), nil)
	if _, _, err := a.Login(t.Context(), tokenHash("in")); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	if _, u, err := a.Login(t.Context(), tokenHash("in")); err != nil || u.Name != "ana" {
		t.Errorf("who is in: %+v, %v", u, err)
	}
	if _, _, err := a.Login(t.Context(), tokenHash("made up")); err == nil || errors.Is(err, access.ErrUnknown) {
		t.Errorf("who is not: %v", err)
	}
}

// everythingOf asks the accounts for all that they do.
func everythingOf(t *testing.T, b book) {
	t.Helper()
	ctx, ana := t.Context(), local("ana", access.Admin)
	login := access.NewLogin(tokenHash("l"), ana, "", "", noon)
	token, err := access.NewAPIToken(tokenHash("t"), "x", []access.Scope{access.ReadState}, false, "", noon, time.Hour)
	_, version := b.Version(ctx)
	for n, err := range []error{err, version, b.AddUser(ctx, ana, true), b.AddUser(ctx, local("bo", access.Admin), false), b.AddLogin(ctx, login), b.TouchLogin(ctx, login),
		b.RemoveLogin(ctx, login.Hash), b.AddToken(ctx, token), b.TouchToken(ctx, token.Hash, noon), b.RevokeToken(ctx, token.Hash, noon), b.RemoveUser(ctx, ana.Key)} {
		wants(t, fmt.Sprint("deed ", n), err, nil)
	}
	for range trimEvery {
		wants(t, "writing", b.AddEntry(ctx, access.NewEntry(noon, access.ActLogin, access.Command(), "", "", "")), nil)
	}
	if entries, _, err := b.Audit(ctx, 0, 10); err != nil || len(entries) != 10 {
		t.Errorf("the trail: %v, %v", entries, err)
	}
}
