package plugnmeet_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
)

// answers is a transport that answers every call by itself.
type answers func(*http.Request) (*http.Response, error)

func (f answers) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

// says answers every call with this.
func says(status int, body string) answers {
	return func(request *http.Request) (*http.Response, error) {
		header := http.Header{"Date": {time.Now().UTC().Format(http.TimeFormat)}, "Location": {"https://elsewhere.example.org/"}}
		return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1, Request: request}, nil
	}
}

func client(tb testing.TB, transport http.RoundTripper) *plugnmeet.API {
	tb.Helper()
	a, err := plugnmeet.NewAPI(plugnmeet.APISettings{Source: "default", ServerURL: "https://meet.example.org/base/", APIKey: sampleKey,
		Secret: sampleSecret, Transport: transport})
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

func TestACallIsSignedAsTheContractHasIt(t *testing.T) {
	for _, c := range []struct {
		call            func(*plugnmeet.API) error
		path, body, sig string
	}{
		{func(a *plugnmeet.API) error { _, err := a.RoomActive(t.Context(), "room01"); return err }, "/base/auth/room/isRoomActive",
			`{"room_id":"room01"}`, "4b60a468df680c0739f6c7255626b31c8934efc1293b9e40667575b964bf24b5"},
		{func(a *plugnmeet.API) error { _, err := a.ActiveRooms(t.Context()); return err }, "/base/auth/room/getActiveRoomsInfo",
			`{}`, "d2a7003d22b6b6f94519230776f45e19d2086b20d1711a8eae6b0ee24d51cfeb"},
	} {
		a := client(t, answers(func(request *http.Request) (*http.Response, error) {
			body, _ := io.ReadAll(request.Body)
			h := request.Header
			if request.Method != "POST" || request.URL.Path != c.path || string(body) != c.body || h.Get("API-KEY") != sampleKey ||
				h.Get("HASH-SIGNATURE") != c.sig || h.Get("Content-Type") != "application/json" {
				t.Errorf("%s %s %q %v", request.Method, request.URL, body, h)
			}
			return says(200, `{"status":true}`)(request)
		}))
		if err := c.call(a); err != nil {
			t.Error(err)
		}
	}
}

func TestAnswersAreJudgedByStatusAndCodeNotByHTTP(t *testing.T) {
	fails := plugnmeet.ErrFailed
	for _, c := range []struct {
		name, body string
		status     int
		want       error
	}{
		{"success", `{"status":true,"msg":"success","status_code":"SUCCESS"}`, 200, nil},
		{"an empty list", `{"status":false,"msg":"no active room found","status_code":"NOT_FOUND"}`, 200, nil},
		{"an empty list of before there were codes", `{"status":false,"msg":"no active room found"}`, 200, nil},
		{"the same with a code that says nothing", `{"status":false,"msg":"no active room found","status_code":"UNKNOWN_STATUS"}`, 200, nil},
		{"a database error", `{"status":false,"msg":"Error 1040: Too many connections","status_code":"INTERNAL_SERVER_ERROR"}`, 200, fails},
		{"a database error of before there were codes", `{"status":false,"msg":"Error 1040: Too many connections"}`, 200, fails},
		{"an empty list's message under an error's code", `{"status":false,"msg":"no active room found","status_code":"INTERNAL_SERVER_ERROR"}`, 200, fails},
		{"a list is not a room that could be missing", `{"status":false,"msg":"no room","status_code":"ROOM_NOT_FOUND"}`, 200, plugnmeet.ErrUnknown},
		{"a code of later times", `{"status":false,"msg":"x","status_code":"TEAPOT"}`, 200, fails},
		{"no status at all", `{"rooms":[]}`, 200, plugnmeet.ErrNonsense},
		{"a status that is none", `{"status":"maybe"}`, 200, plugnmeet.ErrNonsense},
		{"a list", `[]`, 200, plugnmeet.ErrNonsense},
		{"nothing", ``, 200, plugnmeet.ErrNonsense},
		{"half an answer", `{"status":true,"rooms":[{"room_info":{"sid":"a`, 200, plugnmeet.ErrNonsense},
		{"two answers", `{"status":true}{"status":true}`, 200, plugnmeet.ErrNonsense},
		{"HTML", `<html>It works!</html>`, 200, plugnmeet.ErrNonsense},
		{"too deep", `{"status":true,"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, 200, plugnmeet.ErrNonsense},
		{"a wrong key", `{"status":false,"msg":"x","status_code":"INVALID_API_KEY"}`, 401, plugnmeet.ErrRefused},
		{"a wrong key, said with HTTP 200", `{"status":false,"msg":"x","status_code":"INVALID_API_KEY"}`, 200, plugnmeet.ErrRefused},
		{"forbidden by a proxy", `no`, 403, plugnmeet.ErrRefused},
		{"another place", `not found`, 404, plugnmeet.ErrNonsense},
		{"a redirect", ``, 302, plugnmeet.ErrNonsense},
		{"a redirect that keeps the method", ``, 308, plugnmeet.ErrNonsense},
		{"too many calls", ``, 429, plugnmeet.ErrUnreachable},
		{"a crash", `{"status":true}`, 500, plugnmeet.ErrUnreachable},
		{"a proxy without a server", `<html>`, 502, plugnmeet.ErrUnreachable},
	} {
		t.Run(c.name, func(t *testing.T) {
			poll, err := client(t, says(c.status, c.body)).ActiveRooms(t.Context())
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if len(poll.Rooms) != 0 || err == nil && poll.None == (c.name == "success") {
				t.Errorf("%+v", poll)
			}
		})
	}
}

func TestWhatIsAskedForByNameIsUnknownIfPlugNmeetHasItNot(t *testing.T) {
	for _, code := range []string{"NOT_FOUND", "ROOM_NOT_FOUND", "ROOM_NOT_ACTIVE"} {
		a := client(t, says(200, `{"status":false,"msg":"x","status_code":"`+code+`"}`))
		_, recording := a.RecordingURL(t.Context(), "r")
		_, artifact := a.ArtifactURL(t.Context(), "a")
		for _, err := range []error{recording, artifact, a.EndRoom(t.Context(), "room01")} {
			var failure *plugnmeet.APIError
			if !errors.Is(err, plugnmeet.ErrUnknown) || !errors.As(err, &failure) || failure.Code != code {
				t.Error(code, err)
			}
		}
	}
}

func TestErrorsRepeatNothingOfWhatWasAnsweredOrSent(t *testing.T) {
	const hidden = "s3cr3t"
	leaky := func(kind error) answers {
		return func(request *http.Request) (*http.Response, error) {
			if kind != nil {
				return nil, kind
			}
			return says(200, `{"status":false,"msg":"`+hidden+`","status_code":"`+hidden+`"}`)(request)
		}
	}
	for _, transport := range []http.RoundTripper{leaky(nil), leaky(errors.New(hidden)), says(200, hidden), says(500, hidden), says(401, hidden)} {
		err := client(t, transport).EndRoom(t.Context(), "room-"+hidden)
		if err == nil || strings.Contains(err.Error(), hidden) || strings.Contains(err.Error(), string(sampleSecret)) || strings.Contains(err.Error(), sampleKey+":") {
			t.Error(err)
		}
	}
}

// bottomless counts what is read of it.
type bottomless struct{ read atomic.Int64 }

func (b *bottomless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	b.read.Add(int64(len(p)))
	return len(p), nil
}

func (b *bottomless) Close() error { return nil }

func TestABodyWithoutEndIsCutOff(t *testing.T) {
	const most = 64<<20 + 1<<20
	for _, said := range []int64{-1, 1 << 30} {
		body := new(bottomless)
		_, err := client(t, answers(func(request *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: body, ContentLength: said, Request: request}, nil
		})).ActiveRooms(t.Context())
		if !errors.Is(err, plugnmeet.ErrTooLarge) || body.read.Load() > most || said > 0 && body.read.Load() != 0 {
			t.Errorf("%v after %d bytes", err, body.read.Load())
		}
	}
}

func TestACertificateThatNobodyVouchesForIsRefused(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	a, err := plugnmeet.NewAPI(plugnmeet.APISettings{ServerURL: server.URL, APIKey: "key", Secret: sampleSecret})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if _, err = a.ActiveRooms(t.Context()); !errors.Is(err, plugnmeet.ErrUnreachable) || !strings.Contains(err.Error(), "certificate") {
		t.Error(err)
	}
}

func TestAPlugNmeetThatIsDownIsLeftAloneAndTriedAgainByOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked int
		up := false
		a := client(t, answers(func(request *http.Request) (*http.Response, error) {
			asked++
			if !up {
				return nil, errors.New("down")
			}
			return says(200, `{"status":true}`)(request)
		}))
		ask := func(want ...error) {
			t.Helper()
			_, err := a.ActiveRooms(t.Context())
			for _, kind := range want {
				if !errors.Is(err, kind) {
					t.Errorf("got %v, want %v", err, kind)
				}
			}
			if len(want) == 0 && err != nil || len(want) == 1 && errors.Is(err, plugnmeet.ErrPaused) {
				t.Errorf("got %v, want %v", err, want)
			}
		}
		down := time.Now()
		for range 3 {
			ask(plugnmeet.ErrUnreachable)
			time.Sleep(time.Second)
		}
		ask(plugnmeet.ErrUnreachable, plugnmeet.ErrPaused)
		_, err := a.ActiveRooms(t.Context())
		if asked != 3 || !strings.Contains(err.Error(), "since "+down.UTC().Format(time.RFC3339)) {
			t.Error(asked, err)
		}
		if since, why := a.Failing(); !since.Equal(down) || !errors.Is(why, plugnmeet.ErrUnreachable) || errors.Is(why, plugnmeet.ErrPaused) {
			t.Error(since, why)
		}
		time.Sleep(30 * time.Second)
		ask(plugnmeet.ErrUnreachable) // the trial
		ask(plugnmeet.ErrUnreachable, plugnmeet.ErrPaused)
		if up = true; asked != 4 {
			t.Error(asked)
		}
		time.Sleep(31 * time.Second)
		ask()
		ask()
		if since, why := a.Failing(); asked != 6 || !since.IsZero() || why != nil {
			t.Error(asked, since, why)
		}
	})
}

func TestAnAnswerThatItFailedIsNoReasonToLeaveItAlone(t *testing.T) {
	a := client(t, says(200, `{"status":false,"msg":"x","status_code":"INTERNAL_SERVER_ERROR"}`))
	for range 10 {
		if _, err := a.ActiveRooms(t.Context()); !errors.Is(err, plugnmeet.ErrFailed) || errors.Is(err, plugnmeet.ErrPaused) {
			t.Fatal(err)
		}
	}
}

func TestACallThatAnOldPlugNmeetDoesNotKnowStopsNoOther(t *testing.T) {
	for _, worked := range []bool{true, false} {
		a := client(t, answers(func(request *http.Request) (*http.Response, error) {
			if strings.Contains(request.URL.Path, "artifact") {
				return says(404, "")(request)
			}
			return says(200, `{"status":true}`)(request)
		}))
		if worked {
			_, err := a.ActiveRooms(t.Context())
			if err != nil {
				t.Fatal(err)
			}
		}
		for range 10 {
			if _, err := a.Artifacts(t.Context(), plugnmeet.PastQuery{}); !errors.Is(err, plugnmeet.ErrNonsense) || errors.Is(err, plugnmeet.ErrPaused) {
				t.Fatal(err)
			}
		}
		if _, why := a.Failing(); (why == nil) != worked {
			t.Error(worked, why)
		}
		if _, err := a.ActiveRooms(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// waits is a plugNmeet that never answers.
var waits = answers(func(request *http.Request) (*http.Response, error) {
	<-request.Context().Done()
	return nil, request.Context().Err()
})

func TestACallThatIsNotAnsweredEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, err := client(t, waits).ActiveRooms(t.Context())
		if !errors.Is(err, plugnmeet.ErrUnreachable) || !strings.Contains(err.Error(), "in time") || time.Since(began) != 20*time.Second {
			t.Error(err, time.Since(began))
		}
	})
}

func TestACallThatIsCancelledSaysNothingOfPlugNmeet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, why := client(t, waits), errors.New("shutting down")
		for range 10 {
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Second, func() { cancel(why) })
			if _, err := a.ActiveRooms(ctx); err != why {
				t.Fatal(err)
			}
		}
		if _, failing := a.Failing(); failing != nil {
			t.Error(failing)
		}
	})
}

func TestAServerURLThatCannotBeOneIsRefused(t *testing.T) {
	for _, u := range []string{"", "meet.example.org", "ftp://meet.example.org", "https://", "https://user:pw@meet.example.org", "https://meet.example.org/?a=b", ":"} {
		_, err := plugnmeet.NewAPI(plugnmeet.APISettings{ServerURL: u, APIKey: "key", Secret: sampleSecret})
		if err == nil || strings.Contains(err.Error(), "pw") {
			t.Error(u, err)
		}
	}
	if _, err := plugnmeet.NewAPI(plugnmeet.APISettings{ServerURL: "https://meet.example.org", Secret: sampleSecret}); err == nil {
		t.Error("no key")
	}
}

func TestADownloadTokenLeadsToADownloadOrNowhere(t *testing.T) {
	good := client(t, says(200, `{"status":true,"token":"eyJh.eyJp-_.sig"}`))
	if u, err := good.RecordingURL(t.Context(), "r"); err != nil || u != "https://meet.example.org/base/download/recording/eyJh.eyJp-_.sig" {
		t.Error(u, err)
	}
	if u, err := good.ArtifactURL(t.Context(), "a"); err != nil || u != "https://meet.example.org/base/download/artifact/eyJh.eyJp-_.sig" {
		t.Error(u, err)
	}
	for _, token := range []string{``, `../../auth`, `..`, `a/b`, `a?b`, `a%2fb`, `https://evil.example.org`, ` a`, `a\u00e4`} {
		bad := client(t, says(200, `{"status":true,"token":"`+token+`"}`))
		if u, err := bad.RecordingURL(t.Context(), "r"); !errors.Is(err, plugnmeet.ErrNonsense) || u != "" {
			t.Errorf("%q: %q, %v", token, u, err)
		}
	}
}
