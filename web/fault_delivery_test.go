package web_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

func TestFault14To16WhatCannotBeReadIs422AndANote(t *testing.T) {
	t.Parallel()
	r := start(t)
	nested := func(depth int) string {
		return event("room_created", "s1", "r1", `,"x":`+strings.Repeat("[", depth-1)+strings.Repeat("]", depth-1))
	}
	good := event("room_created", "s1", "r1", "")
	for name, c := range map[string]struct {
		body string
		code int
	}{
		"depth 32":            {nested(32), 200},
		"depth 33":            {nested(33), 422},
		"depth 10,001":        {nested(10_001), 422},
		"duplicate names":     {`{"event":"a","event":"b"}`, 422},
		"a second object":     {good + "{}", 422},
		"a byte order mark":   {"\ufeff" + good, 422},
		"null":                {"null", 422},
		"an array":            {"[" + good + "]", 422},
		"nothing":             {"", 422},
		"invalid UTF-8":       {event("room_created", "s1", "r1", ",\"x\":\"\xff\""), 422},
		"a lone surrogate":    {event("room_created", "s1", "r1", `,"x":"\ud800"`), 422},
		"an id of 257 bytes":  {event("room_created", "s1", strings.Repeat("r", 257), ""), 422},
		"an id of 256 bytes":  {event("room_created", "s256", strings.Repeat("r", 256), ""), 200},
		"an unknown event":    {event("room_exploded", "s1", "r1", `,"new":{"field":1}`), 200},
		"an unknown enum":     {event("participant_left", "s1", "r1", `,"participant":{"sid":"PA","kind":42,"disconnect_reason":99}`), 200},
		"an event of no room": {`{"event":"room_created","id":"EV_none"}`, 200},
	} {
		if a := r.deliver(c.body); a.StatusCode != c.code || c.code == 422 && a.body != `{"status":"unreadable"}` {
			t.Errorf("%s: %d %s, want %d", name, a.StatusCode, a.body, c.code)
		}
	}
	r.await("twelve notes", func() bool { return len(r.deliveries("verdict=unreadable")) == 11 })
	for _, d := range r.deliveries("verdict=unreadable") {
		if d.Reason == "" || d.Source != "default" {
			t.Errorf("a note without its reason: %+v", d)
		}
	}
	for _, d := range r.deliveries("verdict=unknown&event=room_exploded") {
		if d.Reason != `unknown event "room_exploded"` {
			t.Error("row 18:", d.Reason)
		}
	}
}

func TestFault16HostileTextsAreShownAsText(t *testing.T) {
	t.Parallel()
	r := start(t)
	const script, mirrored = `<script>alert(1)</script>`, "\u202egnp.exe\u200b"
	body := fmt.Sprintf(`{"event":"room_created","id":"EV_hostile","room":{"sid":"hostile","room_id":"r1","metadata":{"room_title":%q}}}`, script)
	r.taken(body, joined("hostile", "r1", mirrored), joined("hostile", "r1", strings.Repeat("😀", 60)))
	r.await("they are shown", func() bool { return strings.Contains(r.get("/rooms/hostile").body, "gnp.exe") })
	for _, path := range []string{"/", "/rooms/hostile"} {
		page := r.get(path).body
		if strings.Contains(page, script) || !strings.Contains(page, html.EscapeString(script)) {
			t.Errorf("%s does not show the title as text", path)
		}
		isolated := len(regexp.MustCompile(`(<bdi[^>]*|dir="auto")>`+mirrored).FindAllString(page, -1))
		if strings.Count(page, ">"+mirrored) != isolated {
			t.Errorf("%s lets a name turn the text around it", path)
		}
	}
}

func TestFault17NoCreatedAtMakesTroubleForTheSender(t *testing.T) {
	t.Parallel()
	r := start(t)
	for i, at := range []string{`1795309324`, `"1795309324"`, `1795309324.5`, `-1`, `-9223372036854775809`, `9223372036854775808`, `1e999`, `4102444800`,
		`"4102444800"`, `""`, `"x"`, `null`, `true`, `[]`, `{}`, `0`, ``} {
		body := fmt.Sprintf(`{"event":"room_created","id":"EV_at_%d","created_at":%s,"room":{"sid":"at%d","room_id":"r"}}`, i, at, i)
		if at == "" {
			body = strings.Replace(body, `"created_at":,`, "", 1)
		}
		if a := r.deliver(body); a.StatusCode != http.StatusOK {
			t.Errorf("created_at %s: %d %s", at, a.StatusCode, a.body)
		}
		r.await("the session of created_at "+at, func() bool { return r.get(fmt.Sprintf("/api/v1/sessions/at%d", i)).StatusCode == 200 })
	}
	if page := r.get("/"); page.StatusCode != http.StatusOK {
		t.Errorf("the page of all that: %d", page.StatusCode)
	}
}

