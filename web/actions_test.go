package web_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/simulate"
	"github.com/roomwatch/roomwatch/web"
)

// beside is a stand-in for the plugNmeet of the source "default".
func beside(t *testing.T, api *simulate.API) setting {
	t.Helper()
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	client, err := plugnmeet.NewAPI(plugnmeet.APISettings{Source: "default", ServerURL: server.URL, APIKey: api.APIKey, Secret: api.Secret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return func(c *web.Config) { c.PlugNmeets = map[string]*plugnmeet.API{"default": client} }
}

func TestWhoEndedARoomIsInTheAuditTrailAndNotOnItsPage(t *testing.T) {
	t.Parallel()
	ended := ""
	api := &simulate.API{APIKey: "key", Secret: "a secret", End: func(roomID string) bool { ended = roomID; return true },
		Rooms: func() []room.Detail {
			return []room.Detail{{Head: room.Head{SID: "s1", RoomID: "r1", State: room.StateLive}}}
		}}
	r := start(t, withLogin(), beside(t, api))
	r.taken(joined("s1", "r1", "ana"))
	viewer, operator := r.loggedIn(r.user("vera", access.Viewer, ""), 0), r.loggedIn(r.user("otto", access.Operator, ""), 0)
	if a := r.form("/rooms/s1/end", viewer); a.StatusCode != http.StatusForbidden || ended != "" {
		t.Fatalf("a viewer ends rooms: %d", a.StatusCode)
	}
	if a := r.form("/rooms/s1/end", operator); a.StatusCode != http.StatusSeeOther || ended != "r1" {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	if acts := r.did(); !slices.Contains(acts, "room_ended by user local:otto to r1") {
		t.Errorf("%q", acts)
	}
	shown := r.get("/api/v1/deliveries?event=end_asked", "Cookie", operator)
	if !strings.Contains(shown.body, "An operator asked plugNmeet to end it") || strings.Contains(shown.body, "otto") {
		t.Errorf("%s", shown.body)
	}
}

// plugNmeet is told a room_id only: a later session of it must not be ended for an earlier one.
func TestALaterSessionOfTheRoomIsNotEnded(t *testing.T) {
	t.Parallel()
	ended := ""
	api := &simulate.API{APIKey: "key", Secret: "a secret", End: func(roomID string) bool { ended = roomID; return true },
		Rooms: func() []room.Detail {
			return []room.Detail{{Head: room.Head{SID: "s2", RoomID: "r1", State: room.StateLive}}}
		}}
	r := start(t, beside(t, api))
	r.taken(joined("s1", "r1", "ana"))
	if a := r.form("/rooms/s1/end", ""); a.StatusCode != http.StatusBadGateway || !strings.Contains(a.body, "another session of this room") || ended != "" {
		t.Errorf("%d, ended %q", a.StatusCode, ended)
	}
	api.Suffer(simulate.DatabaseDown)
	if a := r.form("/rooms/s1/end", ""); a.StatusCode != http.StatusBadGateway || !strings.Contains(a.body, "INTERNAL_SERVER_ERROR") || strings.Contains(a.body, "Access denied") || ended != "" {
		t.Errorf("%d, ended %q", a.StatusCode, ended)
	}
}
