package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/roomwatch/roomwatch/room"
)

const followBatch = 500

// Follow calls fn with every entry after a position ("": from the start), in order, at most 500 at a
// time: first those in the record, then those to come. It returns ctx's error when that ends, or fn's.
// An entry may come again, none is left out.
//
// What fn gets is shared with other followers, down to what the deliveries point to: read only.
func (s *SQLite) Follow(ctx context.Context, after string, fn func([]room.Delivery) error) error {
	at, err := s.startOf(ctx, after)
	for err == nil {
		var batch []room.Delivery
		if batch, err = s.next(ctx, at); err != nil {
			break
		}
		if err := fn(batch); err != nil {
			return err
		}
		at = positionOf(batch[len(batch)-1])
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case s.isClosing():
		return ErrClosed
	}
	return s.failed("follow record", err)
}

// startOf is where to start. A position beyond the end is of another record, say of one that was
// restored from an older backup since: then everything is news.
func (s *SQLite) startOf(ctx context.Context, after string) (int64, error) {
	at, err := parsePosition(after)
	if err != nil {
		return 0, err
	}
	end, err := s.end(ctx)
	if at > end {
		at = 0
	}
	return at, err
}

// next waits until there are entries after a position.
func (s *SQLite) next(ctx context.Context, at int64) ([]room.Delivery, error) {
	for ctx.Err() == nil {
		entries, from, grown := s.tail.after(at)
		switch {
		case len(entries) > 0:
			return entries[:min(len(entries), followBatch)], nil
		case at < from:
			if entries, err := s.stored(ctx, at); err != nil || len(entries) > 0 {
				return entries, err
			}
			at = from // retention has removed what was there
			continue
		}
		select {
		case <-grown:
		case <-s.closing:
			return nil, ErrClosed
		case <-ctx.Done():
		}
	}
	return nil, ctx.Err()
}

func (s *SQLite) isClosing() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

const entriesAfter = `SELECT position, received_at, source, id, event, room_id, sid, verdict, reason, lag_ms, said, body
	FROM deliveries WHERE position > ? ORDER BY position LIMIT ?`

// stored reads a batch of entries after a position: fewer when their bodies are large.
func (s *SQLite) stored(ctx context.Context, at int64) (entries []room.Delivery, err error) {
	rows, err := s.own.QueryContext(ctx, entriesAfter, at, followBatch)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for size := 0; size < maxBatchBytes && rows.Next(); {
		d, _, err := scanDelivery(rows)
		if err != nil {
			return nil, err
		}
		entries, size = append(entries, d), size+weight(d)
	}
	return entries, rows.Err()
}

// scanDelivery reads an entry, and what it says as JSON.
func scanDelivery(rows *sql.Rows) (d room.Delivery, said []byte, err error) {
	var received room.Time
	var body []byte
	if err := rows.Scan(&d.Position, &received, &d.Source, &d.ID, &d.Event, &d.RoomID, &d.SID, &d.Verdict, &d.Reason, &d.LagMS, &said, &body); err != nil {
		return d, nil, err
	}
	d.ReceivedAt = received.Time()
	if said, err = unfold(&d, said, body); err != nil {
		return d, nil, fmt.Errorf("entry %s: %w", d.Position, err)
	}
	return d, said, nil
}

// unfold gives an entry its body and what it says, from how they are stored, and gives the latter as JSON.
func unfold(d *room.Delivery, storedSaid, storedBody []byte) (said []byte, err error) {
	if d.Body, err = unpack(storedBody); err != nil {
		return nil, err
	}
	if said, err = unpack(storedSaid); err != nil {
		return nil, err
	}
	d.Said = new(room.Event)
	if err := json.Unmarshal(said, d.Said); err != nil {
		return nil, fmt.Errorf("%w: %w", errUndecodable, err)
	}
	return said, nil
}

// End is the position of the newest entry, "" when there is none.
func (s *SQLite) End(ctx context.Context) (string, error) {
	end, err := s.end(ctx)
	if err != nil {
		return "", s.failed("end of record", err)
	}
	return formatPosition(end), nil
}

func (s *SQLite) end(ctx context.Context) (end int64, err error) {
	err = s.own.QueryRowContext(ctx, "SELECT coalesce(max(position), 0) FROM deliveries").Scan(&end)
	return end, err
}

// Checkpoint is the position up to which every entry is in the saved sessions, "" when there is none.
func (s *SQLite) Checkpoint(ctx context.Context) (string, error) {
	position, err := s.checkpoint(ctx)
	if err != nil {
		return "", s.failed("read checkpoint", err)
	}
	return formatPosition(position), nil
}

func (s *SQLite) checkpoint(ctx context.Context) (position int64, err error) {
	err = s.own.QueryRowContext(ctx, "SELECT coalesce(max(position), 0) FROM checkpoint").Scan(&position)
	return position, err
}

func formatPosition(position int64) string {
	if position == 0 {
		return ""
	}
	return strconv.FormatInt(position, 10)
}

func parsePosition(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	position, err := strconv.ParseInt(text, 10, 64)
	if err != nil || position < 0 {
		return 0, fmt.Errorf("%q is not a position", text)
	}
	return position, nil
}
