package access

import (
	"net/netip"
	"sync"
	"time"
)

// Throttle slows guessing of passwords down without ever locking an account. It is safe for concurrent use.
//
// Whoever locks an account after so many failures lets anybody lock anybody out. Here a guesser uses up his
// own allowance: that of his address for this account, then that of his address, then what strangers from
// everywhere have for this account, then what all strangers have. A browser with which the user has logged in
// before is no stranger (see DeviceCookie): it has an allowance of its own, which nobody else can use up. A
// user at a new browser shares only the last two with an attacker elsewhere; one attacker's address cannot
// exhaust either, since its own allowance for the account drains slower than the account's.
//
// An attempt that is refused counts for nothing, so every wait is short and ends. What is left: a botnet can
// keep new browsers waiting for an account, and whoever attacks from the user's own address can, too.
//
// Each replica has a throttle of its own: n replicas allow n times as much, which is still little.
type Throttle struct {
	mu                             sync.Mutex
	device, pair, address, account *meter
	strangers                      *meter // keeps some of the processor for those who are known
}

// NewThrottle is a throttle that has seen nothing. Its memory is bounded by the strangers' allowance: no
// more buckets can be filling than it admits attempts within two minutes.
func NewThrottle() *Throttle {
	return &Throttle{
		device:    newMeter(10, 30*time.Second),
		pair:      newMeter(5, 10*time.Second),
		address:   newMeter(20, 3*time.Second),
		account:   newMeter(60, 2*time.Second),
		strangers: newMeter(200, 50*time.Millisecond),
	}
}

// Attempt is somebody who wants to try a password.
type Attempt struct {
	Account UserKey    // as typed, whether there is such a user or not: waiting must not tell
	Address netip.Addr // of the client, see Proxies.Client
	Device  string     // by KnownDevice, or ""
}

// Verdict is whether an attempt may be made now.
type Verdict struct {
	Wait time.Duration // 0: yes. Else 429 with Retry-After, and the password is not looked at
	News bool          // the first refusal of a row: worth an entry in the audit trail
}

// Admit answers and, if it may be made, counts the attempt. It counts before the password is looked at, or
// a thousand attempts at once would all be the first.
func (t *Throttle) Admit(a Attempt, now time.Time) Verdict {
	t.mu.Lock()
	defer t.mu.Unlock()
	var v Verdict
	var full gate
	gates := t.gates(a)
	for _, g := range gates {
		if wait := g.wait(g.key, now); wait > v.Wait {
			v.Wait, full = wait, g
		}
	}
	if v.Wait > 0 {
		v.News = full.tell(full.key)
		return v
	}
	for _, g := range gates {
		g.charge(g.key, now)
	}
	return v
}

// Succeeded takes an admitted attempt back, since its password was right. It takes back no other: whoever
// has an account of his own must not wash away by it what he tried with others. What all strangers have is
// not given back: the password has cost its time.
func (t *Throttle) Succeeded(a Attempt) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, g := range t.gates(a) {
		if g.meter != t.strangers {
			g.refund(g.key)
		}
	}
}

// gate is one bucket that an attempt must pass.
type gate struct {
	*meter
	key string
}

func (t *Throttle) gates(a Attempt) []gate {
	account := string(a.Account)
	if a.Device != "" {
		return []gate{{t.device, account + " " + a.Device}}
	}
	site := site(a.Address)
	return []gate{{t.pair, account + " " + site}, {t.address, site}, {t.account, account}, {t.strangers, "all"}}
}

// site is the part of an address that one customer has: an IPv6 one can choose among 2⁶⁴ and more.
func site(address netip.Addr) string {
	address = address.Unmap().WithZone("")
	bits := 32
	if address.Is6() {
		bits = 56
	}
	prefix, err := address.Prefix(bits)
	if err != nil {
		return "unknown"
	}
	return prefix.String()
}
