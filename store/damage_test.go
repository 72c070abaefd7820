package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/roomwatch/roomwatch/room"
)

const (
	victims      = 200 // sessions, and deliveries, in the record that is damaged
	damageTrials = 40
)

// unclosed is the one file of a record whose serve was killed, and what was in it.
func unclosed(t *testing.T) (file []byte, docs map[string]string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "r.db")
	s := openAt(t, "file:"+path)
	fill(t, s, 0, victims)
	docs = make(map[string]string)
	for i := 0; i < victims; i++ {
		m := recorded(fmt.Sprint("s", i), i, fmt.Sprint("r", i))
		docs[m.SID] = asJSON(t, m)
		mustSave(t, s, fmt.Sprint(i), m)
	}
	if _, err := s.writes.Exec("PRAGMA wal_checkpoint(truncate)"); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return file, docs
}

// asAppended says whether all that was in the record is read as it was.
func asAppended(t *testing.T, s *SQLite, docs map[string]string) bool {
	t.Helper()
	entries, err := s.stored(t.Context(), 0)
	if err != nil || len(entries) != victims {
		return false
	}
	said := make(map[string]string)
	for _, d := range entries {
		said[d.ID] = asJSON(t, d.Said) + string(d.Body)
	}
	for n := range victims {
		if d := entry(n); said[d.ID] != asJSON(t, d.Said)+string(d.Body) {
			return false
		}
	}
	for sid, doc := range docs {
		session, err := s.Load(t.Context(), room.Key{Source: "default", SID: sid})
		if err != nil || asJSON(t, session) != doc {
			return false
		}
	}
	ids := 0
	for q := (room.RecordingQuery{Limit: 200}); ; {
		page, err := s.Recordings(t.Context(), q)
		if err != nil {
			return false
		}
		ids += len(page.Items)
		if q.Cursor = page.Next; page.Next == "" {
			return ids == victims
		}
	}
}

// places are where to damage a file: in its header, at the heads of pages, and within them.
func places(file []byte) (at []int) {
	random := rand.New(rand.NewPCG(8, 7))
	for len(at) < damageTrials/4 {
		at = append(at, 16+random.IntN(84))
	}
	for len(at) < damageTrials {
		page := random.IntN(len(file) / 4096)
		within := random.IntN(4096)
		if random.IntN(2) == 0 {
			within = random.IntN(120) // the head of the page, and of its list of cells
		}
		at = append(at, max(16, page*4096+within))
	}
	return at
}

func TestADamagedRecordIsReadWholeOrSetAside(t *testing.T) {
	file, docs := unclosed(t)
	random := rand.New(rand.NewPCG(1, 1))
	aside := 0
	for _, at := range places(file) {
		dir := t.TempDir()
		path := filepath.Join(dir, "r.db")
		damaged := slices.Clone(file)
		damaged[at] ^= byte(1 + random.IntN(255))
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		s, err := Open(t.Context(), "file:"+path, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Errorf("byte %d: %v", at, err)
			continue
		}
		left, err := filepath.Glob(path + ".damaged-*Z")
		if err != nil {
			t.Fatal(err)
		}
		switch set := len(left) == 1; {
		case set:
			aside++
			if !slices.Equal(s.Warnings(), []string{warnSetAside}) || !strings.Contains(log.String(), left[0]) || !strings.Contains(log.String(), ".recover") {
				t.Errorf("byte %d: warnings %q, log %s", at, s.Warnings(), log.String())
			}
		case !asAppended(t, s, docs):
			t.Errorf("byte %d of page %d, %#x for %#x: something reads differently and nobody was told", at%4096, at/4096+1, damaged[at], file[at])
		}
		if d := mustAppend(t, s, entry(victims+1)); d.Verdict == room.Duplicate {
			t.Errorf("byte %d: a new entry is %s", at, d.Verdict)
		}
		closeStore(t, s)
	}
	t.Logf("%d of %d set aside", aside, damageTrials)
}

