package web

import "github.com/gofiber/fiber/v2"

// routes is every address that Roomwatch answers at.
func (s *Server) routes() {
	s.app.Use(s.guard, s.headers)

	s.app.Post("/webhook", s.webhook)
	s.app.All("/webhook", s.onlyPost)

	s.app.Get("/livez", s.livez)
	s.app.Get("/readyz", s.readyz)
	s.app.Get("/health", s.health)
	s.app.Get("/metrics", s.metrics.serve())

	s.app.Get("/api/v1/state", s.apiState)
	s.app.Get("/api/v1/sessions", s.apiSessions)
	s.app.Get("/api/v1/sessions/:sid", s.apiSession)
	s.app.Get("/api/v1/deliveries", s.apiDeliveries)
	s.app.All("/api/*", s.apiUnknown)

	s.app.Get("/live", s.live())

	pages := s.app.Group("", s.compressed())
	pages.Get("/static/:name", s.staticFile)
	pages.Get("/", s.overviewPage)
	pages.Get("/rooms/:sid", s.roomPage)
	s.app.Use(s.unknownPage)
}

// onlyPost keeps plugNmeet's address from being followed as a page, which would lose an event (contract 4.1).
func (s *Server) onlyPost(c *fiber.Ctx) error {
	c.Set(fiber.HeaderAllow, fiber.MethodPost)
	return status(c, fiber.StatusMethodNotAllowed, "only POST")
}
