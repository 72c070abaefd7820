package main

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/simulate"
)

// What comes of every poll is not in the documents of sessions: it is found again in the record.
func TestWhenPlugNmeetLastListedASessionIsKnownAfterARestartAndAfterItsEnd(t *testing.T) {
	w, going, over := newWorld(t), convene("going", 10*time.Minute), convene("over", 10*time.Minute)
	told := w.happen(going.created(0), going.joined(5, "ana", "PA_1"), over.created(0), over.joined(5, "bo", "PA_2"))
	standIn := &simulate.API{APIKey: testKey, Secret: testSecret, Rooms: w.truth}
	server := httptest.NewServer(standIn)
	defer server.Close()
	config := testConfig("file:" + t.TempDir() + "/record.db")
	config.ServerURL = server.URL
	app := startApp(t, config)
	tell := func(deliveries ...simulate.Delivery) {
		for _, d := range deliveries {
			if !post(app.client, app.URL(), d.Body) {
				t.Fatal("not taken")
			}
		}
	}
	verified := func(sid string) time.Time {
		var d room.Detail
		app.get("/api/v1/sessions/"+sid, &d)
		return d.VerifiedAt
	}
	tell(told...)
	app.await("it is listed", func() bool { return !verified("going").IsZero() && !verified("over").IsZero() })
	first := verified("going")
	app.await("it is listed again, as it is known", func() bool { return verified("going").Sub(first) > 2*time.Second })
	if got := time.Since(verified("going")); got > 5*time.Second {
		t.Errorf("polls come every second, and it was listed %v ago", got)
	}
	last := verified("over")
	tell(simulate.Delivery{Body: []byte(over.body("session_ended", 605, "", ""))})
	standIn.Suffer(simulate.Broken)
	app.await("it has ended, and polls fail", func() bool {
		var d room.Detail
		app.get("/api/v1/sessions/over", &d)
		var s struct{ Sources []sourceState }
		app.get("/api/v1/state", &s)
		return d.State == room.StateEnded && s.Sources[0].API == "failing"
	})
	if at := verified("over"); at.Before(last) || time.Since(at) > 10*time.Second {
		t.Errorf("it was listed at %v, and after its end at %v", last, at)
	}
	ended, open := verified("over"), verified("going")
	app.close()
	app = startApp(t, config)
	defer app.close()
	app.await("polls fail again", func() bool {
		var s struct{ Sources []sourceState }
		app.get("/api/v1/state", &s)
		return s.Sources[0].API == "failing"
	})
	if at := verified("over"); !at.Equal(ended) {
		t.Errorf("what ended was listed at %v, and after a restart at %v", ended, at)
	}
	if at := verified("going"); !at.Equal(open) {
		t.Errorf("what goes on was listed at %v, and after a restart at %v", open, at)
	}
	var page room.Page[room.Summary]
	app.get("/api/v1/sessions", &page)
	for _, s := range page.Items {
		if want := map[string]time.Time{"over": ended, "going": open}[s.SID]; !s.VerifiedAt.Equal(want) {
			t.Errorf("%s was listed at %v, and in the list at %v", s.SID, want, s.VerifiedAt)
		}
	}
}

// The stand-in lists as the real server does: that must be no reason to put anything right.
func TestADayOfWhichNothingWasLostNeedsNoCorrection(t *testing.T) {
	s := startStaged(t, simulate.Plan{Seed: 8, Rooms: 16}, nil)
	checked := s.source().ReconciledAt
	s.await("six polls", func() bool { return s.source().ReconciledAt.Sub(checked) > 6*time.Second })
	seen := make(map[string]bool)
	for _, truth := range s.stage.Truth() {
		if truth.State == room.StateEnded {
			continue
		}
		var d room.Detail
		s.get("/api/v1/sessions/"+truth.SID, &d)
		if len(d.Corrections) > 0 || d.People != truth.People || d.Bots != truth.Bots || d.State != truth.State && truth.State == room.StateLive {
			t.Errorf("%s: %s with %d people and %d bots, truly %d and %d: %+v", d.RoomID, d.State, d.People, d.Bots, truth.People, truth.Bots, d.Corrections)
		}
		for _, p := range truth.Participants {
			if p.Online {
				seen[p.Kind] = true
				seen["hybrid"] = seen["hybrid"] || p.Kind == "person" && p.Identity[len(p.Identity)-1] == '7'
			}
		}
	}
	for _, kind := range []string{"sip", "agent", "hybrid", "translator"} {
		if !seen[kind] {
			t.Errorf("nobody of kind %s is there", kind)
		}
	}
}
