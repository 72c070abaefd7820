package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/simulate"
	"github.com/roomwatch/roomwatch/store"
)

// checked is a board over a record, and a stand-in for plugNmeet's API that it is held against.
type checked struct {
	*live.Board
	t      fatal
	record *store.SQLite
	api    *simulate.API
	check  *live.Reconciler
	url    string // of the stand-in
}

// fatal is a *testing.T or a *rapid.T.
type fatal interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
	Context() context.Context
}

// openChecked holds a board against a truth. It ends with the test, or when the function is called.
func openChecked(t fatal, quiet time.Duration, truth func() []room.Detail) (*checked, func()) {
	t.Helper()
	silent := slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(context.Background())
	record, err := store.Open(ctx, "memory:", silent)
	if err != nil {
		t.Fatal(err)
	}
	c := &checked{Board: live.NewBoard(record, []string{"default"}, silent), t: t, record: record,
		api: &simulate.API{APIKey: testKey, Secret: testSecret, Rooms: truth}}
	server := httptest.NewServer(c.api)
	c.url = server.URL
	client, err := plugnmeet.NewAPI(plugnmeet.APISettings{Source: "default", ServerURL: server.URL, APIKey: testKey, Secret: testSecret,
		Timeout: 2 * time.Second, Pause: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	c.check = live.NewReconciler(c.Board, record, record, "default", meet{client},
		live.ReconcileConfig{Every: 10 * time.Millisecond, Quiet: quiet, Log: silent})
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	<-c.Ready()
	return c, func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("board: %v", err)
		}
		client.Close()
		server.CloseClientConnections()
		server.Close()
		if err := record.Close(); err != nil {
			t.Errorf("record: %v", err)
		}
	}
}

// hear records deliveries as received when they were sent, and waits until they are folded.
func (c *checked) hear(deliveries ...simulate.Delivery) {
	c.t.Helper()
	last := ""
	for _, d := range deliveries {
		delivery, err := plugnmeet.Decode("default", d.Body, d.At)
		if err != nil {
			c.t.Fatal(err)
		}
		recorded, err := c.record.Append(context.Background(), delivery)
		if err != nil {
			c.t.Fatal(err)
		}
		if recorded.Position != "" {
			last = recorded.Position
		}
	}
	for deadline := time.Now().Add(20 * time.Second); last != "" && c.Position() != last; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatalf("the board stays at %q, before %q", c.Position(), last)
		}
	}
}

// rounds polls so many times. What the API says may be anything: that it fails is no failure.
func (c *checked) rounds(n int) {
	for range n {
		_ = c.check.Round(context.Background())
		time.Sleep(2 * time.Millisecond) // polls have different names by their millisecond
	}
}

// open is everything that goes on by what the board knows, a line each.
func (c *checked) open() (lines []string) {
	c.t.Helper()
	for cursor := ""; ; {
		state, err := c.State(time.Now(), room.MaxLimit, cursor)
		if err != nil {
			c.t.Fatal(err)
		}
		for _, s := range state.Sessions {
			d, err := c.Detail(context.Background(), "default", s.SID)
			if err != nil {
				c.t.Fatal(err)
			}
			lines = append(lines, goesOn(d)...)
		}
		if cursor = state.Next; cursor == "" {
			slices.Sort(lines)
			return lines
		}
	}
}

// truthOf is the same by the stand-in.
func truthOf(truth []room.Detail) (lines []string) {
	for _, d := range truth {
		if d.State != room.StateEnded {
			lines = append(lines, goesOn(d)...)
		}
	}
	slices.Sort(lines)
	return lines
}

// goesOn leaves out whom plugNmeet's API never lists: a check cannot know of them, nor of any caller whether it lists
// them until it does. On which connection somebody is it cannot know either, for it may list their twin.
func goesOn(d room.Detail) []string {
	lines := []string{d.RoomID + " " + d.SID + " " + d.Title + " of " + d.ParentRoomID}
	for _, p := range d.Participants {
		if p.Kind == "sip" || unlistable(p.Identity) {
			continue
		}
		if p.Online {
			lines = append(lines, fmt.Sprint(d.RoomID, " ", p.Identity, " ", p.Name, " ", p.Kind))
		}
		lines = append(lines, publishes(d, p)...)
	}
	return lines
}

func publishes(d room.Detail, p room.Participant) (lines []string) {
	for _, t := range p.Tracks {
		if t.Open {
			lines = append(lines, fmt.Sprint(d.RoomID, " ", p.Identity, " ", t.SID, " ", t.Source, " muted ", t.Muted))
		}
	}
	return lines
}

// unlistable are callers from outside and insight agents (contract 5.3).
func unlistable(identity string) bool {
	number, caller := strings.CutPrefix(identity, "sip_")
	return caller && len(number) > 4 || strings.HasPrefix(identity, "pnm_agent-")
}

// unlisted is who of those is there, a line each, and what they publish.
func unlisted(d room.Detail) (lines []string) {
	for _, p := range d.Participants {
		if !unlistable(p.Identity) {
			continue
		}
		if p.Online {
			lines = append(lines, fmt.Sprint(d.RoomID, " ", p.Identity, " ", p.Name, " ", p.Kind))
		}
		lines = append(lines, publishes(d, p)...)
	}
	slices.Sort(lines)
	return lines
}

// differences are the lines that only one of both has.
func differences(got, want []string) (out []string) {
	for _, line := range got {
		if _, there := slices.BinarySearch(want, line); !there {
			out = append(out, "only here: "+line)
		}
	}
	for _, line := range want {
		if _, there := slices.BinarySearch(got, line); !there {
			out = append(out, "only there: "+line)
		}
	}
	return out
}

func (c *checked) disputed() (n int) {
	state, err := c.State(time.Now(), room.MaxLimit, "")
	if err != nil {
		c.t.Fatal(err)
	}
	for _, s := range state.Sessions {
		if s.Trust == room.TrustDisputed {
			n++
		}
	}
	return n
}

// afternoon is a life of so long up to now, and all that it told.
func afternoon(seed uint64, rooms int, long time.Duration) (*simulate.Life, []simulate.Delivery) {
	start := time.Now().Add(-long)
	life := simulate.Plan{Seed: seed, Rooms: rooms, People: 6, Start: start, Memory: 1 << 20}.Begin()
	return life, slices.Collect(life.Until(start.Add(long)))
}
