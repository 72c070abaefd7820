package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/web"
)

func TestWhoKnowsNameAndPasswordComesInAndGoesOut(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin())
	r.user("ana", access.Operator, rigPassword)
	a := r.get("/sessions?q=x")
	if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/login?next=%2Fsessions%3Fq%3Dx" {
		t.Fatalf("nobody is sent to %d %s", a.StatusCode, a.Header.Get("Location"))
	}
	if page := r.get(a.Header.Get("Location")); page.StatusCode != http.StatusOK || !strings.Contains(page.body, `name="next" value="/sessions?q=x"`) {
		t.Errorf("the login page: %d %s", page.StatusCode, page.body)
	}
	in := r.form("/login", "", "name", "ANA", "password", rigPassword, "next", "/sessions?q=x")
	if in.StatusCode != http.StatusSeeOther || in.Header.Get("Location") != "/sessions?q=x" {
		t.Fatalf("logging in: %d %s", in.StatusCode, in.body)
	}
	for _, c := range in.Cookies() {
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("the cookie %v", c)
		}
	}
	cookie := cookieOf(t, in)
	if page := r.get("/sessions", "Cookie", cookie); page.StatusCode != http.StatusOK || !strings.Contains(page.body, "Account of ana") {
		t.Errorf("logged in: %d", page.StatusCode)
	}
	if again := r.get("/login?next=/intake", "Cookie", cookie); again.StatusCode != http.StatusSeeOther || again.Header.Get("Location") != "/intake" {
		t.Errorf("who is in is sent on: %d %v", again.StatusCode, again.Header)
	}
	s, code := r.dial("view=overview", "Cookie", cookie)
	if s == nil {
		t.Fatalf("the socket: %d", code)
	}
	s.next()
	if out := r.form("/logout", cookie); out.StatusCode != http.StatusSeeOther {
		t.Errorf("logging out: %d", out.StatusCode)
	}
	if code := s.closed(patience); code != 4401 {
		t.Errorf("the socket was closed with %d", code)
	}
	if page := r.get("/sessions", "Cookie", cookie); page.StatusCode != http.StatusSeeOther {
		t.Errorf("the old cookie after logging out: %d", page.StatusCode)
	}
	want := []string{"logout by user local:ana to", "login by user local:ana to"}
	for i, did := range r.did() {
		if i >= len(want) || !strings.HasPrefix(did, want[i]) {
			t.Errorf("the trail says %q", r.did())
			break
		}
	}
}

// A proxy with a login of its own has browsers send it along with everything, and passes it on.
func TestTheLoginOfAProxyInFrontKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin())
	cookie := r.loggedIn(r.user("ana", access.Viewer, ""), 0)
	const basic = "Basic dXNlcjpwYXNz"
	if a := r.get("/", "Cookie", cookie, "Authorization", basic); a.StatusCode != http.StatusOK {
		t.Errorf("logged in: %d", a.StatusCode)
	}
	s, code := r.dial("view=overview", "Cookie", cookie, "Authorization", basic)
	if s == nil {
		t.Fatalf("the socket: %d", code)
	}
	s.next()
	for range 100 {
		if a := r.get("/", "Authorization", basic); a.StatusCode != http.StatusSeeOther {
			t.Fatalf("not logged in: %d", a.StatusCode)
		}
	}
	for name, headers := range map[string][]string{"a bad bearer": {"Authorization", "Bearer x"}, "twice": {"Authorization", basic, "Authorization", basic}} {
		if a := r.get("/", append(headers, "Cookie", cookie)...); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, a.StatusCode)
		}
	}
}

func TestALoginNeverTakesOverATokenThatWasThere(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin())
	u := r.user("ana", access.Operator, rigPassword)
	planted := r.loggedIn(u, 0)
	a := r.form("/login", planted, "name", "ana", "password", rigPassword)
	if cookie := cookieOf(t, a); strings.Contains(cookie, planted) {
		t.Error("the token stayed")
	}
	if a := r.get("/", "Cookie", planted); a.StatusCode != http.StatusSeeOther {
		t.Errorf("the planted token: %d", a.StatusCode)
	}
}

