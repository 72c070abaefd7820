package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"golang.org/x/net/html"

	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/simulate"
	"github.com/roomwatch/roomwatch/static"
)

const (
	halfDay  = 100 * time.Minute // of simulated life that is over when pages are looked at
	endedSID = "770aa658-cb96-4525-8930-57d5a3d2e818"
	longSID  = "6f9d3c52-93a1-4b6e-8d0c-long"
	wordSID  = "b2c1a7d4-5e8f-4a3b-9c6d-word"
	rtlSID   = "0c4e8f1a-7b2d-4d9e-a5f3-rtl"
	goneSID  = "3d5b9e7f-1a6c-4f8d-b0e2-none"
)

// pageAt is an address that answers with a page, and what is expected of it.
type pageAt struct {
	name   string
	path   string
	code   int  // 200 when it is 0
	living bool // keeps itself up to date
	kin    bool // the same components as in another page, with other things in them: axe looks at it once only
}

// pagesOf are the pages of each route that answers with one. A route that is neither here nor among
// notPages fails the test: a new page must be looked at.
func pagesOf(live, position string) map[string][]pageAt {
	return map[string][]pageAt{
		"/": {
			{name: "overview", path: "/", living: true},
			{name: "overview searched", path: "/?q=a", living: true, kin: true},
			{name: "overview without match", path: "/?q=nobody-is-called-that", living: true},
		},
		"/rooms/:sid": {
			{name: "room", path: "/rooms/" + live, living: true},
			{name: "room, last quarter", path: "/rooms/" + live + "?span=15m", living: true, kin: true},
			{name: "room ended", path: "/rooms/" + endedSID, living: true},
			{name: "room with long names", path: "/rooms/" + longSID, living: true, kin: true},
			{name: "room with one long word", path: "/rooms/" + wordSID, living: true, kin: true},
			{name: "room, right to left", path: "/rooms/" + rtlSID, living: true, kin: true},
			{name: "room unknown", path: "/rooms/" + goneSID, code: http.StatusNotFound},
		},
		"/rooms/:sid/end": {{name: "a room that cannot be ended", path: "/rooms/" + live + "/end", code: http.StatusNotFound}},
		"/sessions": {
			{name: "sessions", path: "/sessions", living: true},
			{name: "sessions searched", path: "/sessions?q=a&limit=12", living: true},
			{name: "sessions filtered", path: "/sessions?state=ended&room_id=rig-f1-1&from=2026-01-01&to=2030-01-01", living: true, kin: true},
			{name: "sessions without match", path: "/sessions?q=nobody-is-called-that", living: true},
		},
		"/recordings": {
			{name: "recordings", path: "/recordings", living: true},
			{name: "recordings filtered", path: "/recordings?state=ready&limit=5", living: true},
			{name: "recordings without match", path: "/recordings?room_id=none", living: true, kin: true},
		},
		"/artifacts": {
			{name: "artifacts", path: "/artifacts", living: true},
			{name: "artifacts filtered", path: "/artifacts?class=usage&limit=5", living: true},
			{name: "artifacts without match", path: "/artifacts?room_id=none", living: true, kin: true},
		},
		"/intake": {
			{name: "intake", path: "/intake", living: true},
			{name: "intake filtered", path: "/intake?verdict=unauthentic", living: true},
			{name: "intake without match", path: "/intake?event=nothing", living: true, kin: true},
		},
		"/find": {
			{name: "find", path: "/find"},
			{name: "find searched", path: "/find?q=a"},
			{name: "find without match", path: "/find?q=nobody-is-called-that", kin: true},
		},
		// Its plugNmeet cannot be asked here: the gallery has the question itself.
		"/intake/:position": {{name: "payload", path: "/intake/" + position}},
		"/dev/gallery":      {{name: "gallery", path: "/dev/gallery"}},
	}
}

// errorPages are at no address in particular.
var errorPages = []pageAt{
	{name: "not found", path: "/nothing-here", code: http.StatusNotFound},
	{name: "error", path: "/sessions?from=yesterday", code: http.StatusBadRequest},
}

// notPages answer to machines, with files, and in frames; those of accounts and frames are looked at in
// TestPagesOfAccountsAndFramesAreForEverybody.
var notPages = regexp.MustCompile(`^/(embed.*|rooms/:sid/(recordings|artifacts)/:id/file|livez|readyz|health|metrics|live|static/:name|api/.*|(sessions|recordings|artifacts|intake)\.(csv|json))$`)

