package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/roomwatch/roomwatch/access"
)

const trimEvery = 64 // entries

// AddEntry writes a line into the audit trail. The oldest lines go; those that strangers cause are counted by
// themselves, or a stranger could push out all others.
func (a *Accounts) AddEntry(ctx context.Context, e access.Entry) error {
	stranger, most := 0, maxAudited
	if e.Act.ByStranger() {
		stranger, most = 1, maxStrangers
	}
	data, err := json.Marshal(e)
	if err != nil {
		return failedAccounts("write the audit trail", err)
	}
	return failedAccounts("write the audit trail", a.write(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, "INSERT INTO audit (stranger, doc) VALUES (?, ?)", stranger, data)
		if err != nil {
			return err
		}
		if row, err := done.LastInsertId(); err != nil || row%trimEvery != 0 {
			return err
		}
		var keep int64
		err = tx.QueryRowContext(ctx, "SELECT row FROM audit WHERE stranger = ? ORDER BY row DESC LIMIT 1 OFFSET ?", stranger, most).Scan(&keep)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, "DELETE FROM audit WHERE stranger = ? AND row <= ?", stranger, keep)
		}
		return err
	}))
}

// Audit is a page of the trail, newest first: what is before a line, or the newest for 0, with the number to
// go on with, 0 at the end.
func (a *Accounts) Audit(ctx context.Context, before int64, limit int) (entries []access.Entry, next int64, err error) {
	rows, err := a.reads.QueryContext(ctx, "SELECT row, doc FROM audit WHERE ? = 0 OR row < ? ORDER BY row DESC LIMIT ?", before, before, limit+1)
	if err != nil {
		return nil, 0, failedAccounts("read the audit trail", err)
	}
	defer rows.Close()
	var last int64
	for rows.Next() {
		var row int64
		var doc sql.RawBytes
		var e access.Entry
		err := rows.Scan(&row, &doc)
		if err == nil {
			err = json.Unmarshal(doc, &e)
		}
		if err != nil {
			return nil, 0, failedAccounts("read the audit trail", err)
		}
		if len(entries) == limit {
			return entries, last, nil
		}
		entries, last = append(entries, e), row
	}
	return entries, 0, failedAccounts("read the audit trail", rows.Err())
}
