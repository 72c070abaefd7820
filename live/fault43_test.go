package live_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/share"
	"github.com/roomwatch/roomwatch/store"
)

// stuck is a record that answers none of the questions of lists until it is released.
type stuck struct {
	*store.SQLite
	mu       sync.Mutex
	released chan struct{} // nil: it answers
	holds    atomic.Int64  // how many questions were held
}

func (s *stuck) block() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	blocked := make(chan struct{})
	s.released = blocked
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.released = nil
		close(blocked)
	})
}

// hold waits until the record is released, whatever patience whoever asks may have.
func (s *stuck) hold() {
	s.mu.Lock()
	released := s.released
	s.mu.Unlock()
	if released != nil {
		s.holds.Add(1)
		<-released
	}
}

func (s *stuck) Sessions(ctx context.Context, q room.SessionQuery) (room.Page[room.Summary], error) {
	s.hold()
	return s.SQLite.Sessions(ctx, q)
}

func (s *stuck) Artifacts(ctx context.Context, q room.ArtifactQuery) (room.Page[room.FiledArtifact], error) {
	s.hold()
	return s.SQLite.Artifacts(ctx, q)
}

func (s *stuck) Recordings(ctx context.Context, q room.RecordingQuery) (room.Page[room.FiledRecording], error) {
	s.hold()
	return s.SQLite.Recordings(ctx, q)
}

// opened is a page that must not wait for the record.
func opened(t *testing.T, hub *live.Hub, q live.Question) (page live.Page, err error) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		page, err = hub.Page(q, somebody)
	}()
	select {
	case <-done:
		return page, err
	case <-time.After(time.Minute):
		t.Fatal("the page waits for the record")
		return page, err
	}
}

// Row 43 of the faults: a record that answers no list holds up the views of lists and nothing else. The overview goes
// on, opens for somebody new, and shows the rail that was read last.
func TestFault43ARecordThatDoesNotAnswerHoldsUpListsOnly(t *testing.T) {
	d := openDesk(t, "memory:")
	lists := &stuck{SQLite: d.record}
	hub := d.hub(lists)
	overview := watch(t, hub, ask(t, "overview", ""))
	d.deliverEvent(event(room.KindRoomStarted, "s1", 1))
	recorded := event(room.KindRecordingStarted, "s1", 2)
	recorded.Job = &room.JobSaid{RecordID: "r1"}
	d.deliverEvent(recorded)
	overview("rail:r1")
	sessions := watch(t, hub, ask(t, "sessions", ""))
	sessions("s1:live")
	for n := range 20 { // as many as somebody may keep going, each to be refreshed at every save
		watch(t, hub, ask(t, "sessions", fmt.Sprint("room_id=r", n)))
	}

	release := lists.block()
	defer release()
	d.deliverEvent(event(room.KindRoomStarted, "held", 3))
	until(t, "lists are asked for what was saved, in vain", func() bool { return lists.holds.Load() > 1 })
	for n := range 20 {
		sid := fmt.Sprint("late", n)
		d.deliverEvent(event(room.KindRoomStarted, sid, 3))
		overview(sid)
	}
	page, err := opened(t, hub, ask(t, "overview", "sort=room"))
	if err != nil || !strings.Contains(string(page.Root), "late19;") || !strings.Contains(string(page.Root), "rail:r1") {
		t.Errorf("an overview that somebody opens meanwhile: %s, %v", page.Root, err)
	}
	release()
	sessions("late19:live")
}

// Before anything of the rail was read, the overview says so, and opens.
func TestFault43AnOverviewOpensBeforeItsRailIsRead(t *testing.T) {
	d := openDesk(t, "memory:")
	lists := &stuck{SQLite: d.record}
	release := lists.block()
	defer release()
	hub := d.hub(lists)
	page, err := opened(t, hub, ask(t, "overview", ""))
	if err != nil || !strings.Contains(string(page.Root), "rail is unread") {
		t.Errorf("%s, %v", page.Root, err)
	}
	overview := watch(t, hub, ask(t, "overview", ""))
	release()
	overview(`{"k":"del","t":"rail is unread"}`)
}

// One who has as many questions under way as one may has to wait; somebody else's are answered.
func TestFault43NobodyHasMoreQuestionsUnderWayThanOneMay(t *testing.T) {
	d := openDesk(t, "memory:")
	lists := &moody{SQLite: d.record, asked: make(chan struct{}), leave: make(chan struct{})}
	hub := live.NewHub(d.Board, lists, rows{}, room.DefaultLimits, 0, nil)
	questions := share.New(share.Limits{Each: map[share.Kind]int{share.Person: 2}})
	hub.ShareBy(share.New(share.Limits{}), questions)
	answers := make(chan error, 3)
	for n := range 2 {
		go func() {
			_, err := hub.Page(ask(t, "sessions", fmt.Sprint("room_id=r", n)), somebody)
			answers <- err
		}()
		<-lists.asked
	}
	if _, err := hub.Page(ask(t, "sessions", "room_id=r3"), somebody); !errors.Is(err, share.ErrOwn) {
		t.Errorf("a third question: %v", err)
	}
	go func() {
		_, err := hub.Page(ask(t, "sessions", "room_id=r4"), share.Holder{Kind: share.Person, Name: "bo"})
		answers <- err
	}()
	<-lists.asked
	close(lists.leave)
	if err := errors.Join(<-answers, <-answers, <-answers); err != nil {
		t.Error(err)
	}
	if n := questions.Held(); n != 0 {
		t.Errorf("%d questions are still counted", n)
	}
}

// Row 42 of the faults, as far as the hub goes: one who watches as many views as one may is refused, and nobody else; a
// page opens all the same. What one leaves is given back.
func TestFault42OneWhoWatchesTooManyViewsIsRefusedAlone(t *testing.T) {
	d := openDesk(t, "memory:")
	hub := d.hub(d.record)
	shares := share.New(share.Limits{Each: map[share.Kind]int{share.Person: 3}})
	hub.ShareBy(shares, share.New(share.Limits{}))
	view := func(n int) live.Question { return ask(t, "overview", fmt.Sprint("q=w", n)) }
	open := func(n int, who share.Holder) (*live.Viewer, error) {
		return hub.Watch(view(n), who, "", 0, make(line, 100))
	}
	var viewers []*live.Viewer
	for n := range 3 {
		for range 2 { // a view counts once, however often one watches it
			viewer, err := open(n, somebody)
			if err != nil {
				t.Fatal(err)
			}
			viewers = append(viewers, viewer)
		}
	}
	if _, err := open(3, somebody); !errors.Is(err, live.ErrOwnViews) {
		t.Errorf("a fourth view: %v", err)
	}
	if _, err := hub.Page(view(4), somebody); err != nil {
		t.Errorf("a page beside them: %v", err)
	}
	bo := share.Holder{Kind: share.Person, Name: "bo"}
	for n := range 3 {
		viewer, err := open(n+2, bo)
		if err != nil {
			t.Fatalf("somebody else's view %d: %v", n, err)
		}
		defer viewer.Close()
	}
	for _, viewer := range viewers {
		viewer.Close()
	}
	if n := shares.HeldBy(somebody); n > 3 {
		t.Errorf("%d views count for who watches none", n)
	}
	for n := range 3 {
		viewer, err := open(n+10, somebody)
		if err != nil {
			t.Fatalf("after the others are closed: %v", err)
		}
		defer viewer.Close()
	}
}
