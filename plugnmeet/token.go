package plugnmeet

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	maxToken = 8 << 10
	leeway   = 60             // seconds that two clocks may differ, as in plugNmeet's own verifier
	farAhead = 24 * 3600      // seconds; plugNmeet's tokens live five minutes
	lastTime = 99_999_999_999 // the greatest believable NumericDate: milliseconds are a mistake
)

// plainHeader is {"alg":"HS256","typ":"JWT"}, the header of every token that plugNmeet signs.
const plainHeader = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"

var segments = base64.RawURLEncoding.Strict()

// token is a parsed token; nothing in it is proven before its signature is.
type token struct {
	signed    []byte
	signature []byte
	claims    claims
}

// claims are those that matter here, contract section 3. Absent ones are zero.
type claims struct {
	Issuer    string  `json:"iss"`
	Expires   float64 `json:"exp"`
	NotBefore float64 `json:"nbf"`
	IssuedAt  float64 `json:"iat"`
	SHA256    string  `json:"sha256"`
}

// soleToken is the one token that the headers agree on. A proxy that asks for a login passes on what it was
// given, so what stands in Authorization and is no JWT says nothing against the one in Hash-Token; of two that
// differ neither is believed.
func soleToken(authorization, hashToken []string) (string, *Refusal) {
	if len(authorization) > 1 || len(hashToken) > 1 {
		return "", refuse("two_tokens", "a token header is there twice")
	}
	first, second := bare(authorization), bare(hashToken)
	switch {
	case len(first) > maxToken || len(second) > maxToken:
		return "", refuse("oversized", "the token is longer than %d bytes", maxToken)
	case first == "" && second == "":
		return "", refuse("no_token", "no token in Authorization or Hash-Token: does a proxy remove them?")
	case first == "", second != "" && !jwtShaped(first):
		return second, nil
	case second != "" && first != second:
		return "", refuse("two_tokens", "Authorization and Hash-Token differ: does a proxy set Authorization?")
	case ownScheme(first):
		return "", refuse("proxy_login", "Authorization has a login of its own (%s) and there is no Hash-Token: "+
			"a proxy sets the one and removes the other", loginScheme(first))
	}
	return first, nil
}

// jwtShaped says whether a text has three parts, whatever is in them.
func jwtShaped(text string) bool {
	return strings.Count(text, ".") == 2 && !strings.ContainsAny(text, " \t")
}

// ownScheme says whether credentials are of another scheme than bearer, which was taken off before: no token
// has a space in it.
func ownScheme(credentials string) bool {
	return strings.ContainsAny(credentials, " \t") || strings.EqualFold(credentials, "Basic")
}

// loginScheme names the scheme if it is a usual one; any other word may be a part of the secret.
func loginScheme(credentials string) string {
	scheme, _, _ := strings.Cut(credentials, " ")
	for _, usual := range []string{"Basic", "Digest", "Negotiate", "NTLM", "Token"} {
		if strings.EqualFold(scheme, usual) {
			return usual
		}
	}
	return "of an unusual kind"
}

// bare is a header's only value without its optional scheme.
func bare(values []string) string {
	if len(values) == 0 {
		return ""
	}
	const scheme = "bearer "
	value := strings.TrimSpace(values[0])
	if len(value) > len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) {
		value = strings.TrimSpace(value[len(scheme):])
	}
	return value
}

