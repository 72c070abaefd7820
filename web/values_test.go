package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/roomwatch/roomwatch/room"
)

// hostile are values that some parameter cannot be; each is refused or taken, by kind of parameter.
var (
	badTexts   = []string{strings.Repeat("x", 1025), strings.Repeat("é", 513), "\xff", "ok\xc3", "\xed\xa0\x80"}
	badWords   = []string{"x", "LIVE", " live", "live ", "0", "null", "live,ended", "ready\x00", "unauthentic'"}
	badMoments = []string{"yesterday", "2026-13-01", "2026-02-30", "2026-11-22 01:00:00", "2026-11-22T01:00:00", "1795309324", "0", "-1", "2026-11-22T25:00:00Z", "2026-11", "9999999-01-01", "now"}
	badLimits  = []string{"0", "-1", "201", "1.5", "1e2", "0x10", " 1", "٣", "99999999999999999999", "x", "+-1"}
	badCursors = []string{"!", "x", "AA", "AAAA", "====", "' OR 1=1", "-1", "0", "../", strings.Repeat("A", 1000), "%00"}
)

// parameters are what each list takes, and what it must not take for them.
var parameters = map[string]map[string][]string{
	"sessions":   {"state": badWords, "source": badTexts, "room_id": badTexts, "q": badTexts, "from": badMoments, "to": badMoments, "limit": badLimits, "cursor": badCursors},
	"recordings": {"state": badWords, "source": badTexts, "room_id": badTexts, "q": badTexts, "from": badMoments, "to": badMoments, "limit": badLimits, "cursor": badCursors},
	"artifacts":  {"type": badTexts, "class": badWords, "source": badTexts, "room_id": badTexts, "q": badTexts, "from": badMoments, "to": badMoments, "limit": badLimits, "cursor": badCursors},
	"intake":     {"verdict": badWords, "source": badTexts, "event": badTexts, "room_id": badTexts, "sid": badTexts, "from": badMoments, "to": badMoments, "limit": badLimits, "cursor": badCursors},
}

// badQueries calls fn with every bad value of every parameter of a list.
func badQueries(list string, fn func(name, query string)) {
	for name, bad := range parameters[list] {
		for _, value := range append(bad, badTexts...) {
			fn(name, "?"+name+"="+url.QueryEscape(value))
		}
	}
	for _, query := range []string{"?%zz", "?q=%", "?a;b"} {
		fn("query", query)
	}
}

func TestEveryBadValueIsAProblemDocumentThatNamesIt(t *testing.T) {
	t.Parallel()
	r := captured(t)
	for list := range parameters {
		path := exports["/"+list]
		badQueries(list, func(name, query string) {
			a := r.get(path + query)
			if a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, name) {
				t.Errorf("%s%.80s: %d %s", path, query, a.StatusCode, a.body)
			}
			checkProblem(t, path+query, a)
		})
	}
	for _, query := range []string{"?span=week", "?span=HOUR", "?span=60", "?%zz"} {
		a := r.get("/api/v1/totals" + query)
		if a.StatusCode != http.StatusBadRequest {
			t.Errorf("totals%s: %d", query, a.StatusCode)
		}
		checkProblem(t, query, a)
	}
	if strings.Contains(r.logged.String(), "level=ERROR") {
		t.Errorf("logged: %s", r.logged)
	}
}

// Whoever misspells a filter would take everything for what was asked for.
func TestAProgramThatAsksForAnUnknownParameterIsToldItsName(t *testing.T) {
	t.Parallel()
	r := captured(t)
	paths := []string{"/api/v1/state", "/api/v1/totals", "/api/v1/attention", "/api/v1/sessions/open"}
	for page, list := range exports {
		paths = append(paths, list, page+".json", page+".csv")
	}
	for _, path := range paths {
		for name, query := range map[string]string{"form": "?form=2026-11-01", "Limit": "?Limit=1", "page": "?page=2", "sate": "?sate=live"} {
			a := r.get(path + query)
			if a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, name) || !strings.Contains(a.body, "Unknown parameter") {
				t.Errorf("%s%s: %d %.300s", path, query, a.StatusCode, a.body)
			}
			if !strings.HasSuffix(path, ".csv") {
				checkProblem(t, path+query, a)
			}
		}
		long := r.get(path + "?" + url.QueryEscape("<script>"+strings.Repeat("x", 500)) + "=1")
		if long.StatusCode != http.StatusBadRequest || strings.Contains(long.body, "<script>x") || len(long.body) > 20_000 || strings.Count(long.body, "x") > 200 && !strings.HasSuffix(path, ".csv") {
			t.Errorf("%s with a hostile name: %d %.300s", path, long.StatusCode, long.body)
		}
	}
}

