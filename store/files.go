package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

var (
	// errGone: what is written goes to a file that nobody finds again.
	errGone = errors.New("the record's file is not where it was")
	// errCut: somebody else has written over the file, or cut it off.
	errCut = errors.New("somebody cut off the record's file or wrote over it; restart to set it aside")
)

// The parts of an open record, by what follows its path. The file is the first.
var fileParts = [...]string{"", "-wal", "-shm"}

// files are those of an open record. SQLite goes on with a file that was removed or replaced, and with one that was cut
// off, and says that all is well. So they are looked at around every transaction: what is answered for is in a file
// that the next start finds.
//
// The file and its index are held open for as long as SQLite has them open. They must not be opened and closed
// meanwhile: with any descriptor of a file a process gives up all locks that it has there, SQLite's among them.
type files struct {
	path    string
	file    *os.File // nil in memory
	index   *os.File // the -shm
	parts   [len(fileParts)]fs.FileInfo
	size    int64  // of the file, when it was last looked at
	changes uint32 // as the file counted them then
	cut     error  // once found, for good: what is missing does not come back
}

// hold opens the file, makes it if there is none, and keeps everybody else who serves it out. SQLite would make it
// readable for everybody; it names people.
func (f *files) hold(path string) (err error) {
	if f.file, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return err
	}
	held, err := lock(f.file)
	switch {
	case err != nil:
		return fmt.Errorf("lock: %w", err)
	case !held:
		return ErrHeld
	}
	f.path = path
	if err := checkHeader(f.file); err != nil {
		return err
	}
	info, err := f.file.Stat()
	if err != nil || info.Size() > 0 {
		return err
	}
	if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > 0 {
		return fmt.Errorf("%w: it is empty, and has a write-ahead log", errDamaged) // SQLite would throw that away
	}
	return nil
}

// know takes the files for what they should stay, once SQLite has opened them.
func (f *files) know() (err error) {
	if f.file == nil {
		return nil
	}
	if f.index, err = os.Open(f.path + "-shm"); err != nil {
		return err
	}
	if f.parts[0], err = f.file.Stat(); err != nil {
		return err
	}
	for i, part := range fileParts[1:] {
		if f.parts[i+1], err = os.Stat(f.path + part); err != nil {
			return err
		}
	}
	return f.look()
}

// aside takes a file that was cut off or written over out of SQLite's sight until the function that it returns is called:
// SQLite would end by writing its log into what is there now.
func (f *files) aside() (back func() error) {
	away := f.path + ".closing"
	if f.cut == nil || os.Rename(f.path, away) != nil {
		return func() error { return nil }
	}
	path := f.path
	return func() error { return os.Rename(away, path) }
}

// letGo closes what hold and know opened, after SQLite has.
func (f *files) letGo() (err error) {
	for _, file := range []*os.File{f.index, f.file} {
		if file != nil {
			err = errors.Join(err, file.Close())
		}
	}
	*f = files{}
	return err
}

// look is nil while the files are where they were and whole. One that comes back is well again. Only the writer calls it.
func (f *files) look() error {
	if f.parts[0] == nil || f.cut != nil {
		return f.cut
	}
	frames, err := f.frames() // before the log's size, which may grow meanwhile
	if err != nil {
		return err
	}
	var now [len(fileParts)]fs.FileInfo
	for i, part := range fileParts {
		now[i], err = os.Stat(f.path + part)
		switch name := filepath.Base(f.path + part); {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("%w: %s was removed; put it back, or restart", errGone, name)
		case err != nil:
			return err
		case !os.SameFile(f.parts[i], now[i]):
			return fmt.Errorf("%w: %s was replaced; restart to go on with what is there now", errGone, name)
		}
	}
	header, err := f.header(now[0].Size()) // after the file's size, which may shrink meanwhile
	if err == nil && now[1].Size() < header.logSize(frames) {
		var again uint32
		if again, err = f.frames(); err == nil && again == frames {
			err = fmt.Errorf("%w: its log has %d bytes, not %d", errCut, now[1].Size(), header.logSize(frames))
		}
	}
	if errors.Is(err, errCut) {
		f.cut = err
	}
	return err
}

