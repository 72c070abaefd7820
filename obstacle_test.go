package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// spoil is what a proxy does to a request, or answers itself.
type spoil func(w http.ResponseWriter, r *http.Request) (answered bool)

func dropUpgrade(_ http.ResponseWriter, r *http.Request) bool {
	r.Header.Del("Upgrade")
	r.Header.Del("Connection")
	return false
}

func dropHost(_ http.ResponseWriter, r *http.Request) bool { r.Host = "127.0.0.1:8080"; return false }

func loseLive(w http.ResponseWriter, r *http.Request) bool {
	if r.URL.Path != "/live" {
		return false
	}
	http.NotFound(w, r)
	return true
}

func lengthenLive(_ http.ResponseWriter, r *http.Request) bool {
	if r.URL.Path == "/live" {
		r.URL.Path = "/ws/live"
	}
	return false
}

func askToLogIn(w http.ResponseWriter, r *http.Request) bool {
	if r.URL.Path != "/live" {
		return false
	}
	http.Redirect(w, r, "https://login.example.org/", http.StatusFound)
	return true
}

// spoiling is a proxy in front of Roomwatch that can be mended.
type spoiling struct {
	http.Handler
	how atomic.Pointer[spoil]
}

func spoiled(address string, how spoil) *spoiling {
	inside := &url.URL{Scheme: "http", Host: address}
	proxy := &httputil.ReverseProxy{ErrorLog: log.New(io.Discard, "", 0), Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(inside)
		r.Out.Host = r.In.Host
		r.SetXForwarded()
	}}
	s := new(spoiling)
	s.how.Store(&how)
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if how := s.how.Load(); *how != nil && (*how)(w, r) {
			return
		}
		proxy.ServeHTTP(w, r)
	})
	return s
}

func (s *spoiling) mend() { s.how.Store(new(spoil)) }

// Fault 62: a page that cannot go live says why, and what to change, and goes live by itself when it is mended.
func TestFault62APageSaysWhatKeepsItFromGoingLive(t *testing.T) {
	t.Parallel()
	app := startApp(t, testConfig("memory:"))
	t.Cleanup(app.close)
	for name, c := range map[string]struct {
		how  spoil
		says []string
	}{
		"Upgrade is dropped":  {dropUpgrade, []string{"does not pass WebSocket upgrades on", "proxy_set_header Upgrade"}},
		"Host is dropped":     {dropHost, []string{"passes another Host", "ORIGINS"}},
		"/live leads nowhere": {loseLive, []string{"What answers at /live is not Roomwatch (HTTP 404)", "BASE_PATH"}},
		"the path is changed": {lengthenLive, []string{"What answers at /live is not Roomwatch (HTTP 404)", "Have it pass /live as it is"}},
		"a login is in front": {askToLogIn, []string{"sends the live connection to another address, perhaps to log in"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := spoiled(app.Addr(), c.how)
			front := httptest.NewServer(proxy)
			defer front.Close()
			defer front.CloseClientConnections()
			b := startBrowser(t)
			b.expect("404", "302")
			b.size(1440, 700)
			b.visit(front.URL + "/")
			b.await("the page says that it is not live", `document.querySelector("#pill[data-state=blocked]") && document.querySelector("#pill [data-word]").textContent === "Not live"`)
			b.await("it is said", `document.getElementById("news").textContent.length > 80`)
			b.step("blocked")
			for _, text := range c.says {
				b.await(text, fmt.Sprintf(`document.querySelector("#connection:popover-open #connection-said")?.textContent.includes(%q)`, text))
			}
			proxy.mend()
			b.click(`#connection [data-reconnect]`)
			b.await("mended, it is live", `document.querySelector("#pill[data-state=live]")`)
			b.await("and says nothing of it any more", `document.getElementById("connection-said").textContent === "Changes are shown as they happen."`)
		})
	}
}

// Fault 62: where a proxy takes a path off that Roomwatch does not know of, nothing of the page's own is found.
func TestFault62APageWithoutItsFilesSaysSo(t *testing.T) {
	t.Parallel()
	app := startApp(t, testConfig("memory:"))
	t.Cleanup(app.close)
	f := inFront(t, app.App, true)
	b := startBrowser(t)
	b.expect("404", "MIME type")
	b.visit(f.URL + servedAt + "/")
	b.await("it says so", `document.querySelector(".bare-page").checkVisibility() && document.querySelector(".bare-page").innerText.includes("set BASE_PATH to that path")`)
	b.visit(app.URL() + "/")
	b.await("with its files it does not", `document.querySelector("#pill[data-state=live]") && !document.querySelector(".bare-page").checkVisibility()`)
}

