package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// Row 27 of the faults, as far as webhooks alone go: of a thousand who come and leave at once, in no order,
// with a tenth told twice and a tenth of the leaves never told, those and only those of whom no leave
// came are still here; and nobody is when the session has ended.
func TestFault27AMassLeaveInDisorderLeavesOnlyThoseWhoseLeaveWasLost(t *testing.T) {
	app := startApp(t, testConfig("memory:"))
	defer app.close()
	const people = 1000
	rng := rand.New(rand.NewPCG(27, 1))
	var bodies [][]byte
	lost := 0
	tell := func(event string, n int) {
		body := fmt.Appendf(nil, `{"event":"participant_%s","room":{"sid":"mass","room_id":"hall"},"participant":{"sid":"PA_%d","identity":"u%d","joined_at":"%d"},"id":"EV_%s_%d","created_at":"%d"}`,
			event, n, n, 1_795_311_000+n%60, event, n, 1_795_311_100)
		bodies = append(bodies, body)
		if rng.IntN(10) == 0 {
			bodies = append(bodies, body)
		}
	}
	for n := range people {
		tell("joined", n)
		if rng.IntN(10) == 0 {
			lost++
		} else {
			tell("left", n)
		}
	}
	rng.Shuffle(len(bodies), func(i, j int) { bodies[i], bodies[j] = bodies[j], bodies[i] })
	app.postAll(bodies)
	var d room.Detail
	app.await(fmt.Sprint(lost, " of ", people, " still here"), func() bool {
		app.get("/api/v1/sessions/mass", &d)
		if d.People < 0 || d.People > people {
			t.Fatalf("%d people", d.People)
		}
		return app.board.Position() == app.end() && d.People == lost && len(d.Participants) == people
	})
	app.postAll([][]byte{[]byte(`{"event":"session_ended","room":{"sid":"mass","room_id":"hall"},"id":"end","created_at":"1795311200"}`)})
	app.await("nobody is left", func() bool { app.get("/api/v1/sessions/mass", &d); return d.State == room.StateEnded && d.People == 0 })
}

// postAll posts bodies from several connections; each must be taken.
func (a *testApp) postAll(bodies [][]byte) {
	a.t.Helper()
	work := make(chan []byte)
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for body := range work {
				if !post(client, a.URL(), body) {
					a.t.Errorf("not taken: %s", body)
				}
			}
		})
	}
	for _, body := range bodies {
		work <- body
	}
	close(work)
	senders.Wait()
}
