package store

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/roomwatch/roomwatch/room"
)

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatWasAnsweredIsInTheFilesAtThatMoment(t *testing.T) {
	dir, copied := t.TempDir(), t.TempDir()
	s := openAt(t, "file:"+filepath.Join(dir, "r.db"))
	fill(t, s, 0, 100)
	mustSave(t, s, "40", session(joined("s", "PA", "u", "Ana", noon)))
	for _, name := range []string{"r.db", "r.db-wal"} {
		copyFile(t, filepath.Join(dir, name), filepath.Join(copied, name))
	}
	after := openAt(t, "file:"+filepath.Join(copied, "r.db"))
	inOrder(t, read(t, after, "", 100), 1, 100)
	if checkpoint, err := after.Checkpoint(t.Context()); err != nil || checkpoint != "40" {
		t.Errorf("checkpoint %q, %v", checkpoint, err)
	}
	mustLoad(t, after, "s")
	if d := mustAppend(t, after, entry(7)); d.Verdict != room.Duplicate {
		t.Errorf("an entry sent again is %s", d.Verdict)
	}
}

const victimEnv = "ROOMWATCH_TEST_VICTIM"

// appendUntilKilled is the other process of the next test: it says what was answered.
func appendUntilKilled(path string) {
	s, err := Open(context.Background(), "file:"+path, slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	var out sync.Mutex
	for w := range 8 {
		go func() {
			for n := w; ; n += 8 {
				if d, err := s.Append(context.Background(), entry(n)); err == nil {
					out.Lock()
					fmt.Println(d.ID)
					out.Unlock()
				}
			}
		}()
	}
	select {}
}

func TestAKilledProcessHasLostNothingItAnswered(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	victim := exec.CommandContext(t.Context(), os.Args[0])
	victim.Env = append(os.Environ(), victimEnv+"="+path)
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	var answered []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if answered = append(answered, lines.Text()); len(answered) == 1500 {
			if err := victim.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = victim.Wait() // it was killed
	s := openAt(t, "file:"+path)
	recorded := read(t, s, "", count(t, s, "deliveries"))
	ids := make([]string, len(recorded))
	for i, d := range recorded {
		ids[i] = d.ID
	}
	slices.Sort(ids)
	if len(slices.Compact(slices.Clone(ids))) != len(ids) {
		t.Error("an id is there twice")
	}
	for _, id := range answered {
		if _, found := slices.BinarySearch(ids, id); !found {
			t.Fatalf("%s was answered and is not there", id)
		}
	}
	if len(answered) < 1500 {
		t.Errorf("only %d answers", len(answered))
	}
}