func TestAPageWithABadFilterSaysWhichAndHowItShouldBe(t *testing.T) {
	t.Parallel()
	r := start(t)
	for list := range parameters {
		for _, path := range []string{"/" + list, "/" + list + ".csv"} {
			badQueries(list, func(name, query string) {
				if path != "/"+list && (name == "limit" || name == "cursor") {
					return // an export does not ask for them
				}
				a := r.get(path + query)
				if a.StatusCode != http.StatusBadRequest || a.Header.Get("Content-Type") != "text/html; charset=utf-8" || !strings.Contains(a.body, name) || !strings.Contains(a.body, "<h1>") {
					t.Errorf("%s%.80s: %d %.300s", path, query, a.StatusCode, a.body)
				}
			})
		}
	}
	a := r.get("/sessions?from=" + url.QueryEscape(`<script>alert("x")`))
	if !strings.Contains(a.body, "The parameter from must be a time like 2026-11-22T01:00:00Z or a day like 2026-11-22.") || strings.Contains(a.body, "alert(") {
		t.Error(a.body)
	}
}

func TestASocketWithABadFilterIsToldSoBeforeItOpens(t *testing.T) {
	t.Parallel()
	r := start(t)
	upgrade := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==", "Origin", r.url}
	for view, query := range map[string]string{"sessions": "state=x", "recordings": "state=x", "artifacts": "class=x", "intake": "verdict=x"} {
		a := r.get("/live?view="+view+"&"+query, upgrade...)
		var said struct{ Status, Detail string }
		if err := json.Unmarshal([]byte(a.body), &said); err != nil || a.StatusCode != http.StatusBadRequest || said.Status != "bad value" || !strings.Contains(said.Detail, query[:strings.Index(query, "=")]) {
			t.Errorf("%s: %d %s", view, a.StatusCode, a.body)
		}
	}
	if a := r.get("/live?view=nothing", upgrade...); a.StatusCode != http.StatusBadRequest || a.body != `{"status":"no such view"}` {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

// Links of others add parameters to pages, and a program may leave values empty.
func TestWhatNobodyAsksForIsIgnored(t *testing.T) {
	t.Parallel()
	r := start(t)
	for path, params := range map[string][]string{"/api/v1/sessions": room.SessionParams, "/api/v1/recordings": room.RecordingParams, "/api/v1/artifacts": room.ArtifactParams,
		"/api/v1/deliveries": room.DeliveryParams, "/api/v1/totals": {"span"}, "/sessions.csv": room.SessionParams, "/intake.json": room.DeliveryParams} {
		for _, query := range []string{"?", "?&&", "?" + strings.Join(params, "=&") + "="} {
			if a := r.get(path + query); a.StatusCode != http.StatusOK {
				t.Errorf("%s%s: %d %.300s", path, query, a.StatusCode, a.body)
			}
		}
	}
	for _, path := range []string{"/", "/sessions", "/recordings", "/artifacts", "/intake", "/find"} {
		for _, query := range []string{"?verbose=1", "?utm_source=x&limit=", "?x=%ff", "?=", "?&&", "?state=&verdict=&class=&from=&to=&cursor="} {
			if a := r.get(path + query); a.StatusCode != http.StatusOK {
				t.Errorf("%s%s: %d %s", path, query, a.StatusCode, a.body)
			}
		}
	}
}

func TestEveryErrorBelowTheAPIIsAProblemDocument(t *testing.T) {
	t.Parallel()
	r := start(t)
	for _, path := range []string{"/api", "/api/", "/API/v1", "/api/v1", "/api/v2/state", "/api/v1/openapi.json", "/api/v1/sessions/a/b", "/api/v1/deliveries/", "/api/v1/deliveries/x/y", "/api/v1/%2e%2e/x"} {
		a := r.get(path)
		if a.StatusCode != http.StatusNotFound && path != "/api/v1/deliveries/" {
			t.Errorf("%s: %d", path, a.StatusCode)
		}
		if a.StatusCode != http.StatusOK {
			checkProblem(t, path, a)
		}
	}
	for _, path := range []string{"/api/v1/state", "/api/v1/totals", "/api/v1/sessions", "/api/v1/sessions/x", "/api/v1/recordings", "/api/v1/artifacts", "/api/v1/deliveries", "/api/v1/deliveries/1", "/api/v1/openapi.yaml"} {
		for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
			a := r.do(method, path, "{}")
			if a.StatusCode != http.StatusMethodNotAllowed || a.Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: %d, Allow %q", method, path, a.StatusCode, a.Header.Get("Allow"))
			}
			checkProblem(t, path, a)
		}
		a := r.get(path, "Host", "evil.example")
		if a.StatusCode != http.StatusForbidden {
			t.Errorf("%s under a foreign name: %d", path, a.StatusCode)
		}
		checkProblem(t, path, a)
		a = r.do("GET", path, strings.Repeat("x", 100<<10), "Expect", "100-continue") // or it would be answered while it is still being sent
		if a.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s with a body: %d", path, a.StatusCode)
		}
		checkProblem(t, path, a)
	}
}

