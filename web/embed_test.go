package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/web"
)

const parent = "https://support.example.org"

func framing(a *web.Auth) { a.Parents = []access.Origin{parent, "http://support.localhost:9"} }

// minted is a token for a scope, made as the server makes them.
func minted(t *testing.T, secret string, scope access.EmbedScope, ago, ttl time.Duration) string {
	t.Helper()
	tokens, err := web.NewEmbedTokens([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	e, err := access.NewEmbed(scope, time.Now().Add(-ago), ttl)
	if err != nil {
		t.Fatal(err)
	}
	text, err := tokens.Mint(e)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func roomScope(roomID string) access.EmbedScope {
	return access.EmbedScope{Source: "default", RoomID: roomID, Parent: parent}
}

var allRooms = access.EmbedScope{Source: "default", All: true, Parent: parent}

// frameAt opens a frame's socket.
func (r *rig) frameAt(view, token string) (*socket, int) {
	r.t.Helper()
	return r.dialWith(&websocket.Dialer{HandshakeTimeout: 10 * time.Second}, "view="+url.QueryEscape(view),
		http.Header{"Origin": {r.url}, "Sec-Websocket-Protocol": {"roomwatch.v1, roomwatch.auth." + token}})
}

func TestAConsoleMintsATokenAndFramesARoom(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin(framing))
	r.taken(joined("s1", "room A/1", "ana"))
	r.known("room A/1", ">ana<")
	bearer := []string{"Authorization", "Bearer " + r.apiToken(false, access.MintEmbed), "Content-Type", "application/json"}
	a := r.do(http.MethodPost, "/api/v1/embed-tokens", `{"room_id":"room A/1","parent":"`+parent+`","ttl":"90s"}`, bearer...)
	var out struct {
		Token     string    `json:"token"`
		ExpiresAt time.Time `json:"expires_at"`
		URL       string    `json:"url"`
	}
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.StatusCode != http.StatusCreated || a.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s %v", a.StatusCode, a.body, err)
	}
	if left := time.Until(out.ExpiresAt); left < 60*time.Second || left > 91*time.Second {
		t.Errorf("it lives for %v", left)
	}
	if want := r.url + "/embed/rooms/room%20A%2F1?token="; !strings.HasPrefix(out.URL, want) {
		t.Errorf("the address is %s", out.URL)
	}
	page := r.get(strings.TrimPrefix(out.URL, r.url), "Sec-Fetch-Dest", "iframe", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate")
	if page.StatusCode != http.StatusOK || !strings.Contains(page.body, ">ana<") || strings.Contains(page.body, out.Token) {
		t.Errorf("the frame: %d %s", page.StatusCode, page.body)
	}
	checkFramed(t, page, parent)
	for _, away := range []string{"<form", `id="palette"`, "data-copy", "<nav", `href="/rooms`} {
		if strings.Contains(page.body, away) {
			t.Errorf("the frame has %s", away)
		}
	}
	if !strings.Contains(fmt.Sprint(r.did()), "embed_minted by token test to default/room A/1") {
		t.Errorf("the trail says %q", r.did())
	}
}

// known waits until this text is on the page of a room in a frame.
func (r *rig) known(roomID, text string) {
	r.t.Helper()
	token := minted(r.t, rigSecret, roomScope(roomID), 0, 0)
	r.await(text+" is known", func() bool {
		return strings.Contains(r.get("/embed/rooms/"+url.PathEscape(roomID)+"?token="+token).body, text)
	})
}

func checkFramed(t *testing.T, a answer, parents string) {
	t.Helper()
	csp := a.Header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "frame-ancestors "+parents+";") || a.Header.Get("X-Frame-Options") != "" {
		t.Errorf("it may be framed by %s, %q", csp, a.Header.Get("X-Frame-Options"))
	}
	for _, keep := range []string{"default-src 'none'", "script-src 'self'", "require-trusted-types-for 'script'", "base-uri 'none'"} {
		if !strings.Contains(csp, keep) {
			t.Errorf("the policy of a frame lacks %s: %s", keep, csp)
		}
	}
	for header, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Set-Cookie": ""} {
		if got := a.Header.Get(header); got != want {
			t.Errorf("%s: %q", header, got)
		}
	}
}

