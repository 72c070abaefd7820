package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/roomwatch/roomwatch/room"
)

// A projection is a record in SQLite that follows the log in Redis: a replica answers every question
// from it. Its positions are those of the log, so that one replica's cursor is good at another.

// logged is an entry of the log.
type logged struct {
	room.Delivery        // its Position is that in the log
	said          []byte // as it was written, with what this version does not know
}

const insertLogged = `INSERT INTO deliveries
	(position, received_at, created_at, source, id, event, room_id, sid, verdict, reason, lag_ms, said, body, sum)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id, source) DO NOTHING`

// Marks of a projection, see putMark.
const (
	markRecord = "record" // the id of the record in Redis that it follows
	markRead   = "read"   // up to where the log was read
	markSchema = "facts"  // documentSchema of the program that wrote it
)

// feed takes entries from the log, in its order, and keeps up to where it was read, in one transaction.
// What the projection has already is left out. An entry that can never be written is left out, too, and
// said so: it must not hold up the others.
func (s *SQLite) feed(ctx context.Context, entries []logged, read int64) error {
	var fresh []room.Delivery
	var h *heard
	err := s.write(ctx, func(tx *sql.Tx) (err error) {
		h = s.sources.listen()
		if fresh, err = s.take(tx, entries, h); err != nil {
			return err
		}
		_, err = s.in(tx)(putMark).Exec(markRead, read)
		return err
	})
	switch {
	case err == nil:
		s.sources.keep(h)
		s.tail.publish(fresh)
		return nil
	case !ofTheRow(err):
		return s.failed("feed projection", err)
	case len(entries) == 1:
		s.log.Error("an entry of the log cannot be kept here", "id", entries[0].ID, "position", entries[0].Position, "err", err)
		return s.feed(ctx, nil, read)
	}
	var errs []error
	for i := range entries {
		errs = append(errs, s.feed(ctx, entries[i:i+1], read))
	}
	return errors.Join(errs...)
}

func (s *SQLite) take(tx *sql.Tx, entries []logged, h *heard) (fresh []room.Delivery, err error) {
	insert, err := tx.Prepare(insertLogged)
	if err != nil {
		return nil, err
	}
	last, err := lastPosition(tx)
	if err != nil {
		return nil, err
	}
	taken, at := make(intake), make(stretches)
	var p packed
	for _, e := range entries {
		isNew, err := s.takeOne(insert, &e, &p, last)
		if err != nil {
			return nil, err
		}
		if !isNew {
			continue
		}
		last = positionOf(e.Delivery)
		at.add(e.ReceivedAt, last)
		h.note(e.Delivery)
		if !own(e.Delivery) {
			taken.count(e.Delivery)
		}
		fresh = append(fresh, e.Delivery)
	}
	if err := taken.save(s.in(tx)(addIntake)); err != nil {
		return nil, err
	}
	if err := at.save(s.in(tx)(putReceived)); err != nil {
		return nil, err
	}
	return fresh, h.save(s.in(tx)(putSource))
}

// takeOne writes one entry behind the last. A log that lost its end counts on from a lower position:
// followers of the projection must not miss what comes then, so positions never go back here.
func (s *SQLite) takeOne(insert *sql.Stmt, e *logged, p *packed, last int64) (isNew bool, err error) {
	position := max(positionOf(e.Delivery), last+1)
	p.pack(e.said, e.Body)
	done, err := insert.Exec(append([]any{position}, s.columnsOf(e.Delivery, *p)...)...)
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	e.Position = formatPosition(position)
	return n > 0, err
}

// lastPosition is the greatest position that was ever used.
func lastPosition(tx *sql.Tx) (last int64, err error) {
	err = tx.QueryRow("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'deliveries'").Scan(&last)
	return last, err
}

// kept calls fn with the entries after a position, in batches, each as it is written.
func (s *SQLite) kept(ctx context.Context, after int64, fn func([]logged) error) error {
	for {
		batch, err := s.keptBatch(ctx, after)
		if err != nil || len(batch) == 0 {
			return err
		}
		if err := fn(batch); err != nil {
			return err
		}
		after = positionOf(batch[len(batch)-1].Delivery)
	}
}

func (s *SQLite) keptBatch(ctx context.Context, after int64) (batch []logged, err error) {
	rows, err := s.own.QueryContext(ctx, entriesAfter, after, followBatch)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for size := 0; size < maxBatchBytes && rows.Next(); {
		d, said, err := scanDelivery(rows)
		if err != nil {
			return nil, err
		}
		batch, size = append(batch, logged{d, said}), size+weight(d)
	}
	return batch, rows.Err()
}

// mark reads a mark, 0 when there is none.
func (s *SQLite) mark(ctx context.Context, name string) (value int64, err error) {
	err = s.own.QueryRowContext(ctx, "SELECT value FROM marks WHERE name = ?", name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return value, err
}

func (s *SQLite) setMarks(ctx context.Context, marks map[string]int64) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		for name, value := range marks {
			if _, err := s.in(tx)(putMark).Exec(name, value); err != nil {
				return err
			}
		}
		return nil
	})
}

// rewind sets the checkpoint back: entries after a position are folded again.
func (s *SQLite) rewind(ctx context.Context, to int64) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("UPDATE checkpoint SET position = min(position, ?)", to)
		return err
	})
}

// Which sessions to look at: those that entries after a position speak of, or all, newest first.
const (
	keysAfter = "SELECT DISTINCT source, sid FROM deliveries WHERE position > ? AND sid <> ''"
	keysOfAll = "SELECT source, sid FROM sessions WHERE ? IS NOT NULL ORDER BY row DESC"
)

func (s *SQLite) keys(ctx context.Context, query string, after int64) (keys []room.Key, err error) {
	rows, err := s.own.QueryContext(ctx, query, after)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var key room.Key
		if err := rows.Scan(&key.Source, &key.SID); err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, rows.Err()
}

// encodeEntry is an entry as Redis and the spool keep it: beside its body and what it says, which are
// never written anew.
func encodeEntry(d room.Delivery) ([]byte, error) {
	d.Position, d.Body = "", nil
	return json.Marshal(d)
}

// decodeEntry reads an entry; said and body are kept, not copied.
func decodeEntry(entry, said, body []byte) (e logged, err error) {
	if err := json.Unmarshal(entry, &e.Delivery); err != nil {
		return e, fmt.Errorf("%w: %w", errUndecodable, err)
	}
	e.said, e.Said, e.Body = said, new(room.Event), nil
	if len(body) > 0 {
		e.Body = body
	}
	if err := json.Unmarshal(said, e.Said); err != nil {
		return e, fmt.Errorf("%w: %w", errUndecodable, err)
	}
	return e, nil
}
