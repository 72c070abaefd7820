package web

import (
	"context"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/views"
)

// outcome is what a page says of what was just asked for.
type outcome struct{ said, problem string }

func (o outcome) code() int {
	if o.problem != "" {
		return fiber.StatusUnprocessableEntity
	}
	return fiber.StatusOK
}

// accountPage is somebody's own: where they are logged in, and their password.
func (s *Server) accountPage(c *fiber.Ctx) error { return s.showAccount(c, outcome{}) }

func (s *Server) showAccount(c *fiber.Ctx, o outcome) error {
	v, err := s.who(c)
	if err != nil {
		return err
	}
	logins, err := s.logins(v, v.user.Key)
	if err != nil {
		return err
	}
	page := views.Account{Name: v.user.Name, Role: string(v.user.Role), Key: string(v.user.Key), Password: v.user.Password != "", Logins: logins, Said: o.said, Problem: o.problem}
	c.Status(o.code())
	return s.stillPage(c, views.PageData{Title: "Your account", Root: views.AccountRoot(page)})
}

// logins are those of a user, or everybody's for "", that are not over.
func (s *Server) logins(v visitor, of access.UserKey) (lines []views.LoginLine, err error) {
	logins, err := accounts(s, func(ctx context.Context) ([]access.Login, error) { return s.Auth.Accounts.Logins(ctx, of) })
	now := time.Now()
	for _, l := range logins {
		if now.Before(l.Ends()) {
			lines = append(lines, views.LoginLine{ID: l.ID(), User: string(l.User), Address: l.Address, Agent: l.Agent, Begun: l.Begun, Seen: l.Seen, Ends: l.Ends(),
				Here: v.login.User != "" && l.Hash == v.login.Hash})
		}
	}
	return lines, err
}

// accounts asks the store for something of the accounts.
func accounts[T any](s *Server, question func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(context.Background(), accountTime)
	defer cancel()
	out, err := question(ctx)
	if err != nil {
		err = s.unreadable(err)
	}
	return out, err
}

// changeAccount does what somebody asks for of their own account.
func (s *Server) changeAccount(c *fiber.Ctx) error {
	v, err := s.who(c)
	if err != nil {
		return err
	}
	switch field(c, "do") {
	case "end":
		return s.showAccount(c, s.endLogin(c, v, v.user.Key, field(c, "login")))
	case "end-others":
		return s.showAccount(c, s.endOthers(c, v))
	case "password":
		o := s.changePassword(c, v)
		if o.problem == "" {
			return c.Redirect("/login", fiber.StatusSeeOther)
		}
		return s.showAccount(c, o)
	}
	return fiber.ErrBadRequest
}

// endLogin ends the login of this id, if it is the user's; anybody's for "".
func (s *Server) endLogin(c *fiber.Ctx, v visitor, of access.UserKey, id string) outcome {
	ctx, cancel := context.WithTimeout(context.Background(), accountTime)
	defer cancel()
	logins, err := s.Auth.Accounts.Logins(ctx, of)
	if err != nil {
		return outcome{problem: s.told(err)}
	}
	i := slices.IndexFunc(logins, func(l access.Login) bool { return l.ID() == id })
	if i < 0 {
		return outcome{problem: s.told(access.ErrUnknown)}
	}
	err = s.Auth.Accounts.RemoveLogin(ctx, logins[i].Hash)
	s.warden.look() // here it is over even if others cannot be told
	if err != nil {
		return outcome{problem: s.told(err)}
	}
	s.audit(c, v, access.ActLoginRevoked, id, string(logins[i].User))
	return outcome{said: "That login has ended."}
}

func (s *Server) endOthers(c *fiber.Ctx, v visitor) outcome {
	ctx, cancel := context.WithTimeout(context.Background(), accountTime)
	defer cancel()
	logins, err := s.Auth.Accounts.Logins(ctx, v.user.Key)
	for _, l := range logins {
		if err == nil && l.Hash != v.login.Hash {
			err = s.Auth.Accounts.RemoveLogin(ctx, l.Hash)
		}
	}
	if err != nil {
		return outcome{problem: s.told(err)}
	}
	s.warden.look()
	s.audit(c, v, access.ActLoginRevoked, "", "all others")
	return outcome{said: "All other logins have ended."}
}

// changePassword takes the old password, as guessed as at a login, and ends all logins.
func (s *Server) changePassword(c *fiber.Ctx, v visitor) outcome {
	now := time.Now()
	attempt := access.Attempt{Account: v.user.Key, Address: s.client(c), Device: access.KnownDevice(s.keys.device, v.user.Key, s.cookie(c, deviceCookie), now)}
	if v.user.Password == "" {
		return outcome{problem: s.told(access.ErrUnknown)}
	}
	if s.throttle.Admit(attempt, now).Wait > 0 {
		return outcome{problem: saidWait}
	}
	ctx, cancel := context.WithTimeout(context.Background(), passwordTime)
	defer cancel()
	good, err := s.passwords.Verify(ctx, v.user.Password, field(c, "old"))
	if err == nil && !good {
		return outcome{problem: "The password so far is another one."}
	}
	s.throttle.Succeeded(attempt)
	if err == nil {
		err = s.setPassword(ctx, v.user, field(c, "password"))
	}
	if err != nil {
		return outcome{problem: s.told(err)}
	}
	s.audit(c, v, access.ActPasswordChanged, string(v.user.Key), "")
	return outcome{}
}

