package simulate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
)

// plugNmeet tries a delivery three times in three seconds and then forgets it (contract 4.1).
var retryPauses = []time.Duration{time.Second, 2 * time.Second}

const answerTimeout = 10 * time.Second

// Replay sends recorded deliveries as plugNmeet would: one after the other, retried, signed afresh.
type Replay struct {
	Target string // of Roomwatch, or the webhook's whole URL
	APIKey string
	Secret plugnmeet.Secret
	Speed  float64      // 1 keeps the recorded pauses, 20 makes them twenty times shorter, 0 leaves them out
	Client *http.Client // nil: one connection that is kept alive, ten seconds for an answer
}

// Result counts deliveries: Sent got an answer that plugNmeet takes for delivered, Failed did not, after
// retries. Answers counts every answer by its HTTP status, those of retried attempts, too.
type Result struct {
	Sent    int
	Answers map[int]int
	Failed  int
}

// WebhookURL is where to deliver to, given a base URL or the webhook's own.
func WebhookURL(target string) (string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", fmt.Errorf("webhook URL: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return "", fmt.Errorf("webhook URL %q: want http://host or https://host", target)
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/webhook"
	}
	return u.String(), nil
}

// Run sends the deliveries in their order until ctx is done. That some failed is no error.
func (r Replay) Run(ctx context.Context, deliveries []Recorded) (Result, error) {
	result := Result{Answers: make(map[int]int)}
	target, err := WebhookURL(r.Target)
	if err != nil {
		return result, err
	}
	client := r.client()
	if r.Client == nil {
		defer client.CloseIdleConnections()
	}
	start := time.Now()
	for i, delivery := range deliveries {
		if err := pause(ctx, time.Until(start.Add(r.after(delivery.At-deliveries[0].At)))); err != nil {
			return result, err
		}
		delivered, err := r.deliver(ctx, client, target, delivery.Body, result.Answers)
		if err != nil {
			return result, fmt.Errorf("replay delivery %d: %w", i+1, err)
		}
		if delivered {
			result.Sent++
		} else {
			result.Failed++
		}
	}
	return result, nil
}

// after is when, since the first one was sent, a delivery is due that was recorded so long after it.
func (r Replay) after(recorded time.Duration) time.Duration {
	if r.Speed <= 0 {
		return 0
	}
	return time.Duration(float64(recorded) / r.Speed)
}

func (r Replay) client() *http.Client {
	client := http.Client{Timeout: answerTimeout, Transport: &http.Transport{MaxConnsPerHost: 1}}
	if r.Client != nil {
		client = *r.Client
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

// deliver reports whether plugNmeet would take the delivery for delivered. A retry sends the same token
// again, as plugNmeet does. The error is a reason to stop.
func (r Replay) deliver(ctx context.Context, client *http.Client, target string, body []byte, answers map[int]int) (bool, error) {
	token, err := plugnmeet.Sign(r.APIKey, r.Secret, body, time.Now())
	if err != nil {
		return false, err
	}
	for attempt := 0; ; attempt++ {
		status, err := post(ctx, client, target, token, body)
		switch {
		case ctx.Err() != nil:
			return false, context.Cause(ctx)
		case err == nil:
			answers[status]++
			if status < 500 && status != http.StatusTooManyRequests || status == http.StatusNotImplemented {
				return true, nil
			}
		}
		if attempt == len(retryPauses) {
			return false, nil
		}
		if err := pause(ctx, retryPauses[attempt]); err != nil {
			return false, err
		}
	}
}

func post(ctx context.Context, client *http.Client, target, token string, body []byte) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", token)
	request.Header.Set("Hash-Token", token)
	answer, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	_, err = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<20)) // read to the end, the connection is used again
	return answer.StatusCode, err
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
