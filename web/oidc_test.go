package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/web"
)

// atProvider is a server whose people are known by a provider that runs beside it.
func atProvider(t *testing.T, more ...func(*web.Auth)) (*rig, *mockoidc.MockOIDC) {
	t.Helper()
	provider, err := mockoidc.Run()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = provider.Shutdown() })
	roles, err := access.ParseGroupRoles([]string{"rooms-admins=admin", "rooms=viewer"})
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, withLogin(append([]func(*web.Auth){func(a *web.Auth) {
		a.By, a.OIDC = web.ByOIDC, web.OIDC{Issuer: provider.Issuer(), ClientID: provider.ClientID, ClientSecret: provider.ClientSecret, Roles: roles}
	}}, more...)...))
	return r, provider
}

// begun is a login that has begun: the browser's cookie, and where the provider is asked.
func (r *rig) begun(next string) (cookie, ask string) {
	r.t.Helper()
	a := r.get("/login/start?next=" + url.QueryEscape(next))
	if a.StatusCode != http.StatusSeeOther {
		r.t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	return cookieOf(r.t, a), a.Header.Get("Location")
}

// agreed is where the provider sends the browser back to.
func (r *rig) agreed(ask string) (path string) {
	r.t.Helper()
	answer, err := r.client.Get(ask)
	if err != nil {
		r.t.Fatal(err)
	}
	_ = answer.Body.Close()
	return strings.TrimPrefix(answer.Header.Get("Location"), r.url)
}

func member(subject string, groups ...string) *mockoidc.MockUser {
	return &mockoidc.MockUser{Subject: subject, PreferredUsername: subject, Email: subject + "@example.org", Groups: groups}
}

func TestAProviderLetsPeopleInAndItsGroupsMakeTheirRole(t *testing.T) {
	t.Parallel()
	r, provider := atProvider(t)
	if page := r.get("/login?next=/users"); !strings.Contains(page.body, "/login/start?next=%2Fusers") || strings.Contains(page.body, "password") {
		t.Errorf("the login page: %s", page.body)
	}
	come := func(subject string, groups ...string) answer {
		t.Helper()
		provider.QueueUser(member(subject, groups...))
		cookie, ask := r.begun("/users")
		for _, must := range []string{"code_challenge_method=S256", "code_challenge=", "state=", "nonce=", "response_type=code", "scope=openid"} {
			if !strings.Contains(ask, must) {
				t.Errorf("the question has no %s: %s", must, ask)
			}
		}
		return r.get(r.agreed(ask), "Cookie", cookie, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document")
	}
	in := come("ana", "staff", "rooms-admins")
	if in.StatusCode != http.StatusSeeOther || in.Header.Get("Location") != "/users" {
		t.Fatalf("an admin: %d %s", in.StatusCode, in.body)
	}
	cookie := cookieOf(t, in)
	if page := r.get("/users", "Cookie", cookie); page.StatusCode != http.StatusOK || !strings.Contains(page.body, "at the provider") || strings.Contains(page.body, `name="password"`) {
		t.Errorf("the admin's page: %d", page.StatusCode)
	}
	watching, _ := r.dial("view=overview", "Cookie", cookie)
	watching.next()
	if in := come("ana", "rooms"); in.StatusCode != http.StatusSeeOther {
		t.Errorf("with a lesser role: %d", in.StatusCode)
	} else if page := r.get("/users", "Cookie", cookieOf(t, in)); page.StatusCode != http.StatusForbidden {
		t.Errorf("a viewer at an admin's page: %d", page.StatusCode)
	}
	if code := watching.closed(patience); code != 4401 {
		t.Errorf("what was open under the greater role: %d", code)
	}
	if in := come("bo", "staff"); in.StatusCode != http.StatusForbidden || !strings.Contains(in.body, "none of your groups") {
		t.Errorf("somebody without a group: %d %s", in.StatusCode, in.body)
	}
	if in := come("ana", "staff"); in.StatusCode != http.StatusForbidden {
		t.Errorf("somebody who lost the group: %d", in.StatusCode)
	}
	users, err := r.accounts().Users(t.Context())
	if err != nil || len(users) != 1 || users[0].Key != access.OIDCKey(provider.Issuer(), "ana") {
		t.Errorf("users are %v, %v", users, err)
	}
}

func TestLoggingOutEndsTheLoginThatAProviderBegan(t *testing.T) {
	t.Parallel()
	r, provider := atProvider(t)
	provider.QueueUser(member("ana", "rooms"))
	cookie, ask := r.begun("/")
	in := cookieOf(t, r.get(r.agreed(ask), "Cookie", cookie))
	if a := r.get("/", "Cookie", in); a.StatusCode != http.StatusOK {
		t.Fatal(a.StatusCode)
	}
	s, _ := r.dial("view=overview", "Cookie", in)
	s.next()
	if a := r.form("/logout", in); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/login" {
		t.Errorf("%d %v", a.StatusCode, a.Header)
	}
	if code := s.closed(patience); code != 4401 {
		t.Errorf("the socket: %d", code)
	}
	if a := r.get("/", "Cookie", in); a.StatusCode != http.StatusSeeOther {
		t.Errorf("the old cookie: %d", a.StatusCode)
	}
}

// forger is a user in whose ID token something is not as it should be.
type forger struct {
	*mockoidc.MockUser
	forge func(*mockoidc.IDTokenClaims)
}

func (f forger) Claims(scope []string, claims *mockoidc.IDTokenClaims) (jwt.Claims, error) {
	f.forge(claims)
	return f.MockUser.Claims(scope, claims)
}

func TestWhatDidNotBeginHereEndsNowhere(t *testing.T) {
	t.Parallel()
	r, provider := atProvider(t)
	admin := func() mockoidc.User { return member("ana", "rooms-admins") }
	as := func(forge func(*mockoidc.IDTokenClaims)) func() mockoidc.User {
		return func() mockoidc.User { return forger{member("ana", "rooms-admins"), forge} }
	}
	with := func(path, name, value string) string {
		u, err := url.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		q.Set(name, value)
		u.RawQuery = q.Encode()
		return u.String()
	}
	same := func(text string) string { return text }
	foreign, _ := r.begun("/")
	for name, c := range map[string]struct {
		user      func() mockoidc.User
		ask, path func(string) string
		cookie    func(string) string
		code      int
	}{
		"as it should be":               {admin, same, same, same, 303},
		"another state":                 {admin, same, func(p string) string { return with(p, "state", "x") }, same, 400},
		"no state":                      {admin, same, func(p string) string { return with(p, "state", "") }, same, 400},
		"another browser":               {admin, same, same, func(string) string { return foreign }, 400},
		"no cookie":                     {admin, same, same, func(string) string { return "x=y" }, 400},
		"a cookie that was changed":     {admin, same, same, func(c string) string { return c[:len(c)-6] + "AAAAAA" }, 400},
		"another nonce":                 {admin, func(ask string) string { return with(ask, "nonce", "another") }, same, same, 400},
		"no nonce":                      {as(func(c *mockoidc.IDTokenClaims) { c.Nonce = "" }), same, same, same, 400},
		"another challenge":             {admin, func(ask string) string { return with(ask, "code_challenge", "another") }, same, same, 502},
		"another code":                  {admin, same, func(p string) string { return with(p, "code", "made-up") }, same, 502},
		"another issuer, in the answer": {admin, same, func(p string) string { return with(p, "iss", "https://evil.example") }, same, 400},
		"another issuer":                {as(func(c *mockoidc.IDTokenClaims) { c.Issuer = "https://evil.example" }), same, same, same, 502},
		"another audience":              {as(func(c *mockoidc.IDTokenClaims) { c.Audience = jwt.ClaimStrings{"another"} }), same, same, same, 502},
		"expired":                       {as(func(c *mockoidc.IDTokenClaims) { c.ExpiresAt = jwt.NewNumericDate(time.Now().Add(-time.Hour)) }), same, same, same, 502},
		"refused by the provider":       {admin, same, func(p string) string { return with(p, "error", "access_denied<script>") }, same, 502},
	} {
		provider.QueueUser(c.user())
		cookie, ask := r.begun("/")
		a := r.get(c.path(r.agreed(c.ask(ask))), "Cookie", c.cookie(cookie))
		in := strings.Contains(strings.Join(a.Header.Values("Set-Cookie"), ""), "roomwatch=rwl_")
		if a.StatusCode != c.code || in != (c.code == 303) || strings.Contains(a.body, "<script>alert") || strings.Contains(a.body, "access_denied") {
			t.Errorf("%s: %d, let in %v", name, a.StatusCode, in)
		}
	}
	provider.QueueUser(admin())
	cookie, ask := r.begun("/")
	path := r.agreed(ask)
	if a := r.get(path, "Cookie", cookie); a.StatusCode != http.StatusSeeOther {
		t.Fatal(a.StatusCode)
	}
	if a := r.get(path, "Cookie", cookie); a.StatusCode != http.StatusBadGateway {
		t.Errorf("a code that was used: %d", a.StatusCode)
	}
}

func TestAProviderThatNamesItselfOtherwiseIsNotBelieved(t *testing.T) {
	t.Parallel()
	r, _ := atProvider(t, func(a *web.Auth) { a.OIDC.Issuer = strings.Replace(a.OIDC.Issuer, "127.0.0.1", "localhost", 1) })
	if a := r.get("/login/start"); a.StatusCode != http.StatusBadGateway || strings.Contains(a.body, "127.0.0.1") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if !strings.Contains(r.logged.String(), "issuer") {
		t.Errorf("the log says %s", r.logged)
	}
}

func TestAProviderThatIsAwayKeepsNobodyOutForGood(t *testing.T) {
	t.Parallel()
	r, provider := atProvider(t)
	cookie, ask := r.begun("/")
	if err := provider.Shutdown(); err != nil {
		t.Fatal(err)
	}
	if a := r.get("/login/callback?state=x&code=y", "Cookie", cookie); a.StatusCode != http.StatusBadRequest {
		t.Errorf("%d", a.StatusCode)
	}
	state, _, _ := strings.Cut(strings.SplitN(ask, "state=", 2)[1], "&")
	if a := r.get("/login/callback?code=y&state="+state, "Cookie", cookie); a.StatusCode != http.StatusBadGateway {
		t.Errorf("%d", a.StatusCode)
	}
	if a := r.get("/healthz"); a.StatusCode != http.StatusNotFound {
		t.Errorf("the rest: %d", a.StatusCode)
	}
	if a := r.get("/livez"); a.StatusCode != http.StatusOK {
		t.Errorf("the rest: %d", a.StatusCode)
	}
}
