package web_test

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/web"
)

// said is how a refused socket, or a page that asks for it, is answered.
type toldOff struct{ Status, Detail string }

func (r *rig) told(a answer) (out toldOff) {
	r.t.Helper()
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		r.t.Errorf("%v in %s", err, a.body)
	}
	return out
}

// inTheWay are the warnings of /health that sockets cannot be opened.
func (r *rig) inTheWay() (texts []string) {
	r.t.Helper()
	var health struct {
		Status string
		Checks map[string][]struct{ Status, Output string }
	}
	if err := json.Unmarshal([]byte(r.get("/health").body), &health); err != nil {
		r.t.Fatal(err)
	}
	for _, c := range health.Checks["live:sockets"] {
		if c.Status != "warn" || health.Status != "warn" {
			r.t.Errorf("%+v in %+v", c, health)
		}
		texts = append(texts, c.Output)
	}
	return texts
}

// plainSocket asks for a socket as a proxy passes it on: with these headers taken off, and others put on.
func plainSocket(off []string, on ...string) []string {
	headers := []string{"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Protocol", "roomwatch.v1", "Upgrade", "websocket", "Connection", "Upgrade"}
	for i := len(headers) - 2; i >= 0; i -= 2 {
		if slices.Contains(off, headers[i]) {
			headers = slices.Delete(headers, i, i+2)
		}
	}
	return append(headers, on...)
}

// Fault 62: what a proxy or a frame does to a socket is refused, and said in the answer, the log and /health, and counted.
func TestFault62WhatIsInTheWayOfASocketIsSaid(t *testing.T) {
	t.Parallel()
	near := access.Proxies{netip.MustParsePrefix("127.0.0.1/32")}
	for name, c := range map[string]struct {
		path    string
		headers []string
		code    int
		reason  string
		says    string
	}{
		"Upgrade is dropped":         {"/live?view=overview", plainSocket([]string{"Upgrade"}), 426, "upgrade", "proxy_set_header Upgrade"},
		"Connection is dropped":      {"/live?view=overview", plainSocket([]string{"Connection"}), 426, "upgrade", "proxy_set_header Upgrade"},
		"both are dropped":           {"/live?view=overview", plainSocket([]string{"Upgrade", "Connection"}), 426, "upgrade", "HTTP/1.1"},
		"Host is dropped":            {"/live?view=overview", plainSocket(nil, "Host", "127.0.0.1:8080", "Origin", "https://rooms.example.org"), 403, "host", "proxy_set_header Host $http_host"},
		"Host has a port more":       {"/live?view=overview", plainSocket(nil, "Host", "rooms.example.org:8080", "Origin", "https://rooms.example.org"), 403, "host", "ORIGINS"},
		"a frame of no site":         {"/live?view=overview", plainSocket(nil, "Origin", "null"), 403, "sandbox", "allow-same-origin"},
		"a page that came plainly":   {"/live?view=overview", plainSocket(nil, "Host", "rooms.example.org", "Origin", "http://rooms.example.org", "X-Forwarded-Proto", "https"), 403, "plain", "over https"},
		"a path that was lengthened": {"/roomwatch/live?view=overview", plainSocket(nil), 404, "path", "BASE_PATH"},
		"a path and no upgrade":      {"/ws/live", plainSocket([]string{"Upgrade"}), 404, "path", "BASE_PATH"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t, withLogin(func(a *web.Auth) { a.Proxies = near }))
			token := r.loggedIn(r.user("ana", access.Viewer, ""), 0)
			if slices.Contains(c.headers, "X-Forwarded-Proto") {
				token = "__Host-" + token
			}
			// Whoever knocks at the door does not fill the log.
			for range 2 {
				if a := r.get(c.path, c.headers...); a.StatusCode != c.code {
					t.Fatalf("a stranger: %d %s", a.StatusCode, a.body)
				}
			}
			if lines := strings.Count(r.logged.String(), "a page cannot go live"); lines != 0 || len(r.inTheWay()) != 0 {
				t.Errorf("of a stranger: %s, %q", r.logged, r.inTheWay())
			}
			for range 3 {
				a := r.get(c.path, append(c.headers, "Cookie", token)...)
				if a.StatusCode != c.code {
					t.Fatalf("%d %s", a.StatusCode, a.body)
				}
				if told := c.path != "/live?view=overview" || strings.Contains(r.told(a).Detail, c.says); !told {
					t.Errorf("the answer is %s", a.body)
				}
			}
			if texts := r.inTheWay(); len(texts) != 1 || !strings.Contains(texts[0], c.says) {
				t.Errorf("/health says %q", texts)
			}
			if log := r.logged.String(); strings.Count(log, "a page cannot go live") != 1 || !strings.Contains(log, c.says) {
				t.Errorf("the log says %s", log)
			}
			if n := r.get("/metrics", "Authorization", "Bearer "+rigToken).body; !strings.Contains(n, `roomwatch_sockets_hindered_total{reason="`+c.reason+`"} 3`) {
				t.Errorf("it is not counted as %s", c.reason)
			}
		})
	}
}

