//go:build linux

package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// scale is what very large installations cost, in absolute figures: they are for orientation, not judged.
func (b *bench) scale() error {
	for _, measure := range []func() error{b.busyFloor, b.manyPeople, b.longHistory, b.viewsOfRooms} {
		if err := measure(); err != nil {
			return err
		}
	}
	return nil
}

// busyFloor is 10,000 rooms with 100,000 people, and 1,000 viewers on 50 views of them.
func (b *bench) busyFloor() error {
	const rooms, people, viewers, rate, seconds = 10_000, 10, 1000, 100, 20
	s, err := b.peopled(rooms, people, viewing{paths: fiftyViews(), n: viewers, compress: true})
	defer s.end()
	if err != nil {
		return err
	}
	read := s.meter()
	cost, err := s.steady(rooms, seconds*rate, rate)()
	if err != nil {
		return err
	}
	cpu, frames, bytes := read()
	memory, err := s.resident()
	fmt.Printf("%d rooms, %d people, %d viewers on %d views, %d deliveries a second: %.0f µs CPU a delivery, %.2f cores, %.0f frames a second of %d bytes, %.0f MB resident\n",
		rooms, rooms*people, viewers, len(fiftyViews()), rate, cost["cpu"], cpu.Seconds()/seconds, float64(frames)/seconds, bytes/max(frames, 1), memory/1e6)
	return err
}

// manyPeople is the memory and the start of 100,000 rooms with a million people.
func (b *bench) manyPeople() error {
	path, err := b.live(100_000, 10)
	if err != nil {
		return err
	}
	o, err := b.started(path)
	if err == nil {
		fmt.Printf("100,000 rooms, 1,000,000 people with two tracks each: ready after %.1f s, %.0f MB resident\n", o["s"], o["MB"])
	}
	return err
}

// longHistory is a search or page in 200,000 past sessions.
func (b *bench) longHistory() error {
	path, err := b.recorded("past", 200_000, past)
	if err != nil {
		return err
	}
	c, err := b.serve("file:" + path)
	if err != nil {
		return err
	}
	defer c.stop()
	o, err := c.asked()
	if err == nil {
		fmt.Printf("200,000 past sessions: %.1f ms CPU a search or page\n", o["cpu"]/1000)
	}
	return err
}

// viewsOfRooms is the heap of operators who each watch another room, and what of the budget the views are counted with.
func (b *bench) viewsOfRooms() error {
	for people, rooms := range map[int]int{10: 500, 100: 200} {
		path, err := b.live(rooms, people)
		if err != nil {
			return err
		}
		c, err := b.serve("file:" + path)
		if err != nil {
			return err
		}
		err = c.viewsOf(rooms, people)
		if err := errors.Join(err, c.stop()); err != nil {
			return err
		}
	}
	return nil
}

func (c *child) viewsOf(rooms, people int) error {
	var paths []string
	for number := range rooms {
		paths = append(paths, "/live?view=room:"+sidOf(number))
	}
	before, err := heap(c.debug)
	if err != nil {
		return err
	}
	a, err := watch(c.addr, viewing{paths: paths, n: rooms, compress: true})
	if err != nil {
		return err
	}
	defer a.close()
	if err := a.await(int64(rooms)); err != nil {
		return err
	}
	after, err := heap(c.debug)
	if err != nil {
		return err
	}
	metrics, err := c.get("/metrics")
	if err != nil {
		return err
	}
	var counted float64
	_, value, _ := strings.Cut(metrics, "\nroomwatch_view_memory_bytes ")
	if _, err := fmt.Sscan(value, &counted); err != nil {
		return fmt.Errorf("what views are counted with: %w", err)
	}
	fmt.Printf("%d views of %d rooms with %d people: %.0f kB of heap each, viewer included; counted with %.0f kB each\n",
		rooms, rooms, people, (after-before)/float64(rooms)/1e3, counted/float64(rooms)/1e3)
	return nil
}

// report measures how costs grow and draws them into a folder.
func (b *bench) report(folder string) error {
	rooms := curve{title: "CPU of a delivery, by live rooms", unit: "µs", of: "rooms"}
	for _, n := range []int{100, 1000, 10_000, 100_000} {
		s, err := b.peopled(n, 1, oneOverview)
		if err != nil {
			s.end()
			return err
		}
		o, err := s.steady(n, 2000, 200)()
		s.end()
		if err != nil {
			return err
		}
		rooms.points = append(rooms.points, point{float64(n), o["cpu"]})
	}
	viewers := curve{title: "CPU of a frame to one viewer, by viewers", unit: "µs", of: "viewers"}
	var size int
	for _, n := range []int{10, 100, 1000, 10_000} {
		frames := max(20, 2000/n)
		o, err := b.fanout(n, frames, &size)()
		if err != nil {
			return err
		}
		floor, err := b.written(n, frames, &size)()
		if err != nil {
			return err
		}
		viewers.points = append(viewers.points, point{float64(n), o["cpu"]})
		viewers.floor = append(viewers.floor, point{float64(n), floor["cpu"]})
	}
	if err := rooms.draw(filepath.Join(folder, "performance-rooms.svg")); err != nil {
		return err
	}
	return viewers.draw(filepath.Join(folder, "performance-viewers.svg"))
}
