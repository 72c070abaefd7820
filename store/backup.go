package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Backup writes a consistent copy of the record to path, beside a serve if there is one: everything that
// was answered before the call is in it. It never writes over a file, and fails for a record in memory
// or a damaged one. What an earlier backup left that was killed is removed.
func Backup(ctx context.Context, storeURL, path string) error {
	if err := backup(ctx, storeURL, path); err != nil {
		return fmt.Errorf("back up store: %w", err)
	}
	return nil
}

// backupFolder begins the name of the folder that a copy is made in, beside where it is to be.
const backupFolder = ".roomwatch-backup-"

func backup(ctx context.Context, storeURL, path string) (err error) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", path, errors.Join(fs.ErrExist, err))
	}
	db, err := forReading(storeURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := removeLeftovers(filepath.Dir(path)); err != nil {
		return err
	}
	folder, err := os.MkdirTemp(filepath.Dir(path), backupFolder+"*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	held := flock.New(filepath.Join(folder, "lock"))
	if _, err := held.TryLock(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, held.Unlock()) }()
	made := filepath.Join(folder, "record.db")
	if err := copyRecord(ctx, db, made); err != nil {
		return err
	}
	if err := os.Rename(made, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// removeLeftovers removes what a backup left that was killed: nobody holds its folder any more.
func removeLeftovers(dir string) error {
	left, err := filesBeside(filepath.Join(dir, backupFolder))
	if err != nil {
		return err
	}
	for _, name := range left {
		held := flock.New(filepath.Join(dir, name, "lock"))
		if free, err := held.TryLock(); err != nil || !free {
			continue // somebody else's, or still under way
		}
		if err := errors.Join(held.Unlock(), os.RemoveAll(filepath.Join(dir, name))); err != nil {
			return err
		}
	}
	return nil
}

// copyRecord makes a copy for its owner only, and looks it over: one of a damaged record is no backup.
func copyRecord(ctx context.Context, db *sql.DB, to string) error {
	file, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) // SQLite fills it
	if err != nil {
		return err
	}
	if _, err = db.ExecContext(ctx, "VACUUM INTO ?", to); err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	made, err := connectAs(to, url.Values{"mode": {"ro"}, "immutable": {"1"}}, 1)
	if err != nil {
		return err
	}
	problems, err := problemsOf(ctx, made, []look{pragma("quick_check"), checkSums})
	if len(problems) > 0 {
		err = fmt.Errorf("%w: %s; no copy was made", errDamaged, problems[0])
	}
	return errors.Join(err, made.Close())
}

// syncFolder makes the names in a folder last.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
