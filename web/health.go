package web

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/roomwatch/roomwatch/live"
)

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
	checks := map[string][]check{
		"record:write":    {{Component: "datastore", Status: "pass"}},
		"record:warnings": warned(s.Record.Warnings()),
		"board:ready":     {{Component: "component", Status: "pass"}},
	}
	if part := s.obstacles.checks(time.Now()); len(part) > 0 {
		checks["live:sockets"] = part
	}
	if part := s.connections.check(time.Now()); part != nil {
		checks["http:connections"] = part
	}
	if part := s.sourceChecks(); len(part) > 0 {
		checks["plugnmeet:api"] = part
	}
	if !s.isReady() {
		checks["board:ready"][0].Status = "warn"
	}
	if s.Record.Health() != nil {
		checks["record:write"][0].Status = "fail"
	}
	if s.Replica != nil {
		checks["record:spool"] = []check{spooled(s.Replica.Spooled())}
	}
	overall := worst(checks)
	code := fiber.StatusOK
	if overall == "fail" {
		code = fiber.StatusServiceUnavailable
	}
	return c.Status(code).JSON(fiber.Map{"status": overall, "checks": checks}, "application/health+json")
}

// sourceChecks are how the APIs of the sources are heard, of those that have one. They name none.
func (s *Server) sourceChecks() (out []check) {
	for _, source := range s.Board.Sources() {
		c := check{Component: "system", Status: "pass"}
		switch source.API {
		case live.APINone:
			continue
		case live.APIWaiting:
			c.Output = "was not asked yet"
		case live.APIFailing:
			c.Status, c.Output = "warn", "does not confirm the rooms: they are shown as deliveries told them"
		}
		if !source.ReconciledAt.IsZero() {
			c.Time = source.ReconciledAt
		}
		out = append(out, c)
	}
	return out
}

// check is what the draft says of one component.
type check struct {
	Component string    `json:"componentType"`
	Status    string    `json:"status"` // pass, warn or fail
	Output    string    `json:"output,omitempty"`
	Time      time.Time `json:"time,omitzero"` // of the newest good answer
	Observed  *int64    `json:"observedValue,omitempty"`
	Unit      string    `json:"observedUnit,omitempty"`
}

// spooled warns when half of the room for deliveries that wait is taken.
func spooled(waiting, most int64) check {
	c := check{Component: "datastore", Status: "pass", Observed: &waiting, Unit: "deliveries"}
	if most > 0 && waiting >= most/2 {
		c.Status, c.Output = "warn", "the local file is filling up with deliveries that wait for Redis"
	}
	return c
}

func warned(warnings []string) []check {
	if len(warnings) == 0 {
		return []check{{Component: "datastore", Status: "pass"}}
	}
	checks := make([]check, 0, len(warnings))
	for _, text := range warnings {
		checks = append(checks, check{Component: "datastore", Status: "warn", Output: text})
	}
	return checks
}

// worst is how the whole fares when its parts fare so.
func worst(checks map[string][]check) string {
	overall := "pass"
	for _, part := range checks {
		for _, c := range part {
			if c.Status == "fail" || overall == "pass" {
				overall = c.Status
			}
		}
	}
	return overall
}
