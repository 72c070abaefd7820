package simulate_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roomwatch/roomwatch/simulate"
	"go.uber.org/goleak"
)

// leavesNothing fails the test if it leaves goroutines behind. It must be called before anything else.
func leavesNothing(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

func byRoom(told []simulate.Delivery) map[string][]string {
	rooms := make(map[string][]string)
	for _, d := range told {
		rooms[d.RoomID] = append(rooms[d.RoomID], string(d.Body))
	}
	return rooms
}

func TestSenderKeepsTheOrderOfARoom(t *testing.T) {
	leavesNothing(t)
	r := listen(t)
	_, told := lived(t, simulate.Plan{Seed: 11, Rooms: 8}, time.Hour)
	result, err := simulate.Sender{Target: r.URL, APIKey: "key", Secret: secret, Connections: 4}.Run(t.Context(), slices.Values(told))
	if err != nil || result.Sent != len(told) || result.Failed != 0 || !maps.Equal(result.Answers, map[int]int{200: len(told)}) {
		t.Errorf("%d deliveries: %+v, %v", len(told), result, err)
	}
	if n := r.connections.Load(); n > 4 {
		t.Errorf("%d connections", n)
	}
	sent := make(map[string]simulate.Delivery, len(told))
	for _, d := range told {
		sent[string(d.Body)] = d
	}
	received := make([]simulate.Delivery, len(r.bodies))
	var newest time.Time
	for i, body := range r.bodies {
		received[i] = sent[body]
		if newest.Sub(sent[body].At) > time.Minute {
			t.Errorf("%s of %s would be called late", sent[body].Event, sent[body].RoomID)
		}
		newest = later(newest, sent[body].At)
	}
	if !maps.EqualFunc(byRoom(told), byRoom(received), slices.Equal) {
		t.Error("a room's deliveries came in another order")
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func TestASlowRoomHoldsUpNoOther(t *testing.T) {
	leavesNothing(t)
	other := make(chan struct{})
	var inSlow atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		switch body, _ := io.ReadAll(request.Body); string(body) {
		case "slow":
			if inSlow.Add(1) > 1 {
				t.Error("two deliveries of a room at the same time")
			}
			<-other
			inSlow.Add(-1)
		case "last of the other":
			close(other)
		}
	}))
	defer server.Close()
	deliveries := []simulate.Delivery{{RoomID: "a", Body: []byte("slow")}, {RoomID: "a", Body: []byte("slow")}, {RoomID: "b"}, {RoomID: "b"}, {RoomID: "b", Body: []byte("last of the other")}}
	result, err := simulate.Sender{Target: server.URL, APIKey: "key", Secret: secret}.Run(t.Context(), slices.Values(deliveries))
	if err != nil || result.Sent != len(deliveries) {
		t.Errorf("%+v, %v", result, err)
	}
}

func TestSenderStopsWhenAskedTo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var answered atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		_, _ = io.Copy(io.Discard, request.Body)
		if answered.Add(1) > 100 {
			cancel()
			<-request.Context().Done()
		}
	}))
	defer server.Close()
	before := goleak.IgnoreCurrent()
	taken := 0
	endless := func(yield func(simulate.Delivery) bool) {
		life := simulate.Plan{Rooms: 100, Start: start}.Begin()
		for {
			for d := range life.Until(life.Now().Add(time.Hour)) {
				if taken++; !yield(d) {
					return
				}
			}
		}
	}
	result, err := simulate.Sender{Target: server.URL, APIKey: "key", Secret: secret}.Run(ctx, endless)
	if !errors.Is(err, context.Canceled) || result.Sent < 100-8 || result.Sent > 108 {
		t.Errorf("%+v, %v", result, err)
	}
	if taken > result.Sent+256+1 {
		t.Errorf("took %d deliveries and sent %d", taken, result.Sent)
	}
	goleak.VerifyNone(t, before)
}

func TestSenderKeepsToItsConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sending atomic.Int32
		client := &http.Client{Transport: transport(func(request *http.Request) (*http.Response, error) {
			defer sending.Add(-1)
			if n := sending.Add(1); n > 3 {
				t.Errorf("%d deliveries at the same time", n)
			}
			<-time.After(time.Second)
			return &http.Response{StatusCode: 200, Body: http.NoBody, Request: request}, nil
		})}
		begin := time.Now()
		result, err := simulate.Sender{Target: "http://host", APIKey: "key", Secret: secret, Connections: 3, Client: client}.Run(t.Context(), rooms(40))
		if took := time.Since(begin); err != nil || result.Sent != 40 || took != 14*time.Second {
			t.Errorf("%+v, %v, after %v", result, err, took)
		}
	})
}

// rooms is one delivery for each of so many rooms.
func rooms(n int) iter.Seq[simulate.Delivery] {
	return func(yield func(simulate.Delivery) bool) {
		for i := range n {
			if !yield(simulate.Delivery{RoomID: strconv.Itoa(i)}) {
				return
			}
		}
	}
}

func TestSenderWaitsUntilADeliveryIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, times, _ := answering(200)
		begin := time.Now()
		due := []time.Duration{-time.Hour, 0, 20 * time.Second, 20 * time.Second, time.Minute}
		deliveries := func(yield func(simulate.Delivery) bool) {
			for _, d := range due {
				if !yield(simulate.Delivery{At: begin.Add(d), RoomID: "a"}) {
					return
				}
			}
		}
		if _, err := (simulate.Sender{Target: "http://host", APIKey: "key", Secret: secret, Client: client}).Run(t.Context(), deliveries); err != nil {
			t.Fatal(err)
		}
		for i, at := range *times {
			if want := max(0, due[i]); at.Sub(begin) != want {
				t.Errorf("delivery %d after %v, want %v", i, at.Sub(begin), want)
			}
		}
	})
}

func TestSenderGivesUpWhatItCannotDeliver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, times, _ := answering(503, 503, 503, 0, 429, 200, 200)
		result, err := simulate.Sender{Target: "http://host", APIKey: "key", Secret: secret, Client: client}.Run(t.Context(), slices.Values([]simulate.Delivery{{}, {}, {}}))
		if err != nil || result.Sent != 2 || result.Failed != 1 || !maps.Equal(result.Answers, map[int]int{503: 3, 429: 1, 200: 2}) || len(*times) != 7 {
			t.Errorf("%+v after %d posts, %v", result, len(*times), err)
		}
	})
	for name, sender := range map[string]simulate.Sender{"no URL": {Target: "host", APIKey: "key", Secret: secret}, "nothing to sign with": {Target: "http://host"}} {
		if _, err := sender.Run(t.Context(), slices.Values([]simulate.Delivery{{}})); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
