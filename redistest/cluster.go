package redistest

import (
	"strconv"
	"strings"
	"testing"
)

// Sharded is a Redis Cluster of two masters, each with one replica.
type Sharded struct{ Servers []*Server }

// StartCluster starts a Redis Cluster that serves every slot.
func StartCluster(t testing.TB) *Sharded {
	t.Helper()
	c := &Sharded{}
	for range 4 {
		c.Servers = append(c.Servers, Start(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "1500", "--cluster-port", strconv.Itoa(FreePort(t)),
			"--cluster-require-full-coverage", "no"))
	}
	first, second := c.Servers[0], c.Servers[1]
	first.Must("CLUSTER ADDSLOTSRANGE 0 8191")
	second.Must("CLUSTER ADDSLOTSRANGE 8192 16383")
	for i, s := range c.Servers {
		s.Must("CLUSTER SET-CONFIG-EPOCH " + strconv.Itoa(i+1))
	}
	for _, s := range c.Servers[1:] {
		bus := s.args[len(s.args)-3]
		first.Must("CLUSTER MEET 127.0.0.1 " + strconv.Itoa(s.Port) + " " + bus)
	}
	await(t, "all know each other", func() bool {
		for _, s := range c.Servers {
			if known, _ := s.clusterInfo("cluster_known_nodes"); known != "4" {
				return false
			}
		}
		return true
	})
	for i, s := range c.Servers[2:] {
		await(t, "a replica follows", func() bool {
			answer, err := s.Say("CLUSTER REPLICATE " + strings.TrimSpace(c.Servers[i].Must("CLUSTER MYID")))
			return err == nil && strings.HasPrefix(answer, "+OK")
		})
	}
	await(t, "all slots are served and replicas are linked", func() bool {
		for i, s := range c.Servers {
			state, _ := s.clusterInfo("cluster_state")
			link, _ := s.info("replication", "master_link_status")
			if state != "ok" || i >= 2 && link != "up" {
				return false
			}
		}
		return true
	})
	return c
}

func (s *Server) clusterInfo(field string) (string, error) {
	answer, err := s.Say("CLUSTER INFO")
	for line := range strings.Lines(answer) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), field+":"); ok {
			return value, err
		}
	}
	return "", err
}

// URL is the cluster as a STORE setting.
func (c *Sharded) URL() string {
	var hosts []string
	for _, s := range c.Servers {
		hosts = append(hosts, s.Addr())
	}
	return "redis-cluster://" + strings.Join(hosts, ",")
}

// MasterOf is the server that has the slot of a key now, of those that run.
func (c *Sharded) MasterOf(key string) *Server {
	for _, s := range c.Servers {
		role, _ := s.info("replication", "role")
		answer, err := s.Say("EXISTS " + key)
		if role == "master" && err == nil && strings.HasPrefix(answer, ":") {
			return s
		}
	}
	return nil
}
