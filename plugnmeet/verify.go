// Package plugnmeet knows plugNmeet's dialect, and is the only place that does: how a webhook is signed
// and verified, how its body is written in old and new versions, and what in it must not be kept.
package plugnmeet

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"sync"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// Source is one plugNmeet that may deliver: its name in Roomwatch, its API key, and its secrets: the
// current one first and, while it is being rotated, the previous one second.
type Source struct {
	Name, APIKey string
	Secrets      []Secret // current, previous
	ServerURL    string   // plugNmeet's base URL; "" if it cannot be asked
}

// Proof is what a verified delivery proves. KeyIndex is 1 if the previous secret signed it.
type Proof struct {
	Source          string
	KeyIndex        int
	Issued, Expires time.Time
}

// Refusal is why a delivery is not authentic. Code is a short stable word for counting; Reason is for
// an operator and never holds a secret or a token; Source is set when the delivery named a known key,
// which does not mean that this source sent it.
type Refusal struct{ Code, Reason, Source string }

// Error is the reason.
func (r *Refusal) Error() string { return r.Reason }

// keys are the secrets that one source may sign with.
type keys struct {
	source  string
	secrets []*mac
}

// signer is the index of the secret that signed the token, or -1.
func (k keys) signer(t token) int {
	for i, secret := range k.secrets {
		if secret.signed(t.signed, t.signature) {
			return i
		}
	}
	return -1
}

// mac is the HMAC-SHA256 of a secret, which is HS256. Hashes are used again: their making costs more than a token.
type mac struct{ hashes sync.Pool }

func newMAC(secret []byte) *mac {
	return &mac{sync.Pool{New: func() any { return &keyedHash{Hash: hmac.New(sha256.New, secret)} }}}
}

// keyedHash is a hash with space for its sum.
type keyedHash struct {
	hash.Hash
	sum [sha256.Size]byte
}

func (m *mac) signed(text, signature []byte) bool {
	h := m.hashes.Get().(*keyedHash)
	defer m.hashes.Put(h)
	h.Reset()
	h.Write(text)
	return hmac.Equal(signature, h.Sum(h.sum[:0]))
}

// Keyring verifies deliveries of the sources it was made with. It is safe for concurrent use.
type Keyring struct {
	byKey    map[string]keys
	stranger keys // a secret that nobody has: an unknown key takes as long as a wrong signature
}

// NewKeyring refuses sources that lack a name, a key or a secret, and names or keys used twice.
func NewKeyring(sources []Source) (*Keyring, error) {
	k := &Keyring{byKey: make(map[string]keys, len(sources)), stranger: keys{secrets: []*mac{newMAC([]byte(rand.Text()))}}}
	names := make(map[string]bool, len(sources))
	for _, source := range sources {
		if err := source.validate(); err != nil {
			return nil, err
		}
		if _, taken := k.byKey[source.APIKey]; taken {
			return nil, fmt.Errorf("source %q: its API key belongs to another source too", source.Name)
		}
		if names[source.Name] {
			return nil, fmt.Errorf("two sources are named %q", source.Name)
		}
		names[source.Name] = true
		k.byKey[source.APIKey] = source.keys()
	}
	return k, nil
}

func (s Source) validate() error {
	switch {
	case room.Shown(s.Name) == "":
		return errors.New("a source has no name")
	case s.APIKey == "":
		return fmt.Errorf("source %q has no API key", s.Name)
	case len(s.Secrets) == 0:
		return fmt.Errorf("source %q has no secret", s.Name)
	case len(s.Secrets) > 2:
		return fmt.Errorf("source %q has %d secrets: one, or two while it is rotated", s.Name, len(s.Secrets))
	}
	for _, secret := range s.Secrets {
		if secret == "" {
			return fmt.Errorf("source %q has an empty secret", s.Name)
		}
	}
	return nil
}

func (s Source) keys() keys {
	k := keys{source: s.Name}
	for _, secret := range s.Secrets {
		k.secrets = append(k.secrets, newMAC([]byte(secret)))
	}
	return k
}

// Signed is what a token proves by itself: which source signed it, lately, for one body that it names by its hash.
type Signed struct {
	proof  Proof
	claims claims
}

// Signed checks that a known source signed a token, lately. It is asked before anything of a body is read. It takes
// all values of the Authorization and Hash-Token headers: either may be lost on the way, a proxy may put a login of
// its own into Authorization, and two tokens may not differ.
// The error is a *Refusal.
func (k *Keyring) Signed(authorization, hashToken []string, now time.Time) (Signed, error) {
	text, refusal := soleToken(authorization, hashToken)
	if refusal != nil {
		return Signed{}, refusal
	}
	t, refusal := parseToken(text)
	if refusal != nil {
		return Signed{}, refusal
	}
	by, known := k.byKey[t.claims.Issuer]
	if !known {
		by = k.stranger
	}
	index := by.signer(t)
	if refusal := t.check(known, index, now); refusal != nil {
		refusal.Source = by.source
		return Signed{}, refusal
	}
	proof := Proof{Source: by.source, KeyIndex: index, Issued: t.claims.issued(), Expires: moment(t.claims.Expires)}
	return Signed{proof, t.claims}, nil
}

// Covers checks that it was exactly this body that was signed.
// The error is a *Refusal.
func (s Signed) Covers(body []byte) (Proof, error) {
	if refusal := s.claims.covers(body); refusal != nil {
		refusal.Source = s.proof.Source
		return Proof{}, refusal
	}
	return s.proof, nil
}

// Verify checks both: that a known source signed exactly this body, lately.
// The error is a *Refusal.
func (k *Keyring) Verify(authorization, hashToken []string, body []byte, now time.Time) (Proof, error) {
	signed, err := k.Signed(authorization, hashToken, now)
	if err != nil {
		return Proof{}, err
	}
	return signed.Covers(body)
}

// check asks for the signature first: of what is not signed, nothing else is worth saying.
func (t token) check(known bool, index int, now time.Time) *Refusal {
	switch {
	case !known:
		return refuse("unknown_key", "signed with the unknown key %s", quoted(t.claims.Issuer))
	case index < 0:
		return refuse("signature", "signature does not match the secret of key %s", quoted(t.claims.Issuer))
	}
	return t.claims.timely(now)
}

func refuse(code, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Reason: fmt.Sprintf(format, args...)}
}

// quoted bounds what a stranger can put before an operator's eyes.
func quoted(text string) string { return fmt.Sprintf("%+q", clip(text, 48)) }
