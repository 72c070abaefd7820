package room

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxParam bounds every text of a query, in bytes.
const maxParam = 1024

// BadValue is a parameter that cannot be used, and what it should be.
type BadValue struct{ Name, Want string }

func (e *BadValue) Error() string { return e.Name + " must be " + e.Want }

// params reads the text form of a query. The first bad value is kept, what follows is read as empty.
type params struct {
	values url.Values
	err    error
}

func (p *params) bad(name, want string) {
	if p.err == nil {
		p.err = &BadValue{name, want}
	}
}

func (p *params) text(name string) string {
	text := p.values.Get(name)
	if len(text) > maxParam || !utf8.ValidString(text) {
		p.bad(name, fmt.Sprintf("text of at most %d bytes", maxParam))
		return ""
	}
	return text
}

func (p *params) oneOf(name string, words ...string) string {
	text := p.text(name)
	if text != "" && !slices.Contains(words, text) {
		last := len(words) - 1
		p.bad(name, strings.Join(words[:last], ", ")+" or "+words[last])
	}
	return text
}

// dateLayout is a day (UTC), as browsers' date fields send it.
const dateLayout = "2006-01-02"

// moment is a time, or a day: its beginning or, for the end of a range, the beginning of the next one.
func (p *params) moment(name string, end bool) time.Time {
	text := p.text(name)
	if text == "" {
		return time.Time{}
	}
	if day, err := time.Parse(dateLayout, text); err == nil {
		if end {
			day = day.AddDate(0, 0, 1)
		}
		return day
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		p.bad(name, "a time like 2026-11-22T01:00:00Z or a day like 2026-11-22")
	}
	return at.UTC()
}

func (p *params) limit() int {
	text := p.text("limit")
	if text == "" {
		return DefaultLimit
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > MaxLimit {
		p.bad("limit", fmt.Sprintf("a number from 1 to %d", MaxLimit))
	}
	return limit
}

// The parameters of each query, as its Parse reads them and its Values writes them.
var (
	SessionParams   = []string{"state", "source", "room_id", "parent_room_id", "q", "from", "to", "limit", "cursor"}
	RecordingParams = []string{"state", "source", "room_id", "q", "from", "to", "limit", "cursor"}
	ArtifactParams  = []string{"type", "class", "source", "room_id", "q", "from", "to", "limit", "cursor"}
	DeliveryParams  = []string{"verdict", "source", "event", "room_id", "sid", "from", "to", "limit", "cursor"}
)

// UnknownParam is a parameter that a list does not have, and those that it has.
type UnknownParam struct {
	Name  string
	Known []string
}

func (e *UnknownParam) Error() string {
	name := strings.ToValidUTF8(e.Name, "\uFFFD")
	if letters := []rune(name); len(letters) > 60 {
		name = string(letters[:60]) + "…"
	}
	if len(e.Known) == 0 {
		return fmt.Sprintf("There is no parameter %q here, nor any other.", name)
	}
	return fmt.Sprintf("There is no parameter %q here. Known are: %s.", name, strings.Join(e.Known, ", "))
}

// Only finds a parameter that is none of the known ones: whoever misspells one would take everything for what was
// asked for. The error is an *UnknownParam.
func Only(v url.Values, known ...string) error {
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if !slices.Contains(known, name) {
			return &UnknownParam{name, known}
		}
	}
	return nil
}

// ParseSessionQuery reads SessionParams; a *BadValue says what is wrong.
func ParseSessionQuery(v url.Values) (SessionQuery, error) {
	p := params{values: v}
	q := SessionQuery{State: State(p.oneOf("state", string(StateCreated), string(StateLive), string(StateEnded))),
		Source: p.text("source"), RoomID: p.text("room_id"), Parent: p.text("parent_room_id"), Text: strings.TrimSpace(p.text("q")),
		From: p.moment("from", false), To: p.moment("to", true), Limit: p.limit(), Cursor: p.text("cursor")}
	return q, p.err
}