// A restart is no obstacle: the page that comes through it says nothing of proxies.
func TestFault62AServerThatIsAwayIsNotTakenForAProxyInTheWay(t *testing.T) {
	t.Parallel()
	app := startApp(t, testConfig("memory:"))
	defer app.close()
	line := layCable(t, app.Addr())
	b := startBrowser(t)
	b.visit(line.url())
	b.await("live", isLive)
	b.run(`window.told = []; document.addEventListener("roomwatch:obstacle", (event) => told.push(event.detail));
		window.tries = 0; document.addEventListener("roomwatch:connection", (event) => { if (event.detail.state === "reconnecting") tries++; })`)
	line.cut()
	b.await("it has tried often enough to ask", `tries >= 5`)
	b.claim("nothing is in the way", `told.every((text) => text === "")`)
	line.lead(app.Addr())
	b.run(`document.dispatchEvent(new CustomEvent("roomwatch:ask", { detail: "reconnect" }))`)
	b.await("live again", isLive)
	b.claim("and nothing was", `told.every((text) => text === "")`)
}

// Fault 62: a frame with sandbox and without allow-same-origin says so in itself, though it can load nothing.
func TestFault62AFrameOfNoSiteSaysWhatToChange(t *testing.T) {
	c := startConsole(t, "support", 5*time.Minute)
	app := startFramed(t, c, c.origin)
	t.Cleanup(app.close)
	if !post(app.client, app.URL(), joinedRoom("s1", "room01", "Ana")) {
		t.Fatal("not stored")
	}
	token := func() string {
		t.Helper()
		token, err := c.token("room01")
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	for _, f := range []struct{ name, sandbox, origin, shows string }{ // an origin that is none is told as ://
		{"of no site", "allow-scripts", "://", `document.querySelector(".bare-page").checkVisibility() && document.querySelector(".bare-page").innerText.includes('sandbox="allow-scripts allow-same-origin"')`},
		{"of its site", "allow-scripts allow-same-origin", c.ops, `document.querySelector("#link[data-link=live]") && !document.querySelector(".bare-page").checkVisibility()`},
	} {
		c.page.Store(new(fmt.Sprintf(`<iframe sandbox="%s" src="%s/embed/rooms/room01?token=%s" title="x"></iframe>`, f.sandbox, c.ops, token())))
		b, documents := startTogether(t)
		b.visit(c.origin)
		documents.await(b, f.origin, "a frame "+f.name, f.shows)
	}
}

func TestFault62AFrameSaysWhatKeepsItFromGoingLive(t *testing.T) {
	c := startConsole(t, "support", 5*time.Minute)
	app := startFramed(t, c, c.origin)
	t.Cleanup(app.close)
	proxy := spoiled(app.Addr(), dropUpgrade)
	front := httptest.NewServer(proxy)
	t.Cleanup(front.Close)
	t.Cleanup(front.CloseClientConnections)
	c.ops = site("ops", front.Listener.Addr().String())
	token, err := c.token("room01")
	if err != nil {
		t.Fatal(err)
	}
	c.page.Store(new(fmt.Sprintf(`<iframe src="%s/embed/rooms/room01?token=%s" title="x"></iframe>`, c.ops, token)))
	b, documents := startTogether(t)
	b.visit(c.origin)
	documents.await(b, c.ops, "the frame says so", `!document.getElementById("obstacle").hidden && document.getElementById("obstacle").innerText.includes("WebSocket upgrades") && document.querySelector("#link[data-link=blocked]").innerText.includes("Not live")`)
	proxy.mend()
	documents.await(b, c.ops, "mended, it is live", `document.getElementById("obstacle").hidden && document.querySelector("#link[data-link=live]")`)
}

// Fault 62: check tries the way that people take, and says what is amiss there.
func TestFault62CheckTriesTheWayThroughTheProxy(t *testing.T) {
	t.Parallel()
	own := newAuthority(t)
	config := testConfig("memory:")
	config.Auth, config.TrustedProxies, config.CAFile = "local", []string{"127.0.0.1"}, own.file
	app := startApp(t, config)
	defer app.close()
	config.Listen = app.Addr()
	redirected := func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/webhook" {
			http.Redirect(w, r, "/webhook/", http.StatusMovedPermanently)
		}
		return r.URL.Path == "/webhook"
	}
	everything := func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, "https://login.example.org/?token=hunter2", http.StatusFound)
		return true
	}
	away := func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusBadGateway); return true }
	elsewhere := func(_ http.ResponseWriter, r *http.Request) bool { r.URL.Path = "/rw" + r.URL.Path; return false }
	for name, c := range map[string]struct {
		how   spoil
		state string
		says  string
	}{
		"all is well":            {nil, good, "is passed on; it is live once somebody has logged in"},
		"Upgrade is dropped":     {dropUpgrade, wrong, "does not pass WebSocket upgrades on"},
		"Host is dropped":        {dropHost, wrong, "passes another Host"},
		"/live leads nowhere":    {loseLive, wrong, "/live is not Roomwatch (HTTP 404)"},
		"every path is changed":  {elsewhere, wrong, "/livez is not Roomwatch (HTTP 404)"},
		"the webhook redirects":  {redirected, wrong, "sends to /webhook/: plugNmeet takes that for delivered"},
		"a login is in front":    {everything, doubt, "sends to https://login.example.org/, perhaps to log in"},
		"no serve is behind it":  {away, wrong, "answers HTTP 502"},
		"TLS is not passed on":   {func(_ http.ResponseWriter, r *http.Request) bool { r.TLS = nil; return false }, wrong, "name the proxy in TRUSTED_PROXIES"},
		"the socket wants login": {askToLogIn, wrong, "pages cannot go live"},
	} {
		front := own.serve(t, spoiled(app.Addr(), c.how))
		config.PublicURL = front.URL + "/"
		var text strings.Builder
		found := false
		for _, f := range (&checkCommand{config}).checkProxy() {
			fmt.Fprintln(&text, f.state, f.about, f.text)
			found = found || f.state == c.state && strings.Contains(f.text, c.says)
			if c.how == nil && f.state != good {
				t.Errorf("%s: %+v", name, f)
			}
		}
		if !found || strings.Contains(text.String(), "hunter2") {
			t.Errorf("%s: check says\n%s", name, &text)
		}
	}
	config.PublicURL = ""
	if found := (&checkCommand{config}).checkProxy(); len(found) == 0 || found[len(found)-1].state != doubt || !strings.Contains(found[len(found)-1].text, "set PUBLIC_URL") {
		t.Errorf("without PUBLIC_URL: %+v", found)
	}
}

