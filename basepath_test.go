package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"golang.org/x/net/html"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/simulate"
)

const servedAt = "/tools/roomwatch"

func servedBelow(c *Config) { c.BasePath = servedAt }

// front is a proxy that serves Roomwatch below a path, beside others at the same host.
type front struct {
	*httptest.Server
	mu      sync.Mutex
	outside []string // what was asked of the others
}

// inFront takes the path off what it passes on, or leaves it.
func inFront(t *testing.T, app *App, takesOff bool) *front {
	t.Helper()
	f := new(front)
	inside := &url.URL{Scheme: "http", Host: app.Addr()}
	proxy := &httputil.ReverseProxy{ErrorLog: log.New(io.Discard, "", 0), Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(inside)
		r.Out.Host = r.In.Host
		if takesOff {
			r.Out.URL.Path = strings.TrimPrefix(r.Out.URL.Path, servedAt)
			r.Out.URL.RawPath = strings.TrimPrefix(r.Out.URL.RawPath, servedAt)
		}
	}}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == servedAt || strings.HasPrefix(r.URL.Path, servedAt+"/") {
			proxy.ServeHTTP(w, r)
			return
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.outside = append(f.outside, r.URL.Path)
		http.NotFound(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

func bothProxies(t *testing.T, app *App, claim func(t *testing.T, f *front)) {
	for name, takesOff := range map[string]bool{"that leaves the path": false, "that takes it off": true} {
		f := inFront(t, app, takesOff)
		t.Run("a proxy "+name, func(t *testing.T) { claim(t, f) })
		if len(f.outside) > 0 {
			t.Errorf("through a proxy %s, others are asked for %q", name, f.outside)
		}
	}
}

// addresses are what a page leads to, loads, posts to or watches. Any attribute that begins like an address from
// the root is taken for one, but for what forms send.
func addresses(page []byte) (found []string, err error) {
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		return nil, err
	}
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Val, "/") && a.Key != "value" {
				found = append(found, a.Val)
			}
		}
	}
	return found, nil
}

var cssAddress = regexp.MustCompile(`url\("?([^")]+)"?\)`)

// crawl follows every address from page to page, with what the client has of a login, and fails on one that is not
// below the path or does not answer. The first pages may be refusals.
func crawl(t *testing.T, client *http.Client, f *front, from ...string) (seen []string) {
	t.Helper()
	kinds := make(map[string]int)
	for next := from; len(next) > 0; next = next[1:] {
		address, _, _ := strings.Cut(next[0], "#")
		if address != servedAt && !strings.HasPrefix(address, servedAt+"/") {
			t.Errorf("%s is not below %s", address, servedAt)
			continue
		}
		if slices.Contains(seen, address) || kinds[kindOf(address)] == enough {
			continue
		}
		kinds[kindOf(address)]++
		seen = append(seen, address)
		answer, err := client.Get(f.URL + address)
		if err != nil {
			t.Fatal(err)
		}
		body := readAll(t, answer.Body)
		_ = answer.Body.Close()
		expected := len(seen) <= len(from) || slices.Contains([]int{http.StatusOK, http.StatusSeeOther}, answer.StatusCode) ||
			answer.StatusCode == http.StatusUpgradeRequired && strings.HasPrefix(address, servedAt+"/live?") ||
			answer.StatusCode == http.StatusMethodNotAllowed && (strings.HasSuffix(address, "/logout") || strings.HasSuffix(address, "/webhook"))
		if !expected {
			t.Errorf("%s answers %d", address, answer.StatusCode)
		}
		if to := answer.Header.Get("Location"); to != "" {
			next = append(next, to)
		}
		switch kind, _, _ := strings.Cut(answer.Header.Get("Content-Type"), ";"); kind {
		case "text/html":
			found, err := addresses([]byte(body))
			if err != nil {
				t.Fatal(err)
			}
			next = append(next, found...)
		case "text/css":
			for _, found := range cssAddress.FindAllStringSubmatch(body, -1) {
				at, err := url.Parse(f.URL + address)
				if err == nil {
					at, err = at.Parse(found[1])
				}
				if err != nil {
					t.Fatal(err)
				}
				next = append(next, at.RequestURI())
			}
		}
	}
	return seen
}

