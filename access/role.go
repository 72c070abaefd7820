package access

import (
	"fmt"
	"slices"
	"strings"
)

// Role is what a person may do. A greater role may do all that a lesser one may. Any other text is no
// role: who has it may do nothing.
type Role string

// The roles, from the least to the greatest.
const (
	Viewer   Role = "viewer"   // sees rooms and their history
	Operator Role = "operator" // sees intake and files too, and hands out embed tokens
	Admin    Role = "admin"    // decides who may come in
)

var roles = []Role{Viewer, Operator, Admin}

// ParseRole reads the name of a role.
func ParseRole(text string) (Role, error) {
	if role := Role(text); slices.Contains(roles, role) {
		return role, nil
	}
	return "", fmt.Errorf("%s is no role: viewer, operator or admin", quoted(text))
}

// AtLeast says whether r is least or greater. What is no role is never enough, and nothing is enough for it.
func (r Role) AtLeast(least Role) bool {
	need := slices.Index(roles, least)
	return need >= 0 && slices.Index(roles, r) >= need
}

// Scope is what an API token may do.
type Scope string

// The scopes of API tokens.
const (
	ReadState   Scope = "read:state"
	ReadMetrics Scope = "read:metrics"
	MintEmbed   Scope = "mint:embed"
)

// Scopes are all there are: what the token of the setting API_TOKEN has.
func Scopes() []Scope { return []Scope{ReadState, ReadMetrics, MintEmbed} }

// ParseScopes reads scopes, each once, in the order of Scopes. No scope at all is an error.
func ParseScopes(texts []string) ([]Scope, error) {
	var out []Scope
	for _, text := range texts {
		if !slices.Contains(Scopes(), Scope(text)) {
			return nil, fmt.Errorf("%s is no scope: read:state, read:metrics or mint:embed", quoted(text))
		}
	}
	for _, scope := range Scopes() {
		if slices.Contains(texts, string(scope)) {
			out = append(out, scope)
		}
	}
	if out == nil {
		return nil, fmt.Errorf("a token needs a scope: read:state, read:metrics or mint:embed")
	}
	return out, nil
}

// GroupRoles is which group of an identity provider makes which role. The group * is everybody that the
// provider lets in.
type GroupRoles map[string]Role

// ParseGroupRoles reads entries such as "rooms-admins=admin". A group may hold "=" itself, as in LDAP.
func ParseGroupRoles(entries []string) (GroupRoles, error) {
	out := make(GroupRoles, len(entries))
	for _, entry := range entries {
		i := strings.LastIndexByte(entry, '=')
		if i <= 0 {
			return nil, fmt.Errorf("%s is not written like group=role", quoted(entry))
		}
		group := entry[:i]
		role, err := ParseRole(entry[i+1:])
		if err != nil {
			return nil, err
		}
		if _, twice := out[group]; twice {
			return nil, fmt.Errorf("the group %s has two roles", quoted(group))
		}
		out[group] = role
	}
	return out, nil
}

// ByGroup says whether any group makes a role, beside that of everybody.
func (g GroupRoles) ByGroup() bool {
	_, everybody := g["*"]
	return len(g) > 1 || len(g) == 1 && !everybody
}

// Role is the greatest role that one of the groups makes, or "" for somebody who may not come in. A
// provider that sends a group named * gains nothing by it.
func (g GroupRoles) Role(groups []string) Role {
	best := g["*"]
	for _, group := range groups {
		if role := g[group]; role.AtLeast(best) || best == "" {
			best = role
		}
	}
	return best
}
