package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/simulate"
)

// stagedApp is the true program beside a stand-in for the plugNmeet whose deliveries it takes.
type stagedApp struct {
	*testApp
	stage *simulate.Stage
	api   *simulate.API
}

// startStaged tells the app the two hours before now; further deliveries are for the test to send.
func startStaged(t *testing.T, plan simulate.Plan, change func(*Config)) *stagedApp {
	t.Helper()
	plan.Start, plan.Memory = time.Now().Add(-2*time.Hour), 1<<20
	s := &stagedApp{stage: simulate.NewStage(plan.Begin())}
	s.api = &simulate.API{APIKey: testKey, Secret: testSecret, Rooms: s.stage.Truth, End: s.stage.End}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: s.api}
	config := testConfig("memory:")
	config.ServerURL = "http://" + listener.Addr().String()
	if change != nil {
		change(&config)
	}
	s.testApp = startApp(t, config)
	s.send(slices.Values(s.stage.Until(time.Now())))
	go func() { _ = server.Serve(listener) }() // until now, who asked waits
	t.Cleanup(func() { s.close(); _ = server.Close() })
	s.await("a check", func() bool { return s.source().API == "answering" })
	return s
}

func (s *stagedApp) send(deliveries func(func(simulate.Delivery) bool)) {
	s.t.Helper()
	sender := simulate.Sender{Target: s.URL(), APIKey: testKey, Secret: testSecret}
	if result, err := sender.Run(context.Background(), deliveries); err != nil || result.Failed > 0 {
		s.t.Fatalf("%+v, %v", result, err)
	}
}

type sourceState struct {
	Name         string
	API          string `json:"api"`
	APIError     string `json:"api_error"`
	Rooms        int
	ReconciledAt time.Time `json:"reconciled_at"`
}

func (s *stagedApp) source() sourceState {
	var state struct{ Sources []sourceState }
	s.get("/api/v1/state", &state)
	return state.Sources[0]
}

// running is a session with people that runs by the truth.
func (s *stagedApp) running() room.Detail {
	s.t.Helper()
	for _, d := range s.stage.Truth() {
		if d.State == room.StateLive && d.People > 1 && d.ParentRoomID == "" {
			return d
		}
	}
	s.t.Fatal("no room runs")
	return room.Detail{}
}

// visit asks as a browser does, and follows no redirect.
func (s *stagedApp) visit(method, path string, headers ...string) (*http.Response, string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.URL()+path, strings.NewReader(url.Values{}.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	client := *s.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := client.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer, string(body)
}

func TestAnOperatorEndsARoom(t *testing.T) {
	s := startStaged(t, simulate.Plan{Seed: 3, Rooms: 5}, nil)
	d := s.running()
	page := "/rooms/" + d.SID
	if !strings.Contains(s.text(page), page+"/end") {
		t.Error("the room's page has no way to end it")
	}
	asked, body := s.visit(http.MethodGet, page+"/end")
	if asked.StatusCode != http.StatusOK || !strings.Contains(body, "This cannot be undone") {
		t.Fatalf("%d %s", asked.StatusCode, body)
	}
	for name, headers := range map[string][]string{
		"another site":           {"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"},
		"a sibling":              {"Sec-Fetch-Site", "same-site"},
		"an old browser's guest": {"Origin", "https://evil.example"},
	} {
		if answer, _ := s.visit(http.MethodPost, page+"/end", headers...); answer.StatusCode != http.StatusForbidden {
			t.Errorf("%s is answered %d", name, answer.StatusCode)
		}
	}
	if s.now(d.SID).State != room.StateLive {
		t.Fatal("it was ended by somebody else")
	}
	done, body := s.visit(http.MethodPost, page+"/end", "Sec-Fetch-Site", "same-origin", "Origin", s.URL())
	if done.StatusCode != http.StatusSeeOther || done.Header.Get("Location") != page {
		t.Fatalf("%d %s", done.StatusCode, body)
	}
	if s.now(d.SID).State != room.StateEnded {
		t.Error("plugNmeet was not told")
	}
	s.await("the timeline tells who asked", func() bool {
		var shown room.Detail
		s.get("/api/v1/sessions/"+d.SID, &shown)
		return slices.ContainsFunc(shown.Corrections, func(c room.Correction) bool { return c.What == room.Asked })
	})
	// Its deliveries are never sent: the checks have to find out.
	s.await("the room has ended", func() bool {
		var shown room.Detail
		s.get("/api/v1/sessions/"+d.SID, &shown)
		return shown.State == room.StateEnded && shown.EndedBy == room.ByReconcile
	})
	if again, body := s.visit(http.MethodPost, page+"/end", "Sec-Fetch-Site", "same-origin"); again.StatusCode != http.StatusConflict || !strings.Contains(body, "has ended") {
		t.Errorf("to end it again: %d", again.StatusCode)
	}
}

// now is the session by the truth.
func (s *stagedApp) now(sid string) room.Detail {
	for _, d := range s.stage.Truth() {
		if d.SID == sid {
			return d
		}
	}
	return room.Detail{}
}

func TestAFileIsDownloadedThroughPlugNmeet(t *testing.T) {
	s := startStaged(t, simulate.Plan{Seed: 4, Rooms: 8}, nil)
	var recording, file, usage string
	for _, d := range s.stage.Truth() {
		for _, r := range d.Recordings {
			if r.State == room.RecordingReady {
				recording = "/rooms/" + d.SID + "/recordings/" + url.PathEscape(r.RecordID) + "/file"
			}
		}
		for _, a := range d.Artifacts {
			address := "/rooms/" + d.SID + "/artifacts/" + a.ArtifactID + "/file"
			if room.Downloadable(a.Type) {
				file = address
			} else {
				usage = address
			}
		}
	}
	if recording == "" || file == "" || usage == "" {
		t.Fatalf("the day has %q, %q, %q", recording, file, usage)
	}
	for _, path := range []string{recording, file} {
		page := path[:strings.Index(path[len("/rooms/"):], "/")+len("/rooms/")]
		if !strings.Contains(s.text(page), path) {
			t.Errorf("%s has no link to %s", page, path)
		}
		answer, _ := s.visit(http.MethodGet, path)
		address := answer.Header.Get("Location")
		if answer.StatusCode != http.StatusSeeOther || !strings.HasPrefix(address, s.config.ServerURL+"/download/") || answer.Header.Get("Cache-Control") != "no-store" || answer.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %d, %v", path, answer.StatusCode, answer.Header)
			continue
		}
		got, err := s.client.Get(address)
		if err != nil || got.StatusCode != http.StatusOK {
			t.Errorf("%s leads to %s: %v, %v", path, address, got, err)
			continue
		}
		_ = got.Body.Close()
	}
	for path, want := range map[string]int{usage: http.StatusNotFound, recording[:len(recording)-len("/file")] + "x/file": http.StatusNotFound, "/rooms/none/recordings/none/file": http.StatusNotFound} {
		if answer, _ := s.visit(http.MethodGet, path); answer.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, answer.StatusCode, want)
		}
	}
	s.api.Suffer(simulate.DatabaseDown)
	if answer, body := s.visit(http.MethodGet, recording); answer.StatusCode != http.StatusBadGateway || strings.Contains(body, "Access denied") {
		t.Errorf("%d %s", answer.StatusCode, body)
	}
}