// kindOf is what an address shows, whatever its filters: of one kind, a few tell enough.
func kindOf(address string) string {
	path, query, _ := strings.Cut(strings.TrimPrefix(address, servedAt), "?")
	for _, many := range []string{"/rooms/", "/intake/", "/api/v1/sessions/"} {
		if strings.HasPrefix(path, many) {
			return many
		}
	}
	if values, err := url.ParseQuery(query); err == nil && path == "/live" {
		view, _, _ := strings.Cut(values.Get("view"), ":")
		return path + " " + view
	}
	return path
}

const enough = 12

// Every address of every page is below the path and answers there, whether the proxy in front takes it off or not.
func TestBelowAPathEveryAddressAnswersThere(t *testing.T) {
	t.Parallel()
	now := time.Now()
	h := startDay(t, simulate.Plan{Seed: 5, Rooms: 4, Start: now.Add(-halfDay)}, now, servedBelow)
	h.trouble(now)
	h.await("all are folded", func() bool { return h.board.Position() == h.end() })
	bothProxies(t, h.App, func(t *testing.T, f *front) {
		client := &http.Client{Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		defer client.CloseIdleConnections()
		seen := crawl(t, client, f, servedAt+"/", servedAt+"/find?q=a", servedAt+"/intake?verdict=unauthentic", servedAt+"/sessions?q=nothing-like-it")
		for _, must := range []string{"/", "/sessions", "/recordings", "/artifacts", "/intake", "/find", "/rooms/", "/intake/", "/static/inter.woff2", "/static/mask-mic.svg", "/live?view=room", "/webhook", "/sessions.csv", "/api/v1/sessions/"} {
			if !slices.ContainsFunc(seen, func(address string) bool { return strings.HasPrefix(address, servedAt+must) }) {
				t.Errorf("%s was never come to", must)
			}
		}
		// In the gallery are addresses of what is not there, in every state of every component.
		gallery, err := client.Get(f.URL + servedAt + "/dev/gallery")
		if err != nil {
			t.Fatal(err)
		}
		defer gallery.Body.Close()
		found, err := addresses([]byte(readAll(t, gallery.Body)))
		if err != nil || len(found) < 100 {
			t.Errorf("%d addresses in the gallery, %v", len(found), err)
		}
		for _, address := range found {
			if address != servedAt && !strings.HasPrefix(address, servedAt+"/") {
				t.Errorf("in the gallery %s is not below %s", address, servedAt)
			}
		}
	})
}

func TestBelowAPathPeopleLogInAndFindTheirPages(t *testing.T) {
	t.Parallel()
	config := testConfig("memory:")
	config.Auth, config.EmbedParents = "local", []string{"http://support.localhost"}
	servedBelow(&config)
	app := startApp(t, config)
	defer app.close()
	accounts := accountsOf(app.record)
	api, err := access.NewAPIToken(access.HashOf("x"), "prometheus", []access.Scope{access.ReadMetrics}, true, "", time.Now(), time.Hour)
	if err == nil {
		err = accounts.AddToken(t.Context(), api)
	}
	if err != nil {
		t.Fatal(err)
	}
	setup := app.SetupToken()
	bothProxies(t, app.App, func(t *testing.T, f *front) {
		v := visit(t, f.URL+servedAt)
		const password = "four words of a test"
		code, body, to := 0, "", ""
		if setup != "" {
			code, body, to = v.post("/setup", "token", setup, "name", "ana", "password", password)
			setup = ""
		} else {
			code, body, to = v.post("/login", "name", "ana", "password", password, "next", "/")
		}
		if code != http.StatusSeeOther || to != servedAt+"/" {
			t.Fatalf("%d %s %s", code, to, body)
		}
		seen := crawl(t, v.Client, f, servedAt+"/", servedAt+"/login", servedAt+"/setup", servedAt+"/account", servedAt+"/users", servedAt+"/tokens", servedAt+"/audit", servedAt+"/nothing-here")
		for _, must := range []string{"/users", "/tokens", "/audit", "/account", "/logout"} {
			if !slices.Contains(seen, servedAt+must) {
				t.Errorf("%s was never come to", must)
			}
		}
		if code, _, to := v.post("/logout"); code != http.StatusSeeOther || to != servedAt+"/login" {
			t.Errorf("logging out: %d %s", code, to)
		}
		if code, _, to := v.see("/users"); code != http.StatusSeeOther || to != servedAt+"/login?next=%2Fusers" {
			t.Errorf("after that: %d %s", code, to)
		}
		crawl(t, v.Client, f, servedAt+"/login", servedAt+"/embed?token=x")
	})
}

func TestBelowAPathPagesGoLive(t *testing.T) {
	t.Parallel()
	config := testConfig("memory:")
	servedBelow(&config)
	app := startApp(t, config)
	defer app.close()
	bothProxies(t, app.App, func(t *testing.T, f *front) {
		b := startBrowser(t)
		b.visit(f.URL + servedAt + "/")
		b.await("the page is live", `document.querySelector("#pill[data-state=live]")`)
		sid := fmt.Sprint("s", time.Now().UnixNano())
		if !post(app.client, f.URL+servedAt, joinedRoom(sid, "room01", "Ana")) {
			t.Fatal("a delivery is not taken")
		}
		row := fmt.Sprintf(`document.querySelector("#session-%s a[href='%s/rooms/%s']")`, sid, servedAt, sid)
		b.await("the room appears by itself", row)
		b.await("the font is loaded", `[...document.fonts].some((font) => font.status === "loaded")`)
		if there := eval[string](b, `performance.getEntriesByType("resource").map((e) => new URL(e.name).pathname).find((path) => !path.startsWith("`+servedAt+`/")) ?? ""`); there != "" {
			t.Errorf("the page asks for %s", there)
		}
		key := func(keys ...string) {
			for _, k := range keys {
				eval[bool](b, fmt.Sprintf(`document.dispatchEvent(new KeyboardEvent("keydown", {key: %q, bubbles: true, cancelable: true, ctrlKey: %t}))`, strings.TrimPrefix(k, "^"), strings.HasPrefix(k, "^")))
			}
		}
		app.await("it is found", func() bool { return strings.Contains(app.text("/find"), sid) }) // the palette asks once
		key("^k")
		b.await("the palette finds the room", fmt.Sprintf(`document.querySelector("#palette a[href='%s/rooms/%s']")`, servedAt, sid))
		eval[bool](b, `Boolean(document.getElementById("palette").close()) || true`)
		key("g", "s")
		b.await("a key leads to another page", fmt.Sprintf(`location.pathname === "%s/sessions" && document.querySelector("#pill[data-state=live]")`, servedAt))
		b.visit(f.URL + servedAt + "/intake")
		b.await("the address to deliver to", fmt.Sprintf(`document.body.textContent.includes("%s%s/webhook")`, f.URL, servedAt))
	})
}

// Healthcheck and check ask the running serve, wherever it is served.
func TestBelowAPathCommandsFindTheServe(t *testing.T) {
	t.Parallel()
	config := testConfig("memory:")
	servedBelow(&config)
	app := startApp(t, config)
	defer app.close()
	if want := "http://" + app.Addr() + servedAt; app.URL() != want {
		t.Errorf("it says that it is at %s", app.URL())
	}
	f := inFront(t, app.App, true)
	for _, cmd := range []healthcheckCommand{{Listen: app.Addr()}, {URL: app.URL()}, {URL: f.URL + servedAt + "/"}} {
		if err := cmd.Run(); err != nil {
			t.Errorf("%+v: %v", cmd, err)
		}
	}
	config.Listen = app.Addr()
	if _, _, said := (&checkCommand{config}).askServe(t.Context()); said.state != good {
		t.Errorf("%+v", said)
	}
	conn, _, err := websocket.DefaultDialer.Dial(strings.Replace(f.URL, "http", "ws", 1)+servedAt+"/live?view=overview", http.Header{"Origin": {f.URL}})
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}

func TestABasePathThatCannotBeRefusesToStart(t *testing.T) {
	for path, says := range map[string]string{"roomwatch": "write it like /roomwatch", "/rooms": "an address of Roomwatch itself"} {
		config := testConfig("memory:")
		config.BasePath = path
		if err := config.validate(); err == nil || !strings.Contains(err.Error(), "BASE_PATH="+path) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
