package live_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/share"
	"github.com/roomwatch/roomwatch/store"
)

// rows shows a page as the ids of what it lists.
type rows struct{}

func (rows) Elements(m live.Model) (out []live.Element) {
	add := func(id string) {
		out = append(out, live.Element{ID: id, Parent: "rows", Version: id, Render: func() []byte { return []byte(id + ";") }})
	}
	switch m := m.(type) {
	case live.Overview:
		for _, r := range m.Rows {
			add(r.SID)
		}
		for _, a := range m.Alarms {
			add("alarm:" + string(a.Concern))
		}
		for _, r := range m.Recordings {
			add("rail:" + r.RecordID)
		}
		if m.Unread {
			add("rail is unread")
		}
	case live.Sessions:
		for _, s := range m.Page.Items {
			add(s.SID + ":" + string(s.State))
		}
	case live.Recordings:
		for _, r := range m.Rows {
			add(fmt.Sprint(r.RecordID, ":", r.State, ":", r.Overdue))
		}
	case live.Artifacts:
		for _, a := range m.Page.Items {
			add(a.ArtifactID)
		}
	case live.Intake:
		for _, d := range m.Rows {
			add(fmt.Sprint(d.Event, ":", d.Verdict, ":", d.HasBody, ":", d.Body != nil))
		}
	case live.Room:
		for _, d := range m.Deliveries {
			add("delivery:" + d.Event)
		}
	}
	return out
}

func (rows) Root(_ live.Model, inner map[string][]byte) []byte { return inner["rows"] }

// somebody is who watches where it does not matter who.
var somebody = share.Holder{Kind: share.Person, Name: "ana"}

// hub runs a hub over the desk's board until the test ends.
func (d *desk) hub(lists live.Lists) *live.Hub {
	d.t.Helper()
	hub := live.NewHub(d.Board, lists, rows{}, room.DefaultLimits, time.Millisecond, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); hub.Run(ctx) }()
	d.t.Cleanup(func() { cancel(); <-done })
	return hub
}

