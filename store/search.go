package store

import (
	"hash/fnv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/roomwatch/roomwatch/room"
)

const (
	maxText  = 64 << 10 // bytes of a session's text that can be found
	maxWords = 24       // words of a query that are looked at
)

// textOf is what a session can be found by: its title, its room_id, who was there. A name takes a line;
// of a meeting of thousands the first to come fill the text.
func textOf(d room.Detail) string {
	var text strings.Builder
	seen := make(map[string]bool)
	add := func(part string) {
		if part != "" && !seen[part] && text.Len() < maxText {
			seen[part] = true
			text.WriteString(part)
			text.WriteByte('\n')
		}
	}
	add(d.Title)
	add(d.RoomID)
	for _, p := range d.Participants {
		add(p.Name)
		add(p.Identity)
	}
	return cut(text.String(), maxText)
}

// cut shortens text to at most size bytes, between two characters.
func cut(text string, size int) string {
	if len(text) <= size {
		return text
	}
	for size > 0 && !utf8.RuneStart(text[size]) {
		size--
	}
	return text[:size]
}

func hashOf(text string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text)) // a hash takes everything
	return int64(h.Sum64())
}

// matchOf turns what somebody typed into a full-text expression, or says that nothing can match. Every
// word must be found, as the beginning of one. The index splits rig-f1-1 into rig, f1 and 1, so a word is
// looked for as the phrase of its pieces, of which the last may be a beginning.
//
// Only letters, digits and their marks pass, within quotes: nothing that the user types is syntax.
func matchOf(typed string) (expression string, possible bool) {
	var words []string
	for word := range strings.FieldsSeq(typed) {
		if strings.ContainsFunc(word, indexed) && len(words) < maxWords {
			words = append(words, `"`+strings.Map(within, word)+`"*`)
		}
	}
	return strings.Join(words, " AND "), len(words) > 0
}

// indexed: the index's tokenizer, unicode61, takes the character into words.
func indexed(r rune) bool { return unicode.In(r, unicode.L, unicode.N, unicode.Co) }

// within is the character as it may stand within a phrase; what separates pieces is a space there.
func within(r rune) rune {
	if indexed(r) || unicode.Is(unicode.M, r) {
		return r
	}
	return ' '
}
