package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/roomwatch/roomwatch/room"
)

// carryDocuments files the sessions of version 2 anew, each from its document, which has all that is known.
func carryDocuments(ctx context.Context, tx *sql.Tx, p *progress) error {
	prepared, err := prepare(ctx, tx, sessionWrites)
	if err != nil {
		return err
	}
	next, err := tx.PrepareContext(ctx, "SELECT row, source, sid, doc FROM carried WHERE row > ? ORDER BY row LIMIT 1")
	if err != nil {
		return err
	}
	for row := int64(0); err == nil; p.rows.Add(1) {
		row, err = carry(next, row, func(query string) *sql.Stmt { return prepared[query] })
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if err := next.Close(); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "DROP TABLE carried")
	return err
}

// carry files the first session after a row of the old table, and returns that one's row.
func carry(next *sql.Stmt, after int64, on writes) (row int64, err error) {
	var key room.Key
	d := &document{isNew: true}
	if err := next.QueryRow(after).Scan(&row, &key.Source, &key.SID, &d.bytes); err != nil {
		return row, err
	}
	d.session = room.New(key)
	if err := decode(d.bytes, d.session); err != nil {
		return row, fmt.Errorf("%w: %w", errDamaged, err) // version 2 could not read it either
	}
	if err := d.encode(); err != nil {
		return row, err
	}
	return row, d.put(on)
}

// carryWords gives the full-text index the words of older sessions as they are searched now. What is plain ASCII has
// the same ones as ever; of the rest, documents need not be read.
func carryWords(ctx context.Context, tx *sql.Tx, p *progress) error {
	words, err := tx.PrepareContext(ctx, putWords)
	if err != nil {
		return err
	}
	update, err := tx.PrepareContext(ctx, "UPDATE sessions SET text = ?, sum = ? WHERE row = ?")
	if err != nil {
		return err
	}
	next, err := tx.PrepareContext(ctx, "SELECT row, sum, "+sessionColumns+" FROM sessions WHERE row > ? ORDER BY row LIMIT 1")
	if err != nil {
		return err
	}
	for row := int64(math.MinInt64); ; p.rows.Add(1) {
		var sum int64
		values := make([]any, strings.Count(sessionColumns, ",")+1)
		into := []any{&row, &sum}
		for i := range values {
			into = append(into, &values[i])
		}
		err := next.QueryRowContext(ctx, row).Scan(into...)
		if errors.Is(err, sql.ErrNoRows) {
			return next.Close()
		}
		if err != nil {
			return err
		}
		text, is := values[textColumn].(string)
		if !is || strings.IndexFunc(unmarked(text), beyondASCII) < 0 {
			continue
		}
		whole := sum == sumOf(values)
		if values[textColumn] = retitled(text, values[summaryColumn]); whole { // what is damaged must not look whole
			sum = sumOf(values)
		}
		if _, err := words.ExecContext(ctx, row, indexText(values[textColumn].(string))); err != nil {
			return err
		}
		if _, err := update.ExecContext(ctx, values[textColumn], sum, row); err != nil {
			return err
		}
	}
}

// The places of two columns in sessionColumns.
const (
	summaryColumn = 8
	textColumn    = 9
)

func beyondASCII(r rune) bool { return r >= utf8.RuneSelf }

// retitled is a session's text with the marks of its title made anew.
func retitled(text string, summary any) string {
	var head room.Filed
	data, _ := summary.([]byte)
	_ = json.Unmarshal(data, &head) // what cannot be read has no title to be found by
	kept, _, _ := strings.Cut(text, " "+inTitle)
	return kept + titleMarks(head.Title, head.RoomID)
}

// carryTitles writes the text of every session anew, for the words that its title has there now.
func carryTitles(ctx context.Context, tx *sql.Tx, p *progress) error {
	prepared, err := prepare(ctx, tx, sessionWrites)
	if err != nil {
		return err
	}
	on := func(query string) *sql.Stmt { return prepared[query] }
	next, err := tx.PrepareContext(ctx, "SELECT row, source, sid, text, doc FROM sessions WHERE row > ? ORDER BY row LIMIT 1")
	if err != nil {
		return err
	}
	for row := int64(math.MinInt64); ; p.rows.Add(1) {
		var key room.Key
		d := &document{}
		err := next.QueryRow(row).Scan(&row, &key.Source, &key.SID, &d.was.text, &d.stored)
		if errors.Is(err, sql.ErrNoRows) {
			return next.Close()
		}
		if err != nil {
			return err
		}
		d.row, d.session = row, room.New(key)
		if err := decode(d.stored, d.session); err != nil {
			continue // it could not be read before either, and says so when it is asked for
		}
		if err := d.encode(); err != nil {
			return err
		}
		d.filed = nil // what is filed of it stays as it is
		if err := d.put(on); err != nil {
			return err
		}
	}
}
