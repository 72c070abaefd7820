package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Backup writes a consistent copy of the record to path, beside a serve if there is one: everything that
// was answered before the call is in it. It never writes over a file, and fails for a record in memory.
// The copy is checked when it is first opened.
func Backup(ctx context.Context, storeURL, path string) error {
	if err := backup(ctx, storeURL, path); err != nil {
		return fmt.Errorf("back up store: %w", err)
	}
	return nil
}

func backup(ctx context.Context, storeURL, path string) (err error) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", path, errors.Join(fs.ErrExist, err))
	}
	db, err := beside(storeURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // for its owner only; SQLite fills it
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, file.Close())
		if err != nil {
			_ = os.Remove(file.Name()) // it is of no use
		}
	}()
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", file.Name()); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes the names in a folder last.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
