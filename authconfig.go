package main

import (
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/store"
	"github.com/roomwatch/roomwatch/web"
)

// AuthConfig is who may look, and what machines and frames may.
type AuthConfig struct {
	Auth        string `default:"local" enum:"local,oidc,proxy,none" help:"Who may look: local (users with passwords here), oidc, proxy, none (loopback only)."`
	MaskViewers bool   `help:"Users of the role viewer see no names of people."`

	Secret       plugnmeet.Secret `help:"That keys for logins and embed tokens are derived from, at least 32 bytes. Generated beside a file store."`
	SecretFile   string           `help:"A file that holds it." placeholder:"FILE"`
	APIToken     plugnmeet.Secret `name:"api-token" help:"A bearer token with every scope, at least 32 bytes; roomwatch token makes narrower ones."`
	APITokenFile string           `name:"api-token-file" help:"A file that holds it." placeholder:"FILE"`

	EmbedParents   []string `help:"Origins that may frame /embed." placeholder:"URL"`
	TrustedProxies []string `help:"Addresses or ranges of proxies whose X-Forwarded-* headers are believed." placeholder:"CIDR"`
	ProxyHeader    string   `default:"X-WEBAUTH-USER" help:"With AUTH=proxy: the header in which a trusted proxy names the user."`
	ProxyRole      string   `default:"viewer" enum:"viewer,operator,admin" help:"With AUTH=proxy: the role of a user whom the proxy names for the first time."`

	OIDCIssuer           string           `name:"oidc-issuer" help:"With AUTH=oidc: the provider." placeholder:"URL"`
	OIDCClientID         string           `name:"oidc-client-id" help:"Our id at the provider."`
	OIDCClientSecret     plugnmeet.Secret `name:"oidc-client-secret" help:"Our secret at the provider."`
	OIDCClientSecretFile string           `name:"oidc-client-secret-file" help:"A file that holds it." placeholder:"FILE"`
	OIDCGroupsClaim      string           `name:"oidc-groups-claim" default:"groups" help:"The claim that tells somebody's groups, or the path to it, such as realm_access.roles."`
	OIDCRoles            []string         `name:"oidc-roles" help:"Which group makes which role, such as rooms-admins=admin; * is everybody." placeholder:"GROUP=ROLE"`
}

// validateAuth refuses what would let in whom it should not, and says what to do.
func (c *Config) validateAuth() error {
	if c.Auth == "none" && !loopback(c.Listen) {
		return fmt.Errorf("AUTH=none on %s would let everybody in who reaches it. Set LISTEN to a loopback address, for example 127.0.0.1:8080, or AUTH to local, oidc or proxy", c.Listen)
	}
	secret, err := c.secret()
	switch {
	case err != nil:
		return err
	case secret != "" && len(secret) < access.MinSecret:
		return fmt.Errorf("SECRET is shorter than %d bytes: anybody could guess it. `openssl rand -base64 33` makes one", access.MinSecret)
	case secret == "" && store.IsRedis(c.Store):
		return errors.New("SECRET is missing: with Redis all replicas must share one. `openssl rand -base64 33` makes one")
	}
	token, err := secretOf(c.APIToken, c.APITokenFile, "API_TOKEN")
	switch {
	case err != nil:
		return err
	case token != "" && len(token) < access.MinSecret:
		return fmt.Errorf("API_TOKEN is shorter than %d bytes: anybody could guess it. `roomwatch token api` makes good ones", access.MinSecret)
	case token != "" && token == secret:
		return errors.New("API_TOKEN and SECRET are the same: whoever has the token could sign what he likes. Use two")
	}
	if _, err := access.ParseOrigins(c.EmbedParents); err != nil {
		return fmt.Errorf("EMBED_PARENTS: %w", err)
	}
	if _, err := access.ParseProxies(c.TrustedProxies); err != nil {
		return fmt.Errorf("TRUSTED_PROXIES: %w", err)
	}
	switch c.Auth {
	case "proxy":
		return c.validateProxy()
	case "oidc":
		return c.validateOIDC()
	}
	return nil
}

