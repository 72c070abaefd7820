package simulate_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/simulate"
)

const secret = plugnmeet.Secret("a-secret-of-more-than-32-bytes-for-tests")

func capture(t *testing.T, file string) []simulate.Recorded {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := simulate.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// receiver verifies and keeps what it is sent.
type receiver struct {
	*httptest.Server
	connections atomic.Int32
	mu          sync.Mutex
	bodies      []string
}

func listen(t *testing.T) *receiver {
	t.Helper()
	keyring, err := plugnmeet.NewKeyring([]plugnmeet.Source{{Name: "default", APIKey: "key", Secrets: []plugnmeet.Secret{secret}}})
	if err != nil {
		t.Fatal(err)
	}
	r := new(receiver)
	r.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		authorization, hashToken := request.Header.Values("Authorization"), request.Header.Values("Hash-Token")
		_, err := keyring.Verify(authorization, hashToken, body, time.Now())
		if err != nil || len(authorization) != 1 || len(hashToken) != 1 || request.URL.Path != "/webhook" || request.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%v: %s %v", err, request.URL, request.Header)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.bodies = append(r.bodies, string(body))
		_, _ = io.WriteString(w, `{"status":"stored"}`)
	}))
	r.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			r.connections.Add(1)
		}
	}
	r.Start()
	t.Cleanup(r.Close)
	return r
}

func TestReplayArrivesInOrderSignedOverOneConnection(t *testing.T) {
	for _, file := range []string{"captures/two-people.jsonl", "captures/three-rooms.jsonl", "contract/webhooks.jsonl"} {
		r, all := listen(t), capture(t, file)
		result, err := simulate.Replay{Target: r.URL, APIKey: "key", Secret: secret}.Run(t.Context(), all)
		if err != nil || result.Sent != len(all) || result.Failed != 0 || !maps.Equal(result.Answers, map[int]int{200: len(all)}) {
			t.Errorf("%s: %+v, %v", file, result, err)
		}
		if r.connections.Load() != 1 {
			t.Errorf("%d connections", r.connections.Load())
		}
		if !slices.EqualFunc(all, r.bodies, func(sent simulate.Recorded, got string) bool { return string(sent.Body) == got }) {
			t.Errorf("%s: other bodies or another order", file)
		}
	}
}

func TestReadKnowsTimesEventsAndIDs(t *testing.T) {
	all := capture(t, "captures/two-people.jsonl")
	if len(all) != 21 || all[1].At != 68*time.Millisecond || all[1].Event != "room_started" || all[1].ID != "EV_GC5fZDhLTZiR" {
		t.Errorf("%d, %+v", len(all), all[1])
	}
	for _, delivery := range all {
		d, err := plugnmeet.Decode("default", delivery.Body, time.Now())
		if err != nil || d.Event != delivery.Event || d.ID != delivery.ID || d.Said.Kind == room.KindOther {
			t.Errorf("%s %s: %v", delivery.Event, delivery.ID, err)
		}
	}
}

