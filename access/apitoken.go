package access

import (
	"errors"
	"slices"
	"time"
)

// Limits of an API token.
const (
	MaxTokenLife = 366 * 24 * time.Hour
	usedEvery    = time.Minute         // that a use is noted again
	listedFor    = 90 * 24 * time.Hour // after a token has ended
)

// Why an API token is no longer one.
var (
	ErrTokenRevoked = errors.New("the token was revoked")
	ErrTokenExpired = errors.New("the token has expired")
	errTokenLife    = errors.New("a token lives from one minute to 366 days")
)

// APIToken is what is stored of a machine's token. It outlives the user who made it: a machine must not
// stop when somebody leaves, so whoever removes a user looks at the tokens too.
type APIToken struct {
	Hash      Hash
	Name      string // what it is for
	Scopes    []Scope
	Mask      bool    // names are masked
	By        UserKey // who made it; empty for the command line
	CreatedAt time.Time
	ExpiresAt time.Time
	RevokedAt time.Time // zero while it is good
	UsedAt    time.Time // about
}

// NewAPIToken is a token that is good from now on. The name follows ParseName.
func NewAPIToken(token Hash, name string, scopes []Scope, mask bool, by UserKey, now time.Time, life time.Duration) (APIToken, error) {
	name, err := ParseName(name)
	if err != nil {
		return APIToken{}, err
	}
	if life < time.Minute || life > MaxTokenLife {
		return APIToken{}, errTokenLife
	}
	return APIToken{Hash: token, Name: name, Scopes: slices.Clone(scopes), Mask: mask, By: by, CreatedAt: now, ExpiresAt: now.Add(life)}, nil
}

// SettingToken stands for the token of the setting API_TOKEN: it has all scopes, and no time to check.
// Its name is one that no other can have.
func SettingToken() APIToken { return APIToken{Name: "API_TOKEN", Scopes: Scopes()} }

// ID names the token to admins. The token cannot be made from it.
func (t APIToken) ID() string { return t.Hash.ID() }

// Check is nil if the token is good now. The error is ErrTokenRevoked or ErrTokenExpired.
func (t APIToken) Check(now time.Time) error {
	switch {
	case !t.RevokedAt.IsZero():
		return ErrTokenRevoked
	case !now.Before(t.ExpiresAt):
		return ErrTokenExpired
	}
	return nil
}

// Touch is the token with a use noted, and whether that is worth storing.
func (t APIToken) Touch(now time.Time) (APIToken, bool) {
	if now.Sub(t.UsedAt) < usedEvery {
		return t, false
	}
	t.UsedAt = now
	return t, true
}

// Forgettable says whether the token ended so long ago that nobody asks for it any more.
func (t APIToken) Forgettable(now time.Time) bool {
	ended := t.ExpiresAt
	if !t.RevokedAt.IsZero() {
		ended = t.RevokedAt
	}
	return now.Sub(ended) > listedFor
}
