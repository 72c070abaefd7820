package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/roomwatch/roomwatch/room"
)

func TestABackupTakenWhileEntriesComeInIsAPrefixOfTheRecord(t *testing.T) {
	dir := t.TempDir()
	url, to := "file:"+filepath.Join(dir, "r.db"), filepath.Join(dir, "copy.db")
	s := openAt(t, url)
	fill(t, s, 0, 300)
	mustSave(t, s, "200", meeting("default", "s", "room01", "Weekly", 1, true, "Ana"))
	stop := make(chan struct{})
	var senders sync.WaitGroup
	for w := range 4 {
		senders.Go(func() {
			for n := 300 + w; ; n += 4 {
				select {
				case <-stop:
					return
				default:
					mustAppend(t, s, entry(n))
				}
			}
		})
	}
	eventually(t, "entries come in", func() bool { return count(t, s, "deliveries") > 400 })
	answered := count(t, s, "deliveries")
	err := Backup(t.Context(), url, to)
	close(stop)
	senders.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	copied := openAt(t, "file:"+to)
	n := count(t, copied, "deliveries")
	if n < answered || len(copied.Warnings()) != 0 {
		t.Errorf("%d entries of %d answered, warnings %q", n, answered, copied.Warnings())
	}
	inOrder(t, read(t, copied, "", n), 1, n)
	if got := all(t, copied, room.SessionQuery{Text: "ana"}); len(got) != 1 {
		t.Errorf("%d sessions found", len(got))
	}
	if d := mustAppend(t, copied, entry(1<<20)); d.Position != strconv.Itoa(n+1) {
		t.Errorf("the next position is %s", d.Position)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".copy*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func TestABackupOverwritesNothingAndNeedsARecordOnDisk(t *testing.T) {
	dir := t.TempDir()
	url := "file:" + filepath.Join(dir, "r.db")
	mustAppend(t, openAt(t, url), entry(1))
	there := filepath.Join(dir, "there")
	if err := os.WriteFile(there, []byte("a letter"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Backup(t.Context(), url, there); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file: %v", err)
	}
	for _, url := range []string{"memory:", "file:" + filepath.Join(dir, "none"), "redis://x"} {
		if err := Backup(t.Context(), url, filepath.Join(dir, "copy")); err == nil {
			t.Errorf("%s was backed up", url)
		}
	}
	if err := Backup(t.Context(), url, filepath.Join(dir, "none", "copy")); err == nil {
		t.Error("into a folder that is not there")
	}
	if letter, err := os.ReadFile(there); string(letter) != "a letter" || err != nil {
		t.Errorf("the letter reads %q, %v", letter, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a record was made: %v", err)
	}
}
