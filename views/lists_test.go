package views

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// asked are pages with every filter set out of what somebody typed.
func asked(typed string) map[string]live.Model {
	from, to := noon.Truncate(24*time.Hour), noon.Truncate(24*time.Hour).AddDate(0, 0, 3)
	return map[string]live.Model{
		"/sessions":   live.Sessions{Query: room.SessionQuery{State: room.StateEnded, Source: typed, RoomID: typed, Text: typed, From: from, To: to, Limit: 7, Cursor: "c"}},
		"/recordings": live.Recordings{Query: room.RecordingQuery{State: room.RecordingFailed, Source: typed, RoomID: typed, Text: typed, From: from, To: to, Limit: 7, Cursor: "c"}},
		"/artifacts":  live.Artifacts{Query: room.ArtifactQuery{Type: "MEETING_SUMMARY", Class: room.ClassFile, Source: typed, RoomID: typed, Text: typed, From: from, To: to, Limit: 7, Cursor: "c"}},
		"/intake":     live.Intake{Query: room.DeliveryQuery{Verdict: room.Late, Source: typed, Event: typed, RoomID: typed, SID: typed, From: from, To: to, Limit: 7, Cursor: "c"}},
	}
}

// parsed reads filters as the page does.
func parsed(path string, filters url.Values) (any, error) {
	switch path {
	case "/sessions":
		return room.ParseSessionQuery(filters)
	case "/recordings":
		return room.ParseRecordingQuery(filters)
	case "/artifacts":
		return room.ParseArtifactQuery(filters)
	}
	return room.ParseDeliveryQuery(filters)
}

func queryOf(m live.Model) query {
	switch m := m.(type) {
	case live.Sessions:
		return m.Query
	case live.Recordings:
		return m.Query
	case live.Artifacts:
		return m.Query
	case live.Intake:
		return m.Query
	}
	panic(fmt.Sprintf("%T", m))
}

