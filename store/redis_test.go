package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/redistest"
	"github.com/roomwatch/roomwatch/room"
)

// quickPace is for tests: the same steps, with shorter waits.
var quickPace = pace{lease: 2 * time.Second, tend: 20 * time.Millisecond, look: 50 * time.Millisecond, pause: 20 * time.Millisecond, opened: 5 * time.Second, again: 100 * time.Millisecond}

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
	t.Parallel()
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
	t.Parallel()
	for url, want := range map[string]string{
		"redis://h":                        "[h:6379] db 0 master \"\" cluster false tls false",
		"redis://u:p%40@h:7000/3":          "[h:7000] db 3 master \"\" cluster false tls false",
		"rediss://h:7000":                  "[h:7000] db 0 master \"\" cluster false tls true",
		"redis-sentinel://a,b:1,c/ops/2":   "[a:26379 b:1 c:26379] db 2 master \"ops\" cluster false tls false",
		"redis-sentinel://u:p@a,b/ops":     "[a:26379 b:26379] db 0 master \"ops\" cluster false tls false",
		"redis-cluster://u:p@a,b?tls=true": "[a:6379 b:6379] db 0 master \"\" cluster true tls true",
		"redis://[::1]:7000/":              "[[::1]:7000] db 0 master \"\" cluster false tls false",
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
	for _, wrong := range []string{"redis-sentinel://a,b", "redis://a,b", "redis://a/x", "redis://a/-1", "redis-cluster://a/1", "redis://:secret@a?max_retries=3", "redis-sentinel://a/ops/x", "redis://secret@[", "redis-cluster://u:secret%zz@a"} {
		if _, err := optionsOf(wrong); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

func TestRedisThatWouldLoseDeliveriesIsRefusedAndOneThatMightIsSaid(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
	r := replica(t, leastRights(t))
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
	t.Parallel()
	server := redistest.Start(t)
	server.Must("ACL SETUSER other on >right ~* +@all")
	_, err := openRedis(t.Context(), strings.Replace(server.URL(), "redis://", "redis://other:wrong@", 1), "off", quickPace, quietLog)
	if err == nil || strings.Contains(err.Error(), "wrong@") {
		t.Errorf("open: %v", err)
	}
}

// Redis asks for a certificate, and so do we: whoever stands between gets neither deliveries nor the password.
func TestRedisBehindTLSIsUsedWhenBothSidesAreKnown(t *testing.T) {
	t.Parallel()
	server := redistest.StartSecured(t)
	r := replica(t, server.URL())
	mustAppend(t, r, entry(1))
	eventually(t, "it is followed", func() bool { return count(t, r.SQLite, "deliveries") == 1 })
	base := fmt.Sprintf("rediss://127.0.0.1:%d/0", server.TLSPort)
	for name, url := range map[string]string{
		"an authority that nobody trusts": base + "?cert=" + server.Cert + "&key=" + server.Key,
		"without a certificate of ours":   base + "?ca=" + server.CA,
		"in plain":                        strings.Replace(base, "rediss", "redis", 1),
	} {
		if _, _, err := CheckRedis(t.Context(), url); err == nil {
			t.Errorf("%s: it was used", name)
		}
	}
	for _, wrong := range []string{base + "?ca=" + server.Key, base + "?ca=/nowhere", base + "?cert=" + server.Cert, base + "?verify=no"} {
		if _, err := optionsOf(wrong); err == nil {
			t.Errorf("%s was taken", wrong)
		}
	}
}

// A replica tells as of when it is, once that is not now, and what has become of Redis since the start.
func TestRedisAReplicaTellsHowOldWhatItShowsIs(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	r := replica(t, server.URL())
	mustAppend(t, r, entry(1))
	eventually(t, "it is up to date", func() bool { return r.AsOf().IsZero() && len(r.Warnings()) == 0 })
	before := time.Now()
	server.Kill()
	eventually(t, "it is not", func() bool { return !r.AsOf().IsZero() })
	if asOf := r.AsOf(); asOf.Before(before.Add(-time.Second)) || asOf.After(time.Now()) {
		t.Errorf("as of %v, at %v", asOf, time.Now())
	}
	server.Run()
	eventually(t, "it is again", func() bool { return r.AsOf().IsZero() })
	server.Must("CONFIG SET min-replicas-to-write 1")
	eventually(t, "what cannot be written is not shown either", func() bool {
		_, err := r.Append(t.Context(), entry(2))
		return err == nil && !r.AsOf().IsZero()
	})
	server.Must("CONFIG SET min-replicas-to-write 0")
	eventually(t, "it is at last", func() bool { return r.AsOf().IsZero() })
	server.Must("CONFIG SET appendonly no")
	eventually(t, "it is said that Redis forgets", func() bool { return slices.Contains(r.Warnings(), warnVolatile) })
}

func TestRedisNotesOfOneReplicaAreListedByAllOnce(t *testing.T) {
	t.Parallel()
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
