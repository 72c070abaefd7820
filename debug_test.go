package main

import (
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestProfilesAreShownToThisMachineOnly(t *testing.T) {
	t.Parallel()
	config := testConfig("memory:")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config.DebugListen = listener.Addr().String()
	_ = listener.Close()
	app := startApp(t, config)
	defer app.close()
	for _, c := range []struct {
		path, host string
		want       int
	}{
		{"heap?debug=1", "", http.StatusOK},
		{"cmdline", "", http.StatusNotFound}, // a secret may be in it
		{"heap", "rebound.example.org:6060", http.StatusForbidden},
	} {
		request, err := http.NewRequest(http.MethodGet, "http://"+config.DebugListen+"/debug/pprof/"+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = c.host
		answer, err := app.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != c.want {
			t.Errorf("%s as %q: %s", c.path, c.host, answer.Status)
		}
	}
	if status := app.get("/debug/pprof/heap", nil); status != http.StatusNotFound {
		t.Errorf("profiles at the public address: %d", status)
	}
}

func TestProfilesAreRefusedOffLoopback(t *testing.T) {
	t.Parallel()
	for _, address := range []string{":6060", "0.0.0.0:6060", "192.0.2.1:6060", "6060"} {
		config := testConfig("memory:")
		config.DebugListen = address
		if err := config.validate(); err == nil || !strings.Contains(err.Error(), "DEBUG_LISTEN") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
