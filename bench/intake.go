//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/store"
)

const (
	senders = 64
	warmUp  = 2000        // deliveries before it counts: caches, connections, the first garbage collections
	settled = time.Second // until what was taken is saved too: that is part of its cost
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// intake measures deliveries a second and the CPU of each, from the first request to when all is saved.
func intake(begin func() (*child, error), posts [][]byte) run {
	return func() (outcome, error) {
		c, err := begin()
		if err != nil {
			return nil, err
		}
		defer c.stop()
		l, err := newLoad(c.addr, senders)
		if err != nil {
			return nil, err
		}
		defer l.close()
		if _, err := l.post(posts[:warmUp]); err != nil {
			return nil, err
		}
		time.Sleep(settled)
		n, before := float64(len(posts)-warmUp), c.cpu()
		took, err := l.post(posts[warmUp:])
		if err != nil {
			return nil, err
		}
		time.Sleep(settled)
		return outcome{"rate": n / took.Seconds(), "cpu": (c.cpu() - before).Seconds() * 1e6 / n}, nil
	}
}

// deliveries are rows 1 to 3: the rate, its CPU, and both against the field's receiver.
func (b *bench) deliveries(rows map[int]bool) ([]figure, error) {
	rate := figure{Name: "1 deliveries a second, stored", Goal: 0.40, moonshot: 0.50, Better: higher}
	cpu := figure{Name: "2 CPU of a delivery, µs", Goal: 2.8, moonshot: 2.2, Better: lower}
	field := figure{Name: "3 deliveries a second, to LiveKit's receiver", Goal: 3, moonshot: 5, Better: higher}
	posts, err := b.posts()
	if err != nil {
		return nil, err
	}
	variants := []run{intake(func() (*child, error) { return b.fresh() }, posts)}
	if rows[3] {
		variants = append(variants, intake(func() (*child, error) { return b.livekit() }, posts))
	}
	kept, err := interleave(b.repetitions, intake(func() (*child, error) { return b.floor("answer") }, posts), variants...)
	if err != nil {
		return []figure{missing(rate, err), missing(cpu, err), missing(field, err)}, nil
	}
	figures := []figure{compare(rate, kept, 0, "rate", theFloor, "rate"), compare(cpu, kept, 0, "cpu", theFloor, "cpu")}
	if rows[3] {
		figures = append(figures, compare(field, kept, 0, "rate", 1, "rate"))
	}
	return figures, nil
}

func (b *bench) posts() ([][]byte, error) {
	n := 22_000
	if b.quick {
		n = 12_000
	}
	bodies, err := day(n)
	if err != nil {
		return nil, err
	}
	return requests(bodies)
}

// allocations is row 4.
func (b *bench) allocations(map[int]bool) ([]figure, error) {
	f := figure{Name: "4 allocations of a delivery, verify to commit", Goal: 40, moonshot: 12, Better: lower}
	allocations, err := b.allocated(12_000)
	return []figure{single(f, allocations, 1)}, err
}

// allocated is what a delivery allocates in this process, by the code that the program runs, from its token to
// its commit, with as many writers as there are senders.
func (b *bench) allocated(deliveries int) (float64, error) {
	bodies, err := day(warmUp + deliveries)
	if err != nil {
		return 0, err
	}
	record, err := store.Open(context.Background(), "file:"+filepath.Join(b.dir, "allocations.db"), quiet)
	if err != nil {
		return 0, err
	}
	defer record.Close()
	keyring, err := plugnmeet.NewKeyring([]plugnmeet.Source{{Name: "default", APIKey: benchKey, Secrets: []plugnmeet.Secret{benchSecret}}})
	if err != nil {
		return 0, err
	}
	tokens := make([][]string, len(bodies))
	for i, body := range bodies {
		token, err := plugnmeet.Sign(benchKey, benchSecret, body, time.Now())
		if err != nil {
			return 0, err
		}
		tokens[i] = []string{token}
	}
	if err := take(record, keyring, tokens[:warmUp], bodies[:warmUp]); err != nil {
		return 0, err
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err = take(record, keyring, tokens[warmUp:], bodies[warmUp:])
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(len(bodies)-warmUp), err
}

// take verifies, decodes and appends deliveries, 64 at a time.
func take(record *store.SQLite, keyring *plugnmeet.Keyring, tokens [][]string, bodies [][]byte) error {
	work, failed := make(chan int), make(chan error, senders)
	var writers sync.WaitGroup
	for range senders {
		writers.Go(func() {
			for i := range work {
				proof, err := keyring.Verify(tokens[i], tokens[i], bodies[i], time.Now())
				if err != nil {
					failed <- err
					return
				}
				d, err := plugnmeet.Decode(proof.Source, bodies[i], time.Now())
				if err != nil {
					failed <- err
					return
				}
				if _, err := record.Append(context.Background(), d); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	for i := range bodies {
		select {
		case work <- i:
		case err := <-failed:
			return fmt.Errorf("delivery %d: %w", i, err)
		}
	}
	close(work)
	writers.Wait()
	return nil
}

// replicas is row 5: the same through Redis, against the same floor.
func (b *bench) replicas(map[int]bool) ([]figure, error) {
	f := figure{Name: "5 deliveries a second through Redis", Goal: 0.25, moonshot: 0.33, Better: higher}
	redis, err := exec.LookPath("redis-server")
	if err != nil {
		return []figure{missing(f, errors.New("there is no redis-server here"))}, nil
	}
	posts, err := b.posts()
	if err != nil {
		return nil, err
	}
	kept, err := interleave(b.repetitions, intake(func() (*child, error) { return b.floor("answer") }, posts), b.throughRedis(redis, posts))
	if err != nil {
		return []figure{missing(f, err)}, nil
	}
	return []figure{compare(f, kept, 0, "rate", theFloor, "rate")}, nil
}

// throughRedis measures intake with a Redis of its own, which writes its log every second.
func (b *bench) throughRedis(redis string, posts [][]byte) run {
	return func() (outcome, error) {
		dir, err := os.MkdirTemp(b.dir, "redis")
		if err != nil {
			return nil, err
		}
		addr, err := freeAddress()
		if err != nil {
			return nil, err
		}
		_, port, _ := net.SplitHostPort(addr)
		server := exec.Command(redis, "--bind", "127.0.0.1", "--port", port, "--dir", dir, "--save", "", "--appendonly", "yes")
		server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := server.Start(); err != nil {
			return nil, err
		}
		defer func() {
			_ = server.Process.Kill()
			_ = server.Wait()
		}()
		if err := answering(addr); err != nil {
			return nil, err
		}
		return intake(func() (*child, error) {
			return b.serve("redis://"+addr+"/0", "--spool="+filepath.Join(dir, "spool.db"))
		}, posts)()
	}
}

// answering waits until somebody listens at an address.
func answering(addr string) error {
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp4", addr)
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(deadline) {
			return err
		}
	}
}
