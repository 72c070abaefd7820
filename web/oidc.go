package web

import (
	"cmp"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/gofiber/fiber/v2"
	"golang.org/x/oauth2"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/views"
)

// OIDC is an identity provider that says who people are (AUTH=oidc).
type OIDC struct {
	Issuer, ClientID, ClientSecret string
	Roles                          access.GroupRoles
	GroupsClaim                    string            // that tells somebody's groups, or the path to it; "" is groups
	Transport                      http.RoundTripper // the way to it; nil is the usual one
}

// provider is the identity provider as it describes itself, asked for when somebody logs in first: it may be
// away when we start.
type provider struct {
	OIDC
	client http.Client

	mu    sync.Mutex
	known *oidc.Provider
}

const (
	providerTime = 10 * time.Second // for a question to the provider
	awayTime     = 10 * time.Minute // that somebody may take at the provider
	awayCookie   = "roomwatch-login"
)

func newProvider(o OIDC) *provider {
	o.GroupsClaim = cmp.Or(o.GroupsClaim, "groups")
	return &provider{OIDC: o, client: http.Client{Timeout: providerTime, Transport: o.Transport}}
}

// Why somebody who comes back from the provider is not let in. The page says no more; the log does.
var (
	errProvider = errors.New("the provider does not answer as it should")
	errAway     = errors.New("what came back from the provider belongs to no login that began here")
	errNoGroup  = errors.New("none of the groups makes a role")
	errNoClaim  = errors.New("neither the ID token nor the userinfo endpoint tells the groups")
	errLocked   = errors.New("an admin has locked this user out")
)

// Check asks the provider for its description, as the first login does.
func (o OIDC) Check() error {
	_, err := newProvider(o).discover()
	return err
}

// discover is the provider's description of itself, which must name itself as the settings do.
func (p *provider) discover() (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known != nil {
		return p.known, nil
	}
	known, err := oidc.NewProvider(oidc.ClientContext(context.Background(), &p.client), p.Issuer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errProvider, err)
	}
	p.known = known
	return known, nil
}

// flow is the code flow, which comes back to this address of ours.
func (p *provider) flow(known *oidc.Provider, back string) *oauth2.Config {
	var has struct {
		Scopes []string `json:"scopes_supported"`
	}
	scopes := []string{oidc.ScopeOpenID, "profile", "email"}
	if err := known.Claims(&has); err == nil {
		for _, scope := range slices.Compact([]string{"groups", p.GroupsClaim}) {
			if slices.Contains(has.Scopes, scope) {
				scopes = append(scopes, scope)
			}
		}
	}
	return &oauth2.Config{ClientID: p.ClientID, ClientSecret: p.ClientSecret, Endpoint: known.Endpoint(), RedirectURL: back, Scopes: scopes}
}

// away is what the browser keeps, sealed, while somebody is at the provider.
type away struct {
	State, Nonce, Verifier, Next string
	Until                        time.Time
}

// beginOIDC sends somebody to the provider.
func (s *Server) beginOIDC(c *fiber.Ctx) error {
	if !s.mayLogIn(c) {
		return s.showLogin(c, fiber.StatusForbidden, "/", "", "")
	}
	known, err := s.provider.discover()
	if err != nil {
		return s.failedOIDC(c, err)
	}
	a := away{State: oauth2.GenerateVerifier(), Nonce: oauth2.GenerateVerifier(), Verifier: oauth2.GenerateVerifier(), Next: localPath(c.Query("next")), Until: time.Now().Add(awayTime)}
	sealed, err := seal(s.keys.oidc, a)
	if err != nil {
		return err
	}
	s.setCookie(c, awayCookie, sealed, awayTime)
	to := s.provider.flow(known, s.back(c)).AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier))
	return c.Redirect(to, fiber.StatusSeeOther)
}

// back is the address that the provider sends people back to.
func (s *Server) back(c *fiber.Ctx) string {
	scheme := "http://"
	if s.encrypted(c) {
		scheme = "https://"
	}
	return scheme + c.Hostname() + s.below("/login/callback")
}

// endOIDC lets in whom the provider sends back, if that began here, in this browser.
func (s *Server) endOIDC(c *fiber.Ctx) error {
	a, err := open(s.keys.oidc, s.cookie(c, awayCookie))
	s.setCookie(c, awayCookie, "", -1)
	if err == nil && (time.Now().After(a.Until) || subtle.ConstantTimeCompare([]byte(a.State), []byte(c.Query("state"))) != 1) {
		err = errAway
	}
	if iss := c.Query("iss"); err == nil && iss != "" && iss != s.provider.Issuer { // RFC 9207
		err = errAway
	}
	if err != nil || !s.mayLogIn(c) {
		return s.failedOIDC(c, errAway)
	}
	if problem := c.Query("error"); problem != "" {
		return s.failedOIDC(c, fmt.Errorf("%w: it says %q", errProvider, problem[:min(len(problem), 60)]))
	}
	u, err := s.provided(c, a)
	if err != nil {
		return s.failedOIDC(c, err)
	}
	if err := s.begin(c, u); err != nil {
		return err
	}
	return c.Redirect(a.Next, fiber.StatusSeeOther)
}

