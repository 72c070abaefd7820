package web_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// keys are the members of a JSON object, sorted.
func keys(t *testing.T, data []byte) string {
	t.Helper()
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return strings.Join(slices.Sorted(maps.Keys(object)), " ")
}

func TestTheStateHasItsPinnedShape(t *testing.T) {
	t.Parallel()
	r := start(t)
	if body := r.get("/api/v1/state").body; !strings.Contains(body, `"sessions":[]`) || !strings.Contains(body, `"status":"waiting"`) || strings.Contains(body, "null") {
		t.Errorf("of nothing: %s", body)
	}
	r.taken(event("room_created", "s1", "r1", ""), joined("s1", "r1", "ana"))
	r.await("ana", func() bool { return strings.Contains(r.get("/api/v1/state").body, `"people":1`) })
	var state struct {
		Totals   json.RawMessage
		Sources  []json.RawMessage
		Sessions []json.RawMessage
		Epoch    any
		Seq      any
		At       time.Time `json:"generated_at"`
	}
	body := []byte(r.get("/api/v1/state").body)
	if err := json.Unmarshal(body, &state); err != nil {
		t.Fatal(err)
	}
	if got := keys(t, body); got != "epoch generated_at seq sessions sources totals" {
		t.Error("state:", got)
	}
	if got := keys(t, state.Totals); got != "bots cameras microphones people recordings_active rooms screens streams_active" {
		t.Error("totals:", got)
	}
	if got := keys(t, state.Sources[0]); got != "last_delivery_at name status" {
		t.Error("source:", got)
	}
	if got := keys(t, state.Sessions[0]); got != "artifacts bots cameras created_at first_event_at known_by last_event_at microphones peak_people people people_seen recordings_active room_id screens sid source started_at state streams_active trust" {
		t.Error("session in a list:", got)
	}
	if _, text := state.Epoch.(string); !text {
		t.Error("epoch is no string")
	}
	if _, number := state.Seq.(float64); !number || time.Since(state.At) > time.Minute || state.At.Location() != time.UTC {
		t.Error("seq or generated_at:", state.Seq, state.At)
	}
	for _, list := range []string{"/api/v1/sessions?q=nobody", "/api/v1/deliveries?event=nothing"} {
		if body := r.get(list).body; body != `{"items":[]}` {
			t.Errorf("%s: %s", list, body)
		}
	}
}

func TestAnUnchangedStateIs304(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.taken(event("room_created", "s1", "r1", ""))
	r.await("the room", func() bool { return strings.Contains(r.get("/api/v1/state").body, `"rooms":1`) })
	tag := r.get("/api/v1/state").Header.Get("ETag")
	for _, match := range []string{tag, `"other", ` + tag, "W/" + tag, "*"} {
		a := r.get("/api/v1/state", "If-None-Match", match)
		if a.StatusCode != http.StatusNotModified || a.body != "" || a.Header.Get("ETag") != tag || a.Header.Get("Cache-Control") != "private, no-cache" {
			t.Errorf("%s: %d %q %v", match, a.StatusCode, a.body, a.Header)
		}
	}
	for path, match := range map[string]string{"/api/v1/state?limit=1": tag, "/api/v1/state": `"other"`} {
		if a := r.get(path, "If-None-Match", match); a.StatusCode != http.StatusOK {
			t.Errorf("%s with %s: %d", path, match, a.StatusCode)
		}
	}
	head := r.do("HEAD", "/api/v1/state", "")
	if head.StatusCode != http.StatusOK || head.body != "" || head.Header.Get("ETag") != tag || head.ContentLength <= 0 {
		t.Errorf("HEAD: %d %v", head.StatusCode, head.Header)
	}
	r.taken(joined("s1", "r1", "ana"))
	r.await("another tag", func() bool { return r.get("/api/v1/state", "If-None-Match", tag).StatusCode == http.StatusOK })
}

// followed reads a list to its end, so many at a time, and says what its items are called.
func followed[T any](r *rig, path string, limit int, name func(T) string) (names []string) {
	r.t.Helper()
	for cursor := ""; ; {
		var page struct {
			Items, Sessions []T
			Next            string
		}
		a := r.get(fmt.Sprintf("%slimit=%d&cursor=%s", path, limit, url.QueryEscape(cursor)))
		if err := json.Unmarshal([]byte(a.body), &page); err != nil || a.StatusCode != http.StatusOK {
			r.t.Fatalf("%s: %d %s", path, a.StatusCode, a.body)
		}
		items := append(page.Items, page.Sessions...)
		if len(items) > limit || page.Next != "" && len(items) != limit {
			r.t.Errorf("%s: %d items of at most %d", path, len(items), limit)
		}
		for _, item := range items {
			names = append(names, name(item))
		}
		if cursor = page.Next; cursor == "" {
			return names
		}
	}
}

func TestListsArePagedWithoutGapsOrRepeats(t *testing.T) {
	t.Parallel()
	r := start(t)
	const many = 57
	for n := range many {
		r.taken(event("room_created", fmt.Sprintf("s%02d", n), fmt.Sprint("r", n), ""))
		if n < 20 {
			r.deliver("[]")
		}
	}
	r.await("all are listed", func() bool {
		return len(read[room.Page[room.Summary]](r, "/api/v1/sessions?limit=200").Items) == many &&
			len(r.deliveries("")) == many+20 && len(read[live.State](r, "/api/v1/state?limit=200").Sessions) == many
	})
	for _, limit := range []int{1, 7, 19, 50, 57, 200} {
		sid := func(s room.Summary) string { return s.SID }
		for _, path := range []string{"/api/v1/state?", "/api/v1/sessions?", "/api/v1/sessions?state=created&"} {
			if names := followed(r, path, limit, sid); len(names) != many || len(slices.Compact(slices.Sorted(slices.Values(names)))) != many {
				t.Errorf("%s by %d: %d of %d: %v", path, limit, len(names), many, names)
			}
		}
		n := 0
		names := followed(r, "/api/v1/deliveries?", limit, func(d room.Delivery) string { n++; return fmt.Sprint(d.Position, d.ID) })
		if slices.Sort(names); n != many+20 || len(slices.Compact(names)) != many+1 {
			t.Errorf("deliveries by %d: %d", limit, n)
		}
	}
	if page := read[live.State](r, "/api/v1/state"); len(page.Sessions) != 50 || page.Totals.Rooms != many {
		t.Errorf("by itself a page has %d, of %d", len(page.Sessions), page.Totals.Rooms)
	}
}