// house is the true program with half a day in it, for every test that looks at pages.
type house struct {
	*testApp
	b     *browser // nil until browse
	pages []pageAt
}

func openHouse(t *testing.T) *house {
	t.Helper()
	now := time.Now()
	h := startDay(t, simulate.Plan{Seed: 5, Rooms: 12, Start: now.Add(-halfDay)}, now)
	h.trouble(now)
	h.await("all are folded", func() bool { return h.board.Position() == h.end() })
	h.list()
	return h
}

// startDay starts the true program and lets it have seen a simulated day, which goes on, and both captures.
func startDay(t *testing.T, plan simulate.Plan, now time.Time, more ...func(*Config)) *house {
	t.Helper()
	config := testConfig("memory:")
	config.Gallery = true
	config.Sources = []SourceConfig{{Name: "emea", APIKey: "emea-key", Secrets: []plugnmeet.Secret{"another secret of the tests, long enough"}}}
	for _, set := range more {
		set(&config)
	}
	log := slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelError}))
	app, err := New(t.Context(), config, log)
	if err != nil {
		t.Fatal(err)
	}
	if err := recall(t.Context(), app, plan); err != nil {
		t.Fatal(err)
	}
	if err := app.Start(); err != nil {
		t.Fatal(err)
	}
	h := &house{testApp: &testApp{App: app, t: t, client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}}}
	t.Cleanup(h.close)
	h.await("ready", func() bool { return h.get("/readyz", nil) == http.StatusOK })
	h.live(plan, now)
	h.await("all are folded", func() bool { return h.board.Position() == h.end() })
	return h
}

// browse is the same house before a browser of its own.
func (h *house) browse(t *testing.T) *house {
	own := *h
	own.b = startBrowser(t)
	still := []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}} // what fades in is looked at when it is there
	own.b.do(emulation.SetFocusEmulationEnabled(true), emulation.SetEmulatedMedia().WithFeatures(still))
	return &own
}

// live replays both captures and half a simulated day, whose rooms go on.
func (h *house) live(plan simulate.Plan, now time.Time) {
	h.t.Helper()
	h.replay(capture(h.t, "three-rooms.jsonl"), 0)
	h.replay(capture(h.t, "two-people.jsonl"), 0)
	sender := simulate.Sender{Target: h.URL(), APIKey: testKey, Secret: testSecret}
	if result, err := sender.Run(context.Background(), plan.Begin().Until(now)); err != nil || result.Failed > 0 {
		h.t.Fatalf("%+v, %v", result, err)
	}
}

// trouble posts what is seldom seen: names that are too long for every column or run the other way,
// something of everything that can go on in a room, and deliveries with each verdict.
func (h *house) trouble(now time.Time) {
	h.t.Helper()
	long := strings.TrimSpace(strings.Repeat("Quarterly planning of the regional steering committee ", 6))
	for _, r := range []struct{ sid, roomID, title, name string }{
		{longSID, strings.Repeat("steering-committee-", 5) + "2026", long, "Maximiliane Wilhelmine Hohenzollern-Sigmaringen von und zu Altenburg " + long},
		{wordSID, strings.Repeat("w", 120), strings.Repeat("Donaudampfschifffahrt", 12), strings.Repeat("Rhabarberbarbara", 10)},
		{rtlSID, "board-q4", "اجتماع مجلس الإدارة: مراجعة الربع الرابع والميزانية 🎉 2026", "محمد عبد الرحمن الأنصاري 👩‍👩‍👧‍👦 (host)"},
	} {
		h.stage(now.Add(-40*time.Minute), r.sid, r.roomID, r.title, r.name)
	}
	body := []byte(`{"event":"room_started","room":{"sid":"x","room_id":"x"},"id":"refused","created_at":"1795311099"}`)
	for range 3 {
		postSigned(h.client, h.URL(), testKey, "not the secret of anybody at all, but long", body)
	}
	postSigned(h.client, h.URL(), "nobody's key", testSecret, body)
	postSigned(h.client, h.URL(), testKey, testSecret, []byte(`not JSON`))
	for range 2 {
		postSigned(h.client, h.URL(), testKey, testSecret, []byte(`{"event":"poll_closed","room":{"sid":"`+longSID+`"},"id":"odd"}`))
	}
}