// Fault 62: a page whose socket fails asks Roomwatch, which says what it sees of it.
func TestFault62APageIsToldWhatIsInItsWay(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin())
	for name, c := range map[string]struct {
		page, host string
		says       string
	}{
		"nothing that is seen here":  {r.url, r.addr, "WebSocket upgrades"},
		"another Host":               {"https://rooms.example.org", "127.0.0.1:8080", "another Host"},
		"a page of no site":          {"null", r.addr, "sandbox"},
		"what a page never is":       {"://", r.addr, "WebSocket upgrades"},
		"the usual port in the Host": {"https://rooms.example.org", "rooms.example.org:443", "WebSocket upgrades"},
	} {
		a := r.get("/live?view=overview", "Roomwatch-Page", c.page, "Host", c.host)
		if a.StatusCode != http.StatusOK || !strings.Contains(r.told(a).Detail, c.says) {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
	}
	if texts := r.inTheWay(); len(texts) != 0 {
		t.Errorf("asking is taken for failing: %q", texts)
	}
}

// A page of another site is refused without a word: it is not one that should be helped.
func TestFault62ForeignPagesAreNotTakenForOnesThatAreHindered(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin())
	cookie := r.loggedIn(r.user("ana", access.Viewer, ""), 0)
	for _, headers := range [][]string{{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, {"Origin", ""}, {"Origin", "nonsense"}} {
		a := r.get("/live?view=overview", plainSocket(nil, append(headers, "Cookie", cookie)...)...)
		if a.StatusCode != http.StatusForbidden || r.told(a).Detail != "" {
			t.Errorf("%q: %d %s", headers, a.StatusCode, a.body)
		}
	}
	if texts := r.inTheWay(); len(texts) != 0 {
		t.Errorf("%q", texts)
	}
}

// A frame with sandbox and without allow-same-origin cannot load its modules: that is how it is known.
func TestFault62AFrameOfNoSiteIsNoticedByItsFiles(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin(func(a *web.Auth) { a.Parents = []access.Origin{"https://support.example.org"} }))
	file := func(headers ...string) int {
		return r.get("/static/live.js", append([]string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "script"}, headers...)...).StatusCode
	}
	if code := file("Origin", "null"); code != http.StatusForbidden || len(r.inTheWay()) != 0 {
		t.Errorf("without a frame before: %d %q", code, r.inTheWay())
	}
	made := r.do(http.MethodPost, "/api/v1/embed-tokens", `{"all":true,"parent":"https://support.example.org"}`, "Authorization", "Bearer "+rigToken)
	_, token, _ := strings.Cut(made.body, `"token":"`)
	token, _, _ = strings.Cut(token, `"`)
	if a := r.get("/embed?token=" + token); a.StatusCode != http.StatusOK || !strings.Contains(a.body, `class="bare-page"`) || !strings.Contains(a.body, `sandbox="allow-scripts allow-same-origin"`) && !strings.Contains(a.body, `sandbox=&#34;allow-scripts allow-same-origin&#34;`) {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	if code := file("Origin", "https://evil.example"); code != http.StatusForbidden || len(r.inTheWay()) != 0 {
		t.Errorf("a file for another site: %d %q", code, r.inTheWay())
	}
	if code := file("Origin", "null"); code != http.StatusForbidden || len(r.inTheWay()) != 1 || !strings.Contains(r.inTheWay()[0], "allow-same-origin") {
		t.Errorf("a file for a page of no site: %d %q", code, r.inTheWay())
	}
}
