package web

import (
	"context"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/share"
	"github.com/roomwatch/roomwatch/views"
)

// peopleIn is how many ended sessions are looked through for people; fewer are shown.
const peopleIn = 20

// findPage finds rooms and people by the beginnings of words, running rooms first. It does not live.
func (s *Server) findPage(c *fiber.Ctx) error {
	values, err := filters(c)
	if err != nil {
		return err
	}
	q, err := room.ParseSessionQuery(url.Values{"q": values["q"]})
	if err != nil {
		return err
	}
	v, err := s.who(c)
	if err != nil {
		return err
	}
	f, err := s.find(v, s.shareOf(c, v), q.Text)
	if err != nil {
		return err
	}
	title := titled("Find", live.Question{List: q})
	return s.stillPage(c, views.PageData{Title: title, Root: views.Find(f)})
}

// find asks for what goes on and, when there is something to look for, for what has ended.
func (s *Server) find(v visitor, who share.Holder, text string) (views.Found, error) {
	f := views.Found{Text: text}
	err := s.sessions(v, who, &f.Running, room.SessionQuery{State: room.StateLive, Text: text, Limit: views.RunningFound})
	if err == nil && len(f.Running) < views.RunningFound {
		err = s.sessions(v, who, &f.Running, room.SessionQuery{State: room.StateCreated, Text: text, Limit: views.RunningFound - len(f.Running)})
	}
	if err == nil && text != "" {
		err = s.sessions(v, who, &f.Ended, room.SessionQuery{State: room.StateEnded, Text: text, Limit: peopleIn})
	}
	return f, err
}

func (s *Server) sessions(v visitor, who share.Holder, list *[]room.Summary, q room.SessionQuery) error {
	page, err := asked(s, who, func(ctx context.Context) (room.Page[room.Summary], error) {
		return s.Record.Sessions(ctx, limited(v, q))
	})
	*list = append(*list, page.Items...)
	return err
}
