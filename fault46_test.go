package main

import (
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Row 46, with the true program: as seen by a record that was written a year before or after, the clock is a year ahead or
// behind. Nothing is removed, and health says so.
func TestFault46AServeWhoseClockIsAYearOffRemovesNothing(t *testing.T) {
	const day = 24 * time.Hour
	for name, off := range map[string]time.Duration{"ahead": 365 * day, "behind": -365 * day} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			p := startProcess(t, dir)
			for n, event := range []string{"room_created", "participant_joined", "session_ended"} {
				if !post(http.DefaultClient, p.url, fmt.Appendf(nil, `{"event":"%s","id":"EV_%d","room":{"sid":"s","room_id":"r"},"participant":{"sid":"PA","identity":"ana"}}`, event, n)) {
					t.Fatal("not taken")
				}
			}
			_ = p.Process.Signal(os.Interrupt)
			if err := p.Wait(); err != nil {
				t.Fatal(err)
			}
			db, err := sql.Open("sqlite", filepath.Join(dir, "record.db"))
			if err != nil {
				t.Fatal(err)
			}
			for _, query := range []string{"UPDATE deliveries SET received_at = received_at - ?", "UPDATE sessions SET received_ms = received_ms - ?", "UPDATE sources SET received = received - ?",
				"UPDATE samples SET at = at - ?", "UPDATE intake SET minute = minute - ?", "UPDATE received SET minute = minute - ?", "UPDATE marks SET value = value - ? WHERE name = 'clock'"} {
				if _, err := db.Exec(query, off.Milliseconds()); err != nil {
					t.Fatal(err)
				}
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			p = startProcess(t, dir)
			defer func() { _ = p.Process.Kill(); _ = p.Wait() }()
			text := func(path string) string {
				answer, err := http.Get(p.url + path)
				if err != nil {
					t.Fatal(err)
				}
				defer answer.Body.Close()
				data, _ := io.ReadAll(answer.Body)
				return string(data)
			}
			until(t, "health says so", func() bool { return strings.Contains(text("/health"), "the clock leapt, or differs") })
			if found := text("/api/v1/deliveries?sid=s"); strings.Count(found, `"body":{`) != 3 {
				t.Errorf("of the deliveries there are %s", found)
			}
			if found := text("/api/v1/sessions"); !strings.Contains(found, `"sid":"s"`) {
				t.Errorf("of the sessions there are %s", found)
			}
			_ = p.Process.Signal(os.Interrupt)
			_ = p.Wait()
			if ids := recordedIDs(t, dir); ids["EV_0"] != 1 || ids["EV_2"] != 1 {
				t.Errorf("at the end there are %v", ids)
			}
		})
	}
}
