// Package access decides who may do what: people by role, machines by the scopes of their tokens, frames
// by what their embed token says. It holds the rules and the types only: it has no clock and no chance,
// stores nothing and hashes no password; times and random bytes are handed in.
package access

import (
	"fmt"
	"slices"
)

// Target is what an action is about. The zero value is everything; a source alone is all of its rooms.
type Target struct{ Source, RoomID string }

// kind is the kind of an identity.
type kind uint8

const (
	nobody kind = iota // the zero value, so that what was forgotten may do nothing
	person
	machine
	frame
	loopback
)

// Identity is who asks. It is made by Person, Machine, Frame or Loopback only, of what was proven before;
// the zero value is nobody.
type Identity struct {
	kind   kind
	key    UserKey // of a person
	name   string  // of a person or a machine, for the audit trail
	role   Role
	scopes []Scope
	scope  EmbedScope // of a frame
	masked bool
}

// Person is a user whose login was checked (see Login.Check). maskViewers is the setting by which viewers
// see masked names.
func Person(u User, maskViewers bool) Identity {
	if u.Disabled {
		return Identity{}
	}
	return Identity{kind: person, key: u.Key, name: u.Name, role: u.Role, masked: maskViewers && !u.Role.AtLeast(Operator)}
}

// Machine is who holds an API token that was checked (see APIToken.Check).
func Machine(t APIToken) Identity {
	return Identity{kind: machine, name: t.Name, scopes: slices.Clone(t.Scopes), masked: t.Mask}
}

// Frame is a page in a frame whose embed token was verified.
func Frame(e Embed) Identity {
	return Identity{kind: frame, scope: e.EmbedScope, masked: e.Mask}
}

// Loopback is whoever asks where there is no login (AUTH=none): somebody at this machine.
func Loopback() Identity { return Identity{kind: loopback} }

// Known says whether the identity is anybody at all: if not, the answer to a refusal is 401 or a login
// page, else 403.
func (i Identity) Known() bool { return i.kind != nobody }

// Masked says whether names must be masked for this identity, everywhere (see Mask). For nobody they are.
func (i Identity) Masked() bool { return i.masked || i.kind == nobody }

// User is the key of a person, or "".
func (i Identity) User() UserKey { return i.key }

// Audience names those who see the same: equal audiences of a view may share its HTML, others must not.
func (i Identity) Audience() string {
	switch i.kind {
	case person:
		return fmt.Sprintf("person %s masked=%t", i.role, i.masked)
	case machine:
		return fmt.Sprintf("machine %q masked=%t", i.scopes, i.masked)
	case frame:
		return fmt.Sprintf("frame %q %q all=%t masked=%t", i.scope.Source, i.scope.RoomID, i.scope.All, i.masked)
	case loopback:
		return "loopback"
	}
	return "nobody"
}

// Actor names the identity in the audit trail.
func (i Identity) Actor() Actor {
	switch i.kind {
	case person:
		return Actor{Kind: "user", Name: string(i.key)}
	case machine:
		return Actor{Kind: "token", Name: i.name}
	case frame:
		return Actor{Kind: "embed", Name: i.scope.Source + "/" + i.scope.RoomID}
	case loopback:
		return Actor{Kind: "loopback"}
	}
	return Actor{Kind: "nobody"}
}