func TestNobodyIsSentElsewhereAfterLoggingIn(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin())
	r.user("ana", access.Operator, rigPassword)
	for _, next := range []string{"//evil.example", "https://evil.example/", "/\\evil.example", "\\\\evil.example", "/\tx", "javascript:alert(1)", "evil", "", "///evil.example", "http:evil.example", "/" + strings.Repeat("x", 3000)} {
		a := r.form("/login", "", "name", "ana", "password", rigPassword, "next", next)
		if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/" {
			t.Errorf("%.40q leads to %d %.60s", next, a.StatusCode, a.Header.Get("Location"))
		}
	}
}

func TestWhatIsWrongWithALoginIsNeverTold(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin())
	r.user("ana", access.Operator, rigPassword)
	locked := r.user("bo", access.Operator, rigPassword)
	_, _, err := r.accounts().ChangeUser(t.Context(), locked.Key, func(u access.User) access.User { return u.WithDisabled(true) })
	r.check(err)
	r.user("nopassword", access.Admin, "")
	bodies := make(map[string]bool)
	for _, name := range []string{"ana", "bo", "nobody", "nopassword", "not a name!", ""} {
		password := "wrong " + rigPassword
		if name == "bo" {
			password = rigPassword
		}
		a := r.form("/login", "", "name", name, "password", password)
		if a.StatusCode != http.StatusUnauthorized || len(a.Cookies()) != 0 {
			t.Errorf("%q: %d %v", name, a.StatusCode, a.Cookies())
		}
		if _, err := access.ParseName(name); err == nil { // what was typed is shown again, if it can be a name
			bodies[strings.ReplaceAll(a.body, `value="`+name+`"`, "")] = true
		}
	}
	if len(bodies) != 1 {
		t.Errorf("%d different answers", len(bodies))
	}
	if !slices.Contains(r.did(), "login_failed by nobody  to local:ana") || strings.Contains(fmt.Sprint(r.did()), "not a name") {
		t.Errorf("the trail says %q", r.did())
	}
}

// Fault 40: a thousand wrong passwords are slowed down, the real user comes in all the same.
func TestFault40AThousandBadLoginsAreThrottledAndTheRealUserComesIn(t *testing.T) {
	t.Parallel()
	near := access.Proxies{netip.MustParsePrefix("127.0.0.1/32")}
	r := start(t, withLogin(func(a *web.Auth) { a.Proxies = near }))
	r.user("ana", access.Operator, rigPassword)
	known := cookieOf(t, r.form("/login", "", "name", "ana", "password", rigPassword))
	counts := make(map[int]int)
	var mu sync.Mutex
	var senders sync.WaitGroup
	for n := range 10 {
		senders.Go(func() {
			for m := range 100 {
				a := r.do(http.MethodPost, "/login", "name=ana&password=wrong", "Content-Type", "application/x-www-form-urlencoded", "X-Forwarded-For", fmt.Sprintf("198.51.100.%d", (n*100+m)%5))
				mu.Lock()
				counts[a.StatusCode]++
				mu.Unlock()
				if a.StatusCode == http.StatusTooManyRequests && a.Header.Get("Retry-After") == "" {
					t.Error("told to wait, but not how long")
				}
			}
		})
	}
	senders.Wait()
	if counts[http.StatusUnauthorized] > 150 || counts[http.StatusTooManyRequests] < 800 {
		t.Errorf("a thousand bad logins were answered %v", counts)
	}
	if a := r.form("/login", known, "name", "ana", "password", rigPassword); a.StatusCode != http.StatusSeeOther {
		t.Errorf("the user in their own browser: %d", a.StatusCode)
	}
	a := r.do(http.MethodPost, "/login", "name=ana&password="+rigPassword, "Content-Type", "application/x-www-form-urlencoded", "X-Forwarded-For", "203.0.113.9")
	if a.StatusCode != http.StatusSeeOther {
		t.Errorf("the user in a new browser elsewhere: %d", a.StatusCode)
	}
	trail := fmt.Sprint(r.did())
	if !strings.Contains(trail, "login_failed by nobody  to local:ana") || !strings.Contains(trail, "login_throttled") || !strings.Contains(trail, "login by user local:ana") {
		t.Errorf("the trail does not tell: %.2000s", trail)
	}
}

