package web_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/web"
)

// mayUse is who may use which route. Those who are not named are refused; * is everybody.
var mayUse = map[string]string{
	"GET /livez": "*", "GET /readyz": "*", "GET /health": "*", "GET /static/:name": "*",
	"GET /login": "*", "POST /login": "*", "POST /logout": "*", "GET /setup": "*", "POST /setup": "*",
	"GET /metrics": "operator admin metrics setting",

	"GET /api/v1/state": "viewer operator admin state setting", "GET /api/v1/totals": "viewer operator admin state setting", "GET /api/v1/attention": "viewer operator admin state setting",
	"GET /api/v1/sessions": "viewer operator admin state setting", "GET /api/v1/sessions/:sid": "viewer operator admin state setting",
	"GET /api/v1/recordings": "viewer operator admin state setting", "GET /api/v1/artifacts": "viewer operator admin state setting",
	"GET /api/v1/deliveries": "operator admin state setting", "GET /api/v1/deliveries/:position": "operator admin state setting", "GET /api/v1/openapi.yaml": "viewer operator admin state setting",

	"GET /sessions.csv": "viewer operator admin state setting", "GET /sessions.json": "viewer operator admin state setting",
	"GET /recordings.csv": "viewer operator admin state setting", "GET /recordings.json": "viewer operator admin state setting",
	"GET /artifacts.csv": "viewer operator admin state setting", "GET /artifacts.json": "viewer operator admin state setting",
	"GET /intake.csv": "operator admin state setting", "GET /intake.json": "operator admin state setting",

	"GET /": "viewer operator admin state setting", "GET /rooms/:sid": "viewer operator admin state setting", "GET /sessions": "viewer operator admin state setting",
	"GET /recordings": "viewer operator admin state setting", "GET /artifacts": "viewer operator admin state setting", "GET /find": "viewer operator admin state setting",
	"GET /intake": "operator admin state setting", "GET /intake/:position": "operator admin state setting", "GET /dev/gallery": "viewer operator admin state setting",

	"GET /embed.js": "*", "POST /api/v1/embed-tokens": "operator admin mint setting",

	"GET /rooms/:sid/end": "operator admin", "POST /rooms/:sid/end": "operator admin",
	"GET /rooms/:sid/recordings/:id/file": "operator admin", "GET /rooms/:sid/artifacts/:id/file": "operator admin",

	"GET /account": "viewer operator admin", "POST /account": "viewer operator admin",
	"GET /users": "admin", "POST /users": "admin", "GET /tokens": "admin", "POST /tokens": "admin", "GET /audit": "admin",
}

// decides are routes whose handler decides, with the answer to everybody who has no proof of the kind that it asks for.
var decides = map[string]int{"POST /webhook": http.StatusUnauthorized, "GET /live": http.StatusUpgradeRequired,
	"GET /embed": http.StatusUnauthorized, "GET /embed/rooms/:room_id": http.StatusUnauthorized}

func TestEveryRouteIsForThoseInTheTableAndForNobodyElse(t *testing.T) {
	t.Parallel()
	near := access.Proxies{netip.MustParsePrefix("127.0.0.1/32")}
	r := start(t, withLogin(func(a *web.Auth) { a.Proxies = near }), func(c *web.Config) { c.Gallery = true })
	r.taken(joined("s1", "r1", "ana"))
	identities := r.identities()
	asked := 0
	for _, route := range registered(t, r.server) {
		path := strings.NewReplacer(":sid", "s1", ":id", "x", ":position", "1", ":name", "live.js", ":room_id", "r1").Replace(route)
		method, path, _ := strings.Cut(path, " ")
		allowed, listed := mayUse[route]
		code, decided := decides[route]
		if !listed && !decided {
			t.Errorf("%s has no line in the table: who may use it?", route)
			continue
		}
		for who, headers := range identities {
			asked++ // each from elsewhere: an address from which much fails is refused for that alone
			from := fmt.Sprintf("192.0.%d.%d", asked/250, asked%250)
			a := r.do(method, path, "", append([]string{"Sec-Fetch-Site", "same-origin", "X-Forwarded-For", from}, headers...)...)
			want := fmt.Sprint(code)
			if !decided {
				want = "let in"
				if allowed == "*" && strings.Contains(who, "token") {
					continue // who comes with a bad token where none is needed may be told so
				}
				if allowed != "*" && !slices.Contains(strings.Fields(allowed), who) {
					want = "refused"
				}
			}
			if got := reception(a, who); got != want && !(decided && a.StatusCode == code) {
				t.Errorf("%s for %s: %d is %s, want %s", route, who, a.StatusCode, got, want)
			}
			if who == "nobody" && strings.Contains(a.body, "ana") {
				t.Errorf("%s tells nobody in particular who is there", route)
			}
		}
	}
}

