package access_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/roomwatch/roomwatch/access"
)

var kinds = []access.Kind{access.TokenAPI, access.TokenLogin, access.TokenSetup}

func TestATokenIsReadBackAsItsOwnKindOnly(t *testing.T) {
	for _, kind := range kinds {
		text := kind.Token(access.Random{1, 2, 3})
		for _, other := range kinds {
			hash, err := other.Parse(text)
			if (err == nil) != (kind == other) {
				t.Errorf("%s as %s: %v", text, other, err)
			}
			if err == nil && (hash != access.HashOf(text) || !hash.Equal(access.HashOf(text))) {
				t.Errorf("%s has another hash", text)
			}
		}
	}
}

func TestAMistypedTokenIsToldWithoutTheStore(t *testing.T) {
	text := access.TokenAPI.Token(access.Random{9, 8, 7})
	for i := range text {
		typo := []byte(text)
		if typo[i]++; typo[i] > 'z' {
			typo[i] = 'a'
		}
		if _, err := access.TokenAPI.Parse(string(typo)); !errors.Is(err, access.ErrToken) {
			t.Errorf("%s was read, although letter %d is wrong", typo, i)
		}
	}
	for _, odd := range []string{"", "rw_", "rw_" + access.TokenLogin.Token(access.Random{9})[len("rwl_"):], text[:len(text)-1], text + "a", " " + text, text + "\n", strings.ToUpper(text), "Bearer " + text, text[:10] + "\n" + text[10:]} {
		if _, err := access.TokenAPI.Parse(odd); !errors.Is(err, access.ErrToken) {
			t.Errorf("%q was read", odd)
		}
	}
}

// A text that is read is the only one of its bytes: there are no two spellings of a token.
func FuzzParseToken(f *testing.F) {
	for _, kind := range kinds {
		f.Add(kind.Token(access.Random{1}))
	}
	f.Add("rw_")
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range kinds {
			hash, err := kind.Parse(text)
			if err == nil && (hash != access.HashOf(text) || !strings.HasPrefix(text, string(kind)) || len(text) != len(kind)+58) {
				t.Errorf("%q was read as %s", text, kind)
			}
		}
	})
}

func TestKeysDifferByPurposeAndBySecretAndStayTheSame(t *testing.T) {
	secret := []byte("a secret of thirty-two bytes, no less")
	seen := make(map[access.Key]string)
	for _, from := range []string{string(secret), string(secret) + "x"} {
		for _, purpose := range []access.Purpose{access.ForEmbed, access.ForDevice, access.ForMask, access.ForOIDC} {
			key, err := access.DeriveKey([]byte(from), purpose)
			again, _ := access.DeriveKey([]byte(from), purpose)
			if err != nil || key != again {
				t.Fatal(purpose, err)
			}
			if other, twice := seen[key]; twice {
				t.Errorf("%s and %s have the same key", purpose, other)
			}
			seen[key] = string(purpose)
		}
	}
	if _, err := access.DeriveKey(secret[:31], access.ForEmbed); !errors.Is(err, access.ErrShortSecret) {
		t.Error("31 bytes are a secret:", err)
	}
}

// The bytes were computed once by another program (Python, hmac): whoever changes how keys are made
// makes every token and every masked name of every installation void.
func TestTheEmbedKeyIsTheSameInEveryVersion(t *testing.T) {
	key, err := access.DeriveKey([]byte("0123456789abcdef0123456789abcdef"), access.ForEmbed)
	if got := fmt.Sprintf("%x", key[:]); err != nil || got != "83fe2d76e5d41dba75a4f031cc12d6e5f755464046fd99be28f239bf0e6b0b30" {
		t.Error(got, err)
	}
}

func TestKeysAreNeverPrinted(t *testing.T) {
	key, _ := access.DeriveKey([]byte("0123456789abcdef0123456789abcdef"), access.ForEmbed)
	held := struct{ Key access.Key }{key}
	text, err := json.Marshal(held)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", key)
	for _, shown := range []string{fmt.Sprint(key), fmt.Sprintf("%x %d %#v %s %q %v", key, key, key, key, key, held), string(text), log.String()} {
		if !strings.Contains(shown, "[key]") || strings.Contains(shown, fmt.Sprintf("%x", key[:2])) || strings.Contains(shown, fmt.Sprintf("%d %d", key[0], key[1])) {
			t.Errorf("a key was printed: %s", shown)
		}
	}
}
