package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/web"
)

// said is a user of whom the provider says exactly this, in the ID token and at the userinfo endpoint; what is nil
// is left out.
type said struct {
	token, info map[string]any
}

func (s said) ID() string { sub, _ := s.token["sub"].(string); return sub }

func (s said) Userinfo([]string) ([]byte, error) {
	if s.info == nil {
		return nil, errors.New("the endpoint is broken")
	}
	return json.Marshal(s.info)
}

func (s said) Claims(_ []string, base *mockoidc.IDTokenClaims) (jwt.Claims, error) {
	claims := jwt.MapClaims{"iss": base.Issuer, "aud": base.Audience, "exp": base.ExpiresAt.Unix(), "iat": base.IssuedAt.Unix(), "nonce": base.Nonce}
	for name, value := range s.token {
		claims[name] = value
	}
	return claims, nil
}

type claims = map[string]any

// of is what a provider says of somebody in the ID token alone.
func of(subject string, more claims) said {
	token := claims{"sub": subject, "preferred_username": subject}
	for name, value := range more {
		token[name] = value
	}
	return said{token: token, info: claims{"sub": subject}}
}

// comes is a login at the provider, and the cookie of it when it was let in.
func (r *rig) comes(provider *mockoidc.MockOIDC, user mockoidc.User) (answer, string) {
	r.t.Helper()
	provider.QueueUser(user)
	cookie, ask := r.begun("/")
	in := r.get(r.agreed(ask), "Cookie", cookie)
	if in.StatusCode == http.StatusSeeOther {
		return in, cookieOf(r.t, in)
	}
	return in, ""
}

func (r *rig) userAt(provider *mockoidc.MockOIDC, subject string) access.User {
	r.t.Helper()
	u, err := r.accounts().User(context.Background(), access.OIDCKey(provider.Issuer(), subject))
	if err != nil {
		r.t.Fatal(err)
	}
	return u
}

func groupRoles(t *testing.T, entries ...string) access.GroupRoles {
	t.Helper()
	roles, err := access.ParseGroupRoles(entries)
	if err != nil {
		t.Fatal(err)
	}
	return roles
}

// Fault 49: groups as providers write them. The roles are rooms-admins=admin and rooms=viewer.
func TestFault49GroupsAreReadAsProvidersWriteThem(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		claim string // OIDC_GROUPS_CLAIM
		token claims
		info  claims
		role  access.Role // "": refused
	}{
		"a list":                               {"", claims{"groups": []string{"staff", "rooms"}}, nil, access.Viewer},
		"one group as text":                    {"", claims{"groups": "rooms-admins"}, nil, access.Admin},
		"a text is one group, not many":        {"", claims{"groups": "staff rooms,rooms"}, nil, ""},
		"a list with what is no text":          {"", claims{"groups": []any{7, nil, claims{"name": "rooms-admins"}, "rooms"}}, nil, access.Viewer},
		"groups from the userinfo endpoint":    {"", nil, claims{"groups": []string{"rooms-admins"}}, access.Admin},
		"one group from there as text":         {"", nil, claims{"groups": "rooms"}, access.Viewer},
		"null in the token, a list from there": {"", claims{"groups": nil}, claims{"groups": []string{"rooms"}}, access.Viewer},
		"what is signed comes first":           {"", claims{"groups": []string{"rooms"}}, claims{"groups": []string{"rooms-admins"}}, access.Viewer},
		"in no group, so the token says":       {"", claims{"groups": []string{}}, claims{"groups": []string{"rooms-admins"}}, ""},
		"another claim":                        {"roles", claims{"roles": []string{"rooms-admins"}, "groups": []string{"rooms"}}, nil, access.Admin},
		"a claim whose name is an address":     {"https://example.org/rooms.groups", claims{"https://example.org/rooms.groups": []string{"rooms"}}, nil, access.Viewer},
		"a path":                               {"realm_access.roles", claims{"realm_access": claims{"roles": []string{"rooms"}}}, nil, access.Viewer},
		"a path, at the userinfo endpoint":     {"realm_access.roles", nil, claims{"realm_access": claims{"roles": []string{"rooms"}}}, access.Viewer},
		"a path through a name with dots":      {"resource_access.rooms.example.org.roles", claims{"resource_access": claims{"rooms.example.org": claims{"roles": "rooms"}}}, nil, access.Viewer},
		"the name before the path":             {"a.b", claims{"a.b": "rooms", "a": claims{"b": "rooms-admins"}}, nil, access.Viewer},
		"a path that ends early":               {"realm_access.roles", claims{"realm_access": "roles"}, nil, ""},
		"names of other types":                 {"", claims{"groups": "rooms", "email": 7, "preferred_username": claims{}, "name": []string{"x"}}, nil, access.Viewer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, provider := atProvider(t, func(a *web.Auth) { a.OIDC.GroupsClaim = c.claim })
			user := of("ana", c.token)
			for name, value := range c.info {
				user.info[name] = value
			}
			in, _ := r.comes(provider, user)
			if c.role == "" {
				if in.StatusCode != http.StatusForbidden {
					t.Errorf("%d %s", in.StatusCode, in.body)
				}
				return
			}
			if in.StatusCode != http.StatusSeeOther {
				t.Fatalf("%d %s; the log says %s", in.StatusCode, in.body, r.logged)
			}
			if u := r.userAt(provider, "ana"); u.Role != c.role {
				t.Errorf("%+v", u)
			}
		})
	}
}

