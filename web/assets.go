package web

import (
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/roomwatch/roomwatch/static"
)

// staticFile serves what is inside the binary. Its address changes with its content.
func (s *Server) staticFile(c *fiber.Ctx) error {
	name := c.Params("name")
	asset, ok := static.Open(name)
	if !ok {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderContentType, asset.Type)
	if c.Query("v") == asset.Tag {
		c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	} else {
		c.Set(fiber.HeaderCacheControl, "no-cache")
	}
	if !compressible(asset.Type) {
		return c.Send(asset.Body)
	}
	c.Vary(fiber.HeaderAcceptEncoding)
	switch accept := &c.Request().Header; {
	case accept.HasAcceptEncoding("br"):
		c.Set(fiber.HeaderContentEncoding, "br")
		return c.Send(s.packed.of(name, asset.Body))
	case accept.HasAcceptEncoding("gzip"): // browsers take Brotli over https and from loopback only
		c.Set(fiber.HeaderContentEncoding, "gzip")
		return c.Send(asset.Gzip())
	}
	return c.Send(asset.Body)
}

// compressible: what is not text has been compressed by who made it.
func compressible(contentType string) bool {
	return strings.HasPrefix(contentType, "text/") || strings.HasPrefix(contentType, "image/svg")
}

// packed holds assets as small as Brotli makes them, each from when it is first asked for: that takes up to a
// tenth of a second, and a quarter off what a first visit loads.
type packed struct {
	mu     sync.Mutex
	assets map[string][]byte
}

func (p *packed) of(name string, body []byte) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	small, ok := p.assets[name]
	if !ok {
		if p.assets == nil {
			p.assets = make(map[string][]byte)
		}
		small = fasthttp.AppendBrotliBytesLevel(nil, body, fasthttp.CompressBrotliBestCompression)
		p.assets[name] = small
	}
	return small
}
