package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/roomwatch/roomwatch/redistest"
)

// outage is how long Redis lingering away in the test of row 32. ROOMWATCH_TEST_OUTAGE=60s makes it as long as
// that row says.
func outage(t *testing.T) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(cmp.Or(os.Getenv("ROOMWATCH_TEST_OUTAGE"), "3s"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Row 32: Redis is stopped; what comes meanwhile waits, is counted and said, and is told when Redis is back.
func TestFault32DeliveriesWaitWhileRedisIsStopped(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	f := startFleet(t, times(server.URL(), 3)...)
	f.survives(func() {
		server.Kill()
		f.spools()
		r := f.replicas[0]
		says := func(path, text string) {
			t.Helper()
			await(t, path+" says "+text, func() bool {
				body, code := r.fetch(path)
				return code == http.StatusOK && strings.Contains(string(body), text)
			})
		}
		says("/readyz", "ready")
		says("/health", `"status":"warn"`)
		says("/health", `"observedUnit":"deliveries"`)
		says("/metrics", "roomwatch_behind 1")
		says("/api/v1/state", `"as_of":"`)
		for _, page := range []string{"/", "/rooms/s0", "/sessions", "/recordings", "/artifacts", "/intake"} {
			says(page, `id="behind-since"`)
		}
		time.Sleep(outage(t)) // the fault's length, nothing is waited for
		server.Run()
	})
	for _, r := range f.replicas {
		await(t, "all is well again", func() bool {
			body, _ := r.fetch("/health")
			return !strings.Contains(string(body), "Redis cannot")
		})
	}
	f.calms()
}

// Row 33: the master dies with what it has; Sentinel makes another.
func TestFault33NothingAnsweredIsLostWhenTheMasterDies(t *testing.T) {
	t.Parallel()
	group := redistest.StartGroup(t)
	f := startFleet(t, times(group.URL(), 3)...)
	f.survives(func() {
		old := group.Master()
		old.Kill()
		await(t, "another master", func() bool { m := group.Master(); return m != nil && m != old })
	})
	f.calms()
}

// Row 33, its worst: the replicas stall, so that the master alone has what comes, and then it dies.
func TestFault33NothingAnsweredIsLostWhenTheMasterDiesAlone(t *testing.T) {
	t.Parallel()
	group := redistest.StartGroup(t)
	f := startFleet(t, times(group.URL(), 3)...)
	f.survives(func() {
		master := group.Master()
		for _, s := range group.Servers {
			if s != master {
				s.Freeze()
			}
		}
		f.spools()
		master.Kill()
		for _, s := range group.Servers {
			if s != master {
				s.Thaw()
			}
		}
		await(t, "another master", func() bool { return group.Master() != nil })
	})
}

// Split brain: the master stalls, another is made, and the first goes on as if nothing had been, until
// Sentinel tells it.
func TestFault33NothingAnsweredIsLostWhenAStalledMasterComesBack(t *testing.T) {
	t.Parallel()
	group := redistest.StartGroup(t)
	f := startFleet(t, times(group.URL(), 3)...)
	f.survives(func() {
		old := group.Master()
		old.Freeze()
		await(t, "another master", func() bool { return group.MasterBut(old) != nil })
		old.Thaw()
	})
}

// Two lead for a moment: the one that stalled does not know that it does no more.
func TestALeaderThatStalledAndItsHeirSpoilNothing(t *testing.T) {
	t.Parallel()
	f := startFleet(t, times(redistest.Start(t).URL(), 3)...)
	leader := f.leader()
	f.survives(func() {
		leader.stalls.Add(1)
		leader.away.Store(true) // as a proxy would find out
		_ = leader.cmd.Process.Signal(syscall.SIGSTOP)
		await(t, "another leads", func() bool {
			return slices.ContainsFunc(f.replicas, func(r *replica) bool { return r != leader && r.leads() })
		})
		_ = leader.cmd.Process.Signal(syscall.SIGCONT)
		leader.away.Store(false)
	})
	f.leader()
}

// What the log holds no more is in the documents.
func TestAReplicaThatTheLogHasLeftBehindReadsTheDocuments(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	f := startFleet(t, times(server.URL(), 3)...)
	late := f.replicas[2]
	late.kill()
	f.replicas = f.replicas[:2]
	f.under(func() {})
	f.drains()
	f.alike(f.control(), f.sids())
	for _, r := range f.replicas {
		r.end()
	}
	server.Must("XTRIM {roomwatch}:log MAXLEN 0")
	late.run()
	await(t, "it is ready", late.ready)
	f.replicas = []*replica{late, startReplica(t, server.URL())}
	f.under(func() {})
	f.alike(f.control(), f.sids())
}

// A replica is killed under load, and is back later with what it knew.
func TestNothingAnsweredIsLostWhenAReplicaIsKilled(t *testing.T) {
	t.Parallel()
	f := startFleet(t, times(redistest.Start(t).URL(), 3)...)
	f.survives(func() {
		leader := f.leader()
		leader.kill()
		await(t, "another leads", func() bool { return len(f.leaders()) == 1 })
		leader.run()
		await(t, "it is ready again", leader.ready)
	})
}

// Row 34: all that Redis holds is thrown away, again and again.
func TestFault34ReplicasBringBackWhatRedisHasForgotten(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	f := startFleet(t, times(server.URL(), 3)...)
	epoch := func() string {
		var state struct{ Epoch string }
		f.replicas[0].get("/api/v1/state", &state)
		return state.Epoch
	}
	f.survives(func() {
		before := epoch()
		server.Must("FLUSHALL")
		await(t, "the epoch changes", func() bool { return epoch() != before })
		server.Must("FLUSHALL")
	})
	f.under(func() { server.Must("FLUSHALL") })
	f.replicas = append(f.replicas, startReplica(t, server.URL()))
	f.alike(f.control(), f.sids())
}

func TestFault34ScriptsAndConnectionsAreMadeAnew(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	f := startFleet(t, times(server.URL(), 3)...)
	f.survives(func() {
		for range 20 {
			server.Must("SCRIPT FLUSH")
			server.Must("CLIENT KILL TYPE normal")
		}
	})
}

// Row 34: Redis answers, but not what was asked for.
func TestFault34DeliveriesWaitWhileRedisRefusesThem(t *testing.T) {
	for name, c := range map[string]struct{ begin, end string }{
		"full":                       {"CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"},
		"read-only without replicas": {"CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0"},
		"read-only as a replica":     {"REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"},
		"busy with a script":         {`EVAL "while true do end" 0`, "SCRIPT KILL"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, "--busy-reply-threshold", "100")
			f := startFleet(t, times(server.URL(), 3)...)
			f.survives(func() {
				var begun sync.WaitGroup
				begun.Go(func() { _, _ = server.Say(c.begin) }) // a script that is killed answers with an error
				f.spools()
				await(t, "it ends", func() bool { answer, err := server.Say(c.end); return err == nil && strings.HasPrefix(answer, "+OK") })
				begun.Wait()
			})
		})
	}
}

