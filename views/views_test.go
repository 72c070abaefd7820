package views

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/static"
)

// What people type, as badly as they can.
var typed = map[string]string{
	"plain":     "Weekly ops",
	"markup":    `"><script>alert(1)</script><img src=x onerror=alert(1)>`,
	"attribute": `x" onmouseover="alert(1)" style="color:red`,
	"template":  "{{.}} ${x} &lt;b&gt; <!-- ",
	"arabic":    "اجتماع مجلس الإدارة: مراجعة",
	"override":  "safe\u202egpj.exe",
	"emoji":     "🎉👩‍👩‍👧‍👦 花子",
	"url":       "javascript:alert(1)//../..?a=b#c",
	"long":      strings.Repeat("4 KiB ", 683),
	"controls":  "a\nb\tc\x00d",
}

func parts(t *testing.T, m live.Model) ([]live.Element, map[string][]byte) {
	t.Helper()
	elements := HTML{}.Elements(m)
	inner := make(map[string][]byte)
	for _, e := range elements {
		inner[e.Parent] = append(inner[e.Parent], e.Render()...)
	}
	return elements, inner
}

func page(t *testing.T, m live.Model) []byte {
	t.Helper()
	_, inner := parts(t, m)
	var out bytes.Buffer
	data := PageData{Title: "Overview", Live: "/live?view=overview", Epoch: "e", Seq: 7, At: noon, Root: HTML{}.Root(m, inner), Nav: "overview"}
	if err := Page(data).Render(context.Background(), &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// everyModel runs a claim over every kind of page and everything that people type.
func everyModel(t *testing.T, claim func(t *testing.T, m live.Model)) {
	for _, how := range slices.Sorted(maps.Keys(typed)) {
		for name, m := range models(typed[how]) {
			t.Run(how+"/"+name, func(t *testing.T) { claim(t, m) })
		}
	}
}

// fragment parses an element where it stands in the page.
func fragment(t *testing.T, source []byte) *html.Node {
	t.Helper()
	context := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	if bytes.HasPrefix(source, []byte("<tr")) {
		context = &html.Node{Type: html.ElementNode, Data: "tbody", DataAtom: atom.Tbody}
	}
	if bytes.HasPrefix(source, []byte("<tbody")) {
		context = &html.Node{Type: html.ElementNode, Data: "table", DataAtom: atom.Table}
	}
	nodes, err := html.ParseFragment(bytes.NewReader(source), context)
	if err != nil {
		t.Fatal(err)
	}
	if len(nodes) != 1 || nodes[0].Type != html.ElementNode {
		t.Fatalf("%d nodes where one tag is due: %s", len(nodes), source)
	}
	return nodes[0]
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func TestEachElementIsOneTagWithItsID(t *testing.T) {
	everyModel(t, func(t *testing.T, m live.Model) {
		elements, _ := parts(t, m)
		ids := make(map[string]bool)
		for _, e := range elements {
			if ids[e.ID] {
				t.Errorf("two elements have the id %q", e.ID)
			}
			ids[e.ID] = true
		}
		for _, e := range elements {
			n := fragment(t, e.Render())
			// A parser drops a NUL and turns a CR into a newline; ids are compared as the browser sees them.
			if got, want := attr(n, "id"), strings.ReplaceAll(e.ID, "\x00", "\uFFFD"); got != want {
				t.Errorf("element %q has the id %q", e.ID, got)
			}
			for d := range n.Descendants() {
				if ids[attr(d, "id")] {
					t.Errorf("element %q contains element %q", e.ID, attr(d, "id"))
				}
			}
		}
	})
}

func TestEqualModelsGiveEqualHTML(t *testing.T) {
	for name, m := range models("Weekly ops") {
		again := models("Weekly ops")[name]
		if !bytes.Equal(page(t, m), page(t, again)) {
			t.Errorf("%s: two models of the same facts differ", name)
		}
		first, second := HTML{}.Elements(m), HTML{}.Elements(m)
		for i, e := range first {
			if e.Version != second[i].Version {
				t.Errorf("%s: %s has two versions in one model", name, e.ID)
			}
		}
	}
}

// While a version is equal the HTML is not rendered again, so a change that shows must change it.
func TestVersionTellsEveryChangeThatShows(t *testing.T) {
	meeting := meeting("sid", "room01", "Weekly ops", "Ana")
	seen := make(map[string]live.Element)
	rendered := make(map[string]string)
	muted := false
	later := []room.Event{
		{Kind: room.KindRoomCreated, Title: "Weekly ops, renamed"},
		{Kind: room.KindTrackPublished, Participant: &room.ParticipantSaid{SID: "PA_1", Identity: "u-1"}, Track: &room.TrackSaid{SID: "TR_1", Source: "microphone", Mime: "audio/opus", Muted: &muted}},
		{Kind: room.KindTrackUnpublished, Track: &room.TrackSaid{SID: "TR_3"}},
		{Kind: room.KindParticipantJoined, Participant: &room.ParticipantSaid{SID: "PA_9", Identity: "u-3", Name: "Cleopatra"}},
		{Kind: room.KindRecordingEnded, Job: &room.JobSaid{RecordID: "rec-1", Message: "success"}},
		{Kind: room.KindStreamEnded, Job: &room.JobSaid{RecordID: "rtmp-1", Message: "broken"}},
		{Kind: room.KindArtifactCreated, Artifact: &room.ArtifactSaid{ID: "a-1", Usage: &room.ArtifactUsage{Unit: "seconds", Total: 61}}},
		{Kind: room.KindSessionEnded},
	}
	for minute, e := range append([]room.Event{{}}, later...) {
		if minute > 0 {
			meeting.say(20+minute, e)
		}
		for _, el := range roomElements(live.Room{SID: "sid", Detail: ptr(meeting.Detail())}) {
			now := string(el.Render())
			if before, ok := seen[el.ID]; ok && before.Version == el.Version && rendered[el.ID] != now {
				t.Errorf("after %s, %s changed under an equal version:\n%s\n%s", e.Kind, el.ID, rendered[el.ID], now)
			}
			seen[el.ID], rendered[el.ID] = el, now
		}
	}
}

func TestRootContainsEveryInner(t *testing.T) {
	everyModel(t, func(t *testing.T, m live.Model) {
		elements, inner := parts(t, m)
		root := HTML{}.Root(m, inner)
		for parent, part := range inner {
			if !bytes.Contains(root, part) {
				t.Errorf("the root has no %s", parent)
			}
		}
		view := fragment(t, root)
		if attr(view, "id") != "view" {
			t.Errorf("the root's id is %q", attr(view, "id"))
		}
		placed := make(map[string]string)
		for d := range view.Descendants() {
			if id := attr(d, "id"); id != "" {
				placed[id] = attr(d.Parent, "id")
			}
		}
		for _, e := range elements {
			if got := placed[strings.ReplaceAll(e.ID, "\x00", "\uFFFD")]; got != e.Parent {
				t.Errorf("%q stands under %q, want %q", e.ID, got, e.Parent)
			}
		}
	})
}

// Parents must be there even when they are empty, or nothing could be put into them later.
func TestRootHasEveryParent(t *testing.T) {
	parents := map[string][]string{
		"overview new":    {"alarms-told", "alarms", "alarms-rest", "alarms-beyond", "totals", "rooms-count", "chips", "rooms", "rooms-note", "new-artifacts", "new-recordings", "ended", "sources"},
		"sessions new":    {"told", "export-count", "band", "sessions", "list-note", "turner-box", "sources"},
		"recordings none": {"told", "export-count", "states", "recordings", "list-note", "turner-box", "sources"},
		"artifacts none":  {"told", "export-count", "artifacts", "cost-box", "usage", "costliest", "list-note", "turner-box", "sources"},
		"intake new":      {"told", "intake-sources", "verdicts", "diagnosis-box", "deliveries", "list-note", "turner-box", "sources"},
		"room bare": {"head", "stats", "people-count", "here", "here-count", "bots", "bots-count", "left", "left-count", "recordings", "streams", "breakouts", "artifacts", "analytics", "speech", "sources",
			"timeline-tools", "timeline-over", "timeline-top", "lanes", "bars", "timeline-note", "timeline-said", "deliveries", "deliveries-more"},
	}
	for name, ids := range parents {
		root := string(HTML{}.Root(models("x")[name], nil))
		for _, id := range ids {
			if !strings.Contains(root, ` id="`+id+`"`) {
				t.Errorf("%s has no %s", name, id)
			}
		}
		if !strings.Contains(root, `<tbody id="`) || strings.Contains(root, "<tbody id=\"rooms\"> ") {
			t.Errorf("%s: an empty body is not empty", name)
		}
	}
}

func TestWhatPeopleTypeStaysText(t *testing.T) {
	tags := make(map[string]bool)
	collect := func(source []byte, check func(tag string)) {
		z := html.NewTokenizer(bytes.NewReader(source))
		for tt := z.Next(); tt != html.ErrorToken; tt = z.Next() {
			if tt == html.CommentToken {
				t.Errorf("a comment: %s", z.Raw())
			}
			if tt == html.StartTagToken || tt == html.SelfClosingTagToken {
				tok := z.Token()
				for _, a := range tok.Attr {
					check(tok.Data + " " + a.Key)
				}
				check(tok.Data)
			}
		}
	}
	for _, m := range models("plain") {
		collect(page(t, m), func(tag string) { tags[tag] = true })
	}
	everyModel(t, func(t *testing.T, m live.Model) {
		collect(page(t, m), func(tag string) {
			if !tags[tag] {
				t.Errorf("a page of hostile text has <%s>, a page of plain text has not", tag)
			}
		})
	})
}

// The content security policy blocks these, and trusted text must not need them.
func TestPagesHaveNothingInline(t *testing.T) {
	everyModel(t, func(t *testing.T, m live.Model) { nothingInline(t, page(t, m)) })
	var out bytes.Buffer
	if err := NotFoundPage().Render(context.Background(), &out); err != nil {
		t.Fatal(err)
	}
	nothingInline(t, out.Bytes())
}

func nothingInline(t *testing.T, source []byte) {
	t.Helper()
	doc, err := html.Parse(bytes.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			}
			if (a.Key == "href" || a.Key == "src" || a.Key == "action") && !strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "#") || strings.HasPrefix(a.Val, "//") {
				t.Errorf("<%s %s=%q> leaves the program", n.Data, a.Key, a.Val)
			}
		}
		if n.Data == "style" || n.Data == "script" && n.FirstChild != nil {
			t.Errorf("an inline <%s>", n.Data)
		}
	}
}

