// Package simulate makes plugNmeet's deliveries where there is no plugNmeet: it lets an installation live a
// life of its own and tells of it (Plan, Life, Sender), and it sends recorded deliveries again (Replay).
package simulate

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// maxLine is twice what a webhook may carry, for escaping makes a recorded body longer.
const maxLine = 2 << 20

// Recorded is one delivery of a capture. Event and ID are what its body says, "" if it says none.
type Recorded struct {
	At        time.Duration // since the first
	Body      []byte
	Event, ID string
}

// Read reads a capture, one JSON object a line: {"at_ms", "body", …} as recorded from a plugNmeet, or
// {"n", "note", "headers", "body"} as in the contract's fixtures, which have no times. Signatures are not
// read: they would have expired. An error names the line.
func Read(r io.Reader) ([]Recorded, error) {
	var all []Recorded
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	n := 0
	for lines.Scan() {
		n++
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		delivery, err := parseLine(lines.Bytes())
		if err != nil {
			return nil, fmt.Errorf("read capture: line %d: %w", n, err)
		}
		all = append(all, delivery)
	}
	if err := lines.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			err = fmt.Errorf("longer than %d bytes", maxLine)
		}
		return nil, fmt.Errorf("read capture: line %d: %w", n+1, err)
	}
	return all, nil
}

func parseLine(line []byte) (Recorded, error) {
	var recorded struct {
		AtMS int64   `json:"at_ms"`
		Body *string `json:"body"`
	}
	if err := json.Unmarshal(line, &recorded); err != nil {
		return Recorded{}, err
	}
	if recorded.Body == nil {
		return Recorded{}, errors.New("has no body")
	}
	delivery := Recorded{At: time.Duration(recorded.AtMS) * time.Millisecond, Body: []byte(*recorded.Body)}
	var said struct{ Event, ID string }
	if json.Unmarshal(delivery.Body, &said) == nil { // a body need not be sound: receivers are tested with it
		delivery.Event, delivery.ID = said.Event, said.ID
	}
	return delivery, nil
}

// Shuffled is deliveries in an order that depends only on seed, each twice if double is set. What is
// shuffled has no times, and is replayed without pauses.
func Shuffled(deliveries []Recorded, seed uint64, double bool) []Recorded {
	all := make([]Recorded, 0, 2*len(deliveries))
	for _, delivery := range deliveries {
		delivery.At = 0
		all = append(all, delivery)
		if double {
			all = append(all, delivery)
		}
	}
	order := rand.New(rand.NewPCG(seed, 0))
	order.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}
