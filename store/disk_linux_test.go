package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/roomwatch/roomwatch/room"
)

// tmpfs mounts a disk of some MiB. Where a test may not mount, it is skipped and says so: its claim is made by
// others on a bounded record (TestAFullDiskIsSaidAndHealsByItself).
func tmpfs(t *testing.T, mib int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", mib)); err != nil {
		t.Skipf("this needs root: no disk of its own may be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// allThere checks that what was answered is in the record, in order.
func allThere(t *testing.T, s *SQLite, answered []string) {
	t.Helper()
	entries := read(t, s, "", len(answered))
	for i, id := range answered {
		if entries[i].ID != id {
			t.Fatalf("entry %d is %s, answered was %s", i, entries[i].ID, id)
		}
	}
}

func TestAFullDiskRefusesAndHealsAndLosesNothingAnswered(t *testing.T) {
	dir := tmpfs(t, 4)
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	s := openAt(t, "file:"+filepath.Join(dir, "r.db"))
	s.probing.Reset(time.Millisecond)
	var answered []string
	var failed error
	for n := 0; failed == nil && n < 1000; n++ {
		var d room.Delivery
		if d, failed = s.Append(t.Context(), large(n)); failed == nil {
			answered = append(answered, d.ID)
		}
	}
	if e, ok := errors.AsType[*sqlite.Error](failed); !ok || e.Code()&0xff != sqlite3.SQLITE_FULL {
		t.Errorf("refused with %v", failed)
	}
	if err := s.Health(); err == nil || !strings.Contains(err.Error(), "full") {
		t.Errorf("health %v", err)
	}
	allThere(t, s, answered)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it heals", func() bool { return s.Health() == nil })
	answered = append(answered, mustAppend(t, s, large(2000)).ID)
	allThere(t, s, answered)
	closeStore(t, s)
	s = openAt(t, "file:"+filepath.Join(dir, "r.db"))
	allThere(t, s, answered)
	if len(s.Warnings()) != 0 {
		t.Errorf("warnings %q", s.Warnings())
	}
}

func remount(t *testing.T, dir string, flags uintptr) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|flags, ""); err != nil {
		t.Fatal(err)
	}
}

func TestARecordOnAReadOnlyDiskIsRefusedAndNotSetAside(t *testing.T) {
	dir := tmpfs(t, 16)
	url := "file:" + filepath.Join(dir, "r.db")
	s := openAt(t, url)
	answered := []string{mustAppend(t, s, entry(1)).ID}
	closeStore(t, s)
	remount(t, dir, syscall.MS_RDONLY)
	if _, err := Open(t.Context(), url, s.log); !errors.Is(err, syscall.EROFS) {
		t.Errorf("it opens with %v", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*.damaged-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("set aside: %q, %v", left, err)
	}
	remount(t, dir, 0)
	s = openAt(t, url)
	allThere(t, s, append(answered, mustAppend(t, s, entry(2)).ID))
}

// No disk can be made read-only below files that are open for writing but by its own fault; to the
// writer that is SQLITE_READONLY or an I/O error, of which SQLite gives the first on demand.
func TestARecordThatTurnsReadOnlyRefusesAndHealsByItself(t *testing.T) {
	s := openAt(t, "file:"+filepath.Join(t.TempDir(), "r.db"))
	s.probing.Reset(time.Millisecond)
	answered := []string{mustAppend(t, s, entry(1)).ID}
	readOnly := func(on int) {
		if _, err := s.writes.Exec(fmt.Sprintf("PRAGMA query_only = %d", on)); err != nil {
			t.Fatal(err)
		}
	}
	readOnly(1)
	if _, err := s.Append(t.Context(), entry(2)); err == nil {
		t.Error("it was taken")
	}
	if err := s.Health(); err == nil || !strings.Contains(err.Error(), "readonly") {
		t.Errorf("health %v", err)
	}
	readOnly(0)
	eventually(t, "it heals", func() bool { return s.Health() == nil })
	allThere(t, s, append(answered, mustAppend(t, s, entry(2)).ID))
}
