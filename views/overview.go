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
	out := make([]live.Element, 0, 10+len(m.Rows)+len(m.Ended)+len(m.Sources))
	out = append(out, trends(m.Totals, m.Hour)...)
	out = append(out, element("rooms-number", "rooms-count", m.Matches, count))
	ids := distinctIDs{}
	for _, r := range m.Rows {
		out = append(out, element(ids.of("session-"+r.SID, r.Source), "rooms", r, sessionRow))
	}
	out = append(out, roomsNote(m)...)
	out = append(out, newArtifacts(ids, m.Artifacts)...)
	out = append(out, newRecordings(ids, m.Recordings)...)
	for _, s := range m.Ended {
		out = append(out, element(ids.of("ended-"+s.SID, s.Source), "ended", s, endedItem))
	}
	if len(m.Ended) == 0 {
		out = append(out, element("empty-ended", "ended", "No session has ended lately.", sayItem))
	}
	return append(out, sourceElements(m.Sources)...)
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

// roomsNote says why the list is empty or that it is not whole.
func roomsNote(m live.Overview) []live.Element {
	switch {
	case m.Matches > len(m.Rows):
		text := fmt.Sprintf("Showing %s of %s rooms. Narrow the filter or turn the page to see the others.", comma(len(m.Rows)), comma(m.Matches))
		return []live.Element{element("rooms-more", "rooms-note", text, say)}
	case len(m.Rows) > 0:
		return nil
	}
	return []live.Element{element("rooms-empty", "rooms-note", emptiness{m.Query.Text, m.Totals.Rooms, received(m.Sources)}, noRooms)}
}

// emptiness is why no room is listed.
type emptiness struct {
	text     string // the filter
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

func sourceElements(sources []live.SourceState) []live.Element {
	out := make([]live.Element, 0, len(sources))
	for _, s := range sources {
		out = append(out, element("source-"+s.Name, "sources", s, sourceState))
	}
	return out
}