// Fault 40: what ends a right closes the sockets that were opened by it.
func TestFault40WhatEndsARightClosesItsSockets(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin())
	admin := r.loggedIn(r.user("root", access.Admin, ""), 0)
	change := func(key access.UserKey, how func(access.User) access.User) {
		_, _, err := r.accounts().ChangeUser(context.Background(), key, how)
		r.check(err)
	}
	token := r.apiToken(false, access.ReadState)
	for name, c := range map[string]struct {
		end func(u access.User)
	}{
		"a role, on the page":     {func(u access.User) { r.form("/users", admin, "do", "role", "key", string(u.Key), "role", "operator") }},
		"locked out, on the page": {func(u access.User) { r.form("/users", admin, "do", "disable", "key", string(u.Key)) }},
		"removed, on the page":    {func(u access.User) { r.form("/users", admin, "do", "remove", "key", string(u.Key)) }},
		"a role, by the command line": {func(u access.User) {
			change(u.Key, func(u access.User) access.User { return u.WithRole(access.Admin) })
		}},
		"a password, by the command": {func(u access.User) { change(u.Key, func(u access.User) access.User { return u.WithPassword("x") }) }},
		"a login, by another replica": {func(u access.User) {
			logins, _ := r.accounts().Logins(context.Background(), u.Key)
			r.check(r.accounts().RemoveLogin(context.Background(), logins[0].Hash))
		}},
		"a token, by the command line": {func(access.User) {
			r.check(r.accounts().RevokeToken(context.Background(), access.HashOf(token), time.Now()))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			u := r.user(strings.ReplaceAll(strings.ReplaceAll(name, " ", "-"), ",", ""), access.Viewer, "")
			headers := []string{"Cookie", r.loggedIn(u, 0)}
			if strings.HasPrefix(name, "a token") {
				headers = []string{"Authorization", "Bearer " + token}
			}
			s, code := r.dial("view=overview", headers...)
			if s == nil {
				t.Fatal(code)
			}
			s.next()
			other, _ := r.dial("view=overview", "Cookie", admin)
			other.next()
			c.end(u)
			if code := s.closed(patience); code != 4401 {
				t.Errorf("closed with %d", code)
			}
			if _, code := r.dial("view=overview", headers...); code != http.StatusUnauthorized {
				t.Errorf("and opened anew: %d", code)
			}
			if err := other.WriteMessage(1, []byte(`{"k":"pause"}`)); err != nil {
				t.Errorf("somebody else's socket: %v", err)
			}
		})
	}
}

func TestALoginThatRunsOutClosesItsSockets(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin())
	token := access.TokenLogin.Token(freshRandom())
	l := access.NewLogin(access.HashOf(token), r.user("ana", access.Viewer, ""), "192.0.2.1", "a test", time.Now())
	l.Begun = time.Now().Add(4*time.Second - access.LoginLife)
	r.check(r.accounts().AddLogin(t.Context(), l))
	s, code := r.dial("view=overview", "Cookie", "roomwatch="+token)
	if s == nil {
		t.Fatal(code)
	}
	if code := s.closed(patience); code != 4401 {
		t.Errorf("closed with %d", code)
	}
}

