package store

import (
	"context"
	"errors"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// Load is a session from its document, or ErrNotFound.
func (s *SQLite) Load(ctx context.Context, key room.Key) (*room.Session, error) {
	version := s.versions.of(key) // before it is read: what is written meanwhile has another
	d, err := s.document(ctx, key)
	if err == nil && d.isNew {
		err = ErrNotFound
	}
	if err != nil {
		return nil, s.failed("load session", err)
	}
	d.session.Stored = version
	return d.session, nil
}

// Recent calls fn with the sessions that are not ended, and those of which something was received at or
// after since. It returns fn's error. fn may use the store.
func (s *SQLite) Recent(ctx context.Context, since time.Time, fn func(*room.Session) error) error {
	keys, err := s.recentKeys(ctx, since)
	if err != nil {
		return s.failed("recent sessions", err)
	}
	for _, key := range keys {
		session, err := s.Load(ctx, key)
		if errors.Is(err, ErrNotFound) {
			continue // retention came first
		}
		if err != nil {
			return s.failed("recent sessions", err)
		}
		if err := fn(session); err != nil {
			return err
		}
	}
	return nil
}

func (s *SQLite) recentKeys(ctx context.Context, since time.Time) (keys []room.Key, err error) {
	rows, err := s.own.QueryContext(ctx, `SELECT source, sid FROM sessions WHERE state IN (?, ?)
		UNION SELECT source, sid FROM sessions WHERE received_ms >= ?`,
		string(room.StateCreated), string(room.StateLive), int64(ceilMS(since)))
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
		return nil, s.failed("siblings", err)
	}
	return siblings, nil
}

const siblingsOf = `SELECT sid, created_for, created_failing FROM sessions INDEXED BY sessions_room
	WHERE room_id = ? AND source = ? ORDER BY row DESC LIMIT 50`

func (s *SQLite) siblings(ctx context.Context, source, roomID string) (map[string]room.Created, error) {
	rows, err := s.asking[siblingsOf].QueryContext(ctx, roomID, source)
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
