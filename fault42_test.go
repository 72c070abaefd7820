package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/fasthttp/websocket"
)

const (
	shareToken  = "an API token of these tests, long enough for one"
	shareParent = "https://support.example.org"
)

// guarded is a true serve with logins, and what it writes to its log.
type guarded struct {
	*process
	t   *testing.T
	log lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(line)
}

func (b *lockedBuffer) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.String()
}

func startGuarded(t *testing.T) *guarded {
	t.Helper()
	g := &guarded{t: t}
	g.process = startLogged(t, t.TempDir(), &g.log, "--auth=local", "--log=warn", "--api-token="+shareToken, "--embed-parents="+shareParent)
	t.Cleanup(func() { _ = g.Process.Kill(); _ = g.Wait() })
	return g
}

// login is the cookie of a new viewer.
func (g *guarded) login(name string) string {
	g.t.Helper()
	accounts, err := openAccounts(g.t.Context(), "file:"+g.Dir+"/record.db")
	if err != nil {
		g.t.Fatal(err)
	}
	defer accounts.Close()
	return "roomwatch=" + newLogin(g.t, accounts, name)
}

func (g *guarded) get(path string, headers ...string) (code int, body string) {
	g.t.Helper()
	return g.do(http.MethodGet, path, "", headers...)
}

func (g *guarded) do(method, path, body string, headers ...string) (int, string) {
	g.t.Helper()
	request, err := http.NewRequest(method, g.url+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		g.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// watch opens a socket and says with which code it was closed, 0 when a frame came.
func (g *guarded) watch(view string, protocols []string, headers ...string) (*websocket.Conn, int) {
	g.t.Helper()
	header := http.Header{"Origin": {g.url}}
	for i := 0; i < len(headers); i += 2 {
		header.Set(headers[i], headers[i+1])
	}
	dialer := &websocket.Dialer{Subprotocols: append([]string{"roomwatch.v1"}, protocols...), HandshakeTimeout: patience}
	conn, answer, err := dialer.Dial(strings.Replace(g.url, "http", "ws", 1)+"/live?view="+view, header)
	if err != nil {
		g.t.Fatalf("%s: %v %v", view, err, answer)
	}
	g.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	_, _, err = conn.ReadMessage()
	if err == nil {
		return conn, 0
	}
	closed, ok := err.(*websocket.CloseError)
	if !ok {
		g.t.Fatalf("%s: %v", view, err)
	}
	return conn, closed.Code
}

// refused opens 220 views and says how many of them were refused, by the code.
func (g *guarded) refused(view func(n int) string, protocols []string, headers ...string) map[int]int {
	g.t.Helper()
	codes := make(map[int]int)
	for n := range 220 {
		_, code := g.watch(view(n), protocols, headers...)
		codes[code]++
	}
	return codes
}

// Row 42 of the faults: one user, and one embed token, watch 220 different views each. What is more than a share is
// refused them, is counted and is written to the log once; everybody else's pages and views open.
func TestFault42OneWhoWatches220ViewsShutsNobodyOut(t *testing.T) {
	g := startGuarded(t)
	ana, bo := g.login("ana"), g.login("bo")
	filtered := func(n int) string { return fmt.Sprintf("sessions&room_id=r%d", n) }
	codes := g.refused(filtered, nil, "Cookie", ana)
	if codes[4429] == 0 || codes[0] < 50 || codes[0]+codes[4429] != 220 {
		t.Errorf("220 views of one user: closed with %v", codes)
	}

	code, answer := g.do(http.MethodPost, "/api/v1/embed-tokens", `{"all":true,"parent":"`+shareParent+`"}`, "Authorization", "Bearer "+shareToken)
	var minted struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal([]byte(answer), &minted); err != nil || code != http.StatusCreated {
		t.Fatalf("%d %s", code, answer)
	}
	embedded := g.refused(func(n int) string { return fmt.Sprintf("embed-room:r%d", n) }, []string{"roomwatch.auth." + minted.Token})
	if embedded[4429] == 0 || embedded[0] < 20 || embedded[0]+embedded[4429] != 220 {
		t.Errorf("220 views of one embed token: closed with %v", embedded)
	}

	for _, path := range []string{"/", "/sessions", "/recordings", "/artifacts", "/?sort=room"} {
		for who, cookie := range map[string]string{"somebody else": bo, "the same": ana} {
			if code, body := g.get(path, "Cookie", cookie); code != http.StatusOK || !strings.Contains(body, "data-live") {
				t.Errorf("%s as %s: %d %.300s", path, who, code, body)
			}
		}
	}
	for n := range 20 {
		if _, code := g.watch(fmt.Sprintf("sessions&room_id=b%d", n), nil, "Cookie", bo); code != 0 {
			t.Errorf("view %d of somebody else: closed with %d", n, code)
		}
	}
	_, metrics := g.get("/metrics", "Authorization", "Bearer "+shareToken)
	if want := fmt.Sprintf(`roomwatch_share_refused_total{of="views",reason="own"} %d`, codes[4429]+embedded[4429]); !strings.Contains(metrics, want) {
		t.Errorf("no %s in %s", want, metrics)
	}
	log := g.log.text()
	if n := strings.Count(log, "all that one may have"); n != 2 || !strings.Contains(log, "local:ana") || strings.Contains(log, minted.Token) {
		t.Errorf("%d lines of the log tell of it, not one for each: %s", n, log)
	}
}

// Row 42: the page of who has no share left opens, says what happened and what to do, and goes live when there is room.
func TestFault42APageSaysThatTooManyViewsAreOpen(t *testing.T) {
	g := startGuarded(t)
	ana := g.login("ana")
	var open []*websocket.Conn
	for n := range 220 {
		conn, code := g.watch(fmt.Sprintf("overview&q=w%d", n), nil, "Cookie", ana)
		if open = append(open, conn); code != 0 {
			break
		}
	}
	b := startBrowser(t)
	at, err := url.Parse(g.url)
	if err != nil {
		t.Fatal(err)
	}
	name, value, _ := strings.Cut(ana, "=")
	b.do(chromedp.ActionFunc(func(ctx context.Context) error {
		return network.SetCookie(name, value).WithDomain(at.Hostname()).WithPath("/").Do(ctx)
	}))
	b.size(1440, 700)
	b.visit(g.url + "/")
	b.await("the page says that it is not live", `document.querySelector("#pill[data-state=blocked]") && document.querySelector("#pill [data-word]").textContent === "Not live"`)
	b.step("blocked")
	b.await("why, and what to do", `["as one may have", "Close other tabs"].every((text) => document.querySelector("#connection:popover-open #connection-said")?.textContent.includes(text))`)
	for _, conn := range open {
		_ = conn.Close()
	}
	b.await("it goes live when there is room", `(document.querySelector("#connection [data-reconnect]").click(), document.querySelector("#pill[data-state=live]"))`)
}