func TestAPasswordIsNotTakenOverPlainHTTP(t *testing.T) {
	t.Parallel()
	near := access.Proxies{netip.MustParsePrefix("127.0.0.1/32")}
	for name, c := range map[string]struct {
		proxies access.Proxies
		headers []string
		code    int
		cookie  string
	}{
		"http at a loopback name":               {nil, []string{"Host", "ops.localhost"}, 303, "roomwatch"},
		"http elsewhere":                        {nil, []string{"Host", "rooms.example.org"}, 403, ""},
		"TLS, as somebody unknown says":         {nil, []string{"Host", "rooms.example.org", "X-Forwarded-Proto", "https"}, 403, ""},
		"TLS, as our proxy says":                {near, []string{"Host", "rooms.example.org", "X-Forwarded-Proto", "https"}, 303, "__Host-roomwatch"},
		"TLS and none, as our proxy says":       {near, []string{"Host", "rooms.example.org", "X-Forwarded-Proto", "https", "X-Forwarded-Proto", "http"}, 403, ""},
		"a loopback name, as the client says":   {nil, []string{"Host", "rooms.example.org", "X-Forwarded-Host", "localhost"}, 403, ""},
		"TLS at a loopback name, by our proxy":  {near, []string{"Host", "localhost", "X-Forwarded-Proto", "https"}, 303, "__Host-roomwatch"},
		"TLS, then a proxy without":             {near, []string{"Host", "rooms.example.org", "X-Forwarded-Proto", "https,http"}, 303, "__Host-roomwatch"},
		"the same, with spaces and capitals":    {near, []string{"Host", "rooms.example.org", "X-Forwarded-Proto", " HTTPS , http, http"}, 303, "__Host-roomwatch"},
		"the same, as somebody unknown says":    {nil, []string{"Host", "rooms.example.org", "X-Forwarded-Proto", "https,http"}, 403, ""},
		"no TLS, then a proxy with it":          {near, []string{"Host", "rooms.example.org", "X-Forwarded-Proto", "http,https"}, 403, ""},
		"an empty list":                         {near, []string{"Host", "rooms.example.org", "X-Forwarded-Proto", ",https"}, 403, ""},
		"plain http by our proxy, says nothing": {near, []string{"Host", "rooms.example.org"}, 403, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t, withLogin(func(a *web.Auth) { a.Proxies = c.proxies }))
			r.user("ana", access.Operator, rigPassword)
			a := r.do(http.MethodPost, "/login", "name=ana&password="+rigPassword, append([]string{"Content-Type", "application/x-www-form-urlencoded"}, c.headers...)...)
			if a.StatusCode != c.code {
				t.Fatalf("%d %s", a.StatusCode, a.body)
			}
			if c.code == 403 {
				if !strings.Contains(a.body, "plain http") || strings.Contains(a.body, "<form") || len(a.Cookies()) > 0 {
					t.Errorf("it says %s", a.body)
				}
				return
			}
			i := slices.IndexFunc(a.Cookies(), func(cookie *http.Cookie) bool { return cookie.Name == c.cookie })
			if i < 0 || a.Cookies()[i].Secure != strings.HasPrefix(c.cookie, "__Host-") {
				t.Fatalf("the cookies are %v", a.Cookies())
			}
			if page := r.get("/", append([]string{"Cookie", cookieOf(t, a)}, c.headers...)...); page.StatusCode != http.StatusOK {
				t.Errorf("and then: %d", page.StatusCode)
			}
			if hsts := a.Header.Get("Strict-Transport-Security"); (hsts != "") != strings.HasPrefix(c.cookie, "__Host-") {
				t.Errorf("Strict-Transport-Security: %q", hsts)
			}
		})
	}
}

// Fault 40: a cross-site POST, whoever the reader is.
// Fault 58: a page that came without TLS may have been written by anybody on the way.
func TestFault58APageWithoutTLSOpensNoSocketBehindTLS(t *testing.T) {
	t.Parallel()
	for name, proxies := range map[string]access.Proxies{"a trusted proxy": {netip.MustParsePrefix("127.0.0.1/32")}, "one that is not": nil} {
		r := start(t, withLogin(func(a *web.Auth) { a.Proxies = proxies }), func(c *web.Config) { c.Origins = []string{"http://wall.example.org"} })
		cookie := r.loggedIn(r.user("ana", access.Viewer, ""), 0)
		if proxies != nil {
			cookie = "__Host-" + cookie
		}
		for _, c := range []struct {
			proto, host, origin string
			code                int // 0: opened
		}{
			{"https", "rooms.example.org", "https://rooms.example.org", 0},
			{"https", "rooms.example.org", "http://rooms.example.org", 403},
			{"https,http", "rooms.example.org", "https://rooms.example.org", 0},
			{"https,http", "rooms.example.org", "http://rooms.example.org", 403},
			{"wss", "rooms.example.org", "https://rooms.example.org", 0},
			{"wss", "rooms.example.org", "http://rooms.example.org", 403},
			{"https", "rooms.example.org:443", "https://rooms.example.org", 0},
			{"https", "rooms.example.org:8443", "https://rooms.example.org", 403},
			{"https", "rooms.example.org:80", "https://rooms.example.org", 403},
			{"https", "rooms.example.org", "http://wall.example.org", 0}, // which ORIGINS names
			{"https", "rooms.example.org", "HTTP://rooms.example.org", 403},
			{"https", "rooms.example.org", "//rooms.example.org", 403},
		} {
			s, code := r.dial("view=overview", "Cookie", cookie, "X-Forwarded-Proto", c.proto, "Host", c.host, "Origin", c.origin)
			if code != c.code {
				t.Errorf("%s, %+v: %d", name, c, code)
			}
			if s != nil {
				s.next()
			}
		}
		if _, code := r.dial("view=overview", "Cookie", r.loggedIn(r.user("bo", access.Viewer, ""), 0), "X-Forwarded-Proto", "http", "Host", "rooms.example.org:80", "Origin", "http://rooms.example.org"); code != 0 {
			t.Errorf("%s, without any TLS: %d", name, code)
		}
		// A form of such a page is none of ours either, in a browser that does not say from where it comes.
		if a := r.do(http.MethodPost, "/logout", "", "Cookie", cookie, "Host", "rooms.example.org", "X-Forwarded-Proto", "https", "Origin", "http://rooms.example.org"); a.StatusCode != http.StatusForbidden {
			t.Errorf("%s, a form: %d", name, a.StatusCode)
		}
	}
}

