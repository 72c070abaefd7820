package plugnmeet

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/golang-jwt/jwt/v5"
)

// tokenLife is how long plugNmeet's own tokens live.
const tokenLife = 5 * time.Minute

// signedClaims are the claims of plugNmeet's token, in its order.
type signedClaims struct {
	Issuer    string `json:"iss"`
	Expires   int64  `json:"exp"`
	NotBefore int64  `json:"nbf"`
	IssuedAt  int64  `json:"iat"`
	SHA256    string `json:"sha256"`
}

// Sign makes the token that plugNmeet sends with body, byte for byte, in the headers Authorization
// (without a scheme) and Hash-Token.
func Sign(apiKey string, secret Secret, body []byte, now time.Time) (string, error) {
	if apiKey == "" || secret == "" {
		return "", errors.New("sign delivery: no API key or no secret")
	}
	hash := sha256.Sum256(body)
	content, err := json.Marshal(signedClaims{
		Issuer:    apiKey,
		Expires:   now.Add(tokenLife).Unix(),
		NotBefore: now.Unix(),
		IssuedAt:  now.Unix(),
		SHA256:    base64.StdEncoding.EncodeToString(hash[:]),
	})
	if err != nil {
		return "", fmt.Errorf("sign delivery: %w", err)
	}
	signed := plainHeader + "." + segments.EncodeToString(content)
	signature, err := jwt.SigningMethodHS256.Sign(signed, []byte(secret))
	if err != nil {
		return "", fmt.Errorf("sign delivery: %w", err)
	}
	return signed + "." + segments.EncodeToString(signature), nil
}
