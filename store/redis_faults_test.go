package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/roomwatch/roomwatch/redistest"
	"github.com/roomwatch/roomwatch/room"
)

func redisClient(t testing.TB, server *redistest.Server) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestRedisOneEventIDAtTwoReplicasIsOneEntryWhateverItsNames(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	a, b := replica(t, server.URL()), replica(t, server.URL())
	var fresh, all sync.Map
	var senders sync.WaitGroup
	names := []string{"{}", "}{roomwatch", "a:b*c", "new\nline", "../..", "\x00", "{roomwatch}:log"}
	for _, name := range names {
		for n := range 10 {
			senders.Go(func() {
				d := entry(1)
				d.ID, d.RoomID, d.Source = name, name, "default"
				recorded, err := []*Redis{a, b}[n%2].Append(t.Context(), d)
				if err != nil {
					t.Error(err)
				}
				if recorded.Verdict != room.Duplicate {
					if _, twice := fresh.LoadOrStore(name, true); twice {
						t.Errorf("%q was recorded twice", name)
					}
				}
				all.Store(name, true)
			})
		}
	}
	senders.Wait()
	eventually(t, "both follow", func() bool {
		return count(t, a.SQLite, "deliveries") == len(names) && count(t, b.SQLite, "deliveries") == len(names)
	})
}

func TestRedisASpooledDeliveryOutlivesARestartAndGoesOnlyWhenRedisHasIt(t *testing.T) {
	t.Parallel()
	port, path := redistest.FreePort(t), filepath.Join(t.TempDir(), "spool.db")
	url := fmt.Sprintf("redis://127.0.0.1:%d/0", port)
	r, err := openRedis(context.Background(), url, path, quickPace, quietLog)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 300 {
		if d, err := r.Append(t.Context(), entry(n)); err != nil || d.Position != "" || d.Verdict != room.Accepted {
			t.Fatalf("%s at %q, %v", d.Verdict, d.Position, err)
		}
	}
	if r.Health() != nil || !slices.Contains(r.Warnings(), warnDown) || r.SpoolDepth() != 300 {
		t.Errorf("health %v, warnings %q, %d wait", r.Health(), r.Warnings(), r.SpoolDepth())
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	redistest.StartAt(t, port)
	r = replicaAt(t, url, path)
	eventually(t, "all are followed", func() bool { return count(t, r.SQLite, "deliveries") == 300 })
	eventually(t, "none waits", func() bool { return r.SpoolDepth() == 0 && count(t, r.SQLite, "spool") == 0 })
	if r.Health() != nil || len(r.Warnings()) != 0 {
		t.Errorf("health %v, warnings %q", r.Health(), r.Warnings())
	}
}

func TestRedisWithoutRoomInTheSpoolADeliveryIsRefusedAndSaid(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	r := replica(t, server.URL())
	r.spool.limit.Store(3)
	server.Kill()
	stored := 0
	var err error
	for n := 0; n < 10; n++ {
		if _, err = r.Append(t.Context(), entry(n)); err != nil {
			break
		}
		stored++
	}
	if stored != 3 || !errors.Is(err, ErrFull) || r.Health() == nil {
		t.Errorf("%d stored, then %v; health %v", stored, err, r.Health())
	}
	server.Run()
	eventually(t, "it is taken again", func() bool { _, err := r.Append(t.Context(), entry(9)); return err == nil && r.Health() == nil })
}

func TestRedisWithoutASpoolADeliveryIsRefusedWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	r := replicaAt(t, server.URL(), "off")
	mustAppend(t, r, entry(1))
	server.Kill()
	if _, err := r.Append(t.Context(), entry(2)); err == nil {
		t.Error("it was taken")
	}
	if r.Health() == nil {
		t.Error("all is well")
	}
	server.Run()
	eventually(t, "it is taken", func() bool { _, err := r.Append(t.Context(), entry(2)); return err == nil })
}

