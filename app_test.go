package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/simulate"
)

const (
	testKey    = "plugnmeet"
	testSecret = plugnmeet.Secret("a secret of the tests, long enough to start")
	ourSecret  = plugnmeet.Secret("a secret of the replicas, long enough to start")
)

func testConfig(storeURL string) Config {
	return Config{Listen: "127.0.0.1:0", APIKey: testKey, APISecret: testSecret, Store: storeURL, AuthConfig: AuthConfig{Auth: "none", Secret: ourSecret}, Tick: 20 * time.Millisecond, Look: 100 * time.Millisecond,
		ReconcileEvery: time.Second, ReconcileQuiet: time.Second, UnverifiedAfter: Period(time.Hour), JanitorAfter: Period(24 * time.Hour), Retention: Period(90 * 24 * time.Hour), RetentionBodies: Period(7 * 24 * time.Hour), Attention: attentionDefaults()}
}

// testApp is the true program on a port of its own, closed with the test.
type testApp struct {
	*App
	t      *testing.T
	client *http.Client
}

func startApp(t *testing.T, config Config) *testApp {
	t.Helper()
	log := slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	app, err := New(t.Context(), config, log)
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Start(); err != nil {
		t.Fatal(err)
	}
	a := &testApp{App: app, t: t, client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}}
	a.await("ready", func() bool { return a.get("/readyz", nil) == http.StatusOK })
	return a
}

func (a *testApp) close() {
	a.t.Helper()
	a.client.CloseIdleConnections()
	if err := a.Close(); err != nil {
		a.t.Errorf("close: %v", err)
	}
}

// testLog shows warnings and errors of the program among the test's own.
type testLog struct{ t *testing.T }

func (l testLog) Write(line []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(line)))
	return len(line), nil
}

