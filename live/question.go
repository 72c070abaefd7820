package live

import (
	"errors"
	"net/url"
	"strings"

	"github.com/roomwatch/roomwatch/room"
)

// ErrNoView: the text names no view.
var ErrNoView = errors.New("no such view")

// The names of the views. A list's name is its page's, too.
const (
	viewOverview   = "overview"
	viewRoom       = "room"
	ViewSessions   = "sessions"
	ViewRecordings = "recordings"
	ViewArtifacts  = "artifacts"
	ViewIntake     = "intake"
)

// Spans of a room's timeline: the whole of it and what followed, the session alone, the last quarter of an hour.
const (
	SpanSession = "session"
	SpanQuarter = "quarter"
)

// Question is what a view answers. Equal questions share one view.
type Question struct {
	Name string
	Key  room.Key // of a room; the source may be empty until the session is found
	Span string   // of a room's timeline
	For  Audience // who asks
	List any      // of a list: its RoomQuery, room.SessionQuery, RecordingQuery, ArtifactQuery or DeliveryQuery
}

// maxText bounds a filter text, in bytes.
const maxText = 200

// ParseQuestion reads the view parameter of a live path and the page's filters beside it. The error is
// ErrNoView, or a *room.BadValue that names the filter.
func ParseQuestion(name string, filters url.Values) (q Question, err error) {
	q.Name = name
	switch name {
	case viewOverview:
		q.List = ParseRoomQuery(filters)
	case ViewSessions:
		q.List, err = room.ParseSessionQuery(filters)
	case ViewRecordings:
		q.List, err = room.ParseRecordingQuery(filters)
	case ViewArtifacts:
		q.List, err = room.ParseArtifactQuery(filters)
	case ViewIntake:
		q.List, err = room.ParseDeliveryQuery(filters)
	default:
		if q, framed := parseEmbed(name); framed {
			return q, nil
		}
		return parseRoom(name, filters)
	}
	return q, err
}

func parseRoom(name string, filters url.Values) (Question, error) {
	sid, ok := strings.CutPrefix(name, viewRoom+":")
	if !ok || sid == "" || len(sid) > 256 {
		return Question{}, ErrNoView
	}
	q := Question{Name: viewRoom, Key: room.Key{Source: filters.Get("source"), SID: sid}}
	if span := filters.Get("span"); span == SpanSession || span == SpanQuarter {
		q.Span = span
	}
	return q, nil
}

func clip(text string) string {
	if len(text) > maxText {
		return strings.ToValidUTF8(text[:maxText], "")
	}
	return text
}

// Path is where the question is asked over a socket.
func (q Question) Path() string {
	v := q.filters()
	name := q.Name
	if q.Name == viewRoom {
		name += ":" + q.Key.SID
	}
	if roomID, framed := q.Framed(); framed {
		name = EmbedView(roomID)
	}
	v.Set("view", name)
	return "/live?" + v.Encode()
}

// filters are what ParseQuestion reads beside the name.
func (q Question) filters() url.Values {
	if list, ok := q.List.(interface{ Values() url.Values }); ok {
		return list.Values()
	}
	v := make(url.Values)
	for name, value := range map[string]string{"span": q.Span, "source": q.Key.Source} {
		if value != "" && !(name == "source" && value == "default") {
			v.Set(name, value)
		}
	}
	return v
}

// IsRoom says whether the question is about one session, whose key has to be found first.
func (q Question) IsRoom() bool { return q.Name == viewRoom }
