package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

const (
	maxWaiting    = 1024    // appends that wait for the writer; further ones wait to wait
	maxBatch      = 256     // appends committed together
	maxBatchBytes = 8 << 20 // and how large their bodies may be
)

const (
	insertDelivery = `INSERT INTO deliveries
		(received_at, created_at, source, id, event, room_id, sid, verdict, reason, lag_ms, said, body, sum)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id, source) DO NOTHING`
	bodyOf = `SELECT body FROM deliveries WHERE id = ? AND source = ?`
)

// pending is an append that waits for the writer.
type pending struct {
	given room.Delivery
	packed
	recorded room.Delivery
	err      error
	done     chan struct{} // takes one token when recorded and err are set
}

var pendings = sync.Pool{New: func() any { return &pending{done: make(chan struct{}, 1)} }}

// leave gives back a pending that the writer is done with.
func (p *pending) leave() {
	*p = pending{done: p.done, packed: packed{space: p.space}}
	if cap(p.space) <= maxSpace {
		pendings.Put(p)
	}
}

// maxSpace: a rare large delivery must not stay in memory.
const maxSpace = 64 << 10

// Append stores a delivery durably, or finds that the record has its event id of its source already.
// It returns the entry as recorded: in milliseconds, with its position, and late instead of accepted if
// it is; or with the verdict duplicate (and the reason room.Conflict if the bodies differ), not stored.
//
// When ctx ends first, its error is returned and the delivery may still be stored: the sender retries
// and gets a duplicate. The delivery's body and what it says must not change after the call.
func (s *SQLite) Append(ctx context.Context, d room.Delivery) (room.Delivery, error) {
	recorded, err := s.append(ctx, d)
	if err != nil {
		return room.Delivery{}, s.failed("append delivery", err)
	}
	return recorded, nil
}

func (s *SQLite) append(ctx context.Context, d room.Delivery) (room.Delivery, error) {
	if d.Said == nil || d.ID == "" {
		return d, errors.New("it says nothing or has no id")
	}
	said, err := encodeSaid(d.Said)
	if err != nil {
		return d, err
	}
	d.ReceivedAt = d.ReceivedAt.UTC().Truncate(time.Millisecond)
	p := pendings.Get().(*pending)
	p.given = d
	p.pack(said, d.Body)
	if err := s.enqueue(ctx, p); err != nil {
		return d, err
	}
	select {
	case <-p.done:
		defer p.leave()
		return p.recorded, p.err
	case <-ctx.Done():
		return d, ctx.Err()
	}
}

func (s *SQLite) enqueue(ctx context.Context, p *pending) error {
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.closed {
		return ErrClosed
	}
	select {
	case s.appends <- p:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// gather takes what waits behind the first append, without waiting for more. But whoever can hand something
// in right now is let do so first: a commit costs the same for one as for many.
func gather(first *pending, waiting <-chan *pending) []*pending {
	batch, size := []*pending{first}, len(first.given.Body)
	yielded := 0
	for len(batch) < maxBatch && size < maxBatchBytes {
		select {
		case p, ok := <-waiting:
			if !ok {
				return batch
			}
			batch, size = append(batch, p), size+len(p.given.Body)
		default:
			if yielded == len(batch) {
				return batch
			}
			yielded = len(batch)
			runtime.Gosched()
		}
	}
	return batch
}

// commit stores a batch in one transaction and only then answers it and shows it to followers. When one
// delivery spoils the batch, each goes by itself.
func (s *SQLite) commit(batch []*pending) {
	recorded, heard, err := s.record(batch)
	if err != nil && len(batch) > 1 && ofTheRow(err) {
		for i := range batch {
			s.commit(batch[i : i+1])
		}
		return
	}
	s.settle(err)
	if err == nil {
		s.sources.keep(heard)
		s.tail.publish(recorded)
	}
	for i, p := range batch {
		if p.err = err; err == nil {
			p.recorded = recorded[i]
		}
		p.done <- struct{}{}
	}
}

func (s *SQLite) record(batch []*pending) (recorded []room.Delivery, h *heard, err error) {
	recorded, h = make([]room.Delivery, len(batch)), s.sources.listen()
	err = s.transact(func(tx *sql.Tx) error {
		insert, taken, at := s.in(tx)(insertDelivery), make(intake), make(stretches)
		for i, p := range batch {
			d, err := s.insert(tx, insert, p, h)
			if err != nil {
				return err
			}
			recorded[i] = d
			if d.Verdict != room.Duplicate {
				at.add(d.ReceivedAt, positionOf(d))
			}
			if d.Verdict != room.Duplicate && !own(d) { // a duplicate counts as the note that is made of it
				taken.count(d)
			}
		}
		if err := taken.save(s.in(tx)(addIntake)); err != nil {
			return err
		}
		if err := at.save(s.in(tx)(putReceived)); err != nil {
			return err
		}
		return h.save(s.in(tx)(putSource))
	})
	return recorded, h, err
}

func (s *SQLite) insert(tx *sql.Tx, insert *sql.Stmt, p *pending, h *heard) (room.Delivery, error) {
	d := p.given
	d.Verdict = h.judge(d)
	done, err := insert.Exec(s.columnsOf(d, p.packed)...)
	if err != nil {
		return d, err
	}
	if fresh, err := done.RowsAffected(); err != nil || fresh == 0 {
		return s.duplicate(tx, d), err
	}
	h.note(d)
	position, err := done.LastInsertId()
	d.Position = strconv.FormatInt(position, 10)
	return d, err
}

// columnsOf are the columns of an entry, but for its position. Only the writer calls it.
func (s *SQLite) columnsOf(d room.Delivery, p packed) []any {
	values := append(make([]any, 0, 13), // room for the body and the sum
		int64(room.At(d.ReceivedAt)), int64(d.Said.At), s.words.of(d.Source), d.ID, s.words.of(d.Event), d.RoomID, d.SID,
		s.words.of(string(d.Verdict)), d.Reason, d.LagMS, p.said)
	return append(values, blob(p.body), deliverySum(&s.space, values, p.body))
}

// words are texts that are written again and again, as values: few, so that they need not be made each time.
type words map[string]any

const maxWordsKept = 256

func (w words) of(text string) any {
	value, known := w[text]
	if !known {
		if value = text; len(w) < maxWordsKept {
			w[text] = value
		}
	}
	return value
}

func (s *SQLite) duplicate(tx *sql.Tx, d room.Delivery) room.Delivery {
	d.Position, d.Verdict = "", room.Duplicate
	if len(d.Body) == 0 {
		return d
	}
	var body []byte
	err := s.in(tx)(bodyOf).QueryRow(d.ID, d.Source).Scan(&body)
	if err == nil {
		body, err = unpack(body)
	}
	// A body that retention has removed cannot differ. A duplicate is one whatever this says, so an error only
	// costs the reason.
	if err == nil && body != nil && !bytes.Equal(body, d.Body) {
		d.Reason = room.Conflict
	}
	return d
}

// blob is b as SQLite keeps it: nothing is NULL.
func blob(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}
