package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/redistest"
	"github.com/roomwatch/roomwatch/room"
)

const hookSecret = plugnmeet.Secret("a secret of the receiver, long enough to sign")

// receiver is what an operator would put at ATTENTION_URL: it checks the signature as the manual says.
type receiver struct {
	*httptest.Server
	t      *testing.T
	mu     sync.Mutex
	codes  []int // answers to give, then 200
	bodies []string
}

func startReceiver(t *testing.T, codes ...int) *receiver {
	t.Helper()
	r := &receiver{t: t, codes: codes}
	r.Server = httptest.NewServer(http.HandlerFunc(r.take))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) take(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	seconds, sum, _ := strings.Cut(strings.TrimPrefix(request.Header.Get("Roomwatch-Signature"), "t="), ",v1=")
	mac := hmac.New(sha256.New, []byte(hookSecret))
	mac.Write([]byte(seconds + "." + string(body)))
	at, _ := strconv.ParseInt(seconds, 10, 64)
	if age := time.Since(time.Unix(at, 0)); err != nil || sum != hex.EncodeToString(mac.Sum(nil)) || age < 0 || age > time.Minute {
		r.t.Errorf("not signed as it should be: %v, %v", request.Header, err)
	}
	if request.Method != http.MethodPost || request.Header.Get("Content-Type") != "application/json" || request.URL.Path != "/hook" {
		r.t.Errorf("%s %s %v", request.Method, request.URL, request.Header)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bodies = append(r.bodies, string(body))
	code := http.StatusOK
	if len(r.codes) > 0 {
		code, r.codes = r.codes[0], r.codes[1:]
	}
	w.Header().Set("Location", r.URL+"/elsewhere")
	w.WriteHeader(code)
}

// posted is the ids of the alarms of each post.
func (r *receiver) posted() (out []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, body := range r.bodies {
		var post struct {
			Alarms []struct{ ID, Concern, Why, Title string }
		}
		if err := json.Unmarshal([]byte(body), &post); err != nil {
			r.t.Errorf("%v in %s", err, body)
		}
		var ids []string
		for _, a := range post.Alarms {
			if a.Concern == "" || a.Why == "" {
				r.t.Errorf("an alarm without words: %s", body)
			}
			ids = append(ids, a.ID)
		}
		out = append(out, strings.Join(ids, " "))
	}
	return out
}

func (r *receiver) config() AttentionConfig {
	c := attentionDefaults()
	c.URL, c.Secret = r.URL+"/hook", hookSecret
	return c
}

// notifies runs a notifier that does not wait long between its tries, until the test ends; it gives what is logged.
func notifies(t *testing.T, c AttentionConfig) (*notifier, *sharedLog) {
	t.Helper()
	logged := new(sharedLog)
	n, err := newNotifier(&Config{Attention: c}, slog.New(slog.NewTextHandler(logged, nil)))
	if err != nil {
		t.Fatal(err)
	}
	n.pause = time.Millisecond
	return n, logged
}

// sharedLog is written by one goroutine and read by another.
type sharedLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *sharedLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *sharedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func alarm(concern room.Concern, sid string) room.Alarm {
	return room.Alarm{Concern: concern, Source: "default", SID: sid, Title: "A secret meeting", Since: time.Now()}
}

func TestAPostIsSignedAndTriedAgain(t *testing.T) {
	r := startReceiver(t, http.StatusInternalServerError, http.StatusTooManyRequests)
	n, logged := notifies(t, r.config())
	if err := n.insist(t.Context(), []room.Alarm{alarm("disputed", "s1"), alarm("room_empty", "s2")}); err != nil || logged.String() != "" {
		t.Error(err, logged)
	}
	if got, want := fmt.Sprint(r.posted()), "[disputed/default/s1/ room_empty/default/s2/ disputed/default/s1/ room_empty/default/s2/ disputed/default/s1/ room_empty/default/s2/]"; got != want {
		t.Errorf("posted %s, want %s", got, want)
	}
}

func TestAPostIsGivenUpAfterThreeTriesAndFollowsNothing(t *testing.T) {
	for _, code := range []int{http.StatusInternalServerError, http.StatusForbidden, http.StatusFound, http.StatusTemporaryRedirect} {
		r := startReceiver(t, code, code, code, code)
		n, _ := notifies(t, r.config())
		err := n.insist(t.Context(), []room.Alarm{alarm("disputed", "s1")})
		if err == nil || !strings.Contains(err.Error(), strconv.Itoa(code)) || len(r.posted()) != notifyTries {
			t.Errorf("%d: %v after %d tries", code, err, len(r.posted()))
		}
	}
}

func TestWhatCannotBePostedIsLoggedWithoutSecrets(t *testing.T) {
	r := startReceiver(t)
	c := r.config()
	c.URL += "?token=hidden"
	r.Close()
	n, logged := notifies(t, c)
	for i := range notifyQueue + 3 {
		n.tell([]room.Alarm{alarm("disputed", fmt.Sprint(i))}) // never waits
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); n.run(ctx) }()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(logged.String(), "could not be posted") && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	cancel()
	<-done
	text := logged.String()
	if !strings.Contains(text, "could not be posted") || !strings.Contains(text, "too slow") {
		t.Errorf("logged: %s", text)
	}
	for _, secret := range []string{"hidden", "meeting", "127.0.0.1", string([]byte(hookSecret))} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in the log: %s", secret, text)
		}
	}
}

