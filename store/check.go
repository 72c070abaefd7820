package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// checkTime bounds the check of a record that was not closed: a start must not take long.
const checkTime = 3 * time.Second

// mostProblems are told of a damaged record.
const mostProblems = 20

// Check looks the whole record over, beside a serve if there is one: how the file hangs together, and
// the sums of its rows. It returns what is wrong, nothing when all is well. It makes and changes nothing.
func Check(ctx context.Context, storeURL string) (problems []string, err error) {
	path, err := existing(storeURL)
	if err == nil {
		alone := !hasLog(path)
		problems, err = check(ctx, storeURL)
		if len(problems) > 0 && alone && hasLog(path) { // a serve has begun to write meanwhile
			problems, err = check(ctx, storeURL)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("check store: %w", err)
	}
	return problems, nil
}

func check(ctx context.Context, storeURL string) ([]string, error) {
	db, err := forReading(storeURL)
	switch {
	case isDamage(err) || errors.Is(err, errCut):
		return []string{err.Error()}, nil
	case err != nil:
		return nil, err
	}
	problems, err := problemsOf(ctx, db, slices.Concat(shallow, deep))
	return problems, errors.Join(err, db.Close())
}

// beside is a connection of one's own to the record of a serve that may be running, for changes.
func beside(storeURL string) (*sql.DB, error) {
	path, err := existing(storeURL)
	if err != nil {
		return nil, err
	}
	return connect(path, 1)
}

// existing is the file of a STORE url, which must be there.
func existing(storeURL string) (path string, err error) {
	if path, err = pathOf(storeURL); err != nil {
		return "", err
	}
	if path == "" {
		return "", errors.New("a record in memory is its serve's alone")
	}
	_, err = os.Stat(path)
	return path, err
}

// examine finds the record's version, and checks a record that was not closed. Damage is an error.
func (s *SQLite) examine(ctx context.Context) (version int, err error) {
	if version, err = versionOf(ctx, s.writes); err != nil {
		return 0, err
	}
	state, err := openMark(ctx, s.writes)
	switch {
	case err != nil || state == closedWell || s.path == "":
		return version, err
	case state == metDamage:
		return version, fmt.Errorf("%w: damage was met while it was open", errDamaged)
	}
	short, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	done, err := s.checkWithin(short, shallow)
	if err == nil && !done {
		s.warnings = append(s.warnings, warnUnchecked)
		s.log.Warn("the record was not closed, and there was no time to check it whole; roomwatch check looks at all of it", "after", checkTime)
	}
	if err == nil && done {
		_, err = s.checkWithin(short, deep) // as far as the time goes
	}
	return version, cmp.Or(ctx.Err(), err)
}

// checkWithin says whether the time was enough. Damage is an error.
func (s *SQLite) checkWithin(ctx context.Context, looks []look) (done bool, err error) {
	problems, err := problemsOf(ctx, s.writes, looks)
	switch {
	case len(problems) > 0:
		return true, fmt.Errorf("%w: %s", errDamaged, strings.Join(problems, "; "))
	case ctx.Err() != nil:
		return false, nil
	}
	return true, err
}

// openMark is how the record was left. A new one was left well; of one without the mark it is not known.
func openMark(ctx context.Context, db *sql.DB) (state int, err error) {
	var tables, marks int
	err = db.QueryRowContext(ctx, "SELECT count(*), coalesce(sum(name = 'marks'), 0) FROM sqlite_schema").Scan(&tables, &marks)
	if err != nil || tables == 0 {
		return closedWell, err
	}
	if marks == 0 {
		return notClosed, nil
	}
	err = db.QueryRowContext(ctx, "SELECT value FROM marks WHERE name = 'open'").Scan(&state)
	if errors.Is(err, sql.ErrNoRows) {
		return notClosed, nil
	}
	return state, err
}

// look is one way to find what is wrong with a record.
type look func(context.Context, *sql.DB) ([]string, error)

// What is shallow is quick and finds what hangs wrong; what is deep reads every row and every index.
var (
	shallow = []look{checkSchema, pragma("quick_check")}
	deep    = []look{checkSums, pragma("integrity_check")}
)

func problemsOf(ctx context.Context, db *sql.DB, looks []look) ([]string, error) {
	for _, look := range looks {
		problems, err := look(ctx, db)
		if isDamage(err) {
			problems, err = append(problems, err.Error()), nil
		}
		if err != nil || len(problems) > 0 {
			return problems, err
		}
	}
	return nil, nil
}

// schemaSum is the checksum of the schema and its version.
func schemaSum(ctx context.Context, db *sql.DB) (int64, error) {
	version, err := versionOf(ctx, db)
	if err != nil {
		return 0, err
	}
	values := []any{int64(version)}
	rows, err := db.QueryContext(ctx, "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema ORDER BY type, name")
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var part [4]string
		if err := rows.Scan(&part[0], &part[1], &part[2], &part[3]); err != nil {
			return 0, err
		}
		values = append(values, part[0], part[1], part[2], part[3])
	}
	return sumOf(values), rows.Err()
}

// checkSchema compares the schema with what it was when the record was opened, if that is known.
func checkSchema(ctx context.Context, db *sql.DB) ([]string, error) {
	sum, err := schemaSum(ctx, db)
	if err != nil {
		return nil, err
	}
	var marks int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE name = 'marks'").Scan(&marks); err != nil || marks == 0 {
		return nil, err
	}
	var known int64
	err = db.QueryRowContext(ctx, "SELECT value FROM marks WHERE name = 'schema'").Scan(&known)
	switch {
	case errors.Is(err, sql.ErrNoRows) || err == nil && known == sum:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return []string{"the schema was changed"}, nil
}

func pragma(name string) look {
	return func(ctx context.Context, db *sql.DB) (problems []string, err error) {
		rows, err := db.QueryContext(ctx, fmt.Sprintf("PRAGMA %s(%d)", name, mostProblems))
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for rows.Next() {
			var said string
			if err := rows.Scan(&said); err != nil {
				return nil, err
			}
			if said != "ok" {
				problems = append(problems, said)
			}
		}
		return problems, rows.Err()
	}
}
