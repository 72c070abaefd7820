package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/web"
)

// AttentionConfig is from when on something needs attention, and whom to tell.
type AttentionConfig struct {
	FileDue  Period `default:"15m" help:"A recording needs attention when its file has not come this long after its end."`
	Nobody   Period `default:"2m" help:"A recording or stream that goes on in a room without people for this long."`
	Empty    Period `default:"5m" help:"A room without people, this long beyond its empty_timeout."`
	Overtime Period `default:"1m" help:"A room that is open this long beyond its planned duration."`
	Silent   Period `default:"10m" help:"A source that says nothing for this long while its rooms are live."`
	Refused  int    `default:"5" help:"This many refused deliveries within five minutes."`
	FailedIn Period `default:"24h" help:"How long a failed or overdue recording is listed."`

	URL        string           `name:"url" help:"Where to post what newly needs attention." placeholder:"URL"`
	Secret     plugnmeet.Secret `help:"Signs what is posted there, at least 32 bytes."`
	SecretFile string           `help:"A file that holds that secret." placeholder:"FILE"`
}

// attentionDefaults are what is in force when nothing is set; TestAttentionHasOneSetOfDefaults holds the
// two forms of them together.
func attentionDefaults() AttentionConfig {
	l := room.DefaultLimits
	return AttentionConfig{FileDue: Period(l.FileDue), Nobody: Period(l.Nobody), Empty: Period(l.Empty), Overtime: Period(l.Overtime),
		Silent: Period(l.Silent), Refused: l.Refused, FailedIn: Period(l.FailedIn)}
}

func (c AttentionConfig) limits() room.Limits {
	return room.Limits{FileDue: time.Duration(c.FileDue), Nobody: time.Duration(c.Nobody), Empty: time.Duration(c.Empty),
		Overtime: time.Duration(c.Overtime), Silent: time.Duration(c.Silent), Refused: c.Refused, FailedIn: time.Duration(c.FailedIn)}
}

func (c AttentionConfig) validate() error {
	for _, p := range []struct {
		name  string
		value Period
	}{{"FILE_DUE", c.FileDue}, {"NOBODY", c.Nobody}, {"EMPTY", c.Empty}, {"OVERTIME", c.Overtime}, {"SILENT", c.Silent}, {"FAILED_IN", c.FailedIn}} {
		if time.Duration(p.value) < time.Second {
			return fmt.Errorf("ATTENTION_%s=%s: must be 1s or more. Write it like 15m", p.name, p.value)
		}
	}
	if c.Refused < 1 {
		return fmt.Errorf("ATTENTION_REFUSED=%d: must be 1 or more", c.Refused)
	}
	if c.URL == "" {
		return nil
	}
	if err := neat(c.URL, "ATTENTION_URL"); err != nil {
		return err
	}
	if !postable(c.URL) {
		return errors.New("ATTENTION_URL: write it like https://chat.example.org/hook. Plain http is for a loopback address only")
	}
	secret, err := c.secret()
	if err == nil && len(secret) < minSecret {
		err = fmt.Errorf("ATTENTION_SECRET: set one of at least %d bytes, so that the receiver can tell who posts", minSecret)
	}
	return err
}

func (c AttentionConfig) secret() (plugnmeet.Secret, error) {
	return secretOf(c.Secret, c.SecretFile, "ATTENTION_SECRET")
}

// postable says whether what is posted to an address stays secret on its way.
func postable(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

const (
	notifyTime  = 5 * time.Second // for one try
	notifyTries = 3
	notifyPause = time.Second // before the second try; twice that before the third
	notifyQueue = 16          // posts that wait

	// heirTime is for how long a replica that does not lead remembers what is new: by then the one that
	// leads has posted it, or has died and this one leads.
	heirTime = 15 * time.Second
)

// notifier posts alarms that are new. The body is {"alarms": […]}, each as in GET /api/v1/attention. The
// header Roomwatch-Signature is "t=SECONDS,v1=HEX": HMAC-SHA256, keyed with the secret, of the seconds, a
// dot and the body. What needs attention when Roomwatch starts is new to it, so a receiver that must not
// hear of something twice remembers ids. Of several replicas the one that leads posts.
type notifier struct {
	url    string
	secret plugnmeet.Secret
	log    *slog.Logger
	pause  time.Duration
	client *http.Client
	queue  chan []room.Alarm
	leads  func() bool
	heir   []inherited // oldest first; used by run alone
}

// inherited is what this replica posts when it comes to lead soon.
type inherited struct {
	alarms []room.Alarm
	at     time.Time
}

func newNotifier(c *Config, log *slog.Logger) (*notifier, error) {
	secret, err := c.Attention.secret()
	if err != nil {
		return nil, err
	}
	client, err := c.client(notifyTime)
	if err != nil {
		return nil, err
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &notifier{url: c.Attention.URL, secret: secret, log: log, pause: notifyPause, client: client, queue: make(chan []room.Alarm, notifyQueue),
		leads: func() bool { return true }}, nil
}

// tell hands alarms over to be posted, and never waits.
func (n *notifier) tell(alarms []room.Alarm) {
	select {
	case n.queue <- alarms:
	default:
		n.log.Warn("what newly needs attention was not posted: the receiver is too slow", "alarms", len(alarms))
	}
}

// run posts until ctx ends.
func (n *notifier) run(ctx context.Context) {
	defer n.client.CloseIdleConnections()
	tick := time.NewTicker(n.pause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case alarms := <-n.queue:
			n.heir = append(n.heir, inherited{alarms, time.Now()})
		case <-tick.C:
		}
		n.heir = slices.DeleteFunc(n.heir, func(i inherited) bool { return time.Since(i.at) > heirTime })
		for len(n.heir) > 0 && n.leads() {
			alarms := n.heir[0].alarms
			n.heir = n.heir[1:]
			if err := n.insist(ctx, alarms); err != nil {
				n.log.Warn("what newly needs attention could not be posted", "alarms", len(alarms), "err", err)
			}
		}
	}
}

// insist posts, and tries again a little later.
func (n *notifier) insist(ctx context.Context, alarms []room.Alarm) error {
	body, err := json.Marshal(map[string]any{"alarms": web.Alarms(alarms)})
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		if err = n.post(ctx, body); err == nil || try == notifyTries {
			return err
		}
		select {
		case <-time.After(time.Duration(try) * n.pause):
		case <-ctx.Done():
			return err
		}
	}
}

func (n *notifier) post(ctx context.Context, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Roomwatch-Signature", sign(n.secret, time.Now(), body))
	answer, err := n.client.Do(request)
	if err != nil {
		return errors.New("no answer") // the error holds the address, which may be a secret
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)) // so that the connection can be used again
	if answer.StatusCode >= 300 {
		return fmt.Errorf("answered %s", answer.Status)
	}
	return nil
}

func sign(secret plugnmeet.Secret, at time.Time, body []byte) string {
	seconds := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte(seconds + ".")) // a hash takes everything
	_, _ = mac.Write(body)
	return "t=" + seconds + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
