//go:build linux

package main

import (
	"bytes"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"
)

// waits is how long each viewer waited for each delivery: from when it was sent to when a frame showed it.
type waits struct {
	sent  []atomic.Int64 // by delivery
	first int            // the number in the title of the first delivery
	seen  []int          // by viewer: how many deliveries it has seen
	all   []float64      // ms
	shown atomic.Int64   // how many those are
}

func newWaits(m *maker, posts, viewers int) *waits {
	return &waits{sent: make([]atomic.Int64, posts), first: m.made + 1, seen: make([]int, viewers)}
}

// heard notes what a frame shows: the newest title stands for every delivery before it.
func (w *waits) heard(s *socket, message []byte) {
	title := titleIn(message)
	if title == nil {
		return
	}
	number, _ := strconv.Atoi(string(title[1:]))
	now := time.Now().UnixNano()
	for i := w.seen[s.index]; i <= number-w.first && i < len(w.sent); i++ {
		w.all = append(w.all, float64(now-w.sent[i].Load())/1e6)
		w.seen[s.index] = i + 1
		w.shown.Add(1)
	}
}

// titleIn finds a title that the maker gave.
func titleIn(text []byte) []byte {
	for {
		at := bytes.IndexByte(text, 'n')
		if at < 0 || at+9 > len(text) {
			return nil
		}
		if title := text[at : at+9]; digits(title[1:]) {
			return title
		}
		text = text[at+1:]
	}
}

func digits(text []byte) bool {
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// complete says whether every viewer has seen every delivery; so much is read while viewers are.
func (w *waits) complete() bool { return w.shown.Load() == int64(len(w.sent)*len(w.seen)) }

func (w *waits) outcome() (outcome, error) {
	if want := len(w.sent) * len(w.seen); len(w.all) != want {
		return nil, fmt.Errorf("viewers saw %d of %d changes", len(w.all), want)
	}
	return outcome{"p50": quantile(w.all, 0.5), "p99": quantile(w.all, 0.99)}, nil
}

const smallTick = "--tick=10us"

// delays posts deliveries to one room at a rate, while viewers watch, some of whom never read.
func (b *bench) delays(viewers, deaf, posts int, rate float64) run {
	return func() (outcome, error) {
		s, err := b.stage(1, 0, nil, false, smallTick)
		defer s.end()
		if err != nil {
			return nil, err
		}
		w := newWaits(s.maker, posts, viewers)
		if s.audience, err = watch(s.addr, viewing{paths: []string{overviewPath}, n: viewers, heard: w.heard}); err != nil {
			return nil, err
		}
		if deaf > 0 {
			never, err := watch(s.addr, viewing{paths: []string{overviewPath}, n: deaf, deaf: true, window: 4 << 10})
			if err != nil {
				return nil, err
			}
			defer never.close()
		}
		return w.measure(s.load, s.maker, s.audience, rate)
	}
}

func (w *waits) measure(l *load, m *maker, a *audience, rate float64) (outcome, error) {
	a.settle(200 * time.Millisecond)
	requests, err := m.requests(len(w.sent), 1)
	if err != nil {
		return nil, err
	}
	l.sent = w.sent
	if _, err := l.pace(requests, rate); err != nil {
		return nil, err
	}
	a.settle(300 * time.Millisecond)
	a.close()
	return w.outcome()
}

// relayed is the floor of the delays: a server that verifies nothing and hands on a frame of a size.
func (b *bench) relayed(viewers, posts int, rate float64, size int) run {
	return func() (outcome, error) {
		c, err := b.floor("relay", strconv.Itoa(size))
		if err != nil {
			return nil, err
		}
		defer c.stop()
		m, err := newMaker()
		if err != nil {
			return nil, err
		}
		w := newWaits(m, posts, viewers)
		a, err := watch(c.addr, viewing{paths: []string{"/"}, n: viewers, heard: w.heard})
		if err != nil {
			return nil, err
		}
		defer a.close()
		l, err := newLoad(c.addr, 10)
		if err != nil {
			return nil, err
		}
		defer l.close()
		return w.measure(l, m, a, rate)
	}
}

// latency is row 10.
func (b *bench) latency(map[int]bool) ([]figure, error) {
	p50 := figure{Name: "10 accept to viewer, p50, ms", Goal: 2, moonshot: 1.4, Better: lower}
	p99 := figure{Name: "10 accept to viewer, p99, ms", Goal: 2, moonshot: 1.5, Better: lower}
	const viewers, posts, rate, size = 10, 8000, 2000, 2000
	kept, err := interleave(b.repetitions, b.relayed(viewers, posts, rate, size), b.delays(viewers, 0, posts, rate))
	if err != nil {
		return []figure{missing(p50, err), missing(p99, err)}, nil
	}
	return []figure{compare(p50, kept, 0, "p50", theFloor, "p50"), compare(p99, kept, 0, "p99", theFloor, "p99")}, nil
}

// deafViewers is row 12.
func (b *bench) deafViewers(map[int]bool) ([]figure, error) {
	f := figure{Name: "12 p99 of viewers beside 1 % that never read, ms", Goal: 1.1, moonshot: 1, Better: lower}
	const viewers, posts, rate = 1000, 100, 20
	kept, err := interleave(b.repetitions, b.delays(viewers, 0, posts, rate), b.delays(viewers, viewers/100, posts, rate))
	if err != nil {
		return []figure{missing(f, err)}, nil
	}
	return []figure{compare(f, kept, 0, "p99", theFloor, "p99")}, nil
}
