package store

import (
	"context"
	"strings"
	"time"
)

// asked is a question to a list, as the database understands it.
type asked struct {
	span
	mark    byte // of the list's cursors
	limit   int
	where   conditions // all that is asked but the words
	index   string     // to go by; "" for the order of the list itself
	words   []word     // to be found in the session's text
	marks   []string   // what the full-text index knows of the where
	titles  []word     // the same, when they are to be found in title and room_id alone
	earlier earlier    // sessions that began before what is asked for, and went on
	match   match      // of words and marks, when there are words
	nothing bool       // nothing can be found
}

func newAsked(mark byte, place string, from, to time.Time, cursor string, limit int) (a asked, err error) {
	a.mark, a.limit = mark, limitOf(limit)
	a.span, err = spanOf(mark, from, to, cursor)
	a.where.add(place+" >= ? AND "+place+" < ?", a.from, a.to)
	return a, err
}

// equal adds a condition unless nothing is asked; with the index that finds it, if that is the first to
// be named, and the mark that says the same.
func (a *asked) equal(column, value, index, mark string) {
	if value == "" {
		return
	}
	a.where.add(column+" = ?", value)
	if a.index == "" {
		a.index = index
	}
	if mark != "" {
		a.marks = append(a.marks, markOf(mark, value))
	}
}

// byAny goes by an index all the same when none is needed: to count, it is less to read than the list.
// Within each value the places are in order.
func (a *asked) byAny(column, index string, values ...any) {
	if a.index == "" {
		a.index = index
		a.where.add(column+" IN (?"+strings.Repeat(", ?", len(values)-1)+")", values...)
	}
}

// search adds the words of a text. It comes last: the full-text index is asked for the marks, too.
func (s *SQLite) search(ctx context.Context, a *asked, text string, titles bool) (err error) {
	if text == "" {
		return nil
	}
	if a.words = wordsOf(text); a.words == nil {
		a.nothing = true
		return nil
	}
	if titles {
		a.titles, a.words = a.words, inTitles(a.words)
	}
	a.match, err = s.matchOf(ctx, a.words, a.marks)
	if titles {
		a.match.quick = a.match.whole // texts tell of people, too: they are not looked through
	}
	return err
}

// going makes SQLite go by the index that was chosen: it does not know what is rare.
func (a *asked) going() string {
	if a.index == "" {
		return "NOT INDEXED"
	}
	return "INDEXED BY " + a.index
}

// text is the column with the session's text, if that is needed.
func (a *asked) text() string {
	if a.words == nil {
		return "''"
	}
	return "s.text"
}

// conditions are the terms of a WHERE, all of which must hold.
type conditions struct {
	terms []string
	args  []any
}

func (c *conditions) add(term string, args ...any) {
	c.terms, c.args = append(c.terms, term), append(c.args, args...)
}

func (c *conditions) text() string { return strings.Join(append(c.terms, "true"), " AND ") }
