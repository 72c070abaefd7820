package web

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/views"
)

// tokensPage is for admins: what machines come in with.
func (s *Server) tokensPage(c *fiber.Ctx) error { return s.showTokens(c, outcome{}, "") }

func (s *Server) showTokens(c *fiber.Ctx, o outcome, fresh string) error {
	tokens, err := accounts(s, s.Auth.Accounts.Tokens)
	if err != nil {
		return err
	}
	slices.SortFunc(tokens, func(a, b access.APIToken) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.ID(), b.ID()))
	})
	page := views.Tokens{Fresh: fresh, Said: o.said, Problem: o.problem}
	if o.problem != "" {
		page.Name = field(c, "name")
	}
	for _, t := range tokens {
		page.List = append(page.List, tokenLine(t, time.Now()))
	}
	c.Status(o.code())
	return s.stillPage(c, views.PageData{Title: "API tokens", Root: views.TokensRoot(page)})
}

func tokenLine(t access.APIToken, now time.Time) views.TokenLine {
	scopes := make([]string, 0, len(t.Scopes))
	for _, scope := range t.Scopes {
		scopes = append(scopes, string(scope))
	}
	state := map[error]string{nil: "good", access.ErrTokenRevoked: "revoked", access.ErrTokenExpired: "expired"}[t.Check(now)]
	return views.TokenLine{ID: t.ID(), Name: t.Name, Scopes: strings.Join(scopes, ", "), By: string(t.By), Mask: t.Mask, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, UsedAt: t.UsedAt, State: state}
}

// changeTokens makes or revokes a token.
func (s *Server) changeTokens(c *fiber.Ctx) error {
	v, err := s.who(c)
	if err != nil {
		return err
	}
	switch field(c, "do") {
	case "make":
		text, o := s.makeToken(c, v)
		return s.showTokens(c, o, text)
	case "revoke":
		return s.showTokens(c, s.revokeToken(c, v, field(c, "token")), "")
	}
	return fiber.ErrBadRequest
}

func (s *Server) makeToken(c *fiber.Ctx, v visitor) (text string, o outcome) {
	var asked []string
	for _, scope := range c.Context().PostArgs().PeekMulti("scope") {
		asked = append(asked, string(scope))
	}
	scopes, err := access.ParseScopes(asked)
	days, notNumber := strconv.Atoi(field(c, "days"))
	if err != nil || notNumber != nil {
		return "", outcome{problem: s.told(typedError{cmp.Or(err, notNumber)})}
	}
	text = access.TokenAPI.Token(access.Random(random(32)))
	t, err := access.NewAPIToken(access.HashOf(text), field(c, "name"), scopes, field(c, "mask") == "true", v.user.Key, time.Now().UTC(), time.Duration(days)*24*time.Hour)
	if err != nil {
		return "", outcome{problem: s.told(typedError{err})}
	}
	ctx, cancel := context.WithTimeout(context.Background(), accountTime)
	defer cancel()
	if err := s.Auth.Accounts.AddToken(ctx, t); err != nil {
		return "", outcome{problem: s.told(err)}
	}
	s.audit(c, v, access.ActTokenCreated, t.Name, strings.Join(asked, " "))
	return text, outcome{}
}

func (s *Server) revokeToken(c *fiber.Ctx, v visitor, id string) outcome {
	ctx, cancel := context.WithTimeout(context.Background(), accountTime)
	defer cancel()
	tokens, err := s.Auth.Accounts.Tokens(ctx)
	if err != nil {
		return outcome{problem: s.told(err)}
	}
	i := slices.IndexFunc(tokens, func(t access.APIToken) bool { return t.ID() == id })
	if i < 0 {
		return outcome{problem: s.told(access.ErrUnknown)}
	}
	err = s.Auth.Accounts.RevokeToken(ctx, tokens[i].Hash, time.Now().UTC())
	s.warden.look() // here it is over even if others cannot be told
	if err != nil {
		return outcome{problem: s.told(err)}
	}
	s.audit(c, v, access.ActTokenRevoked, tokens[i].Name, id)
	return outcome{said: "The token is revoked: nobody comes in with it any more."}
}

const auditLines = 100 // of a page

// auditPage is for admins: who did what.
func (s *Server) auditPage(c *fiber.Ctx) error {
	before := int64(0)
	if text := c.Query("before"); text != "" {
		var err error
		if before, err = strconv.ParseInt(text, 10, 64); err != nil || before <= 0 {
			return &room.BadValue{Name: "before", Want: "a number that a page of the audit trail has given"}
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), accountTime)
	defer cancel()
	entries, next, err := s.Auth.Accounts.Audit(ctx, before, auditLines)
	if err != nil {
		return s.unreadable(err)
	}
	page := views.Audit{Next: next, More: before != 0}
	for _, e := range entries {
		page.List = append(page.List, views.AuditLine{At: e.At, Act: string(e.Act), Kind: e.Actor.Kind, Who: e.Actor.Name, To: e.Target, Address: e.Address, Detail: e.Detail})
	}
	return s.stillPage(c, views.PageData{Title: "Audit trail", Root: views.AuditRoot(page)})
}