func TestFault40PagesOfOtherSitesChangeNothing(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin())
	cookie := r.loggedIn(r.user("root", access.Admin, rigPassword), 0)
	for name, headers := range map[string][]string{
		"another site":                   {"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"},
		"another site that hides itself": {"Sec-Fetch-Site", "cross-site", "Origin", "null"},
		"a sibling":                      {"Sec-Fetch-Site", "same-site", "Origin", "http://evil.localhost"},
		"an old browser, another site":   {"Origin", "https://evil.example"},
		"an old browser, hidden":         {"Origin", "null"},
		"a word that nobody knows":       {"Sec-Fetch-Site", "whatever"},
	} {
		for _, path := range []string{"/users", "/tokens", "/account", "/logout", "/login", "/setup"} {
			a := r.do(http.MethodPost, path, "do=add&name=eve&role=admin&password="+rigPassword, append([]string{"Cookie", cookie, "Content-Type", "application/x-www-form-urlencoded"}, headers...)...)
			if a.StatusCode != http.StatusForbidden || len(a.Cookies()) > 0 {
				t.Errorf("%s, %s: %d", name, path, a.StatusCode)
			}
		}
	}
	for name, c := range map[string]struct {
		headers []string
		code    int
	}{
		"a script of another site":      {[]string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "script"}, 403},
		"a plugin of another site":      {[]string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "object"}, 403},
		"a link on another site":        {[]string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 200},
		"the address bar":               {[]string{"Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 200},
		"our own page":                  {[]string{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"}, 200},
		"what says nothing of the kind": {nil, 200},
	} {
		if a := r.get("/api/v1/state", append([]string{"Cookie", cookie}, c.headers...)...); a.StatusCode != c.code {
			t.Errorf("%s: %d", name, a.StatusCode)
		}
	}
	users, err := r.accounts().Users(t.Context())
	if err != nil || len(users) != 1 {
		t.Errorf("there are %d users, %v", len(users), err)
	}
	if a := r.get("/", "Cookie", cookie); a.StatusCode != http.StatusOK {
		t.Errorf("and the login: %d", a.StatusCode)
	}
}

// Fault 40: headers that only a proxy of ours may set.
func TestFault40NobodyButATrustedProxyIsBelieved(t *testing.T) {
	t.Parallel()
	far := access.Proxies{netip.MustParsePrefix("192.0.2.0/24")}
	near := access.Proxies{netip.MustParsePrefix("127.0.0.1/32")}
	byProxy := func(proxies access.Proxies) setting {
		return withLogin(func(a *web.Auth) {
			a.By, a.Proxies, a.ProxyHeader, a.ProxyRole = web.ByProxy, proxies, "X-WEBAUTH-USER", access.Viewer
		})
	}
	t.Run("untrusted", func(t *testing.T) {
		t.Parallel()
		r := start(t, byProxy(far))
		r.check(r.accounts().AddUser(t.Context(), access.User{Key: access.ProxyKey("root"), Name: "root", Role: access.Admin}, false))
		if a := r.get("/", "X-WEBAUTH-USER", "root"); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("%d", a.StatusCode)
		}
		if s, code := r.dial("view=overview", "X-WEBAUTH-USER", "root"); s != nil || code != http.StatusUnauthorized {
			t.Errorf("the socket: %d", code)
		}
		for range 70 {
			r.do(http.MethodPost, "/webhook", "x", "X-Forwarded-For", fmt.Sprint("203.0.113.", time.Now().UnixNano()%250))
		}
		if a := r.do(http.MethodPost, "/webhook", "x", "X-Forwarded-For", "203.0.113.251"); a.StatusCode != http.StatusTooManyRequests {
			t.Errorf("another address by X-Forwarded-For: %d", a.StatusCode)
		}
	})
	t.Run("trusted", func(t *testing.T) {
		t.Parallel()
		r := start(t, byProxy(near))
		if a := r.get("/users", "X-WEBAUTH-USER", "Ana"); a.StatusCode != http.StatusForbidden {
			t.Errorf("a new user: %d", a.StatusCode)
		}
		if _, _, err := r.accounts().ChangeUser(t.Context(), access.ProxyKey("ana"), func(u access.User) access.User { return u.WithRole(access.Admin) }); err != nil {
			t.Fatal(err)
		}
		if a := r.get("/users", "X-WEBAUTH-USER", "ana"); a.StatusCode != http.StatusOK {
			t.Errorf("an admin: %d", a.StatusCode)
		}
		for _, names := range [][]string{{}, {"X-WEBAUTH-USER", ""}, {"X-WEBAUTH-USER", "a b"}, {"X-WEBAUTH-USER", "ana", "X-WEBAUTH-USER", "root"}} {
			if a := r.get("/", names...); a.StatusCode != http.StatusUnauthorized {
				t.Errorf("%q: %d", names, a.StatusCode)
			}
		}
		if a := r.do(http.MethodPost, "/login", "name=ana&password=x", "Content-Type", "application/x-www-form-urlencoded"); a.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("a password where a proxy says who is who: %d", a.StatusCode)
		}
	})
}

