package views

import (
	"time"

	"github.com/a-h/templ"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

const (
	sessionsPath = "/sessions"
	barStep      = 15 * time.Minute // in which the bars of sessions that go on grow
)

func sessionsElements(m live.Sessions) []live.Element {
	first, last := span(m.Page.Items, room.Summary.Begin)
	out := listElements(listState{
		shown: len(m.Page.Items), n: m.Matches, what: sessionNoun, path: sessionsPath, q: m.Query, text: m.Query.Text,
		next: olderPage(m.Query, m.Page.Next), newest: newestPage(m.Query), received: received(m.Sources),
		when: "A session appears here as soon as plugNmeet creates a room, and stays when it has ended.",
		ran:  ranWords(m.Query.From, m.Query.To),
	})
	day := concurrencyOf(m.Day, m.Gaps, m.Minute)
	out = append(out, live.Element{ID: "concurrency", Parent: "band", Version: day.version, Render: func() []byte { return render(concurrency("concurrency", day)) }})
	ids := distinctIDs{}
	head := heads("sessions", sessionColumns(m.Query), m.Minute, sessionNoun, first, last, m.Query.Cursor != "", m.Page.Next != "")
	out = append(out, byDay(ids, m.Page.Items, room.Summary.Begin, head, func(s room.Summary) live.Element {
		return element(ids.of("session-"+s.SID, s.Source), "sessions", sessionLineOf(s, m), historyRow)
	})...)
	return append(out, footElements(m.Sources, m.AlarmCount, m.AsOf)...)
}

func sessionColumns(q room.SessionQuery) int {
	if q.Text == "" {
		return 10
	}
	return 11
}

// span are the times that a page begins and ends with.
func span[T any](list []T, begin func(T) time.Time) (first, last time.Time) {
	if len(list) == 0 {
		return first, last
	}
	return begin(list[0]), begin(list[len(list)-1])
}

// sessionLine is a session in the history.
type sessionLine struct {
	room.Summary
	searched string    // what was searched for
	until    time.Time // to where one that goes on is drawn
}

func sessionLineOf(s room.Summary, m live.Sessions) sessionLine {
	line := sessionLine{Summary: s, searched: m.Query.Text}
	if s.State != room.StateEnded {
		line.until = m.Minute.Truncate(barStep)
	}
	return line
}

// inDay is where in its day (UTC) a session was, in percent of the day: from, and how long. What is past
// midnight is not drawn.
func (l sessionLine) inDay() (from, wide string) {
	const day, least = 24 * time.Hour, 24 * time.Minute
	begin := l.Begin()
	end := l.EndedAt
	if end.IsZero() {
		end = l.until
	}
	at := begin.Sub(begin.Truncate(day))
	lasted := max(least, min(end.Sub(begin), day-at))
	at = min(at, day-lasted)
	return percent(float64(at), float64(day)), percent(float64(lasted), float64(day))
}

func (l sessionLine) goesOn() bool { return l.State != room.StateEnded }

// stateOptions are the states to choose from.
func stateOptions(q room.SessionQuery) []option {
	of := func(word string, state room.State) option {
		set, unset := q, q
		set.State, unset.State = state, ""
		set.Cursor, unset.Cursor = "", ""
		return toggle(word, q.State == state, listURL(sessionsPath, set), listURL(sessionsPath, unset))
	}
	all := of("All", "")
	all.clears = false
	list := []option{all, of("Running", room.StateLive), of("Created", room.StateCreated), of("Ended", room.StateEnded)}
	return append(list, dropped(sessionsPath, q, "room_id")...)
}

// listState is what the elements that all lists have depend on.
type listState struct {
	shown, n     int // n is -1 when nobody counted
	what         noun
	path         string
	q            query
	text         string
	next, newest query // nil when there is no such page
	received     bool  // anything at all, ever
	when         string
	ran          string // of sessions: see ranWords
}

// listElements are the parts that all lists have: how many match, how many are exported, where the list
// goes on and, when it is empty, why.
func listElements(s listState) []live.Element {
	var out []live.Element
	if s.n >= 0 {
		out = append(out,
			element("told-text", "told", found{s.n, s.what, s.text, narrowed(s.q), s.ran}, foundText),
			element("export-words", "export-count", exportWord(s.n), text))
	}
	at := turn{shown: s.shown, n: s.n, what: s.what, newest: s.link(s.newest), older: s.link(s.next)}
	if s.shown > 0 {
		return append(out, element("turner", "turner-box", at, turner))
	}
	why := nothing{what: s.what, text: s.text, newest: at.newest, received: s.received, when: s.when}
	if narrowed(s.q) {
		why.clear = templ.URL(s.path)
	}
	return append(out, element("list-empty", "list-note", why, emptyList))
}

func (s listState) link(q query) templ.SafeURL {
	if q == nil {
		return ""
	}
	return listURL(s.path, q)
}

// olderPage is the query of the page that the cursor names, nil when there is none.
func olderPage(q query, cursor string) query {
	if cursor == "" {
		return nil
	}
	v := q.Values()
	v.Set("cursor", cursor)
	return filled(v)
}

// newestPage is the query without its cursor, nil when it has none.
func newestPage(q query) query {
	v := q.Values()
	if !v.Has("cursor") {
		return nil
	}
	v.Del("cursor")
	return filled(v)
}
