package web_test

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/web"
)

// exports are the lists that can be exported, by their page.
var exports = map[string]string{"/sessions": "/api/v1/sessions", "/recordings": "/api/v1/recordings", "/artifacts": "/api/v1/artifacts", "/intake": "/api/v1/deliveries"}

// walked is a list of the API, read to its end.
func walked(r *rig, path, query string) (items []json.RawMessage) {
	r.t.Helper()
	for cursor := ""; ; {
		page := read[room.Page[json.RawMessage]](r, path+query+"limit=200&cursor="+url.QueryEscape(cursor))
		items = append(items, page.Items...)
		if cursor = page.Next; cursor == "" {
			return items
		}
	}
}

func (r *rig) csv(path string) (names []string, rows [][]string) {
	r.t.Helper()
	a := r.get(path)
	text, marked := strings.CutPrefix(a.body, "\ufeff")
	if !marked {
		r.t.Fatalf("%s has no byte order mark: %.60q", path, a.body)
	}
	all, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(all) == 0 || a.StatusCode != http.StatusOK {
		r.t.Fatalf("%s: %d %v %.300s", path, a.StatusCode, err, a.body)
	}
	return all[0], all[1:]
}

func TestAnExportIsAllThatTheFiltersAskFor(t *testing.T) {
	t.Parallel()
	r := captured(t)
	r.taken(event("room_created", "formula", "=1+1", ""), event("start_recording", "formula", "=1+1", `,"recording_info":{"record_id":"-rec","recorder_id":"@node"}`))
	r.await("it is listed", func() bool { return strings.Contains(r.get("/api/v1/recordings").body, "-rec") })
	for page, list := range exports {
		rows := 0
		for _, query := range queries(lists[list]) {
			if strings.Contains(query, "limit=1&") || strings.Contains(query, "limit=200&") {
				continue
			}
			want := walked(r, list, query)
			got := read[room.Page[json.RawMessage]](r, page+".json"+query+"limit=1&cursor=!")
			if got.Next != "" || !slices.EqualFunc(got.Items, want, func(a, b json.RawMessage) bool { return string(a) == string(b) }) {
				t.Errorf("%s.json%s: %d items, the API lists %d", page, query, len(got.Items), len(want))
			}
			names, cells := r.csv(page + ".csv" + query + "limit=x&cursor=!")
			if len(cells) != len(want) {
				t.Errorf("%s.csv%s: %d rows, the API lists %d", page, query, len(cells), len(want))
				continue
			}
			for i, row := range cells {
				checkRow(t, page, names, row, want[i])
			}
			rows += len(cells)
		}
		if rows == 0 {
			t.Errorf("nothing of %s was exported", page)
		}
	}
}

// uncelled are members that have no column.
var uncelled = []string{"found", "body", "usage_breakdown"}

// checkRow compares a line of a CSV with the item of the API: every member has a column, every cell is a member.
func checkRow(t *testing.T, page string, names, row []string, item json.RawMessage) {
	t.Helper()
	members := make(map[string]string)
	flatten(t, "", item, members)
	for i, name := range names {
		want := members[name]
		if (name == "capped" || name == "superseded") && want == "" {
			want = "false"
		}
		if strings.HasPrefix(want, "=") || strings.HasPrefix(want, "@") || strings.HasPrefix(want, "-") && name != "lag_ms" {
			want = "'" + want
		}
		if row[i] != want {
			t.Fatalf("%s: %s is %q, want %q", page, name, row[i], want)
		}
		delete(members, name)
	}
	for name := range members {
		if !slices.ContainsFunc(uncelled, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			t.Fatalf("%s: %s is in no column of %v", page, name, names)
		}
	}
}

// flatten makes one level of members of an object, with the names of what they are in before theirs.
func flatten(t *testing.T, prefix string, object json.RawMessage, into map[string]string) {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(object, &members); err != nil {
		t.Fatal(err)
	}
	for name, value := range members {
		var text string
		switch {
		case value[0] == '{':
			flatten(t, prefix+name+"_", value, into)
		case json.Unmarshal(value, &text) == nil:
			into[prefix+name] = text
		default:
			into[prefix+name] = string(value)
		}
	}
}

