package simulate

import (
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// Stage is a life that goes by the clock, while others ask what is true in it. It is safe for concurrent use.
type Stage struct {
	mu   sync.Mutex
	life *Life
}

// NewStage puts a life on stage; from then on it is touched only there.
func NewStage(life *Life) *Stage { return &Stage{life: life} }

const stageTick = 50 * time.Millisecond

// Deliveries are those that fall due, until ctx is done. The life is never ahead of the clock: what plugNmeet's API
// tells has happened.
func (s *Stage) Deliveries(ctx context.Context) iter.Seq[Delivery] {
	return func(yield func(Delivery) bool) {
		tick := time.NewTicker(stageTick)
		defer tick.Stop()
		for ctx.Err() == nil {
			for _, d := range s.Until(time.Now()) {
				if !yield(d) {
					return
				}
			}
			select {
			case <-ctx.Done():
			case <-tick.C:
			}
		}
	}
}

// Until goes on to end and gives the deliveries of the time up to it.
func (s *Stage) Until(end time.Time) []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(s.life.Until(end))
}

// Truth is what is true now, see Life.Truth.
func (s *Stage) Truth() []room.Detail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.life.Truth()
}

// End ends the session that runs under the room_id, if one does.
func (s *Stage) End(roomID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.life.End(roomID)
}

// Change lets life go at another pace, and lets a share of its deliveries be lost, from now on.
func (s *Stage) Change(pace, drop float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.life.Hurry(pace)
	s.life.post.plan.Drop = drop
}