func TestReadNamesTheBadLine(t *testing.T) {
	good := `{"at_ms":1,"body":"{}"}` + "\n"
	for name, c := range map[string]struct{ text, want string }{
		"not JSON":  {good + good + "x", "line 3: invalid"},
		"no body":   {good + "\n" + `{"at_ms":2}`, "line 3: has no body"},
		"too long":  {good + `{"body":"` + strings.Repeat("x", 2<<20) + `"}`, "line 2: longer than 2097152 bytes"},
		"an array":  {"[]", "line 1: "},
		"body null": {`{"body":null}`, "line 1: has no body"},
	} {
		if _, err := simulate.Read(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	all, err := simulate.Read(strings.NewReader("\n" + good + "\n\n" + `{"body":"not JSON at all"}`))
	if err != nil || len(all) != 2 || string(all[1].Body) != "not JSON at all" || all[1].Event != "" {
		t.Errorf("%+v, %v", all, err)
	}
	if all, err := simulate.Read(bytes.NewReader(nil)); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestWebhookURL(t *testing.T) {
	for target, want := range map[string]string{
		"http://host":                   "http://host/webhook",
		"https://host:8443/":            "https://host:8443/webhook",
		"http://host/webhook/":          "http://host/webhook/",
		"http://host/roomwatch/webhook": "http://host/roomwatch/webhook",
		"http://host/roomwatch":         "http://host/roomwatch/webhook",
		"http://host/roomwatch/":        "http://host/roomwatch/webhook",
		"http://[::1]:80":               "http://[::1]:80/webhook",
		"http://host?a=b":               "http://host/webhook?a=b",
		"host:8080":                     "", "ftp://host": "", "http://": "", "http://:80": "", "": "", "http://host:x": "", "file:///etc": "",
	} {
		got, err := simulate.WebhookURL(target)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %s, %v", target, got, err)
		}
	}
}

// answering is a client whose server answers, in turn, with these statuses; 0 is a broken connection.
func answering(statuses ...int) (*http.Client, *[]time.Time, *[]string) {
	var times []time.Time
	var tokens []string
	return &http.Client{Transport: transport(func(request *http.Request) (*http.Response, error) {
		status := statuses[min(len(times), len(statuses)-1)]
		times, tokens = append(times, time.Now()), append(tokens, request.Header.Get("Authorization"))
		if status == 0 {
			return nil, errors.New("connection refused")
		}
		return &http.Response{StatusCode: status, Header: http.Header{"Location": {"/elsewhere"}}, Body: http.NoBody, Request: request}, nil
	})}, &times, &tokens
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(request *http.Request) (*http.Response, error) { return t(request) }

func TestReplayRetriesLikePlugNmeet(t *testing.T) {
	for _, c := range []struct {
		statuses []int
		want     simulate.Result
		after    time.Duration
	}{
		{[]int{503, 503, 503, 200}, simulate.Result{Failed: 1, Answers: map[int]int{503: 3}}, 3 * time.Second},
		{[]int{500, 429, 200}, simulate.Result{Sent: 1, Answers: map[int]int{500: 1, 429: 1, 200: 1}}, 3 * time.Second},
		{[]int{0, 200}, simulate.Result{Sent: 1, Answers: map[int]int{200: 1}}, time.Second},
		{[]int{0}, simulate.Result{Failed: 1, Answers: map[int]int{}}, 3 * time.Second},
		{[]int{401}, simulate.Result{Sent: 1, Answers: map[int]int{401: 1}}, 0},
		{[]int{422}, simulate.Result{Sent: 1, Answers: map[int]int{422: 1}}, 0},
		{[]int{501}, simulate.Result{Sent: 1, Answers: map[int]int{501: 1}}, 0},
		{[]int{301}, simulate.Result{Sent: 1, Answers: map[int]int{301: 1}}, 0},
		{[]int{307}, simulate.Result{Sent: 1, Answers: map[int]int{307: 1}}, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, times, tokens := answering(c.statuses...)
			start := time.Now()
			got, err := simulate.Replay{Target: "http://host", APIKey: "key", Secret: secret, Client: client}.Run(t.Context(), []simulate.Recorded{{Body: []byte("{}")}})
			if err != nil || got.Sent != c.want.Sent || got.Failed != c.want.Failed || !maps.Equal(got.Answers, c.want.Answers) {
				t.Errorf("%v: %+v, %v", c.statuses, got, err)
			}
			if took := (*times)[len(*times)-1].Sub(start); took != c.after {
				t.Errorf("%v: the last attempt came after %v, want %v", c.statuses, took, c.after)
			}
			if len(slices.Compact(*tokens)) != 1 {
				t.Errorf("%v: a retry has another token", c.statuses)
			}
		})
	}
}

func TestSpeedShortensThePauses(t *testing.T) {
	all := []simulate.Recorded{{At: 0}, {At: 20 * time.Second}, {At: 10 * time.Second}, {At: 60 * time.Second}}
	for speed, want := range map[float64][]time.Duration{
		0:  {0, 0, 0, 0},
		1:  {0, 20 * time.Second, 20 * time.Second, 60 * time.Second},
		20: {0, time.Second, time.Second, 3 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, times, _ := answering(200)
			start := time.Now()
			if _, err := (simulate.Replay{Target: "http://host", APIKey: "key", Secret: secret, Speed: speed, Client: client}).Run(t.Context(), all); err != nil {
				t.Fatal(err)
			}
			for i, at := range *times {
				if at.Sub(start) != want[i] {
					t.Errorf("speed %v: delivery %d after %v, want %v", speed, i, at.Sub(start), want[i])
				}
			}
		})
	}
}

func TestReplayStopsWhenAskedTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		client, _, _ := answering(200)
		all := []simulate.Recorded{{}, {At: time.Minute}, {At: time.Hour}}
		result, err := simulate.Replay{Target: "http://host", APIKey: "key", Secret: secret, Speed: 1, Client: client}.Run(ctx, all)
		if !errors.Is(err, context.DeadlineExceeded) || result.Sent != 2 {
			t.Errorf("%+v, %v", result, err)
		}
	})
	if _, err := (simulate.Replay{Target: "host"}).Run(t.Context(), nil); err == nil {
		t.Error("a target that is no URL")
	}
	if _, err := (simulate.Replay{Target: "http://host"}).Run(t.Context(), []simulate.Recorded{{}}); err == nil {
		t.Error("no key to sign with")
	}
}

func TestShuffledKeepsEveryDeliveryInAnOrderOfItsSeed(t *testing.T) {
	all := capture(t, "captures/three-rooms.jsonl")
	ids := func(deliveries []simulate.Recorded) (ids []string) {
		for _, delivery := range deliveries {
			if delivery.At != 0 {
				t.Error("has a time")
			}
			ids = append(ids, delivery.ID)
		}
		return ids
	}
	once, again, other, twice := ids(simulate.Shuffled(all, 7, false)), ids(simulate.Shuffled(all, 7, false)), ids(simulate.Shuffled(all, 8, false)), ids(simulate.Shuffled(all, 7, true))
	if !slices.Equal(once, again) || slices.Equal(once, other) || all[1].At == 0 {
		t.Error("the order is not the seed's, or the original was changed")
	}
	if len(once) != len(all) || len(twice) != 2*len(all) {
		t.Fatal(len(once), len(twice))
	}
	slices.Sort(once)
	slices.Sort(twice)
	for i, id := range once {
		if twice[2*i] != id || twice[2*i+1] != id {
			t.Fatalf("%s is not there twice", id)
		}
	}
}
