package web_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/web"
)

// alarm lets everything need attention at once, however long ago it was: what was recorded is old.
func (r *rig) alarm() {
	r.t.Helper()
	r.deliver("{")
	r.await("the refusal is in the record", func() bool { // notes are written beside their answers
		refused, err := r.record.Refusals(context.Background(), time.Now().Add(-time.Hour))
		return err == nil && len(refused) > 0
	})
	limits := room.Limits{Refused: 1, FailedIn: 100 * 365 * 24 * time.Hour}
	attention := live.NewAttention(r.server.Board, r.record, limits, live.LookEvery, slog.New(slog.DiscardHandler), nil)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); attention.Run(ctx) }()
	defer func() { cancel(); <-done }()
	r.await("an alarm", func() bool { return len(r.server.Board.Alarms()) > 0 })
}

func TestWhatNeedsAttentionIsTold(t *testing.T) {
	t.Parallel()
	r := start(t)
	if a := r.get("/api/v1/attention"); a.StatusCode != http.StatusOK || a.body != `{"items":[]}` {
		t.Errorf("when nothing does: %d %s", a.StatusCode, a.body)
	}
	r.taken(event("room_created", "s1", "r1", ""), joined("s1", "r1", "ana"))
	r.alarm()
	var list struct{ Items []json.RawMessage }
	if err := json.Unmarshal([]byte(r.get("/api/v1/attention").body), &list); err != nil || len(list.Items) == 0 {
		t.Fatal(err, list)
	}
	refused := list.Items[len(list.Items)-1]
	if got := keys(t, refused); got != "concern count id limit_seconds message since source why" {
		t.Errorf("%s: %s", got, refused)
	}
	if !strings.Contains(string(refused), `"why":"1 in 5 min, most of them: `) {
		t.Errorf("%s", refused)
	}
	if page := r.get("/").body; !strings.Contains(page, `data-alarm="intake_refused"`) || !strings.Contains(page, `data-alarms="`) {
		t.Error("the page does not tell")
	}
}

func TestAlarmsKeepWhatTheyName(t *testing.T) {
	t.Parallel()
	a := room.Alarm{Concern: room.ConcernFileOverdue, Source: "default", SID: "s", RoomID: "r", Title: "T", RecordID: "rec", Since: time.Unix(0, 0), Limit: 90 * time.Second, Recorder: "n", Message: "m", Count: 3}
	data, err := json.Marshal(web.Alarms([]room.Alarm{a}))
	want := `[{"id":"file_overdue/default/s/rec","concern":"file_overdue","source":"default","sid":"s","room_id":"r","title":"T","record_id":"rec","since":"1970-01-01T00:00:00Z","limit_seconds":90,"recorder":"n","message":"m","count":3,` +
		`"why":"ended 1970-01-01 00:00:00 UTC, still no file (expected within 90 s); see whether n is at work"}]`
	if err != nil || string(data) != want {
		t.Errorf("%s, %v", data, err)
	}
	if data, _ := json.Marshal(web.Alarms(nil)); string(data) != "[]" {
		t.Errorf("none: %s", data)
	}
}
