package web

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// sheet writes rows into a buffer, in one form.
type sheet[T any] interface {
	extension() string
	mime() string
	row(*T) error
	flush() error          // what was written is in the buffer
	end(next string) error // next is the cursor of the rows that are left out, "" when none are
}

// column is one column of a sheet that has some. A cell is a text, a number, a bool or a time; nil when
// it is not known.
type column[T any] struct {
	name string
	cell func(*T) any
}

// byteOrderMark says that a file is UTF-8. Without it spreadsheets take it for text in the locale's own encoding, and
// names in other scripts come out as nonsense.
const byteOrderMark = "\ufeff"

// csvSheet is RFC 4180 in UTF-8 with a byte order mark, and with a line of names.
type csvSheet[T any] struct {
	out     *csv.Writer
	columns []column[T]
	line    []string
}

func asCSV[T any](out *bytes.Buffer, columns []column[T]) sheet[T] {
	out.WriteString(byteOrderMark)
	s := &csvSheet[T]{out: csv.NewWriter(out), columns: columns}
	s.out.UseCRLF = true
	for _, c := range columns {
		s.line = append(s.line, c.name)
	}
	_ = s.out.Write(s.line) // a buffer takes everything
	return s
}

func (*csvSheet[T]) extension() string { return "csv" }
func (*csvSheet[T]) mime() string      { return "text/csv; charset=utf-8" }

func (s *csvSheet[T]) row(item *T) error {
	s.line = s.line[:0]
	for _, c := range s.columns {
		s.line = append(s.line, cellText(c.cell(item)))
	}
	return s.out.Write(s.line)
}

func (s *csvSheet[T]) flush() error {
	s.out.Flush()
	return s.out.Error()
}

func (s *csvSheet[T]) end(string) error { return s.flush() }

// jsonSheet is the form of the API's lists, but with all items in one.
type jsonSheet[T any] struct {
	out  *bytes.Buffer
	some bool
}

func asJSON[T any](out *bytes.Buffer, _ []column[T]) sheet[T] {
	out.WriteString(`{"items":[`)
	return &jsonSheet[T]{out: out}
}

func (*jsonSheet[T]) extension() string { return "json" }
func (*jsonSheet[T]) mime() string      { return "application/json" }

func (s *jsonSheet[T]) row(item *T) error {
	data, err := json.Marshal(item)
	if err != nil {
		return err
	}
	if s.some {
		s.out.WriteByte(',')
	}
	s.some = true
	s.out.WriteByte('\n')
	s.out.Write(data)
	return nil
}

func (s *jsonSheet[T]) flush() error { return nil }

func (s *jsonSheet[T]) end(next string) error {
	s.out.WriteByte(']')
	if next != "" {
		data, err := json.Marshal(next)
		if err != nil {
			return err
		}
		s.out.WriteString(`,"next":`)
		s.out.Write(data)
	}
	s.out.WriteString("}\n")
	return nil
}

// cellText is a cell as text: times as in the API, texts without what a spreadsheet would run.
func cellText(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return defused(v)
	case time.Time:
		if v.IsZero() {
			return ""
		}
		return v.UTC().Format(time.RFC3339Nano)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(value)
}

// formulas are what spreadsheets take for the beginning of a formula. The wide and the small forms count for them as
// the narrow ones do.
const formulas = "=+-@＝＋－＠﹦﹢﹣﹫"

// separators end a cell for some spreadsheet: which one does is a matter of the locale that it runs in, and one that
// goes by another than the file's takes its quotes for letters. So what follows any of them may be a cell.
const separators = ",;\t\r\n"

// defused is a text that a spreadsheet of any locale shows as it is. A room's title is whatever somebody typed, and
// must not be run by whoever opens the file: an apostrophe before it makes it a text.
func defused(text string) string {
	begins := strings.TrimLeft(text, " ")
	if runs(text, "") || begins != "" && strings.ContainsRune("\t\r\n", rune(begins[0])) {
		text = "'" + text
	}
	if !strings.ContainsAny(text, separators) {
		return text
	}
	var safe strings.Builder
	for i, r := range text {
		safe.WriteString(text[i : i+runeLen(text[i:])])
		if strings.ContainsRune(separators, r) && runs(text[i+1:], `"`) {
			safe.WriteByte('\'')
		}
	}
	return safe.String()
}

// runs says whether a formula begins the text, behind what cannot be seen and behind some letters.
func runs(text, behind string) bool {
	for _, r := range text {
		if !unicode.IsSpace(r) && unicode.IsPrint(r) && !strings.ContainsRune(behind, r) {
			return strings.ContainsRune(formulas, r)
		}
		if behind != "" && strings.ContainsRune(separators, r) {
			return false // that is looked at by itself
		}
	}
	return false
}

// runeLen is how many bytes the first character takes, valid or not.
func runeLen(text string) int {
	_, size := utf8.DecodeRuneInString(text)
	return size
}
