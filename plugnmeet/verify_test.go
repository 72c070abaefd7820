package plugnmeet_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/roomwatch/roomwatch/plugnmeet"
)

var (
	noon  = time.Unix(1795309324, 0)
	plain = `{"alg":"HS256","typ":"JWT"}`
	body  = []byte(`{"event":"room_created","room":{"sid":"s","room_id":"r"},"id":"1","created_at":"1795309324"}`)
)

// forge signs whatever it is given, as an honest library would not.
func forge(header, claims string, secret plugnmeet.Secret) string {
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	mac, err := jwt.SigningMethodHS256.Sign(text, []byte(secret))
	if err != nil {
		panic(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(mac)
}

func hashOf(body []byte) string {
	hash := sha256.Sum256(body)
	return base64.StdEncoding.EncodeToString(hash[:])
}

// claimed are good claims with some text put before the closing brace.
func claimed(more string) string {
	return fmt.Sprintf(`{"iss":%q,"exp":%d,"nbf":%d,"iat":%d,"sha256":%q%s}`,
		sampleKey, noon.Unix()+300, noon.Unix(), noon.Unix(), hashOf(body), more)
}

// refusal is the code of what Verify answers, "" for a proof.
func refusal(t *testing.T, k *plugnmeet.Keyring, authorization, hashToken []string, body []byte, now time.Time) string {
	t.Helper()
	_, err := k.Verify(authorization, hashToken, body, now)
	if err == nil {
		return ""
	}
	var r *plugnmeet.Refusal
	if !errors.As(err, &r) || r.Reason == "" || r.Code == "" {
		t.Fatalf("not a whole refusal: %#v", err)
	}
	for _, header := range append(authorization, hashToken...) {
		if strings.TrimSpace(header) != "" && strings.Contains(r.Reason, header) || strings.Contains(r.Reason, string(sampleSecret)) {
			t.Errorf("reason gives away a token or secret: %s", r.Reason)
		}
	}
	return r.Code
}

func TestFaultRow01NoTokenEmptyOrWrong(t *testing.T) {
	k, good := keyring(t), sign(t, sampleKey, sampleSecret, body, noon)
	for _, c := range []struct {
		name                     string
		authorization, hashToken []string
		code                     string
	}{
		{"none", nil, nil, "no_token"},
		{"empty", []string{""}, []string{" "}, "no_token"},
		{"bearer of nothing", []string{"Bearer "}, nil, "malformed"},
		{"bearer of nonsense", []string{"Bearer x"}, nil, "malformed"},
		{"two parts", []string{"a.b"}, nil, "malformed"},
		{"four parts", []string{good + ".x"}, nil, "malformed"},
		{"a line break inside", []string{good[:len(good)-5] + "\n" + good[len(good)-5:]}, nil, "malformed"},
		{"padding", []string{good + "="}, nil, "malformed"},
		{"no signature", []string{good[:strings.LastIndex(good, ".")+1]}, nil, "signature"},
		{"header not base64", []string{"~." + good}, nil, "malformed"},
		{"claims not base64", []string{"e30.~.x"}, nil, "alg"},
		{"another body's", []string{sign(t, sampleKey, sampleSecret, []byte("{}"), noon)}, nil, "body_hash"},
	} {
		if code := refusal(t, k, c.authorization, c.hashToken, body, noon); code != c.code {
			t.Errorf("%s: %q, want %q", c.name, code, c.code)
		}
	}
}

func TestGoodTokenPassesInEitherHeaderWithOrWithoutScheme(t *testing.T) {
	k, good := keyring(t), sign(t, sampleKey, sampleSecret, body, noon)
	for name, headers := range map[string][2][]string{
		"both":                {{good}, {good}},
		"authorization alone": {{good}, nil},
		"hash-token alone":    {nil, {good}},
		"emptied by a proxy":  {{""}, {good}},
		"scheme":              {{"Bearer " + good}, {good}},
		"scheme, lower case":  {{"bearer  " + good}, nil},
		"surrounding space":   {{" " + good + " "}, {good}},
	} {
		proof, err := k.Verify(headers[0], headers[1], body, noon)
		want := plugnmeet.Proof{Source: "default", Issued: noon.UTC(), Expires: noon.Add(5 * time.Minute).UTC()}
		if err != nil || proof != want {
			t.Errorf("%s: %+v, %v", name, proof, err)
		}
	}
}

func TestFaultRow02AlgorithmsOtherThanHS256(t *testing.T) {
	k := keyring(t)
	for header, code := range map[string]string{
		`{"alg":"none","typ":"JWT"}`:              "alg",
		`{"alg":"RS256","typ":"JWT"}`:             "alg",
		`{"alg":"HS512","typ":"JWT"}`:             "alg",
		`{"alg":"hs256","typ":"JWT"}`:             "alg",
		`{"alg":["HS256"],"typ":"JWT"}`:           "alg",
		`{"alg":null}`:                            "alg",
		`{"typ":"JWT"}`:                           "alg",
		`{"alg":"HS256","alg":"HS256"}`:           "malformed",
		`{"alg":"none","\u0061lg":"HS256"}`:       "malformed",
		`null`:                                    "malformed",
		`["HS256"]`:                               "malformed",
		"{\"alg\":\"HS256\",\"typ\":\"\xff\"}":    "malformed",
		`{"alg":"HS256"} {"alg":"HS256"}`:         "malformed",
		`{"typ":"JWT","alg":"HS256","kid":"any"}`: "",
	} {
		if got := refusal(t, k, []string{forge(header, claimed(""), sampleSecret)}, nil, body, noon); got != code {
			t.Errorf("%s: %q, want %q", header, got, code)
		}
	}
}

func TestFaultRow03CritDuplicateClaimsFarExpiry(t *testing.T) {
	k := keyring(t)
	for _, c := range []struct{ name, header, claims, code string }{
		{"crit", `{"alg":"HS256","crit":["b64"],"b64":false}`, claimed(""), "crit"},
		{"crit null", `{"alg":"HS256","crit":null}`, claimed(""), "crit"},
		{"duplicate exp", plain, claimed(`,"exp":9999999999`), "malformed"},
		{"duplicate iss", plain, claimed(`,"iss":"other"`), "malformed"},
		{"no exp", plain, `{"iss":"plugnmeet","sha256":"` + hashOf(body) + `"}`, "no_expiry"},
		{"exp zero", plain, `{"iss":"plugnmeet","exp":0,"sha256":"` + hashOf(body) + `"}`, "no_expiry"},
		{"exp null", plain, `{"iss":"plugnmeet","exp":null,"sha256":"` + hashOf(body) + `"}`, "no_expiry"},
		{"exp in the year 9999", plain, `{"iss":"plugnmeet","exp":253370764800,"sha256":"` + hashOf(body) + `"}`, "malformed"},
		{"exp in the year 2100", plain, `{"iss":"plugnmeet","exp":4102444800,"sha256":"` + hashOf(body) + `"}`, "far_expiry"},
		{"exp as text", plain, `{"iss":"plugnmeet","exp":"1795309624","sha256":"` + hashOf(body) + `"}`, "malformed"},
		{"exp beyond numbers", plain, `{"iss":"plugnmeet","exp":1e999,"sha256":"` + hashOf(body) + `"}`, "malformed"},
		{"exp negative", plain, `{"iss":"plugnmeet","exp":-1e300,"sha256":"` + hashOf(body) + `"}`, "malformed"},
		{"iss a list", plain, `{"iss":["plugnmeet"],"exp":1795309624,"sha256":"` + hashOf(body) + `"}`, "malformed"},
		{"claims a list", plain, `[]`, "malformed"},
		{"claims null", plain, `null`, "malformed"},
		{"no iat, no nbf", plain, `{"iss":"plugnmeet","exp":1795309624,"sha256":"` + hashOf(body) + `"}`, ""},
		{"unknown claims", plain, claimed(`,"sub":"x","aud":["y"]`), ""},
	} {
		if code := refusal(t, k, []string{forge(c.header, c.claims, sampleSecret)}, nil, body, noon); code != c.code {
			t.Errorf("%s: %q, want %q", c.name, code, c.code)
		}
	}
}

func TestFaultRow04JoinTokenOfTheSameSecret(t *testing.T) {
	claims := `{"iss":"plugnmeet","exp":1795309624,"nbf":1795309324,"sub":"u-1001","name":"Ana","roomId":"room01","isAdmin":true}`
	if code := refusal(t, keyring(t), []string{forge(plain, claims, sampleSecret)}, nil, body, noon); code != "no_hash" {
		t.Error(code)
	}
}

func TestFaultRow05BodyChangedOnTheWay(t *testing.T) {
	k := keyring(t)
	token := []string{sign(t, sampleKey, sampleSecret, body, noon)}
	changed := bytes.Clone(body)
	changed[len(changed)-3] ^= 1
	var any map[string]any
	if err := json.Unmarshal(body, &any); err != nil {
		t.Fatal(err)
	}
	again, _ := json.Marshal(any)
	for name, b := range map[string][]byte{"one byte": changed, "re-serialised": again, "empty": nil, "longer": append(bytes.Clone(body), '\n')} {
		if code := refusal(t, k, token, token, b, noon); code != "body_hash" {
			t.Errorf("%s: %q", name, code)
		}
	}
}

func TestBodyHashInAnySpellingOfBase64ButNotHex(t *testing.T) {
	var odd []byte // its hash has what the two alphabets write differently
	for n := 0; !strings.Contains(hashOf(odd), "+") || !strings.Contains(hashOf(odd), "/"); n++ {
		odd = fmt.Append(nil, n)
	}
	hash := sha256.Sum256(odd)
	std := base64.StdEncoding.EncodeToString(hash[:])
	for text, code := range map[string]string{
		std:                         "",
		strings.TrimRight(std, "="): "",
		base64.URLEncoding.EncodeToString(hash[:]):    "",
		base64.RawURLEncoding.EncodeToString(hash[:]): "",
		hex.EncodeToString(hash[:]):                   "body_hash",
		base64.StdEncoding.EncodeToString(hash[:31]):  "body_hash",
		"*": "body_hash",
	} {
		claims := fmt.Sprintf(`{"iss":"plugnmeet","exp":1795309624,"sha256":%q}`, text)
		if got := refusal(t, keyring(t), []string{forge(plain, claims, sampleSecret)}, nil, odd, noon); got != code {
			t.Errorf("%s: %q, want %q", text, got, code)
		}
	}
}

func TestFaultRow06LeewayOfAMinute(t *testing.T) {
	k := keyring(t)
	for _, c := range []struct {
		exp, nbf int64
		code     string
	}{
		{-30, -330, ""}, {-60, -360, ""}, {-61, -361, "expired"}, {-90, -390, "expired"},
		{330, 30, ""}, {360, 60, ""}, {361, 61, "not_yet"}, {390, 90, "not_yet"},
	} {
		claims := fmt.Sprintf(`{"iss":"plugnmeet","exp":%d,"nbf":%d,"sha256":%q}`, noon.Unix()+c.exp, noon.Unix()+c.nbf, hashOf(body))
		if code := refusal(t, k, []string{forge(plain, claims, sampleSecret)}, nil, body, noon); code != c.code {
			t.Errorf("exp %+d nbf %+d: %q, want %q", c.exp, c.nbf, code, c.code)
		}
	}
}

func TestFaultRow07WrongKeyAndUnknownKey(t *testing.T) {
	k := keyring(t, plugnmeet.Source{Name: "a", APIKey: "keyA", Secrets: []plugnmeet.Secret{"secret-A"}},
		plugnmeet.Source{Name: "b", APIKey: "keyB", Secrets: []plugnmeet.Secret{"secret-B"}})
	for _, c := range []struct {
		key    string
		secret plugnmeet.Secret
		want   plugnmeet.Refusal
	}{
		{"keyA", "secret-B", plugnmeet.Refusal{Code: "signature", Source: "a", Reason: `signature does not match the secret of key "keyA"`}},
		{"nobody", "secret-A", plugnmeet.Refusal{Code: "unknown_key", Reason: `signed with the unknown key "nobody"`}},
		{"<b>\u202e" + strings.Repeat("k", 300), "x", plugnmeet.Refusal{Code: "unknown_key", Reason: `signed with the unknown key "<b>\u202e` + strings.Repeat("k", 42) + `"`}},
	} {
		_, err := k.Verify([]string{sign(t, c.key, c.secret, body, noon)}, nil, body, noon)
		var r *plugnmeet.Refusal
		if !errors.As(err, &r) || *r != c.want {
			t.Errorf("%s: %+v", c.key, r)
		}
	}
	if proof, err := k.Verify(nil, []string{sign(t, "keyB", "secret-B", body, noon)}, body, noon); err != nil || proof.Source != "b" {
		t.Error(proof, err)
	}
}

// An unknown key must not be told from a wrong secret by the clock. The clock is a poor witness in a test;
// that both compute a MAC shows in what they allocate (with -race, pools make that vary by one or two).
func TestFaultRow07UnknownKeyCostsAsMuchAsWrongSecret(t *testing.T) {
	k := keyring(t)
	work := func(token string) float64 {
		headers := []string{token}
		return testing.AllocsPerRun(100, func() { _, _ = k.Verify(headers, nil, body, noon) })
	}
	wrong, unknown := work(sign(t, sampleKey, "wrong", body, noon)), work(sign(t, "plugnmeex", sampleSecret, body, noon))
	if math.Abs(wrong-unknown) > 2 {
		t.Errorf("wrong secret %v allocations, unknown key %v", wrong, unknown)
	}
}

func TestFaultRow08PreviousSecretDuringRotation(t *testing.T) {
	k := keyring(t, plugnmeet.Source{Name: "default", APIKey: sampleKey, Secrets: []plugnmeet.Secret{"current", "previous"}})
	for index, secret := range []plugnmeet.Secret{"current", "previous"} {
		proof, err := k.Verify([]string{sign(t, sampleKey, secret, body, noon)}, nil, body, noon)
		if err != nil || proof.KeyIndex != index {
			t.Errorf("secret %d: %+v, %v", index, proof, err)
		}
	}
}

// Contract 3: Hash-Token is there because proxies take Authorization for themselves.
func TestALoginOfAProxyBesideAGoodHashTokenIsNoReasonToRefuse(t *testing.T) {
	k, good := keyring(t), sign(t, sampleKey, sampleSecret, body, noon)
	bad := sign(t, sampleKey, "another secret", body, noon)
	for _, login := range []string{"Basic dXNlcjpwYXNz", "basic dXNlcjpwYXNz", "Basic", `Digest username="proxy.local", realm="a.b.c"`, "Negotiate YII=",
		"AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host", "Bearer an-opaque-token", "an-opaque-token"} {
		if _, err := k.Verify([]string{login}, []string{good}, body, noon); err != nil {
			t.Errorf("%s beside a good Hash-Token: %v", login, err)
		}
		if code := refusal(t, k, []string{login}, []string{bad}, body, noon); code != "signature" {
			t.Errorf("%s beside a forged Hash-Token: %q", login, code)
		}
	}
	for login, says := range map[string]string{"Basic dXNlcjpwYXNz": "(Basic)", "NTLM TlRM": "(NTLM)", "hunter2 and more": "of an unusual kind"} {
		_, err := k.Verify([]string{login}, nil, body, noon)
		var r *plugnmeet.Refusal
		if !errors.As(err, &r) || r.Code != "proxy_login" || !strings.Contains(r.Reason, says) || !strings.Contains(r.Reason, "no Hash-Token") {
			t.Errorf("%s alone: %v", login, err)
		} else if strings.Contains(r.Reason, "dXNlcjpwYXNz") || strings.Contains(r.Reason, "hunter2") {
			t.Errorf("%s alone: the reason gives it away: %s", login, r.Reason)
		}
	}
}

func TestFaultRow09HeadersThatDisagreeOrAreTooMany(t *testing.T) {
	k, good := keyring(t), sign(t, sampleKey, sampleSecret, body, noon)
	other := sign(t, sampleKey, sampleSecret, body, noon.Add(time.Second))
	long := strings.Repeat("a", 10<<10)
	for name, c := range map[string]struct {
		authorization, hashToken []string
		code                     string
	}{
		"differ":              {[]string{good}, []string{other}, "two_tokens"},
		"differ, with scheme": {[]string{"Bearer " + good}, []string{other}, "two_tokens"},
		"one is empty inside": {[]string{".."}, []string{good}, "two_tokens"},
		"authorization twice": {[]string{good, good}, nil, "two_tokens"},
		"hash-token twice":    {[]string{good}, []string{good, good}, "two_tokens"},
		"10 KiB":              {[]string{long}, nil, "oversized"},
		"10 KiB in the other": {[]string{good}, []string{long}, "oversized"},
	} {
		if code := refusal(t, k, c.authorization, c.hashToken, body, noon); code != c.code {
			t.Errorf("%s: %q, want %q", name, code, c.code)
		}
	}
}
