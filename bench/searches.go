//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	searchesAtOnce = 20
	beside         = 300 // deliveries that the overview is to show meanwhile
	besideRate     = 20.0
)

// slowSearches is row 22: how late the overview is while somebody else keeps twenty searches going over a long history,
// against how late it is without them. Both are of one process, in turn.
func (b *bench) slowSearches(map[int]bool) ([]figure, error) {
	sessions := 200_000
	if b.quick {
		sessions = 20_000
	}
	f := figure{Name: fmt.Sprintf("22 overview p99 beside 20 searches in %d sessions, ms", sessions), Goal: 1.2, moonshot: 1, Better: lower}
	path, err := b.recorded("past", sessions, past)
	if err != nil {
		return nil, err
	}
	c, err := b.serve("file:" + path)
	if err != nil {
		return nil, err
	}
	defer c.stop()
	m, err := newMaker()
	if err != nil {
		return nil, err
	}
	m.from = sessions // a room that none of the past sessions is of
	var answered, refused atomic.Int64
	searched := func() (outcome, error) {
		stop := c.search(&answered, &refused)
		defer stop()
		return c.lateness(m)
	}
	kept, err := interleave(b.repetitions, func() (outcome, error) { return c.lateness(m) }, searched)
	if err != nil {
		return []figure{missing(f, err)}, nil
	}
	f.note = fmt.Sprintf("%d searches answered, %d told to wait", answered.Load(), refused.Load())
	return []figure{compare(f, kept, 0, "p99", theFloor, "p99")}, nil
}

// lateness measures how long an overview waits for each delivery.
func (c *child) lateness(m *maker) (outcome, error) {
	w := newWaits(m, beside, 1)
	a, err := watch(c.addr, viewing{paths: []string{overviewPath}, n: 1, heard: w.heard})
	if err != nil {
		return nil, err
	}
	defer a.close()
	l, err := newLoad(c.addr, 4)
	if err != nil {
		return nil, err
	}
	defer l.close()
	a.settle(200 * time.Millisecond)
	requests, err := m.requests(beside, 1)
	if err != nil {
		return nil, err
	}
	l.sent = w.sent
	if _, err := l.pace(requests, besideRate); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(time.Minute); !w.complete() && time.Now().Before(deadline); {
		time.Sleep(settled)
	}
	a.close()
	return w.outcome()
}

// search keeps searches going from an address of their own until stop, each for other words: no two are one view.
func (c *child) search(answered, refused *atomic.Int64) (stop func()) {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}
	client := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: searchesAtOnce}}
	ctx, cancel := context.WithCancel(context.Background())
	var searching sync.WaitGroup
	for number := range searchesAtOnce {
		searching.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				address := fmt.Sprintf("http://%s/sessions?q=1+2+number%d+%d", c.addr, number%10, n%10)
				request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
				if err != nil {
					return
				}
				answer, err := client.Do(request)
				if err != nil {
					continue // it was stopped, or the process was too busy to answer
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				_ = answer.Body.Close()
				if answer.StatusCode == http.StatusOK {
					answered.Add(1)
				} else {
					refused.Add(1)
					time.Sleep(100 * time.Millisecond) // who is told to wait tries again soon
				}
			}
		})
	}
	return func() {
		cancel()
		searching.Wait()
		client.CloseIdleConnections()
	}
}
