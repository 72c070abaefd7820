package web

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/views"
)

// What a login page says. All are fixed texts.
const (
	saidWrong    = "Name or password is wrong."
	saidWait     = "Too many attempts. Wait a moment, then try again."
	saidBusy     = "Too many people are logging in at this moment. Try again."
	saidInsecure = "This page came over plain http, so a password could be read on its way. Open Roomwatch over https; behind a proxy that ends TLS, name the proxy in TRUSTED_PROXIES. On this machine, http://localhost works too."
	saidSetup    = "The setup token is wrong, or its time is over. Roomwatch prints a new one when it starts."
)

// loginPage asks for name and password, or leads to the provider.
func (s *Server) loginPage(c *fiber.Ctx) error {
	v, err := s.who(c)
	if err != nil {
		return err
	}
	next := localPath(c.Query("next"))
	if v.Known() {
		return c.Redirect(next, fiber.StatusSeeOther)
	}
	return s.showLogin(c, fiber.StatusOK, next, "", "")
}

func (s *Server) showLogin(c *fiber.Ctx, code int, next, name, problem string) error {
	p := views.Login{Next: next, Name: name, Problem: problem, Provider: s.Auth.By == ByOIDC, Elsewhere: s.Auth.By == ByProxy, Setup: s.setup.Load() != nil}
	if !s.mayLogIn(c) {
		code, p.Problem, p.Insecure = fiber.StatusForbidden, saidInsecure, true
	}
	return s.render(c, code, views.LoginPage(p))
}

// localPath is a path of ours to go to, "/" for anything else.
func localPath(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(text, "/") || strings.HasPrefix(text, "//") ||
		strings.ContainsAny(text, "\\\r\n\t") || len(text) > maxNext {
		return "/"
	}
	return text
}

const maxNext = 2048

// login checks name and password, and begins a login under a token that is always new.
func (s *Server) login(c *fiber.Ctx) error {
	next, typed := localPath(field(c, "next")), field(c, "name")
	if !s.mayLogIn(c) {
		return s.showLogin(c, fiber.StatusForbidden, next, "", "")
	}
	name, err := access.ParseName(typed)
	if err != nil {
		name = "" // nobody's: it takes as long, and is throttled as one
	}
	now, key := time.Now(), access.LocalKey(name)
	attempt := access.Attempt{Account: key, Address: s.client(c), Device: access.KnownDevice(s.keys.device, key, s.cookie(c, deviceCookie), now)}
	if verdict := s.throttle.Admit(attempt, now); verdict.Wait > 0 {
		if verdict.News {
			s.audit(c, visitor{}, access.ActLoginThrottled, "", "")
		}
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(verdict.Wait/time.Second)+1))
		return s.showLogin(c, fiber.StatusTooManyRequests, next, name, saidWait)
	}
	u, err := s.verified(c, key, field(c, "password"))
	switch {
	case errors.Is(err, ErrBusy):
		return s.showLogin(c, fiber.StatusServiceUnavailable, next, name, saidBusy)
	case errors.Is(err, errNobody):
		return s.showLogin(c, fiber.StatusUnauthorized, next, name, saidWrong)
	case err != nil:
		return err
	}
	s.throttle.Succeeded(attempt)
	if err := s.begin(c, u); err != nil {
		return err
	}
	return c.Redirect(next, fiber.StatusSeeOther)
}

// verified is the user with this password. The error is errNobody, ErrBusy or the store's.
func (s *Server) verified(c *fiber.Ctx, key access.UserKey, password string) (access.User, error) {
	ctx, cancel := context.WithTimeout(context.Background(), passwordTime)
	defer cancel()
	u, err := s.Auth.Accounts.User(ctx, key)
	if err != nil && !errors.Is(err, access.ErrUnknown) {
		return u, s.unreadable(err)
	}
	good, err := s.passwords.Verify(ctx, u.Password, password)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return u, ErrBusy
	case err != nil:
		return u, err
	case !good || u.Disabled:
		s.audit(c, visitor{}, access.ActLoginFailed, string(u.Key), "")
		return u, errNobody
	}
	if s.passwords.Outdated(u.Password) {
		s.rehash(ctx, u, password)
	}
	return u, nil
}

const passwordTime = 10 * time.Second

// rehash stores the same password at the cost of these days. Logins go on.
func (s *Server) rehash(ctx context.Context, u access.User, password string) {
	phc, err := s.passwords.Hash(ctx, password)
	if err == nil {
		_, _, err = s.Auth.Accounts.ChangeUser(ctx, u.Key, func(now access.User) access.User {
			if now.Password == u.Password {
				now.Password = phc
			}
			return now
		})
	}
	s.tolerated("a password could not be hashed anew", err)
}