func TestTheFirstUserIsMadeByWhoeverHasTheTokenAndOnlyOnce(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin())
	if a := r.get("/setup"); a.StatusCode != http.StatusSeeOther {
		t.Errorf("setup before there is a token: %d", a.StatusCode)
	}
	token, err := r.server.OpenSetup(t.Context())
	if err != nil || token == "" {
		t.Fatal(token, err)
	}
	if a := r.get("/login"); !strings.Contains(a.body, "/setup") {
		t.Error("the login page does not lead to the setup")
	}
	for problem, fields := range map[string][]string{
		"setup token is wrong":       {"token", access.TokenSetup.Token(freshRandom()), "name", "eve", "password", rigPassword},
		"at least 12 characters":     {"token", token, "name", "eve", "password", "short"},
		"A name has 1 to 64":         {"token", token, "name", "e v e", "password", rigPassword},
		"among the first that anybo": {"token", token, "name", "eve", "password", "password1234"},
	} {
		if a := r.form("/setup", "", fields...); a.StatusCode < 400 || !strings.Contains(a.body, problem) || strings.Contains(a.body, rigPassword) {
			t.Errorf("%s: %d %s", problem, a.StatusCode, a.body)
		}
	}
	a := r.form("/setup", "", "token", " "+token+"\n", "name", "Root", "password", rigPassword)
	if a.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	if a := r.get("/users", "Cookie", cookieOf(t, a)); a.StatusCode != http.StatusOK || !strings.Contains(a.body, "root") {
		t.Errorf("the first user: %d", a.StatusCode)
	}
	if a := r.form("/setup", "", "token", token, "name", "eve", "password", rigPassword); a.StatusCode != http.StatusSeeOther || len(a.Cookies()) > 0 {
		t.Errorf("the token once more: %d", a.StatusCode)
	}
	if again, err := r.server.OpenSetup(t.Context()); again != "" || err != nil {
		t.Errorf("a second setup: %q %v", again, err)
	}
}

