package room

import (
	_ "embed"
	"strings"
	"unicode"
)

// A search finds what people take for the same letter: capitals, letters with marks, those of other widths and
// styles, ı and i, ł and l, ß and ss. And it finds within what is written without spaces between words.

// foldedLetters has a line for what letters are folded to, followed by those letters: all whose compatibility
// decomposition, less its combining marks, is other letters, and those that Unicode does not take apart, as ø.
//
//go:embed folded.txt
var foldedLetters string

var folded = func() map[rune]string {
	letters := make(map[rune]string)
	for line := range strings.Lines(foldedLetters) {
		plain, variants, _ := strings.Cut(strings.TrimSpace(line), " ")
		for _, r := range variants {
			letters[r] = plain
		}
	}
	return letters
}()

// combining are the marks that a letter keeps its meaning without. Marks of other scripts are their vowels.
var combining = &unicode.RangeTable{R16: []unicode.Range16{{0x300, 0x36f, 1}, {0x591, 0x5bd, 1}, {0x5bf, 0x5c7, 1}, {0x610, 0x61a, 1}, {0x64b, 0x65f, 1}, {0x670, 0x670, 1},
	{0x1ab0, 0x1aff, 1}, {0x1dc0, 0x1dff, 1}, {0x20d0, 0x20ff, 1}, {0xfe00, 0xfe0f, 1}, {0xfe20, 0xfe2f, 1}}}

// Folded is a text as it is searched: letters folded, marks left out, all else as it is.
func Folded(text string) string {
	var out strings.Builder
	for _, r := range text {
		switch plain, known := folded[r]; {
		case known:
			out.WriteString(plain)
		case unicode.Is(combining, r):
		default:
			out.WriteRune(unicode.ToLower(r))
		}
	}
	return out.String()
}

// unspaced are scripts that are written without spaces between words, or, as Hangul, are searched within them.
var unspaced = []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar}

const (
	longVowel = '\u30fc' // ー, of Hiragana and Katakana alike
	signs     = '\ue100' // private characters from here on stand for vowel signs of unspaced scripts, see signOf
	signsFrom = '\u0e00'
	signsTo   = '\u17ff'
)

// Unspaced says whether any two neighbouring ones of such characters are found.
func Unspaced(r rune) bool {
	if r < signsFrom || !unicode.In(r, unspaced...) {
		return r == longVowel
	}
	return unicode.Is(unicode.L, r) || unicode.Is(unicode.M, r) && r <= signsTo
}

// signOf is a private character for a vowel sign: a full-text index takes marks for the ends of words.
func signOf(r rune) rune {
	if unicode.Is(unicode.M, r) && r <= signsTo {
		return signs + r - signsFrom
	}
	return r
}

// cutter cuts a text into pieces: words of letters and digits or, of scripts without spaces, every two neighbouring
// characters and the last one alone.
type cutter struct {
	pieces []string
	word   strings.Builder
	run    []rune
	tail   bool // the last piece is the last character of a longer run
}

func (c *cutter) end() {
	if c.word.Len() > 0 {
		c.pieces, c.tail = append(c.pieces, c.word.String()), false
		c.word.Reset()
	}
	for i := range c.run {
		c.pieces, c.tail = append(c.pieces, string(c.run[i:min(i+2, len(c.run))])), len(c.run) > 1
	}
	c.run = c.run[:0]
}

func (c *cutter) take(text string) {
	for _, r := range Folded(text) {
		switch {
		case voiced(c.run, r): // the mark of a voiced syllable that was written apart
		case Unspaced(r):
			if c.word.Len() > 0 {
				c.end()
			}
			c.run = append(c.run, signOf(r))
		case unicode.In(r, unicode.L, unicode.N):
			if len(c.run) > 0 {
				c.end()
			}
			c.word.WriteRune(r)
		default:
			c.end()
		}
	}
	c.end()
}

// voiced makes the last syllable of Kana a voiced one, if the mark says so.
func voiced(run []rune, mark rune) bool {
	by := map[rune]rune{'\u3099': 1, '\uff9e': 1, '\u309a': 2, '\uff9f': 2}[mark]
	if by == 0 || len(run) == 0 {
		return by != 0
	}
	switch last := &run[len(run)-1]; {
	case *last == 'ウ':
		*last = 'ヴ'
	case *last >= 'ぁ' && *last <= 'ヿ':
		*last += by
	}
	return true
}

// Pieces are the words of a text as they are searched: a search finds those that begin with the last piece of what is
// sought, behind the ones before it.
func Pieces(text string) []string {
	var c cutter
	c.take(text)
	return c.pieces
}

// Sought are the pieces of a word that is looked for.
func Sought(word string) []string {
	var c cutter
	c.take(word)
	if c.tail {
		return c.pieces[:len(c.pieces)-1] // it need not end there
	}
	return c.pieces
}
