package web

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/live"
)

// How people are known.
const (
	ByLocal = "local" // by a password here
	ByOIDC  = "oidc"  // by an identity provider
	ByProxy = "proxy" // by a proxy in front
)

// Accounts is what web asks of the store about who may look. It is an interface because there are several
// stores, and because web must not know them. Errors that callers tell apart are those of access.
type Accounts interface {
	Users(ctx context.Context) ([]access.User, error)
	User(ctx context.Context, key access.UserKey) (access.User, error)
	AddUser(ctx context.Context, u access.User, first bool) error
	ChangeUser(ctx context.Context, key access.UserKey, change func(access.User) access.User) (before, after access.User, err error)
	RemoveUser(ctx context.Context, key access.UserKey) error

	AddLogin(ctx context.Context, l access.Login) error
	Login(ctx context.Context, token access.Hash) (access.Login, access.User, error)
	TouchLogin(ctx context.Context, l access.Login) error
	Logins(ctx context.Context, user access.UserKey) ([]access.Login, error)
	RemoveLogin(ctx context.Context, token access.Hash) error

	AddToken(ctx context.Context, t access.APIToken) error
	Token(ctx context.Context, token access.Hash) (access.APIToken, error)
	Tokens(ctx context.Context) ([]access.APIToken, error)
	TouchToken(ctx context.Context, token access.Hash, used time.Time) error
	RevokeToken(ctx context.Context, token access.Hash, at time.Time) error

	AddEntry(ctx context.Context, e access.Entry) error
	Audit(ctx context.Context, before int64, limit int) (entries []access.Entry, next int64, err error)

	// Version grows whenever somebody's access may have ended, on whichever replica.
	Version(ctx context.Context) (int64, error)
}

// Auth says who may look. The zero value is for a server without a login (see Config.LoopbackOnly).
type Auth struct {
	By          string // ByLocal, ByOIDC or ByProxy
	Accounts    Accounts
	Secret      []byte // that keys are derived from; without one, one of this process
	APIToken    string // a bearer token with every scope, beside those of Accounts
	MaskViewers bool
	Parents     []access.Origin // that may frame /embed
	Proxies     access.Proxies  // whose headers are believed
	ProxyHeader string          // with ByProxy: the header that names the user
	ProxyRole   access.Role     // of a user whom the proxy names for the first time
	OIDC        OIDC            // with ByOIDC
}

// keys are derived from the secret, one for each purpose.
type keys struct {
	embed        *EmbedTokens
	device, mask access.Key
	oidc         access.Key
}

func newKeys(secret []byte) (k keys) {
	if len(secret) < access.MinSecret {
		secret = random(access.MinSecret)
	}
	var errs [4]error
	k.embed, errs[0] = NewEmbedTokens(secret)
	k.device, errs[1] = access.DeriveKey(secret, access.ForDevice)
	k.mask, errs[2] = access.DeriveKey(secret, access.ForMask)
	k.oidc, errs[3] = access.DeriveKey(secret, access.ForOIDC)
	if err := errors.Join(errs[:]...); err != nil {
		panic(err) // the secret is long enough
	}
	return k
}

// visitor is who asks.
type visitor struct {
	access.Identity
	user  access.User     // of a person
	login access.Login    // of a person who logged in here
	token access.APIToken // of a machine, but for that of the settings
	embed access.Embed    // of a frame
	frame string          // names its token, which cannot be made from it
}

// Why somebody is not let in.
var (
	errNobody    = errors.New("nobody is known to ask")
	errForbidden = errors.New("whoever asks may not")
	errFailures  = errors.New("too many failed authentications")
	errAccounts  = errors.New("the accounts cannot be read")
)

// accountTime bounds a question about who somebody is.
const accountTime = 2 * time.Second

