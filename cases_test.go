package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// fieldCase is the bodies of one of testdata/cases, as they came.
func fieldCase(t *testing.T, name string) (bodies [][]byte) {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("testdata", "cases", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(bytes.NewReader(file)); lines.Scan(); {
		bodies = append(bodies, slices.Clone(lines.Bytes()))
	}
	return bodies
}

var unixSeconds = regexp.MustCompile(`"(\d{10})(\d{3})?"`)

// movedBy are bodies with all their times moved by so many seconds.
func movedBy(bodies [][]byte, by int64) (out [][]byte) {
	for _, body := range bodies {
		out = append(out, unixSeconds.ReplaceAllFunc(body, func(text []byte) []byte {
			at, _ := strconv.ParseInt(string(text[1:11]), 10, 64)
			return fmt.Appendf(nil, `"%d%s"`, at+by, text[11:len(text)-1])
		}))
	}
	return out
}

// inOrders are the orders in which deliveries may come: as they did, backwards, shuffled and doubled.
func inOrders(bodies [][]byte) map[string][][]byte {
	backwards := slices.Clone(bodies)
	slices.Reverse(backwards)
	shuffled := append(slices.Clone(bodies), bodies...)
	rand.New(rand.NewPCG(15, 1)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	return map[string][][]byte{"in order": bodies, "backwards": backwards, "shuffled and doubled": shuffled}
}

// theCase posts bodies to a program of their own, and is what it then says of the session that was told of last.
func theCase(t *testing.T, bodies [][]byte) (*testApp, room.Detail) {
	t.Helper()
	a := startApp(t, testConfig("memory:"))
	t.Cleanup(a.close)
	a.post(bodies)
	return a, a.session(sidOf(t, bodies[0]))
}

// post delivers bodies, and waits until they are shown.
func (a *testApp) post(bodies [][]byte) {
	a.t.Helper()
	for _, body := range bodies {
		if !post(a.client, a.URL(), body) {
			a.t.Fatalf("refused: %s", body)
		}
	}
	a.await("what was posted is shown", func() bool { return a.board.Position() == a.end() })
}

func (a *testApp) session(sid string) (d room.Detail) {
	a.t.Helper()
	if code := a.get("/api/v1/sessions/"+sid, &d); code != http.StatusOK {
		a.t.Fatalf("session %s: %d", sid, code)
	}
	return d
}

func sidOf(t *testing.T, body []byte) string {
	t.Helper()
	var b struct{ Room struct{ SID string } }
	if err := json.Unmarshal(body, &b); err != nil {
		t.Fatal(err)
	}
	return b.Room.SID
}

func namesOf(d room.Detail) (names []string) {
	for _, p := range d.Participants {
		if p.Online {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	return names
}

// microphones is how many are open.
func microphones(d room.Detail) (n int) {
	for _, p := range d.Participants {
		for _, t := range p.Tracks {
			if t.Source == "microphone" && t.UnpublishedAt.IsZero() {
				n++
			}
		}
	}
	return n
}

func TestCase01ARoomMadeAgainIsLiveThoughLiveKitGoesOnWithItsOldRoom(t *testing.T) {
	t.Parallel()
	bodies := fieldCase(t, "01-room-remade-livekit-room-reused")
	second := sidOf(t, bodies[len(bodies)-1])
	for order, bodies := range inOrders(bodies) {
		a, _ := theCase(t, bodies)
		d := a.session(second)
		if d.State != room.StateLive || !slices.Equal(namesOf(d), []string{"Ana", "Bo"}) || microphones(d) != 1 || d.LeftOut != 0 {
			t.Errorf("%s: %s, %v, %d microphones", order, d.State, namesOf(d), microphones(d))
		}
	}
}

func TestCase02AClockThatIsTenSecondsBehindHidesNobody(t *testing.T) {
	t.Parallel()
	for order, bodies := range inOrders(fieldCase(t, "02-livekit-clock-10s-behind")) {
		_, d := theCase(t, bodies)
		if d.State != room.StateLive || d.People != 2 || microphones(d) != 1 {
			t.Errorf("%s: %s, %d people, %d microphones", order, d.State, d.People, microphones(d))
		}
	}
}

func TestCase04WhoConnectedAgainAndLeftIsNotHereThoughTheFirstLeaveWasLost(t *testing.T) {
	t.Parallel()
	for order, bodies := range inOrders(fieldCase(t, "04-lost-leave-then-reconnect")) {
		_, d := theCase(t, bodies)
		stays := d.Participants[0].Connections
		if d.State != room.StateLive || d.People != 0 || microphones(d) != 0 || len(stays) != 2 {
			t.Fatalf("%s: %s, %d people, %d microphones, %+v", order, d.State, d.People, microphones(d), stays)
		}
		if !stays[0].LeftAt.Equal(stays[1].JoinedAt) || !stays[0].Superseded || stays[1].Superseded {
			t.Errorf("%s: the first stay does not end when the second begins: %+v", order, stays)
		}
	}
}

func TestCase05ASecondRecordingShowsThatTheFirstHasEnded(t *testing.T) {
	t.Parallel()
	for order, bodies := range inOrders(fieldCase(t, "05-lost-end-of-first-recording")) {
		a, d := theCase(t, bodies)
		var list struct {
			Sessions []room.Summary
			Totals   room.Totals
		}
		a.get("/api/v1/state", &list)
		if list.Sessions[0].RecordingsActive != 1 || list.Totals.RecordingsActive != 1 {
			t.Errorf("%s: %d recordings go on, %d in all", order, list.Sessions[0].RecordingsActive, list.Totals.RecordingsActive)
		}
		first, second := d.Recordings[0], d.Recordings[1]
		if first.State != room.RecordingProcessing || !first.EndedAt.Equal(second.StartedAt) || second.State != room.RecordingActive {
			t.Errorf("%s: %+v, then %+v", order, first, second)
		}
	}
}

func TestCase06PlannedTimeCountsFromTheFirstJoin(t *testing.T) {
	t.Parallel()
	const made = 1795997900
	bodies := fieldCase(t, "06-planned-time-counts-from-first-join")
	over := movedBy(bodies, time.Now().Unix()-48*60-made) // made 48 minutes ago, begun 33 minutes ago, for 30
	for i, body := range over {
		over[i] = []byte(strings.NewReplacer(sidOf(t, body), "over", `"r6"`, `"r6-over"`, `"id": "`, `"id": "over-`).Replace(string(body)))
	}
	a, d := theCase(t, append(movedBy(bodies, time.Now().Unix()-35*60-made), over...))
	if d.PlannedMinutes != 30 || d.State != room.StateLive {
		t.Fatalf("planned for %d minutes, %s", d.PlannedMinutes, d.State)
	}
	var alarms struct {
		Items []struct{ SID, Concern string }
	}
	// A look may come before the first person has, and find a room empty. The other room was made 35 minutes ago and begun
	// 20 minutes ago, for 30.
	a.await("of two rooms the one whose time is over is told, and nothing else", func() bool {
		a.get("/api/v1/attention", &alarms)
		return len(alarms.Items) == 1 && alarms.Items[0].SID == "over" && alarms.Items[0].Concern == string(room.ConcernRoomOverdue)
	})
}

func TestCase11ATitleAndANameThatShowNothingAreAbsent(t *testing.T) {
	t.Parallel()
	for order, bodies := range inOrders(fieldCase(t, "11-blank-title-and-name")) {
		a, d := theCase(t, bodies)
		if d.Title != "" || d.RoomID != "r11" || len(d.Participants) != 1 || d.Participants[0].Name != "" || d.Participants[0].Identity != "u-1" {
			t.Errorf("%s: title %+q, %+v", order, d.Title, d.Participants)
		}
		for path, want := range map[string]string{"/": "r11", "/sessions": "r11", "/rooms/" + d.SID: "u-1"} {
			a.await(order+": "+path+" shows "+want, func() bool { return strings.Contains(a.text(path), ">"+want+"<") })
		}
	}
}

func TestCase12AnyTwoNeighbouringCharactersOfATitleWithoutSpacesAreFound(t *testing.T) {
	t.Parallel()
	a, d := theCase(t, movedBy(fieldCase(t, "12-title-without-spaces"), time.Now().Unix()-1796000000)) // or an alarm names it
	for q, want := range map[string]int{"市场": 1, "场部": 1, "部周": 1, "周会": 1, "市场部周会": 1, "部周会": 1, "会": 1, "周": 1, "市周": 0, "会市": 0, "周会 r12": 1} {
		path := "/api/v1/sessions?q=" + url.QueryEscape(q)
		var page room.Page[room.Summary]
		a.await(path+" finds it", func() bool { a.get(path, &page); return len(page.Items) == want })
		for _, live := range []string{"/?q=" + url.QueryEscape(q), "/sessions?q=" + url.QueryEscape(q)} {
			if shown := strings.Contains(a.text(live), "/rooms/"+d.SID); shown != (want > 0) {
				t.Errorf("%s shows it: %v", live, shown)
			}
		}
	}
}

// Skew is measured by many deliveries, and then told on Intake, by the API, as a metric, and by check; nobody vanishes
// before, while or after that.
func TestFault61ClocksThatDifferAreMeasuredAndToldAndHideNobody(t *testing.T) {
	t.Parallel()
	for name, behind := range map[string]int64{"behind": 60, "far behind": 120, "ahead": -60} {
		a := startApp(t, testConfig("memory:"))
		t.Cleanup(a.close)
		meet := func(n int) {
			at := time.Now().Unix()
			sid := fmt.Sprintf("s-%d", n)
			body := func(event, id string, livekit bool, rest string) []byte {
				created := at
				if livekit {
					created -= behind
				}
				return fmt.Appendf(nil, `{"event":%q,"id":%q,"created_at":"%d","room":{"sid":%q,"room_id":"r-%d","creation_time":"%d"}%s}`,
					event, id, created, sid, n, created, rest)
			}
			bodies := [][]byte{body("room_created", "C"+sid, false, "")}
			for i := range 4 {
				who := fmt.Sprintf(`,"participant":{"sid":"PA_%d_%d","identity":"u-%d","joined_at":"%d"}`, n, i, i, at-behind)
				bodies = append(bodies, body("participant_joined", fmt.Sprintf("J%d-%s", i, sid), true, who))
			}
			a.post(bodies)
			if d := a.session(sid); d.People != 4 || d.State != room.StateLive {
				t.Fatalf("%s, room %d: %s with %d people", name, n, d.State, d.People)
			}
		}
		for n := range 10 {
			meet(n)
		}
		if err := a.checks.clocks.Look(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		a.await("clocks were measured", func() bool { return a.board.Skew("default") != nil })
		for n := range 10 {
			meet(10 + n)
		}
		words := map[int64]string{60: "LiveKit’s clock is 60 s behind plugNmeet’s", 120: "LiveKit’s clock is 2 min behind plugNmeet’s", -60: "LiveKit’s clock is 60 s ahead of plugNmeet’s"}[behind]
		if page := a.text("/intake"); !strings.Contains(page, words) {
			t.Errorf("%s: Intake does not say %q", name, words)
		}
		_, value, _ := strings.Cut(a.text("/metrics"), "\nroomwatch_clock_skew_seconds{source=\"default\"} ")
		value, _, _ = strings.Cut(value, "\n")
		if skew, err := strconv.ParseFloat(value, 64); err != nil || math.Abs(skew+float64(behind)) > 1 {
			t.Errorf("%s: the metric says %q, %v", name, value, err)
		}
		config := testConfig("file:" + filepath.Join(t.TempDir(), "other.db"))
		config.Listen = a.Addr()
		check := &checkCommand{Config: config}
		_, clocks, _ := check.askServe(t.Context())
		if found := checkClocks(clocks, time.Now()); len(found) != 1 || found[0].state != doubt || !strings.Contains(found[0].text, words) {
			t.Errorf("%s: check says %v", name, found)
		}
	}
}

// A delivery that is left out says so where it is listed, and is counted.
func TestAStragglersDeliverySaysThatItIsLeftOut(t *testing.T) {
	t.Parallel()
	a := startApp(t, testConfig("memory:"))
	t.Cleanup(a.close)
	a.replay(capture(t, "../contract/webhooks.jsonl"), 0)
	a.await("it is shown", func() bool { return a.board.Position() == a.end() })
	const second = "c2f1b7a4-93de-4b0e-8a27-71f9c5d0e842"
	var page room.Page[room.Delivery]
	a.get("/api/v1/deliveries?sid="+second+"&event=participant_left", &page)
	const why = "left out: it is of an earlier session of this room, which knows the same connection or track"
	if len(page.Items) != 1 || page.Items[0].Verdict != room.Accepted || page.Items[0].Reason != why {
		t.Errorf("%+v", page.Items)
	}
	if d := a.session(second); d.LeftOut != 1 {
		t.Errorf("%d left out", d.LeftOut)
	}
	if text := a.text("/metrics"); !strings.Contains(text, `roomwatch_left_out{source="default"} 1`) {
		t.Error("it is not counted")
	}
}
