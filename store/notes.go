package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

const (
	maxNotes  = 10_000
	noteBatch = 256
	notePause = 200 * time.Millisecond // between two batches, so that a flood of refusals does not slow intake down
)

const insertNote = `INSERT INTO notes (received_at, source, id, event, room_id, sid, verdict, reason, lag_ms, code)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// Note keeps a delivery that is not in the record (duplicate, unauthentic, unreadable), without its body.
// The newest 10,000 are kept. It never waits: a note that finds too many waiting is dropped and counted.
func (s *SQLite) Note(d room.Delivery) {
	d.Body, d.Said = nil, nil
	select {
	case s.notes <- d:
	default:
		s.dropped.Add(1)
	}
}

// NotesDropped is how many notes were lost since Open, because they came too fast or could not be written.
func (s *SQLite) NotesDropped() uint64 { return s.dropped.Load() }

// Noted is how many notes were written since Open. It only grows: another number says that there are new ones.
func (s *SQLite) Noted() uint64 { return s.noted.Load() }

// keepNotes writes notes, off the request path. It ends the writer's jobs: nobody else hands any in by then.
func (s *SQLite) keepNotes() {
	defer close(s.jobs)
	for {
		select {
		case first := <-s.notes:
			s.writeNotes(append([]room.Delivery{first}, s.waitingNotes(noteBatch-1)...))
		case <-s.closing:
			s.writeNotes(s.waitingNotes(cap(s.notes)))
			return
		}
		select {
		case <-time.After(notePause):
		case <-s.closing:
		}
	}
}

func (s *SQLite) waitingNotes(most int) (notes []room.Delivery) {
	for len(notes) < most {
		select {
		case d := <-s.notes:
			notes = append(notes, d)
		default:
			return notes
		}
	}
	return notes
}

func (s *SQLite) writeNotes(notes []room.Delivery) {
	if len(notes) == 0 {
		return
	}
	err := s.handIn(context.Background(), func(tx *sql.Tx) error {
		insert, taken := s.in(tx)(insertNote), make(intake)
		for _, d := range notes {
			if _, err := insert.Exec(int64(room.At(d.ReceivedAt)), d.Source, d.ID, d.Event, d.RoomID, d.SID,
				string(d.Verdict), d.Reason, d.LagMS, d.Code); err != nil {
				return err
			}
			taken.count(d)
		}
		if err := taken.save(s.in(tx)(addIntake)); err != nil {
			return err
		}
		_, err := tx.Exec("DELETE FROM notes WHERE row <= (SELECT max(row) FROM notes) - ?", maxNotes)
		return err
	})
	if err != nil {
		s.dropped.Add(uint64(len(notes)))
		s.log.Warn("notes were not written", "count", len(notes), "err", err)
		return
	}
	s.noted.Add(uint64(len(notes)))
}

// Refusals are the notes of deliveries that were refused (unauthentic) or could not be read, received at
// or after since, by their code: the most frequent first, each with its newest note.
func (s *SQLite) Refusals(ctx context.Context, since time.Time) ([]room.RefusalCount, error) {
	counts, err := s.refusals(ctx, since)
	if err != nil {
		return nil, s.failed("count refusals", err)
	}
	return counts, nil
}

func (s *SQLite) refusals(ctx context.Context, since time.Time) (counts []room.RefusalCount, err error) {
	// Beside max(), SQLite takes the other columns from the row that has it.
	rows, err := s.reads.QueryContext(ctx, `SELECT count(*), max(row), `+noteColumns+` FROM notes
		WHERE verdict IN (?, ?) AND received_at >= ? GROUP BY code ORDER BY 1 DESC, code`,
		string(room.Refused), string(room.Unreadable), int64(ceilMS(since)))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c room.RefusalCount
		d, err := scanPlaced(rows, &c.N)
		if err != nil {
			return nil, err
		}
		c.Code, c.Newest = d.Code, d.Delivery
		counts = append(counts, c)
	}
	return counts, rows.Err()
}