func TestEveryIconAndAssetThatPagesNameIsThere(t *testing.T) {
	sprite, _ := static.Open("icons.svg")
	for _, m := range models("x") {
		doc, err := html.Parse(bytes.NewReader(page(t, m)))
		if err != nil {
			t.Fatal(err)
		}
		for n := range doc.Descendants() {
			for _, key := range []string{"href", "src"} {
				url, symbol, _ := strings.Cut(attr(n, key), "#")
				name, ok := strings.CutPrefix(url, "/static/")
				if !ok {
					continue
				}
				name, _, _ = strings.Cut(name, "?")
				if static.URL(name) != url {
					t.Errorf("no asset at %s", url)
				}
				if symbol != "" && !bytes.Contains(sprite.Body, []byte(`<symbol id="`+symbol+`"`)) {
					t.Errorf("no icon %q", symbol)
				}
			}
		}
	}
}

func TestEveryWordHasItsIcon(t *testing.T) {
	sprite, _ := static.Open("icons.svg")
	icons := []string{"mic-off", "auto", "sun", "moon"}
	for _, p := range places {
		icons = append(icons, p.icon)
	}
	for _, v := range verdictCounters {
		icons = append(icons, v.glyph)
	}
	for _, signs := range []map[string]sign{reasonSigns, recordingSigns, streamSigns, artifactSigns, recordedSigns} {
		for _, s := range signs {
			icons = append(icons, s.glyph)
		}
	}
	for _, icon := range append(icons, slices.Collect(maps.Values(sourceIcons))...) {
		if !bytes.Contains(sprite.Body, []byte(`<symbol id="`+icon+`"`)) {
			t.Errorf("no icon %q", icon)
		}
	}
}

