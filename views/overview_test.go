package views

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// asks is what a link or a form of the overview asks for.
func asks(t *testing.T, href string) live.RoomQuery {
	t.Helper()
	u, err := url.Parse(href)
	if err != nil || u.Path != "/" {
		t.Fatal(href, err)
	}
	return live.ParseRoomQuery(u.Query())
}

// overviewLinks are the links of the list of rooms by their words.
func overviewLinks(t *testing.T, m live.Overview) map[string]live.RoomQuery {
	t.Helper()
	doc, err := html.Parse(bytes.NewReader(page(t, m)))
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]live.RoomQuery)
	for n := range doc.Descendants() {
		switch {
		case n.Data == "a" && (attr(n, "class") == "sorter" || attr(n, "class") == "option" || attr(n, "class") == "button"):
			var words []string
			for d := range n.Descendants() {
				if d.Type == html.TextNode {
					words = append(words, strings.Fields(d.Data)...)
				}
			}
			out[strings.Join(words, " ")] = asks(t, attr(n, "href"))
		case n.Data == "th" && attr(n, "aria-sort") != "":
			out[attr(n, "aria-sort")] = live.RoomQuery{}
		case n.Data == "form" && attr(n, "id") == "filter":
			v := make(url.Values)
			for d := range n.Descendants() {
				if d.Data == "input" {
					v.Set(attr(d, "name"), attr(d, "value"))
				}
			}
			out["form"] = live.ParseRoomQuery(v)
		}
	}
	return out
}

func TestLinksOfTheRoomsKeepTheOtherFilters(t *testing.T) {
	sum := tell("s1", "r1").Summary()
	m := live.Overview{Query: live.RoomQuery{Text: "a&b=ü <c>", Only: live.OnlyScreens, Sort: "mics", Page: 2}, Rows: []live.Row{{Summary: &sum}}, Before: 50, Matches: 10_482, Pages: 210,
		Counts: live.RoomCounts{Recording: 9, Screens: 1_414}}
	links := overviewLinks(t, m)
	with := func(change func(*live.RoomQuery)) live.RoomQuery {
		q := m.Query
		q.Page = 1
		change(&q)
		return q
	}
	for words, want := range map[string]live.RoomQuery{
		"Recording 9":                        with(func(q *live.RoomQuery) { q.Only = live.OnlyRecording }),
		"Screens 1,414 : remove this filter": with(func(q *live.RoomQuery) { q.Only = "" }),
		"Room":                               with(func(q *live.RoomQuery) { q.Sort = "room" }),
		"People":                             with(func(q *live.RoomQuery) { q.Sort = "people" }),
		"Mics":                               with(func(q *live.RoomQuery) { q.Reverse = true }),
		"Cams":                               with(func(q *live.RoomQuery) { q.Sort = "cams" }),
		"Screens":                            with(func(q *live.RoomQuery) { q.Sort = "screens" }),
		"Running":                            with(func(q *live.RoomQuery) { q.Sort = "running" }),
		"Clear":                              with(func(q *live.RoomQuery) { q.Text = "" }),
		"Previous":                           with(func(*live.RoomQuery) {}),
		"Next":                               with(func(q *live.RoomQuery) { q.Page = 3 }),
		"form":                               with(func(*live.RoomQuery) {}),
		"descending":                         {},
	} {
		got, there := links[words]
		if !there || got != want {
			t.Errorf("%s asks for %+v, want %+v", words, got, want)
		}
		delete(links, words)
	}
	if len(links) > 0 {
		t.Errorf("and there are %v", links)
	}
}

func TestTheFirstSortIsByPeople(t *testing.T) {
	for query, want := range map[string]string{"": "People descending", "sort=-people": "People ascending", "sort=room": "Room ascending", "sort=-room": "Room descending", "sort=-running": "Running ascending"} {
		v, _ := url.ParseQuery(query)
		q := live.ParseRoomQuery(v)
		for _, c := range append(slices.Clone(roomColumns[:]), roomColumn, runningFirst) {
			word, how, _ := strings.Cut(want, " ")
			if c.word != word {
				how = ""
			}
			if got := c.sorted(q); got != how {
				t.Errorf("%q: %s is %q, want %q", query, c.word, got, how)
			}
			if asked := asks(t, string(c.href(q))); asked.Sort != c.by || asked.Reverse != (how != "" && !q.Reverse) {
				t.Errorf("%q: %s leads to %+v", query, c.word, asked)
			}
		}
	}
}

func TestThePageSaysWhatOfTheRoomsItShows(t *testing.T) {
	rows := make([]live.Row, 53)
	for i := range rows {
		rows[i] = live.Row{Summary: &room.Summary{}, Breakout: i > 50}
	}
	for _, c := range []struct {
		m    live.Overview
		want string
	}{
		{live.Overview{Rows: rows, Before: 51, Matches: 10_482, Pages: 210, Query: live.RoomQuery{Page: 2}}, "Rooms 52–104 of 10,482 Breakout rooms stand under their parent PreviousNext"},
		{live.Overview{Rows: rows[:50], Matches: 51, Pages: 2, Query: live.RoomQuery{Page: 1}}, "Rooms 1–50 of 51 PreviousNext"},
		{live.Overview{Rows: rows, Matches: 53, Pages: 1, Query: live.RoomQuery{Page: 1}}, "53 rooms Breakout rooms stand under their parent"},
		{live.Overview{Rows: rows[:50], Matches: 50, Pages: 1, Query: live.RoomQuery{Page: 1}}, ""},
	} {
		got := ""
		for _, e := range roomsNote(c.m) {
			got += wordsOf(t, e.Render())
		}
		if got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestWhyNoRoomIsListed(t *testing.T) {
	heard := []live.SourceState{{Name: "default", LastDeliveryAt: noon}}
	for want, m := range map[string]live.Overview{
		"No delivery has arrived yet":          {},
		"No room is live":                      {Sources: heard},
		"No live room matches “x”":             {Query: live.RoomQuery{Text: "x", Only: live.OnlyEmpty}, Totals: room.Totals{Rooms: 2}, Sources: heard},
		"No live room matches this filter now": {Query: live.RoomQuery{Only: live.OnlyEmpty}, Totals: room.Totals{Rooms: 2}, Sources: heard},
	} {
		if text := wordsOf(t, roomsNote(m)[0].Render()); !strings.HasPrefix(text, want) {
			t.Errorf("%q, want %q", text, want)
		}
	}
}

func TestTheHourIsDrawnInSteps(t *testing.T) {
	h := live.Hour{Slots: 4, Recorded: 1<<28 | 1<<29, Streamed: 1 << 27}
	copy(h.People[26:], []uint16{0, 5, 5, 10})
	want := drawnHour{people: "M52 14H54V7.8H58V1.5H62V14", streamed: "M54 17.5H56", recorded: "M56 20.5H60", label: "peak 10"}
	if got := hourDrawing(h); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	whole := live.Hour{Slots: live.HourSlots, Recorded: 1<<live.HourSlots - 1}
	if got := hourDrawing(whole); got.people != "M-2 14H62V14" || got.recorded != "M0 17.5H60" || got.label != "peak 0" {
		t.Errorf("an hour without people: %+v", got)
	}
	if got := hourDrawing(live.Hour{}); got != (drawnHour{}) {
		t.Errorf("nothing known: %+v", got)
	}
}
