package plugnmeet_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
)

var midday = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestPastRoomsAreReadAndTheRunningOnesAmongThemKnown(t *testing.T) {
	l, err := client(t, says(200, `{"status":true,"result":{"total_rooms":"3","from":0,"limit":20,"order_by":"DESC","rooms_list":[
		{"room_title":"Weekly ops","room_id":"room01","room_sid":"s3","joined_participants":"2","webhook_url":"https://x","created":"2026-11-22T11:00:00Z","ended":"0001-01-01T00:00:00Z"},
		{"room_title":"Weekly ops","room_id":"room01","room_sid":"s2","joined_participants":"0","webhook_url":"","created":"2026-11-22T10:00:00+01:00","ended":"2026-11-22T11:30:00+01:00","analytics_file_id":"a1"},
		{"room_id":"room01","room_sid":"s1","created":"2026-11-22 07:00:00","ended":"2026-11-22 08:00:00"},
		{"room_id":"room01"}]}}`)).PastRooms(t.Context(), plugnmeet.PastQuery{})
	at := func(hour, minute int) time.Time { return time.Date(2026, 11, 22, hour, minute, 0, 0, time.UTC) }
	want := []plugnmeet.PastRoom{
		{SID: "s3", RoomID: "room01", Title: "Weekly ops", Joined: 2, Created: at(11, 0)},
		{SID: "s2", RoomID: "room01", Title: "Weekly ops", Created: at(9, 0), Ended: at(10, 30), AnalyticsID: "a1"},
		{SID: "s1", RoomID: "room01", Created: at(7, 0), Ended: at(8, 0)},
	}
	if err != nil || !reflect.DeepEqual(l.Items, want) || l.Total != 3 || !l.Items[0].Running() || l.Items[1].Running() {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestWhatEndedUnseenIsAnEndedSession(t *testing.T) {
	past := plugnmeet.PastRoom{SID: "s", RoomID: "room01", Title: "Weekly ops", Created: midday.Add(-time.Hour), Ended: midday.Add(-time.Minute)}
	s := room.New(room.Key{Source: "default", SID: "s"})
	for _, e := range pastEvents(past) {
		s.Apply(e)
	}
	d := s.Detail()
	if d.State != room.StateEnded || d.EndedBy != room.ByReconcile || !d.EndedAt.Equal(past.Ended) || !d.CreatedAt.IsZero() ||
		d.Title != past.Title || d.RoomID != past.RoomID || d.KnownBy != "api" {
		t.Errorf("%+v", d)
	}
	s.Apply(room.Event{Source: "default", SID: "s", ID: "e", Kind: room.KindSessionEnded, At: room.At(past.Ended) - 3000})
	if d = s.Detail(); d.EndedBy != room.ByWebhook {
		t.Errorf("%+v", d)
	}
}

func TestWhatRunsOrEndsInTheFutureIsNoPastSession(t *testing.T) {
	good := plugnmeet.PastRoom{SID: "s", Created: midday.Add(-time.Hour), Ended: midday}
	for name, spoil := range map[string]func(*plugnmeet.PastRoom){
		"it runs":                 func(p *plugnmeet.PastRoom) { p.Ended = time.Time{} },
		"it ends tomorrow":        func(p *plugnmeet.PastRoom) { p.Ended = midday.Add(24 * time.Hour) },
		"nobody knows what it is": func(p *plugnmeet.PastRoom) { p.SID = "" },
	} {
		p := good
		if spoil(&p); pastEvents(p) != nil {
			t.Error(name)
		}
	}
	elsewhere := good
	elsewhere.Created = good.Ended.Add(time.Hour) // by the clock of a database at +02:00
	if len(pastEvents(good)) != 1 || len(pastEvents(elsewhere)) != 1 {
		t.Error("a good one is none")
	}
}

func TestRecordingsAreInMegabytesOnTheWireAndInBytesHere(t *testing.T) {
	l, err := client(t, says(200, `{"status":true,"result":{"total_recordings":1,"recordings_list":[
		{"record_id":"s-1795309320337","room_id":"room01","room_sid":"s","file_path":"node_01/room01/s.mp4","file_size":184.37,"creation_time":"1795312000",
		"room_creation_time":"1795309200","metadata":{"title":"x","extra_data":{}}}]}}`)).Recordings(t.Context(), plugnmeet.PastQuery{SID: "s"})
	if err != nil || len(l.Items) != 1 || l.Total != 1 {
		t.Fatalf("%+v, %v", l, err)
	}
	r := l.Items[0]
	want := plugnmeet.RecordingFile{RecordID: "s-1795309320337", RoomID: "room01", SID: "s", FilePath: "node_01/room01/s.mp4", SizeBytes: 184_370_000,
		Created: time.Unix(1795312000, 0).UTC(), RoomCreated: time.Unix(1795309200, 0).UTC()}
	e, ok := r.Event("default", midday)
	if r != want || !ok || e.Kind != room.KindListed || e.At != 1795312000_000 || *e.Job != (room.JobSaid{RecordID: r.RecordID, FilePath: r.FilePath, SizeBytes: r.SizeBytes}) {
		t.Errorf("%+v, %+v", r, e)
	}
	if r.FilePath = ""; true {
		if _, ok := r.Event("default", midday); ok {
			t.Error("a recording without a file is told of")
		}
	}
}

// The list's artifacts are those of the webhooks (P22 to P33), so both must read the same.
func TestAListedArtifactIsTheOneOfItsWebhook(t *testing.T) {
	for _, n := range []string{"P22", "P23", "P24", "P25", "P26", "P27", "P28", "P32", "P33"} {
		body := delivery(t, n).Body
		d, err := plugnmeet.Decode("default", []byte(body), midday)
		if err != nil {
			t.Fatal(err)
		}
		var said struct {
			Artifact map[string]any `json:"room_artifact"`
		}
		if err := json.Unmarshal([]byte(body), &said); err != nil {
			t.Fatal(err)
		}
		said.Artifact["room_id"], said.Artifact["created"] = d.RoomID, midday.Format(time.RFC3339)
		listed, err := json.Marshal(said.Artifact)
		if err != nil {
			t.Fatal(err)
		}
		l, err := client(t, says(200, `{"status":true,"result":{"total_artifacts":"1","artifacts_list":[`+string(listed)+`]}}`)).Artifacts(t.Context(), plugnmeet.PastQuery{SID: d.SID})
		if err != nil || len(l.Items) != 1 {
			t.Fatal(n, err)
		}
		e := l.Items[0].Event("default", d.SID, midday)
		if !reflect.DeepEqual(e.Artifact, d.Said.Artifact) || e.At != room.At(midday) || e.SID != d.SID || e.RoomID != d.RoomID {
			t.Errorf("%s: got %+v, want %+v", n, e.Artifact, d.Said.Artifact)
		}
	}
}

// library answers fetchPastRooms from sids, newest first, and notes what was asked.
type library struct {
	sids   []string
	asked  []string
	before func() // called before each answer
}

func (lib *library) RoundTrip(request *http.Request) (*http.Response, error) {
	var asked struct {
		From  int `json:"from"`
		Limit int `json:"limit"`
	}
	body, _ := io.ReadAll(request.Body)
	if err := json.Unmarshal(body, &asked); err != nil {
		return nil, err
	}
	lib.asked = append(lib.asked, string(body))
	if lib.before != nil {
		lib.before()
	}
	var list []string
	for _, sid := range lib.sids[min(asked.From, len(lib.sids)):min(asked.From+asked.Limit, len(lib.sids))] {
		list = append(list, `{"room_sid":"`+sid+`"}`)
	}
	return says(200, fmt.Sprintf(`{"status":true,"result":{"total_rooms":"%d","rooms_list":[%s]}}`, len(lib.sids), strings.Join(list, ",")))(request)
}

func sids(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprint("s", n-i))
	}
	return all
}

