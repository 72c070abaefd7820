package plugnmeet

import (
	"bytes"
	"hash/maphash"
	"sync/atomic"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// swift checks and redacts a body in one pass. It takes most of what plugNmeet sends, and of whatever it
// takes it makes exactly what strict and redact do (FuzzSwift); all else, every fault among it, is left to
// those, which know what to say.
type swift struct {
	data  []byte
	at    int
	out   []byte
	names [][]byte // of the objects that are open, to find one twice
	sid   []byte   // the room's, as written

	document []byte // the text of room.metadata
	sifted   bytes.Buffer
	metadata trusting
	enc      jsontext.Encoder
}

// wipe leaves nothing of a room's keys in what is used again.
func (s *swift) wipe() {
	clear(s.out[:cap(s.out)])
	clear(s.document[:cap(s.document)])
	clear(s.names[:cap(s.names)])
	s.data, s.sid = nil, nil
}

// maxMembers of one object are compared with each other; larger ones are left to those who know better.
const maxMembers = 64

// redact is the body rewritten as redaction.redact does, or false.
func (s *swift) redact(body []byte) (shown []byte, taken bool) {
	s.data, s.at, s.out, s.names, s.sid = body, 0, s.out[:0], s.names[:0], nil
	if s.space() != '{' || !s.object(atTop, 1) || s.space() != 0 || s.at < len(body) {
		return nil, false
	}
	return bytes.Clone(s.out), true
}

// space skips white space and gives what follows, 0 at the end.
func (s *swift) space() byte {
	for ; s.at < len(s.data); s.at++ {
		switch c := s.data[s.at]; c {
		case ' ', '\n', '\r', '\t':
		default:
			return c
		}
	}
	return 0
}

func (s *swift) value(in place, depth int) bool {
	from := s.at
	switch c := s.data[s.at]; {
	case c == '"':
		escaped, ok := s.text()
		if ok {
			s.writeText(s.data[from:s.at], escaped)
		}
		return ok
	case c == '{':
		return s.object(in, depth+1)
	case c == '[':
		return s.array(depth + 1)
	case c == '-' || '0' <= c && c <= '9':
		if !s.number() {
			return false
		}
	case !s.literal():
		return false
	}
	s.out = append(s.out, s.data[from:s.at]...)
	return true
}

// writeText writes a string as a jsontext.Encoder does.
func (s *swift) writeText(raw []byte, escaped bool) {
	if !escaped {
		s.out = append(s.out, raw...)
		return
	}
	s.document, _ = jsontext.AppendUnquote(s.document[:0], raw)
	s.out, _ = jsontext.AppendQuote(s.out, s.document)
}

func (s *swift) array(depth int) bool {
	if depth > maxDepth {
		return false
	}
	s.at++
	s.out = append(s.out, '[')
	for more := s.space() != ']'; more; {
		if s.space() == 0 || !s.value(elsewhere, depth) {
			return false
		}
		switch s.space() {
		case ',':
			s.out = append(s.out, ',')
			s.at++
		case ']':
			more = false
		default:
			return false
		}
	}
	s.at++
	s.out = append(s.out, ']')
	return true
}

func (s *swift) object(in place, depth int) bool {
	if depth > maxDepth {
		return false
	}
	s.at++
	s.out = append(s.out, '{')
	base := len(s.names)
	for more := s.space() != '}'; more; {
		if !s.member(in, depth, base) {
			return false
		}
		switch s.space() {
		case ',':
			s.out = append(s.out, ',')
			s.at++
		case '}':
			more = false
		default:
			return false
		}
	}
	s.at++
	s.names = s.names[:base]
	s.out = append(s.out, '}')
	return true
}

func (s *swift) member(in place, depth, base int) bool {
	if s.space() != '"' {
		return false
	}
	from := s.at
	if escaped, ok := s.text(); !ok || escaped {
		return false
	}
	name := s.data[from:s.at]
	for _, other := range s.names[base:] {
		if bytes.Equal(other, name) {
			return false
		}
	}
	if s.names = append(s.names, name); len(s.names)-base > maxMembers || s.space() != ':' {
		return false
	}
	s.at++
	s.out = append(append(s.out, name...), ':')
	kind := s.space()
	label := labelOf(name)
	switch from := s.at; treat(in, label, jsontext.Kind(kind)) {
	case hide:
		return kind != 0 && s.hide(in, depth)
	case sift:
		return kind == '"' && s.sift()
	default:
		ok := kind != 0 && s.value(within(in, label), depth)
		if in == inRoom && string(name) == `"sid"` && ok {
			s.sid = s.data[from:s.at]
		}
		return ok
	}
}

// hide keeps only whether there was something.
func (s *swift) hide(in place, depth int) bool {
	from, written := s.at, len(s.out)
	if !s.value(in, depth) {
		return false
	}
	if s.out = s.out[:written]; empty(s.data[from:s.at]) {
		s.out = append(s.out, s.data[from:s.at]...)
	} else {
		s.out = append(s.out, hiddenValue...)
	}
	return true
}

// plain are the characters that a string may hold as they are, and that are one byte.
var plain = func() (plain [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		plain[c] = c != '"' && c != '\\'
	}
	return plain
}()

// text passes a string, and says whether anything in it is escaped.
func (s *swift) text() (escaped, ok bool) {
	data := s.data
	for i := s.at + 1; i < len(data); {
		switch c := data[i]; {
		case plain[c]:
			i++
		case c == '"':
			s.at = i + 1
			return escaped, true
		case c == '\\':
			n := escapeLength(data[i:])
			if n == 0 {
				return false, false
			}
			escaped = true
			i += n
		case c < utf8.RuneSelf:
			return false, false
		default:
			r, n := utf8.DecodeRune(data[i:])
			if r == utf8.RuneError && n <= 1 {
				return false, false
			}
			i += n
		}
	}
	return false, false
}

// escapeLength is how long the escape is that the text begins with; 0 when it is none, or half a character.
func escapeLength(text []byte) int {
	if len(text) < 2 {
		return 0
	}
	switch text[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
	default:
		return 0
	}
	if len(text) < 6 || (text[2] == 'd' || text[2] == 'D') && text[3] > '7' {
		return 0
	}
	for _, c := range text[2:6] {
		if !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f') {
			return 0
		}
	}
	return 6
}

