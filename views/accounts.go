package views

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/a-h/templ"
)

// Reader is who reads a page, as far as the page tells it. The zero value is somebody where there is no login.
type Reader struct {
	Name     string // "" where there is no login, and for machines
	Role     string
	NoIntake bool
	Manages  bool // users, tokens and the audit trail
	LogsOut  bool // the login is ours to end
}

// places are the pages that the reader may see.
func (r Reader) places() []place {
	return slices.DeleteFunc(slices.Clone(places[:]), func(p place) bool { return r.NoIntake && p.nav == "intake" })
}

// Login is the page that asks who somebody is.
type Login struct {
	Next      string // where to go afterwards
	Name      string // as typed before
	Problem   string // a sentence, "" at first
	Insecure  bool   // nothing may be typed here
	Provider  bool   // an identity provider asks
	Elsewhere bool   // a proxy in front asks
	Setup     bool   // nobody can log in before the first user is made
}

// Setup is the page that makes the first user.
type Setup struct {
	Name, Problem string
	Insecure      bool
}

// Account is somebody's own page.
type Account struct {
	Name, Role, Key string
	Password        bool // has one here
	Logins          []LoginLine
	Said, Problem   string
}

// LoginLine is a login in a list.
type LoginLine struct {
	ID, User, Address, Agent string
	Begun, Seen, Ends        time.Time
	Here                     bool // this is the one that asks
}

// Users is the page of those who may come in.
type Users struct {
	List          []UserLine
	Logins        []LoginLine
	Password      bool // users have passwords here, and can be added
	Roles         bool // roles are given here
	Name          string
	Said, Problem string
}

// UserLine is a user in a list.
type UserLine struct {
	Key, Name, Role string
	From            string // where the user is known: here, provider, proxy
	Disabled, Self  bool
	CreatedAt       time.Time
	Logins          int
}

// Tokens is the page of what machines come in with.
type Tokens struct {
	List          []TokenLine
	Fresh         string // the text of a token that was just made: it is shown once
	Name          string
	Said, Problem string
}

// TokenLine is an API token in a list.
type TokenLine struct {
	ID, Name, Scopes, By         string
	Mask                         bool
	CreatedAt, ExpiresAt, UsedAt time.Time
	State                        string // good, expired or revoked
}

// Audit is the page of who did what.
type Audit struct {
	List []AuditLine
	Next int64 // to go on with; 0 at the end
	More bool  // this is not the newest page
}

// AuditLine is a line of the trail.
type AuditLine struct {
	At                                  time.Time
	Act, Kind, Who, To, Address, Detail string
}

var userRoles = []string{"viewer", "operator", "admin"}

// scopeWords are the scopes of tokens, with what each is for.
var scopeWords = [...][2]string{
	{"read:state", "rooms, history and intake, by the API"},
	{"read:metrics", "/metrics, for Prometheus"},
	{"mint:embed", "embed tokens, for a console’s backend"},
}

// actWords say in words what was done.
var actWords = map[string]string{
	"login": "logged in", "login_failed": "failed to log in", "login_throttled": "was told to wait with logging in", "logout": "logged out",
	"login_revoked": "ended a login", "setup": "made the first user", "setup_failed": "tried a wrong setup token",
	"user_added": "added a user", "user_removed": "removed a user", "user_disabled": "locked a user out", "user_enabled": "let a user in again",
	"role_changed": "changed a role", "password_changed": "changed a password", "token_created": "made a token", "token_revoked": "revoked a token",
	"embed_minted": "minted an embed token", "embed_refused": "was refused an embed token", "download": "downloaded a file", "denied": "asked for what takes another role",
}

func actWord(act string) string {
	if word, ok := actWords[act]; ok {
		return word
	}
	return act
}

var tokenSigns = map[string]sign{
	"good": {"ticked", "Good", "good"}, "expired": {"half", "Expired", "late"}, "revoked": {"crossed", "Revoked", "failed"},
}

func auditURL(before int64) templ.SafeURL {
	return templ.URL("/audit?before=" + strconv.FormatInt(before, 10))
}

// AccountRoot, UsersRoot, TokensRoot and AuditRoot are the roots of their pages.
func AccountRoot(a Account) []byte { return render(accountRoot(a)) }
func UsersRoot(u Users) []byte     { return render(usersRoot(u)) }
func TokensRoot(t Tokens) []byte   { return render(tokensRoot(t)) }
func AuditRoot(a Audit) []byte     { return render(auditRoot(a)) }

// providerURL begins a login at the identity provider.
func providerURL(next string) templ.SafeURL {
	return templ.URL("/login/start?next=" + url.QueryEscape(next))
}
