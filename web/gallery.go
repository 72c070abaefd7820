package web

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/roomwatch/roomwatch/views"
)

// galleryPage shows every component in every state, for those who work on them.
func (s *Server) galleryPage(c *fiber.Ctx) error {
	now := time.Now()
	return s.render(c, fiber.StatusOK, views.Page(views.PageData{Title: "Gallery", Root: views.Gallery(now), At: now}))
}