// who says who asks: the holder of a bearer token or, without one, of a login. Nobody in particular is no error;
// a bearer token that is not good is, whatever else the request has.
func (s *Server) who(c *fiber.Ctx) (visitor, error) {
	if v, ok := c.Locals(visitorKey).(visitor); ok {
		return v, nil
	}
	v, err := s.identify(c)
	if err == nil {
		c.Locals(visitorKey, v)
		if v.Known() {
			s.knownConnection(c)
		}
	}
	return v, err
}

type localKey int

const visitorKey localKey = 1

func (s *Server) identify(c *fiber.Ctx) (visitor, error) {
	if s.LoopbackOnly {
		return visitor{Identity: access.Loopback()}, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), accountTime)
	defer cancel()
	if bearers := values(c, fiber.HeaderAuthorization); len(bearers) > 0 && !ofProxy(bearers) {
		return s.bearer(ctx, c, bearers)
	}
	switch s.Auth.By {
	case ByProxy:
		return s.proxied(ctx, c)
	case ByLocal, ByOIDC:
		return s.loggedIn(ctx, c)
	}
	return visitor{}, nil
}

// ofProxy: browsers send the login of a proxy in front (Basic …) along with everything, and it is passed on to us.
// It is nothing to do with ours.
func ofProxy(authorizations []string) bool {
	scheme, _, _ := strings.Cut(authorizations[0], " ")
	for _, other := range []string{"Basic", "Digest", "Negotiate", "NTLM"} {
		if strings.EqualFold(scheme, other) {
			return len(authorizations) == 1
		}
	}
	return false
}

// bearer is the holder of an API token. Failures are counted by address: nobody guesses 256 bits, but who
// tries must not cost us much.
func (s *Server) bearer(ctx context.Context, c *fiber.Ctx, bearers []string) (visitor, error) {
	now := time.Now()
	scheme, text, _ := strings.Cut(bearers[0], " ")
	if len(bearers) == 1 && strings.EqualFold(scheme, "Bearer") {
		v, err := s.holder(ctx, text, now)
		if err == nil || errors.Is(err, errAccounts) {
			return v, err
		}
	}
	if s.failed.add(s.network(c), now) > maxRefused {
		return visitor{}, errFailures
	}
	return visitor{}, errNobody
}

// holder is who has this token.
func (s *Server) holder(ctx context.Context, text string, now time.Time) (visitor, error) {
	if s.Auth.APIToken != "" && access.HashOf(text).Equal(access.HashOf(s.Auth.APIToken)) {
		return visitor{Identity: access.Machine(access.SettingToken())}, nil
	}
	hash, err := access.TokenAPI.Parse(text)
	if err != nil {
		return visitor{}, errNobody
	}
	t, err := s.Auth.Accounts.Token(ctx, hash)
	switch {
	case errors.Is(err, access.ErrUnknown) || err == nil && t.Check(now) != nil:
		return visitor{}, errNobody
	case err != nil:
		return visitor{}, s.unreadable(err)
	}
	if touched, worth := t.Touch(now); worth {
		s.tolerated("a token's use could not be noted", s.Auth.Accounts.TouchToken(ctx, hash, touched.UsedAt))
	}
	return visitor{Identity: access.Machine(t), token: t}, nil
}

// loggedIn is whose login the cookie holds.
func (s *Server) loggedIn(ctx context.Context, c *fiber.Ctx) (visitor, error) {
	hash, err := access.TokenLogin.Parse(s.cookie(c, loginCookie))
	if err != nil {
		return visitor{}, nil
	}
	now := time.Now()
	l, u, err := s.Auth.Accounts.Login(ctx, hash)
	switch {
	case errors.Is(err, access.ErrUnknown) || err == nil && l.Check(u, now) != nil:
		return visitor{}, nil
	case err != nil:
		return visitor{}, s.unreadable(err)
	}
	if touched, worth := l.Touch(now); worth {
		l = touched
		s.tolerated("a login could not be noted", s.Auth.Accounts.TouchLogin(ctx, l))
	}
	return visitor{Identity: access.Person(u, s.Auth.MaskViewers), user: u, login: l}, nil
}

