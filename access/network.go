package access

import "net/netip"

// Network is what one customer has at least: an IPv4 address, or the 2⁶⁴ addresses of an IPv6 network, among which a
// program may choose for each connection. What is counted by address is counted by this.
func Network(address netip.Addr) netip.Prefix {
	address = address.Unmap().WithZone("")
	bits := 32
	if address.Is6() {
		bits = 64
	}
	prefix, _ := address.Prefix(bits) // the zero one of no address
	return prefix
}
