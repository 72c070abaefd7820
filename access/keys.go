package access

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// MinSecret is the least length of ROOMWATCH_SECRET, in bytes.
const MinSecret = 32

// ErrShortSecret: the secret is shorter than MinSecret.
var ErrShortSecret = errors.New("the secret is shorter than 32 bytes")

// Purpose is what a key is for. One that leaks tells nothing of the others, nor of the secret.
type Purpose string

// The purposes. Their texts are part of the keys: changing one makes everything void that was signed.
const (
	ForEmbed  Purpose = "embed"  // signs embed tokens
	ForDevice Purpose = "device" // signs the cookies of known devices
	ForMask   Purpose = "mask"   // makes masked names
	ForOIDC   Purpose = "oidc"   // seals state, nonce and verifier while somebody is at the provider

	forFingerprint Purpose = "fingerprint"
)

// Key is a derived key. It hides itself when it is printed.
type Key [sha256.Size]byte

// DeriveKey makes the key of one purpose from ROOMWATCH_SECRET, by HKDF-SHA-256. The secret may be text:
// HKDF takes any bytes, evenly random or not, but cannot make a guessable secret good. The error is
// ErrShortSecret, or hkdf's own.
func DeriveKey(secret []byte, purpose Purpose) (key Key, err error) {
	if len(secret) < MinSecret {
		return key, ErrShortSecret
	}
	derived, err := hkdf.Key(sha256.New, secret, nil, "roomwatch/v1/"+string(purpose), len(key))
	if err != nil {
		return key, fmt.Errorf("derive the key for %s: %w", purpose, err)
	}
	return Key(derived), nil
}

// Fingerprint is what replicas compare their secrets by. It signs nothing, and the secret cannot be made of it.
func Fingerprint(secret []byte) (string, error) {
	key, err := DeriveKey(secret, forFingerprint)
	return hex.EncodeToString(key[:8]), err
}

const hidden = "[key]"

// Format hides the key whatever the verb.
func (Key) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, hidden) }

// LogValue hides the key from slog.
func (Key) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the key from JSON and YAML.
func (Key) MarshalText() ([]byte, error) { return []byte(hidden), nil }
