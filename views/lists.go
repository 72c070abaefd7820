package views

import (
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/a-h/templ"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// What the pages of lists share: their filters are in the address, so every switch is a link and the form
// is one of GET.

// query is a question to a list, in the text form of addresses.
type query interface{ Values() url.Values }

// listURL is the page, or the file, that answers the query.
func listURL(path string, q query) templ.SafeURL {
	if filters := q.Values().Encode(); filters != "" {
		path += "?" + filters
	}
	return templ.URL(path)
}

// option is a filter that is set and cleared by following a link.
type option struct {
	word   string
	href   templ.SafeURL
	on     bool
	clears bool // is on, and following it takes it away
}

// toggle is an option that takes itself away when it is on.
func toggle(word string, on bool, set, unset templ.SafeURL) option {
	if on {
		return option{word, unset, true, true}
	}
	return option{word, set, false, false}
}

// dropped are the filters that have no field of their own, each with the link that clears it.
func dropped(path string, q query, names ...string) (out []option) {
	for _, name := range names {
		v := q.Values()
		if !v.Has(name) {
			continue
		}
		word := strings.ReplaceAll(name, "_", " ") + ": " + cut(v.Get(name), 60)
		v.Del(name)
		v.Del("cursor")
		out = append(out, option{word, listURL(path, filled(v)), true, true})
	}
	return out
}

// filled are values that are a query already.
type filled url.Values

func (f filled) Values() url.Values { return url.Values(f) }

// exported is the query without what only pages of it need.
func exported(q query) filled {
	v := q.Values()
	v.Del("cursor")
	v.Del("limit")
	return filled(v)
}

// narrowed says whether the query asks for less than everything.
func narrowed(q query) bool { return len(exported(q)) > 0 }

// firstDay and lastDay are the values of date fields. The end of a range is the beginning of the day that
// follows it.
func firstDay(from time.Time) string {
	if from.IsZero() {
		return ""
	}
	return from.UTC().Format(time.DateOnly)
}

func lastDay(to time.Time) string {
	if to.IsZero() {
		return ""
	}
	return firstDay(to.Add(-1))
}

// found is how many match a query.
type found struct {
	n    int
	what noun
	text string // that was searched for
	less bool   // something narrows the list
	ran  string // of sessions: the time that they overlap
}

func (f found) ranWords() string {
	if f.ran == "" {
		return ""
	}
	return " " + f.ran
}

// ranWords say which sessions are listed for a time: not those alone that began then.
func ranWords(from, to time.Time) string {
	at := func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }
	switch {
	case from.IsZero() && to.IsZero():
		return ""
	case to.IsZero():
		return "that ran at " + at(from) + " UTC or later"
	case from.IsZero():
		return "that began before " + at(to) + " UTC"
	}
	return "that ran between " + at(from) + " and " + at(to) + " UTC"
}

// turn is where a list can be gone on with, and what of it is seen.
type turn struct {
	shown  int
	n      int // in all, -1 when nobody counted
	what   noun
	newest templ.SafeURL // "" on the first page
	older  templ.SafeURL // "" on the last one
}

func (t turn) text() string {
	all := t.newest == "" && t.older == ""
	switch {
	case t.n < 0 || t.n > room.MaxCount:
		if all {
			return "All " + plural(t.shown, t.what.one, t.what.many)
		}
		if t.newest != "" {
			return plural(t.shown, t.what.one, t.what.many) + " further back"
		}
		return "Newest " + comma(t.shown)
	case all:
		return "All " + comma(t.shown)
	case t.newest != "":
		return comma(t.shown) + " of " + comma(t.n) + ", further back"
	}
	return "Newest " + comma(t.shown) + " of " + comma(t.n)
}

// nothing is why a list is empty and what to do.
type nothing struct {
	what     noun
	text     string        // that was searched for
	clear    templ.SafeURL // clears the filters, "" when there are none
	newest   templ.SafeURL // where the list begins, when this is beyond its end
	received bool          // anything at all, ever
	when     string        // when there will be some
}

// dayHead is the head of a day's rows.
type dayHead struct {
	word    string
	columns int
}

