package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// What retention takes in one transaction: an append waits for at most one of them.
const (
	retainSessions = 20
	retainRows     = 256
	retainBytes    = 4 << 20 // of bodies
)

// Retain removes what is too old: sessions that ended and of which nothing was received for history, with
// all that is filed of them; deliveries, notes, intake counts and samples older than history; and the
// bodies of deliveries that were received longer than bodies ago. Entries past the checkpoint stay, and
// what an entry says stays as long as the entry.
//
// It works from the oldest on, in small transactions. ctx ends it between two of them; what is left is
// found the next time. With nothing to do it reads a few rows.
func (s *SQLite) Retain(ctx context.Context, now time.Time, history, bodies time.Duration) error {
	checkpoint, err := s.checkpoint(ctx)
	if err != nil {
		return s.failed("retain", err)
	}
	old := room.At(now.Add(-history))
	for _, step := range []func(context.Context) (done bool, err error){
		func(ctx context.Context) (bool, error) { return s.retainSessions(ctx, old) },
		func(ctx context.Context) (bool, error) { return s.retainBodies(ctx, room.At(now.Add(-bodies))) },
		func(ctx context.Context) (bool, error) { return s.retainDeliveries(ctx, old, checkpoint) },
		s.retainRest("DELETE FROM notes WHERE row IN (SELECT row FROM notes WHERE received_at < ? LIMIT ?)", old),
		s.retainRest("DELETE FROM intake WHERE (minute, source, verdict) IN (SELECT minute, source, verdict FROM intake WHERE minute < ? LIMIT ?)", old),
		s.retainRest("DELETE FROM received WHERE minute IN (SELECT minute FROM received WHERE minute < ? LIMIT ?)", old-60_000),
		s.retainRest("DELETE FROM samples WHERE at IN (SELECT at FROM samples WHERE at < ? LIMIT ?)", old),
	} {
		for done := false; !done; {
			if err = ctx.Err(); err == nil {
				done, err = step(ctx)
			}
			if err != nil {
				return s.failed("retain", err)
			}
		}
	}
	return nil
}

// numbers reads rows of whole numbers.
func (s *SQLite) numbers(ctx context.Context, width int, query string, args ...any) (table [][]int64, err error) {
	rows, err := s.own.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		row, into := make([]int64, width), make([]any, width)
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		table = append(table, row)
	}
	return table, rows.Err()
}

func (s *SQLite) retainSessions(ctx context.Context, old room.Time) (done bool, err error) {
	s.saving.Lock() // a session that is being saved is not old any more, or comes again
	defer s.saving.Unlock()
	gone, err := s.numbers(ctx, 1, `SELECT row FROM sessions INDEXED BY sessions_received
		WHERE received_ms < ? AND state = ? ORDER BY received_ms LIMIT ?`, int64(old), string(room.StateEnded), retainSessions)
	if err != nil || len(gone) == 0 {
		return true, err
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		for _, row := range gone {
			for _, query := range []string{recordingShelf.clear, artifactShelf.clear, dropWords, dropLasting, dropSession} {
				if _, err := s.in(tx)(query).Exec(row[0]); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return len(gone) < retainSessions, err
}

// stretch is the last of the next entries that is old, 0 when none is, and whether more may follow. They
// were received in the order of their positions but for leaps of the clock: where none of a run of them
// is old, none behind it is looked at.
func (s *SQLite) stretch(ctx context.Context, after, upTo int64, old room.Time) (last int64, more bool, err error) {
	rows, err := s.numbers(ctx, 3, `SELECT position, received_at, coalesce(length(body), 0) FROM deliveries NOT INDEXED
		WHERE position > ? AND position <= ? ORDER BY position LIMIT ?`, after, upTo, retainRows)
	if err != nil {
		return 0, false, err
	}
	var size int64
	for _, row := range rows {
		if room.Time(row[1]) < old {
			last = row[0]
		}
		if size += row[2]; size > retainBytes {
			break
		}
	}
	return last, last != 0 && (len(rows) == retainRows || size > retainBytes), nil
}

func (s *SQLite) retainBodies(ctx context.Context, old room.Time) (done bool, err error) {
	var after int64
	err = s.own.QueryRowContext(ctx, "SELECT value FROM marks WHERE name = 'bodies'").Scan(&after)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return true, err
	}
	last, more, err := s.stretch(ctx, after, math.MaxInt64, old)
	if err != nil || last == 0 {
		return true, err
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("UPDATE deliveries SET body = NULL, sum = "+bodiless+" WHERE position > ? AND position <= ? AND received_at < ?", after, last, int64(old))
		if err == nil {
			_, err = s.in(tx)(putMark).Exec("bodies", last)
		}
		return err
	})
	return !more, err
}

func (s *SQLite) retainDeliveries(ctx context.Context, old room.Time, checkpoint int64) (done bool, err error) {
	last, more, err := s.stretch(ctx, 0, checkpoint, old)
	if err != nil || last == 0 {
		return true, err
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("DELETE FROM deliveries WHERE position <= ? AND received_at < ?", last, int64(old))
		return err
	})
	return !more, err
}

// retainRest deletes what a query finds, a bounded number of rows at a time.
func (s *SQLite) retainRest(query string, old room.Time) func(context.Context) (bool, error) {
	return func(ctx context.Context) (done bool, err error) {
		err = s.write(ctx, func(tx *sql.Tx) error {
			result, err := tx.Exec(query, int64(old), retainRows)
			if err != nil {
				return err
			}
			n, err := result.RowsAffected()
			done = n < retainRows
			return err
		})
		return done || err != nil, err
	}
}
