package main

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/roomwatch/roomwatch/redistest"
	"github.com/roomwatch/roomwatch/store"
)

const (
	faultRooms  = 8
	faultPeople = 12
)

// survives sends deliveries to three replicas while a fault goes on, and holds that none that was answered
// is lost: each is recorded once and all replicas tell what the control does.
func survives(t *testing.T, url string, fault func(c *cluster)) *cluster {
	t.Helper()
	bodies := meetings(faultRooms, faultPeople)
	c := startCluster(t, times(url, 3)...)
	c.spread(bodies, func() { fault(c) })
	healed := time.Now()
	c.drained()
	c.alike(control(t, bodies), faultRooms)
	c.once(bodies)
	t.Logf("alike %v after the last delivery", time.Since(healed).Round(time.Millisecond))
	return c
}

// spooled waits until a delivery waits at some replica, so that it is certain that the fault is felt.
func (c *cluster) spooled() {
	c.t.Helper()
	c.apps[0].await("a delivery waits", func() bool {
		for _, app := range c.apps {
			if app.record.(*store.Redis).SpoolDepth() > 0 {
				return true
			}
		}
		return false
	})
}

// Row 32: Redis is stopped; what comes meanwhile waits, and is told when Redis is back.
func TestFault32DeliveriesWaitWhileRedisIsStopped(t *testing.T) {
	server := redistest.Start(t)
	c := survives(t, server.URL(), func(c *cluster) {
		server.Kill()
		c.spooled()
		for i, app := range c.apps {
			if code := app.get("/readyz", nil); code != 200 {
				t.Errorf("replica %d is not ready: %d", i, code)
			}
			app.get("/api/v1/state", nil)
		}
		c.apps[0].await("it is said", func() bool { return strings.Contains(c.apps[0].text("/health"), "warn") })
		server.Run()
	})
	for _, app := range c.apps {
		app.await("all is well again", func() bool { return !strings.Contains(app.text("/health"), "Redis cannot") })
	}
}

// Row 33: the master dies with what it has; Sentinel makes another.
func TestFault33NothingAnsweredIsLostWhenTheMasterDies(t *testing.T) {
	group := redistest.StartGroup(t)
	survives(t, group.URL(), func(c *cluster) {
		old := group.Master()
		old.Kill()
		c.apps[0].await("another master", func() bool { m := group.Master(); return m != nil && m != old })
	})
}

// Row 33, its worst: the replicas stall, so that the master alone has what comes, and then it dies.
func TestFault33NothingAnsweredIsLostWhenTheMasterDiesAlone(t *testing.T) {
	group := redistest.StartGroup(t)
	survives(t, group.URL(), func(c *cluster) {
		master := group.Master()
		for _, s := range group.Servers {
			if s != master {
				s.Freeze()
			}
		}
		c.spooled()
		master.Kill()
		for _, s := range group.Servers {
			if s != master {
				s.Thaw()
			}
		}
		c.apps[0].await("another master", func() bool { return group.Master() != nil })
	})
}

// Row 34: all that Redis holds is thrown away, again and again.
func TestFault34ReplicasBringBackWhatRedisHasForgotten(t *testing.T) {
	server := redistest.Start(t)
	bodies := meetings(faultRooms, faultPeople)
	c := startCluster(t, times(server.URL(), 3)...)
	half := len(bodies) / 2
	c.spread(bodies[:half], nil)
	c.once(bodies[:half])
	epoch := c.apps[0].board.Epoch()
	server.Must("FLUSHALL")
	c.apps[0].await("the epoch changes", func() bool { return c.apps[0].board.Epoch() != epoch })
	c.spread(bodies[half:], func() { server.Must("FLUSHALL") })
	c.alike(control(t, bodies), faultRooms)
	c.apps = append(c.apps, startReplica(t, server.URL(), filepath.Join(t.TempDir(), "new.db")))
	c.alike(control(t, bodies), faultRooms)
}

func TestFault34ScriptsAndConnectionsAreMadeAnew(t *testing.T) {
	server := redistest.Start(t)
	survives(t, server.URL(), func(*cluster) {
		for range 20 {
			server.Must("SCRIPT FLUSH")
			server.Must("CLIENT KILL TYPE normal")
		}
	})
}

func TestFault34DeliveriesWaitWhileRedisIsFullOrReadOnly(t *testing.T) {
	server := redistest.Start(t)
	survives(t, server.URL(), func(c *cluster) {
		server.Must("CONFIG SET maxmemory 1")
		c.spooled()
		server.Must("CONFIG SET maxmemory 0")
		c.drained()
	})
	other := redistest.Start(t)
	survives(t, other.URL(), func(c *cluster) {
		other.Must("CONFIG SET min-replicas-to-write 1")
		c.spooled()
		other.Must("CONFIG SET min-replicas-to-write 0")
	})
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

// Row 35: the way to Redis is slow, broken or silent.
func TestFault35TheWayToRedisIsBad(t *testing.T) {
	for name, toxic := range map[string]string{
		"three seconds of latency": `"type":"latency","attributes":{"latency":3000}`,
		"resets":                   `"type":"reset_peer","attributes":{"timeout":50}`,
		"silence":                  `"type":"timeout","attributes":{"timeout":0}`,
		"a kilobyte a second":      `"type":"bandwidth","attributes":{"rate":1}`,
		"slices":                   `"type":"slicer","attributes":{"average_size":20,"size_variation":10,"delay":2000}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWire(t, redistest.Start(t).Addr())
			survives(t, w.url(), func(c *cluster) {
				w.spoil("downstream", toxic)
				if strings.Contains(toxic, "bandwidth") {
					w.spoil("upstream", toxic)
				}
				if !strings.Contains(toxic, "slicer") {
					c.spooled()
				}
				time.Sleep(2 * time.Second) // the fault's length, nothing is waited for
				w.Toxics.ResetToxics(context.Background())
			})
		})
	}
}

func TestAReplicaThatFindsNoRedisTakesDeliveriesAndCatchesUp(t *testing.T) {
	port := redistest.FreePort(t)
	bodies := meetings(4, 4)
	app := startReplica(t, fmt.Sprintf("redis://127.0.0.1:%d/0", port), filepath.Join(t.TempDir(), "spool.db"))
	c := &cluster{t: t, apps: []*testApp{app}}
	c.spread(bodies, nil)
	if depth := app.record.(*store.Redis).SpoolDepth(); depth != int64(len(bodies)) {
		t.Errorf("%d wait", depth)
	}
	redistest.StartAt(t, port)
	c.drained()
	c.alike(control(t, bodies), 4)
	c.once(bodies)
}

// A Redis Cluster, whose node with the log dies: two masters cannot elect by majority, so the replica is
// told to take over, as an operator would.
func TestDeliveriesOutliveTheNodeOfARedisCluster(t *testing.T) {
	sharded := redistest.StartCluster(t)
	survives(t, sharded.URL(), func(c *cluster) {
		old := sharded.MasterOf("{roomwatch}:log")
		var heir *redistest.Server
		for i, s := range sharded.Servers[:2] {
			if s == old {
				heir = sharded.Servers[i+2]
			}
		}
		old.Kill()
		c.spooled()
		heir.Must("CLUSTER FAILOVER TAKEOVER")
		c.apps[0].await("another has the log", func() bool { s := sharded.MasterOf("{roomwatch}:log"); return s != nil && s != old })
		old.Run() // as the replica, without which nothing is answered for
	})
}
