package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/redistest"
	"github.com/roomwatch/roomwatch/web"
)

// console is a page of another site that frames a room, and answers its frame's question for fresh tokens
// as long as it is willing.
type console struct {
	*httptest.Server
	origin  string
	ops     string // Roomwatch under its own name
	secret  string
	ttl     time.Duration
	parent  string // that its tokens are for; "" is itself
	willing atomic.Bool
	given   atomic.Int32           // tokens
	page    atomic.Pointer[string] // instead of its own
}

// site is the origin of a server under another name of this machine: browsers take it for another site.
func site(name, address string) string {
	_, port, _ := net.SplitHostPort(address)
	return "http://" + name + ".localhost:" + port
}

func startConsole(t *testing.T, name string, ttl time.Duration) *console {
	t.Helper()
	c := &console{secret: "a secret of these tests, of which keys are derived", ttl: ttl}
	c.willing.Store(true)
	c.Server = httptest.NewServer(http.HandlerFunc(c.answer))
	t.Cleanup(c.Close)
	c.origin = site(name, c.Listener.Addr().String())
	return c
}

func (c *console) answer(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/token" && c.willing.Load():
		token, err := c.token("room01")
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		c.given.Add(1)
		fmt.Fprintf(w, `{"token":%q}`, token)
	case r.URL.Path == "/":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if page := c.page.Load(); page != nil {
			fmt.Fprintf(w, `<!DOCTYPE html><html lang="en"><title>Case 48213</title><link rel="icon" href="data:,">%s`, *page)
			return
		}
		fmt.Fprintf(w, `<!DOCTYPE html><html lang="en"><title>Case 48213</title><link rel="icon" href="data:,"><h1>Case 48213</h1>
			<script type="module" src="%s/embed.js"></script><div style="width:420px;height:600px"><roomwatch-embed src="%s/embed/rooms/room01" token-url="/token"></roomwatch-embed></div>`, c.ops, c.ops)
	default:
		http.NotFound(w, r)
	}
}

// token is minted as the console's backend would: here by the secret itself, to be as short-lived as a test.
func (c *console) token(roomID string) (string, error) {
	return c.tokenFor(access.EmbedScope{Source: "default", RoomID: roomID, Parent: access.Origin(cmp.Or(c.parent, c.origin))})
}

func (c *console) tokenFor(scope access.EmbedScope) (string, error) {
	tokens, err := web.NewEmbedTokens([]byte(c.secret))
	if err != nil {
		return "", err
	}
	e, err := access.NewEmbed(scope, time.Now(), c.ttl)
	if err != nil {
		return "", err
	}
	return tokens.Mint(e)
}

// startFramed is Roomwatch with a login, which these consoles may frame.
func startFramed(t *testing.T, c *console, allowed ...string) *testApp {
	t.Helper()
	config := testConfig("memory:")
	config.Auth, config.EmbedParents, config.Secret = "local", allowed, "a secret of these tests, of which keys are derived"
	app := startApp(t, config)
	c.ops = site("ops", app.Addr())
	return app
}

func joinedRoom(sid, roomID, who string) []byte {
	return fmt.Appendf(nil, `{"event":"participant_joined","id":"EV_%s_%s","created_at":"%d","room":{"sid":%q,"room_id":%q},"participant":{"sid":"PA_%s","identity":%q,"name":%q}}`,
		sid, who, time.Now().Unix(), sid, roomID, who, who, who)
}

// startTogether is a browser that keeps a page and its frames of other sites in one process: so a test sees into
// both. What a site may do to another is the same.
func startTogether(t *testing.T) (*browser, *documents) {
	t.Helper()
	options, err := chromiumOptions(chromedp.Flag("disable-features", "IsolateOrigins,site-per-process"),
		chromedp.Flag("disable-site-isolation-trials", true))
	if err != nil {
		t.Fatal(err)
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	b := &browser{t: t}
	var leave context.CancelFunc
	b.Context, leave = chromedp.NewContext(allocator)
	t.Cleanup(leave)
	d := &documents{of: make(map[string]runtime.ExecutionContextID), origins: make(map[runtime.ExecutionContextID]string)}
	b.listen(b.Context)
	chromedp.ListenTarget(b.Context, d.hear)
	if err := chromedp.Run(b.Context); err != nil {
		t.Fatal(err)
	}
	b.do(cdplog.Enable(), network.Enable())
	return b, d
}

// documents are those that run scripts in the page and in its frames, by their origin: the newest of each; and
// what came over the sockets of all.
type documents struct {
	mu      sync.Mutex
	of      map[string]runtime.ExecutionContextID
	origins map[runtime.ExecutionContextID]string
	frames  strings.Builder
	sockets int
}

func (d *documents) hear(event any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch event := event.(type) {
	case *runtime.EventExecutionContextCreated:
		d.of[event.Context.Origin], d.origins[event.Context.ID] = event.Context.ID, event.Context.Origin
	case *runtime.EventExecutionContextDestroyed:
		if origin := d.origins[event.ExecutionContextID]; d.of[origin] == event.ExecutionContextID {
			delete(d.of, origin)
		}
	case *network.EventWebSocketCreated:
		d.sockets++
	case *network.EventWebSocketFrameReceived:
		d.frames.WriteString(event.Response.PayloadData)
	}
}

func (d *documents) came() (frames string, sockets int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.frames.String(), d.sockets
}

// holds says whether an expression is true in the document of an origin, if there is one.
func (d *documents) holds(b *browser, origin, expression string) (holds bool) {
	b.t.Helper()
	d.mu.Lock()
	id, there := d.of[origin]
	d.mu.Unlock()
	if !there {
		return false
	}
	b.do(chromedp.ActionFunc(func(ctx context.Context) error {
		value, failed, err := runtime.Evaluate("Boolean(" + expression + ")").WithContextID(id).WithReturnByValue(true).Do(ctx)
		holds = err == nil && failed == nil && string(value.Value) == "true"
		return nil // a document that went meanwhile is asked for again
	}))
	return holds
}

// await waits for an expression in the document of an origin.
func (d *documents) await(b *browser, origin, what, expression string) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); !d.holds(b, origin, expression); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("never: %s (%s); there is a document: %v", what, expression, d.holds(b, origin, "true"))
		}
	}
}

