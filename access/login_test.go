package access_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/access"
)

var ana = access.User{Key: access.LocalKey("ana"), Name: "Ana", Role: access.Operator, CreatedAt: noon}

func TestALoginEndsWhenIdleAndWhateverHappensAfterAWeek(t *testing.T) {
	for name, c := range map[string]struct {
		seen, now time.Duration // after it began
		want      error
	}{
		"at once":                     {0, 0, nil},
		"before it is idle":           {0, 12*time.Hour - 1, nil},
		"idle":                        {0, 12 * time.Hour, access.ErrLoginOver},
		"used since":                  {11 * time.Hour, 20 * time.Hour, nil},
		"used to the end":             {7*24*time.Hour - time.Second, 7*24*time.Hour - 1, nil},
		"too old":                     {7*24*time.Hour - time.Second, 7 * 24 * time.Hour, access.ErrLoginOver},
		"begun by a clock ahead":      {0, -time.Minute, nil},
		"begun by a clock far ahead":  {0, -time.Hour, access.ErrLoginOver},
		"the year 9999 does not help": {200_000 * time.Hour, 8 * 24 * time.Hour, access.ErrLoginOver},
	} {
		login := access.NewLogin(access.Hash{1}, ana, "", "", noon)
		login.Seen = noon.Add(c.seen)
		if err := login.Check(ana, noon.Add(c.now)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestALoginEndsWithTheUserItWasMadeFor(t *testing.T) {
	login := access.NewLogin(access.Hash{1}, ana, "", "", noon)
	other := ana
	other.Key = access.LocalKey("bob")
	for name, u := range map[string]access.User{
		"another user": other, "nobody": {}, "another role": ana.WithRole(access.Viewer), "another password": ana.WithPassword("$"),
		"disabled": ana.WithDisabled(true), "disabled and let in again": ana.WithDisabled(true).WithDisabled(false),
	} {
		if err := login.Check(u, noon); !errors.Is(err, access.ErrLoginForced) {
			t.Errorf("%s: %v", name, err)
		}
	}
	locked := ana
	locked.Disabled = true
	if err := login.Check(locked, noon); !errors.Is(err, access.ErrLoginForced) {
		t.Error("a user who is locked out without a change of generation:", err)
	}
	if err := (access.Login{Begun: noon, Seen: noon}).Check(access.User{}, noon); !errors.Is(err, access.ErrLoginForced) {
		t.Error("a login of nobody is good for no user:", err)
	}
	if err := login.Check(ana.WithRole(access.Operator).WithDisabled(false), noon); err != nil {
		t.Error("a change that changes nothing ends logins:", err)
	}
}

func TestARequestIsNotedEveryFiveMinutesAndNeverBackwards(t *testing.T) {
	login := access.NewLogin(access.Hash{1}, ana, "", "", noon)
	for _, after := range []time.Duration{-time.Hour, 0, 5*time.Minute - 1} {
		if same, worth := login.Touch(noon.Add(after)); worth || !same.Seen.Equal(noon) {
			t.Errorf("noted after %s", after)
		}
	}
	later, worth := login.Touch(noon.Add(5 * time.Minute))
	if !worth || !later.Seen.Equal(noon.Add(5*time.Minute)) || !later.Begun.Equal(noon) {
		t.Error("not noted after five minutes")
	}
}

func TestWhatABrowserSaysOfItselfIsBounded(t *testing.T) {
	login := access.NewLogin(access.Hash{1}, ana, "192.0.2.1", "Moz\nilla\x1b[2J \u202egpj"+strings.Repeat("é", 300), noon)
	if len(login.Agent) > 256 || strings.ContainsAny(login.Agent, "\n\x1b\u202e") || !strings.HasPrefix(login.Agent, "Moz illa") {
		t.Errorf("%q", login.Agent)
	}
	if len(login.ID()) != 16 {
		t.Error(login.ID())
	}
}

func TestAnAPITokenExpiresAndIsRevoked(t *testing.T) {
	token, err := access.NewAPIToken(access.Hash{1}, "Backup", []access.Scope{access.ReadState}, false, ana.Key, noon, time.Hour)
	if err != nil || token.Name != "backup" {
		t.Fatal(token, err)
	}
	revoked := token
	revoked.RevokedAt = noon
	for name, c := range map[string]struct {
		token access.APIToken
		at    time.Duration
		want  error
	}{
		"good":         {token, time.Hour - 1, nil},
		"expired":      {token, time.Hour, access.ErrTokenExpired},
		"revoked":      {revoked, 0, access.ErrTokenRevoked},
		"never stored": {access.APIToken{}, 0, access.ErrTokenExpired},
	} {
		if err := c.token.Check(noon.Add(c.at)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, worth := token.Touch(noon); !worth {
		t.Error("the first use is not noted")
	}
}

func TestAnAPITokenNeedsANameAndAnEnd(t *testing.T) {
	for name, life := range map[string]time.Duration{"": time.Hour, "two words": time.Hour, "a": 0, "b": -time.Hour, "c": 367 * 24 * time.Hour} {
		if _, err := access.NewAPIToken(access.Hash{}, name, access.Scopes(), false, "", noon, life); err == nil {
			t.Errorf("%q for %s was made", name, life)
		}
	}
	if _, err := access.ParseName(access.SettingToken().Name); err != nil {
		return
	} else if lower, _ := access.ParseName(access.SettingToken().Name); lower == access.SettingToken().Name {
		t.Error("a stored token can bear the name of the setting")
	}
}

func TestSetupMakesOneUserWithinAnHourWithItsOwnToken(t *testing.T) {
	text := access.TokenSetup.Token(access.Random{5})
	setup := access.NewSetup(access.HashOf(text), noon)
	for name, c := range map[string]struct {
		text  string
		users int
		after time.Duration
		want  error
	}{
		"right":           {text, 0, time.Hour - 1, nil},
		"users already":   {text, 1, 0, access.ErrSetupDone},
		"late":            {text, 0, time.Hour, access.ErrSetupExpired},
		"another":         {access.TokenSetup.Token(access.Random{6}), 0, 0, access.ErrToken},
		"an API token":    {access.TokenAPI.Token(access.Random{5}), 0, 0, access.ErrToken},
		"nothing":         {"", 0, 0, access.ErrToken},
		"cut at its end ": {text[:40], 0, 0, access.ErrToken},
	} {
		if err := setup.Check(c.text, c.users, noon.Add(c.after)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (access.Setup{}).Check("", 0, noon); err == nil {
		t.Error("where no setup was begun, one can be done")
	}
}

func TestEntriesOfTheTrailKeepToTheirLine(t *testing.T) {
	e := access.NewEntry(noon, access.ActRoleChanged, access.Actor{Kind: "user", Name: "oidc:\n2026 admin login"}, "local:bob\r\nx", "192.0.2.1", strings.Repeat("x", 1000))
	if strings.ContainsAny(e.Actor.Name+e.Target, "\r\n") || len(e.Detail) != 256 {
		t.Errorf("%q", e)
	}
	if access.ActRoleChanged.ByStranger() || access.ActLogin.ByStranger() || !access.ActLoginFailed.ByStranger() || !access.ActLoginThrottled.ByStranger() {
		t.Error("strangers' entries are not told from the others")
	}
}