// wire is a way to a server that can be spoiled.
type wire struct {
	*toxiproxy.Proxy
	t *testing.T
}

func newWire(t *testing.T, upstream string) *wire {
	t.Helper()
	zerolog.SetGlobalLevel(zerolog.Disabled) // some of its parts log past the logger they are given
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	w := &wire{toxiproxy.NewProxy(server, "redis", fmt.Sprint("127.0.0.1:", redistest.FreePort(t)), upstream), t}
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	return w
}

func (w *wire) url() string {
	_, port, _ := net.SplitHostPort(w.Listen)
	return "redis://127.0.0.1:" + port + "/0"
}

func (w *wire) spoil(stream, toxic string) {
	w.t.Helper()
	if _, err := w.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"name":"bad %s","stream":%q,%s}`, stream, stream, toxic))); err != nil {
		w.t.Fatal(err)
	}
}

func (w *wire) heal() { w.Toxics.ResetToxics(context.Background()) }

// toxics are what row 35 lists, and what of it a spool must feel.
var toxics = map[string]struct {
	toxic  string
	spools bool
}{
	"three seconds of latency":    {`"type":"latency","attributes":{"latency":3000}`, true},
	"resets":                      {`"type":"reset_peer","attributes":{"timeout":50}`, true},
	"silence":                     {`"type":"timeout","attributes":{"timeout":0}`, true},
	"five kilobytes a second":     {`"type":"bandwidth","attributes":{"rate":5}`, false},
	"a trickle":                   {`"type":"bandwidth","attributes":{"rate":1}`, true},
	"slices of twenty characters": {`"type":"slicer","attributes":{"average_size":20,"size_variation":10,"delay":2000}`, false},
}

// Row 35: the way of one replica to Redis is slow, broken or silent, while that of the others is well.
func TestFault35TheWayToRedisIsBad(t *testing.T) {
	for name, c := range toxics {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			w := newWire(t, server.Addr())
			f := startFleet(t, w.url(), w.url(), server.URL())
			f.survives(func() {
				w.spoil("downstream", c.toxic)
				if strings.Contains(c.toxic, "bandwidth") {
					w.spoil("upstream", c.toxic)
				}
				if c.spools {
					f.spools()
				}
				time.Sleep(2 * time.Second) // the fault's length, nothing is waited for
				w.heal()
			})
			if name == "three seconds of latency" {
				f.calms()
			}
		})
	}
}

// Row 35, in one process: when all is over, nothing goes on that was begun.
func TestFault35NoGoroutineOutlivesAllOfIt(t *testing.T) {
	server := redistest.Start(t)
	w := newWire(t, server.Addr())
	config := testConfig(w.url())
	config.Spool = filepath.Join(t.TempDir(), "spool.db")
	app := startApp(t, config)
	running := goleak.IgnoreCurrent()
	app.close()
	app = startApp(t, config)
	for name, c := range toxics {
		w.spoil("downstream", c.toxic)
		for n := range 3 {
			if !post(app.client, app.URL(), session(n, time.Now().Unix())[0].body) {
				t.Errorf("%s: not taken", name)
			}
		}
		w.heal()
	}
	server.Kill()
	if !post(app.client, app.URL(), session(3, time.Now().Unix())[0].body) {
		t.Error("without Redis: not taken")
	}
	server.Run()
	app.await("nothing waits", func() bool { return strings.Contains(app.text("/metrics"), "roomwatch_spooled 0") })
	app.close()
	w.Stop()
	goleak.VerifyNone(t, append(lingering, running)...)
}

// A Redis Cluster, whose node with the log dies: two masters cannot elect by majority, so the replica is
// told to take over, as an operator would.
func TestDeliveriesOutliveTheNodeOfARedisCluster(t *testing.T) {
	t.Parallel()
	sharded := redistest.StartCluster(t)
	f := startFleet(t, times(sharded.URL(), 3)...)
	f.survives(func() {
		old := sharded.MasterOf("{roomwatch}:log")
		var heir *redistest.Server
		for i, s := range sharded.Servers[:2] {
			if s == old {
				heir = sharded.Servers[i+2]
			}
		}
		old.Kill()
		f.spools()
		heir.Must("CLUSTER FAILOVER TAKEOVER")
		await(t, "another has the log", func() bool { s := sharded.MasterOf("{roomwatch}:log"); return s != nil && s != old })
		old.Run() // as the replica, without which nothing is answered for
	})
}
