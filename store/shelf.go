package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// shelf is a table of what sessions have: of their recordings, or of their artifacts. A row has a place in
// time of its own and names its session by that one's row. Title and end of the session are not in it.
type shelf struct {
	table, columns string
	at             string // SQL: whether a place is taken
	insert, remove string // a row, by its place
	follow, clear  string // all rows of a session: when that moves, when that goes
	held           string // what there is of a session
}

var (
	recordingShelf = newShelf("recordings", "source, room_id, state, size, since_ms, doc", 6)
	artifactShelf  = newShelf("artifacts", "source, room_id, type, class, size, day, unit, total, cost, doc", 10)
)

func newShelf(table, columns string, width int) *shelf {
	marks := bytes.Repeat([]byte(", ?"), width)
	return &shelf{
		table: table, columns: columns,
		at:     "SELECT 1 FROM " + table + " WHERE row = ?",
		insert: fmt.Sprintf("INSERT INTO %s (row, session, id, %s, sum) VALUES (?, ?, ?%s, ?)", table, columns, marks),
		remove: "DELETE FROM " + table + " WHERE row = ?",
		follow: "UPDATE " + table + " SET session = ? WHERE session = ?",
		clear:  "DELETE FROM " + table + " WHERE session = ?",
		held:   "SELECT row, id, sum, doc FROM " + table + " INDEXED BY " + table + "_session WHERE session = ?",
	}
}

func (sh *shelf) writes() []string { return []string{sh.at, sh.insert, sh.remove, sh.follow, sh.clear} }

// filed is a row of a shelf.
type filed struct {
	*shelf
	id     string
	begin  room.Time
	of     room.Key
	stored bool
	row    int64 // where it is stored
	values []any // of the columns
	sum    int64
}

func newFiled(sh *shelf, of room.Key, id string, begin time.Time, values ...any) filed {
	return filed{shelf: sh, of: of, id: id, begin: room.At(begin), values: values, sum: sumOf(append([]any{id}, values...))}
}

func (f *filed) doc() []byte { return f.values[len(f.values)-1].([]byte) }

// filedOf are the rows that a session's recordings and artifacts should have.
func filedOf(d room.Detail) (rows []filed, err error) {
	for _, r := range d.Recordings {
		doc, err := json.Marshal(r)
		if err != nil {
			return nil, err
		}
		rows = append(rows, newFiled(recordingShelf, d.Key(), r.RecordID, r.Begin(),
			d.Source, d.RoomID, r.State, r.SizeBytes, int64(room.At(sinceOf(r, d.Head))), doc))
	}
	for _, a := range d.Artifacts {
		doc, err := json.Marshal(a)
		if err != nil {
			return nil, err
		}
		rows = append(rows, artifactRow(d, a, doc))
	}
	return rows, nil
}

// sinceOf is since when a recording is in its state, as RecordingCounts tells it. One that did not end
// itself ended with its session.
func sinceOf(r room.Recording, session room.Head) time.Time {
	if r.State != room.RecordingProcessing {
		return r.Begin()
	}
	for _, t := range []time.Time{r.EndedAt, session.EndedAt} {
		if !t.IsZero() {
			return t
		}
	}
	return r.Begin()
}

const dayMS = 24 * 60 * 60 * 1000

func artifactRow(d room.Detail, a room.Artifact, doc []byte) filed {
	usage, file := room.ArtifactUsage{}, room.ArtifactFile{}
	class := room.ClassFile
	if a.Usage != nil {
		class, usage = room.ClassUsage, *a.Usage
	}
	if a.File != nil {
		file = *a.File
	}
	day := (firstPlace(room.At(a.CreatedAt)) >> placeBits) / dayMS
	return newFiled(artifactShelf, d.Key(), a.ArtifactID, a.CreatedAt,
		d.Source, d.RoomID, a.Type, class, file.SizeBytes, day, usage.Unit, usage.Total, usage.EstimatedCost, doc)
}

// leaveUnchanged takes from what is filed of a document the rows that are stored as they should be.
func (s *SQLite) leaveUnchanged(ctx context.Context, d *document) error {
	if len(d.filed) == 0 || d.isNew {
		return nil
	}
	stored := make(map[string]filed)
	for _, sh := range []*shelf{recordingShelf, artifactShelf} {
		if err := s.heldOn(ctx, sh, d.row, stored); err != nil {
			return err
		}
	}
	differ := d.filed[:0]
	for _, f := range d.filed {
		was, known := stored[f.table+f.id]
		if known && was.sum == f.sum && bytes.Equal(was.values[0].([]byte), f.doc()) {
			continue
		}
		f.stored, f.row = known, was.row
		differ = append(differ, f)
	}
	d.filed = differ
	return nil
}

func (s *SQLite) heldOn(ctx context.Context, sh *shelf, session int64, into map[string]filed) error {
	rows, err := s.own.QueryContext(ctx, sh.held, session)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var f filed
		var doc []byte
		if err := rows.Scan(&f.row, &f.id, &f.sum, &doc); err != nil {
			return err
		}
		f.values = []any{doc}
		into[sh.table+f.id] = f
	}
	return rows.Err()
}

// put writes the row, at the place that it had unless its beginning was learned anew.
func (f *filed) put(on writes, session int64) (err error) {
	row := f.row
	if f.stored {
		if _, err := on(f.remove).Exec(f.row); err != nil {
			return err
		}
	}
	if !f.stored || !began(f.row, f.begin) {
		if row, err = vacant(on(f.at), placeOf(f.begin, f.of.Source, f.of.SID, f.id)); err != nil {
			return err
		}
	}
	_, err = on(f.insert).Exec(append(append([]any{row, session, f.id}, f.values...), f.sum)...)
	return err
}

// headOf is what a list says of a session, from its summary. Only what it names differently is renamed.
func headOf(summary []byte) (room.Filed, error) {
	var head struct {
		room.Filed
		EndedAt time.Time `json:"ended_at"`
	}
	if err := json.Unmarshal(summary, &head); err != nil {
		return room.Filed{}, fmt.Errorf("%w: %w", errUndecodable, err)
	}
	head.SessionEndedAt = head.EndedAt
	return head.Filed, nil
}
