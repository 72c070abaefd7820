package store

import (
	"strings"

	"github.com/roomwatch/roomwatch/room"
)

// word is one that is searched for: it must be found as the beginning of one. The index has rig-f1-1 as
// rig, f1 and 1 (see room.Pieces), so a word is looked for as the phrase of its pieces, of which the last may
// be a beginning.
type word struct {
	typed  string   // with a space between pieces
	pieces []string // as the index knows them
}

func (w word) last() string { return w.pieces[len(w.pieces)-1] }

// phrase is all but the last piece.
func (w word) phrase() string { return strings.Join(w.pieces[:len(w.pieces)-1], " ") }

// wordsOf are the words in what somebody typed: those that have anything that is searched.
func wordsOf(typed string) (words []word) {
	for field := range strings.FieldsSeq(typed) {
		if pieces := room.Sought(field); len(pieces) > 0 && len(words) < maxWords {
			words = append(words, word{strings.Join(pieces, " "), pieces})
		}
	}
	return words
}

// in says whether the word is found among pieces of a text.
func (w word) in(pieces []string) bool {
	for i := range pieces {
		if w.at(pieces[i:]) {
			return true
		}
	}
	return false
}

func (w word) at(pieces []string) bool {
	if len(pieces) < len(w.pieces) {
		return false
	}
	last := len(w.pieces) - 1
	for i, piece := range w.pieces[:last] {
		if pieces[i] != piece {
			return false
		}
	}
	return strings.HasPrefix(pieces[last], w.pieces[last])
}

// allIn says whether every word is found in a text.
func allIn(words []word, text string) bool {
	pieces := room.Pieces(text)
	for _, w := range words {
		if !w.in(pieces) {
			return false
		}
	}
	return true
}

// found is the line of a session's text to show for a search: that of the first person who matches what
// neither title nor room_id do; else the first that matches anything.
func found(words []word, text string, session room.Head) string {
	var elsewhere []word
	names := room.Pieces(session.Title + "\n" + session.RoomID)
	for _, w := range words {
		if !w.in(names) {
			elsewhere = append(elsewhere, w)
		}
	}
	if len(elsewhere) > 0 {
		words = elsewhere
	}
	for line := range strings.Lines(text) {
		pieces := room.Pieces(line)
		for _, w := range words {
			if w.in(pieces) {
				return strings.TrimSuffix(line, "\n")
			}
		}
	}
	return ""
}
