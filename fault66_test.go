package main

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/redistest"
)

// olderRecord makes a record in a folder whose sessions have to be carried over, many of them.
func olderRecord(t *testing.T, dir string, sessions int) {
	t.Helper()
	p := startProcess(t, dir)
	if !post(http.DefaultClient, p.url, []byte(`{"event":"room_created","id":"EV_1","room":{"sid":"s","room_id":"r","metadata":"{\"room_title\":\"Café\"}"}}`)) {
		t.Fatal("not taken")
	}
	_ = p.Process.Signal(os.Interrupt)
	if err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "record.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, query := range []string{
		`INSERT INTO sessions SELECT row + n, source, sid || n, room_id, parent, 'ended', 0, created_for, created_failing, sum, summary, text, doc
			FROM sessions, (WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many LIMIT ?) SELECT n FROM many)`,
		"PRAGMA user_version = 8 -- ?",
	} {
		if _, err := db.Exec(query, sessions); err != nil {
			t.Fatal(err)
		}
	}
}

// Row 66: while a large record is brought up to date, the process lives, says what it does, and takes nothing.
func TestFault66AMigrationIsSaidAndDeliveriesWaitForIt(t *testing.T) {
	dir := t.TempDir()
	olderRecord(t, dir, 6_000)
	url := fmt.Sprintf("http://127.0.0.1:%d", redistest.FreePort(t))
	begin := func() (cmd *process, log *strings.Builder) {
		cmd, log = &process{Cmd: command(t, dir, "serve", "--auth=none", "--listen="+strings.TrimPrefix(url, "http://"), "--store=file:record.db"), url: url}, new(strings.Builder)
		cmd.Env = append(cmd.Env, "ROOMWATCH_API_KEY="+testKey, "ROOMWATCH_API_SECRET="+string([]byte(testSecret)))
		cmd.Stderr = log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill() }) // of one that ended it does nothing
		return cmd, log
	}
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	ask := func(path string) (code int, body, again string) {
		answer, err := client.Get(url + path)
		if err != nil {
			return 0, err.Error(), ""
		}
		defer answer.Body.Close()
		text := make([]byte, 512)
		n, _ := answer.Body.Read(text)
		return answer.StatusCode, string(text[:n]), answer.Header.Get("Retry-After")
	}
	p, _ := begin()
	until(t, "it says that it migrates", func() bool {
		code, body, _ := ask("/readyz")
		if code == http.StatusOK {
			t.Fatal("it was ready at once")
		}
		return code == http.StatusServiceUnavailable && strings.Contains(body, "migrating")
	})
	_ = p.Process.Signal(os.Interrupt)
	if err := p.Wait(); err != nil {
		t.Errorf("told to end, it ends with %v", err)
	}

	p, log := begin()
	until(t, "it says that it migrates, again", func() bool { _, body, _ := ask("/readyz"); return strings.Contains(body, "migrating") })
	for path, want := range map[string]int{"/livez": 200, "/health": 200, "/readyz": 503, "/": 503, "/api/v1/state": 503, "/webhook": 503} {
		code, body, again := ask(path)
		if _, now, _ := ask("/readyz"); !strings.Contains(now, "migrating") {
			t.Logf("it was done before %s was asked for", path)
			break
		}
		if code != want || want == 503 && path != "/readyz" && again == "" {
			t.Errorf("%s is answered %d, %q, to come again after %q", path, code, body, again)
		}
	}
	until(t, "a delivery is taken", func() bool {
		return post(client, url, []byte(`{"event":"room_created","id":"EV_2","room":{"sid":"another","room_id":"r2"}}`))
	})
	until(t, "it is ready", func() bool { code, _, _ := ask("/readyz"); return code == http.StatusOK })
	if code, body, _ := ask("/api/v1/sessions?q=cafe"); code != http.StatusOK || !strings.Contains(body, "Café") {
		t.Errorf("%d, %s", code, body)
	}
	_ = p.Process.Signal(os.Interrupt)
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "brought up to date") {
		t.Errorf("the log says %s", log.String())
	}
}

// Row 66: a migration has no deadline; all else of a start has.
func TestFault66AMigrationIsNotUnderTheDeadlineOfAStart(t *testing.T) {
	defer func(was time.Duration) { openTime = was }(openTime)
	openTime = time.Nanosecond
	dir := t.TempDir()
	olderRecord(t, dir, 10)
	config := testConfig("file:" + filepath.Join(dir, "record.db"))
	record, listener, err := openAnswering(context.Background(), config, "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := record.Close(); err != nil {
		t.Error(err)
	}
	if err := listener.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := openAnswering(context.Background(), config, "", slog.New(slog.DiscardHandler)); err == nil {
		t.Error("what is up to date opens without any time")
	}
}