// Fault 49: a login without groups is refused, and nobody is any worse off for it.
func TestFault49ALoginWithoutGroupsIsRefusedAndDisablesNobody(t *testing.T) {
	t.Parallel()
	r, provider := atProvider(t)
	_, admin := r.comes(provider, of("ana", claims{"groups": []string{"rooms-admins"}}))
	_, viewer := r.comes(provider, of("bo", claims{"groups": []string{"rooms"}}))
	for _, silent := range []claims{nil, {"groups": nil}, {"groups": 7}, {"groups": []any{7, claims{}}}, {"roles": []string{"rooms"}}} {
		for _, who := range []string{"ana", "bo", "cleo"} {
			in, _ := r.comes(provider, of(who, silent))
			if in.StatusCode != http.StatusForbidden || !strings.Contains(in.body, "did not tell in which groups you are") || !strings.Contains(in.body, "OIDC_GROUPS_CLAIM") {
				t.Errorf("%s with %v: %d %s", who, silent, in.StatusCode, in.body)
			}
		}
	}
	for who, cookie := range map[string]string{"ana": admin, "bo": viewer} {
		if u := r.userAt(provider, who); u.Disabled || who == "ana" && u.Role != access.Admin {
			t.Errorf("%s is %+v", who, u)
		}
		if a := r.get("/", "Cookie", cookie); a.StatusCode != http.StatusOK {
			t.Errorf("what %s had open: %d", who, a.StatusCode)
		}
	}
	if !strings.Contains(r.logged.String(), `no claim \"groups\" with a list of texts`) || !strings.Contains(r.logged.String(), `\"roles\"`) {
		t.Errorf("the log says %s", r.logged)
	}
	if _, cookie := r.comes(provider, of("ana", claims{"groups": "rooms-admins"})); cookie == "" {
		t.Error("with groups again, the admin is refused")
	} else if a := r.get("/users", "Cookie", cookie); a.StatusCode != http.StatusOK {
		t.Errorf("the admin's page: %d", a.StatusCode)
	}
}

// Fault 49: nobody is locked out for good, whatever the provider has said in between.
func TestFault49WhoLosesTheGroupComesInAgainWithIt(t *testing.T) {
	t.Parallel()
	r, provider := atProvider(t)
	_, _ = r.comes(provider, of("ana", claims{"groups": "rooms-admins"}))
	_, bo := r.comes(provider, of("bo", claims{"groups": "rooms-admins"}))
	watching, _ := r.dial("view=overview", "Cookie", bo)
	watching.next()
	if in, _ := r.comes(provider, of("bo", claims{"groups": []string{"staff"}})); in.StatusCode != http.StatusForbidden || !strings.Contains(in.body, "none of your groups") {
		t.Errorf("without the group: %d %s", in.StatusCode, in.body)
	}
	if code := watching.closed(5 * time.Second); code != 4401 {
		t.Errorf("what was open: %d", code)
	}
	if a := r.get("/", "Cookie", bo); a.StatusCode != http.StatusSeeOther {
		t.Errorf("the old login: %d", a.StatusCode)
	}
	if u := r.userAt(provider, "bo"); u.Disabled || u.Role != access.Viewer {
		t.Errorf("bo is %+v", u)
	}
	if _, bo = r.comes(provider, of("bo", claims{"groups": "rooms-admins"})); bo == "" {
		t.Fatal("with the group again, bo is refused")
	}
	if a := r.get("/users", "Cookie", bo); a.StatusCode != http.StatusOK {
		t.Errorf("bo's role is not back: %d", a.StatusCode)
	}
}

