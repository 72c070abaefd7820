package redistest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Group is a master with two replicas, watched by three sentinels.
type Group struct {
	Servers   []*Server // the first was the master at the start
	Sentinels []*Server
}

// StartGroup starts a group whose sentinels see the replicas.
func StartGroup(t testing.TB) *Group {
	t.Helper()
	g := &Group{Servers: []*Server{Start(t)}}
	master := g.Servers[0]
	for range 2 {
		g.Servers = append(g.Servers, Start(t, "--replicaof", "127.0.0.1 "+strconv.Itoa(master.Port)))
	}
	await(t, "the replicas follow", func() bool {
		for _, s := range g.Servers[1:] {
			if link, _ := s.info("replication", "master_link_status"); link != "up" {
				return false
			}
		}
		return true
	})
	for range 3 {
		g.Sentinels = append(g.Sentinels, startSentinel(t, master.Port))
	}
	await(t, "the sentinels know each other and the replicas", func() bool {
		for _, s := range g.Sentinels {
			state, _ := s.info("sentinel", "master0")
			if !strings.Contains(state, "status=ok") || !strings.Contains(state, "slaves=2") || !strings.Contains(state, "sentinels=3") {
				return false
			}
		}
		return true
	})
	return g
}

func startSentinel(t testing.TB, masterPort int) *Server {
	t.Helper()
	s := &Server{Port: FreePort(t), t: t, dir: t.TempDir()}
	config := filepath.Join(s.dir, "sentinel.conf")
	text := fmt.Sprintf("port %d\nbind 127.0.0.1\ndir %s\nsentinel monitor ops 127.0.0.1 %d 2\nsentinel down-after-milliseconds ops 1000\n"+
		"sentinel failover-timeout ops 4000\nsentinel parallel-syncs ops 2\n", s.Port, s.dir, masterPort)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatalf("redis-server is needed, see scripts/install-tools: %v", err)
	}
	s.launch(program, config, "--sentinel")
	t.Cleanup(s.Kill)
	return s
}

// URL is the group as a STORE setting.
func (g *Group) URL() string {
	var hosts []string
	for _, s := range g.Sentinels {
		hosts = append(hosts, s.Addr())
	}
	return "redis-sentinel://" + strings.Join(hosts, ",") + "/ops/0"
}

// Master is the server that says it is the master, of those that run.
func (g *Group) Master() *Server { return g.MasterBut(nil) }

// MasterBut is another server than the one given that says it is the master.
func (g *Group) MasterBut(other *Server) *Server {
	for _, s := range g.Servers {
		if s == other {
			continue
		}
		if role, _ := s.info("replication", "role"); role == "master" {
			return s
		}
	}
	return nil
}

// info is a field of INFO, "" when the server does not answer.
func (s *Server) info(section, field string) (string, error) {
	answer, err := s.Say("INFO " + section)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(answer) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), field+":"); ok {
			return value, nil
		}
	}
	return "", nil
}

func await(t testing.TB, what string, fact func() bool) {
	t.Helper()
	for deadline := time.Now().Add(startTime); !fact(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}