// ParseRecordingQuery reads RecordingParams.
func ParseRecordingQuery(v url.Values) (RecordingQuery, error) {
	p := params{values: v}
	q := RecordingQuery{State: p.oneOf("state", RecordingActive, RecordingProcessing, RecordingReady, RecordingFailed),
		Source: p.text("source"), RoomID: p.text("room_id"), Text: strings.TrimSpace(p.text("q")),
		From: p.moment("from", false), To: p.moment("to", true), Limit: p.limit(), Cursor: p.text("cursor")}
	return q, p.err
}

// ParseArtifactQuery reads ArtifactParams.
func ParseArtifactQuery(v url.Values) (ArtifactQuery, error) {
	p := params{values: v}
	q := ArtifactQuery{Type: p.text("type"), Class: p.oneOf("class", ClassFile, ClassUsage),
		Source: p.text("source"), RoomID: p.text("room_id"), Text: strings.TrimSpace(p.text("q")),
		From: p.moment("from", false), To: p.moment("to", true), Limit: p.limit(), Cursor: p.text("cursor")}
	return q, p.err
}

// ParseDeliveryQuery reads DeliveryParams.
func ParseDeliveryQuery(v url.Values) (DeliveryQuery, error) {
	p := params{values: v}
	q := DeliveryQuery{Source: p.text("source"), Event: p.text("event"), RoomID: p.text("room_id"), SID: p.text("sid"),
		Verdict: Verdict(p.oneOf("verdict", string(Accepted), string(Late), string(Unknown), string(Duplicate), string(Refused), string(Unreadable))),
		From:    p.moment("from", false), To: p.moment("to", true), Limit: p.limit(), Cursor: p.text("cursor")}
	return q, p.err
}

// Values is the text form that ParseSessionQuery reads.
func (q SessionQuery) Values() url.Values {
	return values("state", string(q.State), "source", q.Source, "room_id", q.RoomID, "parent_room_id", q.Parent, "q", q.Text,
		"from", fromText(q.From), "to", toText(q.To), "limit", limitText(q.Limit), "cursor", q.Cursor)
}

// Values is the text form that ParseRecordingQuery reads.
func (q RecordingQuery) Values() url.Values {
	return values("state", q.State, "source", q.Source, "room_id", q.RoomID, "q", q.Text,
		"from", fromText(q.From), "to", toText(q.To), "limit", limitText(q.Limit), "cursor", q.Cursor)
}

// Values is the text form that ParseArtifactQuery reads.
func (q ArtifactQuery) Values() url.Values {
	return values("type", q.Type, "class", q.Class, "source", q.Source, "room_id", q.RoomID, "q", q.Text,
		"from", fromText(q.From), "to", toText(q.To), "limit", limitText(q.Limit), "cursor", q.Cursor)
}

// Values is the text form that ParseDeliveryQuery reads.
func (q DeliveryQuery) Values() url.Values {
	return values("verdict", string(q.Verdict), "source", q.Source, "event", q.Event, "room_id", q.RoomID, "sid", q.SID,
		"from", fromText(q.From), "to", toText(q.To), "limit", limitText(q.Limit), "cursor", q.Cursor)
}

// values are the pairs that say something.
func values(pairs ...string) url.Values {
	v := make(url.Values)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	return v
}

func limitText(limit int) string {
	if limit == 0 || limit == DefaultLimit {
		return ""
	}
	return strconv.Itoa(limit)
}

func fromText(t time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case midnight(t):
		return t.Format(dateLayout)
	}
	return t.Format(time.RFC3339Nano)
}

// toText names the last day of a range that ends at midnight.
func toText(t time.Time) string {
	if !t.IsZero() && midnight(t) {
		return t.AddDate(0, 0, -1).Format(dateLayout)
	}
	return fromText(t)
}

func midnight(t time.Time) bool { return t.Equal(t.Truncate(24 * time.Hour)) }
