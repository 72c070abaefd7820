package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

const addIntake = `INSERT INTO intake (minute, source, verdict, n) VALUES (?, ?, ?, ?)
	ON CONFLICT (minute, source, verdict) DO UPDATE SET n = n + excluded.n`

// intake counts what a transaction takes in; it is added to what the record has counted.
type intake map[intakeKey]int

type intakeKey struct {
	minute  room.Time
	source  string
	verdict room.Verdict
}

func (in intake) count(d room.Delivery) {
	in[intakeKey{room.At(d.ReceivedAt.Truncate(time.Minute)), d.Source, d.Verdict}]++
}

func (in intake) save(add *sql.Stmt) error {
	for key, n := range in {
		if _, err := add.Exec(int64(key.minute), key.source, string(key.verdict), n); err != nil {
			return err
		}
	}
	return nil
}

// Intake is how many deliveries came in, by minute, source and verdict, in this order, from the minute of
// since on. Roomwatch's own entries do not count, nor notes that were dropped.
func (s *SQLite) Intake(ctx context.Context, since time.Time) ([]room.IntakeCount, error) {
	counts, err := s.intake(ctx, since)
	if err != nil {
		return nil, s.failed("read intake", err)
	}
	return counts, nil
}

func (s *SQLite) intake(ctx context.Context, since time.Time) (counts []room.IntakeCount, err error) {
	rows, err := s.reads.QueryContext(ctx, `SELECT minute, source, verdict, n FROM intake
		WHERE minute >= ? ORDER BY minute, source, verdict`, since.Truncate(time.Minute).UnixMilli())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c room.IntakeCount
		var minute room.Time
		if err := rows.Scan(&minute, &c.Source, &c.Verdict, &c.N); err != nil {
			return nil, err
		}
		c.Minute = minute.Time()
		counts = append(counts, c)
	}
	return counts, rows.Err()
}
