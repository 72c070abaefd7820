package web_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/web"
)

// ledger counts what the server asks of the store.
type ledger struct {
	web.Record
	appends, notes atomic.Int64
}

func (l *ledger) over(record web.Record) web.Record {
	l.Record = record
	return l
}

func (l *ledger) Append(ctx context.Context, d room.Delivery) (room.Delivery, error) {
	l.appends.Add(1)
	return l.Record.Append(ctx, d)
}

func (l *ledger) Note(d room.Delivery) {
	l.notes.Add(1)
	l.Record.Note(d)
}

func TestFault1WithoutAValidTokenItIs401AndOnlyANoteRemains(t *testing.T) {
	t.Parallel()
	l := &ledger{}
	r := start(t, instead(l.over))
	body := event("room_created", "s1", "r1", "")
	valid := sign(t, body)
	for name, headers := range map[string][]string{
		"no token":            nil,
		"an empty one":        {"Authorization", ""},
		"only a scheme":       {"Authorization", "Bearer "},
		"nonsense":            {"Authorization", "Bearer x"},
		"a basic login":       {"Authorization", "Basic dXNlcjpwYXNz"},
		"three empty parts":   {"Authorization", ".."},
		"a tampered one":      {"Authorization", valid[:len(valid)-4] + "AAAA"},
		"another header":      {"X-Hash-Token", valid},
		"in the query's name": {"Cookie", "Authorization=" + valid},
	} {
		a := r.do(http.MethodPost, "/webhook", body, headers...)
		if a.StatusCode != http.StatusUnauthorized || a.body != fixedAnswer {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
	}
	if l.appends.Load() != 0 || l.notes.Load() != 9 {
		t.Errorf("%d appends, %d notes; want none and 9", l.appends.Load(), l.notes.Load())
	}
	r.await("nine notes", func() bool { return len(r.deliveries("verdict=unauthentic")) == 9 })
	reasons := map[string]int{}
	for _, d := range r.deliveries("verdict=unauthentic") {
		reasons[d.Reason]++
		if d.Position != "" || d.Body != nil || d.ID != "" || d.SID != "" || d.ReceivedAt.IsZero() {
			t.Errorf("a note keeps what nobody has signed: %+v", d)
		}
	}
	if reasons["no token in Authorization or Hash-Token: does a proxy remove them?"] < 3 || len(reasons) < 3 {
		t.Errorf("reasons: %v", reasons)
	}
	if line := r.metric(`roomwatch_deliveries_total{reason="signature",source="default",verdict="unauthentic"}`); !strings.HasSuffix(line, " 1") {
		t.Errorf("metric: %q", line)
	}
	r.taken(body)
	if n := len(r.deliveries("verdict=accepted")); n != 1 {
		t.Errorf("%d are in the record", n)
	}
}

// Contract 3: a proxy may keep Authorization for its own login.
func TestADeliveryThroughAProxyWithALoginIsTakenByItsHashToken(t *testing.T) {
	t.Parallel()
	r := start(t)
	body := event("room_created", "s1", "r1", "")
	if a := r.do(http.MethodPost, "/webhook", body, "Authorization", "Basic dXNlcjpwYXNz", "Hash-Token", sign(t, body)); a.StatusCode != http.StatusOK {
		t.Errorf("with its Hash-Token: %d %s", a.StatusCode, a.body)
	}
	if a := r.do(http.MethodPost, "/webhook", body, "Authorization", "Basic dXNlcjpwYXNz"); a.StatusCode != http.StatusUnauthorized || a.body != fixedAnswer {
		t.Errorf("without it: %d %s", a.StatusCode, a.body)
	}
	r.await("the note says so", func() bool {
		notes := r.deliveries("verdict=unauthentic")
		return len(notes) == 1 && strings.Contains(notes[0].Reason, "a login of its own (Basic) and there is no Hash-Token")
	})
}

// token makes any token that the secret can sign.
func token(t *testing.T, method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
	t.Helper()
	text, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func secret() []byte { return []byte(string([]byte(current))) }

func TestFault2And4TokensOfAnotherKindAre401(t *testing.T) {
	t.Parallel()
	r := start(t)
	soon := time.Now().Add(time.Minute).Unix()
	join := jwt.MapClaims{"iss": apiKey, "exp": soon, "nbf": soon - 120, "sub": "u1", "room_id": "r1", "is_admin": true}
	for name, text := range map[string]string{
		"alg none":     token(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, join),
		"HS512":        token(t, jwt.SigningMethodHS512, secret(), join),
		"a join token": token(t, jwt.SigningMethodHS256, secret(), join),
	} {
		a := r.do(http.MethodPost, "/webhook", "{}", "Authorization", text)
		if a.StatusCode != http.StatusUnauthorized || a.body != fixedAnswer {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
	}
}

func TestFault5AChangedBodyIs401(t *testing.T) {
	t.Parallel()
	r := start(t)
	body := event("room_created", "s1", "r1", `,"a":1`)
	text := sign(t, body)
	for name, changed := range map[string]string{
		"one byte":       strings.Replace(body, `"a":1`, `"a":2`, 1),
		"re-serialised":  strings.Replace(body, `"a":1`, `"a": 1`, 1),
		"a line more":    body + "\n",
		"nothing":        "",
		"one byte fewer": body[:len(body)-1],
	} {
		if a := r.do(http.MethodPost, "/webhook", changed, "Hash-Token", text); a.StatusCode != http.StatusUnauthorized || a.body != fixedAnswer {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
	}
	// A form would be parsed, and written anew, by an engine that knows better.
	form := "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--\r\nleft"
	if a := r.do(http.MethodPost, "/webhook", form, "Authorization", sign(t, form), "Content-Type", "multipart/form-data; boundary=x"); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a signed form: %d %s; want the bytes as they came, which are no JSON", a.StatusCode, a.body)
	}
}

func TestFault6ClocksMayDifferByAMinute(t *testing.T) {
	t.Parallel()
	r := start(t)
	for _, c := range []struct{ off, exp, nbf, want int }{
		{want: 200, exp: -30, nbf: -300}, {want: 401, exp: -90, nbf: -300},
		{want: 200, exp: 300, nbf: 30}, {want: 401, exp: 300, nbf: 90},
	} {
		body := event("room_created", "s1", "r1", "")
		signed := signBy(t, apiKey, current, body)
		claims := jwt.MapClaims{}
		if _, _, err := jwt.NewParser().ParseUnverified(signed, claims); err != nil {
			t.Fatal(err)
		}
		now := time.Now().Unix()
		claims["exp"], claims["nbf"] = now+int64(c.exp), now+int64(c.nbf)
		if a := r.do(http.MethodPost, "/webhook", body, "Authorization", token(t, jwt.SigningMethodHS256, secret(), claims)); a.StatusCode != c.want {
			t.Errorf("exp %+d s, nbf %+d s: %d, want %d", c.exp, c.nbf, a.StatusCode, c.want)
		}
	}
}

func TestFault8ThePreviousSecretCountsAndShowsInTheMetrics(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.taken(event("room_created", "s1", "r1", ""))
	for _, way := range [][2]string{{"Authorization", ""}, {"Hash-Token", ""}, {"Authorization", "Bearer "}} {
		body := event("room_created", "s1", "r1", "")
		if a := r.do(http.MethodPost, "/webhook", body, way[0], way[1]+signBy(t, apiKey, previous, body)); a.StatusCode != http.StatusOK {
			t.Errorf("%v: %d %s", way, a.StatusCode, a.body)
		}
	}
	for index, want := range []string{" 1", " 3"} {
		if line := r.metric(fmt.Sprintf(`roomwatch_signed_total{key_index="%d",source="default"}`, index)); !strings.HasSuffix(line, want) {
			t.Errorf("key %d: %q", index, line)
		}
	}
	body := event("room_created", "s1", "r1", "")
	if a := r.do(http.MethodPost, "/webhook", body, "Authorization", signBy(t, "another", current, body)); a.StatusCode != http.StatusUnauthorized || a.body != fixedAnswer {
		t.Errorf("row 7, an unknown key: %d %s", a.StatusCode, a.body)
	}
}

func TestFault9TwoTokensAre401AndHugeOnesToo(t *testing.T) {
	t.Parallel()
	r := start(t)
	body := event("room_created", "s1", "r1", "")
	text := sign(t, body)
	other := signBy(t, apiKey, previous, body)
	for name, headers := range map[string][]string{
		"two that differ":       {"Authorization", text, "Hash-Token", other},
		"a header twice":        {"Hash-Token", text, "Hash-Token", text},
		"twice, one is valid":   {"Authorization", "x", "Authorization", text},
		"10 KiB of token":       {"Authorization", strings.Repeat("x", 10<<10)},
		"10 KiB beside a valid": {"Authorization", text, "Hash-Token", text + strings.Repeat("x", 10<<10)},
	} {
		if a := r.do(http.MethodPost, "/webhook", body, headers...); a.StatusCode != http.StatusUnauthorized || a.body != fixedAnswer {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
	}
	a := r.do(http.MethodPost, "/webhook", body, "Authorization", strings.Repeat("x", 40<<10))
	if a.StatusCode != http.StatusRequestHeaderFieldsTooLarge || !a.Close || strings.Contains(a.body, "xx") {
		t.Errorf("40 KiB of token: %d %.200s", a.StatusCode, a.body)
	}
}

func TestOnlyFailedAuthenticationIsLimited(t *testing.T) {
	t.Parallel()
	r := start(t)
	for time.Now().Second() > 55 { // the limit is of a minute; a new one must not begin meanwhile
		time.Sleep(50 * time.Millisecond)
	}
	for range 70 {
		if a := r.deliver("[]"); a.StatusCode != http.StatusUnprocessableEntity {
			t.Fatalf("authentic, but unreadable: %d", a.StatusCode)
		}
	}
	for n := 1; n <= 70; n++ {
		want := http.StatusUnauthorized
		if n > 60 {
			want = http.StatusTooManyRequests
		}
		if a := r.do(http.MethodPost, "/webhook", "{}", "Authorization", "x"); a.StatusCode != want {
			t.Fatalf("failure %d: %d %s", n, a.StatusCode, a.body)
		}
	}
	if a := r.deliver(event("room_created", "s1", "r1", "")); a.StatusCode != http.StatusOK {
		t.Errorf("an authentic delivery of the same address: %d %s", a.StatusCode, a.body)
	}
	r.await("notes", func() bool { return len(r.deliveries("verdict=unreadable")) > 0 })
	if n := len(r.deliveries("verdict=unreadable")) + len(r.deliveries("verdict=unauthentic")); n > 30 {
		t.Errorf("%d notes of one address in a minute", n)
	}
	if line := r.metric(`roomwatch_deliveries_total{reason="malformed",source="",verdict="unauthentic"}`); !strings.HasSuffix(line, " 70") {
		t.Errorf("all are counted: %q", line)
	}
}

func TestKeysChangeFromOneDeliveryToTheNext(t *testing.T) {
	t.Parallel()
	r := start(t)
	fresh := plugnmeet.Secret("a fresh secret of the tests, long enough too")
	ring, err := plugnmeet.NewKeyring([]plugnmeet.Source{{Name: "default", APIKey: apiKey, Secrets: []plugnmeet.Secret{fresh, current}}})
	if err != nil {
		t.Fatal(err)
	}
	r.server.SetKeyring(ring)
	for secret, want := range map[plugnmeet.Secret]int{fresh: 200, current: 200, previous: 401} {
		body := event("room_created", "s1", "r1", "")
		if a := r.do(http.MethodPost, "/webhook", body, "Authorization", signBy(t, apiKey, secret, body)); a.StatusCode != want {
			t.Errorf("%d, want %d", a.StatusCode, want)
		}
	}
}
