package web

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// person is what a provider says of somebody.
type person struct {
	names  []string // the best to show first
	groups []string
	told   bool     // in which groups they are, be it in none
	claims []string // the names of all claims that there were, for the log
}

// person reads the ID token and, when that does not tell the groups, asks the userinfo endpoint. The error is
// errProvider: nobody is who an empty subject names, and what was made for another client proves nothing to us.
func (p *provider) person(ctx context.Context, known *oidc.Provider, token *oidc.IDToken,
	answer *oauth2.Token) (person, error) {
	var said claims
	if err := token.Claims(&said); err != nil {
		return person{}, fmt.Errorf("%w: %w", errProvider, err)
	}
	if strings.TrimSpace(token.Subject) == "" {
		return person{}, fmt.Errorf("%w: the ID token names nobody (sub is empty)", errProvider)
	}
	if azp := said["azp"]; azp != nil && azp != p.ClientID {
		return person{}, fmt.Errorf("%w: the ID token was made for another client (azp)", errProvider)
	}
	who := said.person(p.GroupsClaim)
	if !p.Roles.ByGroup() {
		who.told = true // whatever they are, they make no difference
	}
	if who.told || known.UserInfoEndpoint() == "" {
		return who, nil
	}
	info, err := known.UserInfo(ctx, oauth2.StaticTokenSource(answer))
	if err != nil {
		return person{}, fmt.Errorf("%w: %w", errProvider, err)
	}
	switch info.Subject { // OpenID Connect Core, 5.3.2
	case token.Subject:
	case "":
		who.claims = append(who.claims, "userinfo, which is not believed: it has no sub")
		return who, nil
	default:
		return person{}, fmt.Errorf("%w: the userinfo endpoint speaks of somebody else", errProvider)
	}
	var more claims
	if err := info.Claims(&more); err != nil {
		return person{}, fmt.Errorf("%w: %w", errProvider, err)
	}
	return who.with(more.person(p.GroupsClaim)), nil
}

// with is what is said of somebody with what is said elsewhere, too.
func (who person) with(more person) person {
	more.names = append(who.names, more.names...)
	more.claims = slices.Compact(slices.Sorted(slices.Values(append(who.claims, more.claims...))))
	return more
}

// claims are those of an ID token or of the userinfo endpoint. Providers write them as they like: one of another
// type than expected is as good as none, and keeps nobody out.
type claims map[string]any

func (c claims) person(groupsClaim string) person {
	who := person{claims: slices.Sorted(maps.Keys(c))}
	for _, name := range []string{"preferred_username", "email", "name"} {
		text, _ := c[name].(string)
		who.names = append(who.names, text)
	}
	value, _ := c.find(groupsClaim)
	who.groups, who.told = groupsOf(value)
	return who
}

// find is the claim of this name or, when there is none, what a path with dots leads to: names may have dots, too
// (https://example.org/groups), and so may steps of a path.
func (c claims) find(name string) (any, bool) {
	if value, there := c[name]; there {
		return value, true
	}
	for i := range len(name) {
		if name[i] != '.' {
			continue
		}
		if inner, ok := c[name[:i]].(map[string]any); ok {
			if value, there := claims(inner).find(name[i+1:]); there {
				return value, true
			}
		}
	}
	return nil, false
}

// groupsOf reads a list of texts, or one text, which is a list of one. Nothing, and what is neither, tells nothing.
func groupsOf(value any) (groups []string, told bool) {
	switch value := value.(type) {
	case string:
		if value == "" {
			return nil, true
		}
		return []string{value}, true
	case []any:
		for _, one := range value {
			if text, ok := one.(string); ok {
				groups = append(groups, text)
			}
		}
		return groups, len(groups) > 0 || len(value) == 0
	}
	return nil, false
}
