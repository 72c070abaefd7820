package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/simulate"
)

// Row 57: both secrets are set here, and plugNmeet goes from the old one to the new one. Its rooms are checked all the
// while, and check says which one it answers to.
func TestFault57ChecksGoOnWhileASecretIsRotated(t *testing.T) {
	const old = plugnmeet.Secret("the old secret of the tests, long enough")
	var theirs atomic.Pointer[simulate.API]
	use := func(secret plugnmeet.Secret) {
		theirs.Store(&simulate.API{APIKey: testKey, Secret: secret, Rooms: func() []room.Detail { return nil }})
	}
	use(old)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { theirs.Load().ServeHTTP(w, r) }))
	defer server.Close()
	config := testConfig("memory:")
	config.APIKey, config.APISecret = "", ""
	config.Sources = []SourceConfig{{Name: "emea", APIKey: testKey, Secrets: []plugnmeet.Secret{testSecret, old}, ServerURL: server.URL}}
	app := startApp(t, config)
	defer app.close()
	checkedAfter := func(what string, since time.Time) {
		t.Helper()
		app.await(what, func() bool {
			source := app.board.Sources()[0]
			return source.API == "answering" && source.ReconciledAt.After(since)
		})
	}
	checkedAfter("checked by the old one", time.Time{})
	if found, _ := (&checkCommand{config}).checkAPI(); len(found) != 1 || found[0].state != good || !strings.Contains(found[0].text, "answers to the second secret") {
		t.Errorf("%+v", found)
	}
	use(testSecret)
	checkedAfter("checked by the new one", time.Now())
	if found, _ := (&checkCommand{config}).checkAPI(); len(found) != 1 || found[0].state != good || strings.Contains(found[0].text, "second secret") {
		t.Errorf("%+v", found)
	}
}
