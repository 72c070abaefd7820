package plugnmeet

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/roomwatch/roomwatch/room"
)

// printable is text without control characters; line breaks and tabs become spaces.
func printable(text string) string {
	if strings.IndexFunc(text, unicode.IsControl) < 0 {
		return text
	}
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\n' || c == '\r' || c == '\t':
			return ' '
		case unicode.IsControl(c):
			return -1
		}
		return c
	}, text)
}

// shown is text of at most limit bytes, or "" when nothing of it can be seen. Of a text that is cut within what cannot
// be seen at its begin, the part from its first visible character on is taken.
func shown(text string, limit int) string {
	if cut := room.Shown(clip(text, limit)); cut != "" || len(text) <= limit {
		return cut
	}
	return clip(strings.TrimLeftFunc(text, func(r rune) bool { return room.Shown(string(r)) == "" }), limit)
}

// clip cuts text to at most limit bytes, never inside a character.
func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return strings.Clone(text[:limit])
}
