package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/redistest"
)

// Row 53: a token is revoked by the command line; both replicas hear of it. While Redis is away neither can know
// whether another token was revoked, and refuses it; when Redis is back it is good again.
func TestFault53RevocationBeatsWhatReplicasRemember(t *testing.T) {
	server := redistest.Start(t)
	replica := func() *testApp {
		config := testConfig(server.URL())
		config.Spool, config.Auth, config.Secret = filepath.Join(t.TempDir(), "spool.db"), "local", ourSecret
		return startApp(t, config)
	}
	both := []*testApp{replica(), replica()}
	defer both[0].close()
	defer both[1].close()
	accounts, err := openAccounts(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer accounts.Close()
	token := func(name string) (text string) {
		t.Helper()
		text = access.TokenAPI.Token(access.Random([]byte(fmt.Sprintf("%-32s", name))))
		kept, err := access.NewAPIToken(access.HashOf(text), name, access.Scopes(), false, "", time.Now(), time.Hour)
		if err == nil {
			err = accounts.AddToken(t.Context(), kept)
		}
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	answers := func(a *testApp, token string) int {
		t.Helper()
		request, err := http.NewRequest(http.MethodGet, a.URL()+"/api/v1/state", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		answer, err := a.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	revoked, stays := token("revoked"), token("stays")
	for n, a := range both {
		if one, other := answers(a, revoked), answers(a, stays); one != http.StatusOK || other != http.StatusOK {
			t.Fatalf("replica %d: %d and %d", n, one, other)
		}
	}
	if err := accounts.RevokeToken(t.Context(), access.HashOf(revoked), time.Now()); err != nil {
		t.Fatal(err)
	}
	for n, a := range both {
		if code := answers(a, revoked); code != http.StatusUnauthorized {
			t.Errorf("replica %d, after it was revoked: %d", n, code)
		}
	}
	server.Kill()
	for n, a := range both {
		a.await(fmt.Sprint("replica ", n, " refuses what it cannot ask about"), func() bool { return answers(a, stays) == http.StatusServiceUnavailable })
	}
	server.Run()
	for n, a := range both {
		a.await(fmt.Sprint("replica ", n, " asks again"), func() bool { return answers(a, stays) == http.StatusOK })
		if code := answers(a, revoked); code != http.StatusUnauthorized {
			t.Errorf("replica %d, when Redis is back: %d", n, code)
		}
	}
}
