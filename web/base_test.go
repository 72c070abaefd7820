package web_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/fasthttp/websocket"
	"github.com/getkin/kin-openapi/openapi3"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/web"
)

func below(path string) setting { return func(c *web.Config) { c.BasePath = path } }

func TestABasePathIsWrittenPlainly(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "/": "", "/roomwatch": "/roomwatch", "/roomwatch/": "/roomwatch", "/tools/room.watch_1~2-3": "/tools/room.watch_1~2-3", "/roomsx": "/roomsx",
		"roomwatch": "no", "/room watch": "no", "/a//b": "no", "/../x": "no", "/.": "no", "/a/.b": "no", "/%72": "no", "/é": "no", `/a"b`: "no", "/a?b": "no", "/a;b": "no", "https://x/roomwatch": "no",
		"/rooms": "no", "/Rooms": "no", "/live/x": "no", "/webhook": "no", "/" + strings.Repeat("x", 200): "no",
	} {
		if got, err := web.ParseBasePath(text); (err != nil) != (want == "no") || err == nil && got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

// With such a path, one that a proxy takes off could not be told from one that it leaves.
func TestNoBasePathBeginsLikeAnAddressOfOurOwn(t *testing.T) {
	t.Parallel()
	for _, by := range []string{web.ByLocal, web.ByOIDC} {
		r := start(t, withLogin(func(a *web.Auth) { a.By = by }), func(c *web.Config) { c.Gallery = true })
		for _, route := range r.server.Registered() {
			_, path, _ := strings.Cut(route, " /")
			first, _, _ := strings.Cut(path, "/")
			if _, err := web.ParseBasePath("/" + first + "/x"); err == nil && first != "" {
				t.Errorf("/%s is taken for a base path", first)
			}
		}
	}
}

func TestBelowAPathRequestsAreServedWithItAndWithout(t *testing.T) {
	t.Parallel()
	r := start(t, below("/tools/roomwatch"))
	for _, base := range []string{"/tools/roomwatch", ""} {
		body := event("room_created", "s"+base, "r1", "")
		if a := r.do(http.MethodPost, base+"/webhook", body, "Authorization", sign(t, body)); a.StatusCode != http.StatusOK {
			t.Errorf("%s: a delivery: %d %s", base, a.StatusCode, a.body)
		}
		for path, code := range map[string]int{"/": 200, "/?q=x": 200, "/livez": 200, "/rooms/nobody": 404, "/api/v1/state": 200, "/embed.js": 200, "/live": 426, "/nothing": 404} {
			if a := r.get(base + path); a.StatusCode != code {
				t.Errorf("%s%s: %d", base, path, a.StatusCode)
			}
		}
		// What of a body is read depends on the address, before there is a handler.
		large := `{"id":"` + strings.Repeat("x", 200<<10) + `"}`
		if a := r.do(http.MethodPost, base+"/webhook", large, "Authorization", sign(t, large)); a.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: a large delivery: %d %s", base, a.StatusCode, a.body)
		}
		if a := r.do(http.MethodPost, base+"/api/v1/embed-tokens", large); a.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: another large body: %d", base, a.StatusCode)
		}
	}
	for _, path := range []string{"/tools/roomwatch", "/tools/roomwatch?q=x"} {
		if a := r.get(path); a.StatusCode != http.StatusOK || !strings.Contains(a.body, `data-live="/tools/roomwatch/live?`) {
			t.Errorf("%s: %d", path, a.StatusCode)
		}
	}
	for _, path := range []string{"/tools/roomwatchx", "/tools/roomwatch//livez", "/tools", "/tools/Roomwatch/livez", "/tools/roomwatch/tools/roomwatch/livez"} {
		if a := r.get(path); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.StatusCode)
		}
	}
	answers, _, err := r.raw(2, "GET http://"+r.addr+"/tools/roomwatch/livez?a=http://b HTTP/1.1\r\nHost: "+r.addr+"\r\n\r\n", "GET /tools/roomwatch/livez?a=http://b HTTP/1.1\r\nHost: "+r.addr+"\r\n\r\n")
	if len(answers) != 2 || answers[0].StatusCode != http.StatusOK || answers[1].StatusCode != http.StatusOK {
		t.Errorf("a whole address: %v, %v", answers, err)
	}
}

