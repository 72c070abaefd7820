package store

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// writeVersion2 makes a file as the program before wrote it, which nobody closed.
func writeVersion2(t *testing.T, path string, sessions []*room.Session, entries int) {
	t.Helper()
	err := os.WriteFile(path, nil, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	db, err := connect(path, 1, "journal_mode(wal)")
	if err != nil {
		t.Fatal(err)
	}
	must := func(query string, args ...any) {
		t.Helper()
		if _, err := db.Exec(query, args...); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	must(version1)
	must(version2)
	must("PRAGMA user_version = 2")
	for i, session := range sessions {
		doc, err := json.Marshal(session)
		if err != nil {
			t.Fatal(err)
		}
		must(`INSERT INTO sessions (row, source, sid, room_id, state, begin_ms, received_ms, created_for, created_failing, text_hash, summary, doc)
			VALUES (?, ?, ?, '', 'live', 0, 0, 0, 0, 0, '{}', ?)`, i+1, session.Source, session.SID, doc)
		must("INSERT INTO words (rowid, text) VALUES (?, 'an old text')", i+1)
	}
	for n := range entries {
		d := entry(n)
		said, err := json.Marshal(d.Said)
		if err != nil {
			t.Fatal(err)
		}
		must(`INSERT INTO deliveries (received_at, created_at, source, id, event, room_id, sid, verdict, reason, lag_ms, said, body)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, int64(room.At(d.ReceivedAt)), int64(d.Said.At), d.Source, d.ID, d.Event, d.RoomID, d.SID,
			string(d.Verdict), d.Reason, d.LagMS, said, []byte(d.Body))
	}
	must("INSERT INTO notes (received_at, source, id, event, room_id, sid, verdict, reason, lag_ms) VALUES (?, 'default', 'n', '', '', '', 'unauthentic', 'why', 0)", int64(room.At(noon)))
	must("INSERT INTO sources (source, greatest, received) VALUES ('default', ?, ?)", int64(room.At(noon)), int64(room.At(noon)))
	must("INSERT INTO checkpoint (one, position) VALUES (1, 5)")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAFileOfVersion2IsCarriedOverWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	sessions := []*room.Session{meeting("default", "first", "room01", "Weekly Café", 1, true, "Ana Díaz"), meeting("default", "second", "room02", "", 2, false, "Bo"),
		recorded("third", 3, "rec-3")}
	writeVersion2(t, path, sessions, 700)
	s := openAt(t, "file:"+path)

	items := all(t, s, room.SessionQuery{})
	if got := sids(items); !reflect.DeepEqual(got, []string{"third", "second", "first"}) {
		t.Errorf("sessions %q", got)
	}
	for _, session := range sessions {
		if got := mustLoad(t, s, session.SID); asJSON(t, got) != asJSON(t, session) {
			t.Errorf("loaded %s\nwant %s", asJSON(t, got), asJSON(t, session))
		}
	}
	for text, want := range map[string]int{"diaz": 1, "cafe": 1, "room0": 3, "old": 0} {
		if got := all(t, s, room.SessionQuery{Text: text}); len(got) != want {
			t.Errorf("%q finds %q", text, sids(got))
		}
	}
	if page, err := s.Recordings(t.Context(), room.RecordingQuery{Text: "weekly"}); err != nil || len(page.Items) != 1 || page.Items[0].RecordID != "rec-3" {
		t.Errorf("recordings %s, %v", asJSON(t, page), err)
	}
	inOrder(t, read(t, s, "", 700), 1, 700)
	if items := listed(t, s, room.DeliveryQuery{Limit: 200}); len(items) != 701 {
		t.Errorf("%d deliveries", len(items))
	}
	if d := mustAppend(t, s, entry(7)); d.Verdict != room.Duplicate {
		t.Errorf("an entry of then is %s", d.Verdict)
	}
	if checkpoint, err := s.Checkpoint(t.Context()); checkpoint != "5" || err != nil {
		t.Errorf("checkpoint %q, %v", checkpoint, err)
	}
	if len(s.Warnings()) != 0 {
		t.Errorf("warnings %q", s.Warnings())
	}
	mustSave(t, s, "", meeting("default", "first", "room01", "Weekly Café", 1, true, "Ana Díaz", "Cy"))
	closeStore(t, s)
	s = openAt(t, "file:"+path)
	if got := all(t, s, room.SessionQuery{Text: "ana cy"}); len(got) != 1 {
		t.Errorf("after another start %d are found", len(got))
	}
	if problems, err := Check(t.Context(), "file:"+path); len(problems) != 0 || err != nil {
		t.Errorf("problems %q, %v", problems, err)
	}
}

// Row 66: however long a migration takes, the log tells how far it is.
func TestFault66AMigrationTellsHowFarItIs(t *testing.T) {
	var log lockedText
	p := &progress{of: 9}
	p.step.Store(3)
	p.rows.Store(1234)
	stop := p.tell(slog.New(slog.NewTextHandler(&log, nil)), time.Millisecond)
	eventually(t, "it tells", func() bool { return strings.Contains(log.String(), "step=3 of=9 rows=1234") })
	stop()
}

// lockedText takes lines from one goroutine and is read by another.
type lockedText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedText) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