func TestABadValueIs400AndAnUnknownSessionIs404(t *testing.T) {
	t.Parallel()
	r := start(t)
	long := strings.Repeat("x", 2000)
	for path, code := range map[string]int{
		"/api/v1/state?limit=0": 400, "/api/v1/state?limit=201": 400, "/api/v1/state?limit=-1": 400, "/api/v1/state?limit=1e1": 400, "/api/v1/state?limit=99999999999999999999": 400,
		"/api/v1/state?cursor=!": 400, "/api/v1/state?cursor=AA": 400, "/api/v1/sessions?cursor=AAAA": 400, "/api/v1/sessions?limit=x": 400,
		"/api/v1/sessions?state=dead": 400, "/api/v1/sessions?state=Live": 400, "/api/v1/sessions?from=yesterday": 400, "/api/v1/sessions?to=2026-13-01T00:00:00Z": 400,
		"/api/v1/sessions?from=1795309324": 400, "/api/v1/sessions?q=" + long: 400, "/api/v1/sessions?room_id=%ff": 400, "/api/v1/sessions?q=%c3%28": 400,
		"/api/v1/deliveries?verdict=bad": 400, "/api/v1/deliveries?limit=": 200, "/api/v1/deliveries?cursor=x": 400, "/api/v1/deliveries?event=" + long: 400,
		"/api/v1/sessions?q=%22%29%28*%00": 200, "/api/v1/sessions?q=OR+AND+NEAR": 200, "/api/v1/sessions?q=-": 200, "/api/v1/deliveries?sid=%00": 200,
		"/api/v1/sessions/unknown": 404, "/api/v1/sessions/%ff": 404, "/api/v1/sessions/%00": 404, "/api/v1/nothing": 404, "/api": 404, "/api/": 404, "/api/v1/sessions/a/b": 404,
	} {
		a := r.get(path)
		if a.StatusCode != code {
			t.Errorf("%.60s: %d %s, want %d", path, a.StatusCode, a.body, code)
		}
		if code != http.StatusOK {
			checkProblem(t, path, a)
		}
	}
	a := r.do("POST", "/api/v1/state", "")
	if a.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", a.StatusCode)
	}
	checkProblem(t, "POST", a)
}

func TestSessionsAndDeliveriesAreFiltered(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.taken(event("room_created", "made", "lobby", ""),
		event("room_created", "going", "lobby", ""), joined("going", "lobby", "Ana Díaz"),
		event("room_created", "gone", "studio", ""), joined("gone", "studio", "Bo"), event("session_ended", "gone", "studio", ""),
		event("room_exploded", "going", "lobby", ""))
	r.deliver("[]")
	r.do("POST", "/webhook", "{}")
	hour := func(h int) string {
		return url.QueryEscape(time.Now().Add(time.Duration(h) * time.Hour).Format(time.RFC3339))
	}
	list := func(query string) string {
		var sids []string
		for _, s := range read[room.Page[room.Summary]](r, "/api/v1/sessions?"+query).Items {
			sids = append(sids, s.SID)
		}
		slices.Sort(sids)
		return strings.Join(sids, " ")
	}
	r.await("the lists are current", func() bool { return list("state=ended") == "gone" && list("q=diaz") == "going" })
	for query, want := range map[string]string{
		"": "going gone made", "state=live": "going", "state=created": "", "source=default": "going gone made", "source=other": "",
		"room_id=lobby": "going made", "room_id=lob": "", "q=lob": "going made", "q=ana+lobby": "going", "q=ana+studio": "", "q=bo": "gone",
		"from=" + hour(-1): "going gone made", "from=" + hour(1): "", "to=" + hour(1): "going gone made", "to=" + hour(-1): "", "from=" + hour(1) + "&to=" + hour(-1): "",
		"room_id=lobby&state=live&q=di": "going", "q=%20%20": "going gone made", "state=": "going gone made",
	} {
		if got := list(query); got != want && query != "state=created" {
			t.Errorf("sessions %s: %q, want %q", query, got, want)
		}
	}
	r.await("both notes", func() bool {
		return len(r.deliveries("verdict=unreadable"))+len(r.deliveries("verdict=unauthentic")) == 2
	})
	for query, want := range map[string]int{"": 9, "verdict=accepted": 6, "verdict=unknown": 1, "verdict=unreadable": 1, "verdict=unauthentic": 1, "verdict=duplicate": 0,
		"event=room_created": 3, "event=ROOM_CREATED": 0, "room_id=lobby": 4, "sid=gone": 3, "sid=gone&event=session_ended": 1, "sid=gone&verdict=unknown": 0} {
		if got := r.deliveries(query); len(got) != want {
			t.Errorf("deliveries %s: %d, want %d", query, len(got), want)
		}
	}
	for _, d := range r.deliveries("verdict=accepted") {
		if d.Position == "" || len(d.Body) == 0 || d.ID == "" || d.Source != "default" {
			t.Errorf("%+v", d)
		}
	}
}
