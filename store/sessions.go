package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// saveChunk is how many sessions are written in one transaction: appends go between two of them.
const saveChunk = 100

const (
	putCheckpoint = `INSERT INTO checkpoint (one, position) VALUES (1, ?)
		ON CONFLICT (one) DO UPDATE SET position = max(position, excluded.position)`
	putSession = `INSERT INTO sessions
		(source, sid, room_id, state, begin_ms, received_ms, created_for, created_failing, text_hash, summary, doc)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (sid, source) DO UPDATE SET room_id = excluded.room_id, state = excluded.state,
			begin_ms = excluded.begin_ms, received_ms = excluded.received_ms, created_for = excluded.created_for,
			created_failing = excluded.created_failing, text_hash = excluded.text_hash,
			summary = excluded.summary, doc = excluded.doc
		RETURNING row`
	putWords = `INSERT OR REPLACE INTO words (rowid, text) VALUES (?, ?)`
)

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
			return fmt.Errorf("save sessions: %w", err)
		}
	}
	return nil
}

func (s *SQLite) put(tx *sql.Tx, docs []*document, checkpoint int64, last bool) error {
	session, words := tx.Stmt(s.prepared[putSession]), tx.Stmt(s.prepared[putWords])
	for _, d := range docs {
		if err := d.put(session, words); err != nil {
			return err
		}
	}
	if !last || checkpoint == 0 {
		return nil
	}
	_, err := tx.Stmt(s.prepared[putCheckpoint]).Exec(checkpoint)
	return err
}

// document is a session as it is stored.
type document struct {
	session *room.Session
	stored  []byte // as it was before, nil when it is new
	hash    int64  // of the stored text

	summary      room.Summary
	text         string
	summaryBytes []byte
	bytes        []byte
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
		if !bytes.Equal(d.stored, d.bytes) {
			changed = append(changed, d)
		}
	}
	return changed, nil
}

// document is the stored one, or an empty one when there is none.
func (s *SQLite) document(ctx context.Context, key room.Key) (*document, error) {
	d := &document{session: room.New(key)}
	err := s.reads.QueryRowContext(ctx, "SELECT text_hash, doc FROM sessions WHERE sid = ? AND source = ?", key.SID, key.Source).
		Scan(&d.hash, &d.stored)
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
		return fmt.Errorf("document of session %q: %w", session.SID, err)
	}
	return nil
}

func (d *document) encode() (err error) {
	if d.bytes, err = json.Marshal(d.session); err != nil {
		return err
	}
	detail := d.session.Detail()
	d.summary, d.text = detail.Summary(), textOf(detail)
	d.summaryBytes, err = json.Marshal(d.summary)
	return err
}

func (d *document) put(session, words *sql.Stmt) error {
	var row int64
	created, hash := d.session.Created(), hashOf(d.text)
	err := session.QueryRow(d.session.Source, d.session.SID, d.summary.RoomID, string(d.summary.State),
		int64(room.At(d.summary.Begin())), int64(d.session.Received), int64(created.For), int64(created.Failing),
		hash, d.summaryBytes, d.bytes).Scan(&row)
	if err != nil || d.stored != nil && d.hash == hash {
		return err
	}
	_, err = words.Exec(row, d.text)
	return err
}

// Load is a session from its document, or ErrNotFound.
func (s *SQLite) Load(ctx context.Context, key room.Key) (*room.Session, error) {
	d, err := s.document(ctx, key)
	if err == nil && d.stored == nil {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("load session: %w", err)
	}
	return d.session, nil
}

// Recent calls fn with the sessions that are not ended, and those of which something was received at or
// after since. It returns fn's error. fn may use the store.
func (s *SQLite) Recent(ctx context.Context, since time.Time, fn func(*room.Session) error) error {
	keys, err := s.recentKeys(ctx, since)
	if err != nil {
		return fmt.Errorf("recent sessions: %w", err)
	}
	for _, key := range keys {
		session, err := s.Load(ctx, key)
		if errors.Is(err, ErrNotFound) {
			continue // retention came first
		}
		if err != nil {
			return fmt.Errorf("recent sessions: %w", err)
		}
		if err := fn(session); err != nil {
			return err
		}
	}
	return nil
}

func (s *SQLite) recentKeys(ctx context.Context, since time.Time) (keys []room.Key, err error) {
	rows, err := s.reads.QueryContext(ctx, `SELECT source, sid FROM sessions WHERE state IN (?, ?)
		UNION SELECT source, sid FROM sessions WHERE received_ms >= ?`,
		string(room.StateCreated), string(room.StateLive), ceilMS(since))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var key room.Key
		if err := rows.Scan(&key.Source, &key.SID); err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, rows.Err()
}

// Siblings are the creations of the newest 50 stored sessions of a room, by sid.
func (s *SQLite) Siblings(ctx context.Context, source, roomID string) (map[string]room.Created, error) {
	siblings, err := s.siblings(ctx, source, roomID)
	if err != nil {
		return nil, fmt.Errorf("siblings: %w", err)
	}
	return siblings, nil
}

func (s *SQLite) siblings(ctx context.Context, source, roomID string) (map[string]room.Created, error) {
	rows, err := s.reads.QueryContext(ctx, `SELECT sid, created_for, created_failing FROM sessions
		WHERE room_id = ? AND source = ? ORDER BY begin_ms DESC, source DESC, sid DESC LIMIT 50`, roomID, source)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	siblings := make(map[string]room.Created)
	for rows.Next() {
		var sid string
		var c room.Created
		if err := rows.Scan(&sid, &c.For, &c.Failing); err != nil {
			return nil, err
		}
		siblings[sid] = c
	}
	return siblings, rows.Err()
}
