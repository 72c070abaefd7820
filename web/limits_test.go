package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/roomwatch/roomwatch/access"
)

func TestOneUserCannotTakeAllSockets(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin())
	ana, bo := r.loggedIn(r.user("ana", access.Viewer, ""), 0), r.loggedIn(r.user("bo", access.Viewer, ""), 0)
	open := func(cookie string) *socket {
		t.Helper()
		s, code := r.dial("view=overview", "Cookie", cookie)
		if s == nil {
			t.Fatal(code)
		}
		return s
	}
	first := open(ana)
	for range 199 {
		open(ana).next()
	}
	if code := open(ana).closed(patience); code != 4429 {
		t.Errorf("the 201st socket of one user: %d", code)
	}
	open(bo).next()
	_ = first.Close()
	r.await("one of them is free again", func() bool {
		s := open(ana)
		_, err := s.frame(patience)
		return err == nil
	})
}

func TestNobodyIsToldWhatRunsHere(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin(framing))
	for _, path := range []string{"/", "/login", "/livez", "/health", "/api/v1/state", "/nowhere", "/embed", "/embed.js", "/static/live.js", "/live", "/webhook"} {
		a := r.get(path)
		for name, values := range a.Header {
			if name == "Server" || name == "X-Powered-By" || tells(fmt.Sprint(values), "fasthttp", "fiber", "roomwatch/", "go1.") {
				t.Errorf("%s: %s: %v", path, name, values)
			}
		}
		if tells(a.body, "fasthttp", "fiber", "go1.", "goroutine", ".go:") && path != "/static/live.js" {
			t.Errorf("%s tells %s", path, a.body)
		}
	}
	for _, bad := range []string{"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/9\r\nHost: x\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\x02\x00"} {
		got, bodies, _ := r.raw(1, bad)
		if len(got) > 0 && (got[0].Header.Get("Server") != "" || tells(bodies[0], "fasthttp", "fiber", "error when")) {
			t.Errorf("%q: %v %s", bad, got[0].Header, bodies[0])
		}
	}
}

// What a form holds is not taken from the address, where it would be logged.
func TestAPasswordInTheAddressIsNone(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin())
	r.user("ana", access.Viewer, rigPassword)
	query := "name=ana&password=" + strings.ReplaceAll(rigPassword, " ", "+")
	if a := r.do(http.MethodPost, "/login?"+query, "", "Content-Type", "application/x-www-form-urlencoded"); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("%d", a.StatusCode)
	}
	if a := r.do(http.MethodPost, "/login", query); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("a form that does not say that it is one: %d", a.StatusCode)
	}
}
