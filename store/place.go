package store

import (
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"math"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// A place is where something stands in a list, newest first, and the number of its row: the millisecond
// in which it began, then placeBits that tell apart what began together. Lists need no index for their
// order then, a cursor is one number, and the full-text index, too, goes by time.
const (
	placeBits = 20
	farthest  = room.Time(1)<<(63-placeBits) - 2 // the year 2248; what claims to be later stands there
)

// placeOf is where something stands that began at a time. What began together is in the order of a hash
// of its names, which no arrival can change.
func placeOf(begin room.Time, names ...string) int64 {
	h := fnv.New64a()
	for _, name := range names {
		_, _ = h.Write(append([]byte(name), 0)) // a hash takes everything
	}
	return firstPlace(begin) | int64(h.Sum64()>>(64-placeBits))
}

func firstPlace(begin room.Time) int64 {
	return int64(max(-farthest, min(farthest, begin))) << placeBits
}

// began says whether a place is one of those for a beginning.
func began(place int64, begin room.Time) bool {
	return place>>placeBits == firstPlace(begin)>>placeBits
}

// A list marks its cursors with a byte of its own, so that one list's is not taken for another's.
const (
	markSessions   = 3
	markRecordings = 4
	markArtifacts  = 5
)

func formatCursor(mark byte, place int64) string {
	return base64.RawURLEncoding.EncodeToString(binary.AppendVarint([]byte{mark}, place))
}

func parseCursor(mark byte, text string) (place int64, err error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) == 0 {
		return 0, ErrBadCursor
	}
	place, _ = binary.Varint(b[1:])
	if formatCursor(mark, place) != text {
		return 0, ErrBadCursor
	}
	return place, nil
}

// span is a stretch of a list: the places from one up to, but not including, another.
type span struct{ from, to int64 }

// spanOf is what lies from a time (inclusive) to a time (exclusive), and behind a cursor.
func spanOf(mark byte, from, to time.Time, cursor string) (span, error) {
	sp := span{math.MinInt64, math.MaxInt64}
	if !from.IsZero() {
		sp.from = firstPlace(ceilMS(from))
	}
	if !to.IsZero() {
		sp.to = firstPlace(ceilMS(to))
	}
	if cursor == "" {
		return sp, nil
	}
	below, err := parseCursor(mark, cursor)
	sp.to = min(sp.to, below)
	return sp, err
}

// ceilMS is the first whole millisecond that is not before t.
func ceilMS(t time.Time) room.Time { return room.Time(t.Add(time.Millisecond - 1).UnixMilli()) }

func limitOf(asked int) int {
	if asked <= 0 {
		return room.DefaultLimit
	}
	return min(asked, room.MaxLimit)
}
