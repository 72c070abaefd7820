package room

import "unicode"

// Shown is the text, or "" when nothing of it can be seen: a title or a name of spaces, zero-width characters or
// marks of direction is none, and what stands for it elsewhere (room_id, identity) is shown instead.
func Shown(text string) string {
	for _, r := range text {
		if seen(r) {
			return text
		}
	}
	return ""
}

// blanks are the characters that take space, or none, and leave no mark. The default ignorable ones are those that
// Unicode wants shown as nothing: fillers of Hangul, variation selectors, tags.
var blanks = []*unicode.RangeTable{unicode.Cc, unicode.Cf, unicode.Z, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector}

const (
	brailleBlank = '\u2800'     // the pattern without a dot
	nullNotehead = '\U0001D159' // of musical notation
)

func seen(r rune) bool {
	if '!' <= r && r <= '~' {
		return true
	}
	if unicode.Is(unicode.Prepended_Concatenation_Mark, r) { // of format, and drawn all the same
		return true
	}
	return r != brailleBlank && r != nullNotehead && !unicode.In(r, blanks...)
}
