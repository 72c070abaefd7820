package web

import (
	"errors"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/compress"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/views"
)

func (s *Server) compressed() fiber.Handler {
	return compress.New(compress.Config{Level: compress.LevelDefault})
}

func (s *Server) overviewPage(c *fiber.Ctx) error {
	return s.listPage("overview", "Live rooms")(c)
}

// listPage is a page whose filters are in its address.
func (s *Server) listPage(name, title string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		filters, err := filters(c)
		if err != nil {
			return err
		}
		q, err := live.ParseQuestion(name, filters)
		if err != nil {
			return err
		}
		return s.page(c, q, views.PageData{Title: titled(title, q), Nav: name})
	}
}

// titled is the title of a list with what is searched in it, so that tabs and history tell pages apart.
func titled(title string, q live.Question) string {
	text := ""
	if list, ok := q.List.(interface{ Values() url.Values }); ok {
		text = list.Values().Get("q")
	}
	if text == "" {
		return title
	}
	if letters := []rune(text); len(letters) > maxTitle {
		text = string(letters[:maxTitle]) + "…"
	}
	return title + " “" + text + "”"
}

// maxTitle bounds what a title shows of a search, in letters.
const maxTitle = 60

func (s *Server) roomPage(c *fiber.Ctx) error {
	filters, err := filters(c)
	if err != nil {
		return err
	}
	q, err := live.ParseQuestion("room:"+param(c, "sid"), filters)
	if errors.Is(err, live.ErrNoView) {
		return room.ErrNotFound
	}
	if err == nil {
		q, err = s.found(q, s.asker(c))
	}
	if err != nil {
		return err
	}
	return s.page(c, q, views.PageData{Title: s.Board.Name(q.Key), Nav: "sessions"})
}

// deliveryPage is one delivery of the record, whole. It does not change, so it does not live.
func (s *Server) deliveryPage(c *fiber.Ctx) error {
	d, err := s.delivery(c)
	if err != nil {
		return err
	}
	return s.stillPage(c, views.PageData{Title: "Delivery " + d.Position, Nav: live.ViewIntake, Root: views.Delivery(d)})
}

// page is the view as a complete document, which the socket then keeps up to date.
func (s *Server) page(c *fiber.Ctx, q live.Question, data views.PageData) error {
	v, err := s.who(c)
	if err != nil {
		return err
	}
	if q, err = v.asks(q); err != nil {
		return err
	}
	p, err := s.Hub.Page(q, s.shareOf(c, v))
	if err != nil {
		return err
	}
	data.Reader = v.reader()
	data.Root, data.Live, data.Epoch, data.Seq, data.At = p.Root, s.below(p.Live), p.Epoch, p.Seq, p.At
	return s.render(c, fiber.StatusOK, views.Page(data))
}

// stillPage is a page that does not live.
func (s *Server) stillPage(c *fiber.Ctx, data views.PageData) error {
	v, err := s.who(c)
	if err != nil {
		return err
	}
	data.Reader, data.At = v.reader(), time.Now()
	return s.render(c, c.Response().StatusCode(), views.Page(data))
}

// reader is what a page knows of whoever reads it.
func (v visitor) reader() views.Reader {
	all := access.Target{}
	return views.Reader{Name: v.user.Name, Role: string(v.user.Role), NoIntake: !v.May(access.SeeIntake, all), Manages: v.May(access.ManageUsers, all), LogsOut: v.login.User != ""}
}
