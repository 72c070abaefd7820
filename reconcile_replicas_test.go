package main

import (
	"context"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/redistest"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/simulate"
)

// Among replicas the one that leads asks plugNmeet, and what it finds all of them tell; when it is gone another does.
func TestTheReplicaThatLeadsAsksPlugNmeetAndAllTellTheSame(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t).URL()
	stage := simulate.NewStage(simulate.Plan{Seed: 41, Rooms: 5, People: 5, Start: time.Now().Add(-time.Hour), Memory: 1 << 20}.Begin())
	told := stage.Until(time.Now())
	type asked struct {
		*replica
		api *simulate.API
	}
	var all []asked
	for range 2 {
		api := &simulate.API{APIKey: testKey, Secret: testSecret, Rooms: stage.Truth}
		server := httptest.NewServer(api)
		t.Cleanup(server.Close)
		all = append(all, asked{startReplicaOf(t, "", redis, "--server-url="+server.URL, "--reconcile-every=1s", "--reconcile-quiet=0s"), api})
	}
	await(t, "one of them leads", func() bool { return all[0].leads() || all[1].leads() })
	leader, other := all[0], all[1]
	if other.leads() {
		leader, other = other, leader
	}
	told = slices.DeleteFunc(told, func(d simulate.Delivery) bool { return len(d.Body)%4 == 0 }) // lost on the way
	sender := simulate.Sender{Target: other.url, APIKey: testKey, Secret: testSecret}
	if result, err := sender.Run(context.Background(), slices.Values(told)); err != nil || result.Failed > 0 {
		t.Fatalf("%+v, %v", result, err)
	}
	tells := func(r *replica) bool {
		var rooms, people int
		for _, d := range stage.Truth() {
			if d.State != room.StateEnded {
				rooms, people = rooms+1, people+d.People
			}
		}
		var state struct{ Totals room.Totals }
		r.get("/api/v1/state", &state)
		return state.Totals.Rooms == rooms && state.Totals.People == people
	}
	for _, r := range all {
		await(t, r.url+" tells the truth", func() bool { return tells(r.replica) })
		var d room.Detail
		for _, truth := range stage.Truth() {
			if truth.State == room.StateLive {
				await(t, "it is confirmed everywhere", func() bool { r.get("/api/v1/sessions/"+truth.SID, &d); return d.Trust == room.TrustConfirmed })
			}
		}
	}
	if leader.api.Calls() == 0 || other.api.Calls() != 0 {
		t.Errorf("who leads asked %d times, the other %d times", leader.api.Calls(), other.api.Calls())
	}
	leader.kill()
	await(t, "the other leads, and asks", func() bool { return other.api.Calls() > 0 })
	stage.Until(time.Now()) // all of its deliveries are lost
	for _, d := range stage.Truth() {
		if d.State == room.StateLive {
			stage.End(d.RoomID)
			break
		}
	}
	await(t, "it tells the truth", func() bool { return tells(other.replica) })
}
