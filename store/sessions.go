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
	// freshSession leaves alone what nearly all indexes are of.
	freshSession = `UPDATE sessions SET (received_ms, created_for, created_failing, summary, text, doc, sum) = (?, ?, ?, ?, ?, ?, ?) WHERE row = ?`
	standingOf   = `SELECT row, text, room_id, parent, state FROM sessions WHERE sid = ? AND source = ?`
	documentOf   = `SELECT row, text, room_id, parent, state, doc FROM sessions WHERE sid = ? AND source = ?`
	heardOf      = `SELECT received_ms, doc FROM sessions WHERE sid = ? AND source = ?`
	sessionAt    = `SELECT 1 FROM sessions WHERE row = ?`
	putWords     = `INSERT OR REPLACE INTO words (rowid, text) VALUES (?, ?)`
	dropWords    = `DELETE FROM words WHERE rowid = ?`
	dropSession  = `DELETE FROM sessions WHERE row = ?`
)

// sessionWrites are the statements that a session is written with.
var sessionWrites = slices.Concat([]string{addSession, putSession, freshSession, sessionAt, putWords, dropWords, dropSession},
	recordingShelf.writes(), artifactShelf.writes())

// writes are the prepared statements of a transaction, by their text.
type writes func(query string) *sql.Stmt

// Save merges each session into its stored document, and with the last of them records the checkpoint:
// every entry up to that position is then in the documents. A checkpoint never moves back; "" leaves it.
// The sessions must not change meanwhile, but for Stored, which Save may set. When Save fails, some of them may have been saved.
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
		if err == nil {
			s.versions.written(docs)
		}
		if err != nil {
			return s.failed("save sessions", err)
		}
	}
	return nil
}

func (s *SQLite) put(tx *sql.Tx, docs []*document, checkpoint int64, last bool) error {
	for _, d := range docs {
		before := d.row
		err := d.put(s.in(tx))
		if err == nil {
			err = d.putLasting(s.in(tx), before)
		}
		if err != nil {
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
	isNew   bool
	row     int64         // its place, when it is stored
	stored  []byte        // as it was before; nil when it is new, or when nobody has to read it
	was     was           // as it was before
	of      *room.Session // whose facts it is all of; nil when it may have others

	summary room.Summary
	text    string
	bytes   []byte  // as it is stored
	values  []any   // of the session's row: its columns, then their sum
	filed   []filed // of its recordings and artifacts, those that are new or differ
}

// was is what a stored row has in its indexes.
type was struct{ text, roomID, parent, state string }

// merged are the documents to write: those that differ from what is stored. This is the long part of
// saving, and the writer has nothing to do with it.
func (s *SQLite) merged(ctx context.Context, sessions []*room.Session) ([]*document, error) {
	known := make(map[room.Key]*document, len(sessions))
	for _, session := range sessions {
		d := known[session.Key()]
		if d == nil {
			var err error
			if d, err = s.successor(ctx, session); err != nil {
				return nil, err
			}
			known[session.Key()] = d
		}
		if d.of == session {
			continue
		}
		if d.of != nil { // the same one came before
			d.session, d.of = d.of.Clone(), nil
		}
		d.session.Merge(session)
	}
	changed := make([]*document, 0, len(known))
	for _, d := range known {
		if err := d.encode(); err != nil {
			return nil, err
		}
		if d.stored != nil && bytes.Equal(d.stored, d.bytes) {
			continue
		}
		if err := s.leaveUnchanged(ctx, d); err != nil {
			return nil, err
		}
		changed = append(changed, d)
	}
	return changed, nil
}

// successor is the document of a session that is about to be saved. When the session has every fact of the
// stored one, that need not be read.
func (s *SQLite) successor(ctx context.Context, session *room.Session) (*document, error) {
	key := session.Key()
	if !s.versions.current(session) {
		d, err := s.document(ctx, key)
		if err == nil && d.isNew {
			d.session, d.of = session, session
		}
		return d, err
	}
	d := &document{session: session, of: session}
	err := s.asking[standingOf].QueryRowContext(ctx, key.SID, key.Source).
		Scan(&d.row, &d.was.text, &d.was.roomID, &d.was.parent, &d.was.state)
	if d.isNew = errors.Is(err, sql.ErrNoRows); d.isNew { // retention came first
		err = nil
	}
	return d, err
}

// document is the stored one, or an empty one when there is none.
func (s *SQLite) document(ctx context.Context, key room.Key) (*document, error) {
	d := &document{session: room.New(key)}
	err := s.asking[documentOf].QueryRowContext(ctx, key.SID, key.Source).
		Scan(&d.row, &d.was.text, &d.was.roomID, &d.was.parent, &d.was.state, &d.stored)
	if d.isNew = errors.Is(err, sql.ErrNoRows); d.isNew {
		return d, nil
	}
	if err != nil {
		return nil, err
	}
	if err := decode(d.stored, d.session); err != nil {
		return d, err
	}
	if d.session.Key() != key { // the board would look for it for ever
		return d, fmt.Errorf("%w: document of session %q: it is of session %q", errUndecodable, key.SID, d.session.SID)
	}
	return d, nil
}

// decode reads a document, packed or not.
func decode(stored []byte, session *room.Session) error {
	doc, err := unpack(stored)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(doc, session); err != nil {
		return fmt.Errorf("%w: document of session %q: %w", errUndecodable, session.SID, err)
	}
	session.Renew()
	return nil
}

func (d *document) encode() (err error) {
	doc, err := json.Marshal(d.session)
	if err != nil {
		return err
	}
	d.bytes = pack(nil, doc)
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
	before := d.row
	if begin := room.At(d.summary.Begin()); d.isNew || !began(d.row, begin) {
		if d.row, err = vacant(on(sessionAt), placeOf(begin, d.session.Source, d.session.SID)); err != nil {
			return err
		}
	}
	moves := !d.isNew && before != d.row
	indexed := was{d.was.text, d.summary.RoomID, d.summary.ParentRoomID, string(d.summary.State)}
	switch values := append([]any{d.row}, d.values...); {
	case d.isNew:
		_, err = on(addSession).Exec(values...)
	case moves || indexed != d.was:
		_, err = on(putSession).Exec(append(values, before)...)
	default:
		_, err = on(freshSession).Exec(append(d.values[5:], d.row)...)
	}
	if err == nil && moves {
		err = move(on, before, d.row)
	}
	if err == nil && (d.isNew || moves || d.was.text != d.text) {
		_, err = on(putWords).Exec(d.row, indexText(d.text))
	}
	for i := 0; err == nil && i < len(d.filed); i++ {
		err = d.filed[i].put(on, d.row)
	}
	return err
}

// putLasting says until when the session goes on; before is the row that it had.
func (d *document) putLasting(on writes, before int64) error {
	if !d.isNew && before != d.row {
		if _, err := on(dropLasting).Exec(before); err != nil {
			return err
		}
	}
	length, until := lastingOf(d.row, d.summary.State, d.summary.EndedAt)
	_, err := on(putLasting).Exec(d.row, length, int64(until))
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
