package views

import (
	"fmt"
	"net/url"

	"github.com/a-h/templ"
	"github.com/dustin/go-humanize"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// nameLength bounds titles and names in rows, in characters. Rows show less than that.
const nameLength = 160

func comma(n int) string { return humanize.Comma(int64(n)) }

// roomURL is the page of a session. Only a session of a source with a name of its own needs to say it.
func roomURL(h room.Head) templ.SafeURL {
	address := "/rooms/" + url.PathEscape(h.SID)
	if h.Source != "default" {
		address += "?source=" + url.QueryEscape(h.Source)
	}
	return templ.URL(address)
}

// name is what a row calls a session.
func name(h room.Head) string {
	if h.Name() == "" {
		return h.SID
	}
	return cut(h.Name(), nameLength)
}

func overviewElements(m live.Overview) []live.Element {
	out := make([]live.Element, 0, 32+len(m.Rows)+len(m.Ended)+len(m.Sources)+len(m.Alarms))
	out = append(out, alarmElements(m.Alarms)...)
	out = append(out, trends(m.Totals, m.Hour)...)
	out = append(out, element("rooms-number", "rooms-count", m.Matches, count))
	out = append(out, roomChips(m)...)
	ids := distinctIDs{}
	for _, r := range m.Rows {
		out = append(out, element(ids.of("session-"+r.SID, r.Source), "rooms", r, sessionRow))
	}
	out = append(out, roomsNote(m)...)
	out = append(out, newArtifacts(ids, m)...)
	out = append(out, newRecordings(ids, m)...)
	for _, s := range m.Ended {
		out = append(out, element(ids.of("ended-"+s.SID, s.Source), "ended", s, endedItem))
	}
	if len(m.Ended) == 0 {
		out = append(out, element("empty-ended", "ended", "No session has ended lately.", sayItem))
	}
	return append(out, footElements(m.Sources, len(m.Alarms), m.AsOf)...)
}

// distinctIDs keeps apart what has the same id in several sources: the first keeps its plain id.
type distinctIDs map[string]bool

func (d distinctIDs) of(id, source string) string {
	for d[id] {
		id += "@" + source
	}
	d[id] = true
	return id
}

func botsApart(bots int) string {
	if bots == 0 {
		return ""
	}
	return plural(bots, "bot apart", "bots apart")
}

// perPeople sets tracks against the people there are: how full the rooms are of sound and pictures.
func perPeople(tracks, people int) string {
	if people < 10 || tracks > people {
		return ""
	}
	return fmt.Sprintf("%d in 100 people", (tracks*100+people/2)/people)
}

// narrowing is a chip: it narrows the list of live rooms, and says how many it would leave.
type narrowing struct {
	word string
	n    int
	on   bool
	href templ.SafeURL
}

// roomChips are the narrowings that would leave some rooms, and the one that is chosen.
func roomChips(m live.Overview) (out []live.Element) {
	for _, c := range [...]struct {
		only, word string
		n          int
	}{
		{live.OnlyRecording, "Recording", m.Counts.Recording},
		{live.OnlyStreaming, "Streaming", m.Counts.Streaming},
		{live.OnlyScreens, "Screens", m.Counts.Screens},
		{live.OnlyBreakouts, "Breakouts", m.Counts.Breakouts},
		{live.OnlyEmpty, "No people", m.Counts.Empty},
		{live.OnlyUnconfirmed, "Not confirmed", m.Counts.Unconfirmed},
	} {
		on := m.Query.Only == c.only
		if c.n == 0 && !on {
			continue
		}
		q := firstPage(m.Query)
		if q.Only = c.only; on {
			q.Only = ""
		}
		out = append(out, element("chip-"+c.only, "chips", narrowing{c.word, c.n, on, listURL(overviewPath, q)}, roomChip))
	}
	return out
}

const overviewPath = "/"

func firstPage(q live.RoomQuery) live.RoomQuery {
	q.Page = 1
	return q
}

// cleared is the query without its text.
func cleared(q live.RoomQuery) live.RoomQuery {
	q.Text = ""
	return firstPage(q)
}

// sortColumn is a head of the table of live rooms by which it can be sorted.
type sortColumn struct {
	by, word string
	rising   bool // unless it is reversed
}

var (
	roomColumn   = sortColumn{"room", "Room", true}
	roomColumns  = [...]sortColumn{{"people", "People", false}, {"mics", "Mics", false}, {"cams", "Cams", false}, {"screens", "Screens", false}}
	runningFirst = sortColumn{"running", "Running", false}
)

// sorted is how the rows stand by the column: ascending, descending, or not by it at all.
func (c sortColumn) sorted(q live.RoomQuery) string {
	switch {
	case q.Sort != c.by && (q.Sort != "" || c.by != "people"):
		return ""
	case c.rising != q.Reverse:
		return "ascending"
	}
	return "descending"
}

// href sorts by the column; when the rows are sorted by it already, the other way round.
func (c sortColumn) href(q live.RoomQuery) templ.SafeURL {
	q.Reverse = c.sorted(q) != "" && !q.Reverse
	q.Sort = c.by
	return listURL(overviewPath, firstPage(q))
}

// roomsTurn is which of the rooms are shown, and the way to the others.
type roomsTurn struct {
	first, shown, all int
	breakouts         bool
	previous, next    templ.SafeURL // "" at the ends
}

func (t roomsTurn) text() string {
	if t.previous == "" && t.next == "" {
		return plural(t.all, "room", "rooms")
	}
	return "Rooms " + comma(t.first) + "–" + comma(t.first+t.shown-1) + " of " + comma(t.all)
}

func turnOf(m live.Overview) roomsTurn {
	t := roomsTurn{first: m.Before + 1, shown: len(m.Rows), all: m.Matches}
	for _, r := range m.Rows {
		t.breakouts = t.breakouts || r.Breakout
	}
	to := func(page int) templ.SafeURL {
		q := m.Query
		q.Page = page
		return listURL(overviewPath, q)
	}
	if m.Query.Page > 1 {
		t.previous = to(m.Query.Page - 1)
	}
	if m.Query.Page < m.Pages {
		t.next = to(m.Query.Page + 1)
	}
	return t
}

// roomsNote says why the list is empty or that it is not whole, and what is peculiar about its order.
func roomsNote(m live.Overview) []live.Element {
	if len(m.Rows) == 0 {
		why := emptiness{m.Query.Text, m.Query.Only != "", m.Totals.Rooms, received(m.Sources)}
		return []live.Element{element("rooms-empty", "rooms-note", why, noRooms)}
	}
	turn := turnOf(m)
	if m.Pages < 2 && !turn.breakouts {
		return nil
	}
	return []live.Element{element("rooms-turn", "rooms-note", turn, roomsTurner)}
}

// emptiness is why no room is listed.
type emptiness struct {
	text     string // the filter
	narrowed bool   // by a chip
	rooms    int    // live, whether they match or not
	received bool   // anything at all, ever
}

func received(sources []live.SourceState) bool {
	for _, s := range sources {
		if !s.LastDeliveryAt.IsZero() || !s.ReconciledAt.IsZero() {
			return true
		}
	}
	return false
}