// header is what the first bytes of a file say of it (sqlite.org/fileformat.html, 1.3).
type header struct {
	pageSize, changes, pages uint32
}

// logSize is how large the log must be to hold so many frames.
func (h header) logSize(frames uint32) int64 {
	if frames == 0 {
		return 0
	}
	return 32 + int64(frames)*int64(24+h.pageSize)
}

// header reads it, and finds a file that was cut off, or that another was copied over: SQLite never makes a file
// smaller than it says that it is, nor counts its changes down.
func (f *files) header(size int64) (h header, err error) {
	var b [32]byte
	if _, err := f.file.ReadAt(b[:], 0); err != nil {
		return h, fmt.Errorf("%w: its header: %w", errCut, err)
	}
	h = header{uint32(binary.BigEndian.Uint16(b[16:])), binary.BigEndian.Uint32(b[24:]), binary.BigEndian.Uint32(b[28:])}
	if h.pageSize == 1 {
		h.pageSize = 1 << 16
	}
	if said := int64(h.pages) * int64(h.pageSize); size < said && size < f.size {
		return h, fmt.Errorf("%w: it has %d bytes, not %d", errCut, size, said)
	}
	if h.changes < f.changes {
		return h, fmt.Errorf("%w: it is older than it was", errCut)
	}
	f.size, f.changes = size, h.changes
	return h, nil
}

// frames is how many of the log count (sqlite.org/walformat.html, 2.1). They are written before that is.
func (f *files) frames() (uint32, error) {
	var b [20]byte
	if _, err := f.index.ReadAt(b[:], 0); err != nil {
		return 0, fmt.Errorf("%w: its index: %w", errCut, err)
	}
	return binary.NativeEndian.Uint32(b[16:]), nil
}

// saveTime bounds the saving of what was in a file that is gone, once the store closes.
const saveTime = 10 * time.Second

// rescue saves what can be saved when the files are gone or cut off. What a file held that is gone can be copied as long
// as it is open. The log and its index go with it if another file took its place, or was copied over it: SQLite would
// take them for the other's.
func (s *SQLite) rescue(cause error) {
	cut, ending := errors.Is(cause, errCut), savedName
	if cut {
		ending = damagedName
	}
	name, err := vacantName(s.path + ending + time.Now().UTC().Format("20060102T150405Z"))
	if err == nil {
		err = s.moveLog(name, cut)
	}
	if cut {
		s.log.Error("the record's file was cut off or written over: its log was set aside, what comes is refused", "cause", cause, "set_aside", name+"-wal", "err", err)
		return
	}
	if err = errors.Join(err, s.copyTo(name)); err != nil {
		s.log.Error("the record's file is gone, and what it held could not be saved", "cause", cause, "err", err)
		return
	}
	s.saved.Store(true)
	s.log.Error("the record's file is gone: what it held was saved beside it", "cause", cause, "saved", name)
}

// moveLog gives our log and its index another name, unless our file is there, or may come back to them.
func (s *SQLite) moveLog(name string, cut bool) error {
	if now, err := os.Stat(s.path); err != nil || !cut && os.SameFile(s.files.parts[0], now) {
		return nil
	}
	for i, part := range fileParts[1:] {
		now, err := os.Stat(s.path + part)
		if err != nil || !os.SameFile(s.files.parts[i+1], now) {
			continue
		}
		if err := os.Rename(s.path+part, name+part); err != nil {
			return err
		}
	}
	return nil
}

func (s *SQLite) copyTo(name string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-s.closing:
			time.AfterFunc(saveTime, cancel)
		case <-ended:
		}
	}()
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if _, err = s.writes.ExecContext(ctx, "VACUUM INTO ?", name); err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		_ = os.Remove(name) // it is of no use
		return err
	}
	return syncFolder(filepath.Dir(name))
}
