package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/roomwatch/roomwatch/room"
)

// saveChunk is how many sessions are written in one transaction: appends go between two of them.
const saveChunk = 100

const (
	putCheckpoint = `INSERT INTO checkpoint (one, position) VALUES (1, ?)
		ON CONFLICT (one) DO UPDATE SET position = max(position, excluded.position)`
	sessionColumns = `source, sid, room_id, parent, state, received_ms, created_for, created_failing, summary, text, doc`
	addSession     = `INSERT INTO sessions (row, ` + sessionColumns + `, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	putSession     = `UPDATE sessions SET (row, ` + sessionColumns + `, sum) = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE row = ?`
	sessionAt      = `SELECT 1 FROM sessions WHERE row = ?`
	putWords       = `INSERT OR REPLACE INTO words (rowid, text) VALUES (?, ?)`
	dropWords      = `DELETE FROM words WHERE rowid = ?`
	dropSession    = `DELETE FROM sessions WHERE row = ?`
)

// sessionWrites are the statements that a session is written with.
var sessionWrites = slices.Concat([]string{addSession, putSession, sessionAt, putWords, dropWords, dropSession},
	recordingShelf.writes(), artifactShelf.writes())

// writes are the prepared statements of a transaction, by their text.
type writes func(query string) *sql.Stmt

// Save merges each session into its stored document, and with the last of them records the checkpoint:
// every entry up to that position is then in the documents. A checkpoint never moves back; "" leaves it.
// The sessions must not change meanwhile. When Save fails, some of them may have been saved.
func (s *SQLite) Save(ctx context.Context, sessions []*room.Session, checkpoint string) error {
	position, err := parsePosition(checkpoint)
	if err != nil {
		return fmt.Errorf("save sessions: %w", err)
	}
	s.saving.Lock()
	defer s.saving.Unlock()
	for first := true; first || len(sessions) > 0; first = false {
		size := min(len(sessions), saveChunk)
		docs, err := s.merged(ctx, sessions[:size])
		if err == nil {
			sessions = sessions[size:]
			err = s.write(ctx, func(tx *sql.Tx) error { return s.put(tx, docs, position, len(sessions) == 0) })
		}
		if err != nil {
			return s.failed("save sessions", err)
		}
	}
	return nil
}

func (s *SQLite) put(tx *sql.Tx, docs []*document, checkpoint int64, last bool) error {
	for _, d := range docs {
		if err := d.put(s.in(tx)); err != nil {
			return err
		}
	}
	if !last || checkpoint == 0 {
		return nil
	}
	_, err := s.in(tx)(putCheckpoint).Exec(checkpoint)
	return err
}

// document is a session as it is stored.
type document struct {
	session *room.Session
	row     int64  // its place, when it is stored
	stored  []byte // as it was before, nil when it is new
	was     string // its text before

	summary room.Summary
	text    string
	bytes   []byte
	values  []any   // of the session's row: its columns, then their sum
	filed   []filed // of its recordings and artifacts, those that are new or differ
}

// merged are the documents to write: those that differ from what is stored. This is the long part of
// saving, and the writer has nothing to do with it.
func (s *SQLite) merged(ctx context.Context, sessions []*room.Session) ([]*document, error) {
	known := make(map[room.Key]*document, len(sessions))
	for _, session := range sessions {
		d := known[session.Key()]
		if d == nil {
			var err error
			if d, err = s.document(ctx, session.Key()); err != nil {
				return nil, err
			}
			known[session.Key()] = d
		}
		d.session.Merge(session)
	}
	changed := make([]*document, 0, len(known))
	for _, d := range known {
		if err := d.encode(); err != nil {
			return nil, err
		}
		if bytes.Equal(d.stored, d.bytes) {
			continue
		}
		if err := s.leaveUnchanged(ctx, d); err != nil {
			return nil, err
		}
		changed = append(changed, d)
	}
	return changed, nil
}

// document is the stored one, or an empty one when there is none.
func (s *SQLite) document(ctx context.Context, key room.Key) (*document, error) {
	d := &document{session: room.New(key)}
	err := s.reads.QueryRowContext(ctx, "SELECT row, text, doc FROM sessions WHERE sid = ? AND source = ?", key.SID, key.Source).
		Scan(&d.row, &d.was, &d.stored)
	if errors.Is(err, sql.ErrNoRows) {
		return d, nil
	}
	if err != nil {
		return nil, err
	}
	return d, decode(d.stored, d.session)
}

func decode(doc []byte, session *room.Session) error {
	if err := json.Unmarshal(doc, session); err != nil {
		return fmt.Errorf("%w: document of session %q: %w", errUndecodable, session.SID, err)
	}
	return nil
}

func (d *document) encode() (err error) {
	if d.bytes, err = json.Marshal(d.session); err != nil {
		return err
	}
	detail := d.session.Detail()
	d.summary = detail.Summary()
	d.text = textOf(detail) + marksOf(detail)
	if d.filed, err = filedOf(detail); err != nil {
		return err
	}
	summary, err := json.Marshal(d.summary)
	created := d.session.Created()
	d.values = []any{d.session.Source, d.session.SID, d.summary.RoomID, d.summary.ParentRoomID, string(d.summary.State), int64(d.session.Received),
		int64(created.For), int64(created.Failing), summary, d.text, d.bytes}
	d.values = append(d.values, sumOf(d.values))
	return err
}

// put writes the session where it stands in time, and what is filed of it. One whose beginning was
// learned anew changes its place, and what refers to it goes along.
func (d *document) put(on writes) (err error) {
	before, isNew := d.row, d.stored == nil
	if begin := room.At(d.summary.Begin()); isNew || !began(d.row, begin) {
		if d.row, err = vacant(on(sessionAt), placeOf(begin, d.session.Source, d.session.SID)); err != nil {
			return err
		}
	}
	if values := append([]any{d.row}, d.values...); isNew {
		_, err = on(addSession).Exec(values...)
	} else {
		_, err = on(putSession).Exec(append(values, before)...)
	}
	if err == nil && !isNew && before != d.row {
		err = move(on, before, d.row)
	}
	if err == nil && (isNew || before != d.row || d.was != d.text) {
		_, err = on(putWords).Exec(d.row, d.text)
	}
	for i := 0; err == nil && i < len(d.filed); i++ {
		err = d.filed[i].put(on, d.row)
	}
	return err
}

func move(on writes, from, to int64) error {
	for _, shelf := range []*shelf{recordingShelf, artifactShelf} {
		if _, err := on(shelf.follow).Exec(to, from); err != nil {
			return err
		}
	}
	_, err := on(dropWords).Exec(from)
	return err
}

// vacant is the first place from one on that no row takes.
func vacant(taken *sql.Stmt, place int64) (int64, error) {
	for {
		var one int
		err := taken.QueryRow(place).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return place, nil
		}
		if err != nil {
			return 0, err
		}
		place++
	}
}
