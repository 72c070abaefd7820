package views

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// drawn is a timeline as it is read back from its HTML.
type drawn struct {
	from, to float64
	elements map[string]*html.Node
}

func drawnOf(t *testing.T, m live.Room) drawn {
	t.Helper()
	d := drawn{elements: make(map[string]*html.Node)}
	for _, e := range roomElements(m) {
		d.elements[e.ID] = fragment(t, e.Render())
	}
	over := d.elements["timeline-now"]
	if over == nil {
		t.Fatal("there is no timeline")
	}
	d.from, _ = strconv.ParseFloat(attr(over, "data-from"), 64)
	d.to, _ = strconv.ParseFloat(attr(over, "data-to"), 64)
	return d
}

// moment is the time at a position, in milliseconds.
func (d drawn) moment(x string) float64 {
	percent, err := strconv.ParseFloat(strings.TrimSuffix(x, "%"), 64)
	if err != nil {
		panic(err)
	}
	return d.from + percent/100*(d.to-d.from)
}

// spanned are the times of the stripes of a class in a lane, in order; one that goes on ends never.
func (d drawn) spanned(id, class string) (out [][2]float64) {
	for n := range d.elements[id].Descendants() {
		if n.Data != "rect" || attr(n, "class") != class {
			continue
		}
		from := d.moment(attr(n, "x"))
		to := from + d.moment(attr(n, "width")) - d.from
		if attr(n, "clip-path") != "" {
			to = math.Inf(1)
		}
		out = append(out, [2]float64{from, to})
	}
	slices.SortFunc(out, func(a, b [2]float64) int { return int(a[0] - b[0]) })
	return out
}

// same says whether what is drawn is what is true, to half a second.
func same(got, want [][2]float64) bool {
	return slices.EqualFunc(got, want, func(a, b [2]float64) bool {
		return math.Abs(a[0]-b[0]) <= 500 && (a[1] == b[1] || math.Abs(a[1]-b[1]) <= 500)
	})
}

func truth(from, to time.Time, open bool) [2]float64 {
	if open {
		return [2]float64{float64(from.UnixMilli()), math.Inf(1)}
	}
	return [2]float64{float64(from.UnixMilli()), float64(to.UnixMilli())}
}

// crowded has n people who come and go at odd seconds over two hours.
func crowded(n int) *telling {
	t := tell("sid", "room01")
	t.begin("All hands")
	second := func(s int, e room.Event) {
		t.n++
		e.Source, e.SID, e.RoomID, e.ID = t.Source, t.SID, t.roomID, fmt.Sprint("EV_", t.n)
		e.At = room.At(noon.Add(time.Duration(s) * time.Second))
		t.Apply(e)
	}
	for i := range n {
		at := 7 + i*97%6000
		p := room.ParticipantSaid{SID: fmt.Sprint("PA_", i), Identity: fmt.Sprint("u-", i), Name: fmt.Sprint("Person ", i)}
		track := room.TrackSaid{SID: fmt.Sprint("TR_", i), Source: []string{"camera", "microphone", "screen_share"}[i%3]}
		second(at, room.Event{Kind: room.KindParticipantJoined, Participant: &p})
		second(at+11, room.Event{Kind: room.KindTrackPublished, Participant: &p, Track: &track})
		if i%2 == 0 {
			second(at+311, room.Event{Kind: room.KindTrackUnpublished, Participant: &p, Track: &track})
			second(at+613, room.Event{Kind: room.KindParticipantLeft, Participant: &p})
			again := room.ParticipantSaid{SID: fmt.Sprint("PB_", i), Identity: p.Identity, Name: p.Name}
			second(at+777, room.Event{Kind: room.KindParticipantJoined, Participant: &again})
		}
	}
	return t
}

func liveAt(s *telling, minute int) live.Room {
	return live.Room{SID: s.SID, Detail: ptr(s.Detail()), Minute: noon.Add(time.Duration(minute) * time.Minute)}
}