// parseToken reads a token more strictly than the field's libraries, which accept duplicate members
// and a crit header that they do not understand.
func parseToken(text string) (t token, refusal *Refusal) {
	header, rest, _ := strings.Cut(text, ".")
	payload, signature, found := strings.Cut(rest, ".")
	if !found || strings.ContainsAny(text, "\r\n") {
		return t, refuse("malformed", "the token does not have the three parts of a JWT")
	}
	if refusal := checkHeader(header); refusal != nil {
		return t, refusal
	}
	space := make([]byte, len(text)+segments.DecodedLen(len(text))) // for all of it
	signed := append(space[:0], text[:len(header)+1+len(payload)]...)
	space = space[len(text):]
	content, err := segments.AppendDecode(space[:0], signed[len(header)+1:])
	if err != nil {
		return t, refuse("malformed", "the token's claims are not base64url")
	}
	if json.Unmarshal(content, &t.claims) != nil || content[0] != '{' {
		return t, refuse("malformed", "the token's claims are not a JSON object of the right types with each name once")
	}
	if t.signature, err = segments.AppendDecode(space[len(content):len(content)], []byte(signature)); err != nil {
		return t, refuse("malformed", "the token's signature is not base64url")
	}
	t.signed = signed
	return t, t.claims.complete()
}

func checkHeader(segment string) *Refusal {
	if segment == plainHeader {
		return nil
	}
	content, err := segments.DecodeString(segment)
	if err != nil {
		return refuse("malformed", "the token's header is not base64url")
	}
	var header struct {
		Alg  jsontext.Value `json:"alg"`
		Crit jsontext.Value `json:"crit"`
	}
	switch {
	case json.Unmarshal(content, &header) != nil || content[0] != '{':
		return refuse("malformed", "the token's header is not a JSON object with each name once")
	case string(header.Alg) != `"HS256"`:
		return refuse("alg", "the token is not signed with HS256, the only algorithm plugNmeet uses")
	case header.Crit != nil:
		return refuse("crit", "the token demands an extension (crit) that plugNmeet does not use")
	}
	return nil
}

// complete refuses what every webhook's token has. plugNmeet signs the tokens that people join with
// by the same secret: only a webhook's has a sha256 claim.
func (c claims) complete() *Refusal {
	switch {
	case c.Expires == 0:
		return refuse("no_expiry", "the token has no exp claim")
	case !believable(c.Expires) || !believable(c.NotBefore) || !believable(c.IssuedAt):
		return refuse("malformed", "a time in the token is not in seconds since 1970")
	case c.SHA256 == "":
		return refuse("no_hash", "the token has no sha256 claim: it is a join token, not a webhook's")
	}
	return nil
}

func believable(seconds float64) bool { return seconds >= 0 && seconds <= lastTime }

func (c claims) timely(now time.Time) *Refusal {
	at := float64(now.UnixMilli()) / 1000
	switch {
	case at > c.Expires+leeway:
		return refuse("expired", "expired %.0f s ago: check the clocks, or it was delivered very late", at-c.Expires)
	case c.NotBefore > at+leeway:
		return refuse("not_yet", "valid only in %.0f s: check the clocks", c.NotBefore-at)
	case c.Expires > at+farAhead:
		return refuse("far_expiry", "valid for %.0f more hours, a webhook's token lives five minutes", (c.Expires-at)/3600)
	}
	return nil
}

// covers compares the sha256 claim with the body as it came. plugNmeet writes padded standard base64;
// the other spellings of base64 mean the same bytes.
func (c claims) covers(body []byte) *Refusal {
	text := strings.TrimRight(c.SHA256, "=")
	if strings.ContainsAny(text, "-_") {
		text = strings.NewReplacer("-", "+", "_", "/").Replace(text)
	}
	claimed, err := base64.RawStdEncoding.AppendDecode(make([]byte, 0, 2*sha256.Size), []byte(text))
	if err != nil || len(claimed) != sha256.Size {
		return refuse("body_hash", "the sha256 claim is not the base64 of a SHA-256")
	}
	actual := sha256.Sum256(body)
	if subtle.ConstantTimeCompare(claimed, actual[:]) == 0 {
		return refuse("body_hash", "body hash differs: does a proxy rewrite the body?")
	}
	return nil
}

// issued is when the token was made; older plugNmeets do not say iat.
func (c claims) issued() time.Time {
	if c.IssuedAt != 0 {
		return moment(c.IssuedAt)
	}
	return moment(c.NotBefore)
}

func moment(seconds float64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}
