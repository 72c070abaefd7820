package store

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/roomwatch/roomwatch/room"
)

// cursorVersion is the first byte of every cursor, so that a later form is told from this one.
const cursorVersion = 1

// cursor is the last row of a page of sessions: the next page begins below it, whatever came in above.
type cursor struct {
	begin       room.Time
	source, sid string
}

func (c cursor) String() string {
	b := binary.AppendVarint([]byte{cursorVersion}, int64(c.begin))
	b = binary.AppendUvarint(b, uint64(len(c.source)))
	return base64.RawURLEncoding.EncodeToString(append(append(b, c.source...), c.sid...))
}

func parseCursor(text string) (c cursor, err error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) == 0 || b[0] != cursorVersion {
		return c, ErrBadCursor
	}
	b = b[1:]
	begin, n := binary.Varint(b)
	if n <= 0 {
		return c, ErrBadCursor
	}
	b = b[n:]
	source, n := binary.Uvarint(b)
	if n <= 0 || source > uint64(len(b)-n) {
		return c, ErrBadCursor
	}
	b = b[n:]
	return cursor{room.Time(begin), string(b[:source]), string(b[source:])}, nil
}
