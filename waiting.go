package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// waiting answers while an older record is brought up to date, which takes minutes when it is large: that the process
// lives, that it is not ready, and that deliveries must come again. It knows nothing private.
type waiting struct {
	server *http.Server
	lent   lent
	ended  sync.WaitGroup
}

// startWaiting answers on a listener until end gives it back.
func startWaiting(listener *net.TCPListener, base string) *waiting {
	w := &waiting{lent: lent{listener}, server: &http.Server{Handler: migrating(base), ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second, MaxHeaderBytes: 16 << 10}}
	w.ended.Go(func() { _ = w.server.Serve(w.lent) }) // until it is closed
	return w
}

// end stops answering, and leaves the listener open for who answers next. What comes meanwhile waits in it.
func (w *waiting) end() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := w.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = w.server.Close()
	}
	w.ended.Wait()
	return errors.Join(err, w.lent.SetDeadline(time.Time{}))
}

// lent is a listener that outlives who accepts from it: to close it is to stop waiting.
type lent struct{ *net.TCPListener }

// Close has Accept return.
func (l lent) Close() error { return l.SetDeadline(time.Now()) }

// migrating answers as the server will, as far as that is known without a record.
func migrating(base string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		say := func(code int, kind, text string) {
			w.Header().Set("Content-Type", kind)
			w.Header().Set("Cache-Control", "no-store")
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.WriteHeader(code)
			_, _ = fmt.Fprint(w, text) // whoever asked may be gone
		}
		switch path := strings.TrimPrefix(r.URL.Path, base); path {
		case "/livez":
			say(http.StatusOK, "application/json", `{"status":"alive"}`)
		case "/readyz":
			say(http.StatusServiceUnavailable, "application/json", `{"status":"migrating"}`)
		case "/health": // healthy, or whoever watches over the process would begin it all anew
			say(http.StatusOK, "application/health+json", `{"status":"warn","checks":{"record:migration":[{"componentType":"datastore","status":"warn","output":"an older record is brought up to date"}]}}`)
		case "/webhook":
			w.Header().Set("Retry-After", "5")
			say(http.StatusServiceUnavailable, "application/json", `{"status":"migrating"}`)
		default:
			w.Header().Set("Retry-After", "15")
			say(http.StatusServiceUnavailable, "text/plain; charset=utf-8", "Roomwatch brings its record up to date. This takes some minutes when the record is large; the log tells how far it is.\n")
		}
	})
}
