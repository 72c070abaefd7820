package simulate

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"net/http"
	"sync"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
)

const (
	defaultConnections = 8
	maxUnderWay        = 256 // deliveries taken and not yet done

	// maxAhead bounds how far one room is ahead of another while old deliveries are sent without pauses: after
	// a minute receivers call a delivery late.
	maxAhead = 50 * time.Second
)

// Sender sends deliveries when they are due, as plugNmeet would: those of a room one after the other,
// those of different rooms at the same time, each retried. What is overdue is sent at once, and when
// the target is slow, nothing more is taken until it has caught up.
type Sender struct {
	Target      string // of Roomwatch, or the webhook's whole URL
	APIKey      string
	Secret      plugnmeet.Secret
	Connections int          // at most; 8
	Client      *http.Client // nil: one of its own, with ten seconds for an answer
}

// Run sends until the deliveries end or ctx is done, and returns when nothing is under way any more. That
// some failed is no error.
func (s Sender) Run(ctx context.Context, deliveries iter.Seq[Delivery]) (Result, error) {
	connections := cmp.Or(s.Connections, defaultConnections)
	poster, err := newPoster(s.Target, s.APIKey, s.Secret, s.Client, connections)
	if err != nil {
		return poster.result, err
	}
	defer poster.close()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	lanes := &lanes{
		poster: poster, stop: stop, waiting: make(map[string][]Delivery),
		underWay: make(chan struct{}, maxUnderWay), lines: make(chan struct{}, connections),
	}
	for d := range deliveries {
		lanes.align(d.At)
		if pause(ctx, time.Until(d.At)) != nil || !lanes.take(ctx, d) {
			break
		}
	}
	lanes.busy.Wait()
	return poster.result, context.Cause(ctx)
}

// lanes are the queues of the rooms that something is to be sent of.
type lanes struct {
	poster   *poster
	stop     context.CancelCauseFunc
	underWay chan struct{} // a token for each delivery taken and not yet done
	lines    chan struct{} // a token for each that is being sent
	busy     sync.WaitGroup
	aligned  time.Time // when what had been taken by then was due

	mu      sync.Mutex
	waiting map[string][]Delivery // by room_id; a room with a goroutine has a key
}

// align lets all rooms come up to a delivery that is overdue before it is taken.
func (l *lanes) align(at time.Time) {
	if time.Since(at) > maxAhead && at.Sub(l.aligned) > maxAhead {
		l.busy.Wait()
		l.aligned = at
	}
}

// take puts a delivery into its room's queue once there is space for one more. It is false when ctx is done.
func (l *lanes) take(ctx context.Context, d Delivery) bool {
	select {
	case l.underWay <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, running := l.waiting[d.RoomID]
	l.waiting[d.RoomID] = append(l.waiting[d.RoomID], d)
	if !running {
		l.busy.Go(func() { l.run(ctx, d.RoomID) })
	}
	return true
}

// run sends what waits for a room until nothing does.
func (l *lanes) run(ctx context.Context, roomID string) {
	for {
		d, some := l.next(roomID)
		if !some {
			return
		}
		if err := l.send(ctx, d); err != nil {
			l.stop(err)
		}
		<-l.underWay
	}
}

func (l *lanes) next(roomID string) (d Delivery, some bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	queue := l.waiting[roomID]
	if len(queue) == 0 {
		delete(l.waiting, roomID)
		return d, false
	}
	l.waiting[roomID] = queue[1:]
	return queue[0], true
}

func (l *lanes) send(ctx context.Context, d Delivery) error {
	select {
	case l.lines <- struct{}{}:
		defer func() { <-l.lines }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := l.poster.deliver(ctx, d.Body); err != nil {
		return fmt.Errorf("send %s of %s: %w", d.Event, d.RoomID, err)
	}
	return nil
}