// Rows are what frames consist of.
func TestRowsStaySmall(t *testing.T) {
	size := func(s *telling) int {
		sum := s.Summary()
		row := live.Row{Summary: &sum, Hour: live.Hour{Slots: 24, Recorded: 0xff0, Streamed: 0xf00}}
		for i := range row.Hour.People {
			row.Hour.People[i] = uint16(20 + i/2%5*3)
		}
		return len(render(sessionRow("session-"+sum.SID, row)))
	}
	const sid = "0d6a7c1e-5f0b-4a39-9c55-2f6d0f3a9b11"
	plain := tell(sid, "room01")
	plain.begin("Platform all-hands: Q4 roadmap and hiring")
	plain.join(1, "PA_1", "u-1", "Ana")
	for _, row := range []struct {
		what        string
		bytes, most int
	}{
		{"people only", size(plain), 1750},
		{"a recording, a stream and a bot", size(meeting(sid, "room01", "Platform all-hands: Q4 roadmap and hiring", "Ana")), 2300},
		{"a title of 4 KiB", size(meeting(sid, "room01", typed["long"], "Ana")), 2500},
	} {
		t.Logf("%s: %d bytes", row.what, row.bytes)
		if row.bytes > row.most {
			t.Errorf("a row with %s has %d bytes, more than %d", row.what, row.bytes, row.most)
		}
	}
}
