package plugnmeet

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// Bounds of what is taken over, in bytes: texts are cut there, ids are refused above maxID.
const (
	maxTitle   = 512
	maxName    = 256
	maxMessage = 1024
	maxPath    = 1024
	maxWord    = 64 // enum names, mime types, event names

	maxOddities = 8       // named in a reason; more are counted
	maxWhole    = 1 << 53 // the greatest number that JSON carries exactly
)

// earliestTime is before plugNmeet existed: an older time is a mistake. A day ahead is one, too.
var (
	earliestTime = room.At(time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC))
	day          = room.Time(24 * time.Hour / time.Millisecond)
)

// reading is one body being read. Values that cannot be used are noted and left out; only an id that is
// too long refuses the body.
type reading struct {
	dec      cursor
	said     *room.Event
	received room.Time

	event            string
	roomName, userID string // room.name and participant.user_id: what they mean depends on others
	created          room.Time
	joined, joinedMS room.Time

	at       []string // the members being read, outermost first
	oddities int
	noted    []string
	partly   bool // an enum has a value that we don't know
	refusal  *Unreadable
}

// read takes what a redacted body says. The body is known to be one valid object.
func (r *reading) read(redacted []byte) *Unreadable {
	r.dec.reset(redacted)
	r.object(deliveryMembers)
	return r.refusal
}

// object reads the members that the table knows. Of a member that is there in both spellings, the
// snake_case one counts.
func (r *reading) object(table members) {
	switch r.dec.PeekKind() {
	case '{':
	case 'n':
		r.skip()
		return
	default:
		r.ignore("not an object")
		r.skip()
		return
	}
	r.dec.bracket()
	seen := make([]string, 0, 16)
	for r.dec.PeekKind() == '"' {
		name := r.dec.value()
		m, known := table[string(name[1:len(name)-1])]
		if !known || m.camel && slices.Contains(seen, m.name) {
			r.skip()
			continue
		}
		if !m.camel {
			seen = append(seen, m.name)
		}
		r.at = append(r.at, m.name)
		m.read(r)
		r.at = r.at[:len(r.at)-1]
	}
	r.dec.bracket()
}

func (r *reading) skip() { r.dec.SkipValue() }

// words reads a text as it is.
func (r *reading) words() string {
	switch r.dec.PeekKind() {
	case '"':
		return printable(r.dec.text())
	case 'n':
	default:
		r.ignore("not a text")
	}
	r.skip()
	return ""
}

// text reads a text that is shown and may be cut. One that shows nothing is absent.
func (r *reading) text(limit int) string { return shown(r.words(), limit) }

// id reads a text that names something: cut, it would name something else. Being used as a key, it has
// neither control characters nor space around it.
func (r *reading) id() string {
	id := strings.TrimSpace(r.words())
	if len(id) > maxID {
		r.refuse(r.path())
	}
	return id
}

func (r *reading) refuse(id string) {
	if r.refusal == nil {
		r.refusal = &Unreadable{fmt.Sprintf("%s is longer than %d bytes", id, maxID)}
	}
}

// number reads a number or a text that holds one.
func (r *reading) number() (n float64, ok bool) {
	kind := r.dec.PeekKind()
	raw := r.dec.value()
	switch kind {
	case 'n':
		return 0, false
	case '"':
		raw = raw[1 : len(raw)-1]
	case '0':
	default:
		r.ignore("not a number")
		return 0, false
	}
	n, err := strconv.ParseFloat(string(raw), 64)
	if goOnly := len(bytes.Trim(raw, "+-.0123456789eE")) > 0; goOnly || err != nil { // NaN, Inf, 0x1p3
		r.ignore("not a number")
		return 0, false
	}
	return n, true
}

// whole reads a count, rounded.
func (r *reading) whole(limit int64) int64 {
	n, ok := r.number()
	if !ok {
		return 0
	}
	if n < 0 || n > float64(limit) {
		r.ignore("out of range")
		return 0
	}
	return int64(math.Round(n))
}

func (r *reading) small() int   { return int(r.whole(math.MaxInt32)) }
func (r *reading) count() int64 { return r.whole(maxWhole) }

// amount reads a number that need not be whole.
func (r *reading) amount(limit float64) float64 {
	n, ok := r.number()
	if ok && (n < 0 || n > limit) {
		r.ignore("out of range")
		return 0
	}
	return n
}

// flag reads a boolean; said is false when there is none.
func (r *reading) flag() (value, said bool) {
	switch r.dec.PeekKind() {
	case 't', 'f':
		return r.dec.value().Kind() == 't', true
	case 'n':
	default:
		r.ignore("not true or false")
	}
	r.skip()
	return false, false
}

// seconds reads a time in seconds; 0 means unknown, on the wire as well as here.
func (r *reading) seconds() room.Time { return r.time(1000) }

func (r *reading) milliseconds() room.Time { return r.time(1) }

func (r *reading) time(unit float64) room.Time {
	n, ok := r.number()
	switch ms := n * unit; {
	case !ok || n == 0:
		return 0
	case ms < float64(earliestTime):
		r.ignore("before 2015")
	case ms > float64(r.received+day):
		r.ignore("more than a day after receipt")
	default:
		return room.Time(math.Round(ms))
	}
	return 0
}

// counts reads a map from names to counts; of more than limit, the first are kept.
func (r *reading) counts(limit int) map[string]int64 {
	if r.dec.PeekKind() != '{' {
		r.object(nil)
		return nil
	}
	r.dec.bracket()
	counts := make(map[string]int64)
	for r.dec.PeekKind() == '"' {
		name := clip(printable(r.dec.text()), maxName)
		if len(counts) == limit {
			r.skip()
			r.ignore("has more than " + strconv.Itoa(limit) + " entries")
			break
		}
		counts[name] = r.count()
	}
	for r.dec.PeekKind() == '"' {
		r.skip()
		r.skip()
	}
	r.dec.bracket()
	return counts
}

func (r *reading) path() string { return strings.Join(r.at, ".") }

func (r *reading) ignore(why string) { r.note("ignored " + r.path() + ": " + why) }

func (r *reading) note(oddity string) {
	r.oddities++
	if len(r.noted) < maxOddities {
		r.noted = append(r.noted, oddity)
	}
}

// odd is what was noted, bounded.
func (r *reading) odd() []string {
	if more := r.oddities - len(r.noted); more > 0 {
		return append(r.noted, fmt.Sprintf("and %d more", more))
	}
	return r.noted
}
