package web

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/access"
)

// cheap is for tests that are about something else.
var cheap = cost{memory: 8, passes: 1, threads: 1}

const words = "drei Katzen im Sack"

func TestAPasswordIsVerifiedByWhatIsStoredOfIt(t *testing.T) {
	p := NewPasswords()
	phc, err := p.Hash(t.Context(), words)
	if err != nil || !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(phc, "=,") {
		t.Fatal(phc, err)
	}
	if again, _ := p.Hash(t.Context(), words); again == phc {
		t.Error("two hashes have the same salt")
	}
	for password, want := range map[string]bool{words: true, "": false, words + " ": false, strings.ToUpper(words): false, words + strings.Repeat("x", 1<<20): false} {
		if ok, err := p.Verify(t.Context(), phc, password); ok != want || err != nil {
			t.Errorf("%.30q: %t, %v", password, ok, err)
		}
	}
}

// The text is a test vector of the reference implementation: "password" with the salt "somesalt".
func TestHashesOfOtherProgramsAreVerified(t *testing.T) {
	const reference = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	p := newPasswords(cheap)
	if ok, err := p.Verify(t.Context(), reference, "password"); !ok || err != nil {
		t.Error(ok, err)
	}
	if !p.Outdated(reference) {
		t.Error("a hash of another cost is not outdated")
	}
}

func TestNobodyHasTheDummyPassword(t *testing.T) {
	p := NewPasswords()
	for _, password := range []string{"", words, string(p.dummy.sum)} {
		if ok, err := p.Verify(t.Context(), "", password); ok || err != nil {
			t.Errorf("%q: %t, %v", password, ok, err)
		}
	}
	p.dummy.sum = p.dummy.of(words, digestSize)
	if ok, _ := p.Verify(t.Context(), "", words); ok {
		t.Error("a user who is not there has a password after all")
	}
}

// Times on a busy machine prove nothing: the work is compared.
func TestAUserWhoIsNotThereCostsAsMuchAsOneWhoIs(t *testing.T) {
	p := NewPasswords()
	phc, _ := p.Hash(t.Context(), words)
	d, err := parsePHC(phc)
	if err != nil || d.cost != p.dummy.cost || len(d.salt) != len(p.dummy.salt) || len(d.sum) != len(p.dummy.sum) {
		t.Errorf("%s costs another time than %s", phc, p.dummy)
	}
}

func TestAnOutdatedHashIsTold(t *testing.T) {
	old, now := newPasswords(cheap), newPasswords(cost{memory: 16, passes: 1, threads: 1})
	phc, _ := old.Hash(t.Context(), words)
	if ok, err := now.Verify(t.Context(), phc, words); !ok || err != nil {
		t.Error("an older hash is not verified:", err)
	}
	if !now.Outdated(phc) || old.Outdated(phc) || !old.Outdated("nonsense") {
		t.Error("the cost is not compared")
	}
}

// badPHC cannot be what Hash wrote.
func badPHC(good string) []string {
	change := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	return []string{
		"$", "plain text", good + "$", good + "=", "$" + good, good[:len(good)-2], " " + good, good + "\n",
		change("argon2id", "argon2i"), change("v=19", "v=16"), change("v=19", "v=019"), change("m=8", "m=08"), change("m=8", "m=+8"), change("m=8", "m=-8"),
		change("m=8", "m=7"), change("m=8", "m=4294967295"), change("m=8", "m=99999999999"), change("t=1", "t=0"), change("t=1", "t=1000000"), change("p=1", "p=0"),
		change("p=1", "p=17"), change("p=1", "p=300"), change("p=1", "p=1,x=1"), good[:strings.LastIndex(good, "$")+1], good[:strings.LastIndex(good, "$")+1] + "QUJD",
		"$argon2id$v=19$m=8,t=1,p=1$$" + good[strings.LastIndex(good, "$")+1:], good + strings.Repeat("A", 512),
	}
}

func TestAStoredTextThatIsNoHashIsAnErrorAndNoEntry(t *testing.T) {
	p := newPasswords(cheap)
	good, _ := p.Hash(t.Context(), words)
	for _, phc := range badPHC(good) {
		if ok, err := p.Verify(t.Context(), phc, words); ok || !errors.Is(err, errPHC) {
			t.Errorf("%q: %t, %v", phc, ok, err)
		}
	}
}

func FuzzParsePHC(f *testing.F) {
	p := newPasswords(cheap)
	good, _ := p.Hash(context.Background(), words)
	f.Add(good)
	for _, phc := range badPHC(good) {
		f.Add(phc)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parsePHC(text)
		if err == nil && (d.String() != text || !d.cost.reasonable() || len(d.sum) < 16) {
			t.Errorf("%q was read as %s", text, d)
		}
	})
}

func TestOnlySomePasswordsAreLookedAtAtOnceAndOnlySomeWait(t *testing.T) {
	p := newPasswords(cheap)
	for range cap(p.turns) {
		p.turns <- struct{}{} // all processors are busy
	}
	ctx, cancel := context.WithCancel(t.Context())
	results := make(chan error)
	for range maxWaiting {
		go func() {
			_, err := p.Verify(ctx, "", words)
			results <- err
		}()
	}
	for p.waiting.Load() < maxWaiting {
		time.Sleep(time.Millisecond)
	}
	if _, err := p.Verify(t.Context(), "", words); !errors.Is(err, ErrBusy) {
		t.Error("one more waits:", err)
	}
	cancel()
	for range maxWaiting {
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Error("somebody who left is served:", err)
		}
	}
	for range cap(p.turns) {
		p.done()
	}
	if _, err := p.Hash(t.Context(), words); err != nil {
		t.Error("nobody is served any more:", err)
	}
}

func TestAnEndlessPasswordIsNotHashed(t *testing.T) {
	if _, err := newPasswords(cheap).Hash(t.Context(), strings.Repeat("x", access.MaxPassword+1)); !errors.Is(err, access.ErrPasswordLong) {
		t.Error(err)
	}
}

func BenchmarkVerify(b *testing.B) {
	p := NewPasswords()
	for b.Loop() {
		_, _ = p.Verify(b.Context(), "", words)
	}
}
