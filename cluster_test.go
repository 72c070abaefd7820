package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/redistest"
	"github.com/roomwatch/roomwatch/room"
)

// awaitTime bounds the wait for what must come to be.
const awaitTime = 60 * time.Second

func await(t *testing.T, what string, fact func() bool) {
	t.Helper()
	for deadline := time.Now().Add(awaitTime); !fact(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// replica is a Roomwatch process among several on one Redis. It has an address and a file of its own, and
// both stay when it is started again.
type replica struct {
	t       *testing.T
	program string // "" for the one under test
	dir     string
	url     string
	args    []string
	cmd     *exec.Cmd
	log     *sharedLog
	client  *http.Client
	calm    float64      // its goroutines when it was new
	away    atomic.Bool  // no proxy would send it anything now
	stalls  atomic.Int64 // how often it was stopped
}

func startReplica(t *testing.T, storeURL string) *replica {
	t.Helper()
	return startReplicaOf(t, "", storeURL)
}

func startReplicaOf(t *testing.T, program, storeURL string, more ...string) *replica {
	t.Helper()
	listen := fmt.Sprint("127.0.0.1:", redistest.FreePort(t))
	r := &replica{t: t, program: program, dir: t.TempDir(), url: "http://" + listen, log: new(sharedLog),
		client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	r.args = slices.Concat([]string{"serve", "--auth=none", "--listen=" + listen, "--store=" + storeURL, "--log=warn"}, more)
	t.Cleanup(func() {
		r.kill()
		if t.Failed() {
			t.Logf("%s said\n%s", r.url, r.log)
		}
	})
	r.run()
	await(t, "a replica is ready", r.ready)
	r.calm = r.metric("go_goroutines")
	return r
}

// run starts the process, again after kill.
func (r *replica) run() {
	r.t.Helper()
	r.cmd = command(r.t, r.dir, r.args...)
	if r.program != "" {
		r.cmd.Path = r.program
	}
	r.cmd.Env = append(r.cmd.Env, "ROOMWATCH_API_KEY="+testKey, "ROOMWATCH_API_SECRET="+string([]byte(testSecret)), "ROOMWATCH_SECRET="+string([]byte(ourSecret)))
	r.cmd.Stderr = r.log
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
}

// kill ends the process as kill -9 does.
func (r *replica) kill() {
	if r.cmd == nil {
		return
	}
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait() // it says that it was killed
	r.cmd = nil
	r.client.CloseIdleConnections()
}

// end asks the process to end, and waits until it has.
func (r *replica) end() {
	r.t.Helper()
	if err := r.cmd.Process.Signal(os.Interrupt); err != nil {
		r.t.Fatal(err)
	}
	if err := r.cmd.Wait(); err != nil {
		r.t.Errorf("exit: %v", err)
	}
	r.cmd = nil
	r.client.CloseIdleConnections()
}

func (r *replica) ready() bool {
	_, code := r.fetch("/readyz")
	return code == http.StatusOK
}

// fetch reads an answer; its status is 0 when there is none.
func (r *replica) fetch(path string) (body []byte, code int) {
	answer, err := r.client.Get(r.url + path)
	if err != nil {
		return nil, 0
	}
	defer answer.Body.Close()
	if body, err = io.ReadAll(answer.Body); err != nil {
		return nil, 0
	}
	return body, answer.StatusCode
}

// get reads a JSON answer; what cannot be read leaves out as it is.
func (r *replica) get(path string, out any) {
	body, _ := r.fetch(path)
	_ = json.Unmarshal(body, out)
}

// metric is a figure of /metrics, -1 when there is none.
func (r *replica) metric(name string) float64 {
	body, _ := r.fetch("/metrics")
	for line := range strings.Lines(string(body)) {
		if text, ok := strings.CutPrefix(line, name+" "); ok {
			if figure, err := strconv.ParseFloat(strings.TrimSpace(text), 64); err == nil {
				return figure
			}
		}
	}
	return -1
}

func (r *replica) leads() bool  { return r.metric("roomwatch_leads") == 1 }
func (r *replica) spooled() int { return int(r.metric("roomwatch_spooled")) }

// picture is all that a replica tells of its rooms: the state, and each session whole.
func (r *replica) picture(sids []string) string { return pictureOf(r.fetch, sids) }

func pictureOf(fetch func(string) ([]byte, int), sids []string) string {
	var state map[string]any
	body, _ := fetch("/api/v1/state?limit=200")
	_ = json.Unmarshal(body, &state)
	for _, own := range []string{"generated_at", "epoch", "seq", "sources"} {
		delete(state, own)
	}
	var out bytes.Buffer
	_ = json.NewEncoder(&out).Encode(state)
	for _, sid := range sids {
		session, _ := fetch("/api/v1/sessions/" + sid)
		out.Write(append(session, '\n'))
	}
	return out.String()
}

// recorded counts by id what the list of deliveries has in the record.
func (r *replica) recorded() map[string]int {
	ids := make(map[string]int)
	for cursor := ""; ; {
		var page room.Page[room.Delivery]
		r.get("/api/v1/deliveries?limit=200&cursor="+cursor, &page)
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

// fleet is several replicas on one Redis, and what they were told.
type fleet struct {
	t        *testing.T
	replicas []*replica
	begin    int64 // of all rooms, in seconds since 1970

	mu    sync.Mutex
	sent  []posted
	rooms int
}

// startFleet starts a replica for each URL of a Redis, which may be ways to the same.
func startFleet(t *testing.T, urls ...string) *fleet {
	t.Helper()
	f := &fleet{t: t, begin: time.Now().Add(-time.Hour).Unix()}
	for _, url := range urls {
		f.replicas = append(f.replicas, startReplica(t, url))
	}
	return f
}

func times(url string, n int) []string { return slices.Repeat([]string{url}, n) }

// leaders are the replicas that lead.
func (f *fleet) leaders() (leaders []*replica) {
	for _, r := range f.replicas {
		if r.leads() {
			leaders = append(leaders, r)
		}
	}
	return leaders
}

// leader waits until one leads.
func (f *fleet) leader() *replica {
	f.t.Helper()
	var leaders []*replica
	await(f.t, "one leads", func() bool { leaders = f.leaders(); return len(leaders) == 1 })
	return leaders[0]
}

// spools waits until a delivery waits at some replica, so that it is certain that a fault is felt.
func (f *fleet) spools() {
	f.t.Helper()
	await(f.t, "a delivery waits", func() bool {
		return slices.ContainsFunc(f.replicas, func(r *replica) bool { return r.spooled() > 0 })
	})
}

// drains waits until no delivery waits for Redis.
func (f *fleet) drains() {
	f.t.Helper()
	await(f.t, "nothing waits", func() bool {
		return !slices.ContainsFunc(f.replicas, func(r *replica) bool { return r.spooled() != 0 })
	})
}

// alike waits until every replica tells the same as the control.
func (f *fleet) alike(control *testApp, sids []string) {
	f.t.Helper()
	want := control.picture(sids)
	for _, r := range f.replicas {
		var got string
		deadline := time.Now().Add(awaitTime)
		for got = r.picture(sids); got != want; got = r.picture(sids) {
			if time.Now().After(deadline) {
				f.t.Fatalf("%s differs from the control: %s", r.url, difference(got, want))
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

// once waits until every replica lists each event once among what is recorded, and no other.
func (f *fleet) once(ids []string) {
	f.t.Helper()
	want := make(map[string]bool, len(ids))
	for _, id := range ids {
		want[id] = true
	}
	for _, r := range f.replicas {
		var recorded map[string]int
		await(f.t, fmt.Sprintf("%s has recorded all %d", r.url, len(ids)), func() bool {
			recorded = r.recorded()
			return len(recorded) >= len(ids)
		})
		for id, n := range recorded {
			if n != 1 || !want[id] {
				f.t.Errorf("%s recorded %s %d times", r.url, id, n)
			}
		}
	}
}

// Row 20: what three replicas get at random, twice at the same time, is one record that all of them tell.
func TestFault20ThreeReplicasTellTheSameOfWhatAnyOfThemTook(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	f := startFleet(t, times(server.URL(), 3)...)
	f.survives(func() {})
	f.leader()
	if entries := server.Must("XLEN {roomwatch}:log"); entries != fmt.Sprint(":", len(f.ids())) {
		t.Errorf("the log has %s entries of %d events", entries, len(f.ids()))
	}
}

func TestAReplicaThatComesLateOrAgainTellsTheSame(t *testing.T) {
	t.Parallel()
	url := redistest.Start(t).URL()
	f := startFleet(t, times(url, 3)...)
	again := f.replicas[2]
	again.kill()
	f.replicas = f.replicas[:2]
	f.under(func() {})
	again.run()
	await(t, "it is ready", again.ready)
	f.replicas = append(f.replicas, again, startReplica(t, url))
	f.alike(f.control(), f.sids())
	f.once(f.ids())
}

func TestALeaderThatLeavesIsFollowedByAnother(t *testing.T) {
	t.Parallel()
	f := startFleet(t, times(redistest.Start(t).URL(), 2)...)
	first := f.leader()
	began := time.Now()
	first.end()
	if second := f.leader(); second == first {
		t.Error("it leads although it has ended")
	}
	t.Logf("another led %v after it was asked to end", time.Since(began).Round(time.Millisecond))
}

// The spool outlives the process, and what is in it reaches all others.
func TestAReplicaKilledWithDeliveriesInItsSpoolTellsThemWhenItIsBack(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	f := startFleet(t, times(server.URL(), 2)...)
	dying := f.replicas[0]
	f.survives(func() {
		server.Kill()
		await(t, "a delivery waits", func() bool { return dying.spooled() > 0 })
		dying.kill()
		server.Run()
		dying.run()
		await(t, "it is ready again", dying.ready)
	})
}

func TestAReplicaThatFindsNoRedisTakesDeliveriesAndCatchesUp(t *testing.T) {
	t.Parallel()
	port := redistest.FreePort(t)
	f := startFleet(t, fmt.Sprintf("redis://127.0.0.1:%d/0", port))
	f.under(func() {})
	if waiting := f.replicas[0].spooled(); waiting != len(f.ids()) {
		t.Errorf("%d wait of %d", waiting, len(f.ids()))
	}
	redistest.StartAt(t, port)
	f.drains()
	f.alike(f.control(), f.sids())
	f.once(f.ids())
}

// A record that one Roomwatch kept in a file is taken along to Redis, and back.
func TestARecordMovesToRedisAndBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	app := startApp(t, testConfig("file:"+filepath.Join(dir, "record.db")))
	app.replay(capture(t, "three-rooms.jsonl"), 0)
	before := documentOf(t, app.history(5))
	app.close()

	config := testConfig(redistest.Start(t).URL())
	config.Spool = filepath.Join(dir, "record.db")
	moved := startApp(t, config)
	config.Spool = filepath.Join(t.TempDir(), "new.db")
	await(t, "it leads, and the documents are there", moved.record.Leads)
	other := startApp(t, config)
	for _, app := range []*testApp{moved, other} {
		if after := documentOf(t, app.history(5)); !bytes.Equal(before, after) {
			t.Errorf("before %s\nafter %s", before, after)
		}
		app.close()
	}
	back := startApp(t, testConfig("file:"+filepath.Join(dir, "record.db")))
	defer back.close()
	if after := documentOf(t, back.history(5)); !bytes.Equal(before, after) {
		t.Errorf("before %s\nback %s", before, after)
	}
}