// stage tells a meeting in which everything happens that a page can show.
func (h *house) stage(at time.Time, sid, roomID, title, name string) {
	h.t.Helper()
	metadata, err := json.Marshal(map[string]any{"room_title": title})
	if err != nil {
		h.t.Fatal(err)
	}
	type object = map[string]any
	n := 0
	say := func(minute int, event string, more object) {
		n++
		seconds := fmt.Sprint(at.Add(time.Duration(minute) * time.Minute).Unix())
		told := object{"event": event, "id": fmt.Sprint(sid, n), "created_at": seconds,
			"room": object{"sid": sid, "room_id": roomID, "metadata": string(metadata), "creation_time": fmt.Sprint(at.Unix())}}
		for key, value := range more {
			told[key] = value
		}
		body, err := json.Marshal(told)
		if err != nil {
			h.t.Fatal(err)
		}
		if !postSigned(h.client, h.URL(), testKey, testSecret, body) {
			h.t.Fatalf("%s was not taken", event)
		}
	}
	person := func(sid, identity, name string) object {
		return object{"participant": object{"sid": sid, "identity": identity, "name": name, "joined_at": fmt.Sprint(at.Unix())}}
	}
	job := func(id, message, path string, size float64) object {
		return object{"recording_info": object{"record_id": sid + id, "recorder_id": "node_" + roomID, "recorder_msg": message, "file_path": path, "file_size": size}}
	}
	say(0, "room_created", nil)
	say(0, "room_started", nil)
	for i, who := range []string{name, "Bob", "Cleo", ""} {
		id := fmt.Sprint(roomID, "-", i)
		say(1+i, "participant_joined", person("PA_"+id, "u-"+id, who))
		for source, mime := range map[string]string{"MICROPHONE": "audio/red", "CAMERA": "video/VP8", "SCREEN_SHARE": "video/VP9"} {
			more := person("PA_"+id, "u-"+id, "")
			more["track"] = object{"sid": "TR_" + source + id, "source": source, "mime_type": mime, "width": 1920, "height": 1080, "simulcast": true, "muted": i == 1}
			say(2+i, "track_published", more)
		}
	}
	for i, reason := range []string{"CONNECTION_TIMEOUT", "PARTICIPANT_REMOVED"} {
		more := person(fmt.Sprint("PA_", roomID, "-", i+1), fmt.Sprint("u-", roomID, "-", i+1), "")
		more["participant"].(object)["disconnect_reason"] = reason
		say(20+i, "participant_left", more)
	}
	say(5, "start_recording", job("-1", "success", "", 0))
	say(6, "start_recording", job("-2", "success", "", 0))
	say(12, "end_recording", job("-2", title, "", 0))
	say(6, "start_recording", job("-3", "success", "", 0))
	say(15, "end_recording", job("-3", "success", "", 0))
	say(18, "recording_proceeded", job("-3", "success", "recordings/"+roomID+"/"+roomID+"-3.mp4", 123456.78))
	say(7, "start_recording", job("-4", "success", "", 0))
	say(9, "end_recording", job("-4", "success", "", 0))
	say(6, "start_rtmp", job("-5", "success", "", 0))
	say(6, "start_rtmp", job("-6", "success", "", 0))
	say(11, "end_rtmp", job("-6", "ffmpeg exited: exit status 1", "", 0))
	say(19, "artifact_created", object{"room_artifact": object{"type": "MEETING_SUMMARY", "artifact_id": sid + "-a",
		"metadata": object{"file_info": object{"file_path": "x/" + roomID + ".vtt", "file_size": "987654321", "mime_type": "text/vtt"}}}})
	say(19, "artifact_created", object{"room_artifact": object{"type": strings.ToUpper(roomID), "artifact_id": sid + "-b"}})
}

