package access_test

import (
	"net/netip"
	"testing"

	"github.com/roomwatch/roomwatch/access"
)

func TestOnlyTheProxiesThatWereNamedAreTrusted(t *testing.T) {
	proxies, err := access.ParseProxies([]string{"10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1"})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "192.0.2.7": true, "192.0.2.8": false, "2001:db8::5": true, "2001:db9::5": false,
		"::1": true, "127.0.0.1": false, "::ffff:192.0.2.8": false,
	} {
		if got := proxies.Trust(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is trusted: %t", address, got)
		}
	}
	if proxies.Trust(netip.Addr{}) || access.Proxies(nil).Trust(netip.MustParseAddr("10.1.2.3")) {
		t.Error("nobody is trusted")
	}
	for _, odd := range []string{"", "0.0.0.0/0", "::/0", "10.0.0.0/33", "10.0.0.1/8x", "localhost", "*", "::ffff:10.0.0.0/104"} {
		if got, err := access.ParseProxies([]string{odd}); err == nil {
			t.Errorf("%q was read as %v", odd, got)
		}
	}
}

func TestTheClientIsWhoTheLastTrustedProxySawNotWhomTheClientNames(t *testing.T) {
	proxies, _ := access.ParseProxies([]string{"10.0.0.0/8", "fd00::/8"})
	for name, c := range map[string]struct {
		peer      string
		forwarded []string
		want      string
	}{
		"no proxy":                       {"203.0.113.9", nil, "203.0.113.9"},
		"an untrusted peer lies":         {"203.0.113.9", []string{"10.0.0.1"}, "203.0.113.9"},
		"one proxy":                      {"10.0.0.1", []string{"203.0.113.9"}, "203.0.113.9"},
		"the client lies before it":      {"10.0.0.1", []string{"1.1.1.1, 203.0.113.9"}, "203.0.113.9"},
		"the client lies as a proxy":     {"10.0.0.1", []string{"1.1.1.1, 10.0.0.9, 203.0.113.9"}, "203.0.113.9"},
		"two proxies":                    {"10.0.0.1", []string{"203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		"two headers, the last is ours":  {"10.0.0.1", []string{"1.1.1.1", "203.0.113.9"}, "203.0.113.9"},
		"a port":                         {"10.0.0.1", []string{"203.0.113.9:4711"}, "203.0.113.9"},
		"IPv6 with a port":               {"fd00::1", []string{"[2001:db8::5]:4711"}, "2001:db8::5"},
		"IPv6 in brackets":               {"fd00::1", []string{"[2001:db8::5]"}, "2001:db8::5"},
		"mapped":                         {"::ffff:10.0.0.1", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		"nothing said":                   {"10.0.0.1", nil, "10.0.0.1"},
		"nonsense":                       {"10.0.0.1", []string{"unknown"}, "10.0.0.1"},
		"nonsense behind a second proxy": {"10.0.0.1", []string{"1.1.1.1, _hidden, 10.0.0.2"}, "10.0.0.2"},
		"the whole way is ours":          {"10.0.0.1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
	} {
		if got := proxies.Client(netip.MustParseAddr(c.peer), c.forwarded); got.String() != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
