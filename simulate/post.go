package simulate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"sync"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
)

// plugNmeet tries a delivery three times in three seconds and then forgets it (contract 4.1).
var retryPauses = []time.Duration{time.Second, 2 * time.Second}

const answerTimeout = 10 * time.Second

// Result counts deliveries: Sent got an answer that plugNmeet takes for delivered, Failed did not, after
// retries. Answers counts every answer by its HTTP status, those of retried attempts, too.
type Result struct {
	Sent    int
	Answers map[int]int
	Failed  int
}

// WebhookURL is where to deliver to, given a base URL, maybe with a path, or the webhook's own.
func WebhookURL(target string) (string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", fmt.Errorf("webhook URL: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return "", fmt.Errorf("webhook URL %q: want http://host or https://host", target)
	}
	if path.Base(u.Path) != "webhook" {
		u = u.JoinPath("webhook")
	}
	return u.String(), nil
}

// poster delivers bodies as plugNmeet does: signed afresh, retried, redirects not followed. It is safe for
// concurrent use.
type poster struct {
	target, apiKey string
	secret         plugnmeet.Secret
	client         *http.Client
	close          func()

	mu     sync.Mutex
	result Result
}

// newPoster uses a copy of client, or one of its own with so many connections that are kept alive.
func newPoster(target, apiKey string, secret plugnmeet.Secret, client *http.Client, connections int) (*poster, error) {
	p := &poster{apiKey: apiKey, secret: secret, close: func() {}, result: Result{Answers: make(map[int]int)}}
	var err error
	if p.target, err = WebhookURL(target); err != nil {
		return p, err
	}
	own := http.Client{Timeout: answerTimeout}
	if client != nil {
		own = *client
	} else {
		own.Transport = &http.Transport{MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections}
		p.close = own.CloseIdleConnections
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	p.client = &own
	return p, nil
}

// deliver counts what became of a delivery. A retry sends the same token again, as plugNmeet does. The
// error is a reason to stop.
func (p *poster) deliver(ctx context.Context, body []byte) error {
	token, err := plugnmeet.Sign(p.apiKey, p.secret, body, time.Now())
	if err != nil {
		return err
	}
	for attempt := 0; ; attempt++ {
		status, err := p.post(ctx, token, body)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		delivered := err == nil && (status < 500 && status != http.StatusTooManyRequests || status == http.StatusNotImplemented)
		last := delivered || attempt == len(retryPauses)
		p.count(status, err == nil, delivered, last)
		if last {
			return nil
		}
		if err := pause(ctx, retryPauses[attempt]); err != nil {
			return err
		}
	}
}

func (p *poster) count(status int, answered, delivered, last bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if answered {
		p.result.Answers[status]++
	}
	switch {
	case delivered:
		p.result.Sent++
	case last:
		p.result.Failed++
	}
}

func (p *poster) post(ctx context.Context, token string, body []byte) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.target, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", token)
	request.Header.Set("Hash-Token", token)
	answer, err := p.client.Do(request)
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
