package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	loadRate   = 50 // deliveries a second, each of which is sent to two replicas at once
	loadPeople = 5  // in a room
	loadRooms  = 4  // whose deliveries are shuffled
	loadLead   = 40 // deliveries before a fault, and after it
	mostTime   = 2 * time.Second
)

// posted is what plugNmeet would say of a room: its sid, and the bodies with their event ids.
type posted struct {
	id   string
	body []byte
}

// session is the deliveries of a room, in their order. Every other room ends.
func session(r int, begin int64) (out []posted) {
	tell := func(at int, event, more string) {
		id := fmt.Sprintf("EV_%d_%d", r, len(out))
		out = append(out, posted{id, fmt.Appendf(nil, `{"event":"%s","room":{"sid":"s%d","room_id":"r%d"}%s,"id":"%s","created_at":"%d"}`, event, r, r, more, id, begin+int64(at))})
	}
	tell(0, "room_created", "")
	tell(1, "room_started", "")
	for p := range loadPeople {
		who := fmt.Sprintf(`,"participant":{"sid":"PA_%d_%d","identity":"u%d","name":"Person %d","joined_at":"%d"}`, r, p, p, p, begin+2+int64(p))
		tell(2+p, "participant_joined", who)
		tell(3+p, "track_published", fmt.Sprintf(`%s,"track":{"sid":"TR_%d_%d","type":"AUDIO","source":"MICROPHONE"}`, who, r, p))
		if p%3 == 0 {
			tell(30+p, "participant_left", who)
		}
	}
	if r%2 == 1 {
		tell(100, "session_ended", "")
	}
	return out
}

// load is deliveries that go on while something happens to the replicas.
type load struct {
	f                   *fleet
	done                chan struct{}
	slowest, lag, again atomic.Int64
}

// under runs a fault while deliveries go on, some time before it and some time after it.
func (f *fleet) under(fault func()) {
	f.t.Helper()
	l := &load{f: f, done: make(chan struct{})}
	var going sync.WaitGroup
	going.Go(l.pour)
	going.Go(l.meterLag)
	func() {
		defer func() { close(l.done); going.Wait() }()
		f.awaitMore()
		fault()
		f.awaitMore()
	}()
	slowest, lag := time.Duration(l.slowest.Load()), time.Duration(l.lag.Load())
	f.t.Logf("%d deliveries, each sent twice; the slowest answer took %v, this machine's lag was %v, %d were sent again", len(f.sent),
		slowest.Round(time.Millisecond), lag.Round(time.Millisecond), l.again.Load())
	if slowest > mostTime+2*lag {
		f.t.Errorf("the slowest answer took %v", slowest)
	}
}

func (f *fleet) awaitMore() {
	f.t.Helper()
	until := len(f.ids()) + loadLead
	await(f.t, "more deliveries", func() bool { return len(f.ids()) >= until })
}

func (f *fleet) ids() (ids []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, d := range f.sent {
		ids = append(ids, d.id)
	}
	return ids
}

func (f *fleet) sids() (sids []string) {
	for r := range f.rooms {
		sids = append(sids, fmt.Sprint("s", r))
	}
	return sids
}

// pour sends deliveries of ever more rooms, in disorder, until done is closed, and waits for their answers.
func (l *load) pour() {
	tick := time.NewTicker(time.Second / loadRate)
	defer tick.Stop()
	var posts sync.WaitGroup
	defer posts.Wait()
	slots := make(chan struct{}, 200)
	for {
		var some []posted
		for range loadRooms {
			some = append(some, session(l.f.rooms, l.f.begin)...)
			l.f.rooms++
		}
		rand.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
		for _, d := range some {
			select {
			case <-l.done:
				return
			case <-tick.C:
			}
			l.f.mu.Lock()
			l.f.sent = append(l.f.sent, d)
			l.f.mu.Unlock()
			slots <- struct{}{}
			posts.Go(func() { l.send(d); <-slots })
		}
	}
}

// send posts a delivery to two replicas at once. When neither takes it, it goes to any of them, as through a
// proxy, until one does.
func (l *load) send(d posted) {
	there := slices.DeleteFunc(slices.Clone(l.f.replicas), func(r *replica) bool { return r.away.Load() })
	rand.Shuffle(len(there), func(i, j int) { there[i], there[j] = there[j], there[i] })
	var taken atomic.Bool
	var both sync.WaitGroup
	for _, r := range there[:min(2, len(there))] {
		both.Go(func() {
			if l.post(r, d.body) {
				taken.Store(true)
			}
		})
	}
	both.Wait()
	for try, deadline := 0, time.Now().Add(awaitTime); !taken.Load(); try++ {
		if time.Now().After(deadline) {
			l.f.t.Errorf("nobody took %s", d.id)
			return
		}
		time.Sleep(50 * time.Millisecond) // the sender's pause
		l.again.Add(1)
		taken.Store(l.post(there[try%len(there)], d.body))
	}
}

func (l *load) post(r *replica, body []byte) bool {
	began, stalls := time.Now(), r.stalls.Load()
	taken := post(r.client, r.url, body)
	if r.stalls.Load() == stalls { // what a process was asked before it was stopped, it answers when it goes on
		raise(&l.slowest, time.Since(began))
	}
	return taken
}

func raise(most *atomic.Int64, to time.Duration) {
	for was := most.Load(); int64(to) > was && !most.CompareAndSwap(was, int64(to)); was = most.Load() {
	}
}

// meterLag measures how late this machine does what is due: the tests run beside others.
func (l *load) meterLag() {
	for {
		began := time.Now()
		select {
		case <-l.done:
			return
		case <-time.After(10 * time.Millisecond):
			raise(&l.lag, time.Since(began)-10*time.Millisecond)
		}
	}
}

// control is what one Roomwatch that keeps its record in memory tells of the same deliveries.
func (f *fleet) control() *testApp {
	f.t.Helper()
	app := startApp(f.t, testConfig("memory:"))
	f.t.Cleanup(app.close)
	for _, d := range f.sent {
		if !post(app.client, app.URL(), d.body) {
			f.t.Fatalf("the control did not take %s", d.id)
		}
	}
	app.await("all is folded", func() bool { return app.board.Position() == app.end() })
	return app
}

// picture is what the replicas are compared with.
func (a *testApp) picture(sids []string) string {
	a.t.Helper()
	return pictureOf(func(path string) ([]byte, int) {
		var body json.RawMessage
		code := a.get(path, &body)
		return body, code
	}, sids)
}

// survives holds that what was answered for is not lost by a fault: when it is over, each event is recorded
// once, all replicas tell what the control does, and viewers that never loaded their page again see the same
// as those who do.
func (f *fleet) survives(fault func()) {
	f.t.Helper()
	var viewers []*watcher
	for _, r := range f.replicas {
		viewers = append(viewers, f.watch(r))
	}
	f.under(fault)
	ended := time.Now()
	f.drains()
	f.alike(f.control(), f.sids())
	f.t.Logf("alike %v after the last delivery", time.Since(ended).Round(time.Millisecond))
	f.once(f.ids())
	for _, v := range viewers {
		v.caughtUp()
		v.close()
	}
}

// calms waits until the replicas run no more goroutines than when they were new, but for a few that serve
// connections and end some seconds later.
func (f *fleet) calms() {
	f.t.Helper()
	for _, r := range f.replicas {
		r.client.CloseIdleConnections()
		var now float64
		await(f.t, "goroutines end", func() bool {
			now = r.metric("go_goroutines")
			return now <= r.calm+idleWorkers
		})
		f.t.Logf("%v goroutines, %v when it was new", now, r.calm)
	}
}

const idleWorkers = 6