func TestAFrameShowsWhatItsTokenIsForAndNothingElse(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin(framing))
	r.taken(joined("sid-one", "r1", "zoraida"), joined("sid-two", "r2", "quintanilla"))
	gone := roomScope("r1")
	gone.Parent = "https://gone.example.org"
	expired := minted(t, rigSecret, roomScope("r1"), 2*time.Minute, time.Minute)
	for name, c := range map[string]struct {
		path, token string
		dest        string
		code        int
	}{
		"its room":                {"/embed/rooms/r1", minted(t, rigSecret, roomScope("r1"), 0, 0), "iframe", 200},
		"an old browser":          {"/embed/rooms/r1", minted(t, rigSecret, roomScope("r1"), 0, 0), "", 200},
		"a room of all":           {"/embed/rooms/r2", minted(t, rigSecret, allRooms, 0, 0), "iframe", 200},
		"all rooms":               {"/embed", minted(t, rigSecret, allRooms, 0, 0), "iframe", 200},
		"a room without sessions": {"/embed/rooms/none", minted(t, rigSecret, roomScope("none"), 0, 0), "iframe", 200},
		"another room":            {"/embed/rooms/r2", minted(t, rigSecret, roomScope("r1"), 0, 0), "iframe", 403},
		"all, for a room":         {"/embed", minted(t, rigSecret, roomScope("r1"), 0, 0), "iframe", 403},
		"a page of its own":       {"/embed/rooms/r1", minted(t, rigSecret, roomScope("r1"), 0, 0), "document", 403},
		"fetched":                 {"/embed/rooms/r1", minted(t, rigSecret, roomScope("r1"), 0, 0), "empty", 403},
		"an image":                {"/embed/rooms/r1", minted(t, rigSecret, roomScope("r1"), 0, 0), "image", 403},
		"an object":               {"/embed/rooms/r1", minted(t, rigSecret, roomScope("r1"), 0, 0), "object", 403},
		"expired":                 {"/embed/rooms/r1", expired, "iframe", 401},
		"another secret":          {"/embed/rooms/r1", minted(t, strings.ToUpper(rigSecret), roomScope("r1"), 0, 0), "iframe", 401},
		"a parent not allowed":    {"/embed/rooms/r1", minted(t, rigSecret, gone, 0, 0), "iframe", 401},
		"no token":                {"/embed/rooms/r1", "", "iframe", 401},
		"an API token":            {"/embed/rooms/r1", rigToken, "iframe", 401},
	} {
		headers := []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}
		if c.dest != "" {
			headers = append(headers, "Sec-Fetch-Dest", c.dest)
		}
		a := r.get(c.path+"?token="+url.QueryEscape(c.token), headers...)
		if a.StatusCode != c.code {
			t.Errorf("%s: %d", name, a.StatusCode)
		}
		if c.code == 200 {
			checkFramed(t, a, parent)
			continue
		}
		if tells(a.body, "zoraida", "quintanilla", "sid-") || c.token != "" && strings.Contains(a.body, c.token) {
			t.Errorf("%s: the refusal tells %s", name, a.body)
		}
	}
	if a := r.get("/embed?token="+minted(t, rigSecret, allRooms, 0, 0), "Cookie", r.loggedIn(r.user("ana", access.Admin, ""), 0), "Sec-Fetch-Dest", "document"); a.StatusCode != http.StatusForbidden {
		t.Errorf("an admin, as a page of its own: %d", a.StatusCode)
	}
}

