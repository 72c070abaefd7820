package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/simulate"
)

func TestTheDemoShowsAMovingDayAndLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	cmd := command(t, dir, "demo", "--rooms=6", "--pace=30")
	cmd.Env = append(cmd.Env, "TMPDIR="+dir)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the demo printed no address: %v, %s", err, complaints.String())
	}
	fields := strings.Fields(line)
	state := func() (s struct {
		Seq    uint64
		Totals struct{ Rooms, People int }
	}) {
		answer, err := http.Get(fields[len(fields)-1] + "/api/v1/state")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if err := json.NewDecoder(answer.Body).Decode(&s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := state()
	if first.Totals.Rooms < 3 || first.Totals.People < 3 {
		t.Errorf("it opens with %+v", first.Totals)
	}
	for deadline := time.Now().Add(10 * time.Second); state().Seq == first.Seq; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing moves")
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || complaints.Len() > 0 {
		t.Errorf("it ended with %v and said %s", err, complaints.String())
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("it left %v behind", left)
	}
}

// What the simulator says of its own day is what Roomwatch shows after it, though a fifth of the
// deliveries came twice and none in order.
func TestASimulatedDayEndsAsTheSimulatorKnows(t *testing.T) {
	app := startApp(t, testConfig("memory:"))
	defer app.close()
	plan := simulate.Plan{Seed: 7, Rooms: 5, Start: time.Now().Add(-90 * time.Minute), Duplicate: 0.2, Shuffle: true}
	life := plan.Begin()
	sender := simulate.Sender{Target: app.URL(), APIKey: testKey, Secret: testSecret}
	result, err := sender.Run(context.Background(), life.Until(time.Now()))
	if err == nil {
		var held simulate.Result
		held, err = sender.Run(context.Background(), life.Held())
		result.Failed += held.Failed
	}
	if err != nil || result.Failed > 0 {
		t.Fatalf("%+v, %v", result, err)
	}
	sent := result.Sent
	app.await("all are folded", func() bool { return app.board.Position() == app.end() })
	truth := life.Truth()
	if len(truth) < 5 {
		t.Fatalf("%d deliveries of %d sessions prove little", sent, len(truth))
	}
	for _, want := range truth {
		var got room.Detail
		if code := app.get("/api/v1/sessions/"+want.SID, &got); code != http.StatusOK {
			t.Errorf("session %s: %d", want.SID, code)
		}
		if got, want := accountOf(got), accountOf(want); !reflect.DeepEqual(got, want) {
			t.Errorf("Roomwatch shows\n%+v\nthe simulator knows\n%+v", got, want)
		}
	}
}

// account is what a session comes down to, for comparing two tellings of it.
type account struct {
	State, RoomID, Title, Parent string
	People, Bots                 int
	Here, Left, Sending, Stopped []string
	Recordings, Streams          map[string]string
	Artifacts                    []string
	Analytics                    int
}

func accountOf(d room.Detail) account {
	a := account{State: string(d.State), RoomID: d.RoomID, Title: d.Title, Parent: d.ParentRoomID, People: d.People, Bots: d.Bots,
		Recordings: map[string]string{}, Streams: map[string]string{}, Analytics: len(d.Analytics)}
	for _, p := range d.Participants {
		for _, c := range p.Connections {
			if c.LeftAt.IsZero() {
				a.Here = append(a.Here, p.Identity+" "+p.Name+" "+c.SID)
			} else {
				a.Left = append(a.Left, p.Identity+" "+c.SID+" "+c.Reason)
			}
		}
		for _, track := range p.Tracks {
			if track.UnpublishedAt.IsZero() {
				a.Sending = append(a.Sending, p.Identity+" "+track.Source+" "+track.SID)
			} else {
				a.Stopped = append(a.Stopped, track.SID)
			}
		}
	}
	for _, r := range d.Recordings {
		a.Recordings[r.RecordID] = fmt.Sprint(r.State, " ", r.SizeBytes, " ", r.FilePath)
	}
	for _, s := range d.Streams {
		a.Streams[s.RecordID] = s.State + " " + s.Message
	}
	for _, x := range d.Artifacts {
		a.Artifacts = append(a.Artifacts, x.ArtifactID+" "+x.Type)
	}
	for _, list := range [][]string{a.Here, a.Left, a.Sending, a.Stopped, a.Artifacts} {
		slices.Sort(list)
	}
	return a
}