func document(t *testing.T, m live.Model) *html.Node {
	t.Helper()
	doc, err := html.Parse(bytes.NewReader(page(t, m)))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func everyAsked(t *testing.T, claim func(t *testing.T, path string, m live.Model)) {
	for _, how := range []string{"plain", "markup", "attribute", "arabic", "emoji", "url", "template"} {
		for path, m := range asked(strings.TrimSpace(typed[how])) {
			t.Run(how+path, func(t *testing.T) { claim(t, path, m) })
		}
	}
}

func hasAttr(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// sent is what a browser sends of a form.
func sent(form *html.Node) url.Values {
	out := make(url.Values)
	for n := range form.Descendants() {
		switch n.Data {
		case "input":
			out.Set(attr(n, "name"), attr(n, "value"))
		case "select":
			for o := range n.Descendants() {
				if o.Data == "option" && hasAttr(o, "selected") {
					out.Set(attr(n, "name"), attr(o, "value"))
				}
			}
		}
	}
	return out
}

func TestFormsAskWhatThePageShows(t *testing.T) {
	everyAsked(t, func(t *testing.T, path string, m live.Model) {
		want := queryOf(m).Values()
		want.Del("cursor") // another search begins at its beginning
		for n := range document(t, m).Descendants() {
			if n.Data != "form" || attr(n, "id") != "filter" {
				continue
			}
			if attr(n, "action") != path || attr(n, "method") != "get" {
				t.Errorf("the form goes to %s by %s", attr(n, "action"), attr(n, "method"))
			}
			got, err := parsed(path, sent(n))
			if err != nil {
				t.Fatal(err)
			}
			if g := got.(query).Values(); g.Encode() != want.Encode() {
				t.Errorf("the form asks %v, the page shows %v", g, want)
			}
			return
		}
		t.Error("no form")
	})
}

func TestExportsHaveExactlyTheFilters(t *testing.T) {
	everyAsked(t, func(t *testing.T, path string, m live.Model) {
		want := queryOf(m).Values()
		want.Del("cursor")
		want.Del("limit")
		found := 0
		for n := range document(t, m).Descendants() {
			if n.Data != "a" || !hasAttr(n, "download") {
				continue
			}
			link, err := url.Parse(attr(n, "href"))
			if err != nil {
				t.Fatal(err)
			}
			if link.Path != path+".csv" && link.Path != path+".json" {
				t.Errorf("export at %s", link.Path)
			}
			if link.Query().Encode() != want.Encode() {
				t.Errorf("%s exports %v, the page shows %v", link.Path, link.Query(), want)
			}
			found++
		}
		if found != 2 {
			t.Errorf("%d exports", found)
		}
	})
}

// A filter's link changes one thing, begins the list at its beginning, and leads to a page that can be read.
func TestFilterLinksCanBeRead(t *testing.T) {
	everyAsked(t, func(t *testing.T, path string, m live.Model) {
		was := queryOf(m).Values()
		links := 0
		for n := range document(t, m).Descendants() {
			if class := attr(n, "class"); n.Data != "a" || class != "option" && class != "statebox" && class != "counter" {
				continue
			}
			links++
			link, err := url.Parse(attr(n, "href"))
			if err != nil {
				t.Fatal(err)
			}
			q, err := parsed(path, link.Query())
			if err != nil || link.Path != path {
				t.Fatalf("%s: %v", link, err)
			}
			now := q.(query).Values()
			if now.Encode() != link.Query().Encode() {
				t.Errorf("%v is read as %v", link.Query(), now)
			}
			if now.Has("cursor") {
				t.Errorf("%s goes on in the middle", link)
			}
			if changed := differing(was, now, "cursor"); len(changed) > 1 && !slices.Contains(changed, "class") {
				t.Errorf("%s changes %v", link, changed)
			}
		}
		if links == 0 {
			t.Error("no filter is a link")
		}
	})
}

func differing(a, b url.Values, but string) (names []string) {
	for _, v := range []url.Values{a, b} {
		for name := range v {
			if name != but && a.Get(name) != b.Get(name) && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

func TestOlderGoesOnWithTheSameFilters(t *testing.T) {
	q := room.SessionQuery{Text: "ana", State: room.StateEnded, Limit: 20}
	m := live.Sessions{Query: q, Page: room.Page[room.Summary]{Items: sessionFixtures("x"), Next: "a cursor & more"}, Matches: 1204, Minute: noon}
	for n := range document(t, m).Descendants() {
		if attr(n, "rel") != "next" {
			continue
		}
		link, _ := url.Parse(attr(n, "href"))
		got, err := room.ParseSessionQuery(link.Query())
		if q.Cursor = "a cursor & more"; err != nil || got != q {
			t.Errorf("older asks %+v, want %+v (%v)", got, q, err)
		}
		return
	}
	t.Error("nothing leads further back")
}

// varied are the models as they may follow one another: other filters, another clock, another order.
func varied(typed string) (out []live.Model) {
	for _, m := range models(typed) {
		out = append(out, m)
		for _, minutes := range []int{1, 15, 200, 60 * 24} {
			switch m := m.(type) {
			case live.Sessions:
				m.Minute, m.Query.Text = at(minutes), "safe"
				m.Page.Items = slices.Clone(m.Page.Items)
				slices.Reverse(m.Page.Items)
				out = append(out, m)
			case live.Recordings:
				m.Minute, m.Query.State, m.Rows = at(minutes), room.RecordingReady, m.Rows[:min(3, len(m.Rows))]
				out = append(out, m)
			case live.Artifacts:
				m.Minute, m.Days = at(minutes), m.Days[:min(3, len(m.Days))]
				out = append(out, m)
			case live.Intake:
				m.Minute, m.Query.Verdict = at(minutes), room.Refused
				m.Refusals = m.Refusals[:min(1, len(m.Refusals))]
				out = append(out, m)
			case live.Overview:
				m.Hour = m.Hour[:len(m.Hour)/minutes]
				out = append(out, m)
			}
		}
	}
	return out
}

// While a version is equal the HTML is not made again.
func TestEqualVersionsAreEqualHTML(t *testing.T) {
	type key struct {
		kind, id string
		version  any
	}
	seen := make(map[key][]byte)
	for _, m := range varied("Weekly ops") {
		for _, e := range (HTML{}).Elements(m) {
			k := key{fmt.Sprintf("%T", m), e.ID, e.Version}
			now := e.Render()
			if before, ok := seen[k]; ok && !bytes.Equal(before, now) {
				t.Errorf("%s has one version and two forms:\n%s\n%s", e.ID, before, now)
			}
			seen[k] = now
		}
	}
}

func TestDaysStandOverTheirRows(t *testing.T) {
	m := live.Sessions{Page: room.Page[room.Summary]{Items: sessionFixtures("x"), Next: "more"}, Matches: 9, Minute: noon}
	var order []string
	for _, e := range (HTML{}).Elements(m) {
		if e.Parent == "sessions" {
			order = append(order, e.ID)
		}
	}
	want := []string{"day-2026-11-24", "session-sid-x", "session-sid-x@other", "day-2026-11-23", "session-over", "session-failed", "day-0001-01-01", "session-unknown"}
	if !slices.Equal(order, want) {
		t.Errorf("rows are %v, want %v", order, want)
	}
}

func TestDayThatThePageCutsSaysSo(t *testing.T) {
	day := noon.Truncate(24 * time.Hour)
	for _, c := range []struct {
		n     int
		whole bool
		want  string
	}{
		{7, true, "Tuesday 24 November · 7 sessions"}, {1, true, "Tuesday 24 November · 1 session"},
		{7, false, "Tuesday 24 November · 7 sessions on this page"},
	} {
		if got := dayLine(day, noon, c.n, sessionNoun, c.whole); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if got := dayLine(day.AddDate(-1, 0, 0), noon, 2, sessionNoun, true); got != "Monday 24 November 2025 · 2 sessions" {
		t.Errorf("%q", got)
	}
}

func TestGoingOnStandsFirstOnTheFirstPageOnly(t *testing.T) {
	m := live.Recordings{Rows: recordingFixtures("x"), Minute: noon}
	ids := func(m live.Recordings) (out []string) {
		for _, e := range (HTML{}).Elements(m) {
			if e.Parent == "recordings" {
				out = append(out, e.ID)
			}
		}
		return out
	}
	if got := ids(m); !slices.Equal(got[:5], []string{"going-on", "recording-active-x", "recording-waiting", "recording-overdue", "day-2026-11-24"}) {
		t.Errorf("first page: %v", got)
	}
	m.Query.Cursor = "c"
	if got := ids(m); slices.Contains(got, "going-on") || got[0] != "day-2026-11-24" {
		t.Errorf("a later page: %v", got)
	}
}

func TestOverdueIsMarked(t *testing.T) {
	m := live.Recordings{Rows: recordingFixtures("x"), Counts: countFixtures(), Minute: noon}
	for _, e := range (HTML{}).Elements(m) {
		text := string(e.Render())
		switch e.ID {
		case "recording-overdue":
			if !strings.Contains(text, "Overdue") || !strings.Contains(text, `class="badge warn"`) || !strings.Contains(text, "no file since") {
				t.Errorf("an overdue recording reads %s", text)
			}
		case "recording-waiting":
			if strings.Contains(text, "verdue") || !strings.Contains(text, "expected by") {
				t.Errorf("one that is in time reads %s", text)
			}
		case "state-processing":
			if !strings.Contains(text, "1 overdue") {
				t.Errorf("the box reads %s", text)
			}
		}
	}
}

func TestTrackKeepsInItsColumn(t *testing.T) {
	for _, r := range recordingFixtures("x") {
		for _, minutes := range []int{0, 5, 6000} {
			rows := []live.RecordingRow{r}
			l := recordingLine{FiledRecording: r.FiledRecording, due: r.Due, until: at(minutes), scale: scaleOf(rows, at(minutes))}
			for _, p := range []string{l.track().recorded, l.track().from, l.track().end, l.track().due, l.track().processed, l.track().on} {
				var percent float64
				if _, err := fmt.Sscanf(p, "%g%%", &percent); p != "" && (err != nil || percent < 0 || percent > 100) {
					t.Errorf("%s: %q is beyond its column: %+v", r.RecordID, p, l.track())
				}
			}
		}
	}
}

func TestFoundWordsAreMarked(t *testing.T) {
	for _, c := range []struct{ text, search, want string }{
		{"Fatimata Diallo", "fatima", "[Fatima]ta Diallo"},
		{"Fatima (فاطمة)", "فاط fat", "[Fat]ima ([فاط]مة)"},
		{"al-Fatima", "fat", "al-[Fat]ima"},
		{"unfatima", "fatima", "unfatima"},
		{"Ana Ana", "ana a", "[Ana] [Ana]"},
		{"u-1001", "10", "u-[10]01"},
		{"ÉTÉ été", "ét", "[ÉT]É [ét]é"},
		{"e\u0301te\u0301", "e", "[e\u0301]te\u0301"},
		{"", "x", ""}, {"x", "", "x"}, {"x", "…", "x"},
	} {
		var got strings.Builder
		for _, p := range marked(c.text, c.search) {
			if p.hit {
				got.WriteString("[" + p.text + "]")
			} else {
				got.WriteString(p.text)
			}
		}
		if got.String() != c.want {
			t.Errorf("%q in %q: %q, want %q", c.search, c.text, got.String(), c.want)
		}
	}
}

func TestManyMatchesAreNotCounted(t *testing.T) {
	for n, want := range map[int]string{0: "0 sessions", 1: "1 session", 1204: "1,204 sessions", room.MaxCount: "10,000 sessions", room.MaxCount + 1: "more than 10,000 sessions"} {
		if got := many(n, sessionNoun); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
	if got := exportWord(room.MaxCount + 1); got != "Export all that match" {
		t.Error(got)
	}
}

func TestEveryRefusalHasItsAdvice(t *testing.T) {
	// The codes of plugnmeet's refusals, which views may not import, and of what cannot be read.
	codes := []string{"unknown_key", "signature", "expired", "not_yet", "far_expiry", "body_hash", "no_token", "two_tokens", "proxy_login", "oversized",
		"malformed", "alg", "crit", "no_expiry", "no_hash", "unreadable"}
	for _, code := range codes {
		if advice[code] == "" || refusalWords[code] == "" {
			t.Errorf("no advice for %s", code)
		}
	}
	if len(advice) != len(codes) {
		t.Errorf("%d advices for %d codes", len(advice), len(codes))
	}
}

func TestDiagnosisSpeaksOnlyOfTrouble(t *testing.T) {
	heard := []live.SourceState{{Name: "default", LastDeliveryAt: noon}}
	unheard := []live.SourceState{{Name: "default"}}
	refused := []room.RefusalCount{{Code: "signature", N: 2, Newest: room.Delivery{Source: "default"}}}
	for _, c := range []struct {
		what  string
		m     live.Intake
		title string
	}{
		{"calm", live.Intake{Minute: noon, Sources: heard}, ""},
		{"nothing ever", live.Intake{Minute: noon, Sources: unheard}, "No delivery has arrived yet"},
		{"refused", live.Intake{Minute: noon, Sources: heard, Refusals: refused}, "2 deliveries of default were refused in the last hour"},
		{"only refused", live.Intake{Minute: noon, Sources: unheard, Refusals: refused, Counts: []room.IntakeCount{{Minute: at(-1), Verdict: room.Refused, N: 2}}},
			"2 deliveries were refused in the last hour, and none was ever accepted"},
	} {
		if got := diagnose(c.m, countsOf(c.m)).title; got != c.title {
			t.Errorf("%s: %q, want %q", c.what, got, c.title)
		}
	}
}

func TestRateIsOfWholeMinutes(t *testing.T) {
	m := live.Intake{Minute: noon, Counts: []room.IntakeCount{
		{Minute: noon, Source: "a", Verdict: room.Accepted, N: 1000}, // goes on
		{Minute: at(-1), Source: "a", Verdict: room.Accepted, N: 10}, {Minute: at(-5), Source: "a", Verdict: room.Late, N: 30},
		{Minute: at(-6), Source: "a", Verdict: room.Accepted, N: 1000},
		{Minute: at(-2), Source: "a", Verdict: room.Refused, N: 1000},
	}}
	line := sourceLineOf(live.SourceState{Name: "a", LastDeliveryAt: noon}, countsOf(m))
	if line.rate != "8 / min" {
		t.Errorf("rate %s", line.rate)
	}
}

func TestBarsStayInTheirDay(t *testing.T) {
	session := func(from, to time.Time) sessionLine {
		return sessionLine{Summary: room.Summary{Head: room.Head{State: room.StateEnded, CreatedAt: from, EndedAt: to}}}
	}
	midnight := noon.Truncate(24 * time.Hour)
	for _, c := range []struct {
		line       sessionLine
		from, wide string
	}{
		{session(noon, at(360)), "50%", "25%"},
		{session(noon, noon), "50%", "1.67%"},
		{session(at(360), at(36000)), "75%", "25%"},
		{session(midnight.Add(24*time.Hour-time.Minute), midnight.Add(30*time.Hour)), "98.33%", "1.67%"},
		{session(midnight, midnight.Add(24*time.Hour)), "0%", "100%"},
		{session(noon, at(-60)), "50%", "1.67%"},
	} {
		if from, wide := c.line.inDay(); from != c.from || wide != c.wide {
			t.Errorf("%v to %v: %s %s, want %s %s", c.line.CreatedAt, c.line.EndedAt, from, wide, c.from, c.wide)
		}
	}
}

func TestNavigationSaysWhereWeAre(t *testing.T) {
	for _, p := range places {
		var out bytes.Buffer
		if err := Page(PageData{Nav: p.nav}).Render(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(out.String(), `aria-current="page"`); got != 1 || !strings.Contains(out.String(), `<a href="`+p.path+`" aria-current="page">`) {
			t.Errorf("%s: %d entries are current", p.nav, got)
		}
	}
}

func TestListRowsStaySmall(t *testing.T) {
	sizes := make(map[string]int)
	for _, m := range listModels("Platform all-hands: Q4 roadmap") {
		for _, e := range (HTML{}).Elements(m) {
			for _, kind := range []string{"session-", "recording-", "artifact-", "concurrency", "cost-chart", "stat-"} {
				if strings.HasPrefix(e.ID, kind) {
					sizes[kind] = max(sizes[kind], len(e.Render()))
				}
			}
		}
	}
	for kind, most := range map[string]int{"session-": 2000, "recording-": 2200, "artifact-": 1500, "concurrency": 20_000, "cost-chart": 6000, "stat-": 3000} {
		t.Logf("%s: %d bytes", kind, sizes[kind])
		if sizes[kind] > most || sizes[kind] == 0 {
			t.Errorf("%s has %d bytes, more than %d", kind, sizes[kind], most)
		}
	}
}
