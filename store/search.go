package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/roomwatch/roomwatch/room"
)

const (
	maxText  = 64 << 10 // bytes of a session's text that can be found
	maxWords = 24       // words of a query that are looked at
	maxTerms = 16       // words of the index that the beginning of one may stand for, see endings
)

// searching lets one search fewer go on than there are processors: they take all that they are given, and what is
// delivered, shown and answered meanwhile is to find one. Who has to wait loses nothing by it.
func (s *SQLite) searching(ctx context.Context, text string) (done func(), err error) {
	if text == "" {
		return func() {}, nil
	}
	select {
	case s.searches <- struct{}{}:
		return func() { <-s.searches }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// marking begins words that are in the full-text index beside a session's text, and that nobody can
// type: with them the index answers for state, room and source, too, and leaps from match to match.
const marking = '\uE000'

// textOf is what a session can be found by: its title, its room_id, who was there. A name takes a line;
// of a meeting of thousands the first to come fill the text.
func textOf(d room.Detail) string {
	var text strings.Builder
	seen := make(map[string]bool)
	add := func(part string) {
		part = strings.Map(lineless, part)
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

func lineless(r rune) rune {
	if r == '\n' || r == marking {
		return ' '
	}
	return r
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

// marksOf is what the index says of a session beside its text.
func marksOf(d room.Detail) string {
	marks := markOf("state", string(d.State)) + " " + markOf("room", d.RoomID) + " " + markOf("source", d.Source)
	if d.ParentRoomID != "" {
		marks += " " + markOf("parent", d.ParentRoomID)
	}
	if len(d.Recordings) > 0 {
		marks += " " + markOf(recordingShelf.table)
	}
	if len(d.Artifacts) > 0 {
		marks += " " + markOf(artifactShelf.table)
	}
	return marks + titleMarks(d.Title, d.RoomID)
}

func titleMarks(title, roomID string) (marks string) {
	for _, piece := range room.Pieces(title + "\n" + roomID) {
		marks += " " + inTitle + piece
	}
	return marks
}

// indexText is what the full-text index is given of a session's text: its pieces, which the index's tokenizer leaves
// as they are, and the marks.
func indexText(text string) string {
	lines := unmarked(text)
	return strings.Join(room.Pieces(lines), " ") + "\n" + text[len(lines):]
}

// inTitle begins the marks that repeat the words of title and room_id, for who may not search for people. No
// other mark begins like it.
const inTitle = string(marking) + "in"

// inTitles are words as those marks have them.
func inTitles(words []word) []word {
	out := make([]word, 0, len(words))
	for _, w := range words {
		marked := word{pieces: make([]string, 0, len(w.pieces))}
		for _, piece := range w.pieces {
			marked.pieces = append(marked.pieces, inTitle+piece)
		}
		marked.typed = strings.Join(marked.pieces, " ")
		out = append(out, marked)
	}
	return out
}

// markOf is a word that says something of a session. Hashed, the values of two marks are never the
// beginning of one another, and the tokenizer finds nothing to split.
func markOf(name string, values ...string) string {
	mark := string(marking) + name
	for _, value := range values {
		hash := sha256.Sum256([]byte(value))
		mark += hex.EncodeToString(hash[:8])
	}
	return mark
}

// unmarked is the text without the marks behind it.
func unmarked(text string) string {
	lines, _, _ := strings.Cut(text, string(marking))
	return lines
}

// match is a search as the full-text index understands it. The whole says exactly what is looked for.
// The quick leaves out beginnings that so many words have that the index would have to gather half of
// itself: whoever goes by it looks for the words in the texts himself.
type match struct{ whole, quick string }

// matchOf turns words into a full-text expression. Only letters and digits pass, within quotes: nothing
// that the user types is syntax.
func (s *SQLite) matchOf(ctx context.Context, words []word, marks []string) (m match, err error) {
	var whole, quick []string
	for _, mark := range marks {
		whole, quick = append(whole, quoted(mark)), append(quick, quoted(mark))
	}
	for _, w := range words {
		terms, err := s.endings(ctx, w.last())
		if err != nil {
			return m, err
		}
		switch any := quoted(w.typed) + "*"; {
		case len(terms) == 0:
			whole, quick = append(whole, any), append(quick, any)
		case len(terms) <= maxTerms:
			one := oneOf(w.phrase(), terms)
			whole, quick = append(whole, one), append(quick, one)
		default:
			whole = append(whole, any)
			if phrase := w.phrase(); phrase != "" {
				quick = append(quick, quoted(phrase))
			}
		}
	}
	return match{strings.Join(whole, " AND "), strings.Join(quick, " AND ")}, nil
}

func quoted(phrase string) string { return `"` + phrase + `"` }

// oneOf is any of the terms at the end of a phrase.
func oneOf(phrase string, terms []string) string {
	for i, term := range terms {
		terms[i] = quoted(strings.TrimSpace(phrase + " " + term))
	}
	return "(" + strings.Join(terms, " OR ") + ")"
}

// endings are the words of the index that begin with some letters: at most maxTerms + 1. Asked for a
// beginning, the index would gather all that has it before it gives the first; asked for a word, it
// gives what is newest at once. None are found, too, where fold knows less of a script than the index.
func (s *SQLite) endings(ctx context.Context, beginning string) (terms []string, err error) {
	// The index holds the terms in order and no character of one is below 2: so each step of this is
	// one look into it, past all the places of the term before.
	rows, err := s.reads.QueryContext(ctx, `WITH RECURSIVE found(term) AS (
		SELECT (SELECT term FROM terms WHERE term >= ?1 AND term < ?2 LIMIT 1)
		UNION ALL SELECT (SELECT t.term FROM terms AS t WHERE t.term >= found.term || char(1) AND t.term < ?2 LIMIT 1)
			FROM found WHERE found.term IS NOT NULL LIMIT ?3)
		SELECT term FROM found WHERE term IS NOT NULL`, beginning, beginning+string(unicode.MaxRune), maxTerms+1)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var term string
		if err := rows.Scan(&term); err != nil {
			return nil, err
		}
		terms = append(terms, term)
	}
	return terms, rows.Err()
}
