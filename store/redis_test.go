package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
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

var quietLog = slog.New(slog.DiscardHandler)

func TestRedisURLs(t *testing.T) {
	for url, want := range map[string]string{
		"redis://h":                        "[h:6379] db 0 master \"\" cluster false tls false",
		"redis://u:p%40@h:7000/3":          "[h:7000] db 3 master \"\" cluster false tls false",
		"rediss://h:7000":                  "[h:7000] db 0 master \"\" cluster false tls true",
		"redis-sentinel://a,b:1,c/ops/2":   "[a:26379 b:1 c:26379] db 2 master \"ops\" cluster false tls false",
		"redis-sentinel://u:p@a,b/ops":     "[a:26379 b:26379] db 0 master \"ops\" cluster false tls false",
		"redis-cluster://u:p@a,b?tls=true": "[a:6379 b:6379] db 0 master \"\" cluster true tls true",
	} {
		o, err := optionsOf(url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if got := fmt.Sprintf("%v db %d master %q cluster %v tls %v", o.Addrs, o.DB, o.MasterName, o.IsClusterMode, o.TLSConfig != nil); got != want || !IsRedis(url) {
			t.Errorf("%s is %s", url, got)
		}
	}
	for _, wrong := range []string{"redis-sentinel://a,b", "redis-sentinel://a/ops/x", "redis://secret@[", "redis-cluster://u:secret%zz@a"} {
		if _, err := optionsOf(wrong); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

func TestRedisThatWouldLoseDeliveriesIsRefusedAndOneThatMightIsSaid(t *testing.T) {
	for settings, want := range map[string]string{
		"--maxmemory 100mb --maxmemory-policy allkeys-lru": "refused",
		"--maxmemory-policy allkeys-lru":                   warnEviction,
		"--appendonly no":                                  warnVolatile,
		"--maxmemory 100mb":                                "",
	} {
		server := redistest.Start(t, strings.Fields(settings)...)
		problems, warnings, err := CheckRedis(t.Context(), server.URL())
		got := strings.Join(warnings, "; ")
		if len(problems) > 0 {
			got = "refused"
		}
		if got != want || err != nil {
			t.Errorf("%s: %q %q, %v", settings, problems, warnings, err)
		}
		r, err := openRedis(t.Context(), server.URL(), "off", quickPace, quietLog)
		if (err != nil) != (want == "refused") {
			t.Errorf("%s: open %v", settings, err)
		}
		if err == nil {
			_ = r.Close()
		}
	}
}

// What docs/scaling.md tells operators to allow is enough, for a replica that leads, follows and tidies up.
func TestRedisTheUserOfTheDocsHasRightsEnough(t *testing.T) {
	docs, err := os.ReadFile("../docs/scaling.md")
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(string(docs), "ACL SETUSER ")
	line, _, _ = strings.Cut(line, "\n")
	server := redistest.Start(t)
	server.Must("ACL SETUSER " + line)
	server.Must("ACL SETUSER default off")
	r := replica(t, strings.Replace(server.URL(), "redis://", "redis://roomwatch:PASSWORD@", 1))
	if r.Health() != nil || len(r.Warnings()) != 0 {
		t.Errorf("health %v, warnings %q", r.Health(), r.Warnings())
	}
	r.replicated.Store(true) // there is none, but WAIT must be allowed
	if _, err := r.Append(t.Context(), entry(1)); err != nil || !errors.Is(*r.fault.Load(), errUnreplicated) {
		t.Errorf("append: %v, %v", err, *r.fault.Load())
	}
	r.replicated.Store(false)
	eventually(t, "it is drained", func() bool { return r.SpoolDepth() == 0 })
	eventually(t, "it leads", r.Leads)
	mustAppend(t, r, entry(2))
	mustAppend(t, r, entry(2))
	mustSave(t, r, "1", recorded("old", 1, "r"))
	eventually(t, "documents are written", func() bool {
		n, err := r.client.HMGet(t.Context(), keyDocuments, fieldFor(room.Key{Source: "default", SID: "old"})).Result()
		return err == nil && n[0] != nil
	})
	mustRetain(t, r, noon.Add(100*day), 10*day, day)
	if left, err := r.client.HMGet(t.Context(), keyDocuments, fieldFor(room.Key{Source: "default", SID: "old"})).Result(); err != nil || left[0] != nil {
		t.Errorf("left %v, %v", left, err)
	}
	if n, err := r.loadDocuments(t.Context()); err != nil || n != 0 {
		t.Errorf("%d documents, %v", n, err)
	}
	everythingOf(t, r.Accounts())
}

func TestRedisThatRefusesOurPasswordRefusesTheStart(t *testing.T) {
	server := redistest.Start(t)
	server.Must("ACL SETUSER other on >right ~* +@all")
	_, err := openRedis(t.Context(), strings.Replace(server.URL(), "redis://", "redis://other:wrong@", 1), "off", quickPace, quietLog)
	if err == nil || strings.Contains(err.Error(), "wrong@") {
		t.Errorf("open: %v", err)
	}
}

func TestRedisNotesOfOneReplicaAreListedByAllOnce(t *testing.T) {
	server := redistest.Start(t)
	a, b := replica(t, server.URL()), replica(t, server.URL())
	for n := range 30 {
		[]*Redis{a, b}[n%2].Note(refusal(n))
	}
	for _, r := range []*Redis{a, b} {
		eventually(t, "all are listed", func() bool { return len(listed(t, r, room.DeliveryQuery{Verdict: room.Refused})) == 30 })
	}
	server.Kill()
	if _, err := a.Append(t.Context(), entry(1)); err != nil {
		t.Fatal(err)
	}
	a.Note(refusal(31))
	eventually(t, "it is noted here", func() bool { return count(t, a.SQLite, "notes") == 31 })
	server.Run()
	eventually(t, "all is well", func() bool { return a.SpoolDepth() == 0 && count(t, b.SQLite, "deliveries") == 1 })
	if n := count(t, b.SQLite, "notes"); n != 30 {
		t.Errorf("%d notes", n)
	}
}