func TestFault49TheLastAdminStaysIn(t *testing.T) {
	t.Parallel()
	r, provider := atProvider(t, func(a *web.Auth) { a.OIDC.Roles = groupRoles(t, "rooms-admins=admin", "*=viewer") })
	_, ana := r.comes(provider, of("ana", claims{"groups": "rooms-admins"}))
	_, _ = r.comes(provider, of("bo", claims{"groups": "rooms-admins"}))
	// Silence lets everybody in as what everybody is, and takes nothing from the last admin.
	if _, bo := r.comes(provider, of("bo", nil)); bo == "" || r.userAt(provider, "bo").Role != access.Viewer {
		t.Errorf("one of two admins: %+v", r.userAt(provider, "bo"))
	}
	if _, again := r.comes(provider, of("ana", nil)); again == "" || r.userAt(provider, "ana").Role != access.Admin {
		t.Errorf("the last one: %+v", r.userAt(provider, "ana"))
	}
	if a := r.get("/users", "Cookie", ana); a.StatusCode != http.StatusOK {
		t.Errorf("what the last admin had open: %d", a.StatusCode)
	}
	// An admin's lock stays, whatever the provider says, and is not for the last admin.
	if a := r.form("/users", ana, "do", "disable", "key", string(r.userAt(provider, "ana").Key)); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.body, "could let others in") {
		t.Errorf("locking out the last admin: %d", a.StatusCode)
	}
	if a := r.form("/users", ana, "do", "disable", "key", string(r.userAt(provider, "bo").Key)); a.StatusCode != http.StatusOK {
		t.Errorf("locking out somebody else: %d", a.StatusCode)
	}
	if in, _ := r.comes(provider, of("bo", claims{"groups": "rooms-admins"})); in.StatusCode != http.StatusForbidden || !strings.Contains(in.body, "locked you out here") {
		t.Errorf("somebody whom an admin has locked out: %d %s", in.StatusCode, in.body)
	}
}

func TestFault49WithoutTheGroupTheLastAdminIsRefusedAndKept(t *testing.T) {
	t.Parallel()
	r, provider := atProvider(t)
	_, ana := r.comes(provider, of("ana", claims{"groups": "rooms-admins"}))
	if in, _ := r.comes(provider, of("ana", claims{"groups": "staff"})); in.StatusCode != http.StatusForbidden {
		t.Errorf("%d", in.StatusCode)
	}
	if u := r.userAt(provider, "ana"); u.Role != access.Admin || u.Disabled {
		t.Errorf("%+v", u)
	}
	if a := r.get("/users", "Cookie", ana); a.StatusCode != http.StatusOK {
		t.Errorf("what was open: %d", a.StatusCode)
	}
}

func TestFault49WhereNoGroupMattersNoneIsAskedFor(t *testing.T) {
	t.Parallel()
	r, provider := atProvider(t, func(a *web.Auth) { a.OIDC.Roles = groupRoles(t, "*=operator") })
	user := of("ana", nil)
	user.info = claims{"sub": "somebody else"} // which would refuse the login
	if _, cookie := r.comes(provider, user); cookie == "" || r.userAt(provider, "ana").Role != access.Operator {
		t.Errorf("the log says %s", r.logged)
	}
}

// Fault 49: nobody, and somebody else.
func TestFault49WhoIsNotNamedOrNamedForAnotherIsRefused(t *testing.T) {
	t.Parallel()
	r, provider := atProvider(t)
	good := claims{"groups": "rooms-admins"}
	with := func(user said, name string, value any) said { user.token[name] = value; return user }
	info := func(user said, sub any) said {
		delete(user.token, "groups")
		user.info = claims{"groups": "rooms-admins"}
		if sub != nil {
			user.info["sub"] = sub
		}
		return user
	}
	for name, c := range map[string]struct {
		user said
		code int
	}{
		"an empty sub":                     {of("", good), 502},
		"a sub of spaces":                  {of(" \t", good), 502},
		"no sub":                           {with(of("ana", good), "sub", nil), 502},
		"a foreign azp":                    {with(of("ana", good), "azp", "another-client"), 502},
		"an azp that is no text":           {with(of("ana", good), "azp", []string{provider.ClientID}), 502},
		"our azp":                          {with(of("ana", good), "azp", provider.ClientID), 303},
		"no azp":                           {with(of("bo", good), "azp", nil), 303},
		"userinfo of somebody else":        {info(of("cleo", good), "ana"), 502},
		"userinfo that names nobody":       {info(of("cleo", good), nil), 403},
		"userinfo of the very same person": {info(of("cleo", good), "cleo"), 303},
	} {
		if in, _ := r.comes(provider, c.user); in.StatusCode != c.code {
			t.Errorf("%s: %d %s", name, in.StatusCode, in.body)
		}
	}
	users, err := r.accounts().Users(t.Context())
	if err != nil || slices.ContainsFunc(users, func(u access.User) bool { return !slices.Contains([]string{"ana", "bo", "cleo"}, u.Name) }) {
		t.Errorf("users are %+v, %v", users, err)
	}
}

func TestFault49AProviderThatCannotBeAskedAgainChangesNobody(t *testing.T) {
	t.Parallel()
	r, provider := atProvider(t)
	_, ana := r.comes(provider, of("ana", claims{"groups": "rooms-admins"}))
	if in, _ := r.comes(provider, said{token: claims{"sub": "ana"}}); in.StatusCode != http.StatusBadGateway {
		t.Errorf("%d", in.StatusCode)
	}
	if u := r.userAt(provider, "ana"); u.Role != access.Admin || u.Disabled {
		t.Errorf("%+v", u)
	}
	if a := r.get("/users", "Cookie", ana); a.StatusCode != http.StatusOK {
		t.Errorf("what was open: %d", a.StatusCode)
	}
}
