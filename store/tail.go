package store

import (
	"slices"
	"strconv"
	"sync"

	"github.com/roomwatch/roomwatch/room"
)

// A tail is trimmed to these when it is twice as large.
const (
	tailEntries = 4096
	tailBytes   = 16 << 20
)

// tail holds the newest entries in memory, so that followers who keep up need not read them again.
type tail struct {
	mu      sync.Mutex
	from    int64 // every entry after this position is here
	entries []room.Delivery
	bytes   int
	grown   chan struct{} // closed and replaced when entries are added
}

func (t *tail) begin(from int64) { t.from, t.grown = from, make(chan struct{}) }

// publish adds what a committed batch has put into the record.
func (t *tail) publish(batch []room.Delivery) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := len(t.entries)
	for _, d := range batch {
		if d.Verdict != room.Duplicate {
			t.entries = append(t.entries, d)
			t.bytes += weight(d)
		}
	}
	if len(t.entries) == before {
		return
	}
	if len(t.entries) > 2*tailEntries || t.bytes > 2*tailBytes {
		t.trim()
	}
	close(t.grown)
	t.grown = make(chan struct{})
}

// trim moves the newest entries to a new array: followers may still hold parts of the old one.
func (t *tail) trim() {
	keep := len(t.entries)
	t.bytes = 0
	for keep > 0 && len(t.entries)-keep < tailEntries && t.bytes < tailBytes {
		keep--
		t.bytes += weight(t.entries[keep])
	}
	if keep > 0 {
		t.from = positionOf(t.entries[keep-1])
	}
	t.entries = slices.Clone(t.entries[keep:])
}

// after is the entries after a position, where the tail begins, and what tells of more.
func (t *tail) after(position int64) (entries []room.Delivery, from int64, grown <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if position >= t.from {
		i, _ := slices.BinarySearchFunc(t.entries, position+1, func(d room.Delivery, p int64) int { return int(positionOf(d) - p) })
		entries = slices.Clip(t.entries[i:])
	}
	return entries, t.from, t.grown
}

func weight(d room.Delivery) int { return len(d.Body) + 512 }

// positionOf is the position of a recorded entry, as a number: as text "10" would stand before "9".
func positionOf(d room.Delivery) int64 {
	position, _ := strconv.ParseInt(d.Position, 10, 64) // we wrote it
	return position
}
