package main

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/simulate"
)

// told is what a recorded delivery says of a connection, read by this test alone.
type told struct {
	Event   string
	Created string `json:"created_at"`
	Room    struct{ SID string }
	Person  struct {
		SID, Identity string
		JoinedMS      string `json:"joined_at_ms"`
	} `json:"participant"`
}

// stay is when somebody was here, in milliseconds.
type stay struct{ from, to float64 }

// stays reads from a capture who was in each ended session and when: session, then identity.
func stays(t *testing.T, deliveries []simulate.Recorded) map[string]map[string][]stay {
	t.Helper()
	ends, opened := make(map[string]float64), make(map[string]map[string]map[string]stay)
	for _, d := range deliveries {
		var said told
		if err := json.Unmarshal(d.Body, &said); err != nil {
			t.Fatal(err)
		}
		at := number(t, said.Created) * 1000
		switch p := said.Person; said.Event {
		case "session_ended":
			ends[said.Room.SID] = at
		case "participant_joined", "participant_left":
			sessions := inner(opened, said.Room.SID)
			c := inner(sessions, p.Identity)[p.SID]
			if said.Event == "participant_left" {
				c.to = at
			}
			if p.JoinedMS != "" && p.JoinedMS != "0" {
				c.from = number(t, p.JoinedMS)
			}
			sessions[p.Identity][p.SID] = c
		}
	}
	out := make(map[string]map[string][]stay)
	for sid, end := range ends {
		for identity, connections := range opened[sid] {
			for _, c := range connections {
				if c.to == 0 {
					c.to = end
				}
				inner(out, sid)[identity] = append(out[sid][identity], c)
			}
		}
	}
	return out
}