func TestRedisWhatNoReplicaHasIsNotAnsweredForByRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	copyOf := redistest.Start(t, "--replicaof", "127.0.0.1 "+strconv.Itoa(server.Port))
	r := replica(t, server.URL())
	eventually(t, "the replica is seen", func() bool { return r.replicated.Load() })
	eventually(t, "one is confirmed", func() bool {
		d, err := r.Append(t.Context(), entry(0))
		return err == nil && (d.Position != "" || d.Verdict == room.Duplicate) && r.SpoolDepth() == 0
	})
	copyOf.Freeze()
	began := time.Now()
	d, err := r.Append(t.Context(), entry(1))
	if took := time.Since(began); err != nil || d.Position != "" || r.SpoolDepth() != 1 || took > 20*time.Second {
		t.Errorf("%s at %q after %v, %v; %d wait", d.Verdict, d.Position, took, err, r.SpoolDepth())
	}
	copyOf.Thaw()
	eventually(t, "it is drained", func() bool { return r.SpoolDepth() == 0 })
	eventually(t, "it is there once", func() bool { return count(t, r.SQLite, "deliveries") == 2 })
}

func TestRedisDocumentsHaveTheFactsOfWhoeverWrites(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	a, b := replica(t, server.URL()), replica(t, server.URL())
	key := room.Key{Source: "default", SID: "s"}
	var work sync.WaitGroup
	for i, r := range []*Redis{a, b} {
		for n := range 10 {
			mustSave(t, r.SQLite, "", session(joined("s", fmt.Sprintf("PA_%d_%d", i, n), fmt.Sprintf("u-%d-%d", i, n), "Ana", noon)))
		}
	}
	for range 20 {
		for _, r := range []*Redis{a, b} {
			work.Go(func() {
				if err := r.pushAll(t.Context(), []room.Key{key}); err != nil {
					t.Error(err)
				}
			})
		}
	}
	work.Wait()
	doc, err := redisClient(t, server).HGet(t.Context(), keyDocuments, fieldFor(key)).Result()
	s := room.New(key)
	if err != nil || json.Unmarshal([]byte(doc), s) != nil || len(s.Detail().Participants) != 20 {
		t.Errorf("%d people, %v", len(s.Detail().Participants), err)
	}
}

// A document that this replica wrote, and nobody else since, is replaced without being read; one that another wrote is
// merged.
func TestRedisADocumentIsReadOnlyWhenAnotherMayHaveWrittenIt(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	a, b, client := replica(t, server.URL()), replica(t, server.URL()), redisClient(t, server)
	key := room.Key{Source: "default", SID: "s"}
	push := func(r *Redis, person string) (people int) {
		t.Helper()
		mustSave(t, r.SQLite, "", session(joined("s", "PA_"+person, person, "Ana", noon)))
		if err := r.pushAll(t.Context(), []room.Key{key}); err != nil {
			t.Fatal(err)
		}
		doc, err := client.HGet(t.Context(), keyDocuments, fieldFor(key)).Result()
		s := room.New(key)
		if err != nil || json.Unmarshal([]byte(doc), s) != nil {
			t.Fatal(doc, err)
		}
		return len(s.Detail().Participants)
	}
	reads := func() string {
		t.Helper()
		stats, err := client.Info(t.Context(), "commandstats").Result()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(stats) {
			if calls, is := strings.CutPrefix(line, "cmdstat_hmget:"); is {
				calls, _, _ = strings.Cut(calls, ",")
				return calls
			}
		}
		return ""
	}
	if n := push(a, "u1"); n != 1 {
		t.Errorf("%d people at first", n)
	}
	before := reads()
	if n := push(a, "u2"); n != 2 || reads() != before || before == "" {
		t.Errorf("%d people after a second save, reads: %s, then %s", n, before, reads())
	}
	if n := push(b, "u3"); n != 3 {
		t.Errorf("%d people when another replica has saved, too", n)
	}
	if n := push(a, "u4"); n != 4 || reads() == before {
		t.Errorf("%d people in the end, reads: %s", n, reads())
	}
	if n := push(a, "u5"); n != 5 {
		t.Errorf("%d people after the very end", n)
	}
	if err := client.Del(t.Context(), keyDocuments).Err(); err != nil {
		t.Fatal(err)
	}
	if n := push(a, "u6"); n != 5 { // u3 was b's
		t.Errorf("%d people when the documents are gone", n)
	}
}