// list finds out which pages there are, and fails for a route that nobody has thought of.
func (h *house) list() {
	h.t.Helper()
	var state struct {
		Sessions []struct {
			SID    string
			People int
		}
	}
	var deliveries struct{ Items []struct{ Position string } }
	h.await("rooms are live", func() bool { h.get("/api/v1/state", &state); return len(state.Sessions) > 8 })
	h.get("/api/v1/deliveries?verdict=accepted&limit=1", &deliveries)
	busiest := state.Sessions[0]
	for _, s := range state.Sessions {
		if s.People > busiest.People && !strings.HasSuffix(s.SID, "-word") {
			busiest = s
		}
	}
	pages := pagesOf(busiest.SID, deliveries.Items[0].Position)
	for _, address := range h.server.Addresses() {
		if pages[address] == nil && !notPages.MatchString(address) {
			h.t.Errorf("nobody looks at %s: add it to pagesOf or to notPages", address)
		}
		h.pages = append(h.pages, pages[address]...)
		delete(pages, address)
	}
	for address := range pages {
		h.t.Errorf("there is no route %s any more", address)
	}
	h.pages = append(h.pages, errorPages...)
}

// each runs a claim over every page.
func (h *house) each(t *testing.T, claim func(t *testing.T, p pageAt)) {
	for _, p := range h.pages {
		t.Run(p.name, func(t *testing.T) { claim(t, p) })
	}
}

// Everything that must be true of every page, of one program and two browsers that work at the same time.
func TestEveryPage(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	t.Run("is sound HTML", func(t *testing.T) { h.each(t, h.isSound) })
	t.Run("is light", h.isLight)
	t.Run("in a browser", func(t *testing.T) {
		t.Run("is accessible", func(t *testing.T) {
			t.Parallel()
			h.browse(t).isAccessible(t)
		})
		t.Run("serves everybody", func(t *testing.T) {
			t.Parallel()
			b := h.browse(t)
			b.each(t, b.fits)
			t.Run("the overview needs no other styles", b.needsNoMore)
			b.isWalked(t)
			b.each(t, b.worksWithoutScripts)
		})
	})
}

