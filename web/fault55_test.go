package web_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/web"
)

// panicky is a record of which a list makes the program panic as long as it is broken.
type panicky struct {
	web.Record
	broken *atomic.Bool
}

func (p panicky) CountSessions(ctx context.Context, q room.SessionQuery) (int, error) {
	if p.broken.Load() {
		panic("in the meeting of zoraida")
	}
	return p.Record.CountSessions(ctx, q)
}

// Row 55: a view that panics says so, on its page and to those who watch it; everything else goes on, and so does the
// view when what was wrong is over.
func TestFault55AViewThatPanicsSaysSoAndEverythingElseGoesOn(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	r := start(t, instead(func(record web.Record) web.Record { return panicky{record, &broken} }))
	r.taken(joined("s1", "r1", "ana"))
	watching, other := r.open("view=sessions"), r.open("view=overview")
	watching.next()
	other.next()
	broken.Store(true)
	r.taken(joined("s2", "r2", "bo"))
	if code := watching.closed(patience); code != 1011 {
		t.Errorf("who watched it was closed with %d", code)
	}
	other.shows("session-s2")
	if a := r.get("/sessions"); a.StatusCode != http.StatusInternalServerError || !strings.Contains(a.body, "Other pages are not concerned") {
		t.Errorf("its page: %d %s", a.StatusCode, a.body)
	}
	if _, code := r.dial("view=sessions"); code != 0 {
		t.Errorf("its socket is refused with %d", code)
	}
	if code, _ := r.watch("view=overview"); code != 0 {
		t.Errorf("another view: %d", code)
	}
	if counted := r.metric("roomwatch_view_panics_total"); strings.HasSuffix(counted, " 0") || counted == "" {
		t.Errorf("counted: %q", counted)
	}
	log := r.logged.String()
	if strings.Contains(log, "zoraida") || strings.Count(log, "CountSessions") != 1 || !strings.Contains(log, "fault55_test.go") {
		t.Errorf("the log does not say where, or says more than that: %s", log)
	}
	broken.Store(false)
	r.await("it can be seen again", func() bool { return r.get("/sessions").StatusCode == http.StatusOK })
	r.open("view=sessions").shows("/rooms/s2")
}
