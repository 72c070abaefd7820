package main

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// lying is the names and sums of what is in a folder. The index of a log is SQLite's scratch paper.
func lying(t *testing.T, dir string) map[string][sha256.Size]byte {
	t.Helper()
	out := make(map[string][sha256.Size]byte)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(entry.Name(), "-shm") {
			data = nil
		}
		out[entry.Name()] = sha256.Sum256(data)
	}
	return out
}

// recordAfterKill is a folder with a record of some deliveries whose serve was killed.
func recordAfterKill(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	p := startProcess(t, dir)
	for n := range 20 {
		if !post(http.DefaultClient, p.url, fmt.Appendf(nil, `{"event":"room_created","id":"EV_%d","room":{"sid":"s%d","room_id":"r"}}`, n, n)) {
			t.Fatal("not taken")
		}
	}
	_ = p.Process.Kill()
	_ = p.Wait()
	return dir
}

// closeRecord leaves the file as an orderly end does.
func closeRecord(t *testing.T, dir string) {
	t.Helper()
	p := startProcess(t, dir)
	_ = p.Process.Signal(os.Interrupt)
	if err := p.Wait(); err != nil {
		t.Fatal(err)
	}
}

// Row 54: commands that read make nothing, move nothing and change nothing, and say in a line what is wrong.
func TestFault54CommandsThatReadLeaveADamagedOrMissingRecordAsItIs(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(path string, file []byte) error
		whole  bool
	}{
		"missing":        {func(path string, _ []byte) error { return os.Remove(path) }, false},
		"cut off":        {func(path string, file []byte) error { return os.Truncate(path, int64(len(file)/2)) }, false},
		"empty":          {func(path string, _ []byte) error { return os.Truncate(path, 0) }, false},
		"not a database": {func(path string, _ []byte) error { return os.WriteFile(path, []byte("a letter"), 0o600) }, false},
		"garbled": {func(path string, file []byte) error {
			copy(file[4096:], bytes.Repeat([]byte{0xAA}, len(file)))
			return os.WriteFile(path, file, 0o600)
		}, false},
		"closed well": {func(string, []byte) error { return nil }, true},
		"killed":      {nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := recordAfterKill(t)
			path := filepath.Join(dir, "record.db")
			if c.damage != nil {
				closeRecord(t, dir)
				file, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := c.damage(path, file); err != nil {
					t.Fatal(err)
				}
			}
			elsewhere := filepath.Join(t.TempDir(), "copy.db")
			for verb, args := range map[string][]string{
				"user list": {"user", "list"}, "token list": {"token", "list"}, "backup": {"backup", elsewhere},
				"check": {"check", "--auth=none", "--listen=127.0.0.1:0", "--api-key=" + testKey, "--api-secret=" + string([]byte(testSecret))},
			} {
				before := lying(t, dir)
				text, code := said(t, dir, "", append(args, "--store=file:record.db")...)
				if after := lying(t, dir); !maps.Equal(before, after) {
					t.Errorf("%s: there was %v, and is %v", verb, before, after)
				}
				if want := map[bool]int{true: 0, false: 1}[c.whole]; code != want {
					t.Errorf("%s: exit %d, %s", verb, code, text)
				}
				if lines := strings.Count(text, "\n"); code == 1 && (lines == 0 || lines > 1 && verb != "check") {
					t.Errorf("%s says %q", verb, text)
				}
			}
			if _, err := os.Stat(elsewhere); (err == nil) != c.whole {
				t.Errorf("the copy: %v", err)
			}
		})
	}
}

// Row 60: what a backup left that was killed is removed by the next, whatever that is called.
func TestFault60WhatAKilledBackupLeftIsRemovedByTheNext(t *testing.T) {
	dir, to := t.TempDir(), t.TempDir()
	closeRecord(t, dir)
	db, err := sql.Open("sqlite", filepath.Join(dir, "record.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("INSERT INTO probe VALUES (zeroblob(50000000))"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	p := command(t, dir, "backup", "--store=file:record.db", filepath.Join(to, "monday.db"))
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "it has begun", func() bool {
		begun, _ := filepath.Glob(filepath.Join(to, ".*")) // wherever it makes its copy
		return len(begun) > 0
	})
	_ = p.Process.Kill()
	_ = p.Wait()
	if _, err := os.Stat(filepath.Join(to, "monday.db")); err == nil {
		t.Fatal("it was too quick to be killed")
	}
	if text, code := said(t, dir, "", "backup", "--store=file:record.db", filepath.Join(to, "tuesday.db")); code != 0 {
		t.Fatal(text)
	}
	if left, err := os.ReadDir(to); err != nil || len(left) != 1 || left[0].Name() != "tuesday.db" {
		t.Errorf("there is %v, %v", left, err)
	}
}
