package views

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// deliveryRows are one delivery of each verdict, and two notes that differ in nothing.
func deliveryRows(typed string) []live.DeliveryRow {
	said := &room.Event{Kind: room.KindParticipantJoined, Participant: &room.ParticipantSaid{SID: "PA_1", Identity: "u-1", Name: typed}}
	of := func(v room.Verdict, position, reason string, said *room.Event) live.DeliveryRow {
		d := room.Delivery{Position: position, ReceivedAt: noon, Source: typed, ID: "EV_" + typed, Event: typed, RoomID: typed, SID: "sid", Verdict: v, Reason: reason, LagMS: 300, Said: said}
		return live.DeliveryRow{Delivery: d, Name: typed, HasBody: said != nil}
	}
	return []live.DeliveryRow{
		of(room.Accepted, "5", "", said), of(room.Late, "4", typed, said), of(room.Unknown, typed, typed, &room.Event{Kind: room.KindOther, Name: typed}),
		of(room.Duplicate, "", typed, nil), of(room.Duplicate, "", typed, nil), of(room.Refused, "", typed, nil), of(room.Unreadable, "", typed, nil),
	}
}

func TestDeliveriesAreRowsWithRoomForTheirPayload(t *testing.T) {
	for _, inRoom := range []bool{true, false} {
		ids := make(map[string]bool)
		for _, e := range deliveryElements(deliveryRows("Weekly ops"), inRoom) {
			body := fragment(t, e.Render())
			if ids[e.ID] || attr(body, "id") != e.ID || e.Parent != "deliveries" || body.Data != "tbody" {
				t.Errorf("%s (%s) is <%s id=%q>, known before: %t", e.ID, e.Parent, body.Data, attr(body, "id"), ids[e.ID])
			}
			ids[e.ID] = true
			facts, payload := body.FirstChild, body.LastChild
			if attr(facts, "class") == attr(payload, "class") || attr(payload, "class") != "payload" || payload.FirstChild != nil {
				t.Errorf("%s has no empty row for its payload", e.ID)
			}
			if linked := strings.Contains(string(e.Render()), `href="/intake/`); linked != strings.HasPrefix(e.ID, "delivery-") {
				t.Errorf("%s: a link to its payload: %t", e.ID, linked)
			}
			if named := strings.Contains(string(e.Render()), `href="/rooms/`); named == inRoom {
				t.Errorf("%s in room %t: a link to the room: %t", e.ID, inRoom, named)
			}
		}
	}
}

// The record is asked anew for every change, and answers with new values: equal ones are equal rows.
func TestEqualDeliveriesHaveEqualVersions(t *testing.T) {
	first, again := deliveryElements(deliveryRows("x"), false), deliveryElements(deliveryRows("x"), false)
	for i := range first {
		if first[i].ID != again[i].ID || first[i].Version != again[i].Version {
			t.Errorf("%s has another version", first[i].ID)
		}
	}
}

func TestDeliveriesSayWhatTheyTold(t *testing.T) {
	muted := true
	ana := &room.ParticipantSaid{SID: "PA_1", Identity: "u-1", Name: "Ana Díaz"}
	unnamed := &room.ParticipantSaid{SID: "PA_2", Identity: "u-2"}
	left := &room.ParticipantSaid{Identity: "u-3", Name: "Ivo", Reason: "CONNECTION_TIMEOUT"}
	job := &room.JobSaid{RecorderID: "node_01", Message: "success", FilePath: "/a/b/c.mp4", SizeBytes: 184_370_000}
	names := map[string]string{"u-2": "Bob O'Neil"}
	for want, e := range map[string]*room.Event{
		"room created":                               {Kind: room.KindRoomCreated},
		"Ana Díaz joined":                            {Kind: room.KindParticipantJoined, Participant: ana},
		"Ivo left: connection timed out":             {Kind: room.KindParticipantLeft, Participant: left},
		"Ana Díaz left":                              {Kind: room.KindParticipantLeft, Participant: ana},
		"Bob O'Neil: camera on":                      {Kind: room.KindTrackPublished, Participant: unnamed, Track: &room.TrackSaid{Source: "camera"}},
		"Bob O'Neil: mic on, muted":                  {Kind: room.KindTrackPublished, Participant: unnamed, Track: &room.TrackSaid{Source: "microphone", Muted: &muted}},
		"Bob O'Neil: mic off":                        {Kind: room.KindTrackUnpublished, Participant: unnamed, Track: &room.TrackSaid{Source: "microphone", Muted: &muted}},
		"Bob O'Neil: screen share stopped":           {Kind: room.KindTrackUnpublished, Participant: unnamed, Track: &room.TrackSaid{Source: "screen_share"}},
		"Bob O'Neil: video track on":                 {Kind: room.KindTrackPublished, Participant: unnamed, Track: &room.TrackSaid{Media: "video"}},
		"recording started on node_01":               {Kind: room.KindRecordingStarted, Job: job},
		"stream ended on node_02: “broken pipe”":     {Kind: room.KindStreamEnded, Job: &room.JobSaid{RecorderID: "node_02", Message: "broken pipe"}},
		"recording file is ready: c.mp4, 184 MB":     {Kind: room.KindRecordingProceeded, Job: job},
		"artifact: Summary usage, 41,900 tokens":     {Kind: room.KindArtifactCreated, Artifact: &room.ArtifactSaid{Type: "MEETING_SUMMARY_USAGE", Usage: &room.ArtifactUsage{Unit: "tokens", Total: 41_900}}},
		"LiveKit’s clock is 10 s behind plugNmeet’s": {Kind: room.KindClocks, Clocks: &room.Clocks{Skew: -10_000}},
		"an event that Roomwatch does not know":      {Kind: room.KindOther, Name: "poll_closed"},
	} {
		got := tellOf(e, names)
		text := got.what
		if got.who != "" {
			text = got.who + saidWords(got.what)
		}
		if text != want {
			t.Errorf("%s: %q, want %q", e.Kind, text, want)
		}
	}
	for kind := room.Kind(1); kind < 110; kind++ {
		if kind.String() != "other" && tellOf(&room.Event{Kind: kind}, nil).what == "" {
			t.Errorf("%s says nothing", kind)
		}
	}
}

