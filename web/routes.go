package web

import (
	"slices"

	"github.com/gofiber/fiber/v2"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// routes is every address that Roomwatch answers at, each with the rule of who may use it.
func (s *Server) routes() {
	rooms, history, intake, metrics := s.may(access.SeeRooms), s.may(access.SeeHistory), s.may(access.SeeIntake), s.may(access.SeeMetrics)
	files, end := s.may(access.Download), s.may(access.EndRoom)
	s.app.Use(s.recovered, s.guard, s.sameSite)

	// With any other method it is 405, never a redirect to a page: that would lose an event (contract 4.1).
	s.on(fiber.MethodPost, "/webhook", elsewhere("signed by a source"), s.webhook)

	s.get("/livez", anybody, s.livez)
	s.get("/readyz", anybody, s.readyz)
	s.get("/health", anybody, s.health)
	s.get("/metrics", metrics, s.metrics.serve())

	s.get("/api/v1/state", rooms, s.apiState)
	s.get("/api/v1/totals", rooms, s.apiTotals)
	s.get("/api/v1/attention", rooms, s.apiAttention)
	s.get("/api/v1/sessions", history, list(s, room.SessionParams, room.ParseSessionQuery, s.Record.Sessions))
	s.get("/api/v1/sessions/:sid", rooms, s.apiSession)
	s.get("/api/v1/recordings", history, list(s, room.RecordingParams, room.ParseRecordingQuery, s.Record.Recordings))
	s.get("/api/v1/artifacts", history, list(s, room.ArtifactParams, room.ParseArtifactQuery, s.Record.Artifacts))
	s.get("/api/v1/deliveries", intake, list(s, room.DeliveryParams, room.ParseDeliveryQuery, s.Record.Deliveries))
	s.get("/api/v1/deliveries/:position", intake, s.apiDelivery)
	s.get("/api/v1/openapi.yaml", rooms, s.apiDocument)
	s.post("/api/v1/embed-tokens", s.may(access.Mint), s.mint)

	s.get("/embed", s.framed(), s.compressed(), s.embedPage)
	s.get("/embed/rooms/:room_id", s.framed(), s.compressed(), s.embedPage)
	s.get(embedScript, anybody, s.embedScriptFile)

	// Not compressed: what compresses a stream takes one that breaks off for one that ended.
	s.get("/sessions.csv", history, export(s, sessionTable, asCSV))
	s.get("/sessions.json", history, export(s, sessionTable, asJSON))
	s.get("/recordings.csv", history, export(s, recordingTable, asCSV))
	s.get("/recordings.json", history, export(s, recordingTable, asJSON))
	s.get("/artifacts.csv", history, export(s, artifactTable, asCSV))
	s.get("/artifacts.json", history, export(s, artifactTable, asJSON))
	s.get("/intake.csv", intake, export(s, deliveryTable, asCSV))
	s.get("/intake.json", intake, export(s, deliveryTable, asJSON))

	s.get("/live", elsewhere("as the view that is watched"), s.live())

	packed := s.compressed()
	s.get("/static/:name", anybody, packed, s.staticFile)
	s.get("/", rooms, packed, s.overviewPage)
	s.get("/rooms/:sid", rooms, packed, s.roomPage)
	s.get("/rooms/:sid/end", end, packed, s.endPage)
	s.post("/rooms/:sid/end", end, s.endRoom)
	s.get("/rooms/:sid/recordings/:id/file", files, s.recordingFile)
	s.get("/rooms/:sid/artifacts/:id/file", files, s.artifactFile)
	s.get("/sessions", history, packed, s.listPage(live.ViewSessions, "Sessions"))
	s.get("/recordings", history, packed, s.listPage(live.ViewRecordings, "Recordings"))
	s.get("/artifacts", history, packed, s.listPage(live.ViewArtifacts, "Artifacts"))
	s.get("/intake", intake, packed, s.listPage(live.ViewIntake, "Intake"))
	s.get("/intake/:position", s.may(access.SeeBodies), packed, s.deliveryPage)
	s.get("/find", history, packed, s.findPage)
	if s.Gallery {
		s.get("/dev/gallery", rooms, packed, s.galleryPage)
	}
	if s.Auth.By != "" {
		s.accountRoutes()
	}
}

// accountRoutes are those of logins and accounts.
func (s *Server) accountRoutes() {
	own, users, tokens := s.may(access.OwnAccount), s.may(access.ManageUsers), s.may(access.ManageTokens)
	s.get("/login", anybody, s.loginPage)
	s.post("/logout", anybody, s.logout)
	if s.Auth.By == ByOIDC {
		s.get("/login/start", anybody, s.beginOIDC)
		s.get("/login/callback", elsewhere("by what began here"), s.endOIDC)
	}
	if s.Auth.By == ByLocal {
		s.post("/login", anybody, s.login)
		s.get("/setup", anybody, s.setupPage)
		s.post("/setup", anybody, s.firstUser)
	}
	s.get("/account", own, s.accountPage)
	s.post("/account", own, s.changeAccount)
	s.get("/users", users, s.usersPage)
	s.post("/users", users, s.changeUsers)
	s.get("/tokens", tokens, s.tokensPage)
	s.post("/tokens", tokens, s.changeTokens)
	s.get("/audit", s.may(access.SeeAudit), s.auditPage)
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

// Registered are all routes as they are, "GET /", so that a test can hold them against their rules.
func (s *Server) Registered() (routes []string) {
	for _, route := range s.app.GetRoutes(true) {
		if route.Method != fiber.MethodHead {
			routes = append(routes, route.Method+" "+route.Path)
		}
	}
	return routes
}
