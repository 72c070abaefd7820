package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/roomwatch/roomwatch/views"
)

// A Roomwatch that is served below a path (Config.BasePath) speaks of itself as if it were at the root. The path
// is taken off a request when it comes in, and put before every address that goes out: in pages, frames,
// redirects, cookies. So it makes no difference whether a proxy in front takes the path off.

// ownPlaces are the first steps of our addresses. A path that begins like one could not be told from it.
var ownPlaces = []string{"account", "api", "artifacts", "artifacts.csv", "artifacts.json", "audit", "dev", "embed",
	"embed.js", "find", "health", "intake", "intake.csv", "intake.json", "live", "livez", "login", "logout", "metrics",
	"readyz", "recordings", "recordings.csv", "recordings.json", "rooms", "sessions", "sessions.csv", "sessions.json",
	"setup", "static", "tokens", "users", "webhook"}

var plainPath = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$`)

// ParseBasePath reads the setting BASE_PATH: "" or "/" is the root, a slash at the end is left out.
func ParseBasePath(text string) (string, error) {
	path := strings.TrimRight(text, "/")
	if path == "" {
		return "", nil
	}
	if !plainPath.MatchString(path) || len(path) > 200 {
		return "", errors.New("write it like /roomwatch, of letters, digits and . _ ~ -")
	}
	first, _, _ := strings.Cut(strings.ToLower(path[1:]), "/")
	if slices.Contains(ownPlaces, first) {
		return "", fmt.Errorf("/%s is an address of Roomwatch itself: choose another, such as /roomwatch", first)
	}
	return path, nil
}

// fromRoot takes the base path off a request's address. One without it is taken as it is.
func (s *Server) fromRoot(header *fasthttp.RequestHeader) {
	if s.BasePath == "" {
		return
	}
	address := header.RequestURI()
	start := 0
	if scheme := bytes.Index(address, []byte("://")); scheme > 0 && address[0] != '/' { // a whole one, as to a proxy
		host := scheme + len("://")
		start = host + max(0, bytes.IndexByte(address[host:], '/'))
	}
	rest, ok := bytes.CutPrefix(address[start:], []byte(s.BasePath))
	switch {
	case !ok, bytes.HasPrefix(rest, []byte("//")): // which would name a host
		return
	case len(rest) == 0 || rest[0] == '?':
		rest = append([]byte("/"), rest...)
	case rest[0] != '/':
		return
	}
	header.SetRequestURIBytes(slices.Concat(address[:start], rest))
}

// below is an address of ours for the world.
func (s *Server) below(path string) string {
	if strings.HasPrefix(path, s.BasePath+"/") || path == s.BasePath {
		return path
	}
	return s.BasePath + path
}

// sendBelow puts the base path before where an answer sends the browser.
func (s *Server) sendBelow(header *fasthttp.ResponseHeader) {
	if s.BasePath == "" {
		return
	}
	if to := string(header.Peek(fiber.HeaderLocation)); strings.HasPrefix(to, "/") {
		header.Set(fiber.HeaderLocation, s.below(to))
	}
}

// render makes the whole page before the first byte of it is sent, so that a failure can still be answered.
func (s *Server) render(c *fiber.Ctx, code int, page templ.Component) error {
	var buf bytes.Buffer
	if err := page.Render(context.Background(), &buf); err != nil {
		return err
	}
	return c.Status(code).Type("html", "utf-8").Send(views.Below(s.BasePath, buf.Bytes()))
}
