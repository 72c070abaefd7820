package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// ErrFull: the spool has no room for another delivery.
var ErrFull = errors.New("the spool is full")

const (
	spoolTime = 500 * time.Millisecond // for the spool, after redisTime; more when Redis has failed sooner
	maxSpool  = 500_000                // deliveries; at a kilobyte each half a gigabyte
	drainSize = 128                    // deliveries that are drained at a time
)

// spool is where deliveries wait that Redis could not take. They are on this machine's disk when put
// returns, and go when Redis has them safely.
type spool struct {
	local   *SQLite
	limit   atomic.Int64 // maxSpool but in tests
	depth   atomic.Int64
	sent    int64 // the row up to which Redis has everything, removed or not; used by who drains alone
	waiting chan *spooled
	closed  chan struct{}
	running sync.WaitGroup
}

// spooled is a delivery in the spool, or on its way there.
type spooled struct {
	logged
	row  int64
	err  error
	done chan struct{} // closed when err is set
}

// openSpool takes over what an earlier start has left.
func openSpool(ctx context.Context, local *SQLite) (*spool, error) {
	sp := &spool{local: local, waiting: make(chan *spooled, maxWaiting), closed: make(chan struct{})}
	var depth int64
	if err := local.reads.QueryRowContext(ctx, "SELECT count(*) FROM spool").Scan(&depth); err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	sp.depth.Store(depth)
	sp.limit.Store(maxSpool)
	sp.running.Go(sp.run)
	return sp, nil
}

// Waiting is how many deliveries wait for Redis in a replica's file, beside its serve if there is one.
func Waiting(ctx context.Context, fileURL string) (waiting int, err error) {
	db, err := forReading(fileURL)
	if err == nil {
		err = db.QueryRowContext(ctx, "SELECT count(*) FROM spool").Scan(&waiting)
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		return 0, fmt.Errorf("read spool: %w", err)
	}
	return waiting, nil
}

// close ends the spool; the projection must still be open.
func (sp *spool) close() {
	close(sp.closed)
	sp.running.Wait()
}

// put keeps a delivery on the disk, in the time that ctx has; ErrFull when there is no room.
func (sp *spool) put(ctx context.Context, e logged) error {
	if sp.depth.Load() >= sp.limit.Load() {
		return ErrFull
	}
	p := &spooled{logged: e, done: make(chan struct{})}
	select {
	case sp.waiting <- p:
	case <-sp.closed:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-p.done:
		return p.err
	case <-sp.closed:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run writes what waits together, so that a flood costs few fsyncs.
func (sp *spool) run() {
	for {
		select {
		case first := <-sp.waiting:
			batch := sp.gather(first)
			err := sp.write(batch)
			for _, p := range batch {
				p.err = err
				close(p.done)
			}
		case <-sp.closed:
			return
		}
	}
}

func (sp *spool) gather(first *spooled) (batch []*spooled) {
	batch = []*spooled{first}
	for len(batch) < maxBatch {
		select {
		case p := <-sp.waiting:
			batch = append(batch, p)
		default:
			return batch
		}
	}
	return batch
}

func (sp *spool) write(batch []*spooled) error {
	err := sp.local.writeFirst(func(tx *sql.Tx) error {
		for _, p := range batch {
			entry, err := encodeEntry(p.Delivery)
			if err != nil {
				return err
			}
			if _, err := tx.Exec("INSERT INTO spool (entry, said, body) VALUES (?, ?, ?)", entry, p.said, blob(p.Body)); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		sp.depth.Add(int64(len(batch)))
	}
	return err
}

// next are the oldest deliveries in the spool that were not sent, at most so many; fewer when they are large.
func (sp *spool) next(ctx context.Context, most int) (batch []*spooled, err error) {
	rows, err := sp.local.reads.QueryContext(ctx, "SELECT row, entry, said, body FROM spool WHERE row > ? ORDER BY row LIMIT ?", sp.sent, most)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for size := 0; size < maxBatchBytes && rows.Next(); {
		var row int64
		var entry, said, body []byte
		if err := rows.Scan(&row, &entry, &said, &body); err != nil {
			return nil, err
		}
		e, err := decodeEntry(entry, said, body)
		if err != nil {
			return nil, err
		}
		batch, size = append(batch, &spooled{logged: e, row: row}), size+len(body)
	}
	return batch, rows.Err()
}

// remove takes out what Redis has safely. Where that cannot be written, as when somebody removed the file, it waits no
// longer all the same: what stays in the file is sent again by the next start, and told apart.
func (sp *spool) remove(ctx context.Context, batch []*spooled) error {
	if len(batch) == 0 {
		return nil
	}
	sp.sent = batch[len(batch)-1].row
	sp.depth.Add(-int64(len(batch)))
	return sp.local.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("DELETE FROM spool WHERE row <= ?", sp.sent)
		return err
	})
}