func TestRedisWhoeverWritesAnOlderSchemaNeverLeads(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := redisClient(t, server)
	if err := client.Set(t.Context(), keySchema, documentSchema+1, 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := client.Set(t.Context(), keyRecord, "17", 0).Err(); err != nil {
		t.Fatal(err)
	}
	r := replica(t, server.URL())
	mustAppend(t, r, entry(1))
	eventually(t, "it follows", func() bool { return count(t, r.SQLite, "deliveries") == 1 })
	r.lead(t.Context())
	if r.Leads() {
		t.Error("it leads")
	}
}

func TestRedisAnEntryOfALaterVersionIsTakenAsFarAsItIsUnderstoodAndKeptWhole(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	r := replica(t, server.URL())
	d := entry(1)
	said := `{"source":"default","sid":"s","id":"later","kind":30,"at":1,"hologram":{"depth":3}}`
	err := redisClient(t, server).XAdd(t.Context(), &redis.XAddArgs{Stream: keyLog, Values: map[string]any{
		"v": "9", "t": "accepted", "d": asJSON(t, d), "s": said, "b": "{}", "x": "of another field"}}).Err()
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is followed", func() bool { return count(t, r.SQLite, "deliveries") == 1 })
	var kept []byte
	if err := r.reads.QueryRow("SELECT said FROM deliveries").Scan(&kept); err != nil {
		t.Fatal(err)
	}
	if kept, err := unpack(kept); err != nil || string(kept) != said {
		t.Errorf("kept %s, %v", kept, err)
	}
	if err := redisClient(t, server).XAdd(t.Context(), &redis.XAddArgs{Stream: keyLog, Values: []any{"d", "not ours"}}).Err(); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, r, entry(2))
	eventually(t, "what cannot be read holds up nobody", func() bool { return count(t, r.SQLite, "deliveries") == 2 })
}

func TestRedisTheLogIsTrimmedByAgeAndNeverPastTheCheckpoint(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := redisClient(t, server)
	for n := range 1000 {
		if err := client.XAdd(t.Context(), &redis.XAddArgs{Stream: keyLog, ID: fmt.Sprintf("%d-0", 1000+n), Values: []any{"d", "x"}}).Err(); err != nil {
			t.Fatal(err)
		}
	}
	trim := func(ms int64) int64 {
		t.Helper()
		if err := luaCheckpoint.Run(t.Context(), client, []string{keyLog, keyCheckpoint}, ms<<seqBits, ms, keepLog.Milliseconds()).Err(); err != nil {
			t.Fatal(err)
		}
		return client.XLen(t.Context(), keyLog).Val()
	}
	if left := trim(1500); left < 500 || left > 700 {
		t.Errorf("%d left behind the checkpoint", left)
	}
	if left := trim(1200); left < 500 || client.Get(t.Context(), keyCheckpoint).Val() != fmt.Sprint(int64(1500)<<seqBits) {
		t.Errorf("the checkpoint went back: %s", client.Get(t.Context(), keyCheckpoint).Val())
	}
	id := client.XAdd(t.Context(), &redis.XAddArgs{Stream: keyLog, Values: []any{"d", "x"}}).Val()
	position, _ := packID(id)
	if trim(position>>seqBits + 1); client.XLen(t.Context(), keyLog).Val() == 0 {
		t.Error("what is young went with the old")
	}
}