func TestMaskedNamesAreNowhere(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin(func(a *web.Auth) { a.MaskViewers = true }))
	const name, identity = "Zoraida-Quintanilla", "zq-7781"
	person := fmt.Sprintf(`,"participant":{"sid":"PA_1","identity":%q,"name":%q}`, identity, name)
	r.taken(event("room_created", "s1", "weekly", ""), event("participant_joined", "s1", "weekly", person),
		event("track_published", "s1", "weekly", person+`,"track":{"sid":"TR_1","type":"AUDIO","source":"MICROPHONE"}`),
		event("participant_joined", "s2", "daily", person), event("participant_left", "s2", "daily", person), event("session_ended", "s2", "daily", ""))
	r.await("both are in the lists", func() bool {
		page, err := r.record.Sessions(context.Background(), room.SessionQuery{Text: identity})
		return err == nil && len(page.Items) == 2
	})
	viewer := []string{"Cookie", r.loggedIn(r.user("vi", access.Viewer, ""), 0)}
	machine := []string{"Authorization", "Bearer " + r.apiToken(true, access.ReadState)}
	operator := []string{"Cookie", r.loggedIn(r.user("op", access.Operator, ""), 0)}
	paths := []string{"/", "/rooms/s1", "/rooms/s2", "/sessions", "/recordings", "/artifacts", "/find", "/api/v1/state", "/api/v1/sessions", "/api/v1/sessions/s1", "/api/v1/sessions/s2",
		"/api/v1/recordings", "/api/v1/artifacts", "/api/v1/deliveries", "/api/v1/deliveries/1", "/api/v1/deliveries/2", "/api/v1/attention", "/sessions.csv", "/sessions.json", "/recordings.json", "/artifacts.json",
		"/intake", "/intake.json", "/intake.csv", "/intake/2", "/?q=zq-7781", "/?q=zora", "/metrics"}
	for _, path := range paths {
		shown := r.get(path, operator...)
		for who, headers := range map[string][]string{"viewer": viewer, "machine": machine} {
			a := r.get(path, headers...)
			if tells(a.body, name, identity) && !strings.Contains(path, "?q=") {
				t.Errorf("%s tells a %s the name", path, who)
			}
			if path == "/rooms/s1" && (a.StatusCode != http.StatusOK || !strings.Contains(a.body, "Person ")) {
				t.Errorf("%s for a %s: %d, and nobody is there", path, who, a.StatusCode)
			}
			if strings.Contains(path, "?q=") && strings.Contains(a.body, `id="session-s1"`) {
				t.Errorf("%s finds a %s somebody by a masked name", path, who)
			}
		}
		if path == "/rooms/s1" && !tells(shown.body, name, identity) {
			t.Error("the test proves nothing: an operator sees no name either")
		}
	}
	for _, path := range []string{"/sessions", "/recordings", "/artifacts", "/find", "/api/v1/sessions", "/api/v1/recordings", "/api/v1/artifacts", "/sessions.csv", "/sessions.json"} {
		for _, q := range []string{"zora", "zq-7781"} {
			if a := r.get(path+"?q="+q, viewer...); a.StatusCode != http.StatusOK || strings.Contains(a.body, "weekly") || strings.Contains(a.body, "daily") {
				t.Errorf("%s?q=%s finds somebody by a masked name: %d", path, q, a.StatusCode)
			}
		}
	}
	for _, path := range []string{"/sessions", "/find", "/api/v1/sessions", "/sessions.csv", "/sessions.json"} {
		if a := r.get(path+"?q=week", viewer...); a.StatusCode != http.StatusOK || !strings.Contains(strings.ReplaceAll(a.body, "<mark>week</mark>", "week"), "weekly") || strings.Contains(a.body, "daily") || tells(a.body, name, identity) {
			t.Errorf("%s finds no room by its name: %d", path, a.StatusCode)
		}
	}
	for who, headers := range map[string][]string{"viewer": viewer, "machine": machine} {
		for _, view := range []string{"room:s1", "room:s2", "overview", "sessions"} {
			s, code := r.dial("view="+view, headers...)
			if s == nil {
				t.Fatal(view, code)
			}
			if f := s.next(); tells(string(f.bytes), name, identity) || len(f.bytes) < 200 {
				t.Errorf("the first frame of %s tells a %s the name", view, who)
			}
			if view == "room:s1" {
				r.taken(event("participant_joined", "s1", "weekly", strings.NewReplacer("PA_1", "PA_"+who, identity, identity+who, name, name+who).Replace(person)))
				if f := s.shows("Person "); tells(string(f.bytes), name, identity) {
					t.Errorf("a frame of %s tells a %s the name", view, who)
				}
			}
			_ = s.Close()
		}
	}
	masked, plain := r.get("/api/v1/sessions/s1", viewer...), r.get("/api/v1/sessions/s1", machine...)
	if masked.body != plain.body {
		t.Error("one person is called differently by one mask")
	}
}

func tells(text string, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return strings.Contains(strings.ToLower(text), strings.ToLower(name)) })
}
