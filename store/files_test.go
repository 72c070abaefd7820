package store

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/access"
)

// must fails the test for what a test does with files.
func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func writeOver(t *testing.T, from, to string, flags int) {
	t.Helper()
	data, err := os.ReadFile(from)
	must(t, err)
	file, err := os.OpenFile(to, os.O_WRONLY|flags, 0o600)
	must(t, err)
	_, err = file.Write(data)
	must(t, err, file.Close())
}

// larger is a record with pages in its file and in its log.
func larger(t *testing.T, path string) *SQLite {
	t.Helper()
	s := openAt(t, "file:"+path)
	for n := range 200 {
		mustAppend(t, s, entry(n))
	}
	closeStore(t, s)
	s = openAt(t, "file:"+path)
	for n := 200; n < 300; n++ {
		mustAppend(t, s, entry(n))
	}
	return s
}

// Row 45: what happens to the files of an open record is found within a second, and what comes meanwhile is refused.
func TestFault45WhatHappensToTheFilesOfAnOpenRecordIsFoundWithoutAnyTraffic(t *testing.T) {
	for name, fault := range map[string]func(t *testing.T, path string){
		"removed":       func(t *testing.T, path string) { must(t, os.Remove(path)) },
		"moved":         func(t *testing.T, path string) { must(t, os.Rename(path, path+".elsewhere")) },
		"log removed":   func(t *testing.T, path string) { must(t, os.Remove(path+"-wal")) },
		"index removed": func(t *testing.T, path string) { must(t, os.Remove(path+"-shm")) },
		"all removed": func(t *testing.T, path string) {
			must(t, os.Remove(path), os.Remove(path+"-wal"), os.Remove(path+"-shm"))
		},
		"replaced": func(t *testing.T, path string) {
			writeOver(t, path, path+".new", os.O_CREATE)
			must(t, os.Rename(path+".new", path))
		},
		"emptied":       func(t *testing.T, path string) { must(t, os.Truncate(path, 0)) },
		"halved":        func(t *testing.T, path string) { must(t, os.Truncate(path, 40<<10)) },
		"log emptied":   func(t *testing.T, path string) { must(t, os.Truncate(path+"-wal", 0)) },
		"log halved":    func(t *testing.T, path string) { must(t, os.Truncate(path+"-wal", 40<<10)) },
		"index emptied": func(t *testing.T, path string) { must(t, os.Truncate(path+"-shm", 0)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "r.db")
			s := larger(t, path)
			must(t, s.Health())
			fault(t, path)
			eventually(t, "health fails", func() bool { return s.Health() != nil })
			if _, err := s.Append(t.Context(), entry(999)); err == nil {
				t.Error("a delivery is answered for")
			}
			if err := s.Accounts().AddUser(t.Context(), local("ana", access.Admin), false); err == nil {
				t.Error("a user is taken for added")
			}
		})
	}
}

// Row 45: without a look between the two, the answer tells already.
func TestFault45TheVeryNextDeliveryIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	s := larger(t, path)
	must(t, os.Rename(path, path+".elsewhere"))
	if _, err := s.Append(t.Context(), entry(999)); !errors.Is(err, errGone) {
		t.Errorf("it is answered with %v", err)
	}
	must(t, os.Rename(path+".elsewhere", path))
	eventually(t, "it heals when the file is back", func() bool { return s.Health() == nil })
	mustAppend(t, s, entry(999))
}

// Row 45: what the file held is saved from the descriptor that is still open, and a restart goes on from there.
func TestFault45WhatARemovedFileHeldIsSavedBesideIt(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "r.db")
	s := larger(t, path)
	must(t, os.Remove(path))
	eventually(t, "it says that it was saved", func() bool { return slices.Contains(s.Warnings(), warnSaved) })
	closeStore(t, s)
	saved, err := filesBeside(path + savedName)
	if err != nil || len(saved) != 1 {
		t.Fatal(saved, err)
	}
	must(t, os.Rename(filepath.Join(dir, saved[0]), path), os.Remove(path+"-wal"), os.Remove(path+"-shm"))
	s = openAt(t, "file:"+path)
	if n := count(t, s, "deliveries"); n != 300 || len(s.Warnings()) != 0 {
		t.Errorf("%d deliveries, warnings %q", n, s.Warnings())
	}
}

