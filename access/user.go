package access

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"
)

// UserKey names a user for good: where from, and who. Somebody whom an identity provider calls admin is
// not the local user admin.
type UserKey string

// LocalKey is the key of a user with a password here; the name is one that ParseName made.
func LocalKey(name string) UserKey { return UserKey(kindLocal + ":" + name) }

// ProxyKey is the key of a user whom a trusted proxy names; the name is one that ParseName made.
func ProxyKey(name string) UserKey { return UserKey(kindProxy + ":" + name) }

// OIDCKey is the key of a user of an identity provider. Only issuer and subject together never pass to
// somebody else; an address or a preferred name may.
func OIDCKey(issuer, subject string) UserKey {
	text := binary.BigEndian.AppendUint32(nil, uint32(len(issuer)))
	sum := sha256.Sum256(append(append(text, issuer...), subject...))
	return UserKey(kindOIDC + ":" + hex.EncodeToString(sum[:16]))
}

// User is somebody who may come in.
type User struct {
	Key       UserKey
	Name      string // shown
	Role      Role
	Password  string // PHC text of argon2id, of local users only
	Disabled  bool
	CreatedAt time.Time

	// Generation grows whenever logins made before must end. It is a count and no time, so that
	// neither clocks nor two changes in one moment matter.
	Generation int64
}

// WithRole is the user with another role. All logins end: what was opened under the old role must not
// live on.
func (u User) WithRole(role Role) User {
	if u.Role != role {
		u.Role = role
		u.Generation++
	}
	return u
}

// WithPassword is the user with another password, given as PHC text. All logins end: whoever knew the old
// one may have made some.
func (u User) WithPassword(phc string) User {
	u.Password = phc
	u.Generation++
	return u
}

// WithDisabled is the user locked out, or let in again. All logins end.
func (u User) WithDisabled(disabled bool) User {
	if u.Disabled != disabled {
		u.Disabled = disabled
		u.Generation++
	}
	return u
}

// LoggedOut is the user without what they have open: all logins end.
func (u User) LoggedOut() User {
	u.Generation++
	return u
}

// LastAdmin says whether nobody but this user could let others in. Such a user is neither removed nor
// disabled nor given a lesser role. The store asks within the transaction of the change.
func LastAdmin(users []User, key UserKey) bool {
	last := false
	for _, u := range users {
		if u.Role != Admin || u.Disabled {
			continue
		}
		if u.Key != key {
			return false
		}
		last = true
	}
	return last
}

// MaxName bounds a user's name, in bytes.
const MaxName = 64

var errName = errors.New("a name has 1 to 64 of the letters a-z, digits, and . _ - + @, and begins with a letter or digit")

// ParseName reads the name somebody logs in with; capitals are made small. Letters beyond a-z are refused
// rather than normalised: a name is a key, and many that look alike are not.
func ParseName(text string) (string, error) {
	if text == "" || len(text) > MaxName {
		return "", errName
	}
	name := []byte(text)
	for i, b := range name {
		if 'A' <= b && b <= 'Z' {
			name[i] = b + 'a' - 'A'
			continue
		}
		plain := 'a' <= b && b <= 'z' || '0' <= b && b <= '9'
		if !plain && (i == 0 || !strings.ContainsRune("._-+@", rune(b))) {
			return "", errName
		}
	}
	return string(name), nil
}

// What a store answers beside what fails.
var (
	ErrUnknown   = errors.New("there is no such user, login or token")
	ErrExists    = errors.New("there is such a user already")
	ErrLastAdmin = errors.New("nobody but this user could let others in: make somebody else an admin first")
	ErrTooMany   = errors.New("there are as many as are kept: remove some first")
)

// Local says whether the user has a password here, rather than being known elsewhere.
func (k UserKey) Local() bool { return k.kind() == kindLocal }

// Where users are known, as their keys begin.
const (
	kindLocal = "local"
	kindOIDC  = "oidc"
	kindProxy = "proxy"
)

func (k UserKey) kind() string {
	kind, _, _ := strings.Cut(string(k), ":")
	return kind
}

// Changed is the user after a change, of all there are. The error is ErrLastAdmin if that would leave nobody of
// this kind to let others in. An identity provider gives and takes roles itself, and whoever was removed comes
// again from there; of those only the lock is kept from the last admin, since the provider cannot take it off.
func Changed(all []User, before, after User) (User, error) {
	after.Key = before.Key
	if after.Role == Admin && !after.Disabled || before.Key.kind() == kindOIDC && !after.Disabled {
		return after, nil
	}
	if LastAdminOfKind(all, before.Key) {
		return before, ErrLastAdmin
	}
	return after, nil
}

// LastAdminOfKind says whether this user is the last admin among those who log in as they do. Others do not
// help: there is one way to log in at a time.
func LastAdminOfKind(all []User, key UserKey) bool {
	return LastAdmin(slices.DeleteFunc(slices.Clone(all), func(u User) bool { return u.Key.kind() != key.kind() }), key)
}

// Addable is nil if u may be added to all there are. Else the error is ErrExists, ErrTooMany or, of one who must be the
// first, ErrSetupDone.
func Addable(all []User, u User, first bool, most int) error {
	switch {
	case first && len(all) > 0:
		return ErrSetupDone
	case slices.ContainsFunc(all, func(o User) bool { return o.Key == u.Key }):
		return ErrExists
	case len(all) >= most:
		return ErrTooMany
	}
	return nil
}

// From is in words where the user is known.
func (k UserKey) From() string {
	return map[string]string{kindLocal: "here", kindOIDC: "at the provider", kindProxy: "at the proxy"}[k.kind()]
}

// ShownName is the first of what a provider calls somebody that can be shown.
func ShownName(names ...string) string {
	for _, name := range names {
		if name = strings.TrimSpace(line(name, MaxName)); name != "" {
			return name
		}
	}
	return "somebody"
}
