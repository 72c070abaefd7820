package main

import (
	"bytes"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/redistest"
)

// kept is what is logged.
type kept struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (k *kept) Write(line []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.text.Write(line)
}

func (k *kept) String() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.text.String()
}

// Row 59: two replicas have the same SECRET, and a third comes with another one.
func TestFault59ReplicasWithDifferentSecretsAreTold(t *testing.T) {
	const other = plugnmeet.Secret("another secret of the replicas, long enough to start")
	server := redistest.Start(t)
	start := func(secret plugnmeet.Secret) (*testApp, *kept) {
		t.Helper()
		log := &kept{}
		app, err := New(t.Context(), secretConfig(t, server, secret), slog.New(slog.NewTextHandler(log, nil)))
		if err == nil {
			err = app.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		a := &testApp{App: app, t: t, client: &http.Client{Transport: &http.Transport{}}}
		a.await("ready", func() bool { return a.get("/readyz", nil) == http.StatusOK })
		return a, log
	}
	said := func(a *testApp) bool { return strings.Contains(a.text("/health"), "different SECRET") }
	found := func(secret plugnmeet.Secret) (states string) {
		for _, f := range (&checkCommand{secretConfig(t, server, secret)}).checkRedis() {
			if f.about == "secret" {
				states += f.state
			}
		}
		return states
	}
	a, logA := start(ourSecret)
	defer a.close()
	b, logB := start(ourSecret)
	defer b.close()
	a.await("both secrets are told", func() bool {
		told, err := server.Say("HLEN {roomwatch}:secrets")
		return err == nil && strings.Contains(told, "1")
	})
	if state := found(ourSecret); state != "" || said(a) || said(b) {
		t.Errorf("the same secret is told to be different: %q", state)
	}
	if state := found(other); state != wrong {
		t.Errorf("check with another secret: %q", state)
	}
	c, logC := start(other)
	defer c.close()
	for _, app := range []*testApp{a, b, c} {
		app.await("each says in its health that there is another secret", func() bool { return said(app) })
		if code := app.get("/readyz", nil); code != http.StatusOK {
			t.Errorf("readyz: %d", code)
		}
	}
	for _, log := range []*kept{logA, logB, logC} {
		if text := log.String(); strings.Count(text, "different SECRET") != 1 || strings.Contains(text, string([]byte(other))) {
			t.Errorf("logged: %s", text)
		}
	}
	if state := found(ourSecret); state != wrong {
		t.Errorf("check: %q", state)
	}
}

func secretConfig(t *testing.T, server *redistest.Server, secret plugnmeet.Secret) Config {
	config := testConfig(server.URL())
	config.Spool, config.Secret = filepath.Join(t.TempDir(), "spool.db"), secret
	return config
}
