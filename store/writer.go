package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// stalledAfter is how long a transaction may take before Health speaks of it: a disk that hangs fails nothing.
const stalledAfter = 3 * time.Second

// probeBytes is what a probe writes. A record that is full to its last page would still take a byte.
const probeBytes = 64 << 10

var errPanic = errors.New("panic")

// writeFirst is write before all others that wait: somebody's answer depends on it.
func (s *SQLite) writeFirst(fn func(*sql.Tx) error) error {
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.closed {
		return ErrClosed
	}
	j := &job{fn, make(chan error, 1)}
	s.urgent <- j
	return <-j.done
}

// job is a write other than an append.
type job struct {
	write func(*sql.Tx) error
	done  chan error
}

// serve is the one writer. What waits is taken at random between appends and jobs, so that neither
// starves: an append waits for at most the job at hand, which is small.
func (s *SQLite) serve() {
	appends, jobs := s.appends, s.jobs
	defer s.probing.Stop()
	for appends != nil || jobs != nil {
		select {
		case j := <-s.urgent:
			s.work(j)
			continue
		default:
		}
		select {
		case j := <-s.urgent:
			s.work(j)
		case first, ok := <-appends:
			if !ok {
				appends = nil
				continue
			}
			s.commit(gather(first, appends))
		case j, ok := <-jobs:
			if !ok {
				jobs = nil
				continue
			}
			s.work(j)
		case <-s.probing.C:
			s.settle(s.try())
		}
	}
}

func (s *SQLite) work(j *job) {
	err := s.transact(j.write)
	s.settle(err)
	j.done <- err
}

// write has the writer run fn in a transaction, and waits until that is committed: ctx counts only
// until the writer takes it.
func (s *SQLite) write(ctx context.Context, fn func(*sql.Tx) error) error {
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.closed {
		return ErrClosed
	}
	return s.handIn(ctx, fn)
}

func (s *SQLite) handIn(ctx context.Context, fn func(*sql.Tx) error) error {
	j := &job{fn, make(chan error, 1)}
	select {
	case s.jobs <- j:
		return <-j.done
	case <-ctx.Done():
		return ctx.Err()
	}
}

// try finds out whether the record can be written: by a look at its files, by a write while there is trouble.
func (s *SQLite) try() error {
	if s.trouble.Load() != nil {
		return s.probe()
	}
	return s.files.look()
}

// transact runs fn in a transaction and commits it, to files that are where they were and whole. A panic is an error like any other: it must not end intake.
func (s *SQLite) transact(fn func(*sql.Tx) error) (err error) {
	s.began.Store(time.Now().UnixNano())
	defer s.began.Store(0)
	if err := s.files.look(); err != nil {
		return err
	}
	tx, err := s.writes.Begin()
	if err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("panic in the store's writer", "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("%w: %v", errPanic, p)
		}
		if err != nil {
			_ = tx.Rollback() // err says more; after a failed commit there is nothing left to roll back
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	return s.files.look()
}

// ofTheRow: the fault lies in what was to be written, other writes may well succeed.
func ofTheRow(err error) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH:
			return true
		}
	}
	return errors.Is(err, errPanic)
}

// ofWhoAsks: nothing failed. What was asked for cannot be, which is an answer, or whoever asked has gone.
func ofWhoAsks(err error) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()&0xff == sqlite3.SQLITE_INTERRUPT
	}
	return isAnswer(err) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// settle keeps the outcome of a write for Health. Only the writer calls it.
func (s *SQLite) settle(err error) {
	well := s.trouble.Load() == nil
	switch {
	case err == nil && !well:
		s.trouble.Store(nil)
		s.log.Info("the store can be written again")
	case err != nil && !ofTheRow(err) && !ofWhoAsks(err):
		s.trouble.Store(&err)
		if well {
			s.log.Error("the store cannot be written", "err", err)
		}
	}
	s.remember(err)
	switch gone := errors.Is(err, errGone) || errors.Is(err, errCut); {
	case gone && !s.gone:
		s.gone = true
		s.running.Go(func() { s.rescue(err) })
	case err == nil:
		s.gone = false
	}
}

// probe finds out whether there is room for an ordinary batch, by taking the room and giving it back.
func (s *SQLite) probe() error {
	giveBack := func(tx *sql.Tx) error {
		_, err := tx.Exec("DELETE FROM probe")
		return err
	}
	err := s.transact(func(tx *sql.Tx) error {
		if err := giveBack(tx); err != nil {
			return err
		}
		_, err := tx.Exec("INSERT INTO probe (filler) VALUES (zeroblob(?))", probeBytes)
		return err
	})
	if err != nil {
		return err
	}
	return s.transact(giveBack)
}

// Health is nil, or why the record could not be written lately. It heals with the next write that
// succeeds; while it is not nil, a write is tried every second. Where the files are is looked at as often.
func (s *SQLite) Health() error {
	if s.damaged.Load() {
		return errors.New("the record's file is damaged; restart to set it aside")
	}
	if err := s.trouble.Load(); err != nil {
		return fmt.Errorf("write store: %w", *err)
	}
	if began := s.began.Load(); began != 0 {
		if took := time.Since(time.Unix(0, began)); took > stalledAfter {
			return fmt.Errorf("write store: the disk has not answered for %s", took.Round(time.Second))
		}
	}
	return nil
}
