package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

const putSample = `INSERT OR REPLACE INTO samples (at, rooms, people, bots, microphones, cameras, screens, recordings, streams)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`

// Sample keeps the totals of a minute, in place of what was kept of it before.
func (s *SQLite) Sample(ctx context.Context, sample room.Sample) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(putSample, sample.At.Truncate(time.Minute).UnixMilli(), sample.Rooms, sample.People, sample.Bots,
			sample.Microphones, sample.Cameras, sample.Screens, sample.RecordingsActive, sample.StreamsActive)
		return err
	})
	if err != nil {
		return s.failed("keep sample", err)
	}
	return nil
}

// Samples are the samples at or after since, the oldest first. A minute in which nobody sampled has none.
func (s *SQLite) Samples(ctx context.Context, since time.Time) ([]room.Sample, error) {
	samples, err := s.samples(ctx, since)
	if err != nil {
		return nil, s.failed("read samples", err)
	}
	return samples, nil
}

func (s *SQLite) samples(ctx context.Context, since time.Time) (samples []room.Sample, err error) {
	rows, err := s.own.QueryContext(ctx, `SELECT at, rooms, people, bots, microphones, cameras, screens, recordings, streams
		FROM samples WHERE at >= ? ORDER BY at`, int64(ceilMS(since)))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var t room.Sample
		var at room.Time
		if err := rows.Scan(&at, &t.Rooms, &t.People, &t.Bots, &t.Microphones, &t.Cameras, &t.Screens, &t.RecordingsActive, &t.StreamsActive); err != nil {
			return nil, err
		}
		t.At = at.Time()
		samples = append(samples, t)
	}
	return samples, rows.Err()
}
