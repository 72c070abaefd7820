package web

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/roomwatch/roomwatch/access"
)

const embedSecret = "a secret of Roomwatch, longer than 32 bytes"

var (
	embedNoon  = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	embedScope = access.EmbedScope{Source: "default", RoomID: "room01", Parent: "https://support.example.org", Mask: true}
)

func embedTokens(t testing.TB, secret string) *EmbedTokens {
	t.Helper()
	tokens, err := NewEmbedTokens([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

// signed is a token with these two parts, signed by the right key.
func signed(t testing.TB, tokens *EmbedTokens, header, claims string) string {
	t.Helper()
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	signature, err := jwt.SigningMethodHS256.Sign(text, tokens.key[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

const hs256 = `{"alg":"HS256","typ":"JWT"}`

// said are the claims of a good token at noon, after one change.
func said(old, new string) string {
	at := embedNoon.Unix()
	claims := fmt.Sprintf(`{"iss":"roomwatch","aud":"roomwatch-embed","iat":%d,"exp":%d,"source":"default","room_id":"room01","parent":"https://support.example.org","mask":true}`, at, at+300)
	return strings.Replace(claims, old, new, 1)
}

func TestAnEmbedTokenIsReadBackAsItWasMade(t *testing.T) {
	tokens := embedTokens(t, embedSecret)
	all := embedScope
	all.RoomID, all.All, all.Mask = "", true, false
	for _, scope := range []access.EmbedScope{embedScope, all} {
		made, err := access.NewEmbed(scope, embedNoon, 0)
		if err != nil {
			t.Fatal(err)
		}
		text, err := tokens.Mint(made)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := tokens.Verify(text, embedNoon.Add(time.Minute)); err != nil || got != made {
			t.Errorf("%+v became %+v, %v", made, got, err)
		}
	}
	if _, err := tokens.Mint(access.Embed{}); err == nil {
		t.Error("an embed of nothing is signed")
	}
}

func TestAnEmbedTokenEndsAtItsTime(t *testing.T) {
	tokens := embedTokens(t, embedSecret)
	text := signed(t, tokens, hs256, said("", ""))
	for after, want := range map[time.Duration]error{
		-6 * time.Second: ErrEmbedToken, -5 * time.Second: nil, 0: nil, 5*time.Minute - time.Second: nil,
		5 * time.Minute: ErrEmbedExpired, 5*time.Minute + 3*time.Second: ErrEmbedExpired, time.Hour: ErrEmbedExpired,
	} {
		if _, err := tokens.Verify(text, embedNoon.Add(after)); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("after %s: %v", after, err)
		}
	}
}

func TestOnlyWhatMintWouldWriteIsBelieved(t *testing.T) {
	tokens := embedTokens(t, embedSecret)
	at := embedNoon.Unix()
	exp := fmt.Sprintf(`"exp":%d`, at+300)
	iat := fmt.Sprintf(`"iat":%d`, at)
	if _, err := tokens.Verify(signed(t, tokens, hs256, said("", "")), embedNoon); err != nil {
		t.Fatal("the good one:", err)
	}
	for name, claims := range map[string]string{
		"another issuer":       said(`"iss":"roomwatch"`, `"iss":"plugnmeet"`),
		"no issuer":            said(`"iss":"roomwatch",`, ``),
		"another audience":     said(`"roomwatch-embed"`, `"roomwatch"`),
		"two audiences":        said(`"roomwatch-embed"`, `["roomwatch-embed","x"]`),
		"no audience":          said(`"aud":"roomwatch-embed",`, ``),
		"no expiry":            said(exp+",", ""),
		"no expiry, null":      said(exp, `"exp":null`),
		"expiry as text":       said(exp, fmt.Sprintf(`"exp":"%d"`, at+300)),
		"expiry in parts":      said(exp, fmt.Sprintf(`"exp":%d.5`, at+299)),
		"in an hour":           said(exp, fmt.Sprintf(`"exp":%d`, at+3600)),
		"a second too long":    said(exp, fmt.Sprintf(`"exp":%d`, at+301)),
		"in the year 9999":     said(exp, `"exp":253402300799`),
		"never":                said(exp, `"exp":9223372036854775807`),
		"before it began":      said(exp, `"exp":-1`),
		"an overflow":          said(exp, `"exp":1e300`),
		"no beginning":         said(iat+",", ""),
		"begun in the future":  said(iat, fmt.Sprintf(`"iat":%d`, at+60)),
		"begun long ago":       said(iat, `"iat":1`),
		"begun before time":    said(iat, `"iat":-9223372036854775808`),
		"a claim twice":        said(`"mask":true`, `"mask":true,"mask":false`),
		"a claim twice, caps":  said(`"mask":true`, `"mask":true,"MASK":false`),
		"a claim in capitals":  said(`"mask":true`, `"Mask":true`),
		"another claim":        said(`"mask":true`, `"mask":true,"role":"admin"`),
		"not before":           said(`"mask":true`, `"mask":true,"nbf":1`),
		"a room and all":       said(`"mask":true`, `"mask":true,"all":true`),
		"no room":              said(`"room_id":"room01",`, ``),
		"no source":            said(`"source":"default",`, ``),
		"no parent":            said(`"parent":"https://support.example.org",`, ``),
		"any parent":           said(`https://support.example.org`, `*`),
		"an insecure parent":   said(`https://support`, `http://support`),
		"a parent with policy": said(`support.example.org`, `a.example; script-src *`),
		"not UTF-8":            said(`room01`, "room\xff"),
		"a number as a room":   said(`"room01"`, `1`),
		"a list":               "[]",
		"nothing":              "",
		"null":                 "null",
		"an empty object":      "{}",
		"two objects":          said("", "") + "{}",
		"deep":                 said(`"mask":true`, `"mask":true,"x":`+strings.Repeat("[", 900)+strings.Repeat("]", 900)),
		"endless":              said(`room01`, strings.Repeat("r", 5000)),
	} {
		if got, err := tokens.Verify(signed(t, tokens, hs256, claims), embedNoon); err == nil {
			t.Errorf("%s: %+v was believed", name, got)
		} else if got != (access.Embed{}) {
			t.Errorf("%s: refused, and still %+v", name, got)
		}
	}
}

func TestATokenOfAnotherHeaderIsRefusedWhoeverSignedIt(t *testing.T) {
	tokens := embedTokens(t, embedSecret)
	for _, header := range []string{
		`{"alg":"none","typ":"JWT"}`, `{"alg":"HS384","typ":"JWT"}`, `{"alg":"RS256","typ":"JWT"}`, `{"alg":"HS256"}`, `{"typ":"JWT","alg":"HS256"}`,
		`{"alg":"HS256","typ":"JWT","crit":["exp"]}`, `{"alg":"HS256","typ":"JWT","kid":"x"}`, `{"alg":"none","alg":"HS256","typ":"JWT"}`, ``, `null`,
	} {
		if _, err := tokens.Verify(signed(t, tokens, header, said("", "")), embedNoon); !errors.Is(err, ErrEmbedToken) {
			t.Errorf("%s: %v", header, err)
		}
	}
}

func TestOnlyTheKeyOfThisPurposeAndSecretSignsEmbeds(t *testing.T) {
	tokens, other := embedTokens(t, embedSecret), embedTokens(t, embedSecret+"x")
	raw := &EmbedTokens{key: access.Key([]byte(embedSecret)[:32])}
	device, _ := access.DeriveKey([]byte(embedSecret), access.ForDevice)
	for name, by := range map[string]*EmbedTokens{"another secret": other, "the secret itself": raw, "another purpose": {device}, "no key": {}} {
		if _, err := tokens.Verify(signed(t, by, hs256, said("", "")), embedNoon); !errors.Is(err, ErrEmbedToken) || !errors.Is(err, jwt.ErrTokenSignatureInvalid) {
			t.Errorf("signed by %s: %v", name, err)
		}
	}
	good := signed(t, tokens, hs256, said("", ""))
	parts := strings.Split(good, ".")
	for name, text := range map[string]string{
		"no signature": parts[0] + "." + parts[1] + ".", "two parts": parts[0] + "." + parts[1], "four parts": good + ".", "empty": "",
		"padded": good + "=", "a line end": good[:len(good)-4] + "\n" + good[len(good)-4:], "a line end in the claims": parts[0] + ".\r\n" + parts[1] + "." + parts[2],
		"bits that mean nothing": good[:len(good)-1] + string(good[len(good)-1]+1), "a space": " " + good, "standard base64": strings.NewReplacer("-", "+", "_", "/").Replace(good) + "+",
	} {
		if _, err := tokens.Verify(text, embedNoon); !errors.Is(err, ErrEmbedToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewEmbedTokens([]byte("short")); !errors.Is(err, access.ErrShortSecret) {
		t.Error("a short secret signs:", err)
	}
}

// The text of an error goes into the log: it may say what was wrong, and must not hold the token.
func TestARefusalDoesNotRepeatTheToken(t *testing.T) {
	tokens := embedTokens(t, embedSecret)
	text := signed(t, tokens, hs256, said(`"mask":true`, `"mask":"x"`))
	_, err := tokens.Verify(text, embedNoon)
	if err == nil || strings.Contains(err.Error(), text[40:80]) || strings.Contains(fmt.Sprintf("%+v %#v", tokens, tokens), fmt.Sprintf("%x", tokens.key[:2])) {
		t.Error(err)
	}
}

// Whatever comes, signed or not: what is believed is valid, now, and what Mint would write of it is believed too.
func FuzzVerifyEmbed(f *testing.F) {
	tokens := embedTokens(f, embedSecret)
	f.Add(signed(f, tokens, hs256, said("", "")), hs256, said("", ""))
	f.Add("a.b.c", `{"alg":"none"}`, said(`"mask":true`, `"mask":true,"all":true`))
	f.Add("", hs256, said(`"room_id":"room01"`, `"all":true`))
	f.Fuzz(func(t *testing.T, text, header, claims string) {
		checkEmbed(t, tokens, text)
		checkEmbed(t, tokens, signed(t, tokens, header, claims))
		checkEmbed(t, tokens, signed(t, tokens, hs256, claims))
		if _, err := tokens.Verify(signed(t, &EmbedTokens{}, hs256, claims), embedNoon); err == nil {
			t.Errorf("%q was believed, signed by another key", claims)
		}
	})
}

func checkEmbed(t *testing.T, tokens *EmbedTokens, text string) {
	t.Helper()
	e, err := tokens.Verify(text, embedNoon)
	if err != nil {
		if e != (access.Embed{}) || !errors.Is(err, ErrEmbedToken) && !errors.Is(err, ErrEmbedExpired) {
			t.Errorf("%q is refused as %+v, %v", text, e, err)
		}
		return
	}
	if e.Validate() != nil || e.Expired(embedNoon) || e.IssuedAt.After(embedNoon.Add(embedLeeway)) || e.ExpiresAt.Sub(embedNoon) > access.MaxEmbed+embedLeeway {
		t.Errorf("%q was believed: %+v", text, e)
	}
	again, err := tokens.Mint(e)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tokens.Verify(again, embedNoon); err != nil || got != e {
		t.Errorf("%+v became %+v, %v", e, got, err)
	}
}