func TestAnEmbedTokenIsGoodForItsFrameOnly(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin(framing))
	r.taken(joined("s1", "r1", "ana"), joined("s2", "r2", "bo"))
	one, all := minted(t, rigSecret, roomScope("r1"), 0, 0), minted(t, rigSecret, allRooms, 0, 0)
	for _, path := range []string{"/api/v1/state", "/", "/rooms/s1", "/metrics", "/sessions.csv"} {
		if a := r.get(path, "Authorization", "Bearer "+all); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s with it as a bearer token: %d", path, a.StatusCode)
		}
		if a := r.get(path + "?token=" + all); a.StatusCode == http.StatusOK {
			t.Errorf("%s with it in the address: %d", path, a.StatusCode)
		}
	}
	for _, c := range []struct {
		view, token string
		code        int
	}{
		{"embed-room:r1", one, 0}, {"embed-room:r2", one, 403}, {"embed", one, 403}, {"embed", all, 0}, {"embed-room:r2", all, 0},
		{"overview", all, 403}, {"room:s1", one, 403}, {"room:s1", all, 403}, {"sessions", all, 403}, {"intake", all, 403}, {"embed-room:", all, 400},
		{"embed-room:r1", minted(t, rigSecret, roomScope("r1"), 2*time.Minute, time.Minute), 401}, {"embed-room:r1", "x", 401}, {"embed-room:r1", one + ", roomwatch.auth." + one, 401},
		{"embed-room:r1", minted(t, strings.ToUpper(rigSecret), roomScope("r1"), 0, 0), 401},
	} {
		s, code := r.frameAt(c.view, c.token)
		if code != c.code {
			t.Errorf("%s: %d, want %d", c.view, code, c.code)
		}
		if s != nil && s.Subprotocol() != "roomwatch.v1" {
			t.Errorf("it speaks %q: the token came back", s.Subprotocol())
		}
	}
	cookie := r.loggedIn(r.user("root", access.Admin, ""), 0)
	for _, view := range []string{"embed", "embed-room:r1"} {
		if _, code := r.dial("view="+view, "Cookie", cookie); code != http.StatusForbidden {
			t.Errorf("%s for an admin: %d", view, code)
		}
	}
	if s, code := r.dialWith(&websocket.Dialer{HandshakeTimeout: 10 * time.Second}, "view=overview", http.Header{"Origin": {r.url}, "Cookie": {cookie}, "Sec-Websocket-Protocol": {"roomwatch.v1, roomwatch.auth." + one}}); s != nil || code != http.StatusForbidden {
		t.Errorf("a frame in an admin's browser: %d", code)
	}
	if s, code := r.dialWith(&websocket.Dialer{HandshakeTimeout: 10 * time.Second}, "view=embed-room:r1", http.Header{"Origin": {parent}, "Sec-Websocket-Protocol": {"roomwatch.v1, roomwatch.auth." + one}}); s != nil || code != http.StatusForbidden {
		t.Errorf("opened by the page around it: %d", code)
	}
}

// An embed of room A never gets a byte of room B, nor one of a source a byte of another: held on the raw frames.
func TestAFrameNeverGetsAByteOfAnotherRoom(t *testing.T) {
	t.Parallel()
	const otherSecret = plugnmeet.Secret("the secret of another source, long enough")
	r := startSources(t, []plugnmeet.Source{{Name: "default", APIKey: apiKey, Secrets: []plugnmeet.Secret{current}}, {Name: "emea", APIKey: "emea", Secrets: []plugnmeet.Secret{otherSecret}}}, withLogin(framing))
	emea := func(body string) {
		if a := r.do(http.MethodPost, "/webhook", body, "Authorization", signBy(t, "emea", otherSecret, body)); a.StatusCode != http.StatusOK {
			t.Fatal(a.StatusCode)
		}
	}
	r.taken(joined("sid-aaa", "roomA", "person-a"))
	one, code := r.frameAt("embed-room:roomA", minted(t, rigSecret, roomScope("roomA"), 0, 0))
	if one == nil {
		t.Fatal(code)
	}
	all, code := r.frameAt("embed", minted(t, rigSecret, allRooms, 0, 0))
	if all == nil {
		t.Fatal(code)
	}
	one.next()
	all.next()
	for n := range 20 {
		r.taken(joined(fmt.Sprint("sid-bbb", n), fmt.Sprint("roomB", n), fmt.Sprint("person-b", n)),
			event("room_created", fmt.Sprint("sid-bbo", n), "roomBreakout", fmt.Sprintf(`,"metadata":{"parent_room_id":"roomA","room_title":"title-b%d"}`, n)))
		emea(joined(fmt.Sprint("sid-ccc", n), "roomA", fmt.Sprint("person-c", n)))
	}
	r.taken(joined("sid-aaa", "roomA", "last-of-a"))
	var ofOne, ofAll strings.Builder
	gather := func(s *socket, into *strings.Builder, until string) {
		for deadline := time.Now().Add(patience); !strings.Contains(into.String(), until); {
			f, err := s.frame(time.Until(deadline))
			if err != nil {
				t.Fatalf("%q never comes: %v", until, err)
			}
			into.Write(f.bytes)
		}
	}
	gather(one, &ofOne, "last-of-a")
	gather(all, &ofAll, "roomB19")
	if tells(ofOne.String(), "bbb", "roomB", "person-b", "person-c", "ccc", "title-b", "emea", "breakout") {
		t.Errorf("the frame of room A got %s", ofOne.String())
	}
	if tells(ofAll.String(), "ccc", "person-", "emea") {
		t.Errorf("the frame of a source got %s", ofAll.String())
	}
	page := r.get("/embed/rooms/roomA?token=" + minted(t, rigSecret, roomScope("roomA"), 0, 0))
	if tells(page.body, "bbb", "roomB", "person-b", "person-c", "ccc", "title-b", "emea") || !tells(page.body, "person-a") {
		t.Errorf("the page of room A holds %s", page.body)
	}
}

