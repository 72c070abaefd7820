package web

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/roomwatch/roomwatch/access"
)

// rule is who may use a route. Every route has one, see on.
type rule struct {
	name  string
	check fiber.Handler
}

// Route is a route with the name of its rule, for a test that holds them all.
type Route struct{ Method, Path, Rule string }

// Routes are all that were registered with a rule.
func (s *Server) Routes() []Route { return slices.Clone(s.rules) }

// on registers a route with its rule. There is no other way: a test compares what has a rule with what is
// registered.
func (s *Server) on(method, path string, r rule, handlers ...fiber.Handler) {
	s.rules = append(s.rules, Route{method, path, r.name})
	s.app.Add(method, path, append([]fiber.Handler{r.check}, handlers...)...)
	if method == fiber.MethodGet {
		s.app.Head(path, append([]fiber.Handler{r.check}, handlers...)...)
	}
}

func (s *Server) get(path string, r rule, handlers ...fiber.Handler) {
	s.on(fiber.MethodGet, path, r, handlers...)
}

func (s *Server) post(path string, r rule, handlers ...fiber.Handler) {
	s.on(fiber.MethodPost, path, r, append([]fiber.Handler{s.bounded}, handlers...)...)
}

// anybody is the rule of what has nothing private.
var anybody = rule{"anybody", func(c *fiber.Ctx) error { return c.Next() }}

// elsewhere is the rule of a route whose handler decides, by what is asked for or by a proof of its own.
func elsewhere(name string) rule { return rule{name, anybody.check} }

// may is the rule of what takes leave to do something.
func (s *Server) may(do access.Action) rule {
	return rule{do.String(), func(c *fiber.Ctx) error {
		v, err := s.who(c)
		if err != nil {
			return err
		}
		if !v.May(do, access.Target{}) {
			return s.denied(c, v, do)
		}
		return c.Next()
	}}
}

// denied sends whoever is unknown to the login, where a person can log in, and refuses others.
func (s *Server) denied(c *fiber.Ctx, v visitor, do access.Action) error {
	if v.Known() {
		if v.User() != "" {
			s.audit(c, v, access.ActDenied, do.String(), c.Route().Path)
		}
		return errForbidden
	}
	asksForPage := c.Method() == fiber.MethodGet && !slices.Contains(machines, c.Path()) && !forPrograms(strings.ToLower(c.Path()))
	if asksForPage && (s.Auth.By == ByLocal || s.Auth.By == ByOIDC) {
		return c.Redirect("/login?next="+url.QueryEscape(c.OriginalURL()), fiber.StatusSeeOther)
	}
	return errNobody
}

var errSite = errors.New("another site asks")

// sameSite keeps pages of other sites from using what our reader may do: browsers say where a request comes
// from. What says nothing of it is no browser of these days, and has no ambient right either.
func (s *Server) sameSite(c *fiber.Ctx) error {
	switch c.Path() {
	case "/webhook", "/live", embedScript: // signed; asks for the origin itself; for other sites
		return c.Next()
	}
	site, origin := c.Get("Sec-Fetch-Site"), c.Get(fiber.HeaderOrigin)
	reads := c.Method() == fiber.MethodGet || c.Method() == fiber.MethodHead
	own := site == "same-origin" || site == "none" || site == "" && (origin == "" || s.ownOrigin(c, origin))
	visits := c.Get("Sec-Fetch-Mode") == "navigate" && c.Get("Sec-Fetch-Dest") != "object" && c.Get("Sec-Fetch-Dest") != "embed"
	if own || reads && (visits || site == "") {
		return c.Next()
	}
	s.withoutSite(c)
	return errSite
}
