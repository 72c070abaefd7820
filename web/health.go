package web

import "github.com/gofiber/fiber/v2"

// livez: the process answers.
func (s *Server) livez(c *fiber.Ctx) error { return status(c, fiber.StatusOK, "alive") }

// readyz: the record is folded to the end that it had at start, and deliveries can be stored.
func (s *Server) readyz(c *fiber.Ctx) error {
	switch {
	case s.sockets.closed():
		return status(c, fiber.StatusServiceUnavailable, "closing")
	case !s.isReady():
		return status(c, fiber.StatusServiceUnavailable, "starting")
	case s.Record.Health() != nil:
		return status(c, fiber.StatusServiceUnavailable, "cannot store")
	}
	return status(c, fiber.StatusOK, "ready")
}

func (s *Server) isReady() bool {
	select {
	case <-s.Board.Ready():
		return true
	default:
		return false
	}
}

// health is for monitors, after the health+json draft. It holds nothing private: it needs no login.
func (s *Server) health(c *fiber.Ctx) error {
	board, record := "pass", "pass"
	if !s.isReady() {
		board = "warn"
	}
	if s.Record.Health() != nil {
		record = "fail"
	}
	overall, code := "pass", fiber.StatusOK
	switch {
	case record == "fail":
		overall, code = "fail", fiber.StatusServiceUnavailable
	case board == "warn":
		overall = "warn"
	}
	check := func(component, status string) []fiber.Map {
		return []fiber.Map{{"componentType": component, "status": status}}
	}
	return c.Status(code).JSON(fiber.Map{"status": overall, "checks": fiber.Map{
		"record:write": check("datastore", record),
		"board:ready":  check("component", board),
	}}, "application/health+json")
}
