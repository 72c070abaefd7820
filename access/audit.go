package access

import (
	"slices"
	"time"
)

// Act is a kind of entry in the audit trail.
type Act string

// What is recorded.
const (
	ActLogin           Act = "login"
	ActLoginFailed     Act = "login_failed"
	ActLoginThrottled  Act = "login_throttled" // the first of a row, see Verdict.News
	ActLogout          Act = "logout"
	ActLoginRevoked    Act = "login_revoked"
	ActSetup           Act = "setup"
	ActSetupFailed     Act = "setup_failed"
	ActUserAdded       Act = "user_added"
	ActUserRemoved     Act = "user_removed"
	ActUserDisabled    Act = "user_disabled"
	ActUserEnabled     Act = "user_enabled"
	ActRoleChanged     Act = "role_changed"
	ActPasswordChanged Act = "password_changed"
	ActTokenCreated    Act = "token_created"
	ActTokenRevoked    Act = "token_revoked"
	ActEmbedMinted     Act = "embed_minted"
	ActEmbedRefused    Act = "embed_refused" // to somebody who may mint, or whose frame asked for another scope
	ActDownload        Act = "download"
	ActRoomEnded       Act = "room_ended" // plugNmeet was asked to end a session, and agreed
	ActDenied          Act = "denied"     // somebody known asked for what only others may
)

var byStrangers = []Act{ActLoginFailed, ActLoginThrottled, ActSetupFailed}

// ByStranger says that anybody can cause such entries without having come in. They are kept under a cap of
// their own, or a stranger could push everything else out of the trail.
func (a Act) ByStranger() bool { return slices.Contains(byStrangers, a) }

// Actor is who did it: "user" with the user's key, "token" with the token's name, "embed" with the scope,
// "command" for the command line, "loopback", or "nobody".
type Actor struct{ Kind, Name string }

// Command is whoever uses the command line beside the store.
func Command() Actor { return Actor{Kind: "command"} }

// Entry is one line of the audit trail: who did what to whom, from where. It holds no token and no password.
type Entry struct {
	At      time.Time
	Act     Act
	Actor   Actor
	Target  string // a user's key, a token's name, a login's id, a room
	Address string
	Detail  string // such as "viewer → admin"
}

// maxDetail bounds each text of an entry, in bytes.
const maxDetail = 256

// NewEntry bounds the texts and keeps each in its line. Target of a failed login is the user's key if there
// is such a user, else empty: people type their password where their name belongs.
func NewEntry(at time.Time, act Act, actor Actor, target, address, detail string) Entry {
	actor.Name = line(actor.Name, maxDetail)
	return Entry{at, act, actor, line(target, maxDetail), line(address, maxAddress), line(detail, maxDetail)}
}
