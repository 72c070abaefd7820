package web

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/views"
)

// actTime bounds what plugNmeet may take for something that a person waits for.
const actTime = 12 * time.Second

var (
	errNoAPI = errors.New("the plugNmeet of this source cannot be asked")
	errGone  = errors.New("plugNmeet no longer has it")
	errAPI   = errors.New("plugNmeet was asked in vain")
)

// acted is a session that something is to be done with, and the plugNmeet that it runs on.
func (s *Server) acted(c *fiber.Ctx) (room.Detail, *plugnmeet.API, error) {
	values, err := filters(c)
	if err != nil {
		return room.Detail{}, nil, err
	}
	source, sid := values.Get("source"), param(c, "sid")
	d, err := asked(s, s.asker(c), func(ctx context.Context) (room.Detail, error) { return s.Board.Detail(ctx, source, sid) })
	if err != nil {
		return d, nil, err
	}
	api := s.PlugNmeets[d.Source]
	if api == nil {
		return d, nil, errNoAPI
	}
	return d, api, nil
}

// recordingFile sends the reader to the file of a recording, by an address that is good for some minutes.
func (s *Server) recordingFile(c *fiber.Ctx) error {
	d, api, err := s.acted(c)
	if err != nil {
		return err
	}
	id := param(c, "id")
	for _, r := range d.Recordings {
		if r.RecordID == id && r.FilePath != "" {
			return s.fetch(c, d, "recording "+id, func(ctx context.Context) (string, error) { return api.RecordingURL(ctx, id) })
		}
	}
	return room.ErrNotFound
}

// artifactFile is the same of an artifact.
func (s *Server) artifactFile(c *fiber.Ctx) error {
	d, api, err := s.acted(c)
	if err != nil {
		return err
	}
	id := param(c, "id")
	for _, a := range d.Artifacts {
		if a.ArtifactID == id && room.Downloadable(a.Type) {
			return s.fetch(c, d, "artifact "+id, func(ctx context.Context) (string, error) { return api.ArtifactURL(ctx, id) })
		}
	}
	return room.ErrNotFound
}

// fetch redirects to where a file can be had. The address is a secret: nobody keeps it.
func (s *Server) fetch(c *fiber.Ctx, d room.Detail, what string, ask func(context.Context) (string, error)) error {
	v, err := s.who(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), actTime)
	defer cancel()
	address, err := ask(ctx)
	switch {
	case errors.Is(err, plugnmeet.ErrUnknown):
		return errGone
	case err != nil:
		return fmt.Errorf("%w: %w", errAPI, err)
	}
	s.audit(c, v, access.ActDownload, d.RoomID, what)
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	return c.Redirect(address, fiber.StatusSeeOther)
}

// endPage asks whether the session shall be ended.
func (s *Server) endPage(c *fiber.Ctx) error {
	d, _, err := s.acted(c)
	if err != nil {
		return err
	}
	return s.askEnd(c, fiber.StatusOK, d, "")
}

func (s *Server) askEnd(c *fiber.Ctx, code int, d room.Detail, problem string) error {
	e := views.Ending{Key: d.Key(), Name: d.Name(), People: d.People, Bots: d.Bots, Problem: problem, Ended: d.State == room.StateEnded}
	c.Status(code)
	return s.stillPage(c, views.PageData{Title: "End " + d.Name(), Nav: "sessions", Root: views.EndRoomRoot(e)})
}

// endRoom asks plugNmeet to end the session. Its end is told by plugNmeet, like any other.
func (s *Server) endRoom(c *fiber.Ctx) error {
	d, api, err := s.acted(c)
	if err != nil {
		return err
	}
	if d.State == room.StateEnded {
		return s.askEnd(c, fiber.StatusConflict, d, "")
	}
	v, err := s.who(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), actTime)
	defer cancel()
	if problem := end(ctx, api, d); problem != "" {
		return s.askEnd(c, fiber.StatusBadGateway, d, problem)
	}
	s.audit(c, v, access.ActRoomEnded, d.RoomID, d.SID)
	now := time.Now()
	said := &room.Event{Source: d.Source, SID: d.SID, RoomID: d.RoomID, Kind: room.KindAsked, At: room.At(now), Received: room.At(now),
		ID: "asked:" + d.SID + ":" + strconv.FormatInt(now.UnixMilli(), 10), Corrected: &room.Corrected{What: room.Asked, By: "An operator"}} // who it was, the audit trail says
	_, err = s.Record.Append(ctx, room.Delivery{ReceivedAt: now, Source: d.Source, ID: said.ID, Event: said.Kind.String(), RoomID: d.RoomID, SID: d.SID,
		Verdict: room.Accepted, Reason: said.Corrected.Text(), Said: said})
	if err != nil {
		s.Log.Error("that a room was ended could not be recorded", "sid", d.SID, "source", d.Source, "err", err)
	}
	address := "/rooms/" + url.PathEscape(d.SID)
	if d.Source != "default" {
		address += "?source=" + url.QueryEscape(d.Source)
	}
	return c.Redirect(address, fiber.StatusSeeOther)
}

// end ends the session that is meant, and no later one of its room_id: that is all that plugNmeet can be told.
func end(ctx context.Context, api *plugnmeet.API, d room.Detail) (problem string) {
	poll, err := api.ActiveRooms(ctx)
	if err != nil {
		return "It was not ended: plugNmeet does not say which session runs. " + err.Error() + "."
	}
	for _, r := range poll.Rooms {
		if r.RoomID != d.RoomID {
			continue
		}
		if r.SID != d.SID {
			return "It was not ended: plugNmeet runs another session of this room now. The next check will show it."
		}
		if err := api.EndRoom(ctx, d.RoomID); err != nil {
			return "It was not ended. " + err.Error() + "."
		}
		return ""
	}
	return "It was not ended: plugNmeet does not list it. If it is over, the next checks will show it."
}