// validateProxy: whoever is believed may say that he is the admin.
func (c *Config) validateProxy() error {
	switch {
	case len(c.TrustedProxies) == 0:
		return errors.New("AUTH=proxy without TRUSTED_PROXIES: nobody would be believed. Name the address of the proxy that logs people in")
	case strings.Trim(strings.ToLower(c.ProxyHeader), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || c.ProxyHeader == "":
		return fmt.Errorf("PROXY_HEADER: %q is no name of a header", c.ProxyHeader)
	case strings.EqualFold(c.ProxyHeader, "Authorization") || strings.EqualFold(c.ProxyHeader, "Cookie"):
		return fmt.Errorf("PROXY_HEADER: %s holds more than a name. Have the proxy send the name in a header of its own", c.ProxyHeader)
	}
	return nil
}

func (c *Config) validateOIDC() error {
	if err := neat(c.OIDCIssuer, "OIDC_ISSUER"); err != nil {
		return err
	}
	if err := neat(c.OIDCGroupsClaim, "OIDC_GROUPS_CLAIM"); err != nil {
		return err
	}
	if err := neat(c.OIDCClientID, "OIDC_CLIENT_ID"); err != nil {
		return err
	}
	issuer, err := url.Parse(c.OIDCIssuer)
	switch {
	case c.OIDCIssuer == "" || c.OIDCClientID == "" || len(c.OIDCRoles) == 0:
		return errors.New("AUTH=oidc needs OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_ROLES (such as rooms-admins=admin,*=viewer)")
	case err != nil || issuer.Host == "" || issuer.Scheme != "https" && !(issuer.Scheme == "http" && web.LoopbackName(issuer.Host)):
		return errors.New("OIDC_ISSUER is not an https URL: anybody on the way could say who is who")
	}
	if _, err := access.ParseGroupRoles(c.OIDCRoles); err != nil {
		return fmt.Errorf("OIDC_ROLES: %w", err)
	}
	_, err = secretOf(c.OIDCClientSecret, c.OIDCClientSecretFile, "OIDC_CLIENT_SECRET")
	return err
}

func (c *Config) secret() (plugnmeet.Secret, error) {
	return secretOf(c.Secret, c.SecretFile, "SECRET")
}

// secretPath is where a secret is kept that was generated, beside a file store; "" beside others.
func (c *Config) secretPath() string {
	path, isFile := strings.CutPrefix(c.Store, "file:")
	if !isFile {
		return ""
	}
	return path + ".secret"
}

// keySecret is the secret that is set, or the one beside the store, which is made when there is none. Beside
// a store in memory it is as short-lived as that.
func (c *Config) keySecret() ([]byte, error) {
	secret, err := c.secret()
	path := c.secretPath()
	if err != nil || secret != "" || path == "" {
		return []byte(string([]byte(secret))), err
	}
	made := []byte(rand.Text() + rand.Text())
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return readSecret(path)
	}
	if err != nil {
		return nil, fmt.Errorf("a secret could not be kept beside the store: %w", err)
	}
	_, err = file.Write(made)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return nil, fmt.Errorf("a secret could not be kept beside the store: %w", errors.Join(err, os.Remove(path)))
	}
	return made, nil
}

// secretThere makes none: a token that was signed with a secret of its own is no serve's.
func (c *Config) secretThere() error {
	secret, err := c.secret()
	if path := c.secretPath(); err == nil && secret == "" && path != "" {
		err = there(path, "secret")
	}
	return err
}

func readSecret(path string) ([]byte, error) {
	kept, err := os.ReadFile(path)
	kept = []byte(strings.TrimSpace(string(kept)))
	if err == nil && len(kept) < access.MinSecret {
		err = fmt.Errorf("%s holds less than %d bytes. Remove it to have another made; all logins of known browsers and embed tokens end then", path, access.MinSecret)
	}
	return kept, err
}

// auth is who may look, over the accounts of the store. The settings were validated.
func (c *Config) auth(accounts web.Accounts) (out web.Auth, err error) {
	out = web.Auth{By: c.Auth, Accounts: accounts, MaskViewers: c.MaskViewers, ProxyHeader: c.ProxyHeader, ProxyRole: access.Role(c.ProxyRole)}
	if c.Auth == "none" {
		out.By = ""
	}
	if out.Secret, err = c.keySecret(); err != nil {
		return out, err
	}
	token, err := secretOf(c.APIToken, c.APITokenFile, "API_TOKEN")
	if err != nil {
		return out, err
	}
	out.APIToken = string([]byte(token))
	if out.Parents, err = access.ParseOrigins(c.EmbedParents); err != nil {
		return out, err
	}
	if out.Proxies, err = access.ParseProxies(c.TrustedProxies); err != nil || c.Auth != "oidc" {
		return out, err
	}
	secret, err := secretOf(c.OIDCClientSecret, c.OIDCClientSecretFile, "OIDC_CLIENT_SECRET")
	if err != nil {
		return out, err
	}
	out.OIDC = web.OIDC{Issuer: c.OIDCIssuer, ClientID: c.OIDCClientID, ClientSecret: string([]byte(secret)), GroupsClaim: c.OIDCGroupsClaim}
	if out.OIDC.Roles, err = access.ParseGroupRoles(c.OIDCRoles); err != nil {
		return out, err
	}
	authorities, err := c.authorities()
	out.OIDC.Transport = transport(authorities)
	return out, err
}

// checkAuth says who would be let in, and what may be amiss though it is no reason to refuse.
func (cmd *checkCommand) checkAuth() finding {
	text := map[string]string{
		"none": "nobody logs in: whoever is at this machine sees everything", "local": "users log in with passwords",
		"oidc": "people log in at " + cmd.OIDCIssuer, "proxy": "a proxy names people in " + cmd.ProxyHeader,
	}[cmd.Auth]
	if cmd.Auth != "none" && !loopback(cmd.Listen) && len(cmd.TrustedProxies) == 0 {
		return finding{doubt, "auth", text + "; off this machine they need https: name the proxy that ends it in TRUSTED_PROXIES"}
	}
	if len(cmd.EmbedParents) > 0 {
		text += "; rooms may be framed by " + strings.Join(cmd.EmbedParents, ", ")
	}
	return finding{good, "auth", text}
}

// untrusted ends what is said of a server whose certificate nobody vouches for.
const untrusted = " has a certificate of an authority that is not known here: name that in CA_FILE"

// checkProvider asks the identity provider what it says of itself, where one is set.
func (cmd *checkCommand) checkProvider() finding {
	if cmd.Auth != web.ByOIDC {
		return finding{}
	}
	authorities, err := cmd.authorities()
	if err != nil {
		return finding{wrong, "provider", err.Error()}
	}
	way := transport(authorities)
	defer way.CloseIdleConnections()
	err = web.OIDC{Issuer: cmd.OIDCIssuer, ClientID: cmd.OIDCClientID, Transport: way}.Check()
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &unknown):
		return finding{wrong, "provider", cmd.OIDCIssuer + untrusted}
	case err != nil:
		return finding{wrong, "provider", err.Error()}
	}
	return finding{good, "provider", cmd.OIDCIssuer + " answers, and names itself so"}
}