func TestARecordThatWasKilledButIsWholeIsOpenedWithoutAWarning(t *testing.T) {
	file, docs := unclosed(t)
	path := filepath.Join(t.TempDir(), "r.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	s := openAt(t, "file:"+path)
	if !asAppended(t, s, docs) || len(s.Warnings()) != 0 {
		t.Errorf("warnings %q", s.Warnings())
	}
	if state, err := openMark(t.Context(), s.writes); state != notClosed || err != nil {
		t.Errorf("while open it is marked %d, %v", state, err)
	}
	closeStore(t, s)
	db, err := connect(path, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if state, err := openMark(t.Context(), db); state != closedWell || err != nil {
		t.Errorf("closed it is marked %d, %v", state, err)
	}
}

func TestDamageMetWhileOpenIsSaidAndSetAsideAtTheNextStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	s := openAt(t, "file:"+path)
	mustAppend(t, s, entry(1))
	if err := s.write(t.Context(), func(*sql.Tx) error { return fmt.Errorf("write: %w", errDamaged) }); err == nil {
		t.Error("it did not fail")
	}
	mustAppend(t, s, entry(2)) // a good write does not make up for it
	if err := s.Health(); err == nil || err.Error() != "the record's file is damaged; restart to set it aside" {
		t.Errorf("health %v", err)
	}
	closeStore(t, s)
	s = openAt(t, "file:"+path)
	if !slices.Equal(s.Warnings(), []string{warnSetAside}) || s.Health() != nil || count(t, s, "deliveries") != 0 {
		t.Errorf("warnings %q, health %v", s.Warnings(), s.Health())
	}
	closeStore(t, s)
	s = openAt(t, "file:"+path)
	if !slices.Equal(s.Warnings(), []string{warnSetAside}) {
		t.Errorf("as long as it lies there: %q", s.Warnings())
	}
}

func TestAPageThatIsGarbledWhileOpenMakesHealthFail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	s := openAt(t, "file:"+path)
	fill(t, s, 0, 2000)
	closeStore(t, s)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for page := 100; page < len(file)/4096/2; page++ { // neither the roots nor the newest
		copy(file[page*4096:], bytes.Repeat([]byte{0xAA}, 64))
	}
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, "file:"+path)
	if len(s.Warnings()) != 0 {
		t.Fatal("it was closed well, and looked at all the same")
	}
	var failed error
	for n := 0; n < 2000 && failed == nil; n++ {
		_, failed = s.Append(context.Background(), entry(n))
	}
	if failed == nil || s.Health() == nil {
		t.Fatalf("append %v, health %v", failed, s.Health())
	}
	closeStore(t, s)
	if s = openAt(t, "file:"+path); len(s.Warnings()) != 1 {
		t.Errorf("warnings %q", s.Warnings())
	}
	mustAppend(t, s, entry(1))
}

func TestWhatIsSetAsideNeverReplacesWhatWasSetAsideBefore(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "r.db.damaged-20261122T000000Z")
	for _, want := range []string{name, name + "-2", name + "-3"} {
		got, err := vacantName(name)
		if err != nil || got != want {
			t.Errorf("%s, %v, want %s", got, err, want)
		}
		if err := os.WriteFile(got+"-wal", nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCheckFindsAChangedLetterInAnyRow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	s := openAt(t, "file:"+path)
	m := artifact(recorded("s", 1, "r"), "a", "X_USAGE", 2, &room.ArtifactUsage{Unit: "tokens", Total: 1, EstimatedCost: 0.5})
	mustSave(t, s, "", m, artifact(recorded("s2", 1, "r2"), "a2", "X", 2, nil))
	fill(t, s, 0, 3)
	d := entry(9)
	d.Body = nil
	mustAppend(t, s, d)
	if problems, err := Check(t.Context(), "file:"+path); len(problems) != 0 || err != nil {
		t.Fatalf("beside a serve: %q, %v", problems, err)
	}
	for _, change := range []string{"UPDATE deliveries SET body = 'x' WHERE position = 1", "UPDATE deliveries SET reason = 'x' WHERE position = 2",
		"UPDATE sessions SET text = 'x' WHERE sid = 's'", "UPDATE recordings SET state = 'x' WHERE id = 'r'", "UPDATE artifacts SET cost = 0.6 WHERE id = 'a'"} {
		if _, err := s.writes.Exec(change); err != nil {
			t.Fatal(err)
		}
	}
	problems, err := Check(t.Context(), "file:"+path)
	if len(problems) != 5 || err != nil {
		t.Errorf("%q, %v", problems, err)
	}
	for _, url := range []string{"memory:", "file:" + path + ".none", "redis://x"} {
		if _, err := Check(t.Context(), url); err == nil {
			t.Errorf("%s was checked", url)
		}
	}
}

func TestACheckThatRunsOutOfTimeFindsNoDamage(t *testing.T) {
	s := openAt(t, "memory:")
	mustAppend(t, s, entry(1))
	late, cancel := context.WithCancel(t.Context())
	cancel()
	if done, err := s.checkWithin(late, shallow); done || err != nil {
		t.Errorf("without time: done %v, %v", done, err)
	}
	if done, err := s.checkWithin(t.Context(), shallow); !done || err != nil {
		t.Errorf("with time: done %v, %v", done, err)
	}
}
