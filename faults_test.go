package main

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
)

// resident is the memory of a process at its greatest, in bytes.
func resident(t *testing.T, pid int) (peak int64) {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		_, _ = fmt.Sscanf(line, "VmHWM: %d kB", &peak)
	}
	return peak << 10
}

// refusedAtOnce sends so many copies of a request, each on a line of its own, and counts the answers.
func refusedAtOnce(t *testing.T, addr string, times int, request string) map[string]int {
	t.Helper()
	var mu sync.Mutex
	var lines sync.WaitGroup
	answers := make(map[string]int)
	for range times {
		lines.Go(func() {
			line, err := net.Dial("tcp", addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer line.Close()
			_ = line.SetDeadline(time.Now().Add(20 * time.Second))
			_, _ = io.WriteString(line, request) // it may be answered before it is all read
			answer := make([]byte, len("HTTP/1.1 413"))
			_, _ = io.ReadFull(line, answer)
			mu.Lock()
			defer mu.Unlock()
			answers[string(answer[9:])]++
		})
	}
	lines.Wait()
	return answers
}

// Rows 10 and 11: what cannot be taken costs next to no memory, however much of it comes at once. The
// true process, for its memory is what counts.
func TestFault10And11AHundredBadBodiesAtOnceCostLittleMemory(t *testing.T) {
	p := startProcess(t, t.TempDir())
	defer func() { _ = p.Process.Kill(); _ = p.Wait() }()
	addr := strings.TrimPrefix(p.url, "http://")
	large := strings.Repeat("x", 1<<20+1)
	var member bytes.Buffer
	zip := gzip.NewWriter(&member)
	_, _ = zip.Write(make([]byte, 1<<20))
	_ = zip.Close()
	bomb := strings.Repeat(member.String(), 60)
	token, err := plugnmeet.Sign(testKey, testSecret, []byte(bomb), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	head := "POST /webhook HTTP/1.1\r\nHost: localhost\r\n"
	chunks := strings.Repeat(fmt.Sprintf("%x\r\n%s\r\n", 64<<10, large[:64<<10]), 17)
	before := resident(t, p.Process.Pid)
	for name, c := range map[string]struct{ request, code string }{
		"with its length":   {head + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(large)) + large, "413"},
		"in chunks":         {head + "Transfer-Encoding: chunked\r\n\r\n" + chunks, "401"},
		"that inflates":     {head + fmt.Sprintf("Content-Encoding: gzip\r\nAuthorization: %s\r\nContent-Length: %d\r\n\r\n", token, len(bomb)) + bomb, "415"},
		"of a stranger":     {head + fmt.Sprintf("Content-Length: %d\r\n\r\n", 1<<20) + large[:1<<20], "401"},
		"of which is a lot": {head + fmt.Sprintf("Content-Length: %d\r\n\r\n", 1<<40) + large, "413"},
	} {
		answers := refusedAtOnce(t, addr, 100, c.request)
		expected := answers[c.code]
		if c.code != "401" {
			expected += answers["401"]
		}
		if expected += answers["429"]; answers[c.code] == 0 && c.code != "401" || expected < 100 { // 429: after sixty in a minute
			t.Errorf("%s: %v, want %s", name, answers, c.code)
		}
	}
	grown := resident(t, p.Process.Pid) - before
	t.Logf("500 bodies of a mebibyte, a hundred at once, cost %d KiB at the peak", grown>>10)
	if grown > 64<<20 {
		t.Errorf("500 bodies of a mebibyte, a hundred at once, cost %d MiB at the peak", grown>>20)
	}
	if !post(&http.Client{Timeout: 5 * time.Second}, p.url, []byte(`{"event":"room_created","id":"after","room":{"sid":"s","room_id":"r"}}`)) {
		t.Error("after all that nothing is taken any more")
	}
}

// Row 31's cousin: another process holds the database locked, as a careless backup does.
func TestAStoreThatIsHeldLockedIsAnsweredInTimeAndHeals(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record.db")
	app := startApp(t, testConfig("file:"+path))
	defer app.close()
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(5000)") // serve may be writing just now
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	lock, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if _, err := lock.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"event":"room_created","id":"EV_locked","room":{"sid":"s1","room_id":"r1"}}`)
	began := time.Now()
	if post(app.client, app.URL(), body) {
		t.Error("stored, although nothing can be")
	}
	if took := time.Since(began); took > 20*time.Second { // its own limit is two; without one it waits for ever
		t.Errorf("answered after %v", took)
	}
	if _, err := lock.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	app.await("it is taken", func() bool { return post(app.client, app.URL(), body) })
	app.await("ready again", func() bool { return app.get("/readyz", nil) == http.StatusOK })
	var page room.Page[room.Delivery]
	app.get("/api/v1/deliveries?sid=s1", &page)
	recorded := 0
	for _, d := range page.Items {
		if d.Verdict.Recorded() {
			recorded++
		}
	}
	if recorded != 1 {
		t.Errorf("recorded %d times: %+v", recorded, page.Items)
	}
}
