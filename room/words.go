package room

import (
	"strings"
	"unicode"
)

// Words is a search: every word must begin a word of what is searched.
type Words []string

// ParseWords splits a search text at everything that is neither letter nor digit. At most 8 words count.
func ParseWords(text string) Words {
	words := split(text)
	return words[:min(len(words), 8)]
}

func split(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) })
}

// Find says whether every word begins a word of one of the texts.
func (w Words) Find(texts ...string) bool {
	var have []string
	for _, text := range texts {
		have = append(have, split(text)...)
	}
	for _, word := range w {
		if !begins(have, word) {
			return false
		}
	}
	return true
}

func begins(have []string, word string) bool {
	for _, h := range have {
		if strings.HasPrefix(h, word) {
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
