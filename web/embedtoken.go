package web

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/golang-jwt/jwt/v5"

	"github.com/roomwatch/roomwatch/access"
)

const (
	embedIssuer   = "roomwatch"
	embedAudience = "roomwatch-embed"
	embedLeeway   = 5 * time.Second // that the clocks of two replicas may differ
	maxEmbedToken = 4 << 10

	// embedHeader is {"alg":"HS256","typ":"JWT"}, the header of every token that is signed here.
	embedHeader = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
)

var (
	// ErrEmbedToken: the token was not made here, or not for this. What exactly is wrong is in the error's
	// text, for the log only. The answer is 401; of a socket, close 4401.
	ErrEmbedToken = errors.New("not a valid embed token")
	// ErrEmbedExpired: the token was made here and its time is over.
	ErrEmbedExpired = errors.New("the embed token has expired")
)

// EmbedTokens signs and verifies embed tokens: JWTs by HS256 with a key derived from ROOMWATCH_SECRET, never
// plugNmeet's. It is safe for concurrent use.
type EmbedTokens struct{ key access.Key }

// NewEmbedTokens derives the key. The error is access.ErrShortSecret.
func NewEmbedTokens(secret []byte) (*EmbedTokens, error) {
	key, err := access.DeriveKey(secret, access.ForEmbed)
	if err != nil {
		return nil, err
	}
	return &EmbedTokens{key}, nil
}

// embedClaims are all claims that a token has; another one makes it invalid.
type embedClaims struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
	Source   string `json:"source"`
	RoomID   string `json:"room_id,omitzero"`
	All      bool   `json:"all,omitzero"`
	Parent   string `json:"parent"`
	Mask     bool   `json:"mask,omitzero"`
}

// Mint writes the token of an embed that is valid (see access.NewEmbed). Whether whoever asks may have it is
// asked before, by access.Identity.MayMint and access.EmbedScope.Framable.
func (t *EmbedTokens) Mint(e access.Embed) (string, error) {
	if err := e.Validate(); err != nil {
		return "", err
	}
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, &embedClaims{
		Issuer: embedIssuer, Audience: embedAudience, IssuedAt: e.IssuedAt.Unix(), Expires: e.ExpiresAt.Unix(),
		Source: e.Source, RoomID: e.RoomID, All: e.All, Parent: string(e.Parent), Mask: e.Mask,
	})
	text, err := token.SignedString(t.key[:])
	if err == nil && len(text) > maxEmbedToken {
		return "", fmt.Errorf("%w: longer than %d bytes", ErrEmbedToken, maxEmbedToken)
	}
	return text, err
}

// Verify is what a token says, if it was made here with this secret and its time is now. The error wraps
// ErrEmbedToken or ErrEmbedExpired. Whether the parent may still frame us is asked by Framable.
func (t *EmbedTokens) Verify(text string, now time.Time) (access.Embed, error) {
	header, _, _ := strings.Cut(text, ".")
	if len(text) > maxEmbedToken || header != embedHeader || strings.ContainsAny(text, "\r\n") { // base64 skips line ends
		return access.Embed{}, fmt.Errorf("%w: not in the form of those made here", ErrEmbedToken)
	}
	var claims embedClaims
	_, err := embedParser(now).ParseWithClaims(text, &claims, func(*jwt.Token) (any, error) { return t.key[:], nil })
	e := claims.embed()
	switch {
	case errors.Is(err, jwt.ErrTokenExpired), err == nil && e.Expired(now): // the leeway is for iat alone
		return access.Embed{}, ErrEmbedExpired
	case err != nil:
		return access.Embed{}, fmt.Errorf("%w: %w", ErrEmbedToken, err)
	}
	return e, nil
}

// embedParser leaves no choice to the token: one algorithm, one issuer, one audience, and times that fit.
func embedParser(now time.Time) *jwt.Parser {
	return jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithIssuer(embedIssuer), jwt.WithAudience(embedAudience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(embedLeeway),
		jwt.WithStrictDecoding(), jwt.WithTimeFunc(func() time.Time { return now }),
	)
}

var errEmbedScope = errors.New("claims that no token made here has")

// Validate is asked by the parser, after the signature and beside the usual claims.
func (c *embedClaims) Validate() error {
	if c.IssuedAt <= 0 || c.Expires > 1<<40 {
		return errEmbedScope
	}
	if err := c.embed().Validate(); err != nil {
		return fmt.Errorf("%w: %w", errEmbedScope, err)
	}
	return nil
}

func (c *embedClaims) embed() access.Embed {
	return access.Embed{
		EmbedScope: access.EmbedScope{Source: c.Source, RoomID: c.RoomID, All: c.All, Parent: access.Origin(c.Parent), Mask: c.Mask},
		IssuedAt:   time.Unix(c.IssuedAt, 0).UTC(), ExpiresAt: time.Unix(c.Expires, 0).UTC(),
	}
}

// UnmarshalJSON refuses names that are there twice or that no token made here has: what two programs read
// differently is no claim.
func (c *embedClaims) UnmarshalJSON(data []byte) error {
	type plain embedClaims
	return json.Unmarshal(data, (*plain)(c), json.RejectUnknownMembers(true))
}

// The getters are how the parser asks for the usual claims.

func (c *embedClaims) GetExpirationTime() (*jwt.NumericDate, error) { return date(c.Expires), nil }
func (c *embedClaims) GetIssuedAt() (*jwt.NumericDate, error)       { return date(c.IssuedAt), nil }
func (c *embedClaims) GetNotBefore() (*jwt.NumericDate, error)      { return nil, nil }
func (c *embedClaims) GetIssuer() (string, error)                   { return c.Issuer, nil }
func (c *embedClaims) GetSubject() (string, error)                  { return "", nil }
func (c *embedClaims) GetAudience() (jwt.ClaimStrings, error) {
	return jwt.ClaimStrings{c.Audience}, nil
}

func date(seconds int64) *jwt.NumericDate {
	if seconds == 0 {
		return nil
	}
	return jwt.NewNumericDate(time.Unix(seconds, 0))
}
