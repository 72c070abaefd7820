package web

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/argon2"

	"github.com/roomwatch/roomwatch/access"
)

// cost is what argon2id is asked for.
type cost struct {
	memory  uint32 // KiB
	passes  uint32
	threads uint8
}

// usual is OWASP's first recommendation for argon2id: 19 MiB, two passes, one thread.
var usual = cost{memory: 19 << 10, passes: 2, threads: 1}

const (
	saltSize   = 16
	digestSize = 32
	maxWaiting = 64 // for a turn at hashing
)

var (
	// ErrBusy: more passwords wait to be looked at than can be. The answer is 503.
	ErrBusy = errors.New("too many passwords are being looked at")
	errPHC  = errors.New("not an argon2id hash in PHC form, or one of unreasonable cost")
)

// Passwords hashes and verifies passwords by argon2id. Each takes much memory and time, by design: half the
// processors may be busy with them, so that deliveries and pages go on, and only some may wait. It is safe
// for concurrent use.
type Passwords struct {
	cost    cost
	turns   chan struct{}
	waiting atomic.Int32
	dummy   digest // of a password that nobody has, for users who are not there
}

// NewPasswords makes a hasher for the whole process.
func NewPasswords() *Passwords { return newPasswords(usual) }

func newPasswords(c cost) *Passwords {
	p := &Passwords{cost: c, turns: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), dummy: digest{cost: c}}
	p.dummy.salt, p.dummy.sum = random(saltSize), random(digestSize)
	return p
}

// Hash is the PHC text of a new password, which access.CheckPassword has passed. The error is ErrBusy or
// the context's.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	if len(password) > access.MaxPassword {
		return "", access.ErrPasswordLong
	}
	if err := p.turn(ctx); err != nil {
		return "", err
	}
	defer p.done()
	d := digest{cost: p.cost, salt: random(saltSize)}
	d.sum = d.of(password, digestSize)
	return d.String(), nil
}

// Verify says whether the password is the one of the PHC text. For a user who is not there, or has no
// password here, the text is empty: that takes as long, and the password is wrong. The error is ErrBusy, the
// context's, or that the stored text is unreadable.
func (p *Passwords) Verify(ctx context.Context, phc, password string) (bool, error) {
	if len(password) > access.MaxPassword {
		return false, nil
	}
	d, real := p.dummy, phc != ""
	if real {
		var err error
		if d, err = parsePHC(phc); err != nil {
			return false, err
		}
	}
	if err := p.turn(ctx); err != nil {
		return false, err
	}
	defer p.done()
	same := subtle.ConstantTimeCompare(d.sum, d.of(password, len(d.sum))) == 1
	return same && real, nil
}

// Outdated says that a password was hashed at another cost than new ones are: after the next login it is
// hashed anew.
func (p *Passwords) Outdated(phc string) bool {
	d, err := parsePHC(phc)
	return err != nil || d.cost != p.cost || len(d.sum) != digestSize || len(d.salt) < saltSize
}

// turn waits until there is a processor for one more.
func (p *Passwords) turn(ctx context.Context) error {
	defer p.waiting.Add(-1)
	if p.waiting.Add(1) > maxWaiting {
		return ErrBusy
	}
	select {
	case p.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *Passwords) done() { <-p.turns }

// digest is a password's hash, and how it was made.
type digest struct {
	cost      cost
	salt, sum []byte
}

var phcText = base64.RawStdEncoding.Strict()

func (d digest) of(password string, size int) []byte {
	return argon2.IDKey([]byte(password), d.salt, d.cost.passes, d.cost.memory, d.cost.threads, uint32(size))
}

// String is the PHC text: $argon2id$v=19$m=19456,t=2,p=1$salt$sum.
func (d digest) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, d.cost.memory, d.cost.passes, d.cost.threads,
		phcText.EncodeToString(d.salt), phcText.EncodeToString(d.sum))
}

// parsePHC reads what String writes, and bounds what a text from elsewhere could make us do: whoever writes
// into the store must not be able to have gigabytes asked for, or an empty sum that every password has.
func parsePHC(text string) (d digest, err error) {
	parts := strings.Split(text, "$")
	if len(text) > 512 || len(parts) != 6 {
		return d, errPHC
	}
	_, err = fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &d.cost.memory, &d.cost.passes, &d.cost.threads)
	if err != nil || !d.cost.reasonable() {
		return d, errPHC
	}
	var badSalt, badSum error
	d.salt, badSalt = phcText.DecodeString(parts[4])
	d.sum, badSum = phcText.DecodeString(parts[5])
	if badSalt != nil || badSum != nil || len(d.salt) < 8 || len(d.sum) < 16 || d.String() != text {
		return d, errPHC // the last: whatever else may be written, such as another version or signs before numbers
	}
	return d, nil
}

func (c cost) reasonable() bool {
	return c.threads >= 1 && c.threads <= 16 && c.passes >= 1 && c.passes <= 16 &&
		c.memory >= 8*uint32(c.threads) && c.memory <= 256<<10
}

func random(size int) []byte {
	raw := make([]byte, size)
	_, _ = rand.Read(raw) // never fails: the process would end
	return raw
}
