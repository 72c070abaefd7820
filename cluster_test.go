package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/redistest"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/store"
)

// cluster is several replicas of the true program on one Redis.
type cluster struct {
	t    *testing.T
	apps []*testApp
}

// startCluster starts a replica for each URL of a Redis, which may be ways to the same.
func startCluster(t *testing.T, urls ...string) *cluster {
	t.Helper()
	c := &cluster{t: t}
	for _, url := range urls {
		c.apps = append(c.apps, startReplica(t, url, filepath.Join(t.TempDir(), "spool.db")))
	}
	return c
}

func startReplica(t *testing.T, url, spool string) *testApp {
	t.Helper()
	config := testConfig(url)
	config.Spool = spool
	app := startApp(t, config)
	t.Cleanup(app.close)
	return app
}

func times(url string, n int) []string { return slices.Repeat([]string{url}, n) }

// meetings are bodies of so many rooms with so many people each; the rooms with an odd number end.
func meetings(rooms, people int) (bodies [][]byte) {
	const begin = 1_795_311_000 // seconds since 1970
	n := 0
	tell := func(r, at int, event, more string) {
		n++
		bodies = append(bodies, fmt.Appendf(nil, `{"event":"%s","room":{"sid":"s%d","room_id":"r%d"}%s,"id":"EV_%d","created_at":"%d"}`, event, r, r, more, n, begin+at))
	}
	for r := range rooms {
		tell(r, 0, "room_created", "")
		tell(r, 1, "room_started", "")
		for p := range people {
			who := fmt.Sprintf(`"participant":{"sid":"PA_%d_%d","identity":"u%d","name":"Person %d","joined_at":"%d"}`, r, p, p, p, begin+2+p)
			tell(r, 2+p, "participant_joined", ","+who)
			tell(r, 3+p, "track_published", fmt.Sprintf(`,%s,"track":{"sid":"TR_%d_%d","type":"AUDIO","source":"MICROPHONE"}`, who, r, p))
			if p%3 == 0 {
				tell(r, 30+p, "participant_left", ","+who)
			}
		}
		if r%2 == 1 {
			tell(r, 100, "session_ended", "")
		}
	}
	return bodies
}

// spread posts every body to two replicas at once, chosen at random, as plugNmeet does: three times at most.
// Each answer must come within two seconds. It calls during when a third is posted, if that is not nil,
// and goes on meanwhile.
func (c *cluster) spread(bodies [][]byte, during func()) {
	c.t.Helper()
	work := make(chan []byte)
	var senders, fault sync.WaitGroup
	took := &answers{}
	stop := took.meterLag()
	for range 4 {
		senders.Go(func() { c.send(work, took) })
	}
	order := rand.Perm(len(bodies))
	for n, i := range order {
		if n == len(bodies)/3 && during != nil {
			fault.Go(during)
		}
		work <- bodies[i]
	}
	close(work)
	senders.Wait()
	fault.Wait()
	stop()
	slowest, lag := time.Duration(took.slowest.Load()), time.Duration(took.lag.Load())
	c.t.Logf("%d deliveries, each sent twice; the slowest answer took %v, the machine's lag was %v, %d were sent again", len(bodies),
		slowest.Round(time.Millisecond), lag.Round(time.Millisecond), took.again.Load())
	if slowest > 2*time.Second+2*lag {
		c.t.Errorf("the slowest answer took %v", slowest)
	}
}

// answers is what spread measures.
type answers struct{ slowest, lag, again atomic.Int64 }

func raise(most *atomic.Int64, to time.Duration) {
	for was := most.Load(); int64(to) > was && !most.CompareAndSwap(was, int64(to)); was = most.Load() {
	}
}

// meterLag measures how late this machine does what is due: the tests run beside others.
func (a *answers) meterLag() (stop func()) {
	done := make(chan struct{})
	var meter sync.WaitGroup
	meter.Go(func() {
		for {
			began := time.Now()
			select {
			case <-done:
				return
			case <-time.After(10 * time.Millisecond):
				raise(&a.lag, time.Since(began)-10*time.Millisecond)
			}
		}
	})
	return func() { close(done); meter.Wait() }
}

func (c *cluster) send(work <-chan []byte, took *answers) {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for body := range work {
		var both sync.WaitGroup
		for _, i := range rand.Perm(len(c.apps))[:min(2, len(c.apps))] {
			both.Go(func() {
				for try := range 3 {
					began := time.Now()
					taken := post(client, c.apps[i].URL(), body)
					raise(&took.slowest, time.Since(began))
					if taken {
						return
					}
					if took.again.Add(1); try == 2 {
						c.t.Errorf("replica %d did not take %s", i, body)
					}
				}
			})
		}
		both.Wait()
	}
}

// control is the state after the same deliveries, in their order, in the memory of one program.
func control(t *testing.T, bodies [][]byte) *testApp {
	t.Helper()
	app := startApp(t, testConfig("memory:"))
	t.Cleanup(app.close)
	for _, body := range bodies {
		if !post(app.client, app.URL(), body) {
			t.Fatalf("the control did not take %s", body)
		}
	}
	app.await("all is folded", func() bool { return app.board.Position() == app.end() })
	return app
}