// Row 45: a backup that was moved or copied over the record of a running serve is what the next start opens, and the log
// of the record that was there does not spoil it.
func TestFault45ABackupThatWasPutInPlaceIsWhatTheNextStartOpens(t *testing.T) {
	for name, put := range map[string]func(t *testing.T, backup, path string){
		"moved":  func(t *testing.T, backup, path string) { must(t, os.Rename(backup, path)) },
		"copied": func(t *testing.T, backup, path string) { writeOver(t, backup, path, os.O_TRUNC) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path, backup := filepath.Join(dir, "r.db"), filepath.Join(dir, "backup.db")
			other := openAt(t, "file:"+filepath.Join(dir, "other.db"))
			for n := range 50 {
				mustAppend(t, other, entry(5000+n))
			}
			must(t, Backup(t.Context(), "file:"+other.path, backup))
			s := larger(t, path)
			put(t, backup, path)
			eventually(t, "health fails", func() bool { return s.Health() != nil })
			eventually(t, "the log is out of the way", func() bool {
				_, err := os.Stat(path + "-wal")
				return errors.Is(err, os.ErrNotExist)
			})
			closeStore(t, s)
			problems, err := Check(t.Context(), "file:"+path)
			if len(problems) > 0 || err != nil {
				t.Errorf("%q, %v", problems, err)
			}
			s = openAt(t, "file:"+path)
			if n := count(t, s, "deliveries"); n != 50 {
				t.Errorf("%d deliveries", n)
			}
		})
	}
}

// An empty file with a log beside is what is left of a record whose file was removed: SQLite would throw the log away.
func TestTheLogOfAFileThatWasRemovedIsSetAside(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "r.db")
	must(t, os.WriteFile(path+"-wal", []byte(strings.Repeat("log", 100)), 0o600))
	s := openAt(t, "file:"+path)
	if !slices.Equal(s.Warnings(), []string{warnSetAside}) {
		t.Errorf("warnings %q", s.Warnings())
	}
	left, err := filepath.Glob(path + ".damaged-*-wal")
	if err != nil || len(left) != 1 {
		t.Error(left, err)
	}
	mustAppend(t, s, entry(1))
}

// Looks at the files find nothing while others do what they may: read, write accounts, fold the log in, and vacuum.
func TestNothingThatMayBeDoneBesideAServeIsTakenForAFault(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	s := larger(t, path)
	s.probing.Reset(time.Millisecond)
	for n := range 20 {
		db, err := connect(path, 1)
		must(t, err)
		for _, query := range []string{"INSERT INTO marks VALUES ('x" + string(rune('a'+n)) + "', 1)", "PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "DELETE FROM deliveries WHERE position % 20 = 1",
			"PRAGMA wal_checkpoint(RESTART)"} {
			_, err := db.Exec(query)
			must(t, err)
			for k := range 3 {
				if _, err := s.Append(t.Context(), entry(1000+10*n+k)); err != nil {
					t.Fatalf("beside %s: %v", query, err)
				}
			}
		}
		must(t, db.Close(), s.Health())
	}
}

// Row 45, of the file of a replica: what waits in it for Redis is sent all the same, from the descriptor that is open.
func TestFault45WhatWaitsInASpoolThatWasRemovedIsSentAllTheSame(t *testing.T) {
	file := openAt(t, "file:"+filepath.Join(t.TempDir(), "r.db"))
	sp, err := openSpool(t.Context(), file)
	must(t, err)
	defer sp.close()
	for n := range 5 {
		must(t, sp.put(t.Context(), logged{Delivery: entry(n), said: []byte("{}")}))
	}
	must(t, os.Remove(file.path))
	if err := sp.put(t.Context(), logged{Delivery: entry(9), said: []byte("{}")}); !errors.Is(err, errGone) {
		t.Errorf("one more is answered with %v", err)
	}
	var sent []string
	for range 10 {
		batch, err := sp.next(t.Context(), 2)
		must(t, err)
		for _, p := range batch {
			sent = append(sent, p.ID)
		}
		_ = sp.remove(t.Context(), batch)
	}
	want := []string{entry(0).ID, entry(1).ID, entry(2).ID, entry(3).ID, entry(4).ID}
	if !slices.Equal(sent, want) || sp.depth.Load() != 0 {
		t.Errorf("sent %q, and %d wait", sent, sp.depth.Load())
	}
}