func TestBelowAPathALoginStaysThere(t *testing.T) {
	t.Parallel()
	r := start(t, below("/roomwatch"), withLogin(func(a *web.Auth) { a.Proxies = access.Proxies{netip.MustParsePrefix("127.0.0.1/32")} }))
	r.user("ana", access.Admin, rigPassword)
	for _, base := range []string{"/roomwatch", ""} { // a proxy may take it off
		if a := r.get(base + "/users?x=1"); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/roomwatch/login?next=%2Fusers%3Fx%3D1" {
			t.Errorf("sent to log in: %d %s", a.StatusCode, a.Header.Get("Location"))
		}
		for proto, name := range map[string]string{"https": "__Secure-roomwatch", "http": "roomwatch"} {
			for next, to := range map[string]string{"/users?x=1": "/roomwatch/users?x=1", "/roomwatch/users": "/roomwatch/users", "": "/roomwatch/", "//evil.example": "/roomwatch/"} {
				form := url.Values{"name": {"ana"}, "password": {rigPassword}, "next": {next}}
				in := r.do(http.MethodPost, base+"/login", form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin", "X-Forwarded-Proto", proto)
				if in.StatusCode != http.StatusSeeOther || in.Header.Get("Location") != to {
					t.Fatalf("logged in: %d %s", in.StatusCode, in.Header.Get("Location"))
				}
				for _, cookie := range in.Cookies() {
					if cookie.Path != "/roomwatch" || strings.HasPrefix(cookie.Name, "__Host-") || cookie.Secure != (proto == "https") {
						t.Errorf("a cookie: %+v", cookie)
					}
				}
				if cookie := cookieOf(t, in); !strings.HasPrefix(cookie, name+"=") {
					t.Errorf("the cookies: %s", cookie)
				} else if a := r.get(base+"/users", "Cookie", cookie, "X-Forwarded-Proto", proto); a.StatusCode != http.StatusOK {
					t.Errorf("the page: %d", a.StatusCode)
				}
			}
		}
	}
}

func TestBelowAPathTheProviderSendsPeopleBackThere(t *testing.T) {
	t.Parallel()
	_, provider := atProvider(t)
	r := start(t, below("/roomwatch"), withLogin(func(a *web.Auth) {
		a.By, a.OIDC = web.ByOIDC, web.OIDC{Issuer: provider.Issuer(), ClientID: provider.ClientID, ClientSecret: provider.ClientSecret, Roles: groupRoles(t, "*=viewer")}
	}))
	provider.QueueUser(member("ana", "rooms"))
	cookie, ask := r.begun("/sessions")
	if !strings.Contains(ask, url.QueryEscape(r.url+"/roomwatch/login/callback")) {
		t.Fatalf("the provider is asked to send back to %s", ask)
	}
	in := r.get(r.agreed(ask), "Cookie", cookie)
	if in.StatusCode != http.StatusSeeOther || in.Header.Get("Location") != "/roomwatch/sessions" {
		t.Errorf("%d %s", in.StatusCode, in.Header.Get("Location"))
	}
}

func TestBelowAPathMachinesAreToldSo(t *testing.T) {
	t.Parallel()
	r := start(t, below("/roomwatch"), withLogin(func(a *web.Auth) { a.Parents = []access.Origin{"https://support.example.org"} }))
	r.taken(joined("s1", "room one", "ana"))
	token := []string{"Authorization", "Bearer " + rigToken}
	made := r.do(http.MethodPost, "/api/v1/embed-tokens", `{"room_id":"room one","parent":"https://support.example.org"}`, token...)
	if made.StatusCode != http.StatusCreated || !strings.Contains(made.body, `"url":"`+r.url+`/roomwatch/embed/rooms/room%20one?token=`) {
		t.Errorf("%d %s", made.StatusCode, made.body)
	}
	doc, err := openapi3.NewLoader().LoadFromData([]byte(r.get("/roomwatch/api/v1/openapi.yaml", token...).body))
	if err != nil || len(doc.Servers) != 1 || doc.Servers[0].URL != "/roomwatch" {
		t.Errorf("%v, %v", doc.Servers, err)
	}
	_, framed, _ := strings.Cut(made.body, r.url)
	framed, _, _ = strings.Cut(framed, `"`)
	page := r.get(framed)
	if page.StatusCode != http.StatusOK || !strings.Contains(page.body, `data-live="/roomwatch/live?`) || !strings.Contains(page.body, `href="/roomwatch/sessions?room_id=room&#43;one`) && !strings.Contains(page.body, `href="/roomwatch/sessions?room_id=room+one`) {
		t.Errorf("the frame: %d %s", page.StatusCode, page.body)
	}
}

func TestBelowAPathWhatChangesIsMovedToo(t *testing.T) {
	t.Parallel()
	r := start(t, below("/roomwatch"))
	conn, _, err := websocket.DefaultDialer.Dial("ws://"+r.addr+"/roomwatch/live?view=overview", http.Header{"Origin": {r.url}})
	if err != nil {
		t.Fatal(err)
	}
	s := &socket{conn, r}
	defer s.Close()
	s.next()
	r.taken(joined("s1", "r1", "ana"))
	for {
		for _, op := range s.next().Ops {
			if strings.Contains(op.HTML, `="/rooms/`) || strings.Contains(op.HTML, `="/static/`) {
				t.Fatalf("not moved: %s", op.HTML)
			}
			if strings.Contains(op.HTML, `href="/roomwatch/rooms/s1"`) {
				return
			}
		}
	}
}