// picture is all that a replica tells of its rooms: the state, and each session whole.
func (a *testApp) picture(rooms int) string {
	a.t.Helper()
	var state map[string]any
	a.get("/api/v1/state?limit=200", &state)
	for _, own := range []string{"generated_at", "epoch", "seq", "sources"} {
		delete(state, own)
	}
	var out bytes.Buffer
	encode := json.NewEncoder(&out)
	_ = encode.Encode(state)
	for r := range rooms {
		var session map[string]any
		a.get(fmt.Sprint("/api/v1/sessions/s", r), &session)
		_ = encode.Encode(session)
	}
	return out.String()
}

// alike waits until every replica tells the same as the control.
func (c *cluster) alike(control *testApp, rooms int) {
	c.t.Helper()
	want := control.picture(rooms)
	for i, app := range c.apps {
		var got string
		deadline := time.Now().Add(30 * time.Second)
		for got = app.picture(rooms); got != want; got = app.picture(rooms) {
			if time.Now().After(deadline) {
				c.t.Fatalf("replica %d differs from the control: %s", i, difference(got, want))
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func difference(got, want string) string {
	gots, wants := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range wants {
		if i < len(gots) && gots[i] != wants[i] {
			return fmt.Sprintf("line %d\n got %s\nwant %s", i, gots[i], wants[i])
		}
	}
	return "it is shorter"
}

// once waits until every replica lists each event of the bodies once among what is recorded.
func (c *cluster) once(bodies [][]byte) {
	c.t.Helper()
	for i, app := range c.apps {
		var ids map[string]int
		app.await(fmt.Sprintf("replica %d has recorded all %d", i, len(bodies)), func() bool {
			ids = app.recorded()
			return len(ids) >= len(bodies)
		})
		for id, n := range ids {
			if n != 1 {
				c.t.Errorf("replica %d recorded %s %d times", i, id, n)
			}
		}
		if len(ids) != len(bodies) {
			c.t.Errorf("replica %d recorded %d, of %d", i, len(ids), len(bodies))
		}
	}
}

// recorded counts by id what the list of deliveries has in the record.
func (a *testApp) recorded() map[string]int {
	a.t.Helper()
	ids := make(map[string]int)
	for cursor := ""; ; {
		var page room.Page[room.Delivery]
		a.get("/api/v1/deliveries?limit=200&cursor="+cursor, &page)
		for _, d := range page.Items {
			if d.Verdict.Recorded() {
				ids[d.ID]++
			}
		}
		if cursor = page.Next; cursor == "" {
			return ids
		}
	}
}

// drained waits until no delivery waits for Redis.
func (c *cluster) drained() {
	c.t.Helper()
	for i, app := range c.apps {
		app.await(fmt.Sprintf("the spool of replica %d is drained", i), func() bool { return app.record.(*store.Redis).SpoolDepth() == 0 })
	}
}

// leaders is how many replicas lead.
func (c *cluster) leaders() (n int) {
	for _, app := range c.apps {
		if app.record.(*store.Redis).Leads() {
			n++
		}
	}
	return n
}

// Row 20: what three replicas get at random, twice, is one record that all of them tell.
func TestFault20ThreeReplicasTellTheSameOfWhatAnyOfThemTook(t *testing.T) {
	const rooms = 12
	bodies := meetings(rooms, 10)
	c := startCluster(t, times(redistest.Start(t).URL(), 3)...)
	c.spread(bodies, nil)
	c.alike(control(t, bodies), rooms)
	c.once(bodies)
	c.apps[0].await("one leads", func() bool { return c.leaders() == 1 })
}

func TestAReplicaThatComesLateOrAgainTellsTheSame(t *testing.T) {
	const rooms = 6
	bodies := meetings(rooms, 6)
	server := redistest.Start(t)
	c := startCluster(t, times(server.URL(), 2)...)
	half := len(bodies) / 2
	c.spread(bodies[:half], nil)

	again := filepath.Join(t.TempDir(), "again.db")
	config := testConfig(server.URL())
	config.Spool = again
	gone := startApp(t, config)
	gone.close()
	c.spread(bodies[half:], nil)
	c.apps = append(c.apps, startReplica(t, server.URL(), again), startReplica(t, server.URL(), filepath.Join(t.TempDir(), "new.db")))
	c.alike(control(t, bodies), rooms)
	c.once(bodies)
}

func TestALeaderThatLeavesIsFollowedByAnother(t *testing.T) {
	server := redistest.Start(t)
	var apps []*testApp
	for range 2 {
		config := testConfig(server.URL())
		config.Spool = filepath.Join(t.TempDir(), "spool.db")
		apps = append(apps, startApp(t, config))
	}
	leads := func(a *testApp) bool { return a.record.(*store.Redis).Leads() }
	apps[0].await("one leads", func() bool { return leads(apps[0]) != leads(apps[1]) })
	if leads(apps[1]) {
		slices.Reverse(apps)
	}
	began := time.Now()
	apps[0].close()
	apps[1].await("the other leads", func() bool { return leads(apps[1]) })
	t.Logf("after %v", time.Since(began).Round(time.Millisecond))
	apps[1].close()
}