// byDay puts a head before the rows of each day (UTC). Rows are in the order of time, or nearly: a day
// that comes again gets a head again.
func byDay[T any](ids distinctIDs, list []T, begin func(T) time.Time, head func(id string, day time.Time, n int) live.Element, row func(T) live.Element) []live.Element {
	out := make([]live.Element, 0, len(list)+8)
	for len(list) > 0 {
		day := begin(list[0]).UTC().Truncate(24 * time.Hour)
		n := slices.IndexFunc(list, func(t T) bool { return !begin(t).UTC().Truncate(24 * time.Hour).Equal(day) })
		if n < 0 {
			n = len(list)
		}
		out = append(out, head(ids.of("day-"+day.Format(time.DateOnly), "again"), day, n))
		for _, t := range list[:n] {
			out = append(out, row(t))
		}
		list = list[n:]
	}
	return out
}

// dayLine is a day's head in words. A day that the page begins or ends with may have more on the next one.
func dayLine(day, now time.Time, n int, what noun, whole bool) string {
	word := dayWord(day, now)
	if day.IsZero() {
		word = "Day unknown"
	}
	number := plural(n, what.one, what.many)
	if !whole {
		number += " on this page"
	}
	return word + " · " + number
}

// heads makes the heads of a page's days. The first and the last day may go on beyond the page.
func heads(parent string, columns int, now time.Time, what noun, first, last time.Time, goesBack, goesOn bool) func(string, time.Time, int) live.Element {
	return func(id string, day time.Time, n int) live.Element {
		whole := !(goesBack && sameDay(day, first)) && !(goesOn && sameDay(day, last))
		return element(id, parent, dayHead{dayLine(day, now, n, what, whole), columns}, dayRow)
	}
}

func sameDay(a, b time.Time) bool {
	return a.UTC().Truncate(24 * time.Hour).Equal(b.UTC().Truncate(24 * time.Hour))
}

// daysLater is how many days (UTC) after a the time b is.
func daysLater(a, b time.Time) int {
	return int(b.UTC().Truncate(24*time.Hour).Sub(a.UTC().Truncate(24*time.Hour)) / (24 * time.Hour))
}

// clockText is a time of day without its day, where the day is told before.
func clockText(t time.Time) string { return t.UTC().Format("15:04") }

// piece is a stretch of text, found by a search or not.
type piece struct {
	text string
	hit  bool
}

// marked splits a text where the words of a search begin its words.
func marked(text, search string) (out []piece) {
	words := room.ParseWords(search)
	runes := []rune(text)
	add := func(from, to int, hit bool) {
		if from < to {
			out = append(out, piece{string(runes[from:to]), hit})
		}
	}
	done := 0
	for i := 0; i < len(runes); i++ {
		if !inWord(runes[i]) || i > 0 && inWord(runes[i-1]) && !room.Unspaced(runes[i]) {
			continue
		}
		if n := longest(words, runes[i:]); n > 0 {
			for i+n < len(runes) && unicode.IsMark(runes[i+n]) {
				n++ // an accent belongs to its letter
			}
			add(done, i, false)
			add(i, i+n, true)
			done = i + n
		}
	}
	add(done, len(runes), false)
	return out
}

// inWord: the same letters make words here and in room.ParseWords.
func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }

// longest is the length of the longest of the words that the text begins with.
func longest(words room.Words, text []rune) (n int) {
	for _, word := range words {
		for size := 1; size <= len(text) && size <= 2*len(word.Text); size++ {
			if part := room.Folded(string(text[:size])); part == word.Text && size > n {
				n = size
			} else if !strings.HasPrefix(word.Text, part) {
				break
			}
		}
	}
	return n
}

// sourceNames are those that can be chosen, with the one that is.
func sourceNames(sources []live.SourceState, chosen string) (names []string) {
	for _, s := range sources {
		names = append(names, s.Name)
	}
	if chosen != "" && !slices.Contains(names, chosen) {
		names = append(names, chosen)
	}
	if len(names) < 2 && chosen == "" {
		return nil
	}
	return names
}
