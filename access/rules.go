package access

import "slices"

// Action is something that only some may do. Every handler and every view asks for one.
type Action uint8

// The actions. What each stands for is in the rules below.
const (
	SeeRooms Action = iota
	SeeHistory
	SearchPeople
	SeeIntake
	SeeBodies
	Download
	EndRoom
	SeeMetrics
	Mint
	OwnAccount
	ManageUsers
	ManageTokens
	SeeAudit

	actions // how many there are
)

// rule is who may do an action. What is left out may not.
type rule struct {
	name     string
	role     Role  // the least role of a person
	scope    Scope // of a machine
	frame    bool  // a frame may, within its scope
	loopback bool  // where there is no login
	unmasked bool  // whoever sees masked names may not: the action would show them
}

// rules is the whole permission table. An action without a rule is refused to everybody, and a test fails.
var rules = [actions]rule{
	// Rooms of now and one room's page, over HTTP and over the socket. The only thing frames are for.
	SeeRooms: {name: "see rooms", role: Viewer, scope: ReadState, frame: true, loopback: true},
	// Lists of past sessions, recordings and artifacts.
	SeeHistory: {name: "see history", role: Viewer, scope: ReadState, loopback: true},
	// Searching by a name tells who was there as well as showing it does.
	SearchPeople: {name: "search people", role: Viewer, scope: ReadState, frame: true, loopback: true, unmasked: true},
	// Deliveries with verdict and reason: addresses of strangers and names of sources are in there.
	SeeIntake: {name: "see intake", role: Operator, scope: ReadState, loopback: true},
	// What a delivery said. Names are all over it, and no mask reaches them.
	SeeBodies: {name: "see bodies", role: Operator, scope: ReadState, loopback: true, unmasked: true},
	// Files of recordings and artifacts. Voices and names are in them.
	Download: {name: "download", role: Operator, loopback: true, unmasked: true},
	// To end a session for everybody in it: the one thing here that changes plugNmeet. Never for a machine.
	EndRoom: {name: "end rooms", role: Operator, loopback: true},
	// Figures without a room or a person in them.
	SeeMetrics: {name: "see metrics", role: Operator, scope: ReadMetrics, loopback: true},
	// Embed tokens (see MayMint, which asks for more).
	Mint: {name: "mint", role: Operator, scope: MintEmbed, loopback: true},
	// One's own password and logins.
	OwnAccount: {name: "own account", role: Viewer},
	// Users, their roles and everybody's logins. Never for a machine: a leaked token must not make users.
	ManageUsers: {name: "manage users", role: Admin},
	// API tokens. Without a login there is nobody to hold responsible for them.
	ManageTokens: {name: "manage tokens", role: Admin},
	SeeAudit:     {name: "see audit", role: Admin, loopback: true},
}

// String is the action's name, for logs.
func (a Action) String() string {
	if a >= actions {
		return "unknown action"
	}
	return rules[a].name
}

// May says whether the identity may do this to that. It is the only answer to the question; a frame's
// target must lie within its scope.
func (i Identity) May(do Action, on Target) bool {
	if do >= actions || rules[do].name == "" {
		return false
	}
	r := rules[do]
	if r.unmasked && i.masked {
		return false
	}
	switch i.kind {
	case person:
		return i.role.AtLeast(r.role)
	case machine:
		return r.scope != "" && slices.Contains(i.scopes, r.scope)
	case frame:
		return r.frame && i.scope.Covers(on)
	case loopback:
		return r.loopback
	}
	return false
}

// MayMint says whether the identity may hand out an embed token of this scope. Who sees masked names can
// hand out masked ones only, or the mask could be taken off by a detour.
func (i Identity) MayMint(scope EmbedScope) bool {
	return i.May(Mint, scope.Target()) && (scope.Mask || !i.masked)
}
