package access

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// Origin is the origin of a page that may frame us, written exactly as browsers write it: it is compared
// byte by byte, and stands in a Content-Security-Policy as it is.
type Origin string

var (
	errOrigin     = errors.New("not a bare origin: write it like https://support.example.org, in small letters, without a path or a slash at its end")
	errInsecure   = errors.New("not an https origin: plain http is for loopback names only, since anybody on the way could take the frame's place")
	errPort       = errors.New("the port is one that browsers leave out, or no port")
	errUnframable = errors.New("an IPv6 address cannot be allowed to frame a page (CSP has no way to name it): use a name")
)

const maxHost = 253

// ParseOrigin reads an origin that may frame us: https, or http at a loopback name. It takes only the
// one spelling that browsers use. A wildcard is not an origin.
func ParseOrigin(text string) (Origin, error) {
	scheme, authority, _ := strings.Cut(text, "://")
	host, port, hasPort := strings.Cut(authority, ":")
	switch {
	case scheme != "https" && scheme != "http" || !strings.Contains(text, "://"):
		return "", errOrigin
	case strings.HasPrefix(host, "["):
		return "", errUnframable
	case !validHost(host):
		return "", errOrigin
	case hasPort && !validPort(scheme, port):
		return "", errPort
	case scheme == "http" && !loopbackHost(host):
		return "", errInsecure
	}
	return Origin(text), nil
}

// ParseOrigins reads the setting EMBED_PARENTS.
func ParseOrigins(texts []string) ([]Origin, error) {
	out := make([]Origin, 0, len(texts))
	for _, text := range texts {
		origin, err := ParseOrigin(text)
		if err != nil {
			return nil, errors.New(quoted(text) + " is " + err.Error())
		}
		out = append(out, origin)
	}
	return out, nil
}

// validHost takes names of small letters, digits and hyphens (other letters are punycode in an origin), and
// IPv4 addresses in their usual form: browsers read 127.1 and 0x7f000001 as addresses too, but write them so.
func validHost(host string) bool {
	if host == "" || len(host) > maxHost {
		return false
	}
	last := ""
	for label := range strings.SplitSeq(host, ".") {
		if !validLabel(label) {
			return false
		}
		last = label
	}
	if last[0] < '0' || last[0] > '9' {
		return true
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}

func validLabel(label string) bool {
	if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	for _, b := range []byte(label) {
		if (b < 'a' || b > 'z') && (b < '0' || b > '9') && b != '-' {
			return false
		}
	}
	return true
}

// validPort takes 1 to 65535 without leading zeros. Browsers leave the scheme's own port out.
func validPort(scheme, port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || port != strconv.FormatUint(n, 10) {
		return false
	}
	return scheme == "https" && n != 443 || scheme == "http" && n != 80
}

func loopbackHost(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
