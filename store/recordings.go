package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// Recordings is a page of the recordings that q asks for, newest first. Limit and cursor are those of
// Sessions. With q.Text, it takes as long as all sessions with recordings that match, unless matches
// among the newest 500 recordings fill the page.
func (s *SQLite) Recordings(ctx context.Context, q room.RecordingQuery) (room.Page[room.FiledRecording], error) {
	done, err := s.searching(ctx, q.Text)
	if err != nil {
		return room.Page[room.FiledRecording]{}, s.failed("list recordings", err)
	}
	defer done()
	a, err := s.recordingsAsked(ctx, q)
	page := room.Page[room.FiledRecording]{Items: []room.FiledRecording{}}
	if err == nil && !a.nothing {
		page, err = list(ctx, s, &a, func(expression string) (string, []any) { return a.shelved(recordingShelf, expression) }, recordingOf)
	}
	if err != nil {
		return page, s.failed("list recordings", err)
	}
	return page, nil
}

func recordingOf(l line) (r room.FiledRecording, err error) {
	if r.Filed, err = headOf(l.summary); err != nil {
		return r, err
	}
	if err := json.Unmarshal(l.doc, &r.Recording); err != nil {
		return r, fmt.Errorf("%w: a recording: %w", errUndecodable, err)
	}
	return r, nil
}

func (s *SQLite) recordingsAsked(ctx context.Context, q room.RecordingQuery) (a asked, err error) {
	if a, err = newAsked(markRecordings, "r.row", q.From, q.To, q.Cursor, q.Limit); err != nil {
		return a, err
	}
	a.equal("r.room_id", q.RoomID, "recordings_room", "room")
	if q.State != room.RecordingReady {
		a.equal("r.state", q.State, "recordings_state", "")
	}
	a.equal("r.source", q.Source, "recordings_source", "source")
	if q.State == room.RecordingReady { // as nearly all are
		a.equal("r.state", q.State, "recordings_state", "")
	}
	a.marks = append(a.marks, markOf(recordingShelf.table))
	return a, s.searchShelf(ctx, &a, q.Text, q.Titles)
}

// CountRecordings is how many recordings q asks for, whatever its cursor and limit; at most room.MaxCount + 1.
func (s *SQLite) CountRecordings(ctx context.Context, q room.RecordingQuery) (n int, err error) {
	done, err := s.searching(ctx, q.Text)
	if err != nil {
		return 0, s.failed("count recordings", err)
	}
	defer done()
	q.Cursor = ""
	a, err := s.recordingsAsked(ctx, q)
	if err == nil && !a.nothing {
		a.byAny("r.state", "recordings_state", room.RecordingActive, room.RecordingProcessing, room.RecordingFailed, room.RecordingReady)
		n, err = s.countShelf(ctx, recordingShelf, &a)
	}
	if err != nil {
		return 0, s.failed("count recordings", err)
	}
	return n, nil
}

// searchShelf adds the words of the sessions' text. What is on a shelf stands in another order than the
// sessions, so the full-text index gives no page of it: the quick way is to look at the newest.
func (s *SQLite) searchShelf(ctx context.Context, a *asked, text string, titles bool) error {
	err := s.search(ctx, a, text, titles)
	if !titles {
		a.match.quick = ""
	}
	return err
}

// shelved is the SQL for what is on a shelf, of sessions that match an expression, "" for all.
func (a *asked) shelved(sh *shelf, expression string) (query string, args []any) {
	query = "SELECT r.row, " + a.text() + ", s.summary, r.doc FROM "
	if expression == "" {
		return query + sh.table + " AS r " + a.going() + " CROSS JOIN sessions AS s NOT INDEXED ON s.row = r.session WHERE " +
			a.where.text() + " ORDER BY r.row DESC LIMIT ?", a.where.args
	}
	// Rows are sorted by their numbers alone; the rest is read of those that make the page.
	from, args := a.ofMatches(sh, expression)
	return query + "(SELECT r.row AS place FROM " + from + " ORDER BY r.row DESC LIMIT ?) AS m CROSS JOIN " + sh.table +
		" AS r NOT INDEXED ON r.row = m.place CROSS JOIN sessions AS s NOT INDEXED ON s.row = r.session ORDER BY m.place DESC", args
}

func (a *asked) ofMatches(sh *shelf, expression string) (from string, args []any) {
	return "words CROSS JOIN " + sh.table + " AS r INDEXED BY " + sh.table + "_session ON r.session = words.rowid WHERE words MATCH ? AND " +
		a.where.text(), append([]any{expression}, a.where.args...)
}

func (s *SQLite) countShelf(ctx context.Context, sh *shelf, a *asked) (int, error) {
	if a.words == nil {
		return s.count(ctx, sh.table+" AS r "+a.going()+" WHERE "+a.where.text(), a.where.args...)
	}
	from, args := a.ofMatches(sh, a.match.whole)
	return s.count(ctx, from, args...)
}

// RecordingCounts is how many recordings are in each state, by its name: of those that go on or are
// being processed all, of the ready and the failed those that began at or after since.
func (s *SQLite) RecordingCounts(ctx context.Context, since time.Time) ([]room.RecordingCount, error) {
	counts, err := s.recordingCounts(ctx, since)
	if err != nil {
		return nil, s.failed("count recordings by state", err)
	}
	return counts, nil
}

func (s *SQLite) recordingCounts(ctx context.Context, since time.Time) (counts []room.RecordingCount, err error) {
	const sums = "SELECT state, count(*), CAST(total(size) AS INTEGER), min(since_ms) FROM recordings INDEXED BY recordings_state WHERE "
	rows, err := s.reads.QueryContext(ctx, sums+"state IN (?, ?) GROUP BY state UNION ALL "+sums+"state IN (?, ?) AND row >= ? GROUP BY state ORDER BY 1",
		room.RecordingActive, room.RecordingProcessing, room.RecordingReady, room.RecordingFailed, firstPlace(ceilMS(since)))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c room.RecordingCount
		var earliest room.Time
		if err := rows.Scan(&c.State, &c.N, &c.Bytes, &earliest); err != nil {
			return nil, err
		}
		c.Since = earliest.Time()
		counts = append(counts, c)
	}
	return counts, rows.Err()
}
