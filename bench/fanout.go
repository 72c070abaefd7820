//go:build linux

package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// rooms that the overview shows while its viewers are counted.
const shownRooms = 24

// stage is a child with an audience, and a line on which it is told what happens.
type stage struct {
	*child
	audience *audience
	load     *load
	maker    *maker
}

// stage starts Roomwatch with some live rooms, and viewers of each path.
func (b *bench) stage(rooms, viewers int, paths []string, compress bool, more ...string) (s *stage, err error) {
	s = &stage{}
	if s.maker, err = newMaker(); err != nil {
		return s, err
	}
	if s.child, err = b.serve("memory:", more...); err != nil {
		return s, err
	}
	if s.load, err = newLoad(s.addr, 10); err != nil {
		return s, err
	}
	posts, err := s.maker.requests(rooms, rooms)
	if err != nil {
		return s, err
	}
	if _, err := s.load.post(posts); err != nil {
		return s, err
	}
	time.Sleep(settled)
	s.audience, err = watch(s.addr, viewing{paths: paths, n: viewers, compress: compress})
	if err == nil {
		err = s.audience.await(int64(viewers))
	}
	return s, err
}

func (s *stage) end() {
	if s.audience != nil {
		s.audience.close()
	}
	if s.load != nil {
		s.load.close()
	}
	if s.child != nil {
		s.child.stop()
	}
}

// meter reads CPU and frames, and gives the difference since it was set.
func (s *stage) meter() func() (cpu time.Duration, frames int64, bytes int64) {
	cpu, frames, bytes := s.cpu(), s.audience.frames.Load(), s.audience.bytes.Load()
	return func() (time.Duration, int64, int64) {
		return s.cpu() - cpu, s.audience.frames.Load() - frames, s.audience.bytes.Load() - bytes
	}
}

const overviewPath = "/live?view=overview"

// fanout measures what a frame to one viewer of many costs Roomwatch: one delivery, one frame to everybody.
func (b *bench) fanout(viewers, frames int, size *int) run {
	return func() (outcome, error) {
		s, err := b.stage(shownRooms, viewers, []string{overviewPath}, true)
		defer s.end()
		if err != nil {
			return nil, err
		}
		s.audience.settle(500 * time.Millisecond)
		read := s.meter()
		for range frames {
			posts, err := s.maker.requests(1, shownRooms)
			if err != nil {
				return nil, err
			}
			seen := s.audience.frames.Load()
			if _, err := s.load.post(posts); err != nil {
				return nil, err
			}
			if err := s.audience.await(seen + int64(viewers)); err != nil {
				return nil, err
			}
		}
		s.audience.settle(50 * time.Millisecond)
		cpu, came, bytes := read()
		*size = int(bytes / came)
		return outcome{"cpu": cpu.Seconds() * 1e6 / float64(came)}, nil
	}
}

// coalesced measures what an update costs for one viewer of many when ten fall into one tick.
func (b *bench) coalesced(viewers, updates int, size *int) run {
	return func() (outcome, error) {
		s, err := b.stage(shownRooms, viewers, []string{overviewPath}, true)
		defer s.end()
		if err != nil {
			return nil, err
		}
		posts, err := s.maker.requests(updates, shownRooms)
		if err != nil {
			return nil, err
		}
		s.audience.settle(500 * time.Millisecond)
		read := s.meter()
		if _, err := s.load.pace(posts, 100); err != nil { // ten in each tick of 100 ms
			return nil, err
		}
		s.audience.settle(300 * time.Millisecond)
		cpu, came, _ := read()
		return outcome{"cpu": cpu.Seconds() * 1e6 / float64(updates*viewers), "frames": float64(came) / float64(viewers) / float64(updates)}, nil
	}
}

// written measures the floor: a loop of write(2) of a frame of the size that Roomwatch's have.
func (b *bench) written(viewers, frames int, size *int) run {
	return func() (outcome, error) {
		c, err := b.floor("write")
		if err != nil {
			return nil, err
		}
		defer c.stop()
		a, err := watch(c.addr, viewing{n: viewers})
		if err != nil {
			return nil, err
		}
		defer a.close()
		round := func() error {
			seen := a.frames.Load()
			if _, err := fmt.Fprintln(c.in, viewers, *size); err != nil {
				return err
			}
			return a.await(seen + int64(viewers))
		}
		if err := round(); err != nil { // accepts
			return nil, err
		}
		before := c.cpu()
		for range frames {
			if err := round(); err != nil {
				return nil, err
			}
		}
		return outcome{"cpu": (c.cpu() - before).Seconds() * 1e6 / float64(frames*viewers)}, nil
	}
}

// chatted measures gorilla's hub example.
func (b *bench) chatted(viewers, frames int, size *int) run {
	return func() (outcome, error) {
		c, err := b.hub()
		if err != nil {
			return nil, err
		}
		defer c.stop()
		a, err := watch(c.addr, viewing{paths: []string{"/ws"}, n: viewers})
		if err != nil {
			return nil, err
		}
		defer a.close()
		before, message := c.cpu(), strings.Repeat("x", *size)
		for range frames {
			seen := a.frames.Load()
			answer, err := http.Post("http://"+c.addr+"/publish", "text/plain", strings.NewReader(message))
			if err != nil {
				return nil, err
			}
			answer.Body.Close()
			if err := a.await(seen + int64(viewers)); err != nil {
				return nil, err
			}
		}
		return outcome{"cpu": (c.cpu() - before).Seconds() * 1e6 / float64(frames*viewers)}, nil
	}
}

// frames are rows 6 to 8.
func (b *bench) frames(rows map[int]bool) ([]figure, error) {
	each := figure{Name: "6 CPU of a frame to one of 10,000 viewers, µs", Goal: 1.25, moonshot: 1.05, Better: lower}
	tenth := figure{Name: "7 CPU of an update when ten fall into a tick, µs", Goal: 0.20, moonshot: 0.12, Better: lower}
	hub := figure{Name: "8 CPU of a frame, to gorilla's hub example", Goal: 0.9, moonshot: 0.7, Better: lower}
	const viewers = 10_000
	rounds := 20
	if b.quick {
		rounds = 10
	}
	var size int
	variants := []run{b.fanout(viewers, rounds, &size), b.coalesced(viewers, 20*rounds, &size)}
	if rows[8] {
		variants = append(variants, b.chatted(viewers, rounds, &size))
	}
	if _, err := b.fanout(100, 10, &size)(); err != nil { // how large frames are
		return nil, err
	}
	kept, err := interleave(b.repetitions, b.written(viewers, rounds, &size), variants...)
	if err != nil {
		return []figure{missing(each, err), missing(tenth, err), missing(hub, err)}, nil
	}
	each.note = fmt.Sprintf("frames of %d bytes", size)
	tenth.note = fmt.Sprintf("%.2f frames for an update", kept[0].values[1]["frames"])
	figures := []figure{compare(each, kept, 0, "cpu", theFloor, "cpu"), compare(tenth, kept, 1, "cpu", theFloor, "cpu")}
	if rows[8] {
		figures = append(figures, compare(hub, kept, 0, "cpu", 2, "cpu"))
	}
	return figures, nil
}
