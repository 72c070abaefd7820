package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/roomwatch/roomwatch/room"
)

// Sessions is a page of the sessions that q asks for, newest first: by when they began, also those that began
// before q.From. A page of q.Limit (0: the default;
// at most room.MaxLimit) begins below q.Cursor; ErrBadCursor when that is not one of this list.
//
// With q.Text, each item says in Found what matched. A search takes as long as the rarest of what it
// asks for; but when more than 16 words of the index begin like one of it, and the newest 500 sessions
// that match the rest don't fill the page, then as long as all that those words are in.
func (s *SQLite) Sessions(ctx context.Context, q room.SessionQuery) (room.Page[room.Summary], error) {
	done, err := s.searching(ctx, q.Text)
	if err != nil {
		return room.Page[room.Summary]{}, s.failed("list sessions", err)
	}
	defer done()
	a, err := s.sessionsAsked(ctx, q)
	page := room.Page[room.Summary]{Items: []room.Summary{}}
	if err == nil && !a.nothing {
		page, err = list(ctx, s, &a, a.sessions, a.summary)
	}
	if err == nil {
		err = s.earlierSessions(ctx, a, &page)
	}
	if err != nil {
		return page, s.failed("list sessions", err)
	}
	return page, nil
}

func (a *asked) summary(l line) (room.Summary, error) { return summaryOf(l, a.words) }

func summaryOf(l line, words []word) (summary room.Summary, err error) {
	if err := json.Unmarshal(l.summary, &summary); err != nil {
		return summary, fmt.Errorf("%w: a session's summary: %w", errUndecodable, err)
	}
	if words != nil {
		summary.Found = found(words, unmarked(l.text), summary.Head)
	}
	return summary, nil
}

func (s *SQLite) sessionsAsked(ctx context.Context, q room.SessionQuery) (a asked, err error) {
	if a, err = newAsked(markSessions, "s.row", q.From, q.To, q.Cursor, q.Limit); err != nil {
		return a, err
	}
	a.lastsOn(q.From, a.to)
	a.equal("s.room_id", q.RoomID, "sessions_room", "room")
	a.equal("s.parent", q.Parent, "sessions_parent", "parent")
	if q.State != room.StateEnded {
		a.equal("s.state", string(q.State), "sessions_state", "state")
	}
	a.equal("s.source", q.Source, "sessions_source", "source")
	if q.State == room.StateEnded { // as nearly all have
		a.equal("s.state", string(q.State), "sessions_state", "state")
	}
	return a, s.search(ctx, &a, q.Text, q.Titles)
}

// sessions is the SQL for what matches an expression, "" for everything.
func (a *asked) sessions(expression string) (query string, args []any) {
	query = "SELECT s.row, " + a.text() + ", s.summary, NULL FROM "
	if expression == "" {
		return query + "sessions AS s " + a.going() + " WHERE " + a.where.text() + " ORDER BY s.row DESC LIMIT ?", a.where.args
	}
	return query + "words CROSS JOIN sessions AS s NOT INDEXED ON s.row = words.rowid WHERE " + withinWords + " AND " + a.where.text() +
		" ORDER BY words.rowid DESC LIMIT ?", append([]any{expression, a.from, a.to}, a.where.args...)
}

const withinWords = "words MATCH ? AND words.rowid >= ? AND words.rowid < ?"

// CountSessions is how many sessions q asks for, whatever its cursor and limit; at most room.MaxCount + 1.
func (s *SQLite) CountSessions(ctx context.Context, q room.SessionQuery) (n int, err error) {
	done, err := s.searching(ctx, q.Text)
	if err != nil {
		return 0, s.failed("count sessions", err)
	}
	defer done()
	q.Cursor = ""
	a, err := s.sessionsAsked(ctx, q)
	switch {
	case err != nil || a.nothing:
	case a.words != nil:
		n, err = s.count(ctx, "words WHERE "+withinWords, a.match.whole, a.from, a.to)
	default:
		a.byAny("s.state", "sessions_state", string(room.StateCreated), string(room.StateLive), string(room.StateEnded))
		n, err = s.count(ctx, "sessions AS s "+a.going()+" WHERE "+a.where.text(), a.where.args...)
	}
	if err == nil {
		var more int
		more, err = s.countEarlier(ctx, a, room.MaxCount+1-n)
		n += more
	}
	if err != nil {
		return 0, s.failed("count sessions", err)
	}
	return n, nil
}

// count counts rows, which are to be had from an index alone, up to room.MaxCount and one.
func (s *SQLite) count(ctx context.Context, of string, args ...any) (n int, err error) {
	err = s.reads.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM "+of+" LIMIT ?)", append(args, room.MaxCount+1)...).Scan(&n)
	return n, err
}

// line is a row of a list, as it comes. It holds until the next is read.
type line struct {
	place        int64
	text         string
	summary, doc sql.RawBytes
}

// within says whether the words are in what they are searched in.
func (a *asked) within(l line) (bool, error) {
	if a.titles == nil {
		return allIn(a.words, unmarked(l.text)), nil
	}
	var head room.Filed
	if err := json.Unmarshal(l.summary, &head); err != nil {
		return false, fmt.Errorf("%w: a session's summary: %w", errUndecodable, err)
	}
	return allIn(a.titles, head.Title+"\n"+head.RoomID), nil
}

// glance is how many rows are looked at, newest first, before a search goes the long way through the index.
const glance = 500

// list is a page of what is asked. When there is a quick way, it is tried first: that looks at the texts
// of the newest rows itself.
func list[T any](ctx context.Context, s *SQLite, a *asked, sql func(expression string) (string, []any), item func(line) (T, error)) (room.Page[T], error) {
	if a.match.quick != a.match.whole {
		query, args := sql(a.match.quick)
		page, enough, err := pageOf(ctx, s, a, query, append(args, glance), glance, item)
		if enough || err != nil {
			return page, err
		}
	}
	query, args := sql(a.match.whole)
	page, _, err := pageOf(ctx, s, a, query, append(args, a.limit+1), 0, item)
	return page, err
}

// pageOf makes a page of a query's rows. With look it takes only rows in whose text the words are, of at
// most that many; enough says that there is no need to see more.
func pageOf[T any](ctx context.Context, s *SQLite, a *asked, query string, args []any, look int, item func(line) (T, error)) (page room.Page[T], enough bool, err error) {
	page.Items = []T{}
	rows, err := s.reads.QueryContext(ctx, query, args...)
	if err != nil {
		return page, false, err
	}
	defer rows.Close()
	var last int64
	seen := 0
	for ; rows.Next(); seen++ {
		var l line
		if err := rows.Scan(&l.place, &l.text, &l.summary, &l.doc); err != nil {
			return page, false, err
		}
		if look > 0 {
			if there, err := a.within(l); err != nil {
				return page, false, err
			} else if !there {
				continue
			}
		}
		if len(page.Items) == a.limit {
			page.Next = formatCursor(a.mark, last)
			return page, true, nil
		}
		made, err := item(l)
		if err != nil {
			return page, false, err
		}
		page.Items, last = append(page.Items, made), l.place
	}
	return page, seen < look, rows.Err()
}