func TestLanesAreRightToTheSecond(t *testing.T) {
	for _, n := range []int{3, 300} {
		m := liveAt(crowded(n), 120)
		d := drawnOf(t, m)
		if hours := (d.to - d.from) / 3_600_000; hours < 2 {
			t.Fatalf("the window is %v hours", hours)
		}
		for _, p := range m.Detail.Participants {
			var here [][2]float64
			for _, c := range p.Connections {
				here = append(here, truth(c.JoinedAt, c.LeftAt, c.Open))
			}
			if got := d.spanned("lane-"+p.Identity, "here"); !same(got, here) {
				t.Errorf("%s was here %v, drawn %v", p.Identity, here, got)
			}
			for _, track := range p.Tracks {
				want := [][2]float64{truth(track.PublishedAt, track.UnpublishedAt, track.Open)}
				if got := d.spanned("lane-"+p.Identity, trackClass(track)); !same(got, want) {
					t.Errorf("%s published %v, drawn %v", p.Identity, want, got)
				}
			}
		}
	}
}

// The captures are what plugNmeet really sent; what is drawn is compared with their own times.
func TestLanesAreRightForTheRecordedRooms(t *testing.T) {
	sessions := captured(t)
	if len(sessions) < 3 {
		t.Fatalf("%d sessions in the capture", len(sessions))
	}
	for sid, s := range sessions {
		m := live.Room{SID: sid, Detail: ptr(s.Detail()), Minute: noon, Span: live.SpanSession}
		d := drawnOf(t, m)
		for identity, want := range s.stays {
			got := d.spanned("lane-"+identity, "here")
			slices.SortFunc(want, func(a, b [2]float64) int { return int(a[0] - b[0]) })
			if !slices.EqualFunc(got, want, func(a, b [2]float64) bool { return math.Abs(a[0]-b[0]) <= 1000 && math.Abs(a[1]-b[1]) <= 1000 }) {
				t.Errorf("%s in %s was here %v, drawn %v", identity, sid, want, got)
			}
		}
	}
}

type capturedSession struct {
	*room.Session
	stays map[string][][2]float64
}

// captured reads people's comings and goings, and the session's own events, out of a capture.
func captured(t *testing.T) map[string]*capturedSession {
	t.Helper()
	file, err := os.Open("../testdata/captures/three-rooms.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	sessions := make(map[string]*capturedSession)
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct{ Body string }
		var b struct {
			Event, ID string
			CreatedAt string `json:"created_at"`
			Room      struct {
				SID          string
				RoomID       string `json:"room_id"`
				CreationTime string `json:"creation_time"`
			}
			Participant *struct {
				SID, Identity, Name string
				JoinedAt            string `json:"joined_at_ms"`
				Reason              string `json:"disconnect_reason"`
			}
		}
		if json.Unmarshal(lines.Bytes(), &line) != nil || json.Unmarshal([]byte(line.Body), &b) != nil {
			t.Fatalf("unreadable: %s", lines.Bytes())
		}
		kind := room.WebhookKind(b.Event)
		if b.Participant == nil && kind != room.KindRoomCreated && kind != room.KindSessionEnded || kind == room.KindTrackPublished || kind == room.KindTrackUnpublished {
			continue
		}
		s := sessions[b.Room.SID]
		if s == nil {
			s = &capturedSession{room.New(room.Key{Source: "default", SID: b.Room.SID}), make(map[string][][2]float64)}
			sessions[b.Room.SID] = s
		}
		at, created := asNumber(t, b.CreatedAt)*1000, asNumber(t, b.Room.CreationTime)*1000
		e := room.Event{Source: "default", SID: b.Room.SID, RoomID: b.Room.RoomID, ID: b.ID, Kind: kind, At: room.Time(at), CreationTime: room.Time(created)}
		if p := b.Participant; p != nil {
			ms := asNumber(t, p.JoinedAt)
			e.Participant = &room.ParticipantSaid{SID: p.SID, Identity: p.Identity, Name: p.Name, JoinedAt: room.Time(ms), Reason: p.Reason}
			if kind == room.KindParticipantLeft {
				s.stays[p.Identity] = append(s.stays[p.Identity], [2]float64{ms, max(at, ms)})
			}
		}
		s.Apply(e)
	}
	return sessions
}