// ask is the question of a page.
func ask(t *testing.T, name, filters string) live.Question {
	t.Helper()
	q, err := live.ParseQuestion(name, values(t, filters))
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// watch reads frames of a view until one holds the text; it is asked from the start, so the first is a reset.
func watch(t *testing.T, hub *live.Hub, q live.Question) func(text string) {
	t.Helper()
	line := make(line, 1000)
	viewer, err := hub.Watch(q, somebody, "", 0, line)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(viewer.Close)
	return func(text string) {
		t.Helper()
		end := time.After(time.Minute)
		for {
			select {
			case frame := <-line:
				if strings.Contains(string(frame.Text), text) {
					return
				}
			case <-end:
				t.Fatalf("no frame of %s tells of %q", q.Name, text)
			}
		}
	}
}

// line is a way to a viewer that holds what it is sent.
type line chan *live.Frame

func (l line) Send(_ *live.Viewer, f *live.Frame, _ time.Time) bool { l <- f; return true }
func (l line) End(err error)                                        { panic(err) }

func TestEveryListFollowsWhatIsDelivered(t *testing.T) {
	d := openDesk(t, "memory:")
	hub := d.hub(d.record)
	sessions := watch(t, hub, ask(t, "sessions", "state=live"))
	recordings := watch(t, hub, ask(t, "recordings", ""))
	artifacts := watch(t, hub, ask(t, "artifacts", "class=usage"))
	intake := watch(t, hub, ask(t, "intake", ""))
	overview := watch(t, hub, ask(t, "overview", ""))

	d.deliverEvent(event(room.KindRoomStarted, "s1", 1))
	sessions("s1:live")
	recorded := event(room.KindRecordingStarted, "s1", 2)
	recorded.Job = &room.JobSaid{RecordID: "r1"}
	d.deliverEvent(recorded)
	recordings("r1:recording:false")
	overview("rail:r1")
	used := event(room.KindArtifactCreated, "s1", 3)
	used.Artifact = &room.ArtifactSaid{ID: "a1", Type: "MEETING_SUMMARY_USAGE", Usage: &room.ArtifactUsage{Unit: "tokens", Total: 5}}
	d.deliverEvent(used)
	artifacts("a1")
	intake("artifact_created:accepted:")
	d.record.Note(room.Delivery{ReceivedAt: time.Now(), Verdict: room.Refused, Reason: "no token", Code: "none"})
	intake(":unauthentic:false")
	d.deliverEvent(event(room.KindSessionEnded, "s1", 60))
	sessions(`{"k":"del","t":"s1:live"}`)
	recordings("r1:processing:true") // it ended long before this test runs
}

func TestRowsOfDeliveriesCarryNoBody(t *testing.T) {
	d := openDesk(t, "memory:")
	d.deliver(bodies(t, "captures/two-people.jsonl")[:3]...)
	page, err := d.hub(d.record).Page(ask(t, "intake", "event=room_created"), somebody)
	if err != nil || !strings.Contains(string(page.Root), "room_created:accepted:true:false") {
		t.Errorf("%s, %v", page.Root, err)
	}
}

func TestARoomsPageListsItsDeliveries(t *testing.T) {
	d := openDesk(t, "memory:")
	hub := d.hub(d.record)
	d.deliverEvent(event(room.KindRoomStarted, "s1", 1))
	room1 := watch(t, hub, live.Question{Name: "room", Key: room.Key{Source: "default", SID: "s1"}})
	room1("delivery:room_started")
	d.deliverEvent(event(room.KindRoomFinished, "s1", 2))
	room1("delivery:room_finished")
	unknown := event(0, "s1", 2)
	unknown.ID = "of an event that says nothing"
	d.deliverEvent(unknown)
	room1("delivery:" + unknown.Kind.String())
}

// moody answers as its record does, unless it is told otherwise.
type moody struct {
	*store.SQLite
	broken atomic.Bool
	asked  chan struct{} // if not nil, told of a question for sessions, which then waits for go
	leave  chan struct{}
}

func (m *moody) Sessions(ctx context.Context, q room.SessionQuery) (room.Page[room.Summary], error) {
	if m.broken.Load() {
		return room.Page[room.Summary]{}, errors.New("no answer")
	}
	if m.asked != nil {
		m.asked <- struct{}{}
		<-m.leave
	}
	return m.SQLite.Sessions(ctx, q)
}

func TestWhatIsShownStaysWhileTheRecordDoesNotAnswer(t *testing.T) {
	d := openDesk(t, "memory:")
	lists := &moody{SQLite: d.record}
	hub := d.hub(lists)
	d.deliverEvent(event(room.KindRoomStarted, "s1", 1))
	sessions := watch(t, hub, ask(t, "sessions", ""))
	sessions("s1:live")
	lists.broken.Store(true)
	if _, err := hub.Page(ask(t, "sessions", "state=ended"), somebody); err == nil {
		t.Error("a page that cannot be made is made")
	}
	d.deliverEvent(event(room.KindRoomStarted, "s2", 2))
	overview := watch(t, hub, ask(t, "overview", ""))
	overview("s2") // others are not held up
	lists.broken.Store(false)
	sessions("s2:live")
}

func TestASlowQuestionHoldsUpNobodyElse(t *testing.T) {
	d := openDesk(t, "memory:")
	lists := &moody{SQLite: d.record, asked: make(chan struct{}), leave: make(chan struct{})}
	hub := d.hub(lists)
	d.deliverEvent(event(room.KindRoomStarted, "s1", 1))
	slow := make(chan error, 1)
	go func() {
		_, err := hub.Page(ask(t, "sessions", ""), somebody)
		slow <- err
	}()
	<-lists.asked
	if page, err := hub.Page(ask(t, "overview", ""), somebody); err != nil || !strings.Contains(string(page.Root), "s1;") {
		t.Errorf("while a question is under way, the overview is %s, %v", page.Root, err)
	}
	close(lists.leave)
	if err := <-slow; err != nil {
		t.Error(err)
	}
}

func TestTotalsAreKeptEveryMinuteAndOverARestart(t *testing.T) {
	url := "file:" + t.TempDir() + "/r.db"
	d := openDesk(t, url)
	d.deliverEvent(event(room.KindRoomStarted, "s1", 1))
	until(t, "the minute is kept", func() bool {
		kept := d.Samples(time.Hour)
		return len(kept) > 0
	})
	kept := d.Samples(time.Hour)
	if at := kept[0].At; !at.Equal(at.Truncate(time.Minute)) {
		t.Errorf("kept at %v, which is no whole minute", at)
	}
	d.stop()
	if again := openDesk(t, url).Samples(time.Hour); len(again) == 0 || again[0] != kept[0] {
		t.Errorf("after a restart the totals of %v are %v", kept, again)
	}
}

func TestAttentionComesAndGoesByItself(t *testing.T) {
	d := openDesk(t, "memory:")
	hub := d.hub(d.record)
	told := make(chan []room.Alarm, 10)
	limits := room.DefaultLimits
	limits.Refused = 2
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	attention := live.NewAttention(d.Board, d.record, limits, 20*time.Millisecond, slog.New(slog.DiscardHandler), func(alarms []room.Alarm) { told <- alarms })
	recorded := event(room.KindRecordingStarted, "s1", 2)
	recorded.Job = &room.JobSaid{RecordID: "r1"}
	d.deliverEvent(event(room.KindRoomStarted, "s1", 1))
	d.deliverEvent(recorded)
	go func() { defer close(done); attention.Run(ctx) }()
	defer func() { cancel(); <-done }()
	overview := watch(t, hub, ask(t, "overview", ""))
	overview("alarm:recording_nobody")
	if alarms := <-told; len(alarms) != 1 || alarms[0].Concern != room.ConcernRecordingNobody || alarms[0].SID != "s1" {
		t.Errorf("told of %+v", alarms)
	}
	d.deliverEvent(event(room.KindSessionEnded, "s1", 60))
	overview(`{"k":"del","t":"alarm:recording_nobody"}`)
}

func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !so(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not in time: " + what)
		}
	}
}

func values(t *testing.T, filters string) url.Values {
	t.Helper()
	v, err := url.ParseQuery(filters)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