// provided is the user whom the provider vouches for, with the role that their groups make today.
func (s *Server) provided(c *fiber.Ctx, a away) (access.User, error) {
	ctx, cancel := context.WithTimeout(context.Background(), providerTime)
	defer cancel()
	ctx = oidc.ClientContext(ctx, &s.provider.client)
	known, err := s.provider.discover()
	if err != nil {
		return access.User{}, err
	}
	answer, err := s.provider.flow(known, s.back(c)).Exchange(ctx, c.Query("code"), oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return access.User{}, fmt.Errorf("%w: %w", errProvider, err)
	}
	text, _ := answer.Extra("id_token").(string)
	token, err := known.Verifier(&oidc.Config{ClientID: s.provider.ClientID}).Verify(ctx, text)
	if err != nil {
		return access.User{}, fmt.Errorf("%w: %w", errProvider, err)
	}
	if subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(a.Nonce)) != 1 {
		return access.User{}, fmt.Errorf("%w: another nonce", errAway)
	}
	who, err := s.provider.person(ctx, known, token, answer)
	if err != nil {
		return access.User{}, err
	}
	return s.enrol(ctx, access.OIDCKey(token.Issuer, token.Subject), who)
}

// enrol keeps the user with what the provider says of them today, and lets nobody in without a role.
func (s *Server) enrol(ctx context.Context, key access.UserKey, who person) (access.User, error) {
	users, err := s.Auth.Accounts.Users(ctx)
	if err != nil {
		return access.User{}, s.unreadable(err)
	}
	role := s.provider.Roles.Role(who.groups)
	i := slices.IndexFunc(users, func(u access.User) bool { return u.Key == key })
	switch {
	case i >= 0:
		return s.enrolAgain(ctx, users[i], who, role, access.LastAdminOfKind(users, key))
	case role == "":
		return access.User{}, s.provider.refusal(who)
	}
	u := access.User{Key: key, Name: access.ShownName(who.names...), Role: role, CreatedAt: time.Now().UTC()}
	if err := s.Auth.Accounts.AddUser(ctx, u, false); err != nil {
		return u, s.unreadable(err)
	}
	return u, nil
}

// enrolAgain is for somebody who is known. That the provider says nothing of groups is no word against anybody:
// without a role it refuses this login alone, and it takes nothing from the last admin. What it does say is what
// is so: a lesser role ends what was open, and so does none. Nobody is locked out by it: the next login may have
// a role again.
func (s *Server) enrolAgain(ctx context.Context, u access.User, who person, role access.Role,
	lastAdmin bool) (access.User, error) {
	switch {
	case u.Disabled:
		return u, errLocked
	case role == "" && (!who.told || lastAdmin):
		return u, s.provider.refusal(who)
	case !who.told && lastAdmin:
		return u, nil
	}
	_, u, err := s.Auth.Accounts.ChangeUser(ctx, u.Key, func(u access.User) access.User {
		u.Name = access.ShownName(append(who.names, u.Name)...)
		if role == "" {
			return u.WithRole(access.Viewer).LoggedOut()
		}
		return u.WithRole(role)
	})
	s.warden.look()
	switch {
	case err != nil:
		return u, s.unreadable(err)
	case role == "":
		return u, s.provider.refusal(who)
	case u.Disabled:
		return u, errLocked
	}
	return u, nil
}

// refusal is why somebody has no role. The log tells which claims there were, so that the right one can be named.
func (p *provider) refusal(who person) error {
	if who.told {
		return errNoGroup
	}
	return fmt.Errorf("%w: there is no claim %q with a list of texts, there are %q", errNoClaim, p.GroupsClaim, who.claims)
}

// What the login page says of what went wrong at the provider.
const (
	saidProvider = "The identity provider did not answer as it should. Try again; the cause is in the log of the server."
	saidAway     = "This login did not begin here, or took too long. Begin again."
	saidNoGroup  = "The identity provider knows you, but none of your groups may come in here. Ask whoever runs Roomwatch."
	saidNoClaim  = "The identity provider knows you, but did not tell in which groups you are, so you cannot be let in now. Your account here is as it was. Whoever runs Roomwatch finds in its log what the provider told; OIDC_GROUPS_CLAIM names the claim."
	saidLocked   = "The identity provider knows you, but an admin has locked you out here. Any admin can let you in again, on the page Users."
)

func (s *Server) failedOIDC(c *fiber.Ctx, err error) error {
	s.Log.Warn("a login at the identity provider failed", "err", err)
	if s.failed.add(s.network(c), time.Now()) > maxRefused {
		return errFailures
	}
	code, text := fiber.StatusBadGateway, saidProvider
	switch {
	case errors.Is(err, errAway):
		code, text = fiber.StatusBadRequest, saidAway
	case errors.Is(err, errNoGroup):
		code, text = fiber.StatusForbidden, saidNoGroup
	case errors.Is(err, errNoClaim):
		code, text = fiber.StatusForbidden, saidNoClaim
	case errors.Is(err, errLocked):
		code, text = fiber.StatusForbidden, saidLocked
	}
	s.audit(c, visitor{}, access.ActLoginFailed, "", "at the provider")
	return s.render(c, code, views.LoginPage(views.Login{Next: "/", Problem: text, Provider: true}))
}

// seal makes a text that only we can read, and that nobody can change.
func seal(key access.Key, a away) (string, error) {
	box, err := boxOf(key)
	if err != nil {
		return "", err
	}
	data, err := json.Marshal(a)
	if err != nil {
		return "", err
	}
	nonce := random(box.NonceSize())
	return base64.RawURLEncoding.EncodeToString(box.Seal(nonce, nonce, data, nil)), nil
}

// open reads what seal made. The error is errAway.
func open(key access.Key, text string) (a away, err error) {
	box, err := boxOf(key)
	if err != nil {
		return a, err
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) < box.NonceSize() {
		return a, errAway
	}
	data, err := box.Open(nil, raw[:box.NonceSize()], raw[box.NonceSize():], nil)
	if err != nil || json.Unmarshal(data, &a) != nil {
		return a, errAway
	}
	return a, nil
}

func boxOf(key access.Key) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
