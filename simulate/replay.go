package simulate

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
)

// Replay sends recorded deliveries as plugNmeet would: one after the other, retried, signed afresh.
type Replay struct {
	Target string // of Roomwatch, or the webhook's whole URL
	APIKey string
	Secret plugnmeet.Secret
	Speed  float64      // 1 keeps the recorded pauses, 20 makes them twenty times shorter, 0 leaves them out
	Client *http.Client // nil: one connection that is kept alive, ten seconds for an answer
}

// Run sends the deliveries in their order until ctx is done. That some failed is no error.
func (r Replay) Run(ctx context.Context, deliveries []Recorded) (Result, error) {
	poster, err := newPoster(r.Target, r.APIKey, r.Secret, r.Client, 1)
	if err != nil {
		return poster.result, err
	}
	defer poster.close()
	start := time.Now()
	for i, delivery := range deliveries {
		if err := pause(ctx, time.Until(start.Add(r.after(delivery.At-deliveries[0].At)))); err != nil {
			return poster.result, err
		}
		if err := poster.deliver(ctx, delivery.Body); err != nil {
			return poster.result, fmt.Errorf("replay delivery %d: %w", i+1, err)
		}
	}
	return poster.result, nil
}

// after is when, since the first one was sent, a delivery is due that was recorded so long after it.
func (r Replay) after(recorded time.Duration) time.Duration {
	if r.Speed <= 0 {
		return 0
	}
	return time.Duration(float64(recorded) / r.Speed)
}