func TestAFrameFollowsTheRoomToItsNextSession(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin(framing))
	s, code := r.frameAt("embed-room:r1", minted(t, rigSecret, roomScope("r1"), 0, 0))
	if s == nil {
		t.Fatal(code)
	}
	s.shows("No session of this room is known")
	r.taken(joined("s1", "r1", "ana"))
	if f := s.shows("ana"); f.Seq == 0 {
		t.Error("no state")
	}
	r.taken(event("session_ended", "s1", "r1", ""))
	s.shows("Ended")
	r.taken(joined("s2", "r1", "bo"))
	s.shows("bo")
}

func TestAFrameLivesOnByAFreshTokenForTheSame(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin(framing))
	r.taken(joined("s1", "r1", "ana"))
	short := func(scope access.EmbedScope) string { return minted(t, rigSecret, scope, 0, 4*time.Second) }
	masked, other := roomScope("r1"), roomScope("r1")
	masked.Mask, other.Parent = true, "http://support.localhost:9"
	open := func(token string) *socket {
		t.Helper()
		s, code := r.frameAt("embed-room:r1", token)
		if s == nil {
			t.Fatal(code)
		}
		s.next()
		return s
	}
	say := func(s *socket, token string) {
		t.Helper()
		if err := s.WriteMessage(websocket.TextMessage, []byte(`{"k":"auth","token":"`+token+`"}`)); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("none: expired", func(t *testing.T) {
		t.Parallel()
		began := time.Now()
		if code := open(short(roomScope("r1"))).closed(patience); code != 4401 || time.Since(began) < 2*time.Second {
			t.Errorf("closed with %d after %v", code, time.Since(began))
		}
	})
	for name, token := range map[string]string{
		"another room": minted(t, rigSecret, roomScope("r2"), 0, 0), "all rooms": minted(t, rigSecret, allRooms, 0, 0), "masked": minted(t, rigSecret, masked, 0, 0), "another parent": minted(t, rigSecret, other, 0, 0),
		"expired": minted(t, rigSecret, roomScope("r1"), 2*time.Minute, time.Minute), "none": "", "an API token": rigToken, "another secret": minted(t, strings.ToUpper(rigSecret), roomScope("r1"), 0, 0),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(minted(t, rigSecret, roomScope("r1"), 0, 0)) // which is good for longer than is waited
			say(s, token)
			if code := s.closed(patience); code != 4401 {
				t.Errorf("closed with %d", code)
			}
		})
	}
	t.Run("for the same", func(t *testing.T) {
		t.Parallel()
		s := open(short(roomScope("r1")))
		say(s, minted(t, rigSecret, roomScope("r1"), 0, 0))
		past := time.Now().Add(6 * time.Second) // the end of the first, and some
		for n := 0; n == 0 || time.Now().Before(past); n++ {
			name := fmt.Sprint("comer-", n, "-")
			r.taken(joined("s1", "r1", name))
			s.shows(name)
		}
	})
}

