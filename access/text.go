package access

import (
	"fmt"
	"strings"
	"unicode"
)

// quoted bounds what a stranger can put before an operator's eyes.
func quoted(text string) string { return fmt.Sprintf("%+q", clip(text, 48)) }

// clip cuts a text to at most limit bytes of valid UTF-8.
func clip(text string, limit int) string {
	if len(text) > limit {
		text = text[:limit]
	}
	return strings.ToValidUTF8(text, "")
}

// line is a text fit for one line of a log or a list: bounded, and without what would begin another line
// or reverse its reading.
func line(text string, limit int) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return r
	}, clip(text, limit))
}
