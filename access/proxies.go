package access

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the addresses whose headers are believed (TRUSTED_PROXIES). None is the safe default.
type Proxies []netip.Prefix

// ParseProxies reads addresses and CIDRs. One that is everybody is refused: whoever is believed may say that
// he is the admin.
func ParseProxies(texts []string) (Proxies, error) {
	var out Proxies
	for _, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if address, bad := netip.ParseAddr(text); bad == nil {
			address = address.Unmap()
			prefix, err = address.Prefix(address.BitLen())
		}
		if err != nil || prefix.Addr().Is4In6() {
			return nil, fmt.Errorf("%s is neither an address nor a range like 10.0.0.0/8", quoted(text))
		}
		if prefix.Bits() == 0 {
			return nil, fmt.Errorf("%s is everybody: name the addresses of your proxies", quoted(text))
		}
		out = append(out, prefix.Masked())
	}
	return out, nil
}

// Trust says whether a peer's headers are believed: the peer of the connection, never an address of a header.
func (p Proxies) Trust(peer netip.Addr) bool {
	peer = peer.Unmap().WithZone("")
	return slices.ContainsFunc(p, func(prefix netip.Prefix) bool { return prefix.Contains(peer) })
}

// maxHops bounds how far back a chain of proxies is followed.
const maxHops = 16

// Client is who is behind the proxies: the last address in the X-Forwarded-For headers, in the order they
// came, that is no proxy of ours. What stands before it, the client may have written himself.
func (p Proxies) Client(peer netip.Addr, forwarded []string) netip.Addr {
	client := peer.Unmap().WithZone("")
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	for n := 1; n <= maxHops && n <= len(hops) && p.Trust(client); n++ {
		hop, ok := parseHop(hops[len(hops)-n])
		if !ok {
			break
		}
		client = hop
	}
	return client
}

// parseHop reads an address as proxies write it, some with a port.
func parseHop(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	address, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		var both netip.AddrPort
		both, err = netip.ParseAddrPort(text)
		address = both.Addr()
	}
	return address.Unmap().WithZone(""), err == nil
}
