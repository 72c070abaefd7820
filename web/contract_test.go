package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/simulate"
	"github.com/roomwatch/roomwatch/web"
)

// contract checks answers against the OpenAPI document that the server hands out.
type contract struct {
	*rig
	doc     *openapi3.T
	checked map[string]int // answers by operation and status
}

func readContract(r *rig) *contract {
	r.t.Helper()
	a := r.get("/api/v1/openapi.yaml")
	if a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != "application/yaml" {
		r.t.Fatalf("the document: %d %v", a.StatusCode, a.Header)
	}
	doc, err := openapi3.NewLoader().LoadFromData([]byte(a.body))
	if err != nil {
		r.t.Fatal(err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		r.t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") {
		r.t.Errorf("it is OpenAPI %s", doc.OpenAPI)
	}
	return &contract{rig: r, doc: doc, checked: make(map[string]int)}
}

// asks for a path and checks the answer against what the document says of its operation: the status must be
// in it, and status, headers, type and body as it says.
func (k *contract) asks(operation, path string, headers ...string) answer {
	k.t.Helper()
	a := k.get(path, headers...)
	if err := k.check(operation, a); err != nil {
		k.t.Errorf("%.200s: %d, %.400v in %.600s", path, a.StatusCode, err, a.body)
	}
	k.checked[fmt.Sprint(operation, " ", a.StatusCode)]++
	return a
}

func (k *contract) check(operation string, a answer) error {
	op := operationAt(k.doc.Paths.Find(operation))
	if op.Responses.Status(a.StatusCode) == nil && a.StatusCode < http.StatusInternalServerError {
		return fmt.Errorf("this status is not described")
	}
	return openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: a.Request, Route: &routers.Route{Spec: k.doc, Path: operation, Method: a.Request.Method, Operation: op}},
		Status:                 a.StatusCode, Header: a.Header, Body: io.NopCloser(strings.NewReader(a.body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
}

// captured is a rig whose store holds what was recorded from a real plugNmeet, and notes of all kinds.
func captured(t *testing.T, settings ...setting) *rig {
	t.Helper()
	r := start(t, settings...)
	files, err := filepath.Glob("../testdata/c[ao][pn]*/*.jsonl") // captures and contract
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	var last []byte
	for _, file := range files {
		for _, d := range recorded(t, file) {
			if a := r.deliver(string(d.Body)); a.StatusCode == http.StatusOK {
				last = d.Body
			}
		}
	}
	r.taken(event("room_created", "open", "room-open", ""), joined("open", "room-open", "ana"), event("room_exploded", "open", "room-open", ""))
	r.deliver(string(last))                                    // a duplicate
	r.deliver("[]")                                            // unreadable
	r.do("POST", "/webhook", "{}", "Authorization", "forgery") // not authentic
	r.await("all are listed", func() bool {
		return len(r.deliveries("verdict=duplicate"))*len(r.deliveries("verdict=unreadable"))*len(r.deliveries("verdict=unauthentic")) > 0 &&
			strings.Contains(r.get("/api/v1/sessions?q=ana+room-open").body, `"sid":"open"`)
	})
	return r
}

func recorded(t *testing.T, file string) []simulate.Recorded {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := simulate.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// queries are no parameter, every value, and every pair of values of two parameters, each a query string
// with "?" before and "&" after it.
func queries(values map[string][]string) []string {
	all, before := []string{"?"}, []string(nil)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		var these []string
		for _, value := range values[name] {
			these = append(these, name+"="+url.QueryEscape(value)+"&")
		}
		for _, this := range these {
			all = append(all, "?"+this)
			for _, other := range before {
				all = append(all, "?"+other+this)
			}
		}
		before = append(before, these...)
	}
	return all
}

// lists are the API's lists, with values to ask for that are in the captures, and some that are not.
var lists = map[string]map[string][]string{
	"/api/v1/sessions":   {"state": {"created", "live", "ended"}, "source": {"default", "other"}, "q": {"room", "a b"}, "from": {"2020-01-01"}, "to": {"2100-01-01T00:00:00Z"}, "limit": {"1", "200"}},
	"/api/v1/recordings": {"state": {"recording", "processing", "ready", "failed"}, "source": {"default"}, "q": {"room"}, "from": {"2020-01-01"}, "to": {"2100-01-01"}, "limit": {"1", "200"}},
	"/api/v1/artifacts":  {"type": {"MEETING_SUMMARY", "NOTHING"}, "class": {"file", "usage"}, "source": {"default"}, "q": {"room"}, "from": {"2020-01-01"}, "limit": {"1", "200"}},
	"/api/v1/deliveries": {"verdict": {"accepted", "late", "unknown", "duplicate", "unauthentic", "unreadable"}, "source": {"default"}, "event": {"participant_joined"}, "room_id": {"room-open"}, "sid": {"open"}, "from": {"2020-01-01"}, "to": {"2100-01-01T00:00:00Z"}, "limit": {"1", "200"}},
}

func TestEveryAnswerIsAsTheDocumentSays(t *testing.T) {
	t.Parallel()
	r := captured(t, func(c *web.Config) { framing(&c.Auth) })
	k := readContract(r)
	for list, values := range lists {
		for _, query := range queries(values) {
			a := k.asks(list, list+query)
			if next := nextOf(t, a.body); next != "" {
				k.asks(list, list+query+"cursor="+url.QueryEscape(next))
			}
		}
		for _, bad := range []string{"limit=0", "cursor=!", "%zz", "source=%ff", "form=2026-11-01", "Limit=5", "q[]=x", "="} {
			if a := k.asks(list, list+"?"+bad); a.StatusCode != http.StatusBadRequest {
				t.Errorf("%s: %d", bad, a.StatusCode)
			}
		}
	}
	for _, s := range read[room.Page[room.Summary]](r, "/api/v1/sessions?limit=200").Items {
		k.asks("/api/v1/sessions/{sid}", "/api/v1/sessions/"+url.PathEscape(s.SID))
		k.asks("/api/v1/sessions/{sid}", "/api/v1/sessions/"+url.PathEscape(s.SID)+"?source="+s.Source)
	}
	for _, d := range r.deliveries("") {
		if d.Position != "" {
			k.asks("/api/v1/deliveries/{position}", "/api/v1/deliveries/"+url.PathEscape(d.Position))
		}
	}
	for _, path := range []string{"unknown", "%00", "%ff", "0", "-1", "999999999999999999999"} {
		k.asks("/api/v1/deliveries/{position}", "/api/v1/deliveries/"+path)
		k.asks("/api/v1/deliveries/{position}", "/api/v1/deliveries/"+path+"?from=2026-11-01")
		k.asks("/api/v1/sessions/{sid}", "/api/v1/sessions/"+path)
	}
	k.asks("/api/v1/sessions/{sid}", "/api/v1/sessions/open?%zz")
	tag := ""
	for _, query := range []string{"", "?limit=1", "?limit=200", "?limit=0", "?cursor=!", "?state=nothing", "?%zz"} {
		a := k.asks("/api/v1/state", "/api/v1/state"+query)
		tag = max(tag, a.Header.Get("ETag"))
	}
	k.asks("/api/v1/state", "/api/v1/state", "If-None-Match", "*")
	for _, query := range []string{"", "?span=", "?span=hour", "?span=day", "?span=week", "?%zz"} {
		k.asks("/api/v1/totals", "/api/v1/totals"+query)
	}
	r.alarm()
	for _, query := range []string{"", "?q=unknown", "?%zz"} {
		k.asks("/api/v1/attention", "/api/v1/attention"+query)
	}
	k.asks("/api/v1/openapi.yaml", "/api/v1/openapi.yaml")
	for _, body := range []string{`{"all":true,"parent":"` + parent + `"}`, `{"parent":"x"}`, `{`} {
		a := r.do(http.MethodPost, "/api/v1/embed-tokens", body, "Content-Type", "application/json")
		if err := k.check("/api/v1/embed-tokens", a); err != nil {
			t.Errorf("%s: %d, %v in %s", body, a.StatusCode, err, a.body)
		}
		k.checked[fmt.Sprint("/api/v1/embed-tokens ", a.StatusCode)]++
	}
	k.complete()
}

// operationAt is what a path does: each does one thing.
func operationAt(item *openapi3.PathItem) *openapi3.Operation {
	if item.Post != nil {
		return item.Post
	}
	return item.Get
}

// complete fails the test unless every status that the document names was seen; what only a fault brings
// about is elsewhere (TestAFaultIsAsTheDocumentSays).
func (k *contract) complete() {
	k.t.Helper()
	for path, item := range k.doc.Paths.Map() {
		for status := range operationAt(item).Responses.Map() {
			if status != "default" && status != "503" && status != "429" && k.checked[path+" "+status] == 0 {
				k.t.Errorf("no %s of %s was seen", status, path)
			}
		}
	}
}

func nextOf(t *testing.T, body string) string {
	t.Helper()
	var page struct{ Next string }
	if err := json.Unmarshal([]byte(body), &page); err != nil {
		t.Fatal(err, body)
	}
	return page.Next
}

// free are the objects that may have members of any name: what plugNmeet sends is described by plugNmeet.
var free = []string{"body", "breakdown"}

// intruded are copies of a document, each with a member more in one of its objects.
func intruded(document any) (copies []string) {
	var walk func(value any)
	walk = func(value any) {
		switch v := value.(type) {
		case map[string]any:
			v["undocumented"] = 1
			text, _ := json.Marshal(document)
			copies = append(copies, string(text))
			delete(v, "undocumented")
			for name, member := range v {
				if !slices.Contains(free, name) {
					walk(member)
				}
			}
		case []any:
			for _, member := range v {
				walk(member)
			}
		}
	}
	walk(document)
	return copies
}

func TestTheDocumentLeavesNoMemberOut(t *testing.T) {
	t.Parallel()
	r := captured(t)
	k := readContract(r)
	r.alarm()
	asked := map[string]string{"/api/v1/totals": "/api/v1/totals", "/api/v1/attention": "/api/v1/attention"}
	for _, list := range []string{"/api/v1/state", "/api/v1/sessions", "/api/v1/recordings", "/api/v1/artifacts", "/api/v1/deliveries"} {
		asked[list+"?limit=5"] = list
	}
	for _, s := range read[room.Page[room.Summary]](r, "/api/v1/sessions").Items {
		asked["/api/v1/sessions/"+url.PathEscape(s.SID)] = "/api/v1/sessions/{sid}"
	}
	for path, operation := range asked {
		a := r.get(path)
		var document any
		decoder := json.NewDecoder(bytes.NewReader([]byte(a.body)))
		decoder.UseNumber()
		if err := decoder.Decode(&document); err != nil {
			t.Fatal(err)
		}
		copies := intruded(document)
		for _, a.body = range copies {
			if k.check(operation, a) == nil {
				t.Errorf("%s: a member that is not described passes in %.300s", path, a.body)
			}
		}
		if len(copies) == 0 {
			t.Errorf("%s: no object", path)
		}
	}
}
