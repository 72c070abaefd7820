package access

import (
	"errors"
	"time"
)

// SetupLife is how long the first admin can be made with the token that a fresh Roomwatch prints.
const SetupLife = time.Hour

// Why there is no setup.
var (
	ErrSetupDone    = errors.New("there are users already: an admin adds more")
	ErrSetupExpired = errors.New("the setup token has expired: start Roomwatch again for a new one, or use roomwatch user add")
)

// Setup is the right to make the first user. There is no account before, so nobody can use one that every
// installation has.
type Setup struct {
	Hash      Hash
	ExpiresAt time.Time
}

// NewSetup is a setup that can be done from now on.
func NewSetup(token Hash, now time.Time) Setup { return Setup{token, now.Add(SetupLife)} }

// Check is nil if this text may make the first user. users is how many there are; the store counts again in
// the transaction that adds the user, or two at once would both be first. The error is ErrSetupDone,
// ErrSetupExpired or ErrToken.
func (s Setup) Check(text string, users int, now time.Time) error {
	switch {
	case users > 0:
		return ErrSetupDone
	case !now.Before(s.ExpiresAt):
		return ErrSetupExpired
	}
	if hash, err := TokenSetup.Parse(text); err != nil || !hash.Equal(s.Hash) {
		return ErrToken
	}
	return nil
}
