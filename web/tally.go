package web

import (
	"sync"
	"time"
)

const (
	maxRefused   = 60     // failed authentications a minute from an address, then 429
	maxNotes     = 30     // notes a minute of an address
	maxAddresses = 10_000 // that are counted apart; the others count together
)

// tally counts what was refused, by address and minute.
type tally struct {
	mu     sync.Mutex
	minute int64
	counts map[string]int
}

func newTally() *tally { return &tally{counts: make(map[string]int)} }

// add counts one more and says how many there were of the address in this minute.
func (t *tally) add(address string, now time.Time) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if minute := now.Unix() / 60; minute != t.minute {
		t.minute = minute
		clear(t.counts)
	}
	if _, known := t.counts[address]; !known && len(t.counts) >= maxAddresses {
		address = ""
	}
	t.counts[address]++
	return t.counts[address]
}
