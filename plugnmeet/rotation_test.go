package plugnmeet_test

import (
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/roomwatch/roomwatch/plugnmeet"
)

// Row 57: while a secret is rotated, calls go on; the one that plugNmeet answers to is found out.
func TestFault57CallsAreSignedWithTheSecretThatIsAnswered(t *testing.T) {
	const old, fresh, third = plugnmeet.Secret("the old secret"), plugnmeet.Secret("the new secret"), plugnmeet.Secret("a third secret")
	theirs, asked := old, 0
	status, refused := http.StatusUnauthorized, `{"status":false,"status_code":"INVALID_TOKEN_OR_SIGNATURE","msg":"x"}`
	a := client(t, answers(func(request *http.Request) (*http.Response, error) {
		asked++
		body, _ := io.ReadAll(request.Body)
		if request.Header.Get("HASH-SIGNATURE") != plugnmeet.SignCall(theirs, body) {
			return says(status, refused)(request)
		}
		return says(200, `{"status":true}`)(request)
	}))
	ask := func(when string, calls, index int, want error) {
		t.Helper()
		asked = 0
		if _, err := a.RoomActive(t.Context(), "room01"); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%s: %v", when, err)
		}
		if asked != calls || a.KeyIndex() != index {
			t.Errorf("%s: asked %d times, with secret %d at the end; want %d, %d", when, asked, a.KeyIndex(), calls, index)
		}
	}
	a.SetKey(sampleKey, fresh, old)
	ask("the new one is not in use yet", 2, 1, nil)
	ask("once that is known", 1, 1, nil)
	theirs = fresh
	ask("it is in use", 2, 0, nil)
	ask("once that is known", 1, 0, nil)
	theirs = third
	ask("neither is its own", 2, 0, plugnmeet.ErrRefused)
	refused = `{"status":false,"status_code":"INVALID_API_KEY","msg":"x"}`
	ask("the key is not its own", 1, 0, plugnmeet.ErrRefused)
	status, refused, theirs = http.StatusOK, `{"status":false,"status_code":"INVALID_TOKEN_OR_SIGNATURE","msg":"x"}`, old
	ask("a plugNmeet that refuses with 200", 2, 1, nil)
	a.SetKey(sampleKey, fresh)
	ask("the old one was taken out", 1, 0, plugnmeet.ErrRefused)
}