func TestAnExportIsAFileWithTheDate(t *testing.T) {
	t.Parallel()
	r := start(t)
	for page := range exports {
		for form, mime := range map[string]string{"csv": "text/csv; charset=utf-8", "json": "application/json"} {
			path := page + "." + form
			file := fmt.Sprintf(`attachment; filename="roomwatch-%s-%s.%s"`, page[1:], time.Now().UTC().Format(time.DateOnly), form)
			for _, method := range []string{"GET", "HEAD"} { // twice: what follows a HEAD must be read as an answer of its own
				a := r.do(method, path, "", "Accept-Encoding", "gzip, br")
				if a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != mime || a.Header.Get("Content-Disposition") != file ||
					a.Header.Get("Content-Encoding") != "" || a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("X-Content-Type-Options") != "nosniff" {
					t.Errorf("%s %s: %d %v", method, path, a.StatusCode, a.Header)
				}
				if method == "HEAD" && a.body != "" {
					t.Errorf("HEAD %s: %q", path, a.body)
				}
			}
		}
		if body := r.get(page + ".json").body; body != "{\"items\":[]}\n" {
			t.Errorf("%s of nothing: %q", page, body)
		}
		if names, rows := r.csv(page + ".csv"); len(rows) != 0 || len(names) < 10 {
			t.Errorf("%s of nothing: %v %v", page, names, rows)
		}
		a := r.do("POST", page+".csv", "")
		if a.StatusCode != http.StatusMethodNotAllowed || a.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("POST %s.csv: %d", page, a.StatusCode)
		}
	}
}

func TestWhatFollowsAHeadOfAnExportIsAnAnswerOfItsOwn(t *testing.T) {
	t.Parallel()
	r := start(t)
	line, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	_ = line.SetDeadline(time.Now().Add(patience))
	in := bufio.NewReader(line)
	for _, method := range []string{"HEAD", "GET", "HEAD", "GET"} {
		if _, err := fmt.Fprintf(line, "%s /sessions.csv HTTP/1.1\r\nHost: localhost\r\n\r\n", method); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			t.Fatalf("%s: %v", method, err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK || in.Buffered() > 0 {
			t.Errorf("%s: %d %v, %d bytes over", method, response.StatusCode, err, in.Buffered())
		}
	}
}

// filled is a rig with so many sessions, s000 and on.
func filled(t *testing.T, many int, settings ...setting) *rig {
	t.Helper()
	r := start(t, settings...)
	for n := range many {
		r.taken(event("room_created", fmt.Sprintf("s%03d", n), fmt.Sprint("r", n%7), ""))
	}
	r.await("all are listed", func() bool { return len(followed(r, "/api/v1/sessions?", 200, sidOf)) == many })
	return r
}

func sidOf(s room.Summary) string { return s.SID }

func sidsOf(rows [][]string) (sids []string) {
	for _, row := range rows {
		sids = append(sids, row[1])
	}
	return sids
}

func TestAnExportOfManyPagesHasEveryRowOnceWhileOthersCome(t *testing.T) {
	t.Parallel()
	const many = 450
	r := filled(t, many)
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
				r.taken(event("room_created", fmt.Sprint("new", n), "r", ""), joined(fmt.Sprintf("s%03d", n%many), fmt.Sprint("r", n%many%7), "ana"))
			}
		}
	})
	for range 5 {
		_, rows := r.csv("/sessions.csv")
		old := slices.DeleteFunc(sidsOf(rows), func(sid string) bool { return strings.HasPrefix(sid, "new") })
		if slices.Sort(old); len(old) != many || len(slices.Compact(old)) != many {
			t.Errorf("%d rows of %d", len(old), many)
		}
	}
	close(stop)
	writer.Wait()
}

func TestAnExportThatIsCutSaysSo(t *testing.T) {
	t.Parallel()
	const many = 250
	r := filled(t, many, func(c *web.Config) { c.ExportRows = 210 })
	all := followed(r, "/api/v1/sessions?", 200, sidOf)
	a := r.get("/sessions.csv")
	if cut := a.Trailer.Get("Roomwatch-Truncated"); cut != "true" {
		t.Errorf("trailer %q", cut)
	}
	if _, rows := r.csv("/sessions.csv"); !slices.Equal(sidsOf(rows), all[:210]) {
		t.Errorf("%d rows", len(rows))
	}
	page := read[room.Page[room.Summary]](r, "/sessions.json")
	rest := read[room.Page[room.Summary]](r, "/api/v1/sessions?limit=200&cursor="+url.QueryEscape(page.Next))
	if len(page.Items) != 210 || len(rest.Items) != many-210 || rest.Items[0].SID != all[210] {
		t.Errorf("%d items, and %d follow", len(page.Items), len(rest.Items))
	}
	for _, query := range []string{"?room_id=r1", "?room_id=nothing"} {
		a := r.get("/sessions.csv" + query)
		if cut := a.Trailer.Get("Roomwatch-Truncated"); cut != "false" {
			t.Errorf("%s: trailer %q", query, cut)
		}
	}
}
