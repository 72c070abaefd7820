package access

import (
	"errors"
	"time"
)

// Limits of a login.
const (
	LoginIdle   = 12 * time.Hour     // without a request
	LoginLife   = 7 * 24 * time.Hour // whatever happens
	seenEvery   = 5 * time.Minute    // that a request is noted again
	maxAgent    = 256                // bytes
	maxAddress  = 64
	loginLeeway = 5 * time.Minute // that the clocks of two replicas may differ
)

// Why a login is no longer one.
var (
	ErrLoginOver   = errors.New("the login is over: it was idle too long, or is too old")
	ErrLoginForced = errors.New("the login was ended: password, role or account changed")
)

// Login is somebody's session in one browser. It holds no role: that is the user's, read anew each time.
type Login struct {
	Hash           Hash // of the token in the cookie
	User           UserKey
	Generation     int64 // of the user when it began
	Begun, Seen    time.Time
	Address, Agent string // for its owner to know it by; proves nothing
}

// NewLogin is a login that begins now. Its token is always a new one: a token that was there before
// somebody logged in may be known to somebody else.
func NewLogin(token Hash, u User, address, agent string, now time.Time) Login {
	return Login{Hash: token, User: u.Key, Generation: u.Generation, Begun: now, Seen: now,
		Address: line(address, maxAddress), Agent: line(agent, maxAgent)}
}

// ID names the login to its owner and the admins. The cookie cannot be made from it.
func (l Login) ID() string { return l.Hash.ID() }

// Ends is when the login is over if nothing more is asked. A socket closes then, too (4401).
func (l Login) Ends() time.Time {
	idle, old := l.Seen.Add(LoginIdle), l.Begun.Add(LoginLife)
	if idle.Before(old) {
		return idle
	}
	return old
}

// Check is nil if the login is good now for this user, who is the one stored under l.User at this moment.
// The error is ErrLoginOver or ErrLoginForced.
func (l Login) Check(u User, now time.Time) error {
	switch {
	case l.User == "" || l.User != u.Key || l.Generation != u.Generation || u.Disabled:
		return ErrLoginForced
	case !now.Before(l.Ends()), now.Before(l.Begun.Add(-loginLeeway)):
		return ErrLoginOver
	}
	return nil
}

// Touch is the login with a request noted, and whether that is worth storing. It never moves back.
func (l Login) Touch(now time.Time) (Login, bool) {
	if now.Sub(l.Seen) < seenEvery {
		return l, false
	}
	l.Seen = now
	return l, true
}
