package access

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"time"
)

var (
	start  = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	victim = LocalKey("ana")
	home   = netip.MustParseAddr("198.51.100.7")
	foe    = netip.MustParseAddr("203.0.113.9")
)

// flood makes n attempts, one every so often, and is how many were admitted.
func flood(throttle *Throttle, n int, every time.Duration, attempt func(i int) Attempt) (admitted int) {
	for i := range n {
		if throttle.Admit(attempt(i), start.Add(time.Duration(i)*every)).Wait == 0 {
			admitted++
		}
	}
	return admitted
}

// botnet is attempts on one account from ever other addresses.
func botnet(i int) Attempt {
	return Attempt{Account: victim, Address: netip.AddrFrom4([4]byte{20, byte(i >> 16), byte(i >> 8), byte(i)})}
}

func TestAThousandBadLoginsFromOneAddressAreThrottledAndTheUserStillGetsIn(t *testing.T) {
	throttle := NewThrottle()
	if admitted := flood(throttle, 1000, 10*time.Millisecond, func(int) Attempt { return Attempt{victim, foe, ""} }); admitted > 6 {
		t.Errorf("%d guesses of 1000 in ten seconds", admitted)
	}
	now := start.Add(10 * time.Second)
	if v := throttle.Admit(Attempt{victim, home, ""}, now); v.Wait > 0 {
		t.Errorf("the user waits %s at a new browser elsewhere", v.Wait)
	}
	if v := throttle.Admit(Attempt{victim, foe, "device"}, now); v.Wait > 0 {
		t.Errorf("the user waits %s at a known browser behind the attacker's own address", v.Wait)
	}
	throttle.Admit(Attempt{victim, foe, ""}, now) // takes what has just drained
	v := throttle.Admit(Attempt{victim, foe, ""}, now)
	if v.Wait <= 0 || v.Wait > 10*time.Second {
		t.Errorf("a new browser behind the attacker's own address waits %s", v.Wait)
	}
	if v := throttle.Admit(Attempt{victim, foe, ""}, now.Add(v.Wait)); v.Wait > 0 {
		t.Errorf("having waited as told, it waits %s more", v.Wait)
	}
}

func TestOneAddressNeverExhaustsAnAccountForTheOthers(t *testing.T) {
	throttle := NewThrottle()
	for i := range 24 * 360 { // a day
		now := start.Add(time.Duration(i) * 10 * time.Second)
		for range 3 {
			throttle.Admit(Attempt{victim, foe, ""}, now)
		}
		if i%100 == 0 && throttle.Admit(Attempt{victim, home, ""}, now).Wait > 0 {
			t.Fatal("the user waits after", now.Sub(start))
		}
	}
}

func TestABotnetIsSlowedDownAndAKnownBrowserNotices(t *testing.T) {
	throttle := NewThrottle()
	hour := 36_000
	if admitted := flood(throttle, hour, 100*time.Millisecond, botnet); admitted > 60+30*60 {
		t.Errorf("%d guesses of an account in an hour", admitted)
	}
	now := start.Add(time.Hour)
	if v := throttle.Admit(Attempt{victim, home, "device"}, now); v.Wait > 0 {
		t.Errorf("a known browser waits %s", v.Wait)
	}
	if v := throttle.Admit(Attempt{LocalKey("bob"), home, ""}, now); v.Wait > 0 {
		t.Errorf("another user waits %s", v.Wait)
	}
	if v := throttle.Admit(Attempt{victim, home, ""}, now.Add(2*time.Second)); v.Wait > 0 {
		t.Errorf("two seconds after the botnet went, a new browser waits %s", v.Wait)
	}
}

func TestOneAddressTriesFewAccounts(t *testing.T) {
	spray := func(i int) Attempt { return Attempt{LocalKey(fmt.Sprint("user", i)), foe, ""} }
	if admitted := flood(NewThrottle(), 3600, time.Second, spray); admitted > 20+20*60 {
		t.Errorf("%d accounts in an hour", admitted)
	}
	sixes := func(i int) Attempt {
		return Attempt{LocalKey(fmt.Sprint("user", i)), netip.MustParseAddr(fmt.Sprintf("2001:db8:0:%x::%x", i%256, i)), ""}
	}
	if admitted := flood(NewThrottle(), 1000, time.Millisecond, sixes); admitted > 21 {
		t.Errorf("%d accounts in a second from one customer's IPv6 addresses", admitted)
	}
}

