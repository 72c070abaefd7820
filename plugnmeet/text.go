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

// shown is text of at most limit bytes, or "" when nothing of it can be seen.
func shown(text string, limit int) string { return room.Shown(clip(text, limit)) }

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
