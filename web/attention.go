package web

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/views"
)

// Alarm is what needs attention, for machines. Its JSON is described in openapi.yaml.
type Alarm struct {
	ID           string       `json:"id"`
	Concern      room.Concern `json:"concern"`
	Source       string       `json:"source,omitempty"`
	SID          string       `json:"sid,omitempty"`
	RoomID       string       `json:"room_id,omitempty"`
	Title        string       `json:"title,omitempty"`
	RecordID     string       `json:"record_id,omitempty"`
	Since        time.Time    `json:"since,omitzero"`
	LimitSeconds int          `json:"limit_seconds"`
	Recorder     string       `json:"recorder,omitempty"`
	Message      string       `json:"message,omitempty"`
	Count        int          `json:"count,omitempty"`
	Why          string       `json:"why"`
}

// Alarms is the form in which machines get alarms, here and in what is posted of new ones.
func Alarms(list []room.Alarm) []Alarm {
	out := make([]Alarm, 0, len(list))
	for _, a := range list {
		out = append(out, Alarm{ID: a.ID(), Concern: a.Concern, Source: a.Source, SID: a.SID, RoomID: a.RoomID, Title: a.Title, RecordID: a.RecordID,
			Since: a.Since.UTC(), LimitSeconds: int(a.Limit / time.Second), Recorder: a.Recorder, Message: a.Message, Count: a.Count, Why: views.Why(a)})
	}
	return out
}

// apiAttention is what needs attention now, the most pressing first.
func (s *Server) apiAttention(c *fiber.Ctx) error {
	if _, err := filtersOf(c); err != nil {
		return err
	}
	return c.JSON(fiber.Map{"items": Alarms(s.Board.Alarms())})
}