func (s *swift) literal() bool {
	for _, word := range [...]string{"null", "true", "false"} {
		if bytes.HasPrefix(s.data[s.at:], []byte(word)) {
			s.at += len(word)
			return true
		}
	}
	return false
}

func (s *swift) number() bool {
	s.skip('-')
	if !s.skip('0') && !s.digits() {
		return false
	}
	if s.skip('.') && !s.digits() {
		return false
	}
	if s.skip('e') || s.skip('E') {
		_ = s.skip('+') || s.skip('-')
		return s.digits()
	}
	return true
}

func (s *swift) skip(c byte) bool {
	if s.at < len(s.data) && s.data[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *swift) digits() bool {
	from := s.at
	for s.at < len(s.data) && '0' <= s.data[s.at] && s.data[s.at] <= '9' {
		s.at++
	}
	return s.at > from
}

// known is what is left of a room.metadata, and by what that is known again. plugNmeet sends it with nearly everything,
// and it is most of what it sends: until it changes, it is neither checked nor sifted again. As it came it holds the
// room's keys and PINs, so nothing of that is kept but its length and a hash, whose seed nobody knows.
type known struct {
	length int
	hash   uint64
	sifted []byte
}

// is says whether what comes next begins with it.
func (k *known) is(next []byte) bool {
	return len(next) >= k.length && maphash.Bytes(latelySeed, next[:k.length]) == k.hash
}

// lately are the metadata that came last, by session. Two that share a place take turns.
var (
	lately     [4096]atomic.Pointer[known]
	latelySeed = maphash.MakeSeed()
)

// maxKnown bounds what is remembered of one, in bytes.
const maxKnown = 16 << 10

// sift writes what the policy leaves of room.metadata, a text.
func (s *swift) sift() bool {
	place := &lately[maphash.Bytes(latelySeed, s.sid)%uint64(len(lately))]
	if k := place.Load(); k != nil && k.is(s.data[s.at:]) {
		s.at += k.length
		s.out = append(s.out, k.sifted...)
		return true
	}
	from := s.at
	if _, ok := s.text(); !ok {
		return false
	}
	raw := s.data[from:s.at]
	s.document, _ = jsontext.AppendUnquote(s.document[:0], raw)
	if document := jsontext.Value(s.document); !document.IsValid() || document.Kind() != '{' {
		return false
	}
	s.sifted.Reset()
	s.enc.Reset(&s.sifted, asIs...)
	s.metadata.reset(s.document)
	metadataPolicy.sift(&s.metadata, &s.enc)
	sifted := bytes.TrimSuffix(s.sifted.Bytes(), []byte("\n"))
	s.out = append(s.out, sifted...)
	if len(raw) <= maxKnown {
		place.Store(&known{len(raw), maphash.Bytes(latelySeed, raw), bytes.Clone(sifted)})
	}
	return true
}
