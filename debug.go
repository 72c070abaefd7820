package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"
)

// profile shows Go's profiles at DEBUG_LISTEN, which only this machine reaches. How the process was started is
// not among them: a secret may be in that.
func (a *App) profile() error {
	if a.config.DebugListen == "" {
		return nil
	}
	listener, err := net.Listen("tcp", a.config.DebugListen)
	if err != nil {
		return fmt.Errorf("listen for profiles: %w", err)
	}
	a.log.Info("profiles are shown", "url", "http://"+listener.Addr().String()+"/debug/pprof/")
	a.debug = &http.Server{Handler: profiles(), ReadHeaderTimeout: 5 * time.Second}
	a.tasks.Go(func() { _ = a.debug.Serve(listener) }) // until it is closed
	return nil
}

// profiles answers requests that name a loopback host: a page of a foreign site may have rebound its own name.
func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("/debug/pprof/cmdline", http.NotFound)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback(r.Host) {
			http.Error(w, "not under this name", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}
