package views

import (
	"cmp"
	"net/url"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// EmbedData is a page in a frame around the root of its view.
type EmbedData struct {
	Title   string
	Live    string // the socket's path with its view
	Epoch   string
	Seq     uint64
	At      time.Time // the server's clock when the page was made
	Root    []byte
	Parent  string    // the origin that frames it, and may hand fresh tokens in
	Expires time.Time // of the token
	Open    string    // the page in Roomwatch that shows the same
}

func embedRoomElements(m live.EmbedRoom) []live.Element {
	if m.Detail == nil {
		return []live.Element{element("embed-head", "head", m.RoomID, embedNone)}
	}
	d := m.Detail
	sum := d.Summary()
	out := []live.Element{element("embed-head", "head", headOf(sum, nil, false), embedHead)}
	out = append(out, embedStats(sum.People, sum.Microphones, sum.Cameras, sum.Screens, sum.Bots)...)
	if m.Hour.Slots > 0 {
		out = append(out, element("embed-hour", "hour-box", m.Hour, embedHour))
	}
	return append(out, embedPeople(*d)...)
}

func embedStats(people, mics, cams, screens, bots int) []live.Element {
	of := func(id, label string, n int) live.Element {
		return element("stat-"+id, "stats", stat{label: label, n: n}, statBlock)
	}
	return []live.Element{of("people", "People", people), of("mics", "Mics", mics), of("cams", "Cams", cams), of("screens", "Screens", screens), of("bots", "Bots", bots)}
}

// embedPeople are those who are here and those who have left; bots are counted, not listed.
func embedPeople(d room.Detail) []live.Element {
	var here, left []live.Element
	worst := ""
	for _, p := range d.Participants {
		if !p.Human() {
			continue
		}
		group, list := "here", &here
		if !p.Online {
			group, list = "left", &left
			if leaving(last(p), d.EndedAt).class != "" {
				worst = "late"
			}
		}
		*list = append(*list, live.Element{ID: "person-" + p.Identity, Parent: group, Version: personVersion{personKey(p), d.EndedAt},
			Render: func() []byte { return render(embedPerson("person-"+p.Identity, p, d.EndedAt)) }})
	}
	out := []live.Element{element("here-number", "here-count", len(here), count), element("left-number", "left-count", leftCount{len(left), worst}, embedLeftCount)}
	if len(here) == 0 {
		out = append(out, element("empty-here", "here", cmp.Or(nobodyHere(len(left), d.State), "The session is over."), sayItem))
	}
	return append(append(out, here...), left...)
}

// leftCount is how many have left, and whether somebody did so against their will.
type leftCount struct {
	n     int
	class string
}

func embedRoomsElements(m live.EmbedRooms) []live.Element {
	t := m.Totals
	out := embedStats(t.People, t.Microphones, t.Cameras, t.Screens, t.Bots)
	out = append(out, element("rooms-number", "rooms-count", m.All, count))
	ids := distinctIDs{}
	for _, r := range m.Rows {
		out = append(out, element(ids.of("session-"+r.SID, r.Source), "rooms", r, embedRow))
	}
	if len(m.Rows) == 0 {
		out = append(out, element("empty-rooms", "rooms", "No room is live.", sayItem))
	}
	if more := m.All - len(m.Rows); more > 0 {
		out = append(out, element("rooms-more", "rooms", "and "+plural(more, "more room", "more rooms"), sayItem))
	}
	return out
}

// trackIcons are what somebody publishes now, each source once.
func trackIcons(p room.Participant) (out []room.Track) {
	seen := make(map[string]bool)
	for _, t := range p.Tracks {
		if icon := trackIcon(t); t.Open && !seen[icon] {
			seen[icon] = true
			out = append(out, t)
		}
	}
	return out
}

// openURL is the page in Roomwatch itself, which asks for a login.
func openURL(path string) templ.SafeURL { return templ.URL(path) }

func unixMilli(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// EmbedPath is where Roomwatch itself shows what a frame shows.
func EmbedPath(source, roomID string) string {
	if roomID == "" {
		return "/"
	}
	query := url.Values{"room_id": {roomID}}
	if source != "default" {
		query.Set("source", source)
	}
	return sessionsPath + "?" + query.Encode()
}