func TestAKnownBrowserIsThrottledByItself(t *testing.T) {
	throttle := NewThrottle()
	if admitted := flood(throttle, 1000, time.Millisecond, func(int) Attempt { return Attempt{victim, foe, "stolen"} }); admitted > 10 {
		t.Errorf("%d guesses with a stolen cookie", admitted)
	}
	if throttle.Admit(Attempt{victim, home, "own"}, start).Wait > 0 {
		t.Error("a stolen cookie throttles the other browsers")
	}
	if throttle.Admit(Attempt{LocalKey("bob"), home, "stolen"}, start).Wait > 0 {
		t.Error("a device of one user throttles another user's")
	}
}

func TestSuccessTakesBackItsOwnAttemptOnly(t *testing.T) {
	throttle := NewThrottle()
	own := Attempt{LocalKey("mallory"), foe, ""}
	guesses := 0
	for range 100 { // at one moment, a login of his own between any two guesses
		if throttle.Admit(own, start).Wait == 0 {
			throttle.Succeeded(own)
		}
		if throttle.Admit(Attempt{victim, foe, ""}, start).Wait == 0 {
			guesses++
		}
	}
	if guesses > 5 {
		t.Errorf("%d guesses, washed away by logins of one's own", guesses)
	}
	strangers, costly := NewThrottle(), 0
	for range 1000 { // who has an account must not keep all processors busy with it
		if strangers.Admit(own, start).Wait == 0 {
			strangers.Succeeded(own)
			costly++
		}
	}
	if costly > 200 {
		t.Errorf("%d right passwords at one moment", costly)
	}
	office := NewThrottle()
	for i := range 100 { // people behind one address, in the morning
		a := Attempt{LocalKey(fmt.Sprint("user", i)), home, ""}
		if v := office.Admit(a, start); v.Wait > 0 {
			t.Fatalf("right passwords are throttled: the %dth waits %s", i, v.Wait)
		}
		office.Succeeded(a)
	}
}

func TestManyAtOnceAreNotAllTheFirst(t *testing.T) {
	throttle := NewThrottle()
	var mu sync.Mutex
	var all sync.WaitGroup
	admitted := 0
	for range 100 {
		all.Go(func() {
			if throttle.Admit(Attempt{victim, foe, ""}, start).Wait == 0 {
				mu.Lock()
				admitted++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if admitted != 5 {
		t.Errorf("%d admitted", admitted)
	}
}

func TestARowOfRefusalsIsNewsOnce(t *testing.T) {
	throttle, news := NewThrottle(), 0
	for i := range 1000 {
		if throttle.Admit(Attempt{victim, foe, ""}, start.Add(time.Duration(i)*time.Millisecond)).News {
			news++
		}
	}
	if news != 1 {
		t.Errorf("news %d times", news)
	}
}

func TestWhateverIsTriedTheThrottleStaysSmallAndEveryWaitShort(t *testing.T) {
	throttle, random := NewThrottle(), rand.New(rand.NewPCG(1, 2))
	for i := range 200_000 {
		a := botnet(random.IntN(1 << 24))
		a.Account = LocalKey(fmt.Sprint(random.IntN(1 << 30)))
		if i%3 == 0 {
			a.Device = fmt.Sprint(i) // more known devices than there can be
		}
		if v := throttle.Admit(a, start.Add(time.Duration(i)*time.Millisecond)); v.Wait > 30*time.Second {
			t.Fatalf("attempt %d waits %s", i, v.Wait)
		}
	}
	for name, m := range map[string]*meter{"device": throttle.device, "pair": throttle.pair, "address": throttle.address, "account": throttle.account} {
		if len(m.buckets) > maxBuckets+1 {
			t.Errorf("%d buckets by %s", len(m.buckets), name)
		}
	}
}

// The promise of NewThrottle: without known devices, no stranger ever shares a bucket for want of room.
func TestStrangersCannotFillTheTable(t *testing.T) {
	throttle := NewThrottle()
	for i := range 100_000 {
		a := botnet(i)
		a.Account = LocalKey(fmt.Sprint(i))
		now := start.Add(time.Duration(i) * 10 * time.Millisecond)
		throttle.Admit(a, now)
		live := 0
		if i%10_000 == 0 {
			for _, b := range throttle.account.buckets {
				if b.empty.After(now) {
					live++
				}
			}
		}
		if live >= maxBuckets {
			t.Fatalf("%d buckets are filling", live)
		}
	}
	if _, there := throttle.account.buckets[shared]; there {
		t.Error("strangers share a bucket")
	}
}

func BenchmarkAdmit(b *testing.B) {
	throttle := NewThrottle()
	for i := 0; b.Loop(); i++ {
		throttle.Admit(botnet(i), start.Add(time.Duration(i)*time.Millisecond))
	}
}
