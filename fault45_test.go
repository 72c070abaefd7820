package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// statusOf is what a process answers, 0 when it does not.
func statusOf(client *http.Client, url string) int {
	answer, err := client.Get(url)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode
}

// until fails the test when a fact does not come.
func until(t *testing.T, what string, fact func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !fact(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// Row 45, with the true program: its file is removed, replaced or cut off under load. Health fails and intake refuses
// within five seconds, and whatever was answered 200 after the file was gone is in a file that is still there.
func TestFault45ServeRefusesWhatItCouldNotKeepWhenItsFileIsGone(t *testing.T) {
	for name, fault := range map[string]func(path string) error{
		"removed":   os.Remove,
		"replaced":  func(path string) error { return os.Rename(path+".other", path) },
		"truncated": func(path string) error { return os.Truncate(path, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path, client := filepath.Join(dir, "record.db"), &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			if out, err := os.Create(path + ".other"); err != nil || out.Close() != nil {
				t.Fatal(err)
			}
			p := startProcess(t, dir)
			defer func() { _ = p.Process.Kill(); _ = p.Wait() }()
			sent := 0
			send := func() (id string, taken bool) {
				sent++
				id = fmt.Sprint("EV_", sent)
				return id, post(client, p.url, fmt.Appendf(nil, `{"event":"room_created","id":"%s","room":{"sid":"s%d","room_id":"r"}}`, id, sent))
			}
			for range 50 {
				if _, taken := send(); !taken {
					t.Fatal("not taken")
				}
			}
			if err := fault(path); err != nil {
				t.Fatal(err)
			}
			gone := time.Now()
			if id, taken := send(); taken {
				t.Errorf("%s was answered 200, and the file that it is in is gone", id)
			}
			until(t, "health fails", func() bool { return statusOf(client, p.url+"/health") == http.StatusServiceUnavailable })
			if took := time.Since(gone); took > 5*time.Second {
				t.Errorf("health fails after %v", took)
			}
			if code := statusOf(client, p.url+"/readyz"); code != http.StatusServiceUnavailable {
				t.Errorf("readyz answers %d", code)
			}
			if name != "truncated" { // what was cut off cannot be saved
				until(t, "what it held was saved", func() bool {
					saved, _ := filepath.Glob(path + ".saved-*Z")
					return len(saved) == 1
				})
			}
			_ = p.Process.Signal(os.Interrupt)
			_ = p.Wait()
			p = startProcess(t, dir)
			defer func() { _ = p.Process.Kill(); _ = p.Wait() }()
			if id, taken := send(); !taken {
				t.Errorf("%s is not taken after a restart", id)
			}
			if saved, _ := filepath.Glob(path + ".saved-*Z"); len(saved) == 1 {
				held := t.TempDir()
				if err := os.Rename(saved[0], filepath.Join(held, "record.db")); err != nil {
					t.Fatal(err)
				}
				ids := recordedIDs(t, held)
				for n := 1; n <= 50; n++ {
					if ids[fmt.Sprint("EV_", n)] != 1 {
						t.Errorf("EV_%d is not among what was saved", n)
					}
				}
			}
		})
	}
}

// Row 60: the lock file is no more, and a second serve is refused all the same.
func TestFault60ASecondServeIsRefusedWithoutTheLockFile(t *testing.T) {
	dir := t.TempDir()
	p := startProcess(t, dir)
	defer func() { _ = p.Process.Kill(); _ = p.Wait() }()
	if err := os.Remove(filepath.Join(dir, "record.db.lock")); err != nil {
		t.Fatal(err)
	}
	second := command(t, dir, "serve", "--auth=none", "--listen=127.0.0.1:0", "--store=file:record.db")
	second.Env = append(second.Env, "ROOMWATCH_API_KEY="+testKey, "ROOMWATCH_API_SECRET="+string([]byte(testSecret)))
	began := time.Now()
	out, _ := runWithin(t.Context(), second)
	if took := time.Since(began); second.ProcessState.ExitCode() != 1 || !strings.Contains(out, "another serve holds the store") || took > 5*time.Second {
		t.Errorf("exit %d after %v, printed %q", second.ProcessState.ExitCode(), took, out)
	}
	if !post(http.DefaultClient, p.url, []byte(`{"event":"room_created","id":"EV_after","room":{"sid":"s","room_id":"r"}}`)) {
		t.Error("the first takes nothing any more")
	}
}