func read(t *testing.T, lib *library) (got []string) {
	t.Helper()
	for p, err := range client(t, lib).EachPastRoom(t.Context(), plugnmeet.PastQuery{RoomIDs: []string{"room01"}}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p.SID)
	}
	return got
}

func TestPagesAreReadToTheEndWithoutRepeats(t *testing.T) {
	for _, n := range []int{0, 1, 99, 100, 101, 190, 200, 350} {
		lib := &library{sids: sids(n)}
		if got := read(t, lib); len(got) != n || n > 0 && !reflect.DeepEqual(got, lib.sids) {
			t.Errorf("%d: %v", n, got)
		}
		if lib.asked[0] != `{"room_ids":["room01"],"from":0,"limit":100,"order_by":"DESC"}` {
			t.Error(lib.asked[0])
		}
	}
}

func TestPagesThatMoveWhileTheyAreReadLoseNothing(t *testing.T) {
	lib := &library{sids: sids(250)}
	old := append([]string{}, lib.sids...)
	lib.before = func() {
		if len(lib.asked) == 2 { // meanwhile three came to the top, five of the first page were deleted
			lib.sids = append([]string{"n3", "n2", "n1"}, append(append([]string{}, old[:50]...), old[55:]...)...)
		}
	}
	if got := read(t, lib); !reflect.DeepEqual(got, old) {
		t.Errorf("%d of %d", len(got), len(old))
	}
}

func TestAPlugNmeetThatKnowsNoPagesIsReadOnce(t *testing.T) {
	asked := 0
	a := client(t, answers(func(request *http.Request) (*http.Response, error) {
		asked++
		return says(200, `{"status":true,"result":{"total_rooms":"100000","rooms_list":[{"room_sid":"s1"},{"room_sid":"s2"}]}}`)(request)
	}))
	n := 0
	for range a.EachPastRoom(t.Context(), plugnmeet.PastQuery{}) {
		n++
	}
	if n != 2 || asked != 2 {
		t.Error(n, asked)
	}
}

func TestReadingOnEndsWithAnError(t *testing.T) {
	n := 0
	for _, err := range client(t, says(500, "")).EachRecording(t.Context(), plugnmeet.PastQuery{}) {
		if n++; !errors.Is(err, plugnmeet.ErrUnreachable) {
			t.Error(err)
		}
	}
	if n != 1 {
		t.Error(n)
	}
	for range client(t, says(200, `{"status":false,"status_code":"NOT_FOUND"}`)).EachArtifact(t.Context(), plugnmeet.PastQuery{}) {
		t.Error("something of nothing")
	}
}

func pastEvents(p plugnmeet.PastRoom) []room.Event {
	if e, ok := p.Event("default", midday); ok {
		return []room.Event{e}
	}
	return nil
}