func TestAttentionSettingsThatCannotWorkAreRefused(t *testing.T) {
	good := startReceiver(t).config()
	for what, change := range map[string]func(*AttentionConfig){
		"ATTENTION_SECRET":              func(c *AttentionConfig) { c.Secret = "short" },
		"ATTENTION_SECRET: set one":     func(c *AttentionConfig) { c.Secret = "" },
		"ATTENTION_SECRET_FILE":         func(c *AttentionConfig) { c.SecretFile = "/nowhere" },
		"ATTENTION_URL":                 func(c *AttentionConfig) { c.URL = "http://chat.example.org/hook" },
		"ATTENTION_URL: write it":       func(c *AttentionConfig) { c.URL = "ftp://127.0.0.1/" },
		"ATTENTION_URL: write it like":  func(c *AttentionConfig) { c.URL = "https:///hook" },
		"ATTENTION_REFUSED=0":           func(c *AttentionConfig) { c.Refused = 0 },
		"ATTENTION_FILE_DUE=0s":         func(c *AttentionConfig) { c.FileDue = 0 },
		"ATTENTION_SILENT=-1m0s":        func(c *AttentionConfig) { c.Silent = Period(-time.Minute) },
		"ATTENTION_FAILED_IN=1ms: must": func(c *AttentionConfig) { c.FailedIn = Period(time.Millisecond) },
	} {
		config := testConfig("memory:")
		config.Attention = good
		change(&config.Attention)
		_, err := New(t.Context(), config, slog.New(slog.DiscardHandler))
		if err == nil || !strings.HasPrefix(err.Error(), what) || strings.Contains(err.Error(), "short") && what == "ATTENTION_SECRET" && strings.Contains(err.Error(), `"short"`) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, address := range []string{"https://chat.example.org/hook?token=x", "http://localhost:9/", "http://[::1]:9/x", "http://127.0.0.2/"} {
		c := good
		if c.URL = address; c.validate() != nil {
			t.Errorf("%s: %v", address, c.validate())
		}
	}
}

// What the command line gives when nothing is set, and what programs of this package take, is the same.
func TestAttentionHasOneSetOfDefaults(t *testing.T) {
	cli, _, err := parse([]string{"serve"})
	if err != nil {
		t.Fatal(err)
	}
	if got := cli.Serve.Attention; got != attentionDefaults() || got.limits() != room.DefaultLimits {
		t.Errorf("%+v", got)
	}
	t.Setenv("ROOMWATCH_ATTENTION_FILE_DUE", "20m")
	cli, _, err = parse([]string{"serve", "--attention-refused=7"})
	if err != nil {
		t.Fatal(err)
	}
	if l := cli.Serve.Attention.limits(); l.FileDue != 20*time.Minute || l.Refused != 7 {
		t.Errorf("%+v", l)
	}
}

// Of two replicas that find the same the one that leads posts it; when that one has gone, the other does.
func TestOfSeveralReplicasTheOneThatLeadsTellsWhatNeedsAttention(t *testing.T) {
	t.Parallel()
	server, hook := redistest.Start(t), startReceiver(t)
	var apps []*testApp
	for range 2 {
		config := testConfig(server.URL())
		config.Spool, config.Attention = filepath.Join(t.TempDir(), "spool.db"), hook.config()
		apps = append(apps, startApp(t, config))
	}
	await(t, "one leads", func() bool { return apps[0].record.Leads() != apps[1].record.Leads() })
	if apps[1].record.Leads() {
		slices.Reverse(apps)
	}
	leader, other := apps[0], apps[1]
	defer other.close()
	empty := func(sid string) {
		other.told(60, "room_started", sid, "")
		other.told(50, "start_recording", sid, recorderJob)
	}
	empty("s1")
	await(t, "both list it", func() bool { return len(leader.concerns()) == 1 && len(other.concerns()) == 1 })
	first := []string{"recording_nobody/default/s1/"}
	await(t, "it is posted", func() bool { return slices.Equal(hook.posted(), first) })
	leader.close()
	empty("s2")
	await(t, "the other posts what came since, and may post what it was not sure of", func() bool {
		posted := hook.posted()
		return posted[len(posted)-1] == "recording_nobody/default/s2/"
	})
	if posted := hook.posted(); !slices.Equal(posted, append(first, "recording_nobody/default/s2/")) && !slices.Equal(posted, append(first, first[0], "recording_nobody/default/s2/")) {
		t.Errorf("posted %q", posted)
	}
}
