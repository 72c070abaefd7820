package web

// routes is every address that Roomwatch answers at.
func (s *Server) routes() {
	s.app.Use(s.recovered, s.guard)

	// With any other method it is 405, never a redirect to a page: that would lose an event (contract 4.1).
	s.app.Post("/webhook", s.webhook)

	s.app.Get("/livez", s.livez)
	s.app.Get("/readyz", s.readyz)
	s.app.Get("/health", s.health)
	s.app.Get("/metrics", s.metrics.serve())

	s.app.Get("/api/v1/state", s.apiState)
	s.app.Get("/api/v1/sessions", s.apiSessions)
	s.app.Get("/api/v1/sessions/:sid", s.apiSession)
	s.app.Get("/api/v1/deliveries", s.apiDeliveries)

	s.app.Get("/live", s.live())

	pages := s.app.Group("", s.compressed())
	pages.Get("/static/:name", s.staticFile)
	pages.Get("/", s.overviewPage)
	pages.Get("/rooms/:sid", s.roomPage)
}
