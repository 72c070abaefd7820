package web

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// contentPolicy lets a page load its own files and open its own socket, and nothing else. Scripts cannot
// turn text into markup but through the one policy that live.js makes.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; " +
	"connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types roomwatch"

// guard keeps out requests that reached a loopback address under another name, as a page of a foreign
// site makes a browser do by rebinding its name.
func (s *Server) guard(c *fiber.Ctx) error {
	if s.encrypted(c) {
		c.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
	}
	if s.LoopbackOnly && !LoopbackName(c.Hostname()) && !s.originHost(c.Hostname()) {
		const why = "this Roomwatch has no login and answers to loopback names only"
		if forPrograms(strings.ToLower(c.Path())) {
			return problem(c, fiber.StatusForbidden, "Not under this name", why)
		}
		return status(c, fiber.StatusForbidden, why)
	}
	return c.Next()
}

// LoopbackName says whether a host, with or without a port, is this machine by its name.
func LoopbackName(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	name = strings.ToLower(name)
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	ip := net.ParseIP(name)
	return ip != nil && ip.IsLoopback()
}

func (s *Server) originHost(host string) bool {
	return slices.ContainsFunc(s.Origins, func(origin string) bool {
		u, err := url.Parse(origin)
		return err == nil && strings.EqualFold(u.Host, host)
	})
}

// ownOrigin says whether a page of this origin may open our socket: our own pages, under the name that
// the browser asked for, and those of Origins. There is no origin without a browser: it must be said. A page that
// came without TLS is not ours where there is TLS: anybody on the way may have written it. To refuse, whoever
// says that there is TLS is believed.
func (s *Server) ownOrigin(c *fiber.Ctx, origin string) bool {
	if slices.Contains(s.Origins, origin) {
		return true
	}
	scheme, host, _ := strings.Cut(origin, "://")
	switch scheme {
	case "https":
	case "http":
		if c.Context().IsTLS() || saysTLS(c) {
			return false
		}
	default:
		return false
	}
	asked := c.Hostname()
	return asked != "" && strings.EqualFold(shortHost(scheme, host), shortHost(scheme, asked))
}

// shortHost is a host without the port that browsers leave out, and some proxies write.
func shortHost(scheme, host string) string {
	return strings.TrimSuffix(host, map[string]string{"https": ":443", "http": ":80"}[scheme])
}