// Fault 62: what the running serve has seen in the way of pages is said by check, too.
func TestFault62CheckTellsWhatTheServeHasSeen(t *testing.T) {
	t.Parallel()
	config := testConfig("memory:")
	app := startApp(t, config)
	defer app.close()
	config.Listen = app.Addr()
	if found := (&checkCommand{config}).checkProxy(); len(found) != 0 {
		t.Errorf("before: %+v", found)
	}
	front := httptest.NewServer(spoiled(app.Addr(), dropUpgrade))
	defer front.Close()
	request, err := http.NewRequest(http.MethodGet, front.URL+"/live?view=overview", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"cm9vbXdhdGNoIGNoZWNrcw=="}, "Origin": {front.URL}}
	answer, err := app.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	found := (&checkCommand{config}).checkProxy()
	if answer.StatusCode != http.StatusUpgradeRequired || len(found) != 1 || found[0].state != doubt || !strings.Contains(found[0].text, "a page could not go live") || !strings.Contains(found[0].text, "WebSocket upgrades") {
		t.Errorf("%d, %+v", answer.StatusCode, found)
	}
}

func TestAPublicURLThatCannotBeRefusesToStart(t *testing.T) {
	for _, c := range []struct{ url, base, says string }{
		{"rooms.example.org", "", "write the address"}, {"https://ana:x@rooms.example.org", "", "write the address"}, {"https://rooms.example.org/?x=y", "", "write the address"},
		{"https://rooms.example.org/roomwatch", "", "BASE_PATH"}, {"https://rooms.example.org", "/roomwatch", "BASE_PATH"}, {"https://rooms.example.org ", "", "space"},
		{"https://rooms.example.org/roomwatch/", "/roomwatch", ""}, {"http://rooms.example.org:8080/", "", ""},
	} {
		config := testConfig("memory:")
		config.PublicURL, config.BasePath = c.url, c.base
		if err := config.validate(); (err == nil) != (c.says == "") || err != nil && (!strings.Contains(err.Error(), "PUBLIC_URL") || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%q below %q: %v", c.url, c.base, err)
		}
	}
}