func TestFault19AnyIDIsFoundAtItsOwnAddress(t *testing.T) {
	t.Parallel()
	r := start(t)
	for n, id := range []string{"{a}", "a:b", "*", "a*b", "../../etc/passwd", "a/b", "a b", "ä€😀", "a%2Fb", "%", "?x=1", "a#b", "a+b", `a"b'c<d>&e`, "CaSe", ".hidden",
		"{{user1000}.x", strings.Repeat("x", 256), strings.Repeat("é", 128), "state", "a;b,c=d", `a\b`, "a//b", "b/"} {
		r.taken(event("room_created", id, fmt.Sprintf("room %d of %.8q", n, id), ""), joined(id, "", "u1"))
		r.await("the session "+id, func() bool { return r.get("/api/v1/sessions/"+url.PathEscape(id)).StatusCode == 200 })
		if d := read[room.Detail](r, "/api/v1/sessions/"+url.PathEscape(id)); d.SID != id {
			t.Errorf("%q is found as %q", id, d.SID)
		}
		page := r.get("/rooms/" + url.PathEscape(id))
		if page.StatusCode != http.StatusOK || !strings.Contains(page.body, "/live?view="+url.QueryEscape("room:"+id)) {
			t.Errorf("the page of %q: %d %.300s", id, page.StatusCode, page.body)
		}
		if code, frame := r.watch("view=" + url.QueryEscape("room:"+id)); code != 0 || !frame.Reset {
			t.Errorf("the socket of %q: %d %v", id, code, frame)
		}
	}
	r.await("the lists hold them all", func() bool {
		return len(read[room.Page[room.Summary]](r, "/api/v1/sessions?limit=200").Items) == 24
	})
	for _, s := range read[room.Page[room.Summary]](r, "/api/v1/sessions?limit=200").Items {
		page := read[room.Page[room.Summary]](r, "/api/v1/sessions?room_id="+url.QueryEscape(s.RoomID))
		if len(page.Items) == 0 {
			t.Errorf("%q is not found by its room_id", s.RoomID)
		}
	}
	if a := r.get("/api/v1/sessions/" + strings.Repeat("x", 257)); a.StatusCode != http.StatusNotFound {
		t.Errorf("257 bytes: %d", a.StatusCode)
	}
}

func TestFault20OneIDAtOnceIsOneEntryAndAllAre200(t *testing.T) {
	t.Parallel()
	r := start(t)
	body := event("room_created", "s1", "r1", "")
	text := sign(t, body)
	var senders sync.WaitGroup
	codes := make(chan int, 40)
	for range cap(codes) {
		senders.Go(func() {
			codes <- r.do(http.MethodPost, "/webhook", body, "Authorization", text, "Hash-Token", text).StatusCode
		})
	}
	senders.Wait()
	close(codes)
	for code := range codes {
		if code != http.StatusOK {
			t.Errorf("%d", code)
		}
	}
	if n := len(r.deliveries("verdict=accepted")); n != 1 {
		t.Errorf("%d entries", n)
	}
	r.await("39 notes", func() bool { return len(r.deliveries("verdict=duplicate")) == 39 })
}

func TestFault21TheFirstBodyOfAnIDCounts(t *testing.T) {
	t.Parallel()
	r := start(t)
	body := event("room_created", "s1", "r1", "")
	r.taken(body, strings.Replace(body, `"r1"`, `"r2"`, 1), body)
	if line := r.metric("roomwatch_dedupe_conflict"); !strings.HasSuffix(line, " 1") {
		t.Errorf("metric: %q", line)
	}
	r.await("the session", func() bool { return r.get("/api/v1/sessions/s1").StatusCode == 200 })
	if d := read[room.Detail](r, "/api/v1/sessions/s1"); d.RoomID != "r1" {
		t.Errorf("the room is %s", d.RoomID)
	}
	r.await("both notes", func() bool { return len(r.deliveries("verdict=duplicate")) == 2 })
}

