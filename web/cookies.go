package web

import (
	"cmp"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// Cookies, without the prefix by which browsers keep other hosts and plain http from setting them. One of those is
// for the root alone: below a path, others may be served at the same host, which our cookies are not for.
const (
	loginCookie  = "roomwatch"
	deviceCookie = "roomwatch-device"
	hostPrefix   = "__Host-"
	securePrefix = "__Secure-"
)

// cookieName is the cookie's name on this connection. Over plain http, which only loopback names get, browsers
// refuse the prefix.
func (s *Server) cookieName(c *fiber.Ctx, name string) string {
	switch {
	case !s.encrypted(c):
		return name
	case s.BasePath != "":
		return securePrefix + name
	}
	return hostPrefix + name
}

func (s *Server) cookie(c *fiber.Ctx, name string) string {
	return c.Cookies(s.cookieName(c, name))
}

// setCookie sets a cookie that no script reads. It is not sent along with what other sites ask for, but with
// links from them.
func (s *Server) setCookie(c *fiber.Ctx, name, value string, life time.Duration) {
	var cookie fasthttp.Cookie
	cookie.SetKey(s.cookieName(c, name))
	cookie.SetValue(value)
	cookie.SetPath(cmp.Or(s.BasePath, "/"))
	cookie.SetHTTPOnly(true)
	cookie.SetSecure(s.encrypted(c))
	cookie.SetSameSite(fasthttp.CookieSameSiteLaxMode)
	if cookie.SetMaxAge(int(life / time.Second)); life < 0 {
		cookie.SetExpire(fasthttp.CookieExpireDelete)
	}
	c.Response().Header.SetCookie(&cookie)
}

// mayLogIn says whether a cookie would be safe here: over TLS, or on this machine.
func (s *Server) mayLogIn(c *fiber.Ctx) bool {
	return s.encrypted(c) || LoopbackName(c.Hostname())
}

// field is a field of a form that was posted. What is in the address does not count.
func field(c *fiber.Ctx, name string) string {
	return string(c.Context().PostArgs().Peek(name))
}
