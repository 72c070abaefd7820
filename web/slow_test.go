package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/web"
)

func TestAQuestionThatTakesTooLongIs503(t *testing.T) {
	t.Parallel()
	r := start(t, func(c *web.Config) { c.AskTime = time.Nanosecond }) // the store itself gives up
	for _, path := range []string{"/api/v1/sessions", "/api/v1/sessions?q=a", "/api/v1/recordings", "/api/v1/artifacts", "/api/v1/deliveries", "/api/v1/deliveries/1", "/api/v1/sessions/unknown", "/recordings.json"} {
		a := r.get(path)
		if a.StatusCode != http.StatusServiceUnavailable || !strings.Contains(a.body, "The question took too long. Narrow it.") {
			t.Errorf("%s: %d %s", path, a.StatusCode, a.body)
		}
		checkProblem(t, path, a)
	}
	for _, path := range []string{"/rooms/unknown", "/intake/1", "/sessions.csv"} {
		a := r.get(path)
		if a.StatusCode != http.StatusServiceUnavailable || !strings.Contains(a.body, "Narrow it.") || !strings.Contains(a.body, "<h1>") {
			t.Errorf("%s: %d %s", path, a.StatusCode, a.body)
		}
	}
	if a := r.get("/api/v1/state"); a.StatusCode != http.StatusOK {
		t.Errorf("the present asks no store: %d", a.StatusCode)
	}
	if log := r.logged.String(); !strings.Contains(log, "a question took too long") || strings.Contains(log, "level=ERROR") {
		t.Errorf("logged: %s", log)
	}
}

func TestAFaultIsAsTheDocumentSays(t *testing.T) {
	t.Parallel()
	b := &broken{}
	r := start(t, instead(b.over), func(c *web.Config) { c.AskTime = 50 * time.Millisecond })
	k := readContract(r)
	b.fails.Store(true)
	if a := k.asks("/api/v1/sessions", "/api/v1/sessions"); a.StatusCode != http.StatusInternalServerError {
		t.Errorf("%d", a.StatusCode)
	}
	b.fails.Store(false)
	b.hangs.Store(true)
	if a := k.asks("/api/v1/sessions", "/api/v1/sessions"); a.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%d", a.StatusCode)
	}
}

// warning is a store that warns, and has lost notes.
type warning struct{ web.Record }

func (warning) Warnings() []string {
	return []string{"The disk is nearly full.", "A backup is overdue."}
}
func (warning) NotesDropped() uint64 { return 7 }

func TestWarningsOfTheStoreShowInHealthAndDoNotFailIt(t *testing.T) {
	t.Parallel()
	r := start(t, instead(func(record web.Record) web.Record { return warning{record} }))
	a := r.get("/health")
	for _, want := range []string{`"status":"warn"}`, `{"componentType":"datastore","status":"warn","output":"The disk is nearly full."},{"componentType":"datastore","status":"warn","output":"A backup is overdue."}`} {
		if a.StatusCode != http.StatusOK || !strings.Contains(a.body, want) {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	}
	if a := r.get("/readyz"); a.StatusCode != http.StatusOK {
		t.Errorf("readyz: %d", a.StatusCode)
	}
	if line := r.metric("roomwatch_notes_dropped_total"); line != "roomwatch_notes_dropped_total 7" {
		t.Errorf("metric %q", line)
	}
}

func TestAStoreThatFailsIsWorseThanOneThatWarns(t *testing.T) {
	t.Parallel()
	b := &broken{}
	r := start(t, instead(func(record web.Record) web.Record { return b.over(warning{record}) }))
	b.fails.Store(true)
	for range 20 { // the order of a map must not matter
		if a := r.get("/health"); a.StatusCode != http.StatusServiceUnavailable || !strings.Contains(a.body, `"status":"fail"}`) {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	}
}
