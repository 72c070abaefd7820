package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// A list of sessions from a time on has those that began before and still went on. They have no place of their own
// in its order, so the table "lasting" says until when each session goes on, by how long it lasts: one that lasts an
// hour at most is looked for within the hour before that time alone, however large the record is.

// lengths bound how long a session of a length lasts. Longer ones, and those that still go on, are of one more.
var lengths = []time.Duration{15 * time.Minute, time.Hour, 4 * time.Hour, 16 * time.Hour, 64 * time.Hour, 256 * time.Hour}

const (
	timeTables = `
CREATE TABLE lasting (
	session INTEGER PRIMARY KEY,
	length  INTEGER NOT NULL,
	until   INTEGER NOT NULL
);
CREATE INDEX lasting_length ON lasting (length, session, until);
CREATE TABLE received (
	minute INTEGER PRIMARY KEY,
	first  INTEGER NOT NULL,
	last   INTEGER NOT NULL
);
`
	putLasting = `INSERT INTO lasting (session, length, until) VALUES (?, ?, ?) ON CONFLICT (session)
		DO UPDATE SET length = excluded.length, until = excluded.until WHERE until <> excluded.until OR length <> excluded.length`
	dropLasting = `DELETE FROM lasting WHERE session = ?`
)

// lastingOf are how long a session lasts, as an index into lengths, and until when: farthest while it goes on.
func lastingOf(place int64, state room.State, endedAt time.Time) (length int, until room.Time) {
	if state != room.StateEnded {
		return len(lengths), farthest
	}
	begin := room.Time(place >> placeBits)
	until = max(begin, room.At(endedAt))
	for length < len(lengths) && until-begin > room.Time(lengths[length].Milliseconds()) {
		length++
	}
	return length, until
}

// lastsOn adds to what is asked the sessions that began before a time and went on beyond it.
func (a *asked) lastsOn(from time.Time, below int64) {
	if from.IsZero() {
		return
	}
	upTo, at, most := min(below, firstPlace(ceilMS(from))), from.UnixMilli(), int64(farthest)
	if from.After(time.Now()) {
		most-- // what goes on has not come to there yet
	}
	var parts []string
	for length := range len(lengths) + 1 {
		since := int64(math.MinInt64)
		if length < len(lengths) {
			since = firstPlace(room.Time(at - lengths[length].Milliseconds()))
		}
		parts = append(parts, "SELECT session FROM lasting INDEXED BY lasting_length WHERE length = ? AND session >= ? AND session < ? AND until > ? AND until <= ?")
		a.earlier.args = append(a.earlier.args, length, since, upTo, at, most)
	}
	a.earlier.from = "(" + strings.Join(parts, " UNION ALL ") + ") AS l CROSS JOIN sessions AS s NOT INDEXED ON s.row = l.session"
}

// earlier is where the sessions are that began before the time that is asked for, and went on.
type earlier struct {
	from string // SQL, "" when there are none
	args []any
}

// earlierSessions fills a page with them, as they stand behind all others.
func (s *SQLite) earlierSessions(ctx context.Context, a asked, page *room.Page[room.Summary]) error {
	if a.earlier.from == "" || a.nothing || page.Next != "" {
		return nil
	}
	begin := a.from
	if a.limit -= len(page.Items); a.limit == 0 { // the page is full: is there more?
		a.limit = 1
		more, err := s.earlierPage(ctx, &a)
		if len(more.Items) > 0 {
			page.Next = formatCursor(a.mark, begin)
		}
		return err
	}
	more, err := s.earlierPage(ctx, &a)
	page.Items, page.Next = append(page.Items, more.Items...), more.Next
	return err
}

func (s *SQLite) earlierPage(ctx context.Context, a *asked) (room.Page[room.Summary], error) {
	query, args, look := a.ofEarlier("s.row, " + a.text() + ", s.summary, NULL")
	page, _, err := pageOf(ctx, s, a, query+" ORDER BY s.row DESC LIMIT ?", append(args, a.most(look)), look, a.summary)
	return page, err
}

// most is how many rows make a page, and tell whether there are more; any number while their texts are looked at.
func (a *asked) most(look int) int {
	if look > 0 {
		return look
	}
	return a.limit + 1
}

// ofEarlier is the SQL for what is asked of them; look is not 0 when their texts must be looked at, too.
func (a *asked) ofEarlier(columns string) (query string, args []any, look int) {
	if a.words != nil {
		look = math.MaxInt32
	}
	filters := conditions{a.where.terms[1:], a.where.args[2:]} // all but the places
	return "SELECT " + columns + " FROM " + a.earlier.from + " WHERE " + filters.text(), slices.Concat(a.earlier.args, filters.args), look
}

// countEarlier is how many of them are asked for, up to as many as are counted.
func (s *SQLite) countEarlier(ctx context.Context, a asked, most int) (n int, err error) {
	if a.earlier.from == "" || a.nothing || most <= 0 {
		return 0, nil
	}
	if a.words == nil {
		query, args, _ := a.ofEarlier("1")
		err = s.reads.QueryRowContext(ctx, "SELECT count(*) FROM ("+query+" LIMIT ?)", append(args, most)...).Scan(&n)
		return n, err
	}
	a.limit = most
	query, args, look := a.ofEarlier("s.row, " + a.text() + ", s.summary, NULL")
	page, _, err := pageOf(ctx, s, &a, query+" LIMIT ?", append(args, look), look, func(line) (struct{}, error) { return struct{}{}, nil })
	return len(page.Items), err
}

// fillTimes says of an older record when its sessions went on, and when its deliveries came.
func fillTimes(ctx context.Context, tx *sql.Tx, p *progress) error {
	if err := fillLasting(ctx, tx, p); err != nil {
		return err
	}
	return fillReceived(ctx, tx)
}

// fillLasting says of every session of an older record until when it goes on.
func fillLasting(ctx context.Context, tx *sql.Tx, p *progress) error {
	put, err := tx.PrepareContext(ctx, putLasting)
	if err != nil {
		return err
	}
	rows, err := tx.QueryContext(ctx, "SELECT row, state, summary FROM sessions ORDER BY row")
	if err != nil {
		return err
	}
	defer rows.Close()
	for ; rows.Next(); p.rows.Add(1) {
		var row int64
		var state room.State
		var summary sql.RawBytes
		if err := rows.Scan(&row, &state, &summary); err != nil {
			return err
		}
		var head struct {
			EndedAt time.Time `json:"ended_at"`
		}
		_ = json.Unmarshal(summary, &head) // what cannot be read says so when it is asked for
		length, until := lastingOf(row, state, head.EndedAt)
		if _, err := put.ExecContext(ctx, row, length, int64(until)); err != nil {
			return err
		}
	}
	return rows.Err()
}
