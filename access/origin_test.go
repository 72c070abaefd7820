package access_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/roomwatch/roomwatch/access"
)

var goodOrigins = []string{
	"https://support.example.org", "https://support.example.org:8443", "https://xn--bcher-kva.example", "https://10.0.0.7", "https://a",
	"http://localhost", "http://localhost:3000", "http://support.localhost:8080", "http://127.0.0.1:3000", "http://127.9.9.9",
	"https://localhost", "https://a--b.example", "https://4chan.example",
}

var badOrigins = []string{
	"", "*", "null", "https://", "https://*", "https://*.example.org", "//support.example.org", "support.example.org",
	"https://support.example.org/", "https://support.example.org/x", "https://support.example.org?", "https://support.example.org#",
	"https://user@support.example.org", "https://user:pw@support.example.org", "https://support.example.org:443", "http://localhost:80",
	"https://support.example.org:", "https://support.example.org:0", "https://support.example.org:08443", "https://support.example.org:65536",
	"https://support.example.org:+1", "https://support.example.org:-1", "https://a:1:2", "HTTPS://support.example.org", "https://Support.example.org", "https://bücher.example",
	"https://support.example.org.", "https://.example.org", "https://a..b", "https://-a.example", "https://a-.example", "https://a_b.example",
	"http://support.example.org", "http://localhost.example.org", "http://notlocalhost", "http://10.0.0.7", "http://127.0.0.1.example.org",
	"https://127.1", "https://2130706433", "https://0x7f000001", "https://0177.0.0.1", "https://1.2.3.256", "https://[::1]", "http://[::1]:3000", "https://::1",
	"https://a.example; script-src *", "https://a.example https://b.example", "https://a.example,https://b.example", "https://a.example\r\nX: y",
	" https://a.example", "https://a.example\x00", "ftp://a.example", "javascript://a.example", "data:text/html,x", "file://", "wss://a.example",
	"https://" + strings.Repeat("a", 64) + ".example", "https://" + strings.Repeat("a.", 127) + "example", "https://'self'",
}

func TestOnlyTheOriginsThatBrowsersWriteMayFrameUs(t *testing.T) {
	for _, text := range goodOrigins {
		if got, err := access.ParseOrigin(text); err != nil || string(got) != text {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range badOrigins {
		if got, err := access.ParseOrigin(text); err == nil {
			t.Errorf("%q was taken as %q", text, got)
		}
	}
}

func TestAListOfParentsNamesTheOneThatIsWrong(t *testing.T) {
	got, err := access.ParseOrigins([]string{"https://a.example", "http://localhost:3000"})
	if err != nil || len(got) != 2 {
		t.Error(got, err)
	}
	_, err = access.ParseOrigins([]string{"https://a.example", "https://b.example/"})
	if err == nil || !strings.Contains(err.Error(), "https://b.example/") {
		t.Error(err)
	}
}

// Whatever is taken is one origin for a browser, unchanged, and one harmless word in a policy.
func FuzzParseOrigin(f *testing.F) {
	for _, text := range append(goodOrigins, badOrigins...) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		origin, err := access.ParseOrigin(text)
		if err != nil {
			if origin != "" {
				t.Errorf("%q is refused and still %q", text, origin)
			}
			return
		}
		u, err := url.Parse(text)
		if err != nil || text != u.Scheme+"://"+u.Host || u.User != nil || u.Hostname() == "" {
			t.Errorf("%q is no origin: %v", text, err)
		}
		if u.Scheme != "https" && u.Scheme != "http" {
			t.Errorf("%q has another scheme", text)
		}
		if strings.ContainsAny(text, " ;,'\"*\\\t\r\n@?#%[]") || strings.ToLower(text) != text {
			t.Errorf("%q does not belong into a policy", text)
		}
	})
}