func TestListsAreBoundedTo200Items(t *testing.T) {
	t.Parallel()
	r := filled(t, 230)
	for limit, want := range map[string]int{"": 50, "1": 1, "200": 200} {
		if a := read[struct{ Items []json.RawMessage }](r, "/api/v1/sessions?limit="+limit); len(a.Items) != want {
			t.Errorf("limit %q: %d", limit, len(a.Items))
		}
		if a := read[struct{ Items []json.RawMessage }](r, "/api/v1/deliveries?limit="+limit); len(a.Items) != want {
			t.Errorf("deliveries, limit %q: %d", limit, len(a.Items))
		}
	}
	for _, path := range []string{"/api/v1/sessions", "/api/v1/state", "/api/v1/recordings"} {
		if a := r.get(path + "?limit=201"); a.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d", path, a.StatusCode)
		}
	}
}

func TestADeliveryIsFoundByItsPosition(t *testing.T) {
	t.Parallel()
	r := captured(t)
	for _, d := range r.deliveries("") {
		if d.Position == "" {
			continue
		}
		a := r.get("/api/v1/deliveries/" + url.PathEscape(d.Position))
		want, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if a.body != string(want) {
			t.Errorf("%s: %s, in the list it is %s", d.Position, a.body, want)
		}
		page := r.get("/intake/" + url.PathEscape(d.Position))
		if page.StatusCode != http.StatusOK || !strings.Contains(page.body, "<title>Delivery "+d.Position+" ") || strings.Contains(page.body, "data-live") {
			t.Errorf("the page of %s: %d", d.Position, page.StatusCode)
		}
	}
	for _, position := range []string{"0", "99999", "-1", "x", "%00", "%ff", "1.0", "1e0", "9223372036854775808", "%20", strings.Repeat("1", 300)} {
		if a := r.get("/api/v1/deliveries/" + position); a.StatusCode != http.StatusNotFound {
			t.Errorf("%.20s: %d %s", position, a.StatusCode, a.body)
		}
		if a := r.get("/intake/" + position); a.StatusCode != http.StatusNotFound || !strings.Contains(a.body, "<h1>") {
			t.Errorf("the page of %.20s: %d", position, a.StatusCode)
		}
	}
}

func TestTitlesNameWhatIsSearched(t *testing.T) {
	t.Parallel()
	r := start(t)
	for path, title := range map[string]string{
		"/": "Live rooms", "/?q=ana": "Live rooms “ana”", "/sessions": "Sessions", "/sessions?q=%20ana%20&state=live": "Sessions “ana”", "/recordings?q=a+b": "Recordings “a b”",
		"/artifacts?q=%3Cb%3E": "Artifacts “&lt;b&gt;”", "/intake": "Intake", "/intake?q=ana": "Intake",
		"/sessions?q=" + strings.Repeat("%C3%A9", 70): "Sessions “" + strings.Repeat("é", 60) + "…”",
	} {
		a := r.get(path)
		if a.StatusCode != http.StatusOK || !strings.Contains(a.body, fmt.Sprintf("<title>%s · Roomwatch</title>", title)) {
			t.Errorf("%s: %d %.300s", path, a.StatusCode, a.body)
		}
	}
}
