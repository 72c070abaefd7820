package web_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/store"
	"github.com/roomwatch/roomwatch/web"
)

const (
	rigSecret   = "the secret of the tests, of which keys are derived"
	rigToken    = "the token of the settings, long enough for tests"
	rigPassword = "four words of a test"
)

// withLogin is a server with accounts.
func withLogin(more ...func(*web.Auth)) setting {
	return func(c *web.Config) {
		c.LoopbackOnly = false
		c.Auth = web.Auth{By: web.ByLocal, Accounts: c.Record.(*store.SQLite).Accounts(), Secret: []byte(rigSecret), APIToken: rigToken}
		for _, set := range more {
			set(&c.Auth)
		}
	}
}

func (r *rig) accounts() *store.Accounts { return r.record.Accounts() }

func freshRandom() (random access.Random) {
	_, _ = rand.Read(random[:])
	return random
}

// user adds somebody with a password, or without one that anybody knows.
func (r *rig) user(name string, role access.Role, password string) access.User {
	r.t.Helper()
	u := access.User{Key: access.LocalKey(name), Name: name, Role: role, CreatedAt: time.Now()}
	if password != "" {
		phc, err := web.NewPasswords().Hash(context.Background(), password)
		if err != nil {
			r.t.Fatal(err)
		}
		u.Password = phc
	}
	if err := r.accounts().AddUser(context.Background(), u, false); err != nil {
		r.t.Fatal(err)
	}
	return u
}

// loggedIn is the cookie of a login of the user that began so long ago.
func (r *rig) loggedIn(u access.User, ago time.Duration) string {
	r.t.Helper()
	token := access.TokenLogin.Token(freshRandom())
	if err := r.accounts().AddLogin(context.Background(), access.NewLogin(access.HashOf(token), u, "192.0.2.1", "a test", time.Now().Add(-ago))); err != nil {
		r.t.Fatal(err)
	}
	return "roomwatch=" + token
}

// apiToken is the text of a token of these scopes.
func (r *rig) apiToken(mask bool, scopes ...access.Scope) string {
	r.t.Helper()
	text := access.TokenAPI.Token(freshRandom())
	t, err := access.NewAPIToken(access.HashOf(text), "test", scopes, mask, "", time.Now(), time.Hour)
	if err == nil {
		err = r.accounts().AddToken(context.Background(), t)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return text
}

// identities are those who may ask, by name: the headers that they send.
func (r *rig) identities() map[string][]string {
	people := make(map[string][]string)
	for _, role := range []access.Role{access.Viewer, access.Operator, access.Admin} {
		people[string(role)] = []string{"Cookie", r.loggedIn(r.user(string(role), role, ""), 0)}
	}
	removed := r.user("removed", access.Admin, "")
	people["an admin who is locked out"] = []string{"Cookie", r.loggedIn(removed, 0)}
	_, _, err := r.accounts().ChangeUser(context.Background(), removed.Key, func(u access.User) access.User { return u.WithDisabled(true) })
	r.check(err)
	idle := r.user("idle", access.Admin, "")
	people["an admin who was idle for too long"] = []string{"Cookie", r.loggedIn(idle, access.LoginIdle+time.Minute)}
	revoked := r.apiToken(false, access.Scopes()...)
	r.check(r.accounts().RevokeToken(context.Background(), access.HashOf(revoked), time.Now()))
	for name, token := range map[string]string{
		"state": r.apiToken(false, access.ReadState), "metrics": r.apiToken(false, access.ReadMetrics), "mint": r.apiToken(false, access.MintEmbed),
		"setting": rigToken, "a revoked token": revoked, "a token that was made up": access.TokenAPI.Token(freshRandom()), "a login as a token": access.TokenLogin.Token(freshRandom()),
	} {
		people[name] = []string{"Authorization", "Bearer " + token}
	}
	people["nobody"] = nil
	return people
}

// form posts a form as a page of ours does.
func (r *rig) form(path, cookie string, fields ...string) answer {
	r.t.Helper()
	values := make(url.Values)
	for i := 0; i+1 < len(fields); i += 2 {
		values.Add(fields[i], fields[i+1])
	}
	headers := []string{"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin", "Origin", r.url}
	if cookie != "" {
		headers = append(headers, "Cookie", cookie)
	}
	return r.do(http.MethodPost, path, values.Encode(), headers...)
}

// cookieOf is what a browser would send back of what was set.
func cookieOf(t *testing.T, a answer) string {
	t.Helper()
	var out []string
	for _, c := range a.Cookies() {
		if c.MaxAge >= 0 && c.Value != "" {
			out = append(out, c.Name+"="+c.Value)
		}
	}
	if len(out) == 0 {
		t.Fatalf("no cookie in %d %v", a.StatusCode, a.Header)
	}
	return strings.Join(out, "; ")
}

// did are the acts in the audit trail, newest first, each with who did it to whom.
func (r *rig) did() (acts []string) {
	r.t.Helper()
	entries, _, err := r.accounts().Audit(context.Background(), 0, 1000)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, e := range entries {
		acts = append(acts, strings.TrimSpace(fmt.Sprint(e.Act, " by ", e.Actor.Kind, " ", e.Actor.Name, " to ", e.Target)))
	}
	return acts
}
