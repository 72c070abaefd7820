package store

import (
	"errors"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/redistest"
)

// Row 53: Redis is away, so that nobody can hear of what ends. What was ended here is over at once, the rest is
// refused once it may have been ended elsewhere.
func TestFault53WhatWasRevokedIsOverThoughRedisIsAway(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	a := replica(t, server.URL()).Accounts()
	ctx := t.Context()
	ana := local("ana", access.Viewer)
	wants(t, "a user", a.AddUser(ctx, ana, true), nil)
	var logins []access.Hash
	for _, name := range []string{"revoked", "stays"} {
		login, token := tokenHash("login "+name), tokenHash("token "+name)
		wants(t, "a login", a.AddLogin(ctx, access.NewLogin(login, ana, "", "", time.Now())), nil)
		wants(t, "a token", a.AddToken(ctx, access.APIToken{Hash: token, Name: name, CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}), nil)
		logins = append(logins, login)
	}
	login := func(i int) error { _, _, err := a.Login(ctx, logins[i]); return err }
	token := func(name string) error { _, err := a.Token(ctx, tokenHash("token "+name)); return err }
	for what, err := range map[string]error{"a login": login(0), "another": login(1), "a token": token("revoked"), "another token": token("stays")} {
		wants(t, what+" while Redis is there", err, nil)
	}
	server.Kill()
	began := time.Now()
	if a.RemoveLogin(ctx, logins[0]) == nil || a.RevokeToken(ctx, tokenHash("token revoked"), time.Now()) == nil {
		t.Error("it is said to be done although nobody can be told")
	}
	wants(t, "a login that was removed here", login(0), access.ErrUnknown)
	wants(t, "a token that was revoked here", token("revoked"), access.ErrUnknown)
	for err := error(nil); err == nil; err = errors.Join(login(1), token("stays")) {
		if time.Since(began) > time.Minute {
			t.Fatal("what may have ended elsewhere counts for ever")
		}
		time.Sleep(20 * time.Millisecond)
	}
	if took := time.Since(began); took > 20*time.Second { // two, and what the dead connections take
		t.Errorf("it counts for %v", took)
	}
	server.Run()
	awaitNil(t, "a login that stays", func() error { return login(1) })
	awaitNil(t, "a token that stays", func() error { return token("stays") })
	wants(t, "a login that was removed here, when Redis is back", login(0), access.ErrUnknown)
}

func awaitNil(t *testing.T, what string, ask func() error) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ask() != nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s: %v", what, ask())
		}
	}
}

// What is read while something is changed may be as it was before: it does not count when the place is away then.
func TestAReadingFromBeforeAChangeIsNotKept(t *testing.T) {
	t.Parallel()
	var r recent
	away := errors.New("away")
	read := func(err error) func() (string, error) { return func() (string, error) { return "before", err } }
	if _, err := recall(&r, "x", func() (string, error) { r.forgetAll(); return "before", nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := recall(&r, "x", read(away)); !errors.Is(err, away) {
		t.Errorf("what was read before a change counts: %v", err)
	}
	if _, err := recall(&r, "x", read(nil)); err != nil {
		t.Fatal(err)
	}
	if got, err := recall(&r, "x", read(away)); err != nil || got != "before" {
		t.Errorf("what was read just now does not count: %v", err)
	}
	r.end("x")
	if _, err := recall(&r, "x", read(nil)); !errors.Is(err, access.ErrUnknown) {
		t.Errorf("what was ended is there again: %v", err)
	}
}