func TestLagIsReadable(t *testing.T) {
	for ms, want := range map[int64]string{0: "", 317: "0.3 s", 4400: "4.4 s", 74_400: "74 s", 412_000: "412 s", -1_200: "−1.2 s", 7_200_000: "2h 00m"} {
		if got := lagWord(ms); got != want {
			t.Errorf("%d ms: %q, want %q", ms, got, want)
		}
	}
}

func TestPayloadIsShownWholeAndInertly(t *testing.T) {
	for what, typed := range typed {
		body, err := json.Marshal(map[string]any{"name": typed, typed: []any{1.5e9, true, nil, "[redacted]"}, "a": "\\\" \\"})
		if err != nil {
			t.Fatal(err)
		}
		page := fragment(t, Delivery(room.Delivery{Position: "7", ReceivedAt: noon, Event: typed, Source: typed, SID: typed, ID: typed, Reason: typed, Verdict: room.Unknown, Body: body}))
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, body, "", "  "); err != nil {
			t.Fatal(err)
		}
		pre := find(page, "pre")
		if pre == nil || textOf(pre) != pretty.String() {
			t.Errorf("%s: shown is not the body", what)
		}
		for n := range pre.Descendants() {
			if n.Type == html.ElementNode && n.Data != "code" && n.Data != "span" {
				t.Errorf("%s: a <%s> in the body", what, n.Data)
			}
		}
		if find(page, "section") == nil || attr(find(page, "section"), "id") != "payload" || attr(page, "id") != "view" {
			t.Errorf("%s: no #payload in #view", what)
		}
		nothingInline(t, Delivery(room.Delivery{Event: typed, SID: typed, Body: body}))
	}
}

func find(n *html.Node, tag string) *html.Node {
	for d := range n.Descendants() {
		if d.Data == tag {
			return d
		}
	}
	return nil
}

func TestPartsOfAPayloadAreMarked(t *testing.T) {
	got := string(payloadOf(json.RawMessage(`{"key":"a <b>","n":-1.5,"secret":"[redacted]","list":[true,null]}`)).html)
	for _, want := range []string{
		`<span class="key">&#34;key&#34;</span>: <span class="text">&#34;a &lt;b&gt;&#34;</span>`, `<span class="figure">-1.5</span>`,
		`<span class="redacted">&#34;[redacted]&#34;</span>`, `<span class="figure">true</span>`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

func TestLongPayloadsAreCutAndSayIt(t *testing.T) {
	long := json.RawMessage(`{"pad":[` + strings.Repeat(`"äöü <&>",`, 60_000) + `1]}`)
	began := time.Now()
	page := Delivery(room.Delivery{Position: "7", ReceivedAt: noon, Verdict: room.Accepted, Body: long})
	t.Logf("%d bytes of %d in %s", len(page), len(long), time.Since(began))
	text := textOf(fragment(t, page))
	if shown := len(textOf(find(fragment(t, page), "pre"))); shown > maxPayload || !strings.Contains(text, "Shown are the first") {
		t.Errorf("%d bytes are shown", shown)
	}
	oneLine := payloadOf(json.RawMessage(`"` + strings.Repeat("ä", 100_000) + `"`))
	if oneLine.shown > maxPayload || !json.Valid([]byte(`"`+strings.TrimPrefix(textOf(fragment(t, []byte("<p>"+string(oneLine.html)+"</p>"))), `"`)+`"`)) {
		t.Error("a long line is cut within a letter")
	}
	if none := Delivery(room.Delivery{Verdict: room.Refused}); !strings.Contains(string(none), "not kept") {
		t.Error("a note does not say that its body is not kept")
	}
}
