package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// Sessions is a page of the sessions that q asks for, newest first. A page of q.Limit (0: the default;
// at most room.MaxLimit) begins below q.Cursor; ErrBadCursor when that is not one of this list.
func (s *SQLite) Sessions(ctx context.Context, q room.SessionQuery) (room.Page[room.Summary], error) {
	page, err := s.sessions(ctx, q)
	if err != nil {
		return page, fmt.Errorf("list sessions: %w", err)
	}
	return page, nil
}

func (s *SQLite) sessions(ctx context.Context, q room.SessionQuery) (page room.Page[room.Summary], err error) {
	page.Items = []room.Summary{}
	where, possible, err := sessionsWhere(q)
	if err != nil || !possible {
		return page, err
	}
	limit := limitOf(q.Limit)
	rows, err := s.reads.QueryContext(ctx, "SELECT begin_ms, source, sid, summary FROM sessions WHERE "+where.text()+
		" ORDER BY begin_ms DESC, source DESC, sid DESC LIMIT ?", append(where.args, limit+1)...)
	if err != nil {
		return page, err
	}
	defer rows.Close()
	var last cursor
	for rows.Next() {
		if len(page.Items) == limit {
			page.Next = last.String()
			break
		}
		var summary room.Summary
		if last, err = scanSummary(rows, &summary); err != nil {
			return page, err
		}
		page.Items = append(page.Items, summary)
	}
	return page, rows.Err()
}

func scanSummary(rows *sql.Rows, summary *room.Summary) (c cursor, err error) {
	var doc sql.RawBytes
	if err := rows.Scan(&c.begin, &c.source, &c.sid, &doc); err != nil {
		return c, err
	}
	if err := json.Unmarshal(doc, summary); err != nil {
		return c, fmt.Errorf("summary of session %q: %w", c.sid, err)
	}
	return c, nil
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

func sessionsWhere(q room.SessionQuery) (where conditions, possible bool, err error) {
	if q.State != "" {
		where.add("state = ?", string(q.State))
	}
	if q.Source != "" {
		where.add("source = ?", q.Source)
	}
	if q.RoomID != "" {
		where.add("room_id = ?", q.RoomID)
	}
	if !q.From.IsZero() {
		where.add("begin_ms >= ?", ceilMS(q.From))
	}
	if !q.To.IsZero() {
		where.add("begin_ms < ?", ceilMS(q.To))
	}
	if q.Cursor != "" {
		c, err := parseCursor(q.Cursor)
		if err != nil {
			return where, false, err
		}
		where.add("(begin_ms, source, sid) < (?, ?, ?)", int64(c.begin), c.source, c.sid)
	}
	if q.Text == "" {
		return where, true, nil
	}
	// The + keeps to the index that lists newest first: with a common word, going by the matches instead
	// would fetch and sort them all for one page.
	match, possible := matchOf(q.Text)
	where.add("+row IN (SELECT rowid FROM words WHERE words MATCH ?)", match)
	return where, possible, nil
}

func limitOf(asked int) int {
	if asked <= 0 {
		return room.DefaultLimit
	}
	return min(asked, room.MaxLimit)
}

// ceilMS is the first whole millisecond that is not before t.
func ceilMS(t time.Time) int64 { return t.Add(time.Millisecond - 1).UnixMilli() }
