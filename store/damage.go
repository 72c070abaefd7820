package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

var (
	errDamaged     = errors.New("the file is damaged")
	errUndecodable = errors.New("cannot be read")
	errNoDatabase  = errors.New("file is not a database")
)

// What Warnings says.
const (
	warnSetAside  = "a damaged record was set aside; what it held is not shown"
	warnSaved     = "the record's file was removed or replaced; what it held was saved beside it"
	warnUnchecked = "the record was not checked whole after an unclean stop"
)

// What the name of a record that was put aside has after its own.
const (
	savedName   = ".saved-"
	damagedName = ".damaged-"
)

// Warnings is what an operator should know of the record since Open, in fixed words.
func (s *SQLite) Warnings() []string {
	warnings := slices.Clone(s.warnings)
	if s.saved.Load() && !slices.Contains(warnings, warnSaved) {
		warnings = append(warnings, warnSaved)
	}
	if s.clock.doubted.Load() {
		warnings = append(warnings, warnClock)
	}
	return warnings
}

// isDamage: SQLite, or our own check, found the file damaged.
func isDamage(err error) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
			return true
		}
	}
	return errors.Is(err, errDamaged)
}

// remember keeps what an error says of the file, for Health and for the next Open. What cannot be decoded
// may be the fault of a program, so it only calls for a check.
func (s *SQLite) remember(err error) {
	switch {
	case isDamage(err):
		if !s.damaged.Swap(true) {
			s.log.Error("the record's file is damaged; restart to set it aside", "err", err)
		}
	case errors.Is(err, errUndecodable):
		s.suspect.Store(true)
	}
}

// checkHeader refuses a file that is not SQLite's: it may be somebody's letter. In one that is, it looks
// at what is the same in every record, because of some of it SQLite would not say that it is damaged.
func checkHeader(file *os.File) error {
	header := make([]byte, 100)
	switch n, err := io.ReadFull(file, header); {
	case errors.Is(err, io.EOF):
		return nil // a new file
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return err
	case !bytes.HasPrefix(header[:n], []byte("SQLite format 3\x00")):
		return fmt.Errorf("%s: %w", filepath.Base(file.Name()), errNoDatabase)
	case n < len(header):
		return fmt.Errorf("%w: it ends within its header", errDamaged)
	}
	versions, fractions := header[18:20], header[21:24]
	format, encoding := binary.BigEndian.Uint32(header[44:]), binary.BigEndian.Uint32(header[56:])
	if slices.Max(versions) > 2 || !bytes.Equal(fractions, []byte{64, 32, 32}) || format > 4 || encoding > 1 {
		return fmt.Errorf("%w: its header", errDamaged)
	}
	return nil
}

// setAside gives the damaged file a name of its own, with what belongs to it, and says so.
func (s *SQLite) setAside(cause error) error {
	name, err := vacantName(s.path + damagedName + time.Now().UTC().Format("20060102T150405Z"))
	if err != nil {
		return fmt.Errorf("set the damaged record aside: %w", err)
	}
	for _, part := range []string{"-wal", "-shm", ""} { // the file last: a new one must not find the log of the old
		if err := os.Rename(s.path+part, name+part); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("set the damaged record aside: %w", err)
		}
	}
	if err := syncFolder(filepath.Dir(s.path)); err != nil {
		return fmt.Errorf("set the damaged record aside: %w", err)
	}
	s.log.Error("the record is damaged: it was set aside, and a fresh one begun", "cause", cause, "set_aside", name,
		"recover", fmt.Sprintf("sqlite3 %q .recover", name))
	return nil
}

func vacantName(name string) (string, error) {
	for n, candidate := 2, name; ; n, candidate = n+1, fmt.Sprint(name, "-", n) {
		parts, err := filesBeside(candidate)
		if err != nil || len(parts) == 0 {
			return candidate, err
		}
	}
}

// filesBeside are the files whose names begin with that of a path.
func filesBeside(path string) (names []string, err error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), filepath.Base(path)) {
			names = append(names, entry.Name())
		}
	}
	return names, err
}

func (s *SQLite) lookBeside() error {
	if s.path == "" {
		return nil
	}
	for ending, warning := range map[string]string{damagedName: warnSetAside, savedName: warnSaved} {
		found, err := filesBeside(s.path + ending)
		if err != nil {
			return err
		}
		if len(found) > 0 {
			s.warnings = append(s.warnings, warning)
		}
	}
	return nil
}

// putMark keeps a number under a name. "open" says how the record was left, "schema" is the sum of the
// schema, "bodies" is up to which position retention has taken the bodies, "clock" what our clock said last, "clock doubted"
// since when it is not believed.
const putMark = `INSERT INTO marks (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`

// What the mark "open" says. While the record is open it reads notClosed, so that a crash leaves it so.
const (
	closedWell = iota
	notClosed
	metDamage // while it was open: it is set aside without another look
)

func (s *SQLite) markOpen(ctx context.Context) error {
	if s.path == "" {
		return nil
	}
	sum, err := schemaSum(ctx, s.writes)
	if err != nil {
		return err
	}
	return s.transact(func(tx *sql.Tx) error {
		put := s.in(tx)(putMark)
		if _, err := put.Exec("schema", sum); err != nil {
			return err
		}
		_, err := put.Exec("open", notClosed)
		return err
	})
}

// markClosed leaves the mark of an unclean stop when it cannot be written: then the record is checked
// once more than needed.
func (s *SQLite) markClosed() {
	state := closedWell
	switch {
	case s.path == "", s.suspect.Load() && !s.damaged.Load():
		return
	case s.damaged.Load():
		state = metDamage
	}
	err := s.transact(func(tx *sql.Tx) error {
		_, err := s.in(tx)(putMark).Exec("open", state)
		return err
	})
	if err != nil {
		s.log.Warn("the record will be checked at the next start", "err", err)
	}
}