func (h *house) document(t *testing.T, p pageAt) *html.Node {
	t.Helper()
	answer, err := h.client.Get(h.URL() + p.path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if want := max(p.code, http.StatusOK); answer.StatusCode != want && (p.code != 0 || answer.StatusCode != http.StatusOK) {
		t.Errorf("%s answers %d, want %d", p.path, answer.StatusCode, want)
	}
	if kind := answer.Header.Get("Content-Type"); kind != "text/html; charset=utf-8" {
		t.Errorf("%s is %s", p.path, kind)
	}
	if policy := answer.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("%s has the content policy %q", p.path, policy)
	}
	doc, err := html.Parse(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// isSound reads the page as it is sent.
func (h *house) isSound(t *testing.T, p pageAt) {
	var page reading
	page.ids = make(map[string]int)
	page.labelled = make(map[string]bool)
	doc := h.document(t, p)
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode {
			page.take(n)
		}
	}
	for _, fault := range page.faults(p) {
		t.Error(fault)
	}
}

// reading is what is collected of a page.
type reading struct {
	ids      map[string]int
	named    [][2]string // attributes that name ids, with what they name
	labelled map[string]bool
	controls []*html.Node
	headings []int
	bad      []string
	lang     string
	title    string
	body     *html.Node
}

func (r *reading) take(n *html.Node) {
	for _, a := range n.Attr {
		switch {
		case a.Key == "style", strings.HasPrefix(a.Key, "on"):
			r.bad = append(r.bad, fmt.Sprintf("<%s %s=%q>", n.Data, a.Key, a.Val))
		case strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:"):
			r.bad = append(r.bad, fmt.Sprintf("<%s %s=%q>", n.Data, a.Key, a.Val))
		case a.Key == "id":
			r.ids[a.Val]++
		case slices.Contains([]string{"for", "list", "aria-labelledby", "aria-describedby", "aria-controls"}, a.Key):
			for _, id := range strings.Fields(a.Val) {
				r.named = append(r.named, [2]string{a.Key, id})
			}
			if a.Key == "for" {
				r.labelled[a.Val] = true
			}
		}
	}
	switch n.Data {
	case "html":
		r.lang = attribute(n, "lang")
	case "title":
		if n.Parent.Data == "head" {
			r.title = textOf(n)
		}
	case "body":
		r.body = n
	case "style":
		r.bad = append(r.bad, "an inline <style>")
	case "script":
		if n.FirstChild != nil || attribute(n, "src") == "" {
			r.bad = append(r.bad, "an inline <script>")
		}
	case "h1", "h2", "h3", "h4", "h5", "h6":
		if !inside(n, "specimen") {
			r.headings = append(r.headings, int(n.Data[1]-'0'))
		}
	case "input", "select", "textarea", "button":
		r.controls = append(r.controls, n)
	}
}

func (r *reading) faults(p pageAt) []string {
	out := r.bad
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for id, n := range r.ids {
		if n > 1 || id == "" || strings.ContainsAny(id, "\x00") {
			say("the id %q is there %d times", id, n)
		}
	}
	for _, name := range r.named {
		if r.ids[name[1]] == 0 {
			say("%s=%q names nothing", name[0], name[1])
		}
	}
	for _, c := range r.controls {
		if !r.hasName(c) {
			say("nothing says what this is: <%s name=%q id=%q class=%q>", c.Data, attribute(c, "name"), attribute(c, "id"), attribute(c, "class"))
		}
	}
	out = append(out, headingFaults(r.headings)...)
	if r.lang != "en" {
		say("lang is %q", r.lang)
	}
	if !strings.HasSuffix(r.title, " · Roomwatch") || len(r.title) <= len(" · Roomwatch") {
		say("the title is %q", r.title)
	}
	for _, name := range []string{"data-live", "data-epoch", "data-seq"} {
		if has := attribute(r.body, name) != ""; has != p.living {
			say("the body has %s: %v", name, has)
		}
	}
	if p.living && attribute(r.body, "data-at") == "" {
		say("the body does not say when the page was made")
	}
	return out
}

// headingFaults: one h1, and no level left out on the way down.
func headingFaults(levels []int) (out []string) {
	if n := len(levels); n == 0 || levels[0] != 1 || slices.Contains(levels[1:], 1) {
		out = append(out, fmt.Sprint("the headings do not begin with the only h1: ", levels))
	}
	for i := range levels[min(1, len(levels)):] {
		if levels[i+1] > levels[i]+1 {
			out = append(out, fmt.Sprint("a heading's level is left out: ", levels))
			break
		}
	}
	return out
}

// hasName says whether a control says what it is.
func (r *reading) hasName(n *html.Node) bool {
	if kind := attribute(n, "type"); n.Data == "input" && (kind == "hidden" || kind == "submit") || has(n, "hidden") {
		return true
	}
	if attribute(n, "aria-label") != "" || attribute(n, "aria-labelledby") != "" || r.labelled[attribute(n, "id")] {
		return true
	}
	if n.Data == "button" {
		return strings.TrimSpace(textOf(n)) != ""
	}
	for label := n.Parent; label != nil; label = label.Parent {
		if label.Data == "label" {
			return strings.TrimSpace(textOf(label)) != ""
		}
	}
	return false
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

func textOf(n *html.Node) string {
	var out strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			out.WriteString(d.Data)
		}
	}
	return out.String()
}

func inside(n *html.Node, class string) bool {
	for p := n.Parent; p != nil; p = p.Parent {
		if slices.Contains(strings.Fields(attribute(p, "class")), class) {
			return true
		}
	}
	return false
}

// mostBytes bounds the first load of the overview, compressed, without the font and the icons.
const mostBytes = 40 << 10

var imported = regexp.MustCompile(`(?m)^import [^"]*"\./([^"]+)"`)

// isLight weighs, as browsers get it, what a first visit of the overview loads: its HTML, and the styles and scripts that it names.
func (h *house) isLight(t *testing.T) {
	for _, encoding := range []string{"br", "gzip"} {
		whole := h.weigh(t, "/", encoding)
		parts := fmt.Sprint("HTML ", whole)
		for n := range h.document(t, pageAt{path: "/"}).Descendants() {
			path := attribute(n, "src")
			if n.Data == "link" && attribute(n, "rel") == "stylesheet" {
				path = attribute(n, "href")
			}
			if path == "" {
				continue
			}
			size := h.weigh(t, path, encoding)
			whole += size
			parts += fmt.Sprint(", ", path[len("/static/"):strings.Index(path, "?")], " ", size)
			for _, module := range imported.FindAllStringSubmatch(h.text(path), -1) {
				parts += ", which imports " + module[1] // it is there already, or is weighed when a page names it
			}
		}
		t.Logf("%s: %d bytes: %s", encoding, whole, parts)
		if encoding == "br" && whole > mostBytes { // what browsers ask for; gzip is for the few that don't
			t.Errorf("the first load has %d bytes as %s, more than %d: %s", whole, encoding, mostBytes, parts)
		}
	}
}

