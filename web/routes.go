package web

import (
	"slices"

	"github.com/gofiber/fiber/v2"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

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
	s.app.Get("/api/v1/totals", s.apiTotals)
	s.app.Get("/api/v1/attention", s.apiAttention)
	s.app.Get("/api/v1/sessions", list(s, room.ParseSessionQuery, s.vouched))
	s.app.Get("/api/v1/sessions/:sid", s.apiSession)
	s.app.Get("/api/v1/recordings", list(s, room.ParseRecordingQuery, s.Record.Recordings))
	s.app.Get("/api/v1/artifacts", list(s, room.ParseArtifactQuery, s.Record.Artifacts))
	s.app.Get("/api/v1/deliveries", list(s, room.ParseDeliveryQuery, s.Record.Deliveries))
	s.app.Get("/api/v1/deliveries/:position", s.apiDelivery)
	s.app.Get("/api/v1/openapi.yaml", s.apiDocument)

	// Not compressed: what compresses a stream takes one that breaks off for one that ended.
	s.app.Get("/sessions.csv", export(s, sessionTable, asCSV))
	s.app.Get("/sessions.json", export(s, sessionTable, asJSON))
	s.app.Get("/recordings.csv", export(s, recordingTable, asCSV))
	s.app.Get("/recordings.json", export(s, recordingTable, asJSON))
	s.app.Get("/artifacts.csv", export(s, artifactTable, asCSV))
	s.app.Get("/artifacts.json", export(s, artifactTable, asJSON))
	s.app.Get("/intake.csv", export(s, deliveryTable, asCSV))
	s.app.Get("/intake.json", export(s, deliveryTable, asJSON))

	s.app.Get("/live", s.live())

	pages := s.app.Group("", s.compressed())
	pages.Get("/static/:name", s.staticFile)
	pages.Get("/", s.overviewPage)
	pages.Get("/rooms/:sid", s.roomPage)
	pages.Get("/rooms/:sid/end", s.operates, s.endPage)
	pages.Post("/rooms/:sid/end", s.operates, s.endRoom)
	pages.Get("/rooms/:sid/recordings/:id/file", s.operates, s.recordingFile)
	pages.Get("/rooms/:sid/artifacts/:id/file", s.operates, s.artifactFile)
	pages.Get("/sessions", s.listPage(live.ViewSessions, "Sessions"))
	pages.Get("/recordings", s.listPage(live.ViewRecordings, "Recordings"))
	pages.Get("/artifacts", s.listPage(live.ViewArtifacts, "Artifacts"))
	pages.Get("/intake", s.listPage(live.ViewIntake, "Intake"))
	pages.Get("/intake/:position", s.deliveryPage)
	pages.Get("/find", s.findPage)
	if s.Gallery {
		pages.Get("/dev/gallery", s.galleryPage)
	}
}

// Addresses are the paths that answer a GET, as the routes have them, so that a test can hold them all.
func (s *Server) Addresses() (paths []string) {
	for _, route := range s.app.GetRoutes(true) {
		if route.Method == fiber.MethodGet && !slices.Contains(paths, route.Path) {
			paths = append(paths, route.Path)
		}
	}
	return paths
}
