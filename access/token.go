package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"strings"
)

// Kind is a kind of token, and the beginning of its text: no token passes for one of another kind, and
// those who search code for leaked secrets can find them.
type Kind string

// The kinds of tokens.
const (
	TokenAPI   Kind = "rw_"
	TokenLogin Kind = "rwl_" // in the cookie
	TokenSetup Kind = "rws_"
)

// ErrToken: the text is no token of this kind. It was mistyped, cut short, or made up.
var ErrToken = errors.New("not a token of this kind")

var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

const (
	secretSize = 32
	checkSize  = 4
)

// Random is what a token is made of: 32 bytes of crypto/rand, made where the token is handed out.
type Random [secretSize]byte

// Token writes a token: its kind, then secret and CRC-32 in base32. One double click selects it whole. The
// checksum lets typing mistakes be told without asking the store; it protects nothing.
func (k Kind) Token(secret Random) string {
	raw := binary.BigEndian.AppendUint32(secret[:], k.check(secret[:]))
	return string(k) + letters.EncodeToString(raw)
}

// Parse checks the form of a token and is its hash, by which it is looked up. The error is ErrToken.
func (k Kind) Parse(text string) (Hash, error) {
	body, ok := strings.CutPrefix(text, string(k))
	if !ok || len(body) != letters.EncodedLen(secretSize+checkSize) {
		return Hash{}, ErrToken
	}
	raw, err := letters.DecodeString(body)
	if err != nil || len(raw) != secretSize+checkSize || letters.EncodeToString(raw) != body {
		return Hash{}, ErrToken // the last: bits that mean nothing would give one token several hashes
	}
	if binary.BigEndian.Uint32(raw[secretSize:]) != k.check(raw[:secretSize]) {
		return Hash{}, ErrToken
	}
	return HashOf(text), nil
}

func (k Kind) check(secret []byte) uint32 {
	return crc32.Update(crc32.ChecksumIEEE([]byte(k)), crc32.IEEETable, secret)
}

// Hash is what is stored of a token. Tokens are random, so a plain SHA-256 cannot be turned back, and
// looking one up in an index tells nothing by its time: nobody can choose how a hash begins.
type Hash [sha256.Size]byte

// HashOf is the hash of a token's whole text.
func HashOf(text string) Hash { return sha256.Sum256([]byte(text)) }

// Equal compares in constant time.
func (h Hash) Equal(o Hash) bool { return subtle.ConstantTimeCompare(h[:], o[:]) == 1 }

// ID is a short name of what has this hash, to list and revoke it by. It is no secret.
func (h Hash) ID() string { return hex.EncodeToString(h[:8]) }

// MarshalText writes the hash in hex, as it is stored.
func (h Hash) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h[:])), nil }

// UnmarshalText reads what MarshalText writes.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(h)) {
		return ErrToken
	}
	_, err := hex.Decode(h[:], text)
	return err
}
