package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"

	"github.com/gofrs/flock"

	"github.com/roomwatch/roomwatch/room"
)

// Reader reads a record, beside its serve if there is one. It makes nothing and changes nothing, not even what a crash
// has left: that is for serve to put right.
type Reader struct{ record *SQLite }

var errReadOnly = errors.New("the record is open for reading only")

// Read opens the record at a STORE url, "file:PATH". It must exist, and be of the version of this program.
func Read(ctx context.Context, storeURL string) (*Reader, error) {
	db, err := forReading(storeURL)
	if err == nil {
		if err = known(ctx, db); err != nil {
			err = errors.Join(err, db.Close())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read store: %w", err)
	}
	return &Reader{&SQLite{log: slog.New(slog.DiscardHandler), reads: db, own: db, accountReads: db, searches: make(chan struct{}, 1)}}, nil
}

// known is an error for a record of another version.
func known(ctx context.Context, db *sql.DB) error {
	version, err := versionOf(ctx, db)
	if err == nil && version != len(steps) {
		err = fmt.Errorf("it has schema version %d and this Roomwatch knows %d: the next start of serve brings an older one up to date", version, len(steps))
	}
	return err
}

// Deliveries are the record's, see SQLite.Deliveries.
func (r *Reader) Deliveries(ctx context.Context, q room.DeliveryQuery) (room.Page[room.Delivery], error) {
	return r.record.Deliveries(ctx, q)
}

// ReadAccounts opens the accounts of a record for reading, beside its serve if there is one.
func ReadAccounts(ctx context.Context, storeURL string) (*Accounts, error) {
	r, err := Read(ctx, storeURL)
	if err != nil {
		return nil, err
	}
	return &Accounts{r.record.accountReads, func(context.Context, func(*sql.Tx) error) error { return errReadOnly }, r.Close}, nil
}

// Close ends the reading.
func (r *Reader) Close() error { return r.record.reads.Close() }

// forReading is a connection that reads the record at a STORE url. Where there is no write-ahead log, nobody has the record
// open and it is read as it lies: SQLite would make a log otherwise.
func forReading(storeURL string) (*sql.DB, error) {
	path, err := existing(storeURL)
	if err != nil {
		return nil, err
	}
	alone := !hasLog(path)
	if err := checkFile(path, alone); err != nil {
		return nil, err
	}
	access := url.Values{"mode": {"ro"}}
	if alone {
		access.Set("immutable", "1")
	}
	return connectAs(path, access, 1)
}

func hasLog(path string) bool {
	_, err := os.Stat(path + "-wal")
	return err == nil
}

// checkFile looks at the beginning of a file that is there, and whether it is all there when nobody writes it.
func checkFile(path string, alone bool) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := checkHeader(file); err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil || !alone {
		return err
	}
	_, err = (&files{file: file, size: info.Size() + 1}).header(info.Size())
	return err
}

// Held says whether a serve has the record at a STORE url open.
func Held(storeURL string) (bool, error) {
	path, err := existing(storeURL)
	if err != nil {
		return false, err
	}
	if _, err := os.Stat(path + ".lock"); err == nil {
		held := flock.New(path+".lock", flock.SetFlag(os.O_RDONLY))
		if free, err := held.TryRLock(); err != nil || !free {
			return !free, err
		}
		if err := held.Unlock(); err != nil {
			return false, err
		}
	}
	file, err := os.Open(path)
	if err != nil {
		return false, err
	}
	free, err := lock(file)
	return !free && err == nil, errors.Join(err, file.Close())
}