// setPassword gives a user another password. All logins end.
func (s *Server) setPassword(ctx context.Context, u access.User, password string) error {
	if err := access.CheckPassword(password, u.Name); err != nil {
		return typedError{err}
	}
	phc, err := s.passwords.Hash(ctx, password)
	if err != nil {
		return err
	}
	_, _, err = s.Auth.Accounts.ChangeUser(ctx, u.Key, func(u access.User) access.User { return u.WithPassword(phc) })
	s.warden.look()
	return err
}

// usersPage is for admins: who may come in.
func (s *Server) usersPage(c *fiber.Ctx) error { return s.showUsers(c, outcome{}) }

func (s *Server) showUsers(c *fiber.Ctx, o outcome) error {
	v, err := s.who(c)
	if err != nil {
		return err
	}
	users, err := accounts(s, s.Auth.Accounts.Users)
	if err != nil {
		return err
	}
	logins, err := s.logins(v, "")
	if err != nil {
		return err
	}
	page := views.Users{Logins: logins, Password: s.Auth.By == ByLocal, Roles: s.Auth.By != ByOIDC, Said: o.said, Problem: o.problem}
	if o.problem != "" {
		page.Name = field(c, "name")
	}
	for _, u := range users {
		line := views.UserLine{Key: string(u.Key), Name: u.Name, Role: string(u.Role), From: u.Key.From(), Disabled: u.Disabled, Self: u.Key == v.user.Key, CreatedAt: u.CreatedAt}
		for _, l := range logins {
			if l.User == line.Key {
				line.Logins++
			}
		}
		page.List = append(page.List, line)
	}
	c.Status(o.code())
	return s.stillPage(c, views.PageData{Title: "Users", Root: views.UsersRoot(page)})
}

// changeUsers does what an admin asks for.
func (s *Server) changeUsers(c *fiber.Ctx) error {
	v, err := s.who(c)
	if err != nil {
		return err
	}
	key := access.UserKey(field(c, "key"))
	switch do := field(c, "do"); do {
	case "add":
		return s.showUsers(c, s.addUser(c, v))
	case "end":
		return s.showUsers(c, s.endLogin(c, v, "", field(c, "login")))
	case "remove":
		return s.showUsers(c, s.removeUser(c, v, key))
	case "role":
		role, err := access.ParseRole(field(c, "role"))
		if err != nil || s.Auth.By == ByOIDC {
			return fiber.ErrBadRequest
		}
		return s.showUsers(c, s.alterUser(c, v, key, access.ActRoleChanged, func(u access.User) access.User { return u.WithRole(role) }))
	case "disable", "enable":
		act := map[string]access.Act{"disable": access.ActUserDisabled, "enable": access.ActUserEnabled}[do]
		return s.showUsers(c, s.alterUser(c, v, key, act, func(u access.User) access.User { return u.WithDisabled(do == "disable") }))
	}
	return fiber.ErrBadRequest
}

func (s *Server) addUser(c *fiber.Ctx, v visitor) outcome {
	ctx, cancel := context.WithTimeout(context.Background(), passwordTime)
	defer cancel()
	role, err := access.ParseRole(field(c, "role"))
	if err != nil || s.Auth.By != ByLocal {
		return outcome{problem: s.told(access.ErrUnknown)}
	}
	u, err := s.newUser(ctx, field(c, "name"), field(c, "password"), role)
	if err == nil {
		err = s.Auth.Accounts.AddUser(ctx, u, false)
	}
	if err != nil {
		return outcome{problem: s.told(err)}
	}
	s.audit(c, v, access.ActUserAdded, string(u.Key), string(u.Role))
	return outcome{said: u.Name + " can log in now."}
}

func (s *Server) removeUser(c *fiber.Ctx, v visitor, key access.UserKey) outcome {
	ctx, cancel := context.WithTimeout(context.Background(), accountTime)
	defer cancel()
	if err := s.Auth.Accounts.RemoveUser(ctx, key); err != nil {
		return outcome{problem: s.told(err)}
	}
	s.warden.look()
	s.audit(c, v, access.ActUserRemoved, string(key), "")
	return outcome{said: "That user is removed, and every login of theirs has ended."}
}

func (s *Server) alterUser(c *fiber.Ctx, v visitor, key access.UserKey, act access.Act, change func(access.User) access.User) outcome {
	ctx, cancel := context.WithTimeout(context.Background(), accountTime)
	defer cancel()
	before, after, err := s.Auth.Accounts.ChangeUser(ctx, key, change)
	if err != nil {
		return outcome{problem: s.told(err)}
	}
	s.warden.look()
	detail := ""
	if before.Role != after.Role {
		detail = string(before.Role) + " → " + string(after.Role)
	}
	s.audit(c, v, act, string(key), detail)
	return outcome{said: after.Name + " is changed. What was open under the old role has ended."}
}