// forgive leaves out of what the browser complained of what this test brings about.
func (b *browser) forgive(texts ...string) (some bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.troubles = slices.DeleteFunc(b.troubles, func(trouble string) bool {
		expected := slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(trouble, text) })
		some = some || expected
		return expected
	})
	return some
}

func TestARoomIsFramedByAnotherSiteAndLivesOnFreshTokens(t *testing.T) {
	c := startConsole(t, "support", 20*time.Second) // a fresh token is asked for after ten: so late a machine may be
	app := startFramed(t, c, c.origin)
	defer app.close()
	comes := func(sid, room, who string) {
		t.Helper()
		if !post(app.client, app.URL(), joinedRoom(sid, room, who)) {
			t.Fatal("not stored")
		}
	}
	comes("s1", "room01", "Ana")
	comes("s2", "room02", "Zoraida")
	b, documents := startTogether(t)
	b.visit(c.origin)
	frame := func(what, expression string) {
		t.Helper()
		documents.await(b, c.ops, what, expression)
	}
	here := func(who string) string {
		return fmt.Sprintf(`document.getElementById("here")?.innerText.includes(%q)`, who)
	}
	frame("Ana is there", here("Ana"))
	frame("live", `document.querySelector("#link[data-link=live]")`)
	frame("the token is gone from the address", `!location.href.includes("token")`)
	comes("s1", "room01", "Bo")
	frame("Bo comes in", here("Bo"))
	app.await("tokens were given, the first of which are over", func() bool { return c.given.Load() >= 3 })
	comes("s1", "room01", "Cleo")
	comes("s2", "room02", "Quintanilla")
	frame("Cleo comes in", here("Cleo"))
	got, sockets := documents.came()
	if sockets != 1 {
		t.Errorf("%d sockets were opened: the tokens were not taken over the one that was open", sockets)
	}
	if !strings.Contains(got, "Cleo") || tellsAny(got, "Zoraida", "Quintanilla", "room02", "s2") {
		t.Errorf("the frames hold %s", got)
	}
	c.willing.Store(false)
	frame("the banner, when no fresh token comes", `!document.getElementById("expired").hidden && document.querySelector("#link[data-link=expired]")`)
	frame("what was known stays", here("Cleo"))
	c.willing.Store(true)
	frame("a late token brings it back", `document.getElementById("expired").hidden && document.querySelector("#link[data-link=live]")`)
	comes("s1", "room01", "Dan")
	frame("and it is live", here("Dan"))
	b.forgive("404")
	for _, trouble := range b.troubles {
		t.Errorf("the browser says: %s", trouble)
	}
}

func tellsAny(text string, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return strings.Contains(text, name) })
}

func TestARoomIsNotFramedByASiteThatIsNotAllowed(t *testing.T) {
	c := startConsole(t, "evil", time.Minute)
	app := startFramed(t, c, "http://support.localhost:1")
	defer app.close()
	if !post(app.client, app.URL(), joinedRoom("s1", "room01", "Ana")) {
		t.Fatal("not stored")
	}
	for name, parent := range map[string]string{"its own token": c.origin, "a token that leaked": "http://support.localhost:1"} {
		t.Run(name, func(t *testing.T) {
			c.parent = parent
			b, documents := startTogether(t)
			b.visit(c.origin)
			b.await("the frame is there", `document.querySelector("iframe")`)
			app.await("the browser says that it refused it", func() bool { return b.forgive("frame-ancestors") })
			if documents.holds(b, c.ops, `document.body.innerText.includes("Ana")`) {
				t.Error("it shows Ana")
			}
		})
	}
}

// The example of the docs, as it is: its page frames the room by tokens that its own backend minted.
func TestTheExampleConsoleShowsItsRoom(t *testing.T) {
	const token = "the API token of these tests, long enough"
	address := fmt.Sprint("127.0.0.1:", redistest.FreePort(t))
	origin := site("support", address)
	config := testConfig("memory:")
	config.Auth, config.EmbedParents, config.APIToken = "local", []string{origin}, token
	app := startApp(t, config)
	defer app.close()
	if !post(app.client, app.URL(), joinedRoom("s1", "room01", "Ana")) {
		t.Fatal("not stored")
	}
	path := filepath.Join(t.TempDir(), "console")
	if out, err := exec.Command("go", "build", "-o", path, "./docs/examples/console").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(path)
	ops := site("ops", app.Addr())
	cmd.Env = append(os.Environ(), "ROOMWATCH_URL="+ops, "ROOMWATCH_INSIDE="+app.URL(), "ROOMWATCH_TOKEN="+token, "CONSOLE_ORIGIN="+origin, "CONSOLE_LISTEN="+address)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	app.await("the console answers", func() bool {
		answer, err := app.client.Get("http://" + address + "/")
		if err == nil {
			_ = answer.Body.Close()
		}
		return err == nil
	})
	b, documents := startTogether(t)
	b.visit(origin)
	documents.await(b, ops, "Ana is there, live", `document.getElementById("here")?.innerText.includes("Ana") && document.querySelector("#link[data-link=live]")`)
	b.forgive("favicon")
	for _, trouble := range b.troubles {
		t.Errorf("the browser says: %s", trouble)
	}
}
