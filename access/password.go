package access

import (
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// MinPassword is the least length of a password, in characters.
	MinPassword = 12
	// MaxPassword bounds a password, in bytes. A longer one is refused before it is hashed.
	MaxPassword = 1 << 10
)

// What a new password may not be. Which letters it is made of is its owner's business.
var (
	ErrPasswordShort  = errors.New("a password has at least 12 characters: a few words that don't belong together are good")
	ErrPasswordLong   = errors.New("a password has at most 1024 bytes")
	ErrPasswordText   = errors.New("a password holds no line ends or other control characters")
	ErrPasswordCommon = errors.New("this password is among the first that anybody would try")
)

// common are the long ones among the passwords that are tried first, and what one makes up when asked for
// twelve characters here.
var common = []string{
	"administrator", "changemechangeme", "correcthorsebatterystaple", "iloveyou1234", "letmein12345", "monitoring123",
	"operator1234", "passw0rd1234", "password1234", "password12345", "password123456", "passwordpassword", "plugnmeet123",
	"plugnmeetplugnmeet", "q1w2e3r4t5y6", "1q2w3e4r5t6y", "qwerty123456", "qwertyuiop12", "qwertyuiop123", "qwertyuiopas",
	"roomwatch123", "roomwatch1234", "welcome12345", "zxcvbnm12345", "0123456789ab", "123456789abc", "abcdefghijkl",
}

// CheckPassword says why a password cannot be set, or nil. name is its owner's.
func CheckPassword(password, name string) error {
	switch {
	case len(password) > MaxPassword:
		return ErrPasswordLong
	case !utf8.ValidString(password) || strings.ContainsFunc(password, unicode.IsControl):
		return ErrPasswordText
	case utf8.RuneCountInString(password) < MinPassword:
		return ErrPasswordShort
	}
	plain := strings.ToLower(password)
	if slices.Contains(common, plain) || repeated(plain) || counted(plain) || plain == strings.ToLower(name) {
		return ErrPasswordCommon
	}
	return nil
}

// repeated finds a password that is one to four bytes, over and over.
func repeated(text string) bool {
	for size := 1; size <= 4; size++ {
		if text == strings.Repeat(text[:size], len(text)/size+1)[:len(text)] {
			return true
		}
	}
	return false
}

// counted finds 123456789012 and its like, up or down.
func counted(text string) bool {
	const up, down = "12345678901234567890123456789012", "09876543210987654321098765432109"
	return strings.Contains("0"+up, text) || strings.Contains(down, text)
}
