package store

import (
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/roomwatch/roomwatch/room"
)

func TestAFileHasOneHolder(t *testing.T) {
	path := "file:" + filepath.Join(t.TempDir(), "r.db")
	s := openAt(t, path)
	if _, err := Open(t.Context(), path, slog.New(slog.DiscardHandler)); !errors.Is(err, ErrHeld) {
		t.Errorf("the second holder gets %v", err)
	}
	mustAppend(t, s, entry(1))
	closeStore(t, s)
	read(t, openAt(t, path), "", 1)
}

func TestOpenRefusesWhatItCannotKeep(t *testing.T) {
	dir := t.TempDir()
	newer := filepath.Join(dir, "newer.db")
	s := openAt(t, "file:"+newer)
	if _, err := s.writes.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for url, reason := range map[string]string{"": "only file:PATH", "file:": "only file:PATH", "redis://h": "only file:PATH", "r.db": "only file:PATH",
		"file:" + newer: "newer Roomwatch", "file:" + text: "not a database", "file:" + dir + "/none/r.db": "no such file"} {
		for range 2 { // a refusal leaves no lock behind
			if _, err := Open(t.Context(), url, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), reason) {
				t.Errorf("%q: %v", url, err)
			}
		}
	}
}

func TestAFileIsForItsOwnerOnly(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, "file:"+filepath.Join(dir, "r.db"))
	mustAppend(t, s, entry(1))
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f.Name(), info.Mode(), err)
		}
	}
}

func TestTheFileIsWrittenDurably(t *testing.T) {
	s := openAt(t, "file:"+filepath.Join(t.TempDir(), "r.db"))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "0", "temp_store": "2", "busy_timeout": "1000"} {
		var got string
		if err := s.writes.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, %v", pragma, got, err)
		}
	}
	if _, err := s.reads.Exec("DELETE FROM deliveries"); err == nil {
		t.Error("readers can write")
	}
}

func TestCloseAnswersWhatWaits(t *testing.T) {
	path := "file:" + filepath.Join(t.TempDir(), "r.db")
	s := openAt(t, path)
	release := hold(t, s)
	var senders sync.WaitGroup
	for n := range 20 {
		senders.Go(func() { mustAppend(t, s, entry(n)) })
	}
	eventually(t, "they wait", func() bool { return len(s.appends) == 20 })
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	release()
	if err := <-closed; err != nil {
		t.Error(err)
	}
	senders.Wait()
	if _, err := s.Append(t.Context(), entry(99)); !errors.Is(err, ErrClosed) {
		t.Errorf("an append after Close: %v", err)
	}
	if err := s.Save(t.Context(), nil, ""); !errors.Is(err, ErrClosed) {
		t.Errorf("a save after Close: %v", err)
	}
	s.Note(entry(1))
	if n := count(t, openAt(t, path), "deliveries"); n != 20 {
		t.Errorf("%d entries", n)
	}
}

// limitPages fills the record to its last page, or lifts the limit with 0.
func limitPages(t *testing.T, s *SQLite, more int) {
	t.Helper()
	pages := 1 << 30
	if more > 0 {
		if err := s.writes.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
			t.Fatal(err)
		}
		pages += more
	}
	if _, err := s.writes.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
		t.Fatal(err)
	}
}

// large is a delivery that stays large when it is packed.
func large(n int) room.Delivery {
	d := entry(n)
	noise := make([]byte, 45_000)
	_, _ = rand.NewChaCha8([32]byte{byte(n)}).Read(noise) // it never fails
	d.Body = []byte(`"` + base64.StdEncoding.EncodeToString(noise) + `"`)
	return d
}

// fillUp appends until the record is full, and returns the delivery that did not fit.
func fillUp(t *testing.T, s *SQLite) (refused room.Delivery) {
	t.Helper()
	limitPages(t, s, 30)
	for n := range 10 {
		d := large(n)
		if _, err := s.Append(t.Context(), d); err != nil {
			if e, ok := errors.AsType[*sqlite.Error](err); !ok || e.Code() != sqlite3.SQLITE_FULL {
				t.Fatal(err)
			}
			return d
		}
	}
	t.Fatal("it never got full")
	return refused
}

func TestAFullDiskIsSaidAndHealsByItself(t *testing.T) {
	forEachStore(t, func(t *testing.T, open func() *SQLite) {
		s := open()
		s.probing.Reset(time.Millisecond)
		refused := fillUp(t, s)
		if err := s.Health(); err == nil || !strings.Contains(err.Error(), "full") {
			t.Errorf("health %v", err)
		}
		limitPages(t, s, 0)
		eventually(t, "a probe succeeds", func() bool { return s.Health() == nil })
		if d := mustAppend(t, s, refused); d.Verdict != room.Accepted {
			t.Errorf("the retry is %s", d.Verdict)
		}
		if n := count(t, s, "probe"); n != 0 {
			t.Errorf("%d probes left", n)
		}
	})
}