// reception is how somebody was received: let in or refused, and that in the way that is right for who asks.
func reception(a answer, who string) string {
	known := slices.Contains([]string{"viewer", "operator", "admin", "state", "metrics", "mint", "setting"}, who)
	switch {
	case a.StatusCode == http.StatusForbidden && known, a.StatusCode == http.StatusUnauthorized && !known && a.Header.Get("WWW-Authenticate") != "":
		return "refused"
	case a.StatusCode == http.StatusSeeOther && strings.HasPrefix(a.Header.Get("Location"), "/login?next=") && !known:
		return "refused"
	case a.StatusCode == http.StatusForbidden || a.StatusCode == http.StatusUnauthorized && a.Header.Get("WWW-Authenticate") != "":
		return fmt.Sprint("refused with ", a.StatusCode)
	}
	return "let in"
}

// registered are the routes of the program, each of which must have a rule.
func registered(t *testing.T, s *web.Server) []string {
	t.Helper()
	var ruled []string
	for _, route := range s.Routes() {
		if route.Rule == "" {
			t.Errorf("%s %s has a rule without a name", route.Method, route.Path)
		}
		ruled = append(ruled, route.Method+" "+route.Path)
	}
	found := s.Registered()
	for _, route := range found {
		if !slices.Contains(ruled, route) {
			t.Errorf("%s is registered without a rule", route)
		}
	}
	for route := range mayUse {
		if !slices.Contains(found, route) {
			t.Errorf("%s is in the table and nowhere else", route)
		}
	}
	slices.SortFunc(found, func(a, b string) int {
		return cmp.Or(strings.Index(a, "/logout")-strings.Index(b, "/logout"), strings.Compare(a, b))
	})
	return found // logging out comes last
}

// mayWatch is who may open which view.
var mayWatch = map[string]string{
	"overview": "viewer operator admin state setting", "room:s1": "viewer operator admin state setting", "sessions": "viewer operator admin state setting",
	"recordings": "viewer operator admin state setting", "artifacts": "viewer operator admin state setting", "intake": "operator admin state setting",
}

// Fault 36: no login, one that is over, and tokens that are not for it.
func TestFault36EveryViewIsForThoseInTheTableAndForNobodyElse(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin())
	r.taken(joined("s1", "r1", "ana"))
	identities := r.identities()
	for view, allowed := range mayWatch {
		for who, headers := range identities {
			s, code := r.dial("view="+view, headers...)
			want := 0
			if !slices.Contains(strings.Fields(allowed), who) {
				want = http.StatusUnauthorized
				if slices.Contains([]string{"viewer", "operator", "admin", "metrics", "mint"}, who) {
					want = http.StatusForbidden
				}
			}
			if code != want {
				t.Errorf("%s for %s: %d, want %d", view, who, code, want)
			}
			if s != nil {
				_ = s.Close()
			}
		}
	}
}

func TestAnAdminIsNotMadeByAMachine(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin())
	for _, token := range []string{rigToken, r.apiToken(false, access.Scopes()...)} {
		for _, path := range []string{"/users", "/tokens", "/account"} {
			if a := r.do(http.MethodPost, path, "do=add&name=eve&password="+rigPassword+"&role=admin", "Authorization", "Bearer "+token, "Content-Type", "application/x-www-form-urlencoded"); a.StatusCode != http.StatusForbidden {
				t.Errorf("%s: %d", path, a.StatusCode)
			}
		}
	}
}