// await returns when the fact is there, and fails the test if it never comes.
func (a *testApp) await(what string, fact func() bool) {
	a.t.Helper()
	deadline := time.Now().Add(patience)
	for !fact() {
		if time.Now().After(deadline) {
			a.t.Fatalf("never: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// get reads a JSON answer into out, if it is not nil, and says its status.
func (a *testApp) get(path string, out any) int {
	a.t.Helper()
	answer, err := a.client.Get(a.URL() + path)
	if err != nil {
		a.t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	if out != nil {
		if err := json.Unmarshal(data, out); err != nil {
			a.t.Fatalf("%s: %v in %s", path, err, data)
		}
	}
	return answer.StatusCode
}

// end is the position of the newest entry of the record.
func (a *testApp) end() string {
	a.t.Helper()
	end, err := a.record.End(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	return end
}

// text reads a page.
func (a *testApp) text(path string) string {
	a.t.Helper()
	answer, err := a.client.Get(a.URL() + path)
	if err != nil {
		a.t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return string(data)
}

func (a *testApp) replay(deliveries []simulate.Recorded, speed float64) {
	a.t.Helper()
	replay := simulate.Replay{Target: a.URL(), APIKey: testKey, Secret: testSecret, Speed: speed}
	result, err := replay.Run(a.t.Context(), deliveries)
	if err != nil || result.Answers[http.StatusOK] != len(deliveries) {
		a.t.Fatalf("replay: %v, %v", result, err)
	}
}

// history waits until the lists, which may lag a little, hold so many ended sessions, and reads each whole.
func (a *testApp) history(ended int) []room.Detail {
	a.t.Helper()
	var page room.Page[room.Summary]
	a.await(fmt.Sprint(ended, " ended sessions in the list"), func() bool {
		a.get("/api/v1/sessions?state=ended&limit=200", &page)
		return len(page.Items) == ended
	})
	a.await("what came later is in the lists, too", func() bool {
		saved, err := a.record.Checkpoint(a.t.Context())
		return err == nil && saved == a.board.Position()
	})
	var out []room.Detail
	for _, s := range page.Items {
		var d room.Detail
		if code := a.get("/api/v1/sessions/"+s.SID, &d); code != http.StatusOK {
			a.t.Fatalf("session %s: %d", s.SID, code)
		}
		out = append(out, d)
	}
	return out
}

func capture(t testing.TB, name string) []simulate.Recorded {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", "captures", name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	deliveries, err := simulate.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	return deliveries
}

func TestMain(m *testing.M) {
	code := m.Run()
	closeChromium()
	cleanup()
	os.Exit(code)
}

// checkThreeRooms holds what captures/three-rooms.jsonl must end in, figure by figure.
func checkThreeRooms(t *testing.T, sessions []room.Detail) {
	t.Helper()
	sizes := map[int64]int{}
	streams, artifacts, analytics := 0, 0, 0
	for _, d := range sessions {
		if d.State != room.StateEnded || d.EndedBy != room.ByWebhook || d.People != 0 || d.Bots != 0 {
			t.Errorf("%s is %s by %s with %d people and %d bots", d.Name(), d.State, d.EndedBy, d.People, d.Bots)
		}
		for _, p := range d.Participants {
			if p.Online {
				t.Errorf("%s: %s is online", d.Name(), p.Identity)
			}
			for _, c := range p.Connections {
				if c.JoinedAt.IsZero() || c.LeftAt.IsZero() {
					t.Errorf("%s: connection %s joined %v, left %v", d.Name(), c.SID, c.JoinedAt, c.LeftAt)
				}
			}
			for _, tr := range p.Tracks {
				if tr.PublishedAt.IsZero() || tr.UnpublishedAt.IsZero() {
					t.Errorf("%s: track %s published %v, unpublished %v", d.Name(), tr.SID, tr.PublishedAt, tr.UnpublishedAt)
				}
			}
		}
		for _, rec := range d.Recordings {
			if rec.State != room.RecordingReady {
				t.Errorf("%s: recording %s is %s", d.Name(), rec.RecordID, rec.State)
			}
			sizes[rec.SizeBytes]++
		}
		for _, st := range d.Streams {
			if st.State != room.StreamEnded {
				t.Errorf("%s: stream %s is %s", d.Name(), st.RecordID, st.State)
			}
			streams++
		}
		artifacts += len(d.Artifacts)
		analytics += len(d.Analytics)
	}
	if len(sessions) != 5 || streams != 1 || artifacts != 11 || analytics != 3 {
		t.Errorf("%d sessions, %d streams, %d artifacts, %d analytics; want 5, 1, 11, 3", len(sessions), streams, artifacts, analytics)
	}
	if len(sizes) != 2 || sizes[18_050_000] != 1 || sizes[7_430_000] != 1 {
		t.Errorf("recordings by size: %v; want one of 18,050,000 and one of 7,430,000 bytes", sizes)
	}
}

func TestARecordedDayEndsInExactlyWhatHappened(t *testing.T) {
	for _, speed := range []float64{0, 20} {
		t.Run(fmt.Sprint("speed ", speed), func(t *testing.T) {
			t.Parallel()
			app := startApp(t, testConfig("file:"+filepath.Join(t.TempDir(), "record.db")))
			defer app.close()
			app.replay(capture(t, "three-rooms.jsonl"), speed)
			checkThreeRooms(t, app.history(5))
		})
	}
}

func TestARecordedDayInAnyOrderAndDoubledEndsTheSame(t *testing.T) {
	deliveries := capture(t, "three-rooms.jsonl")
	app := startApp(t, testConfig("memory:"))
	app.replay(deliveries, 0)
	want := documentOf(t, app.history(5))
	app.close()
	for seed := range uint64(12) {
		app := startApp(t, testConfig("memory:"))
		app.replay(simulate.Shuffled(deliveries, seed, true), 0)
		sessions := app.history(5)
		checkThreeRooms(t, sessions)
		if got := documentOf(t, sessions); !bytes.Equal(got, want) {
			t.Errorf("seed %d ends differently:\n%s\n%s", seed, want, got)
		}
		app.close()
	}
}

func documentOf(t *testing.T, sessions []room.Detail) []byte {
	t.Helper()
	data, err := json.Marshal(sessions)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestARestartShowsWhatWasThere(t *testing.T) {
	config := testConfig("file:" + filepath.Join(t.TempDir(), "record.db"))
	deliveries := capture(t, "three-rooms.jsonl")
	app := startApp(t, config)
	app.replay(deliveries[:100], 0)
	var before, after struct {
		Totals   json.RawMessage
		Sessions json.RawMessage
	}
	app.await("all folded", func() bool { return app.board.Position() == app.end() })
	app.get("/api/v1/state", &before)
	app.close()
	app = startApp(t, config)
	app.get("/api/v1/state", &after)
	if string(before.Totals) != string(after.Totals) || string(before.Sessions) != string(after.Sessions) {
		t.Errorf("before\n%s\n%s\nafter\n%s\n%s", before.Totals, before.Sessions, after.Totals, after.Sessions)
	}
	app.replay(deliveries[50:], 0)
	checkThreeRooms(t, app.history(5))
	app.close()
}

func TestTwoAppsInOneProcessKnowNothingOfEachOther(t *testing.T) {
	a, b := startApp(t, testConfig("memory:")), startApp(t, testConfig("memory:"))
	a.replay(capture(t, "two-people.jsonl"), 0)
	a.history(1)
	var page room.Page[room.Summary]
	if b.get("/api/v1/sessions", &page); len(page.Items) != 0 {
		t.Errorf("the second knows %d sessions of the first", len(page.Items))
	}
	a.close()
	b.close()
}

// lingering is what libraries keep running for the whole process.
var lingering = []goleak.Option{
	goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
	goleak.IgnoreTopFunction("github.com/valyala/fasthttp/stackless.funcWorker"),      // compress, a few for all requests
	goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"), // sleeps ten seconds, then ends
	goleak.IgnoreAnyFunction("github.com/gofiber/fiber/v2/utils.StartTimeStampUpdater.func1.1"),
}

func TestClosingLeavesNoGoroutineBehind(t *testing.T) {
	defer goleak.VerifyNone(t, append(lingering, goleak.IgnoreCurrent())...)
	app := startApp(t, testConfig("memory:"))
	app.replay(capture(t, "two-people.jsonl"), 0)
	app.history(1)
	app.close()
}

func TestASecondServeOfTheSameFileIsRefused(t *testing.T) {
	config := testConfig("file:" + filepath.Join(t.TempDir(), "record.db"))
	app := startApp(t, config)
	defer app.close()
	began := time.Now()
	if second, err := New(context.Background(), config, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("two serves hold one file")
		_ = second.record.Close()
	}
	if took := time.Since(began); took > patience/2 {
		t.Errorf("refused after %v", took)
	}
}

func TestTwoSourcesShareABoardAndNothingElse(t *testing.T) {
	config := testConfig("memory:")
	config.Sources = []SourceConfig{{Name: "emea", APIKey: "emea-key", Secrets: []plugnmeet.Secret{"another secret of the tests, long enough"}}}
	app := startApp(t, config)
	defer app.close()
	body := []byte(`{"event":"room_started","room":{"sid":"same-sid","room_id":"same-room"},"id":"same-id","created_at":"1795311099"}`)
	for source, pair := range map[string]SourceConfig{"default": {APIKey: testKey, Secrets: []plugnmeet.Secret{testSecret}}, "emea": config.Sources[0]} {
		if !postSigned(app.client, app.URL(), pair.APIKey, pair.Secrets[0], body) {
			t.Fatalf("%s: not stored", source)
		}
	}
	if postSigned(app.client, app.URL(), "emea-key", testSecret, body) {
		t.Error("the key of one source is taken with the secret of the other")
	}
	var state struct {
		Totals   struct{ Rooms int }
		Sessions []room.Summary
	}
	app.await("both rooms", func() bool { app.get("/api/v1/state", &state); return state.Totals.Rooms == 2 })
	for _, source := range []string{"default", "emea"} {
		var d room.Detail
		if app.get("/api/v1/sessions/same-sid?source="+source, &d); d.Source != source {
			t.Errorf("asked for %s, got %q", source, d.Source)
		}
	}
	page := app.text("/")
	for _, want := range []string{`id="session-same-sid"`, `/rooms/same-sid?source=emea`} {
		if !strings.Contains(page, want) {
			t.Errorf("the overview has no %s", want)
		}
	}
	if n := strings.Count(page, `id="session-same-sid`); n != 2 {
		t.Errorf("%d rows for two rooms", n)
	}
	if room := app.text("/rooms/same-sid?source=emea"); !strings.Contains(room, "source=emea&amp;view=room%3Asame-sid") {
		t.Error("the page of the second room does not follow it")
	}
}

// A signal may come before the server has begun to accept.
func TestAnAppThatIsClosedAsSoonAsItStartedEnds(t *testing.T) {
	for range 40 {
		app, err := New(t.Context(), testConfig("memory:"), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if err := app.Start(); err != nil {
			t.Fatal(err)
		}
		if err := app.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