func TestWhileTheDiskIsFullProbesFailToo(t *testing.T) {
	forEachStore(t, func(t *testing.T, open func() *SQLite) {
		s := open()
		s.probing.Reset(time.Hour)
		refused := fillUp(t, s)
		if err := s.probe(); err == nil {
			t.Error("a probe found room")
		}
		limitPages(t, s, 0)
		mustAppend(t, s, refused)
		if err := s.Health(); err != nil {
			t.Errorf("after a good append: %v", err)
		}
	})
}

func TestABatchThatCannotBeWrittenIsRefusedWhole(t *testing.T) {
	forEachStore(t, func(t *testing.T, open func() *SQLite) {
		s := open()
		limitPages(t, s, 30)
		release := hold(t, s)
		var senders sync.WaitGroup
		for n := range 10 {
			senders.Go(func() {
				if _, err := s.Append(t.Context(), large(n)); err == nil {
					t.Errorf("append %d was taken", n)
				}
			})
		}
		eventually(t, "they wait", func() bool { return len(s.appends) == 10 })
		release()
		senders.Wait()
		if n := count(t, s, "deliveries"); n != 0 {
			t.Errorf("%d entries", n)
		}
		if last, err := s.LastReceived(t.Context()); len(last) != 0 || len(s.tail.entries) != 0 || err != nil {
			t.Errorf("it was heard of: %v, %d entries, %v", last, len(s.tail.entries), err)
		}
		limitPages(t, s, 0)
		mustAppend(t, s, entry(99))
		if first := read(t, s, "", 1)[0]; first.ID != entry(99).ID {
			t.Errorf("followers saw %s, which was refused", first.ID)
		}
	})
}

func TestASaveThatFailsHalfwayLeavesTheCheckpoint(t *testing.T) {
	forEachStore(t, func(t *testing.T, open func() *SQLite) {
		s := open()
		var many []*room.Session
		for i := range 5 * saveChunk {
			many = append(many, session(joined(fmt.Sprint("s", i), "PA", "u", "Ana", noon)))
		}
		limitPages(t, s, 80)
		if err := s.Save(t.Context(), many, "7"); err == nil {
			t.Fatal("it did not fail")
		}
		checkpoint, err := s.Checkpoint(t.Context())
		if n := count(t, s, "sessions"); n < saveChunk || checkpoint != "" || err != nil {
			t.Errorf("%d sessions, checkpoint %q, %v", n, checkpoint, err)
		}
		if s.Health() == nil {
			t.Error("the store says that it is well")
		}
		limitPages(t, s, 0)
		mustSave(t, s, "7", many...)
		if n := count(t, s, "sessions"); n != len(many) {
			t.Errorf("%d sessions", n)
		}
	})
}

func TestABadDeliverySpoilsNoOthers(t *testing.T) {
	forEachStore(t, func(t *testing.T, open func() *SQLite) {
		s := open()
		conn, err := s.writes.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sqlite.Limit(conn, sqlite3.SQLITE_LIMIT_LENGTH, 50_000); err != nil {
			t.Fatal(err)
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		release := hold(t, s)
		var senders sync.WaitGroup
		for n := range 10 {
			senders.Go(func() {
				if n == 5 {
					if _, err := s.Append(t.Context(), large(n)); err == nil {
						t.Error("the bad one was taken")
					}
					return
				}
				mustAppend(t, s, entry(n))
			})
		}
		eventually(t, "they wait", func() bool { return len(s.appends) == 10 })
		release()
		senders.Wait()
		if n := count(t, s, "deliveries"); n != 9 {
			t.Errorf("%d entries", n)
		}
		if err := s.Health(); err != nil {
			t.Errorf("a bad delivery makes the store ill: %v", err)
		}
	})
}

func TestAPanicInTheWriterEndsOneWriteOnly(t *testing.T) {
	forEachStore(t, func(t *testing.T, open func() *SQLite) {
		s := open()
		err := s.write(t.Context(), func(tx *sql.Tx) error {
			if _, err := tx.Exec("INSERT INTO probe (filler) VALUES ('x')"); err != nil {
				t.Error(err)
			}
			panic("oh")
		})
		if !errors.Is(err, errPanic) {
			t.Errorf("the write got %v", err)
		}
		if n := count(t, s, "probe"); n != 0 {
			t.Error("its write remained")
		}
		mustAppend(t, s, entry(1))
	})
}

func TestHealthSpeaksOfADiskThatHangs(t *testing.T) {
	s := openAt(t, "memory:")
	if err := s.Health(); err != nil {
		t.Error(err)
	}
	s.began.Store(time.Now().Add(-time.Minute).UnixNano())
	if err := s.Health(); err == nil {
		t.Error("it does not")
	}
	s.began.Store(0)
}
