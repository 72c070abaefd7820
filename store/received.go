package store

import (
	"context"
	"database/sql"
	"math"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// An index on when deliveries were received would be written with each of them. Their positions grow with that time,
// but for leaps of the clock and what waited for Redis, so the table "received" says between which positions the
// deliveries of a minute are: a row is written with each transaction, not with each delivery.

const putReceived = `INSERT INTO received (minute, first, last) VALUES (?, ?, ?)
	ON CONFLICT (minute) DO UPDATE SET first = min(first, excluded.first), last = max(last, excluded.last)`

// stretches are the positions that a transaction gives to the deliveries of each minute.
type stretches map[room.Time]*struct{ first, last int64 }

func (s stretches) add(received time.Time, position int64) {
	minute := room.At(received.Truncate(time.Minute))
	if known := s[minute]; known != nil {
		known.first, known.last = min(known.first, position), max(known.last, position)
		return
	}
	s[minute] = &struct{ first, last int64 }{position, position}
}

func (s stretches) save(put *sql.Stmt) error {
	for minute, at := range s {
		if _, err := put.Exec(int64(minute), at.first, at.last); err != nil {
			return err
		}
	}
	return nil
}

// receivedWithin are the positions between which the deliveries are that were received from one time to another, and
// a few more: of an older record only some were looked at, so it goes as far as the next minutes that are known.
func (s *SQLite) receivedWithin(ctx context.Context, from, to time.Time) (first, last int64, err error) {
	since, before := int64(math.MinInt64), int64(math.MaxInt64)
	if !from.IsZero() {
		since = from.Truncate(time.Minute).UnixMilli()
	}
	if !to.IsZero() {
		before = to.UnixMilli() + 1 // what is left of a millisecond counts
	}
	const between = `SELECT
		min(coalesce((SELECT min(first) FROM received WHERE minute >= ?1), 9223372036854775807),
			coalesce((SELECT last FROM received WHERE minute < ?1 ORDER BY minute DESC LIMIT 1), 9223372036854775807)),
		max(coalesce((SELECT max(last) FROM received WHERE minute < ?2), -1),
			coalesce((SELECT first FROM received WHERE minute >= ?2 ORDER BY minute LIMIT 1), -1))`
	err = s.reads.QueryRowContext(ctx, between, since, before).Scan(&first, &last)
	return first, last, err
}

// mostSamples is how many deliveries of an older record are looked at to find out when they were received.
const mostSamples = 50_000

// fillReceived looks at some deliveries of an older record, all of them when it is small. What is between two of
// them was received between their times: a record of millions must not be read whole for this.
func fillReceived(ctx context.Context, tx *sql.Tx) error {
	put, err := tx.PrepareContext(ctx, putReceived)
	if err != nil {
		return err
	}
	var at, last int64
	err = tx.QueryRowContext(ctx, "SELECT coalesce(min(position), 0), coalesce(max(position), -1) FROM deliveries").Scan(&at, &last)
	if err != nil {
		return err
	}
	next, err := tx.PrepareContext(ctx, "SELECT position, received_at FROM deliveries NOT INDEXED WHERE position >= ? ORDER BY position LIMIT 1")
	if err != nil {
		return err
	}
	step, seen := max(1, (last-at)/mostSamples), make(stretches)
	for at <= last {
		var received room.Time
		if err := next.QueryRowContext(ctx, at).Scan(&at, &received); err != nil {
			return err
		}
		seen.add(received.Time(), at)
		at = min(at+step, max(last, at+1)) // the last, too
	}
	return seen.save(put)
}