func TestRedisRetentionTakesDocumentsThatEndedLongAgo(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	r := replica(t, server.URL())
	eventually(t, "it leads", r.Leads)
	var many []*room.Session
	for i := range 2*pushSize + 5 {
		many = append(many, recorded(fmt.Sprint("old", i), i, fmt.Sprint("r", i)))
	}
	mustSave(t, r, "", many...)
	mustSave(t, r, "", meeting("default", "open", "room01", "Weekly", 0, false, "Ana"), recorded("new", 10*24*60, "new"))
	client := redisClient(t, server)
	eventually(t, "all are written", func() bool { return client.HLen(t.Context(), keyDocuments).Val() == int64(len(many)+2) })
	mustRetain(t, r, noon.Add(10*day), 5*day, day)
	if left := client.HKeys(t.Context(), keyDocuments).Val(); len(left) != 2 {
		t.Errorf("left %q", left)
	}
	if left := client.ZCard(t.Context(), keyHeard).Val(); left != 2 {
		t.Errorf("%d are still listed", left)
	}
}

func TestRedisAProjectionIsRebuiltFromTheDocumentsWhenTheLogIsGone(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	r := replica(t, server.URL())
	eventually(t, "it leads", r.Leads)
	mustSave(t, r, "", meeting("default", "long ago", "room01", "Weekly", 0, false, "Ana"))
	client := redisClient(t, server)
	eventually(t, "it is written", func() bool { return client.HLen(t.Context(), keyDocuments).Val() == 1 })
	fresh := replica(t, server.URL())
	if n := len(mustLoad(t, fresh, "long ago").Detail().Participants); n != 1 {
		t.Errorf("%d people", n)
	}
	if got := all(t, fresh, room.SessionQuery{Text: "weekly"}); len(got) != 1 {
		t.Errorf("found %q", sids(got))
	}
}

func TestRedisFollowersAreToldToReadDocumentsAgain(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	r := replica(t, server.URL())
	reload := make(chan error, 1)
	go func() { reload <- r.Follow(t.Context(), "", func([]room.Delivery) error { return nil }) }()
	server.Must("FLUSHALL")
	select {
	case err := <-reload:
		if !errors.Is(err, room.ErrReload) {
			t.Errorf("follow: %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("it goes on as if nothing had been")
	}
	if err := r.Follow(t.Context(), "", nil); !errors.Is(err, room.ErrReload) {
		t.Errorf("as long as they are not read: %v", err)
	}
	if err := r.Recent(t.Context(), noon, func(*room.Session) error { return nil }); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, r, entry(1))
	read(t, r, "", 1)
}

func TestRedisPositionsAreOrderedAsTheIDsOfTheLog(t *testing.T) {
	t.Parallel()
	ids := []string{"0-1", "1-0", "9-9", "9-10", "10-0", "1795311000000-0", "1795311000000-7", "1795311000001-0", "4102444800000-1048575"}
	var before int64
	for _, id := range ids {
		position, err := packID(id)
		if err != nil || position <= before || unpackID(position) != id {
			t.Errorf("%s is %d (%s) after %d, %v", id, position, unpackID(position), before, err)
		}
		before = position
	}
	for _, wrong := range []string{"", "1", "a-b", "1-", "-1"} {
		if _, err := packID(wrong); err == nil {
			t.Errorf("%q was taken", wrong)
		}
	}
}

// Between the answer and its reading by any replica the log alone has an entry; whoever took it still holds it.
func TestRedisWhatNobodyHadReadYetIsPutBackByWhoTookIt(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	r := replica(t, server.URL())
	mustAppend(t, r, entry(1))
	eventually(t, "it is read", func() bool { return len(r.held.all()) == 0 && count(t, r.SQLite, "deliveries") == 1 })
	d := entry(2)
	d.Position = "1"
	said, err := json.Marshal(d.Said)
	if err != nil {
		t.Fatal(err)
	}
	r.held.hold([]*sending{{logged: logged{d, said}}})
	server.Must("FLUSHALL")
	eventually(t, "it is there", func() bool {
		return count(t, r.SQLite, "deliveries") == 2 && redisClient(t, server).XLen(t.Context(), keyLog).Val() == 2
	})
}
