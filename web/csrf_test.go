package web_test

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/web"
)

// Row 58, for forms: behind TLS, a page of the same host that came without it is not ours. Browsers that say nothing of
// the site are told apart by the origin alone.
func TestFault58AFormOfAPageWithoutTLSIsRefusedBehindTLS(t *testing.T) {
	t.Parallel()
	near := access.Proxies{netip.MustParsePrefix("127.0.0.1/32")}
	r := start(t, withLogin(func(a *web.Auth) { a.Proxies = near }))
	const host = "rooms.example.org"
	for name, c := range map[string]struct {
		origin, proto string
		taken         bool
	}{
		"its own page":                     {"https://" + host, "https", true},
		"a page without TLS":               {"http://" + host, "https", false},
		"a page without TLS, two proxies":  {"http://" + host, "https,http", false},
		"its own page, two proxies":        {"https://" + host, "https,http", true},
		"a page without TLS, and there is": {"http://" + host, "wss", false},
		"another site":                     {"https://evil.example", "https", false},
		"no site":                          {"null", "https", false},
	} {
		a := r.do(http.MethodPost, "/logout", "", "Host", host, "Origin", c.origin, "X-Forwarded-Proto", c.proto)
		if taken := a.StatusCode == http.StatusSeeOther; taken != c.taken || !taken && a.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d", name, a.StatusCode)
		}
	}
}