func TestFault22To25OutOfOrderDeliveriesShowTheTruth(t *testing.T) {
	t.Parallel()
	r := start(t)
	left := func(sid, who, connection string) string {
		return event("participant_left", sid, "r"+sid[1:], fmt.Sprintf(`,"participant":{"sid":%q,"identity":%q}`, connection, who))
	}
	entered := func(sid, who, connection string) string {
		return event("participant_joined", sid, "r"+sid[1:], fmt.Sprintf(`,"participant":{"sid":%q,"identity":%q}`, connection, who))
	}
	r.taken(left("s22", "ana", "PA1"), entered("s22", "ana", "PA1"), entered("s22", "bo", "PA2")) // row 22
	r.taken(entered("s23", "ana", "PB1"), entered("s23", "ana", "PB2"), left("s23", "ana", "PB1"))
	r.taken(event("track_published", "s24", "r24", `,"participant":{"sid":"PC","identity":"cy"},"track":{"sid":"TR","source":"CAMERA"}`),
		left("s24", "cy", "PC"), event("room_finished", "s24", "r24", ""), event("room_created", "s24", "r24", ""))
	r.taken(event("room_created", "s25", "r25", ""), entered("s25", "di", "PD"), event("room_finished", "s25", "r25", ""),
		event("room_finished", "s25", "r25", ""), event("session_ended", "s25", "r25", ""),
		event("recording_proceeded", "s25", "r25", `,"recording_info":{"record_id":"REC1","file_path":"a.mp4","file_size":1.5}`),
		event("artifact_created", "s25", "r25", `,"room_artifact":{"artifact_id":"ART1","type":"MEETING_SUMMARY"}`))
	online := func(sid string) int { return read[room.Detail](r, "/api/v1/sessions/"+sid).People }
	r.await("everything is folded", func() bool {
		return r.get("/api/v1/sessions/s25").StatusCode == 200 && len(read[room.Detail](r, "/api/v1/sessions/s25").Artifacts) == 1
	})
	if n := online("s22"); n != 1 {
		t.Errorf("row 22: %d online, want bo", n)
	}
	if n := online("s23"); n != 1 {
		t.Errorf("row 23: %d online, want ana once", n)
	}
	if d := read[room.Detail](r, "/api/v1/sessions/s24"); d.State != room.StateEnded || d.People != 0 || d.RoomID != "r24" || d.CreatedAt.IsZero() {
		t.Errorf("row 24: %+v", d.Head)
	}
	d := read[room.Detail](r, "/api/v1/sessions/s25")
	if d.State != room.StateEnded || d.People != 0 || len(d.Recordings) != 1 || d.Recordings[0].SizeBytes != 1_500_000 {
		t.Errorf("row 25: %+v %+v", d.Head, d.Recordings)
	}
	if state := read[live.State](r, "/api/v1/state"); state.Totals.Rooms != 2 || state.Totals.People != 2 || state.Totals.Cameras != 0 {
		t.Errorf("totals: %+v", state.Totals)
	}
}

func TestFault26AReopenedRoomStaysLiveAndTheOldOneIsOver(t *testing.T) {
	t.Parallel()
	r := start(t)
	at := func(body string, second int) string {
		i := strings.Index(body, `"created_at":"`) + len(`"created_at":"`)
		return body[:i] + fmt.Sprint(1795309000+second) + body[i+10:]
	}
	r.taken(at(event("room_created", "old", "lobby", ""), 0), at(joined("old", "lobby", "ana"), 1),
		at(event("room_created", "new", "lobby", ""), 60), at(joined("new", "lobby", "ana"), 61))
	r.await("the new one is known", func() bool { return r.get("/api/v1/sessions/new").StatusCode == 200 })
	// LiveKit's own end of the old room comes late and is filed under the new sid: it began before it.
	r.taken(at(event("room_finished", "new", "lobby", ""), 2))
	r.await("the old one is over", func() bool { return read[room.Detail](r, "/api/v1/sessions/old").State == room.StateEnded })
	if d := read[room.Detail](r, "/api/v1/sessions/old"); d.EndedBy != room.BySuccessor || d.People != 0 {
		t.Errorf("the old one: %+v", d.Head)
	}
	if d := read[room.Detail](r, "/api/v1/sessions/new"); d.State != room.StateLive || d.People != 1 {
		t.Errorf("the new one: %+v", d.Head)
	}
	if state := read[live.State](r, "/api/v1/state"); state.Totals.Rooms != 1 || state.Totals.People != 1 {
		t.Errorf("totals: %+v", state.Totals)
	}
}
