package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/roomwatch/roomwatch/redistest"
	"github.com/roomwatch/roomwatch/room"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(victimEnv); path != "" {
		appendUntilKilled(path)
		return
	}
	goleak.VerifyTestMain(m)
}

// forEachStore runs a claim against every kind of store; open makes an empty one.
func forEachStore(t *testing.T, claim func(t *testing.T, open func() *SQLite)) {
	t.Run("file", func(t *testing.T) {
		claim(t, func() *SQLite { return openAt(t, "file:"+filepath.Join(t.TempDir(), "a record?.db")) })
	})
	t.Run("memory", func(t *testing.T) {
		claim(t, func() *SQLite { return openAt(t, "memory:") })
	})
}

// record is what every kind of store does for the program.
type record interface {
	Append(ctx context.Context, d room.Delivery) (room.Delivery, error)
	Note(d room.Delivery)
	Noted() uint64
	NotesDropped() uint64
	Follow(ctx context.Context, after string, fn func([]room.Delivery) error) error
	End(ctx context.Context) (string, error)
	Checkpoint(ctx context.Context) (string, error)
	Save(ctx context.Context, sessions []*room.Session, checkpoint string) error
	Load(ctx context.Context, key room.Key) (*room.Session, error)
	Recent(ctx context.Context, since time.Time, fn func(*room.Session) error) error
	Siblings(ctx context.Context, source, roomID string) (map[string]room.Created, error)
	LastReceived(ctx context.Context) (map[string]time.Time, error)
	Sample(ctx context.Context, s room.Sample) error
	Samples(ctx context.Context, since time.Time) ([]room.Sample, error)
	Sessions(ctx context.Context, q room.SessionQuery) (room.Page[room.Summary], error)
	Recordings(ctx context.Context, q room.RecordingQuery) (room.Page[room.FiledRecording], error)
	Artifacts(ctx context.Context, q room.ArtifactQuery) (room.Page[room.FiledArtifact], error)
	Deliveries(ctx context.Context, q room.DeliveryQuery) (room.Page[room.Delivery], error)
	Delivery(ctx context.Context, position string) (room.Delivery, error)
	CountSessions(ctx context.Context, q room.SessionQuery) (int, error)
	CountRecordings(ctx context.Context, q room.RecordingQuery) (int, error)
	CountArtifacts(ctx context.Context, q room.ArtifactQuery) (int, error)
	RecordingCounts(ctx context.Context, since time.Time) ([]room.RecordingCount, error)
	Usage(ctx context.Context, since time.Time) ([]room.UsageDay, error)
	CostliestRooms(ctx context.Context, since time.Time, most int) ([]room.RoomCost, error)
	Intake(ctx context.Context, since time.Time) ([]room.IntakeCount, error)
	Refusals(ctx context.Context, since time.Time) ([]room.RefusalCount, error)
	Retain(ctx context.Context, now time.Time, history, bodies time.Duration) error
	Health() error
	Warnings() []string
	Close() error
}

// forEachRecord runs a claim against every kind of store, Redis among them.
func forEachRecord(t *testing.T, claim func(t *testing.T, open func() record)) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, open func() *SQLite) { claim(t, func() record { return open() }) })
	t.Run("redis", func(t *testing.T) {
		claim(t, func() record { return settled{replica(t, leastRights(t)), t} })
	})
}

// leastRights is a new server as the user that docs/scaling.md tells operators to make.
func leastRights(t testing.TB) string {
	t.Helper()
	docs, err := os.ReadFile("../docs/scaling.md")
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(string(docs), "ACL SETUSER ")
	line, _, _ = strings.Cut(line, "\n")
	server := redistest.Start(t)
	server.Must("ACL SETUSER " + line)
	server.Must("ACL SETUSER default off")
	return strings.Replace(server.URL(), "redis://", "redis://roomwatch:PASSWORD@", 1)
}

// settled is a replica whose lists do not lag: after Append the entry is in them.
type settled struct {
	*Redis
	t testing.TB
}

func (s settled) Append(ctx context.Context, d room.Delivery) (room.Delivery, error) {
	recorded, err := s.Redis.Append(ctx, d)
	if recorded.Position != "" {
		eventually(s.t, "the entry is followed", func() bool {
			_, err := s.Delivery(ctx, recorded.Position)
			return err == nil
		})
	}
	return recorded, err
}

