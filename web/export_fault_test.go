package web_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/web"
)

// unsteady is a store whose lists fail, wait or hang when they are told to, from the second page on.
type unsteady struct {
	web.Record
	fails, stuck, gated atomic.Bool
	waits               time.Duration
	gate                chan struct{}
}

func (u *unsteady) over(record web.Record) web.Record {
	u.Record = record
	return u
}

func (u *unsteady) Sessions(ctx context.Context, q room.SessionQuery) (room.Page[room.Summary], error) {
	if q.Cursor != "" {
		time.Sleep(u.waits)
		if u.gated.Load() {
			<-u.gate
		}
		if u.fails.Load() {
			return room.Page[room.Summary]{}, errBroken
		}
	}
	if u.stuck.Load() {
		<-ctx.Done()
		return room.Page[room.Summary]{}, errors.New("interrupted")
	}
	return u.Record.Sessions(ctx, q)
}

func TestAnExportThatFailsMidwayIsNoCompleteFile(t *testing.T) {
	t.Parallel()
	u := &unsteady{}
	r := filled(t, 250, instead(u.over))
	u.fails.Store(true)
	for _, path := range []string{"/sessions.csv", "/sessions.json"} {
		response, err := r.client.Get(r.url + path)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err == nil || len(data) == 0 {
			t.Errorf("%s: %d bytes, read to their end as if they were all", path, len(data))
		}
	}
	if !strings.Contains(r.logged.String(), "an export broke off") || !strings.Contains(r.logged.String(), "fire") {
		t.Error("the cause is not in the log")
	}
	u.fails.Store(false)
	if _, rows := r.csv("/sessions.csv"); len(rows) != 250 || r.metric("roomwatch_exports") != "roomwatch_exports 0" {
		t.Errorf("after it: %d rows, %s", len(rows), r.metric("roomwatch_exports"))
	}
}

func TestAnExportThatCannotBeginIsAnsweredAsAnError(t *testing.T) {
	t.Parallel()
	u := &unsteady{}
	r := start(t, instead(u.over), func(c *web.Config) { c.AskTime = 50 * time.Millisecond })
	u.stuck.Store(true)
	for path, mime := range map[string]string{"/sessions.csv": "text/html; charset=utf-8", "/sessions.json": "application/problem+json"} {
		a := r.get(path)
		if a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Content-Type") != mime || a.Header.Get("Content-Disposition") != "" || !strings.Contains(a.body, "Narrow it.") {
			t.Errorf("%s: %d %v %s", path, a.StatusCode, a.Header, a.body)
		}
	}
	if line := r.metric("roomwatch_exports"); line != "roomwatch_exports 0" {
		t.Error(line)
	}
}

func TestAnExportMayTakeLongerThanAnAnswer(t *testing.T) {
	t.Parallel()
	u := &unsteady{waits: 600 * time.Millisecond}
	r := filled(t, 450, instead(u.over), func(c *web.Config) { c.WriteTime = 500 * time.Millisecond })
	began := time.Now()
	_, rows := r.csv("/sessions.csv")
	if took := time.Since(began); len(rows) != 450 || took < 2*u.waits {
		t.Errorf("%d rows in %v", len(rows), took)
	}
}

func TestAReaderThatStallsIsSentAwayAndHoldsNothing(t *testing.T) {
	t.Parallel()
	r := start(t, func(c *web.Config) { c.WriteTime = time.Second })
	pad := fmt.Sprintf(`,"pad":%q`, strings.Repeat("x", 500<<10))
	for range 20 { // ten mebibytes: more than a line takes without a reader
		r.taken(event("room_created", "s1", "r1", pad))
	}
	line, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	_ = line.(*net.TCPConn).SetReadBuffer(4 << 10)
	if _, err := fmt.Fprint(line, "GET /intake.json HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(line, make([]byte, len("HTTP/1.1 200 OK"))); err != nil {
		t.Fatal(err)
	}
	r.await("it is sent away", func() bool { return r.metric("roomwatch_exports") == "roomwatch_exports 0" })
}

func TestNoMoreExportsGoOnThanTheProcessServes(t *testing.T) {
	t.Parallel()
	u := &unsteady{gate: make(chan struct{})}
	r := filled(t, 250, instead(u.over))
	u.gated.Store(true)
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			if _, rows := r.csv("/sessions.csv"); len(rows) != 250 {
				t.Errorf("%d rows", len(rows))
			}
		})
	}
	r.await("all are under way", func() bool { return r.metric("roomwatch_exports") == "roomwatch_exports 8" })
	for _, path := range []string{"/sessions.csv", "/intake.json"} {
		if a := r.get(path); a.StatusCode != http.StatusServiceUnavailable || !strings.Contains(a.body, "Too many exports") {
			t.Errorf("one more: %d %.200s", a.StatusCode, a.body)
		}
	}
	close(u.gate)
	readers.Wait()
	if a := r.get("/sessions.csv"); a.StatusCode != http.StatusOK {
		t.Errorf("after them: %d", a.StatusCode)
	}
}

func TestAnExportBreaksOffWhenTheProcessShutsDown(t *testing.T) {
	t.Parallel()
	u := &unsteady{waits: time.Second}
	r := filled(t, 450, instead(u.over))
	response, err := r.client.Get(r.url + "/sessions.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	r.close()
	if _, err := io.ReadAll(response.Body); err == nil {
		t.Error("it seems to be complete")
	}
}