func TestWithoutAnAPINothingIsOfferedOfIt(t *testing.T) {
	app := startApp(t, testConfig("memory:"))
	defer app.close()
	app.replay(capture(t, "two-people.jsonl"), 0)
	sessions := app.history(1)
	for _, d := range sessions {
		if page := app.text("/rooms/" + d.SID); strings.Contains(page, "/file") || strings.Contains(page, "/end\"") {
			t.Errorf("%s offers what cannot be", d.Name())
		}
		if code := app.get("/rooms/"+d.SID+"/end", nil); code != http.StatusNotFound {
			t.Errorf("%d", code)
		}
	}
}

// What is lost on the way is told on the intake page, with what became of it; and how the API is heard everywhere.
func TestTheIntakePageShowsTheHealing(t *testing.T) {
	s := startStaged(t, simulate.Plan{Seed: 5, Rooms: 6}, nil)
	s.stage.Change(60, 0.5)
	for range 5 { // five minutes of the life, of which half is lost
		s.send(slices.Values(s.stage.Until(time.Now())))
		time.Sleep(time.Second)
	}
	s.await("the healing is told", func() bool {
		page := s.text("/intake")
		return strings.Contains(page, "Put right by checks against plugNmeet") && strings.Contains(page, "missing")
	})
	for _, path := range []string{"/", "/sessions", "/recordings", "/artifacts", "/intake", "/rooms/" + s.running().SID} {
		if !strings.Contains(s.text(path), "rooms confirmed by API") {
			t.Errorf("%s does not tell how fresh it is", path)
		}
	}
	var health struct {
		Status string
		Checks map[string][]struct{ Status string }
	}
	if s.get("/health", &health); health.Status != "pass" || health.Checks["plugnmeet:api"][0].Status != "pass" {
		t.Errorf("%+v", health)
	}
	s.api.Suffer(simulate.Broken)
	s.await("the API's failure is told", func() bool { return s.source().API == "failing" && s.source().APIError != "" })
	if s.get("/health", &health); health.Status != "warn" || health.Checks["plugnmeet:api"][0].Status != "warn" {
		t.Errorf("%+v", health)
	}
	if page := s.text("/"); !strings.Contains(page, "API does not answer") {
		t.Error("the overview does not tell that the API fails")
	}
	s.await("rooms are unverified once polls are overdue", func() bool {
		var d room.Detail
		s.get("/api/v1/sessions/"+s.running().SID, &d)
		return d.Trust == room.TrustUnverified
	})
	sid := s.running().SID
	trustOf := func(list []room.Summary) room.Trust {
		for _, one := range list {
			if one.SID == sid {
				return one.Trust
			}
		}
		return ""
	}
	var listed, exported struct{ Items []room.Summary }
	s.get("/api/v1/sessions?state=live", &listed)
	s.get("/sessions.json?state=live", &exported)
	if in, out := trustOf(listed.Items), trustOf(exported.Items); in != room.TrustUnverified || out != room.TrustUnverified {
		t.Errorf("it is unverified, %q in the list and %q in the export", in, out)
	}
	if page := s.text("/find"); !strings.Contains(page, "unverified") {
		t.Error("what is found does not say that it is unverified")
	}
}
