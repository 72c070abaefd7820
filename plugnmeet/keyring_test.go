package plugnmeet_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
)

func TestEveryFixtureVerifiesWhenItWasSigned(t *testing.T) {
	k := keyring(t)
	all := recordings(t, "contract/webhooks.jsonl")
	if len(all) != 42 {
		t.Fatalf("%d fixtures", len(all))
	}
	for _, r := range all {
		token := r.Headers["Authorization"]
		var claims struct{ Iat int64 }
		content, _ := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
		if err := json.Unmarshal(content, &claims); err != nil {
			t.Fatal(err)
		}
		now := time.Unix(claims.Iat, 0)
		proof, err := k.Verify([]string{token}, []string{r.Headers["Hash-Token"]}, []byte(r.Body), now)
		if err != nil || proof.Source != "default" || !proof.Issued.Equal(now) {
			t.Errorf("%s: %+v, %v", r.N, proof, err)
		}
	}
}

func TestSignMakesPlugNmeetsTokenByteForByte(t *testing.T) {
	for _, n := range []string{"P01", "P08", "P41"} {
		r := delivery(t, n)
		var said struct {
			CreatedAt int64 `json:"created_at,string"`
		}
		if err := json.Unmarshal([]byte(r.Body), &said); err != nil {
			t.Fatal(err)
		}
		content, _ := base64.RawURLEncoding.DecodeString(strings.Split(r.Headers["Authorization"], ".")[1])
		var claims struct{ Iat int64 }
		if err := json.Unmarshal(content, &claims); err != nil {
			t.Fatal(err)
		}
		if got := sign(t, sampleKey, sampleSecret, []byte(r.Body), time.Unix(claims.Iat, 0)); got != r.Headers["Authorization"] {
			t.Errorf("%s:\n%s\n%s", n, got, r.Headers["Authorization"])
		}
	}
}

func TestSignRefusesToSignWithNothing(t *testing.T) {
	for _, c := range []struct {
		key    string
		secret plugnmeet.Secret
	}{{"", "s"}, {"k", ""}, {"\xff", "s"}} {
		if token, err := plugnmeet.Sign(c.key, c.secret, body, noon); err == nil || token != "" {
			t.Errorf("%q: %q", c.key, token)
		}
	}
}

func TestKeyringRefusesSourcesThatCannotBeToldApart(t *testing.T) {
	good := plugnmeet.Source{Name: "a", APIKey: "k", Secrets: []plugnmeet.Secret{"very-secret"}}
	for name, sources := range map[string][]plugnmeet.Source{
		"no name":       {{APIKey: "k", Secrets: good.Secrets}},
		"a blank name":  {{Name: "\u2800 \u200b", APIKey: "k", Secrets: good.Secrets}},
		"no key":        {{Name: "a", Secrets: good.Secrets}},
		"no secret":     {{Name: "a", APIKey: "k"}},
		"empty secret":  {{Name: "a", APIKey: "k", Secrets: []plugnmeet.Secret{"very-secret", ""}}},
		"three secrets": {{Name: "a", APIKey: "k", Secrets: []plugnmeet.Secret{"very-secret", "b", "c"}}},
		"same key":      {good, {Name: "b", APIKey: "k", Secrets: good.Secrets}},
		"same name":     {good, {Name: "a", APIKey: "l", Secrets: good.Secrets}},
	} {
		if _, err := plugnmeet.NewKeyring(sources); err == nil || strings.Contains(err.Error(), "very-secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := plugnmeet.NewKeyring(nil); err != nil {
		t.Error("a keyring of nobody refuses everybody, but can be:", err)
	}
}

func TestSecretIsNeverPrinted(t *testing.T) {
	source := plugnmeet.Source{Name: "a", APIKey: "k", Secrets: []plugnmeet.Secret{"very-secret"}}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t"} {
		fmt.Fprintf(&out, verb+verb, source, source.Secrets[0])
	}
	fmt.Fprint(&out, source.Secrets[0].String(), source.Secrets[0].GoString())
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "source", source, "secret", source.Secrets[0])
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "source", source, "secret", source.Secrets[0])
	if err := json.NewEncoder(&out).Encode(source); err != nil {
		t.Fatal(err)
	}
	for _, spelled := range []string{"very-secret", hex.EncodeToString([]byte("very-secret")), fmt.Sprint([]byte("very-secret"))} {
		if strings.Contains(out.String(), spelled) {
			t.Errorf("%q in %s", spelled, out.String())
		}
	}
}
