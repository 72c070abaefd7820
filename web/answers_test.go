package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/web"
)

// Row 52: what cannot be is an answer, never trouble of the store.
func TestFault52AnAnswerLeavesTheServerReady(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin())
	token, err := r.server.OpenSetup(t.Context())
	r.check(err)
	if a := r.form("/setup", "", "token", token+"x", "name", "ana", "password", rigPassword); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("a wrong setup token: %d", a.StatusCode)
	}
	ready := func(after string) {
		t.Helper()
		if a := r.get("/readyz"); a.StatusCode != http.StatusOK {
			t.Errorf("after %s: %d %s", after, a.StatusCode, a.body)
		}
	}
	ready("a wrong setup token")
	ana := r.user("ana", access.Admin, "")
	cookie := r.loggedIn(ana, 0)
	if a := r.form("/users", cookie, "do", "add", "name", "ana", "password", rigPassword, "role", "viewer"); a.StatusCode >= 500 {
		t.Errorf("adding a user twice: %d", a.StatusCode)
	}
	ready("adding a user twice")
	for what, fields := range map[string][]string{"demoting": {"do", "role", "role", "viewer"}, "locking out": {"do", "disable"}, "removing": {"do", "remove"}} {
		if a := r.form("/users", cookie, append(fields, "key", string(ana.Key))...); a.StatusCode >= 500 {
			t.Errorf("%s the last admin: %d", what, a.StatusCode)
		}
		ready(what + " the last admin")
	}
	if strings.Contains(r.logged.String(), "cannot be written") {
		t.Errorf("logged: %s", r.logged)
	}
}

// away are accounts that cannot be read or written when they are told so.
type away struct {
	web.Accounts
	reads, writes atomic.Bool
}

var errAway = errors.New("the store is away")

func (a *away) Login(ctx context.Context, token access.Hash) (access.Login, access.User, error) {
	if a.reads.Load() {
		return access.Login{}, access.User{}, errAway
	}
	return a.Accounts.Login(ctx, token)
}

func (a *away) RemoveLogin(ctx context.Context, token access.Hash) error {
	if a.writes.Load() {
		return errAway
	}
	return a.Accounts.RemoveLogin(ctx, token)
}

func TestALogoutClearsTheCookieWhateverTheStoreSays(t *testing.T) {
	t.Parallel()
	a := &away{}
	r := start(t, withLogin(func(auth *web.Auth) { a.Accounts = auth.Accounts; auth.Accounts = a }))
	cookie := r.loggedIn(r.user("ana", access.Viewer, ""), 0)
	for what, set := range map[string]*atomic.Bool{"read": &a.reads, "written": &a.writes} {
		set.Store(true)
		got := r.form("/logout", cookie)
		set.Store(false)
		cleared := false
		for _, c := range got.Cookies() {
			cleared = cleared || c.Name == "roomwatch" && c.Value == "" && c.MaxAge <= 0 && !c.Expires.IsZero()
		}
		if got.StatusCode != http.StatusServiceUnavailable || !cleared {
			t.Errorf("the store cannot be %s: %d %v", what, got.StatusCode, got.Header.Values("Set-Cookie"))
		}
	}
}

// Of IPv6 anybody has more addresses than can be counted: a network counts as one.
func TestRefusalsAreCountedByNetwork(t *testing.T) {
	t.Parallel()
	near := access.Proxies{netip.MustParsePrefix("127.0.0.1/32")}
	r := start(t, withLogin(func(a *web.Auth) { a.Proxies = near }))
	for name, try := range map[string]func(from string) int{
		"deliveries": func(from string) int {
			return r.do(http.MethodPost, "/webhook", "{}", "X-Forwarded-For", from).StatusCode
		},
		"tokens": func(from string) int {
			return r.get("/api/v1/state", "X-Forwarded-For", from, "Authorization", "Bearer none").StatusCode
		},
	} {
		last := 0
		for n := range 130 { // a minute may turn meanwhile
			if last = try(fmt.Sprintf("2001:db8:1:2::%x", n+1)); last == http.StatusTooManyRequests {
				break
			}
		}
		if last != http.StatusTooManyRequests {
			t.Errorf("%s from 130 addresses of one network: %d", name, last)
		}
		if code := try("2001:db8:1:3::1"); code != http.StatusUnauthorized {
			t.Errorf("%s from the network beside it: %d", name, code)
		}
	}
}
