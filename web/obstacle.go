package web

import (
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
)

// obstacle is what keeps a page from going live that may: something between the two that is not set up for it. It
// is refused as anything else would be, and said wherever somebody may look who can change it: in the answer, which
// the page shows, in the log, in /health, which check reads, and as a figure.
type obstacle struct {
	code string // one word, of the figure
	text string // what it is, and what to change; for everybody
}

var (
	obstacleUpgrade = &obstacle{"upgrade", "A proxy between the browser and Roomwatch does not pass WebSocket " +
		"upgrades on. Have it speak HTTP/1.1 to Roomwatch and pass the headers Upgrade and Connection at /live " +
		"(nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection " +
		"upgrade)."}
	obstacleHost = &obstacle{"host", "A proxy between the browser and Roomwatch passes another Host than the " +
		"browser asked for, so that the page seems to be of another site. Have it pass Host as it came (nginx: " +
		"proxy_set_header Host $http_host), or name the page's origin in ORIGINS."}
	obstacleSandbox = &obstacle{"sandbox", "The page is in a frame with the attribute sandbox and without " +
		"allow-same-origin, which makes it a page of no site. Have the page around it write " +
		"sandbox=\"allow-scripts allow-same-origin\", or no sandbox."}
	obstaclePlain = &obstacle{"plain", "The page came over plain http, and Roomwatch is behind TLS. Open it " +
		"over https, and have the proxy lead http there."}
	obstaclePath = &obstacle{"path", "A proxy between the browser and Roomwatch changes the path of the live " +
		"connection. Have it pass /live as it is. Where Roomwatch is served below a path, BASE_PATH must name that."}
)

// Times of obstacles.
const (
	obstacleLife = 10 * time.Minute // after the last time: a page tries again every half minute
	obstacleTold = 10 * time.Minute // until the log tells of the same again
	framedLately = time.Minute      // in which a page in a frame loads its files
)

// pageHeader is how a page whose socket fails asks what is in its way. Its value is the page's origin.
const pageHeader = "Roomwatch-Page"

// obstacles are those that were met lately.
type obstacles struct {
	mu     sync.Mutex
	met    map[*obstacle]*meeting
	framed atomic.Int64 // when a page in a frame was served last, in Unix seconds
}

// meeting is how an obstacle was met.
type meeting struct {
	times        uint64
	last, logged time.Time
}

func newObstacles() *obstacles { return &obstacles{met: make(map[*obstacle]*meeting)} }

// meet counts an obstacle, and says whether it is worth a line of the log.
func (o *obstacles) meet(what *obstacle, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	m := o.met[what]
	if m == nil {
		m = new(meeting)
		o.met[what] = m
	}
	m.times++
	m.last = now
	if now.Sub(m.logged) < obstacleTold {
		return false
	}
	m.logged = now
	return true
}

func (o *obstacles) times(what *obstacle) float64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	if m := o.met[what]; m != nil {
		return float64(m.times)
	}
	return 0
}

// checks are for /health: one for each obstacle that was met lately.
func (o *obstacles) checks(now time.Time) (out []check) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, what := range allObstacles {
		if m := o.met[what]; m != nil && now.Sub(m.last) < obstacleLife {
			last := m.last.UTC().Truncate(time.Second)
			out = append(out, check{Component: "system", Status: "warn", Output: what.text, Time: last})
		}
	}
	return out
}

var allObstacles = []*obstacle{obstacleUpgrade, obstacleHost, obstacleSandbox, obstaclePlain, obstaclePath}

// hindered notes what was in the way of somebody who may open sockets. Of others nothing is noted: whoever knocks
// at the door is not to fill the log.
func (s *Server) hindered(c *fiber.Ctx, what *obstacle) {
	if v, err := s.socketVisitor(c); err != nil || !v.Known() {
		return
	}
	s.noteObstacle(c, what)
}

func (s *Server) noteObstacle(c *fiber.Ctx, what *obstacle) {
	if s.obstacles.meet(what, time.Now()) {
		s.Log.Warn("a page cannot go live", "why", what.text, "origin", clip(c.Get(fiber.HeaderOrigin)),
			"host", clip(c.Hostname()), "path", clip(c.Path()), "through", peer(c).String())
	}
}

// clip bounds what a stranger puts into a line of the log.
func clip(text string) string { return strings.ToValidUTF8(text[:min(len(text), 120)], "") }

// notUpgraded answers what asks for a socket without an upgrade: most often a proxy took that off.
func (s *Server) notUpgraded(c *fiber.Ctx) error {
	page := c.Get(pageHeader)
	switch {
	case page != "":
		return s.tellPage(c, page)
	case handshake(c):
		s.hindered(c, obstacleUpgrade)
		return refuseSocket(c, fiber.StatusUpgradeRequired, "websocket expected", obstacleUpgrade)
	}
	return fiber.ErrUpgradeRequired
}

// tellPage answers a page whose socket fails. That this request came at all says that the path is right; what it
// can say of the upgrade is that it is not what the page may do.
func (s *Server) tellPage(c *fiber.Ctx, origin string) error {
	if what := s.inTheWay(c, origin); what != nil {
		return refuseSocket(c, fiber.StatusOK, "refused", what)
	}
	return refuseSocket(c, fiber.StatusOK, "expected", obstacleUpgrade)
}

// foreign answers a socket of a page that is not ours, or does not seem to be.
func (s *Server) foreign(c *fiber.Ctx, origins []string) error {
	const said = "this page may not open the socket"
	if len(origins) != 1 {
		return status(c, fiber.StatusForbidden, said)
	}
	what := s.inTheWay(c, origins[0])
	if what == nil {
		return status(c, fiber.StatusForbidden, said)
	}
	s.hindered(c, what)
	return refuseSocket(c, fiber.StatusForbidden, said, what)
}

// inTheWay is why a page of this origin may not open sockets, though it may be one of ours.
func (s *Server) inTheWay(c *fiber.Ctx, origin string) *obstacle {
	u, err := url.Parse(origin)
	switch {
	case origin == "null":
		return obstacleSandbox
	case s.ownOrigin(c, origin), err != nil || u.Host == "", c.Get("Sec-Fetch-Site") == "cross-site":
		return nil
	case strings.EqualFold(shortHost(u.Scheme, u.Host), shortHost(u.Scheme, c.Hostname())):
		return obstaclePlain
	}
	return obstacleHost
}

func refuseSocket(c *fiber.Ctx, code int, said string, what *obstacle) error {
	return c.Status(code).JSON(fiber.Map{"status": said, "detail": what.text})
}

// handshake says whether a request is one of a socket, whatever was taken off it on its way.
func handshake(c *fiber.Ctx) bool {
	return websocket.IsWebSocketUpgrade(c) || c.Get("Sec-WebSocket-Key") != "" || c.Get("Sec-WebSocket-Version") != ""
}

// served is when a page in a frame was served: its files come next.
func (o *obstacles) served(now time.Time) { o.framed.Store(now.Unix()) }

// withoutSite notes a file that a page of no site asks for: a frame with a sandbox. It comes with no cookie and no
// token, so it counts only right after a page in a frame.
func (s *Server) withoutSite(c *fiber.Ctx) {
	framed := time.Since(time.Unix(s.obstacles.framed.Load(), 0)) < framedLately
	if framed && c.Get(fiber.HeaderOrigin) == "null" && strings.HasPrefix(c.Path(), "/static/") {
		s.noteObstacle(c, obstacleSandbox)
	}
}