func (h *house) weigh(t *testing.T, path, encoding string) int64 {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, h.URL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", encoding)
	answer, err := h.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if got := answer.Header.Get("Content-Encoding"); got != encoding {
		t.Errorf("%s comes as %q, want %s", path, got, encoding)
	}
	n, err := io.Copy(io.Discard, answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// open shows a page in the browser and waits until it is as it stays.
func (h *house) open(t *testing.T, p pageAt) {
	t.Helper()
	own := h.b.t
	h.b.t = t
	t.Cleanup(func() { h.b.t = own })
	h.b.visit(h.URL() + p.path)
	h.b.await("the scripts have run", `document.documentElement.dataset.ticking === ""`)
	if p.living {
		h.b.await("live", isLive)
	}
	h.complaints(t, p)
}

// complaints are what the browser said of this page. A page that is an error is said to be one.
func (h *house) complaints(t *testing.T, p pageAt) {
	h.b.mu.Lock()
	defer h.b.mu.Unlock()
	for _, trouble := range h.b.troubles {
		if p.code == 0 || !strings.Contains(trouble, "Failed to load resource") {
			t.Errorf("%s: the browser says: %s", p.path, trouble)
		}
	}
	h.b.troubles = nil
}

func (h *house) wide(width int64) chromedp.Action {
	return emulation.SetDeviceMetricsOverride(width, 900, 1, false)
}

// tooWide are the elements that stick out of the page to either side.
const tooWide = `(() => {
	const most = document.documentElement.clientWidth;
	if (document.documentElement.scrollWidth <= most && scrollX === 0) return "";
	const out = [];
	for (const e of document.body.querySelectorAll("*")) {
		if (e.scrollWidth > most && getComputedStyle(e).overflowX === "visible") out.push(e.localName + (e.id ? "#" + e.id : "") + "." + e.className + " holds " + e.scrollWidth);
		const box = e.getBoundingClientRect();
		if (e.closest(".sr-only, thead") || !e.checkVisibility()) continue;
		if (box.width > 0 && (box.right > most + 0.5 || box.left < -0.5)) out.push(e.localName + (e.id ? "#" + e.id : "") + "." + e.className + " " + Math.round(box.left) + "…" + Math.round(box.right));
	}
	return "scrolls to " + document.documentElement.scrollWidth + " of " + most + ": " + out.slice(0, 8).join("; ");
})()`

// fits: nothing sticks out sideways on the smallest screen, nor where words and spaces are wide, nor on paper,
// and there is something to see where the system chooses the colours.
func (h *house) fits(t *testing.T, p pageAt) {
	h.b.do(h.wide(1440))
	h.open(t, p)
	h.isUsedByKeys(t)
	for _, width := range []int64{320, 390, 640, 768, 1024, 1280, 1440} {
		h.b.do(h.wide(width))
		if fault := eval[string](h.b, tooWide); fault != "" {
			t.Errorf("at %d px the page %s", width, fault)
		}
	}
	h.b.do(emulation.SetEmulatedMedia().WithMedia("print"), h.wide(720), chromedp.Evaluate(`document.documentElement.dataset.theme = "dark"`, nil))
	if ink := eval[string](h.b, `getComputedStyle(document.body).color`); ink != "rgb(20, 24, 29)" {
		t.Errorf("printed out of the dark theme, the ink is %s: paper is white", ink)
	}
	if fault := eval[string](h.b, tooWide); fault != "" {
		t.Errorf("printed, the page %s", fault)
	}
	if text := eval[string](h.b, `document.getElementById("view").innerText.trim()`); len(text) < 20 {
		t.Errorf("printed, the page says only %q", text)
	}
	h.b.do(chromedp.Evaluate(`delete document.documentElement.dataset.theme`, nil))
	h.b.do(emulation.SetEmulatedMedia().WithMedia("").WithFeatures([]*emulation.MediaFeature{{Name: "forced-colors", Value: "active"}}), h.wide(1440))
	for _, fault := range eval[[]string](h.b, unseen) {
		t.Errorf("with forced colours %s", fault)
	}
	h.b.do(emulation.SetEmulatedMedia().WithMedia("").WithFeatures(nil))
	h.complaints(t, p)
}

// unseen are drawings and controls that cannot be told from their ground when colours are forced.
const unseen = `(() => {
	const out = new Set();
	const of = (e) => e.localName + "." + (e.getAttribute("class") ?? "");
	for (const e of document.querySelectorAll("#view .button, #view .switch button[aria-pressed=true], #view [aria-current=true], #view .badge, .bar [aria-current]")) {
		if (!e.checkVisibility()) continue;
		const s = getComputedStyle(e);
		const edges = ["Top", "Bottom", "Left", "Right"].some((side) => parseFloat(s["border" + side + "Width"]) > 0 && s["border" + side + "Style"] !== "none");
		if (!edges) out.add(of(e) + " has no edge");
	}
	for (const e of document.querySelectorAll("#view svg rect, #view svg path:not(.under), #view svg line, #view svg circle")) {
		if (!e.checkVisibility() || e.closest("defs, pattern, clipPath")) continue;
		const s = getComputedStyle(e);
		const ground = getComputedStyle(document.documentElement).backgroundColor;
		const visible = (paint) => paint !== "none" && paint !== ground && !/^rgba.*, 0\)$/.test(paint);
		if (!visible(s.fill) && !visible(s.stroke)) out.add(of(e) + " of " + of(e.closest("svg")) + " has the colour of the ground: " + s.fill + ", " + s.stroke);
	}
	return [...out];
})()`

// keyed puts the focus on everything that can have it, one after the other, and finds what does not show it,
// what is hidden behind a bar that stands still, and what only a pointer reaches.
const keyed = `(() => {
	const out = new Set();
	const of = (e) => e.localName + (e.id ? "#" + e.id : "") + "." + (e.getAttribute("class") ?? "") + " " + (e.textContent.trim() || e.getAttribute("aria-label") || e.name || "").slice(0, 30);
	const ring = (e) => { const s = getComputedStyle(e); return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 && s.outlineColor !== "rgba(0, 0, 0, 0)"; };
	let n = 0;
	const all = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex], [contenteditable]")]
		.filter((e) => e.checkVisibility({ visibilityProperty: true }) && e.id !== "main");
	for (const e of all) {
		if (e.tabIndex < 0) { out.add("the keys do not reach " + of(e)); continue; }
		if (e.tabIndex > 0) out.add("the order is forced: " + of(e));
		if (e.disabled || n > 400) continue;
		n++;
		e.focus({ focusVisible: true });
		if (document.activeElement !== e) { out.add("takes no focus: " + of(e)); continue; }
		if (![e, e.closest(".field"), e.closest("tr"), e.parentElement].some((a) => a && ring(a))) out.add("the focus does not show: " + of(e));
		const box = e.getBoundingClientRect();
		if (box.width === 0 || e.closest(".specimen")) continue;
		const x = Math.min(Math.max(box.x + Math.min(box.width / 2, 20), 1), innerWidth - 1);
		const over = [box.y + box.height / 2, box.y + 8, box.bottom - 8].map((y) => document.elementFromPoint(x, y))
			.filter((at) => at && !e.contains(at) && !at.contains(e) && !at.closest("label")?.contains(e));
		if (over.length === 3) out.add("hidden behind " + of(over[0]) + ": " + of(e));
	}
	return [...out];
})()`

// isUsedByKeys: whatever can be clicked takes the focus, shows it, and is not covered then.
func (h *house) isUsedByKeys(t *testing.T) {
	for _, fault := range eval[[]string](h.b, keyed) {
		t.Error(fault)
	}
	if extra := eval[int](h.b, `[...document.querySelectorAll("#view *")].filter(e => getComputedStyle(e).cursor === "pointer" && !e.closest("a, button, summary, label, select, input")).length`); extra > 0 {
		t.Errorf("%d things look as if they could be clicked, and the keys do not reach them", extra)
	}
}

// moved says which elements stand elsewhere, or look otherwise, once the styles of the other pages are there too.
const moved = `new Promise((resolve) => {
	const look = (e) => { const b = e.getBoundingClientRect(), s = getComputedStyle(e); return [b.x, b.y, b.width, b.height, s.color, s.font, s.display, s.backgroundColor, s.borderTopWidth].join(" "); };
	const all = [...document.querySelectorAll("#view *:not(time)")].filter((e) => !e.closest("time"));
	const before = all.map(look);
	const link = document.createElement("link");
	link.rel = "stylesheet";
	link.href = %q;
	link.onload = () => {
		const out = all.map((e, i) => [e, before[i], look(e)]).filter(([, a, b]) => a !== b).slice(0, 5).map(([e, a, b]) => e.localName + "." + (e.getAttribute("class") ?? "") + ": " + a + " became " + b);
		link.remove();
		resolve(out);
	};
	document.head.append(link);
})`

// needsNoMore: the overview loads its own styles only, and looks as it does with all of them.
func (h *house) needsNoMore(t *testing.T) {
	for _, p := range h.pages {
		if !strings.HasPrefix(p.name, "overview") {
			continue
		}
		h.open(t, p)
		h.b.do(chromedp.Click("#pill [data-action]", chromedp.ByQuery)) // what comes while it is looked at moves things, too
		for _, width := range []int64{1440, 1100, 768, 390} {
			h.b.do(h.wide(width))
			var faults []string
			h.b.do(chromedp.Evaluate(fmt.Sprintf(moved, static.URL("more.css")), &faults, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
			for _, fault := range faults {
				t.Errorf("%s at %d px: %s", p.path, width, fault)
			}
		}
	}
}

// isWalked presses Tab through the pages, from the link to the content to the foot and out: the focus is
// nowhere caught, and goes in the order of the document.
func (h *house) isWalked(t *testing.T) {
	for _, p := range h.pages {
		if !slices.Contains([]string{"overview without match", "room unknown", "sessions filtered", "recordings filtered", "artifacts filtered", "intake without match", "payload", "not found"}, p.name) {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			h.b.do(h.wide(1440))
			h.open(t, p)
			want := eval[int](h.b, `(window.walked = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary, [tabindex='0']")].filter(e => e.checkVisibility({ visibilityProperty: true }))).length`)
			h.b.do(chromedp.Evaluate(`document.activeElement.blur(); window.at = -1; window.steps = []; document.addEventListener("focusin", (e) => window.steps.push(walked.indexOf(e.target)))`, nil))
			for range 3*want + 2 { // a date takes three
				h.b.do(input.DispatchKeyEvent(input.KeyRawDown).WithKey("Tab").WithCode("Tab").WithWindowsVirtualKeyCode(9), input.DispatchKeyEvent(input.KeyUp).WithKey("Tab").WithCode("Tab").WithWindowsVirtualKeyCode(9))
			}
			steps := eval[[]int](h.b, `steps`)
			if first := eval[bool](h.b, `walked[steps[0]]?.classList.contains("skip")`); !first {
				t.Error("the first Tab does not offer to skip to the content")
			}
			seen := make(map[int]bool)
			for i, step := range steps {
				if i > 0 && step >= 0 && step < steps[i-1] && len(seen) < want {
					t.Errorf("Tab goes back from the %dth to the %dth of %d", steps[i-1], step, want)
				}
				seen[step] = true
			}
			for i := range want {
				if !seen[i] {
					t.Errorf("Tab does not reach %s", eval[string](h.b, fmt.Sprintf(`walked[%d].outerHTML.slice(0, 120)`, i)))
				}
			}
		})
	}
}

// worksWithoutScripts: the page says that it does not update, what only a script can serve is not offered,
// and what it shows is there.
func (h *house) worksWithoutScripts(t *testing.T, p pageAt) {
	own := h.b.t
	h.b.t = t
	defer func() { h.b.t = own }()
	h.b.do(emulation.SetScriptExecutionDisabled(true), h.wide(1440))
	h.b.visit(h.URL() + p.path)
	defer h.b.do(emulation.SetScriptExecutionDisabled(false))
	var text string
	h.b.do(chromedp.Text("body", &text, chromedp.ByQuery))
	if !strings.Contains(text, "does not update without JavaScript") {
		t.Errorf("the page does not say that it does not update:\n%.400s", text)
	}
	if strings.Contains(text, "Connecting") && p.name != "gallery" {
		t.Error("the page offers what does not work without a script")
	}
	for _, p := range []string{"loading", "Loading", "undefined", "[object", "%!", "<nil>"} {
		if strings.Contains(text, p) && p != "undefined" {
			t.Errorf("the page says %q", p)
		}
	}
	h.complaints(t, p)
}
