package store

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/redistest"
	"github.com/roomwatch/roomwatch/room"
)

// quickPace is for tests: the same steps, with shorter waits.
var quickPace = pace{lease: 2 * time.Second, tend: 20 * time.Millisecond, look: 50 * time.Millisecond, pause: 20 * time.Millisecond, opened: 5 * time.Second}

// replica opens a replica with a file of its own, closed with the test.
func replica(t testing.TB, url string) *Redis {
	t.Helper()
	return replicaAt(t, url, filepath.Join(t.TempDir(), "spool.db"))
}

func replicaAt(t testing.TB, url, spool string) *Redis {
	t.Helper()
	r, err := openRedis(context.Background(), url, spool, quickPace, slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return r
}

// testLog shows warnings of the program among the test's own.
type testLog struct{ t testing.TB }

func (l testLog) Write(line []byte) (int, error) {
	l.t.Log(string(line[:len(line)-1]))
	return len(line), nil
}

func TestRedisWhatOneReplicaAppendsAllFollow(t *testing.T) {
	server := redistest.Start(t)
	a, b := replica(t, server.URL()), replica(t, server.URL())
	want := make(map[string]bool)
	for n := range 40 {
		d, err := []*Redis{a, b}[n%2].Append(t.Context(), entry(n))
		if err != nil || d.Position == "" || d.Verdict != room.Accepted {
			t.Fatalf("%d: %s at %q, %v", n, d.Verdict, d.Position, err)
		}
		want[d.Position] = true
	}
	for _, r := range []*Redis{a, b} {
		eventually(t, "all are followed", func() bool { return count(t, r.SQLite, "deliveries") == len(want) })
		for _, d := range read(t, r.SQLite, "", len(want)) {
			if !want[d.Position] {
				t.Errorf("an entry at %s", d.Position)
			}
		}
	}
}