// projectionOf is the SQLite of any store.
func projectionOf(s record) *SQLite {
	switch s := s.(type) {
	case settled:
		return s.SQLite
	case *Redis:
		return s.SQLite
	}
	return s.(*SQLite)
}

func openAt(t testing.TB, url string) *SQLite {
	t.Helper()
	s, err := Open(context.Background(), url, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeStore(t, s) })
	return s
}

func closeStore(t testing.TB, s record) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// noon is when the events of the tests begin.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func event(kind room.Kind, sid, id string, at time.Time) room.Event {
	return room.Event{Source: "default", SID: sid, RoomID: "room01", ID: id, Kind: kind, At: room.At(at), Received: room.At(at.Add(time.Second))}
}

func joined(sid, connection, identity, name string, at time.Time) room.Event {
	e := event(room.KindParticipantJoined, sid, sid+connection+"joined", at)
	e.Participant = &room.ParticipantSaid{SID: connection, Identity: identity, Name: name, Kind: "STANDARD", JoinedAt: room.At(at)}
	return e
}

func delivery(e room.Event) room.Delivery {
	received := e.Received.Time()
	return room.Delivery{
		ReceivedAt: received, Source: e.Source, ID: e.ID, Event: e.Kind.String(), RoomID: e.RoomID, SID: e.SID,
		Verdict: room.Accepted, LagMS: int64(e.Received - e.At), Said: &e,
		Body: json.RawMessage(fmt.Sprintf(`{"event":%q,"room":{"sid":%q,"name":%q},"id":%q,"createdAt":"%d"}`, e.Kind, e.SID, e.RoomID, e.ID, e.At/1000)),
	}
}

// entry is the n-th of a row of ordinary deliveries.
func entry(n int) room.Delivery {
	id := fmt.Sprintf("ev-%05d", n)
	return delivery(joined(fmt.Sprintf("sid-%d", n%7), "PA_"+id, "u-"+id, "Ana Díaz", noon.Add(time.Duration(n)*time.Second)))
}

func mustAppend(t testing.TB, s record, d room.Delivery) room.Delivery {
	t.Helper()
	recorded, err := s.Append(context.Background(), d)
	if err != nil {
		t.Error(err) // not Fatal: senders call it too
	}
	return recorded
}

var errEnough = errors.New("enough")

// read is the first n entries after a position.
func read(t testing.TB, s record, after string, n int) (entries []room.Delivery) {
	t.Helper()
	if n == 0 {
		return nil
	}
	err := s.Follow(t.Context(), after, func(batch []room.Delivery) error {
		if len(batch) == 0 || len(batch) > followBatch {
			t.Errorf("a batch of %d", len(batch))
		}
		entries = append(entries, batch...)
		if len(entries) >= n {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
	return entries
}

func session(events ...room.Event) *room.Session {
	s := room.New(room.Key{Source: events[0].Source, SID: events[0].SID})
	for _, e := range events {
		s.Apply(e)
	}
	return s
}

func mustSave(t testing.TB, s record, checkpoint string, sessions ...*room.Session) {
	t.Helper()
	if err := s.Save(context.Background(), sessions, checkpoint); err != nil {
		t.Fatal(err)
	}
}

func mustLoad(t testing.TB, s record, sid string) *room.Session {
	t.Helper()
	session, err := s.Load(context.Background(), room.Key{Source: "default", SID: sid})
	if err != nil {
		t.Fatal(err)
	}
	return session
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// eventually waits for a fact that another goroutine brings about.
func eventually(t testing.TB, what string, fact func() bool) {
	t.Helper()
	deadline, tick := time.After(time.Minute), time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !fact() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never: %s", what)
		}
	}
}

// hold keeps the writer busy until release is called.
func hold(t testing.TB, s *SQLite) (release func()) {
	t.Helper()
	busy, gate, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- s.write(context.Background(), func(*sql.Tx) error {
			close(busy)
			<-gate
			return nil
		})
	}()
	<-busy
	return func() {
		close(gate)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func count(t testing.TB, s record, table string) (n int) {
	t.Helper()
	if err := projectionOf(s).reads.QueryRow("SELECT count(*) FROM " + table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
