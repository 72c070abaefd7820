//go:build linux

package main

import (
	"fmt"
	"net"
	"strings"
	"time"
)

// idleViewers is row 11: what a viewer that waits adds to the memory that the process has in use.
func (b *bench) idleViewers(map[int]bool) ([]figure, error) {
	f := figure{Name: "11 resident memory of an idle viewer, kB", Goal: 0.6, moonshot: 0.08, Better: lower}
	const viewers = 10_000
	ours := func() (*child, error) { return b.serve("memory:") }
	plain := func() (*child, error) { return b.floor("sockets") }
	kept, err := interleave(b.repetitions, resident(plain, "/live", viewers), resident(ours, overviewPath, viewers))
	if err != nil {
		return []figure{missing(f, err)}, nil
	}
	return []figure{compare(f, kept, 0, "kB", theFloor, "kB")}, nil
}

func resident(begin func() (*child, error), path string, viewers int) run {
	return func() (outcome, error) {
		c, err := begin()
		if err != nil {
			return nil, err
		}
		defer c.stop()
		before, err := c.resident()
		if err != nil {
			return nil, err
		}
		a, err := watch(c.addr, viewing{paths: []string{path}, n: viewers, compress: true})
		if err != nil {
			return nil, err
		}
		defer a.close()
		if err := a.await(int64(viewers)); err != nil {
			return nil, err
		}
		time.Sleep(2 * time.Second)
		after, err := c.resident()
		return outcome{"kB": (after - before) / float64(viewers) / 1e3}, err
	}
}

// participants is row 16: the heap of the true program, right after a garbage collection, with people who
// have a camera and a microphone each; less what it is with as many rooms and nobody.
func (b *bench) participants(map[int]bool) ([]figure, error) {
	f := figure{Name: "16 heap of a participant with two tracks, kB", Goal: 1.5, moonshot: 0.6, Better: lower}
	const rooms, people = 500, 20
	empty, err := b.heapOf(rooms, 0)
	if err != nil {
		return nil, err
	}
	full, err := b.heapOf(rooms, people)
	if err != nil {
		return nil, err
	}
	f.note = fmt.Sprintf("%d people in %d rooms", rooms*people, rooms)
	return []figure{single(f, (full-empty)/(rooms*people)/1e3, 1)}, nil
}

// heapOf is the heap of a server that was told of rooms with people by webhooks, in bytes.
func (b *bench) heapOf(rooms, people int) (float64, error) {
	c, err := b.fresh()
	if err != nil {
		return 0, err
	}
	defer c.stop()
	l, err := newLoad(c.addr, senders)
	if err != nil {
		return 0, err
	}
	defer l.close()
	posts, err := requests(meetings(rooms, people))
	if err != nil {
		return 0, err
	}
	if _, err := l.post(posts); err != nil {
		return 0, err
	}
	// What the record keeps of the newest deliveries is the same in both: these say nothing new.
	filler, err := requests(fillers(20_000))
	if err != nil {
		return 0, err
	}
	if _, err := l.post(filler); err != nil {
		return 0, err
	}
	time.Sleep(settled)
	return heap(c.debug)
}

// heap asks a process for what is alive on its heap.
func heap(debug string) (float64, error) {
	profile, err := (&child{addr: debug}).get("/debug/pprof/heap?gc=1&debug=1")
	if err != nil {
		return 0, err
	}
	var alive float64
	_, after, _ := strings.Cut(profile, "# HeapAlloc = ")
	if _, err := fmt.Sscan(after, &alive); err != nil {
		return 0, fmt.Errorf("heap profile: %w", err)
	}
	return alive, nil
}

// freeAddress is a loopback address that nobody listens at now.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
