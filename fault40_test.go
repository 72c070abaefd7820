package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/redistest"
)

// A process that is told to end has 500 viewers and deliveries under way: it loses none that it answers for, and
// sends the viewers away to come again, not all at once.
func TestFault40ATermSignalLosesNothingAndSpreadsTheViewers(t *testing.T) {
	dir := t.TempDir()
	p := startProcess(t, dir)
	var open []*websocket.Conn
	for range 500 {
		conn, _, err := websocket.DefaultDialer.Dial(strings.Replace(p.url, "http", "ws", 1)+"/live?view=overview", http.Header{"Origin": {p.url}})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		open = append(open, conn)
	}
	type ending struct {
		code int
		at   time.Time
	}
	endings := make(chan ending, len(open))
	for _, conn := range open {
		go func() {
			_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
			for {
				if _, _, err := conn.ReadMessage(); err != nil {
					closed, _ := err.(*websocket.CloseError)
					if closed == nil {
						closed = &websocket.CloseError{}
					}
					endings <- ending{closed.Code, time.Now()}
					return
				}
			}
		}()
	}
	acked := &delivered{}
	began := make(chan time.Time, 1)
	burst(p.url, 40, acked, func(n int) {
		if n == 100 { // in the midst of it
			began <- time.Now()
			_ = p.Process.Signal(os.Interrupt)
		}
	})
	if err := p.Wait(); err != nil {
		t.Errorf("exit: %v", err)
	}
	if took := time.Since(<-began); took > patience {
		t.Errorf("it ended after %v", took)
	}
	codes := make(map[int]int)
	var first, last time.Time
	for range open {
		e := <-endings
		codes[e.code]++
		if first.IsZero() || e.at.Before(first) {
			first = e.at
		}
		if e.at.After(last) {
			last = e.at
		}
	}
	if codes[websocket.CloseServiceRestart] != len(open) {
		t.Errorf("the viewers were closed with %v", codes)
	}
	if spread := last.Sub(first); spread < time.Second {
		t.Errorf("all were sent away within %v", spread)
	}
	kept := recordedIDs(t, dir)
	for _, id := range acked.ids {
		if kept[id] != 1 {
			t.Errorf("%s was answered 200 and is there %d times", id, kept[id])
		}
	}
	if len(acked.ids) < 100 {
		t.Errorf("only %d were answered", len(acked.ids))
	}
}

// Two replicas share logins: what ends on one closes the sockets on the other, and the state of one is not that
// of the other.
func TestFault40ALogoutOnOneReplicaClosesTheSocketsOfAnother(t *testing.T) {
	server := redistest.Start(t)
	replica := func() *testApp {
		config := testConfig(server.URL())
		config.Spool, config.Auth, config.Secret = filepath.Join(t.TempDir(), "spool.db"), "local", "a secret of these tests, of which keys are derived"
		return startApp(t, config)
	}
	a, b := replica(), replica()
	defer a.close()
	defer b.close()
	accounts, err := openAccounts(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer accounts.Close()
	login := func(name string) visitorClient {
		t.Helper()
		token := newLogin(t, accounts, name)
		v := visit(t, a.URL())
		at, err := url.Parse(a.URL())
		if err != nil {
			t.Fatal(err)
		}
		v.Jar.SetCookies(at, []*http.Cookie{{Name: "roomwatch", Value: token}}) // by name, not by port: both replicas get it
		return v
	}
	elsewhere := func(v visitorClient) *websocket.Conn {
		t.Helper()
		v.base = b.URL()
		return v.socket()
	}
	ana := login("ana")
	watching := elsewhere(ana)
	if code, _, _ := ana.post("/logout"); code != http.StatusSeeOther {
		t.Fatalf("logging out: %d", code)
	}
	if code, took := closedBy(t, watching); code != 4401 || took > 5*time.Second {
		t.Errorf("a logout on the other replica: closed with %d after %v", code, took)
	} else {
		t.Logf("a logout on the other replica: closed after %v", took)
	}
	bo := login("bo")
	watching = elsewhere(bo)
	if _, _, err := accounts.ChangeUser(t.Context(), access.LocalKey("bo"), func(u access.User) access.User { return u.WithRole(access.Operator) }); err != nil {
		t.Fatal(err)
	}
	if code, took := closedBy(t, watching); code != 4401 || took > 5*time.Second {
		t.Errorf("a role that was changed by the command line: closed with %d after %v", code, took)
	}
	cleo := login("cleo")
	_, page, _ := cleo.see("/")
	query := fmt.Sprintf("&e=%s&s=%s", between(t, page, `data-epoch="`), between(t, page, `data-seq="`))
	cleo.base = b.URL()
	resumed := cleo.socketAt("overview" + query)
	defer resumed.Close()
	if _, frame, err := resumed.ReadMessage(); err != nil || !strings.Contains(string(frame), `"r":true`) {
		t.Errorf("the state of one replica is resumed on another: %.200s, %v", frame, err)
	}
}

func between(t *testing.T, page, before string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, before)
	if !found {
		t.Fatalf("no %s in %.300s", before, page)
	}
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

// newLogin makes a viewer who is logged in.
func newLogin(t *testing.T, a accounts, name string) (token string) {
	t.Helper()
	u := access.User{Key: access.LocalKey(name), Name: name, Role: access.Viewer, CreatedAt: time.Now()}
	token = access.TokenLogin.Token(access.Random([]byte(fmt.Sprintf("%-32s", name))))
	if err := a.AddUser(t.Context(), u, false); err != nil {
		t.Fatal(err)
	}
	if err := a.AddLogin(t.Context(), access.NewLogin(access.HashOf(token), u, "", "", time.Now())); err != nil {
		t.Fatal(err)
	}
	return token
}
