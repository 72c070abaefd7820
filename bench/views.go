//go:build linux

package main

import (
	"fmt"
	"time"
)

// manyViews is row 15: what a change costs with a thousand viewers on fifty views, against fifty viewers on the
// same views and a write(2) for each frame that the others got.
func (b *bench) manyViews(map[int]bool) ([]figure, error) {
	f := figure{Name: "15 CPU of a change, 1,000 viewers on 50 views, µs", Goal: 1.2, moonshot: 1.05, Better: lower}
	const few, many = 50, 1000
	size := 800
	kept, err := interleave(b.repetitions, b.written(many, 20, &size), b.watched(many, &size), b.watched(few, &size))
	if err != nil {
		return []figure{missing(f, err)}, nil
	}
	for _, r := range kept {
		r.floor["written"] = r.values[1]["cpu"] + r.floor["cpu"]*(r.values[0]["frames"]-r.values[1]["frames"])
	}
	return []figure{compare(f, kept, 0, "cpu", theFloor, "written")}, nil
}

// fiftyViews are half overviews, sorted in every way and on two pages, and half rooms.
func fiftyViews() (paths []string) {
	for _, by := range []string{"people", "room", "mics", "cams", "screens", "running"} {
		for _, way := range []string{"", "-"} {
			for page := range 2 {
				paths = append(paths, fmt.Sprintf("%s&sort=%s%s&page=%d", overviewPath, way, by, page+1))
			}
		}
	}
	for number := 0; len(paths) < 50; number++ {
		paths = append(paths, "/live?view=room:"+sidOf(number))
	}
	return paths
}

// watched measures the CPU of a change, and how many frames it made, with viewers on fifty views.
func (b *bench) watched(viewers int, size *int) run {
	return func() (outcome, error) {
		const rooms, changes, rate = 100, 100, 20
		s, err := b.stage(rooms, viewers, fiftyViews(), true)
		defer s.end()
		if err != nil {
			return nil, err
		}
		posts, err := s.maker.requests(changes, rooms)
		if err != nil {
			return nil, err
		}
		s.audience.settle(time.Second)
		read := s.meter()
		if _, err := s.load.pace(posts, rate); err != nil {
			return nil, err
		}
		s.audience.settle(time.Second)
		cpu, frames, bytes := read()
		*size = int(bytes / max(frames, 1))
		return outcome{"cpu": cpu.Seconds() * 1e6 / changes, "frames": float64(frames) / changes}, nil
	}
}
