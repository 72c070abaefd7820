package access_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/roomwatch/roomwatch/access"
)

func TestNamesAreAKeyWithOneSpelling(t *testing.T) {
	for text, want := range map[string]string{
		"ana": "ana", "Ana": "ana", "ana.diaz@example.org": "ana.diaz@example.org", "a": "a", "0": "0", "a_b-c+d": "a_b-c+d",
		"": "", " ana": "", "ana ": "", "ana diaz": "", "josé": "", "аdmin": "", "ana\n": "", "ana\x00": "", "-rf": "", ".ana": "", "@ana": "",
		"a/b": "", "a:b": "", "a%20b": "", "ａｄｍｉｎ": "", "ADMİN": "", "\u212a": "", strings.Repeat("a", 64): strings.Repeat("a", 64), strings.Repeat("a", 65): "",
	} {
		got, err := access.ParseName(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

func FuzzParseName(f *testing.F) {
	f.Add("Ana.Diaz@example.org")
	f.Add("\u212a")
	f.Fuzz(func(t *testing.T, text string) {
		name, err := access.ParseName(text)
		if err != nil {
			return
		}
		if again, err := access.ParseName(name); err != nil || again != name || !strings.EqualFold(name, text) || len(name) != len(text) {
			t.Errorf("%q became %q, then %q", text, name, again)
		}
	})
}

func TestUsersFromElsewhereAreNotTheLocalOnesOfThatName(t *testing.T) {
	keys := []access.UserKey{access.LocalKey("admin"), access.ProxyKey("admin"), access.OIDCKey("https://idp.example", "admin"),
		access.OIDCKey("https://idp.exampl", "eadmin"), access.OIDCKey("https://other.example", "admin")}
	seen := make(map[access.UserKey]bool)
	for _, key := range keys {
		if seen[key] {
			t.Errorf("two users are %s", key)
		}
		seen[key] = true
	}
}

func TestTheLastAdminIsKnown(t *testing.T) {
	a := access.User{Key: "local:a", Role: access.Admin}
	b := access.User{Key: "local:b", Role: access.Admin}
	v := access.User{Key: "local:v", Role: access.Viewer}
	for name, c := range map[string]struct {
		users []access.User
		want  bool
	}{
		"the only one":         {[]access.User{a, v}, true},
		"one of two":           {[]access.User{a, b}, false},
		"the other is out":     {[]access.User{a, b.WithDisabled(true)}, true},
		"the other is demoted": {[]access.User{b.WithRole(access.Operator), a}, true},
		"no admin":             {[]access.User{v}, false},
		"out already":          {[]access.User{a.WithDisabled(true)}, false},
	} {
		if got := access.LastAdmin(c.users, a.Key); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestTheLastAdminOfEachKindIsKept(t *testing.T) {
	admin := func(key access.UserKey) access.User { return access.User{Key: key, Role: access.Admin} }
	lesser := func(u access.User) access.User { return u.WithRole(access.Viewer) }
	locked := func(u access.User) access.User { return u.WithDisabled(true) }
	removed := func(access.User) access.User { return access.User{} }
	for _, c := range []struct {
		key    access.UserKey
		change func(access.User) access.User
		what   string
		kept   bool
	}{
		{access.LocalKey("ana"), lesser, "a lesser role", true}, {access.LocalKey("ana"), locked, "locked out", true}, {access.LocalKey("ana"), removed, "removed", true},
		{access.ProxyKey("ana"), lesser, "a lesser role", true}, {access.ProxyKey("ana"), locked, "locked out", true}, {access.ProxyKey("ana"), removed, "removed", true},
		{access.OIDCKey("i", "ana"), lesser, "a lesser role, which the provider gives and takes", false}, {access.OIDCKey("i", "ana"), locked, "locked out", true},
		{access.OIDCKey("i", "ana"), removed, "removed, and back with the next login", false},
	} {
		u := admin(c.key)
		others := []access.User{u, {Key: c.key + "2", Role: access.Operator}}
		for _, key := range []access.UserKey{access.LocalKey("bo"), access.ProxyKey("bo"), access.OIDCKey("i", "bo")} {
			if key.From() != c.key.From() {
				others = append(others, admin(key))
			}
		}
		if after, err := access.Changed(others, u, c.change(u)); (err == access.ErrLastAdmin) != c.kept || c.kept && after != u {
			t.Errorf("%s, %s: %+v, %v", c.key, c.what, after, err)
		}
		if _, err := access.Changed(append(others, admin(c.key+"3")), u, c.change(u)); err != nil {
			t.Errorf("%s, one of two, %s: %v", c.key, c.what, err)
		}
	}
}

func TestPasswordsAreLongAndNotTheFirstThatAnybodyWouldTry(t *testing.T) {
	for password, want := range map[string]error{
		"drei Katzen im Sack": nil, "xkcdxkcdxkce": nil, "aaaaaaaaaaaab": nil, "пароль из слов": nil, "🐈🐈‍⬛ my two cats": nil, "          x z": nil,
		"ana.diaz@example.org!": nil,
		"short":                 access.ErrPasswordShort, "11 letters.": access.ErrPasswordShort, "пароль": access.ErrPasswordShort, "": access.ErrPasswordShort,
		"with a line end\n": access.ErrPasswordText, "with a nul \x00 in it": access.ErrPasswordText, "not UTF-8 \xff\xff\xff\xff": access.ErrPasswordText,
		strings.Repeat("x y z ", 171): access.ErrPasswordLong,
		"Password1234":                access.ErrPasswordCommon, "aaaaaaaaaaaa": access.ErrPasswordCommon, "abcabcabcabcab": access.ErrPasswordCommon, "Test1234Test"[:4] + "TEST" + "test": access.ErrPasswordCommon,
		"123456789012": access.ErrPasswordCommon, "0123456789012": access.ErrPasswordCommon, "098765432109": access.ErrPasswordCommon,
		"Ana.Diaz@Example.org": access.ErrPasswordCommon,
	} {
		if err := access.CheckPassword(password, "ana.diaz@example.org"); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%.40q: %v, want %v", password, err, want)
		}
	}
}
