package room

import (
	"slices"
	"strings"
	"unicode"
)

// Word is one that is searched for: it must begin a word of what is searched or, in a script without spaces, be found
// anywhere.
type Word struct {
	Text   string // folded
	pieces []string
}

// Words is a search: every word must be found.
type Words []Word

// ParseWords splits a search text at everything that is neither letter nor digit. At most 8 words count.
func ParseWords(text string) (words Words) {
	for _, field := range split(text) {
		if pieces := Sought(field); len(pieces) > 0 && len(words) < 8 {
			words = append(words, Word{Folded(field), pieces})
		}
	}
	return words
}

func split(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) })
}

// Find says whether every word is found in one of the texts.
func (w Words) Find(texts ...string) bool {
	if len(w) == 0 {
		return true
	}
	var have []string
	for _, text := range texts {
		have = append(append(have, Pieces(text)...), "") // nothing goes from one text into the next
	}
	for _, word := range w {
		if !word.in(have) {
			return false
		}
	}
	return true
}

func (w Word) in(pieces []string) bool {
	last := len(w.pieces) - 1
	for i := range len(pieces) - last {
		if strings.HasPrefix(pieces[i+last], w.pieces[last]) && slices.Equal(pieces[i:i+last], w.pieces[:last]) {
			return true
		}
	}
	return false
}

// Mentions says whether the words are found in the session's name, its room_id, or who was there.
func (s *Session) Mentions(w Words, h Head) bool {
	if len(w) == 0 || w.Find(h.Title, h.RoomID) {
		return true
	}
	texts := []string{h.Title, h.RoomID}
	for _, told := range s.Connections {
		for _, said := range told {
			texts = append(texts, said.Said.Name, said.Said.Identity)
		}
	}
	for _, told := range s.Tracks {
		for _, said := range told {
			texts = append(texts, said.Said.OwnerName, said.Said.Owner)
		}
	}
	return w.Find(texts...)
}