func TestATokenMasksNamesInItsFrame(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin(framing))
	r.taken(joined("s1", "r1", "zoraida"))
	r.known("r1", "zoraida")
	scope := roomScope("r1")
	scope.Mask = true
	token := minted(t, rigSecret, scope, 0, 0)
	if a := r.get("/embed/rooms/r1?token=" + token); tells(a.body, "zoraida") || !strings.Contains(a.body, "Person ") {
		t.Errorf("the page: %s", a.body)
	}
	s, code := r.frameAt("embed-room:r1", token)
	if s == nil {
		t.Fatal(code)
	}
	s.next()
	r.taken(joined("s1", "r1", "quintanilla"))
	if f := s.shows("Person "); tells(string(f.bytes), "zoraida", "quintanilla") {
		t.Errorf("a frame: %s", f.bytes)
	}
	plain, _ := r.frameAt("embed-room:r1", minted(t, rigSecret, roomScope("r1"), 0, 0))
	if f := plain.next(); !tells(string(f.bytes), "zoraida") {
		t.Error("without the mask there is no name either")
	}
}

func TestWhatCannotBeMintedIsToldWhy(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin(framing))
	bearer := []string{"Authorization", "Bearer " + rigToken}
	masked := []string{"Authorization", "Bearer " + r.apiToken(true, access.MintEmbed)}
	for name, c := range map[string]struct {
		body    string
		headers []string
		code    int
		says    string
	}{
		"a foreign parent":      {`{"room_id":"r1","parent":"https://evil.example"}`, bearer, 422, "EMBED_PARENTS"},
		"a path":                {`{"room_id":"r1","parent":"` + parent + `/x"}`, bearer, 422, "bare origin"},
		"no parent":             {`{"room_id":"r1"}`, bearer, 422, "bare origin"},
		"room and all":          {`{"room_id":"r1","all":true,"parent":"` + parent + `"}`, bearer, 422, "not both"},
		"neither":               {`{"parent":"` + parent + `"}`, bearer, 422, "not both"},
		"an unknown source":     {`{"source":"x","all":true,"parent":"` + parent + `"}`, bearer, 422, "source"},
		"an hour":               {`{"all":true,"parent":"` + parent + `","ttl":"1h"}`, bearer, 422, "five minutes"},
		"no time":               {`{"all":true,"parent":"` + parent + `","ttl":"soon"}`, bearer, 422, "ttl"},
		"something more":        {`{"all":true,"parent":"` + parent + `","role":"admin"}`, bearer, 400, "one JSON object"},
		"twice":                 {`{"all":true,"all":false,"room_id":"x","parent":"` + parent + `"}`, bearer, 400, "one JSON object"},
		"no JSON":               {`all=true`, bearer, 400, "one JSON object"},
		"names that are hidden": {`{"all":true,"parent":"` + parent + `"}`, masked, 403, "mask"},
		"masked":                {`{"all":true,"mask":true,"parent":"` + parent + `"}`, masked, 201, "token"},
		"for loopback":          {`{"all":true,"parent":"http://support.localhost:9"}`, bearer, 201, "token"},
	} {
		a := r.do(http.MethodPost, "/api/v1/embed-tokens", c.body, c.headers...)
		if a.StatusCode != c.code || !strings.Contains(a.body, c.says) || c.code != 201 && a.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
	}
	cookie := r.loggedIn(r.user("op", access.Operator, ""), 0)
	if a := r.do(http.MethodPost, "/api/v1/embed-tokens", `{"all":true,"parent":"`+parent+`"}`, "Cookie", cookie, "Sec-Fetch-Site", "cross-site", "Origin", parent); a.StatusCode != http.StatusForbidden {
		t.Errorf("by the console's page, with an operator's cookie: %d", a.StatusCode)
	}
}

func TestTheElementForParentsIsForOtherSites(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin(framing))
	a := r.get("/embed.js", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "script", "Origin", parent)
	if a.StatusCode != http.StatusOK || a.Header.Get("Cross-Origin-Resource-Policy") != "cross-origin" || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/javascript") || !strings.Contains(a.body, "roomwatch-embed") {
		t.Errorf("%d %v", a.StatusCode, a.Header)
	}
	if a := r.get("/static/live.js", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "script"); a.StatusCode != http.StatusForbidden {
		t.Errorf("another script, for another site: %d", a.StatusCode)
	}
}