// begin logs somebody in who has proven who he is. A login that the browser had before is over.
func (s *Server) begin(c *fiber.Ctx, u access.User) error {
	ctx, cancel := context.WithTimeout(context.Background(), accountTime)
	defer cancel()
	if old, err := access.TokenLogin.Parse(s.cookie(c, loginCookie)); err == nil {
		s.tolerated("an old login could not be ended", s.Auth.Accounts.RemoveLogin(ctx, old))
	}
	now := time.Now().UTC()
	token := access.TokenLogin.Token(access.Random(random(32)))
	l := access.NewLogin(access.HashOf(token), u, s.client(c).String(), c.Get(fiber.HeaderUserAgent), now)
	if err := s.Auth.Accounts.AddLogin(ctx, l); err != nil {
		return s.unreadable(err)
	}
	s.setCookie(c, loginCookie, token, access.LoginLife)
	if u.Key.Local() {
		s.setCookie(c, deviceCookie, access.DeviceCookie(s.keys.device, u.Key, [16]byte(random(16)), now), access.DeviceLife)
	}
	s.audit(c, visitor{Identity: access.Person(u, false)}, access.ActLogin, l.ID(), "")
	return nil
}

// logout ends the login, and with it every socket that it opened. The browser forgets it whatever the store says: who
// leaves a machine that others use must not be in again when the store comes back.
func (s *Server) logout(c *fiber.Ctx) error {
	s.setCookie(c, loginCookie, "", -1)
	v, err := s.who(c)
	if err != nil {
		return err
	}
	if v.login.User != "" {
		ctx, cancel := context.WithTimeout(context.Background(), accountTime)
		defer cancel()
		err := s.Auth.Accounts.RemoveLogin(ctx, v.login.Hash)
		s.warden.look() // here it is over even if others cannot be told
		if err != nil {
			return s.unreadable(err)
		}
		s.audit(c, v, access.ActLogout, v.login.ID(), "")
	}
	return c.Redirect("/login", fiber.StatusSeeOther)
}

// OpenSetup lets the first user be made with the token that it returns, once, within an hour. There is none
// when there are users, or when users are made elsewhere.
func (s *Server) OpenSetup(ctx context.Context) (token string, err error) {
	if s.Auth.By != ByLocal {
		return "", nil
	}
	users, err := s.Auth.Accounts.Users(ctx)
	if err != nil || len(users) > 0 {
		return "", err
	}
	token = access.TokenSetup.Token(access.Random(random(32)))
	setup := access.NewSetup(access.HashOf(token), time.Now())
	s.setup.Store(&setup)
	return token, nil
}

func (s *Server) setupPage(c *fiber.Ctx) error {
	if s.setup.Load() == nil {
		return c.Redirect("/login", fiber.StatusSeeOther)
	}
	return s.showSetup(c, fiber.StatusOK, "", "")
}

func (s *Server) showSetup(c *fiber.Ctx, code int, name, problem string) error {
	p := views.Setup{Name: name, Problem: problem}
	if !s.mayLogIn(c) {
		code, p.Problem, p.Insecure = fiber.StatusForbidden, saidInsecure, true
	}
	return s.render(c, code, views.SetupPage(p))
}

// firstUser makes the first admin, whoever holds the setup token.
func (s *Server) firstUser(c *fiber.Ctx) error {
	setup := s.setup.Load()
	if setup == nil || !s.mayLogIn(c) {
		return s.setupPage(c)
	}
	ctx, cancel := context.WithTimeout(context.Background(), passwordTime)
	defer cancel()
	if err := setup.Check(strings.TrimSpace(field(c, "token")), 0, time.Now()); err != nil {
		if s.failed.add(s.network(c), time.Now()) > maxRefused {
			return errFailures
		}
		s.audit(c, visitor{}, access.ActSetupFailed, "", "")
		return s.showSetup(c, fiber.StatusUnauthorized, field(c, "name"), saidSetup)
	}
	u, err := s.newUser(ctx, field(c, "name"), field(c, "password"), access.Admin)
	if err == nil {
		err = s.Auth.Accounts.AddUser(ctx, u, true)
	}
	switch {
	case errors.Is(err, access.ErrSetupDone):
		s.setup.Store(nil)
		return c.Redirect("/login", fiber.StatusSeeOther)
	case err != nil:
		return s.showSetup(c, fiber.StatusUnprocessableEntity, field(c, "name"), s.told(err))
	}
	s.setup.Store(nil)
	s.audit(c, visitor{Identity: access.Person(u, false)}, access.ActSetup, string(u.Key), "")
	if err := s.begin(c, u); err != nil {
		return err
	}
	return c.Redirect("/", fiber.StatusSeeOther)
}

// newUser is a local user with a password. The error is one that may be told.
func (s *Server) newUser(ctx context.Context, name, password string, role access.Role) (u access.User, err error) {
	if name, err = access.ParseName(name); err != nil {
		return u, typedError{err}
	}
	if err = access.CheckPassword(password, name); err != nil {
		return u, typedError{err}
	}
	u = access.User{Key: access.LocalKey(name), Name: name, Role: role, CreatedAt: time.Now().UTC()}
	u.Password, err = s.passwords.Hash(ctx, password)
	return u, err
}

// typedError is an error whose text is for whoever typed what it is about.
type typedError struct{ error }

// told is what a person may be told of an error: why what was typed cannot be, else that something failed.
func (s *Server) told(err error) string {
	var typed typedError
	switch {
	case errors.As(err, &typed):
		return sentence(typed.error)
	case errors.Is(err, ErrBusy):
		return saidBusy
	}
	for _, known := range []error{access.ErrUnknown, access.ErrExists, access.ErrLastAdmin, access.ErrTooMany} {
		if errors.Is(err, known) {
			return sentence(known)
		}
	}
	s.Log.Error("an account could not be changed", "err", err)
	return failed.detail
}

func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