// proxied is whom the proxy in front names. Anybody else's header is worth nothing.
func (s *Server) proxied(ctx context.Context, c *fiber.Ctx) (visitor, error) {
	names := values(c, s.Auth.ProxyHeader)
	if !s.Auth.Proxies.Trust(peer(c)) || len(names) != 1 {
		return visitor{}, nil
	}
	name, err := access.ParseName(names[0])
	if err != nil {
		return visitor{}, nil
	}
	u, err := s.Auth.Accounts.User(ctx, access.ProxyKey(name))
	if errors.Is(err, access.ErrUnknown) {
		u = access.User{Key: access.ProxyKey(name), Name: name, Role: s.Auth.ProxyRole, CreatedAt: time.Now()}
		if err = s.Auth.Accounts.AddUser(ctx, u, false); errors.Is(err, access.ErrExists) {
			u, err = s.Auth.Accounts.User(ctx, u.Key)
		}
	}
	if err != nil {
		return visitor{}, s.unreadable(err)
	}
	return visitor{Identity: access.Person(u, s.Auth.MaskViewers), user: u}, nil
}

func (s *Server) unreadable(err error) error {
	s.Log.Error("the accounts cannot be read", "err", err)
	return errAccounts
}

func (s *Server) tolerated(what string, err error) {
	if err != nil && !errors.Is(err, access.ErrUnknown) {
		s.Log.Warn(what, "err", err)
	}
}

// peer is the address at the other end of the connection.
func peer(c *fiber.Ctx) netip.Addr {
	address, _ := netip.AddrFromSlice(c.Context().RemoteIP())
	return address.Unmap()
}

// client is who asks, behind the proxies that are believed.
func (s *Server) client(c *fiber.Ctx) netip.Addr {
	return s.Auth.Proxies.Client(peer(c), values(c, fiber.HeaderXForwardedFor))
}

// network is what failures are counted by: of IPv6 addresses anybody has more than can be counted.
func (s *Server) network(c *fiber.Ctx) string { return access.Network(s.client(c)).String() }

// encrypted says whether the browser speaks TLS with us or with a proxy that is believed.
func (s *Server) encrypted(c *fiber.Ctx) bool {
	return c.Context().IsTLS() || s.Auth.Proxies.Trust(peer(c)) && saysTLS(c)
}

// saysTLS says whether the proxies say that the browser speaks TLS. Of several that add to a list, the first one
// writes how it was asked: that is how the browser spoke (some write wss for a socket). A browser never sends this
// header, and who sends it by hand deceives himself alone. Two headers are none: one came from elsewhere.
func saysTLS(c *fiber.Ctx) bool {
	lists := values(c, fiber.HeaderXForwardedProto)
	if len(lists) != 1 {
		return false
	}
	first, _, _ := strings.Cut(lists[0], ",")
	first = strings.ToLower(strings.TrimSpace(first))
	return first == "https" || first == "wss"
}

// audience is those who see the same as this visitor.
func (v visitor) audience() live.Audience {
	all := access.Target{}
	return live.Audience{Masked: v.Masked(), NoDeliveries: !v.May(access.SeeIntake, all), NoBodies: !v.May(access.SeeBodies, all),
		NoFiles: !v.May(access.Download, all), NoEnds: !v.May(access.EndRoom, all), Frame: v.embed.Source, FrameRoom: v.embed.RoomID}
}

// audit writes down what somebody did.
func (s *Server) audit(c *fiber.Ctx, v visitor, act access.Act, target, detail string) {
	if s.Auth.Accounts == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), accountTime)
	defer cancel()
	err := s.Auth.Accounts.AddEntry(ctx, access.NewEntry(time.Now().UTC(), act, v.Actor(), target, s.client(c).String(), detail))
	s.tolerated("the audit trail could not be written", err)
}
