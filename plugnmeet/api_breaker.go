package plugnmeet

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
)

// newBreaker spares a plugNmeet that is down: after failures in a row nothing is asked for a pause, then one
// call is let through to see.
func newBreaker(pause time.Duration) *gobreaker.CircuitBreaker[exchange] {
	return gobreaker.NewCircuitBreaker[exchange](gobreaker.Settings{
		Timeout:      pause,
		ReadyToTrip:  func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= failuresInARow },
		IsSuccessful: answered,
		IsExcluded:   func(err error) bool { return cancelled(err) || missing(err) },
	})
}

// answered: plugNmeet is there and talks to us, whatever it says.
func answered(err error) bool {
	return err == nil || errors.Is(err, ErrFailed) || errors.Is(err, ErrUnknown)
}

// cancelled: the caller lost interest, which says nothing of plugNmeet.
func cancelled(err error) bool {
	var known *APIError
	return err != nil && !errors.As(err, &known)
}

// missing: no such call is known there. That is a plugNmeet from before the call, whose others work, or a wrong
// SERVER_URL, which costs nobody anything.
func missing(err error) bool {
	var failure *APIError
	return errors.As(err, &failure) && failure.Status == http.StatusNotFound
}

// standing is how the calls went lately.
type standing struct {
	mu    sync.Mutex
	since time.Time // of the first failure in a row
	last  *APIError // the newest of them
	known bool      // it has answered at least once, so that SERVER_URL is right
}

func (s *standing) note(err error, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var failure *APIError
	switch {
	case answered(err):
		s.since, s.last, s.known = time.Time{}, nil, true
	case s.known && missing(err):
	case errors.As(err, &failure):
		if s.last = failure; s.since.IsZero() {
			s.since = now
		}
	}
}

// paused is the error of a call that was not made.
func (s *standing) paused(call string) *APIError {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil { // another call has just got through
		return &APIError{Call: call, Kind: ErrUnreachable, detail: "another call tries whether it can be"}
	}
	paused := *s.last
	paused.Call, paused.Since = call, s.since
	return &paused
}

// Failing says since when every call has failed, and how the last one did; nil if the last one was answered.
func (a *API) Failing() (since time.Time, why error) {
	a.standing.mu.Lock()
	defer a.standing.mu.Unlock()
	if a.standing.last == nil {
		return time.Time{}, nil
	}
	return a.standing.since, a.standing.last
}

// guarded makes the call unless the breaker is open.
func (a *API) guarded(ctx context.Context, call string, do func(context.Context) (exchange, error)) (exchange, error) {
	got, err := a.breaker.Execute(func() (exchange, error) {
		got, err := do(ctx)
		a.standing.note(err, time.Now())
		return got, err
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return exchange{}, a.standing.paused(call)
	}
	return got, err
}