func asNumber(t *testing.T, text string) float64 {
	t.Helper()
	if text == "" {
		return 0
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestChartOfPeopleIsTheirSteps(t *testing.T) {
	m := liveAt(crowded(300), 120)
	d := drawnOf(t, m)
	var path, top string
	for n := range d.elements["timeline-axis"].Descendants() {
		if n.Data == "path" {
			path, top = attr(n, "d"), attr(n.Parent, "data-top")
		}
	}
	height, _ := strconv.Atoi(top)
	people := func(at room.Time) (n int) {
		x := 0.0
		for step := range strings.SplitSeq(strings.ReplaceAll(path, "V", " V"), " ") {
			level, across, _ := strings.Cut(strings.TrimPrefix(step, "V"), "H")
			if y, err := strconv.Atoi(level); err == nil && strings.HasPrefix(step, "V") && d.moment(fmt.Sprint(x/1000)) <= float64(at)+100 {
				n = height - y
			}
			if across != "" {
				x, _ = strconv.ParseFloat(across, 64)
			}
		}
		return n
	}
	steps := room.Steps(m.Detail.Participants)
	for i, s := range steps {
		if i+1 < len(steps) && steps[i+1].At-s.At < 400 {
			continue // of the same moment only the last is told apart
		}
		if got := people(s.At + 200); got != s.People {
			t.Errorf("%s: %d people, drawn %d", s.At.Time(), s.People, got)
		}
	}
}

func TestTrackEventChangesItsLaneOnly(t *testing.T) {
	s := crowded(60)
	before := make(map[string]any)
	for _, e := range timelineElements(liveAt(s, 110)) {
		before[e.ID] = e.Version
	}
	s.publish(109, room.ParticipantSaid{SID: "PA_7", Identity: "u-7"}, room.TrackSaid{SID: "TR_new", Source: "screen_share", Width: 1920, Height: 1080})
	var changed []string
	for _, e := range timelineElements(liveAt(s, 110)) {
		if before[e.ID] != e.Version {
			changed = append(changed, e.ID)
		}
	}
	if !slices.Equal(changed, []string{"lane-u-7"}) {
		t.Errorf("a track of u-7 changed %v", changed)
	}
}

// Between boundaries only the line at now moves, and the words that have got room.
func TestWindowOfLiveSessionMovesEveryFewMinutes(t *testing.T) {
	s := meeting("sid", "room01", "Weekly ops", "Ana")
	for _, span := range []string{"", live.SpanQuarter} {
		windows := make(map[window]bool)
		for minute := 30; minute < 150; minute++ {
			m := liveAt(s, minute)
			m.Span = span
			tl, why := timelineOf(m)
			if why != "" {
				t.Fatal(why)
			}
			if ahead := tl.to - tl.now; ahead < oneMinute || ahead > 20*oneMinute {
				t.Errorf("minute %d: %d ms are ahead", minute, ahead)
			}
			if span != "" && tl.now-tl.from < quarter-oneMinute {
				t.Errorf("minute %d: the last 15 minutes begin %d ms ago", minute, tl.now-tl.from)
			}
			windows[tl.window] = true
		}
		if len(windows) > 120/5+1 {
			t.Errorf("%q: %d windows in 120 minutes", span, len(windows))
		}
	}
}

func TestLabelsOfTheAxisAreFewAndRound(t *testing.T) {
	for minutes := 6; minutes < 60*24*40; minutes += 1 + minutes/7 {
		w := window{room.At(noon), room.At(noon) + room.Time(minutes)*oneMinute}
		ticks := w.ticks()
		if len(ticks) < 3 || len(ticks) > 13 {
			t.Errorf("%d minutes have %d labels", minutes, len(ticks))
		}
		for _, tick := range ticks {
			if tick.at%stepOf(w.to-w.from) != 0 {
				t.Errorf("%d minutes: a label at %s", minutes, tick.at.Time())
			}
		}
	}
}

func TestWhatFollowedTakesAtMostHalf(t *testing.T) {
	for _, later := range []int{0, 5, 30, 44, 46, 60, 300, 3000} {
		s := meeting("sid", "room01", "Weekly ops", "Ana")
		s.say(60, room.Event{Kind: room.KindSessionEnded})
		s.say(60+later, room.Event{Kind: room.KindArtifactCreated, Artifact: &room.ArtifactSaid{ID: "late", Type: "MEETING_SUMMARY"}})
		m := liveAt(s, 60+later+1)
		tl, _ := timelineOf(m)
		if at := tl.x(tl.ended); at < 50 {
			t.Errorf("%d minutes later: the session takes %.0f%%", later, at)
		}
		lane := ""
		for _, e := range timelineElements(m) {
			if e.ID == "bars-artifacts" {
				lane = string(e.Render())
			}
		}
		if told := strings.Contains(lane, "later"); told != (later > 45) {
			t.Errorf("%d minutes later: %s", later, lane)
		}
	}
}

func TestWindowsToChooseFrom(t *testing.T) {
	s := meeting("sid", "room01", "Weekly ops", "Ana")
	ended := meeting("sid", "room01", "Weekly ops", "Ana")
	ended.say(60, room.Event{Kind: room.KindSessionEnded})
	followed := meeting("sid", "room01", "Weekly ops", "Ana")
	followed.say(60, room.Event{Kind: room.KindSessionEnded})
	followed.say(70, room.Event{Kind: room.KindAnalyticsProceeded, AnalyticsID: "an-2"})
	for _, row := range []struct {
		what string
		m    live.Room
		n    int
	}{{"young", liveAt(s, 16), 0}, {"old", liveAt(s, 60), 2}, {"ended", liveAt(ended, 400), 2}, {"followed", liveAt(followed, 90), 2}} {
		for _, span := range []string{"", live.SpanSession, live.SpanQuarter} {
			row.m.Span = span
			tl, why := timelineOf(row.m)
			if why != "" {
				t.Fatal(why)
			}
			current := 0
			for _, s := range tl.spans() {
				if s.current {
					current++
				}
			}
			if n := len(tl.spans()); n != row.n || n > 0 && current != 1 {
				t.Errorf("%s %q: %d windows, %d of them current", row.what, span, n, current)
			}
		}
	}
}

func TestWhyThereIsNoTimeline(t *testing.T) {
	created := tell("a", "room01")
	created.say(0, room.Event{Kind: room.KindRoomCreated})
	after := tell("b", "room01")
	after.say(0, room.Event{Kind: room.KindAnalyticsProceeded, AnalyticsID: "an-1"})
	ended := tell("c", "room01")
	ended.say(0, room.Event{Kind: room.KindSessionEnded})
	for want, s := range map[string]*telling{"nobody": created, "after": after, "begin": ended} {
		elements := timelineElements(liveAt(s, 10))
		if len(elements) != 1 || !strings.Contains(string(elements[0].Render()), noTimeline[want]) {
			t.Errorf("%s: %d elements", want, len(elements))
		}
	}
}

// Somebody of whom only the leaving is known is drawn where it is known, and nothing panics.
func TestUnknownTimesAreNotInvented(t *testing.T) {
	d := room.Detail{Head: room.Head{SID: "sid", State: room.StateLive, StartedAt: noon}}
	d.Participants = []room.Participant{
		{Identity: "u-1", Kind: "person", Connections: []room.Connection{{SID: "PA_1", LeftAt: noon.Add(5 * time.Minute)}}},
		{Identity: "u-2", Kind: "person", Online: true, Connections: []room.Connection{{SID: "PA_2", Open: true}}, Tracks: []room.Track{{SID: "TR", Source: "camera", Open: true}}},
		{Identity: "u-3", Kind: "person", Online: true, Tracks: []room.Track{{SID: "TR", Source: "camera", PublishedAt: noon, Open: true}}},
	}
	got := drawnOf(t, live.Room{SID: "sid", Detail: &d, Minute: noon.Add(time.Hour)})
	if spans := got.spanned("lane-u-1", "here"); len(spans) > 1 || len(spans) == 1 && spans[0][1]-spans[0][0] > 1 {
		t.Errorf("u-1 was here %v", spans)
	}
	if got.elements["lane-u-2"] != nil {
		t.Error("u-2 is drawn, though no time is known")
	}
	if len(got.spanned("lane-u-3", "here")) != 1 {
		t.Error("u-3 published, and is not drawn as here")
	}
}

func TestRecordingsAreDrawnByTheirState(t *testing.T) {
	started, ended, ready := noon, noon.Add(30*time.Minute), noon.Add(40*time.Minute)
	for _, row := range []struct {
		r                room.Recording
		rec, processing  int
		says, doesNotSay string
	}{
		{room.Recording{State: room.RecordingActive, StartedAt: started}, 1, 0, "REC since", "ready"},
		{room.Recording{State: room.RecordingProcessing, StartedAt: started, EndedAt: ended}, 1, 1, "processing", "ready"},
		{room.Recording{State: room.RecordingReady, StartedAt: started, EndedAt: ended, ReadyAt: ready, SizeBytes: 184_370_000}, 1, 1, "184 MB", "failed"},
		{room.Recording{State: room.RecordingFailed, StartedAt: started, EndedAt: ended, Message: "no space left"}, 1, 0, ": no space left", "ready"},
		{room.Recording{State: room.RecordingReady, ReadyAt: ready}, 0, 0, "ready", "REC"},
	} {
		d := room.Detail{Head: room.Head{SID: "sid", State: room.StateLive, CreatedAt: noon.Add(-time.Hour)}, Recordings: []room.Recording{row.r}}
		got := drawnOf(t, live.Room{SID: "sid", Detail: &d, Minute: noon.Add(time.Hour)})
		if rec, processing := len(got.spanned("bars-recording-0", "rec")), len(got.spanned("bars-recording-0", "processing")); rec != row.rec || processing != row.processing {
			t.Errorf("%s: %d recorded, %d processing", row.r.State, rec, processing)
		}
		text := textOf(got.elements["bars-recording-0"])
		if !strings.Contains(text, row.says) || strings.Contains(text, row.doesNotSay) {
			t.Errorf("%s says %q", row.r.State, text)
		}
	}
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

func TestJobsThatTouchGetLanesOfTheirOwn(t *testing.T) {
	d := room.Detail{Head: room.Head{SID: "sid", State: room.StateLive, CreatedAt: noon}}
	for i := range 40 {
		from := noon.Add(time.Duration(i) * 10 * time.Minute)
		d.Streams = append(d.Streams, room.Stream{RecordID: fmt.Sprint(i), State: room.StreamEnded, StartedAt: from, EndedAt: from.Add(15 * time.Minute)})
	}
	got := drawnOf(t, live.Room{SID: "sid", Detail: &d, Minute: noon.Add(8 * time.Hour)})
	lanes := slices.DeleteFunc(slices.Collect(maps.Keys(got.elements)), func(id string) bool { return !strings.HasPrefix(id, "bars-stream") })
	if len(lanes) != 2 {
		t.Errorf("40 streams, each of which touches the next, take %d lanes", len(lanes))
	}
	for _, id := range lanes {
		last := 0.0
		for _, s := range got.spanned(id, "stream ended") {
			if s[0] < last {
				t.Errorf("%s: two streams lie on one another", id)
			}
			last = s[1]
		}
	}
}

func TestManyPeopleAreBounded(t *testing.T) {
	m := liveAt(crowded(1000), 130)
	began := time.Now()
	elements := timelineElements(m)
	took := time.Since(began)
	lanes, size, note := 0, 0, ""
	for _, e := range elements {
		if e.Parent == "lanes" {
			lanes++
			size += len(e.Render())
		}
		if e.ID == "timeline-more" {
			note = string(e.Render())
		}
	}
	t.Logf("%d lanes, %d bytes each, laid out in %s", lanes, size/lanes, took)
	if lanes != maxLanes || !strings.Contains(note, "1,000") {
		t.Errorf("%d lanes, and it is said: %q", lanes, note)
	}
	if size/lanes > 900 {
		t.Errorf("a lane has %d bytes", size/lanes)
	}
}

func TestBotsStandAfterPeople(t *testing.T) {
	bots := false
	for _, e := range timelineElements(liveAt(meeting("sid", "room01", "Weekly ops", "Ana"), 20)) {
		if e.Parent != "lanes" {
			continue
		}
		bot := strings.Contains(string(e.Render()), `class="lane bot"`)
		if bots && !bot {
			t.Errorf("%s stands after a bot", e.ID)
		}
		bots = bots || bot
	}
	if !bots {
		t.Error("no bot is drawn")
	}
}

func BenchmarkTimelineOf300(b *testing.B) {
	m := liveAt(crowded(300), 120)
	for b.Loop() {
		timelineElements(m)
	}
}
