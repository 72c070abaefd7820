package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/web"
)

// blocking is a store that answers no search for this text until it is let go, and tells of each that began.
type blocking struct {
	web.Record
	text  string
	began chan struct{}
	leave chan struct{}
}

func (b *blocking) Sessions(ctx context.Context, q room.SessionQuery) (room.Page[room.Summary], error) {
	if q.Text == b.text {
		b.began <- struct{}{}
		select {
		case <-b.leave:
		case <-ctx.Done():
		}
	}
	return b.Record.Sessions(ctx, q)
}

// Row 43 of the faults: of twenty searches that one user has going, two are asked; the others are refused with words
// after a while. Nobody else waits, and neither does what asks nothing.
func TestFault43APersonHasTwoQuestionsUnderWay(t *testing.T) {
	t.Parallel()
	b := &blocking{text: "slow", began: make(chan struct{}, 20), leave: make(chan struct{})}
	r := start(t, withLogin(), instead(func(record web.Record) web.Record { b.Record = record; return b }))
	ana, bo := r.loggedIn(r.user("ana", access.Viewer, ""), 0), r.loggedIn(r.user("bo", access.Viewer, rigPassword), 0)
	paths := []string{"/api/v1/sessions?q=slow", "/find?q=slow", "/sessions?q=slow&state=live", "/sessions?q=slow&state=ended"}
	answers := make(chan answer, 20)
	var asking sync.WaitGroup
	for n := range cap(answers) {
		asking.Go(func() { answers <- r.get(paths[n%len(paths)], "Cookie", ana) })
	}
	<-b.began
	<-b.began
	for _, path := range []string{"/", "/sessions", "/find?q=quick", "/api/v1/sessions", "/login"} {
		if a := r.get(path, "Cookie", bo); a.StatusCode != http.StatusOK && a.StatusCode != http.StatusSeeOther {
			t.Errorf("%s of somebody else: %d", path, a.StatusCode)
		}
	}
	if a := r.get("/", "Cookie", ana); a.StatusCode != http.StatusOK {
		t.Errorf("the overview asks nothing, and is answered %d", a.StatusCode)
	}
	if a := r.form("/login", "", "name", "bo", "password", rigPassword); a.StatusCode != http.StatusSeeOther {
		t.Errorf("a login: %d", a.StatusCode)
	}
	for range cap(answers) - 2 {
		a := <-answers
		if a.StatusCode != http.StatusTooManyRequests || a.Header.Get("Retry-After") == "" || !strings.Contains(a.body, "two questions") {
			t.Errorf("%s: %d %.300s", a.Request.URL, a.StatusCode, a.body)
		}
		if strings.HasPrefix(a.Request.URL.Path, "/api/") {
			checkProblem(t, a.Request.URL.Path, a)
		}
	}
	if n := len(b.began); n != 0 {
		t.Errorf("%d more than two were asked", n)
	}
	metrics := r.get("/metrics", "Authorization", "Bearer "+rigToken).body
	if !strings.Contains(metrics, `roomwatch_share_refused_total{of="questions",reason="own"} 18`) {
		t.Errorf("not counted: %s", metrics)
	}
	if log := r.logged.String(); strings.Count(log, "all that one may have") != 1 {
		t.Errorf("logged: %s", log)
	}
	close(b.leave)
	asking.Wait()
	for range 2 {
		if a := <-answers; a.StatusCode != http.StatusOK {
			t.Errorf("%s, which was asked: %d", a.Request.URL, a.StatusCode)
		}
	}
	if a := r.get("/api/v1/sessions", "Cookie", ana); a.StatusCode != http.StatusOK {
		t.Errorf("afterwards: %d", a.StatusCode)
	}
}

// Row 42: of exports each has a share, too; others still get theirs.
func TestFault42NobodyHasAllExports(t *testing.T) {
	t.Parallel()
	b := &blocking{text: "slow", began: make(chan struct{}, 20), leave: make(chan struct{})}
	r := start(t, withLogin(), instead(func(record web.Record) web.Record { b.Record = record; return b }))
	ana, bo := r.loggedIn(r.user("ana", access.Viewer, ""), 0), r.loggedIn(r.user("bo", access.Viewer, ""), 0)
	var exporting sync.WaitGroup
	for range 2 {
		exporting.Go(func() { r.get("/sessions.csv?q=slow", "Cookie", ana) })
		<-b.began
	}
	if a := r.get("/sessions.csv", "Cookie", ana); a.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a third export: %d", a.StatusCode)
	}
	if a := r.get("/sessions.csv", "Cookie", bo); a.StatusCode != http.StatusOK {
		t.Errorf("somebody else's: %d", a.StatusCode)
	}
	close(b.leave)
	exporting.Wait()
}

// Row 42: an embed token has a share of the sockets, and of the views.
func TestFault42AnEmbedTokenHasAShareOfTheViews(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin(framing))
	scope := access.EmbedScope{Source: "default", All: true, Parent: parent}
	token, other := minted(t, rigSecret, scope, 0, access.MaxEmbed), minted(t, rigSecret, scope, 0, access.MaxEmbed-time.Minute)
	codes := make(map[int]int)
	for n := range 60 {
		s, code := r.dial(fmt.Sprintf("view=embed-room:r%d", n), "Sec-Websocket-Protocol", "roomwatch.v1, roomwatch.auth."+token)
		if s == nil {
			t.Fatal(code)
		}
		if _, err := s.frame(patience); err != nil {
			var closed *websocket.CloseError
			if !errors.As(err, &closed) {
				t.Fatal(err)
			}
			code = closed.Code
		}
		codes[code]++
	}
	if codes[0] != 50 || codes[4429] != 10 {
		t.Errorf("60 views of one token: closed with %v", codes)
	}
	s, code := r.dial("view=embed", "Sec-Websocket-Protocol", "roomwatch.v1, roomwatch.auth."+other)
	if s == nil {
		t.Fatal(code)
	}
	s.next()
}
