package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
)

// SQLite checks how its file hangs together, not what is written in it: a changed letter within a row
// goes unseen. So rows that matter carry a checksum of their values, which is looked at after an unclean
// stop and by Check.

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumOf is the checksum of a row's values, which are as SQLite gives them back.
func sumOf(values []any) int64 {
	var space []byte
	return sumIn(&space, values)
}

// sumIn does the same in space that is kept from call to call.
func sumIn(space *[]byte, values []any) int64 {
	b := (*space)[:0]
	for _, value := range values {
		b = appendValue(b, value)
	}
	*space = b[:0]
	return int64(crc32.Checksum(b, castagnoli))
}

func appendValue(b []byte, value any) []byte {
	switch v := value.(type) {
	case int64:
		return binary.BigEndian.AppendUint64(append(b, 'i'), uint64(v))
	case float64:
		return binary.BigEndian.AppendUint64(append(b, 'f'), math.Float64bits(v))
	case string:
		return append(binary.AppendUvarint(append(b, 's'), uint64(len(v))), v...)
	case []byte:
		return append(binary.AppendUvarint(append(b, 'b'), uint64(len(v))), v...)
	}
	return append(b, '?') // NULL, or what we never write
}

// deliverySum has two halves, because retention takes the body away: that of the other values above that
// of the body, which is 0 without one.
func deliverySum(space *[]byte, values []any, body []byte) int64 {
	return sumIn(space, values)<<32 | int64(crc32.Checksum(body, castagnoli))
}

// bodiless leaves the upper half of a delivery's sum; it is SQL.
const bodiless = "sum & -4294967296"

// summed are the tables whose rows have a sum, with the columns that it is of. The last of deliveries is
// the body.
var summed = []struct{ table, key, columns string }{
	{"deliveries", "position", "received_at, created_at, source, id, event, room_id, sid, verdict, reason, lag_ms, said, body"},
	{"sessions", "row", sessionColumns},
	{recordingShelf.table, "row", "id, " + recordingShelf.columns},
	{artifactShelf.table, "row", "id, " + artifactShelf.columns},
}

// checkSums looks at every row of a record of this version, the newest first.
func checkSums(ctx context.Context, db *sql.DB) (problems []string, err error) {
	if version, err := versionOf(ctx, db); err != nil || version != len(steps) {
		return nil, err
	}
	for _, t := range summed {
		wrong, err := wrongSums(ctx, db, t.table, fmt.Sprintf("SELECT %s, %s, sum FROM %s NOT INDEXED WHERE sum IS NOT NULL ORDER BY %[1]s DESC", t.key, t.columns, t.table))
		problems = append(problems, wrong...)
		if err != nil || len(problems) >= mostProblems {
			return problems, err
		}
	}
	return problems, nil
}

func wrongSums(ctx context.Context, db *sql.DB, table, query string) (problems []string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() && len(problems) < mostProblems {
		if err := rows.Scan(into...); err != nil {
			return problems, err
		}
		if sumOfRow(table, values[1:len(values)-1]) != values[len(values)-1] {
			problems = append(problems, fmt.Sprintf("row %v of %s was changed", values[0], table))
		}
	}
	return problems, rows.Err()
}

func sumOfRow(table string, values []any) int64 {
	if table != "deliveries" {
		return sumOf(values)
	}
	last := len(values) - 1
	body, _ := values[last].([]byte)
	var space []byte
	return deliverySum(&space, values[:last], body)
}