func inner[V any](m map[string]map[string]V, key string) map[string]V {
	if m[key] == nil {
		m[key] = make(map[string]V)
	}
	return m[key]
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

var (
	drawnWindow = regexp.MustCompile(`data-from="(\d+)" data-to="(\d+)"`)
	drawnLane   = regexp.MustCompile(`id="lane-([^"]+)"(.*?)</svg></div>`)
	drawnHere   = regexp.MustCompile(`class="here" x="([\d.]+)%" width="([\d.]+)%"`)
)

// drawn reads the bars of a page's timeline back into times, by identity.
func drawn(t *testing.T, page string) map[string][]stay {
	t.Helper()
	w := drawnWindow.FindStringSubmatch(page)
	if w == nil {
		t.Fatal("the page has no timeline")
	}
	from, to := number(t, w[1]), number(t, w[2])
	out := make(map[string][]stay)
	for _, lane := range drawnLane.FindAllStringSubmatch(page, -1) {
		for _, bar := range drawnHere.FindAllStringSubmatch(lane[2], -1) {
			x, width := number(t, bar[1]), number(t, bar[2])
			out[lane[1]] = append(out[lane[1]], stay{from + x*(to-from)/100, from + (x+width)*(to-from)/100})
		}
	}
	return out
}

func TestTheTimelineOfTheCapturedDayIsRightToTheSecond(t *testing.T) {
	app := startApp(t, testConfig("memory:"))
	defer app.close()
	capture := capture(t, "three-rooms.jsonl")
	app.replay(capture, 0)
	app.history(5)
	compared := 0
	for sid, people := range stays(t, capture) {
		lanes := drawn(t, app.text("/rooms/"+sid+"?span=session"))
		for identity, want := range people {
			got := lanes[identity]
			slices.SortFunc(got, func(a, b stay) int { return int(a.from - b.from) })
			slices.SortFunc(want, func(a, b stay) int { return int(a.from - b.from) })
			if len(got) != len(want) {
				t.Errorf("%s in %s came %d times and is drawn %d times", identity, sid, len(want), len(got))
				continue
			}
			for i, w := range want {
				if math.Abs(got[i].from-w.from) >= 1000 || math.Abs(got[i].to-w.to) >= 1000 {
					t.Errorf("%s in %s was here from %.0f to %.0f and is drawn from %.0f to %.0f", identity, sid, w.from, w.to, got[i].from, got[i].to)
				}
				compared++
			}
		}
	}
	if compared < 20 {
		t.Errorf("only %d stays were compared", compared)
	}
}

// Each page answers its question after the captured day, in what it shows without a script.
func TestEveryPageAnswersItsQuestionAboutTheCapturedDay(t *testing.T) {
	app := startApp(t, testConfig("memory:"))
	defer app.close()
	app.replay(capture(t, "three-rooms.jsonl"), 0)
	history := app.history(5)
	for path, wants := range map[string][]string{
		"/sessions":                                    {"5 sessions", "rig-f1-1", "25 MB"},
		"/sessions?q=dmitri":                           {"match", "<mark>Dmitri</mark>"},
		"/sessions?q=nobody-of-this-name":              {"Clear"},
		"/sessions?from=2026-11-22&to=2026-11-22":      {"5 sessions"},
		"/sessions?to=2026-11-21":                      {"Clear"},
		"/recordings":                                  {"2 recordings", "18 MB", "7.4 MB", ".mp4"},
		"/recordings?state=failed":                     {"Clear"},
		"/artifacts?class=usage":                       {"Transcription usage", "0m 59s", "tokens"},
		"/artifacts?type=MEETING_SUMMARY":              {"1 artifact", "text/plain"},
		"/intake":                                      {"1 source", "accepted", "session_ended"},
		"/intake?event=recording_proceeded":            {"recording_proceeded"},
		"/rooms/770aa658-cb96-4525-8930-57d5a3d2e818":  {"Deliveries of this session", "removed", "timed out"},
		"/intake?sid=770aa658-cb96-4525-8930-57d5a3d2": {"Clear"},
	} {
		page := app.text(path)
		for _, want := range wants {
			if !strings.Contains(page, want) {
				t.Errorf("%s does not tell of %q", path, want)
			}
		}
	}
	for _, d := range history {
		page := app.text("/rooms/" + d.SID)
		if !strings.Contains(page, `id="timeline-axis"`) {
			t.Errorf("the page of %s has no timeline", d.Title)
		}
		if told, is := strings.Contains(page, ">Side room<"), d.RoomID == "rig-f1-2" || d.Title == "Side room"; told != is && d.Title != "Room 2, second session" {
			t.Errorf("the page of %s tells of the side room: %v", d.Title, told)
		}
	}
}

// A month later nothing of it is in memory: the page of a session is made from the record alone.
func TestAnOldSessionsPageIsWholeAfterARestart(t *testing.T) {
	config := testConfig("file:" + t.TempDir() + "/record.db")
	app := startApp(t, config)
	app.replay(capture(t, "three-rooms.jsonl"), 0)
	app.history(5)
	path := "/rooms/770aa658-cb96-4525-8930-57d5a3d2e818"
	before := app.text(path)
	app.close()
	again := startApp(t, config)
	defer again.close()
	// What needs attention is looked for now and then, before or after the page was asked for.
	varying := regexp.MustCompile(`data-(epoch|seq|at)="[^"]*"|<time class="scripted"[^>]*>[^<]*</time>|as of [^<]*<|<a id="alarms-count".*?</a>`)
	if a, b := varying.ReplaceAllString(before, ""), varying.ReplaceAllString(again.text(path), ""); a != b {
		at := 0
		for at < min(len(a), len(b)) && a[at] == b[at] {
			at++
		}
		t.Errorf("the page differs:\n…%.300s\n…%.300s", a[max(0, at-100):], b[max(0, at-100):])
	}
}

// The exports of a filter hold exactly what the API lists for it.
func TestAnExportIsWhatIsFiltered(t *testing.T) {
	app := startApp(t, testConfig("memory:"))
	defer app.close()
	app.replay(capture(t, "three-rooms.jsonl"), 0)
	app.history(5)
	for list, filters := range map[string][]string{"sessions": {"", "state=ended", "q=dmitri"}, "recordings": {"", "state=ready"}, "artifacts": {"class=file", "q=dmitri"}} {
		for _, filter := range filters {
			var asked, exported room.Page[map[string]any]
			app.get("/api/v1/"+list+"?limit=200&"+filter, &asked)
			app.get("/"+list+".json?"+filter, &exported)
			if len(asked.Items) == 0 || fmt.Sprint(asked.Items) != fmt.Sprint(exported.Items) {
				t.Errorf("%s?%s: the API lists %d, the export holds %d", list, filter, len(asked.Items), len(exported.Items))
			}
			if lines := strings.Count(app.text("/"+list+".csv?"+filter), "\n"); lines != len(asked.Items)+1 {
				t.Errorf("%s.csv?%s has %d lines for %d items", list, filter, lines, len(asked.Items))
			}
		}
	}
}

func TestABackupTakenBesideAServeOpensAsARecord(t *testing.T) {
	dir := t.TempDir()
	app := startApp(t, testConfig("file:"+dir+"/record.db"))
	app.replay(capture(t, "two-people.jsonl"), 0)
	want := app.history(1)
	backup := backupCommand{Store: "file:" + dir + "/record.db", File: dir + "/copy.db"}
	if err := backup.Run(); err != nil {
		t.Fatal(err)
	}
	if err := backup.Run(); err == nil {
		t.Error("a backup was written over another")
	}
	app.close()
	again := startApp(t, testConfig("file:"+dir+"/copy.db"))
	defer again.close()
	a, _ := json.Marshal(want)
	if b, _ := json.Marshal(again.history(1)); string(a) != string(b) {
		t.Errorf("the copy holds\n%s\nwant\n%s", b, a)
	}
}

func TestPeriodsAreReadInDaysToo(t *testing.T) {
	for text, want := range map[string]time.Duration{"90d": 90 * 24 * time.Hour, "36h": 36 * time.Hour, "1d": 24 * time.Hour, "30s": 30 * time.Second, "1h30m": 90 * time.Minute} {
		var p Period
		if err := p.UnmarshalText([]byte(text)); err != nil || time.Duration(p) != want {
			t.Errorf("%s: %v, %v", text, p, err)
		}
		var again Period
		if err := again.UnmarshalText([]byte(p.String())); err != nil || again != p {
			t.Errorf("%s is written as %s", text, p)
		}
	}
	for _, text := range []string{"", "d", "1.5d", "-1d", "90", "1w", "999999d"} {
		var p Period
		if err := p.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is read as %v", text, p)
		}
	}
}
