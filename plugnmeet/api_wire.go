package plugnmeet

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/roomwatch/roomwatch/room"
)

// The kinds of members in plugNmeet's answers. A value of another kind than expected is as good as absent: one
// odd member must not cost a whole poll.

// words is a text; of an enum, its name or its number.
type words string

// UnmarshalJSONFrom takes a text, or a number as one.
func (w *words) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if kind := dec.PeekKind(); kind != '"' && kind != '0' {
		return dec.SkipValue()
	}
	token, err := dec.ReadToken()
	if err == nil {
		*w = words(printable(token.String()))
	}
	return err
}

// cut is a text that is shown; one that shows nothing is absent.
func (w words) cut(limit int) string { return strings.Clone(shown(string(w), limit)) }

// id is a text that names something, and "" for one that is longer than names are.
func (w words) id() string {
	if id := strings.TrimSpace(string(w)); len(id) <= maxID {
		return strings.Clone(id)
	}
	return ""
}

// enum is the name that names have for it; "" for the zero value, which claims nothing, and what came if it is
// not known.
func (w words) enum(names []string) string {
	switch n := indexOf(names, string(w)); {
	case n == 0:
		return ""
	case n > 0:
		return names[n]
	}
	return w.cut(maxWord)
}

// oneOf is an enum of which only the given words can be shown.
func (w words) oneOf(names []string) string {
	if word := w.enum(names); slices.Contains(names, word) {
		return word
	}
	return ""
}

// amount is a number, or a text that holds one: 64-bit numbers are texts on the wire.
type amount float64

// UnmarshalJSONFrom takes either.
func (a *amount) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	var text words
	if err := text.UnmarshalJSONFrom(dec); err != nil {
		return err
	}
	n, err := strconv.ParseFloat(string(text), 64)
	if err == nil && n >= 0 && n <= maxWhole { // not NaN either
		*a = amount(n)
	}
	return nil
}

func (a amount) whole() int64 { return int64(math.Round(float64(a))) }
func (a amount) small() int   { return int(min(a.whole(), math.MaxInt32)) }

// since1970 is a moment in the given unit, by milliseconds; 0 if it cannot be.
func (a amount) since1970(unit float64) room.Time {
	ms := float64(a) * unit
	if ms < float64(earliestTime) || ms > float64(latestTime) {
		return 0
	}
	return room.Time(math.Round(ms))
}

// latestTime is beyond what anybody means. What is merely a day ahead cannot be told without a clock.
var latestTime = room.At(time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC))

// flag is true or false, or 1 or 0.
type flag bool

// UnmarshalJSONFrom takes either.
func (f *flag) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	switch dec.PeekKind() {
	case 't', 'f':
		token, err := dec.ReadToken()
		*f = err == nil && flag(token.Bool())
		return err
	}
	var n amount
	err := n.UnmarshalJSONFrom(dec)
	*f = n != 0
	return err
}

// many is a list of objects; what is none is left out.
type many[T any] []T

// UnmarshalJSONFrom takes a list, however incomplete.
func (m *many[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != '[' {
		return dec.SkipValue()
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != ']' {
		var one maybe[T]
		if err := one.UnmarshalJSONFrom(dec); err != nil {
			return err
		}
		if one.said != nil {
			*m = append(*m, *one.said)
		}
	}
	_, err := dec.ReadToken()
	return err
}

// maybe is an object, or nothing.
type maybe[T any] struct{ said *T }

// UnmarshalJSONFrom takes an object.
func (m *maybe[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != '{' {
		return dec.SkipValue()
	}
	m.said = new(T)
	return json.UnmarshalDecode(dec, m.said)
}

// or is what was said, or all absent.
func (m maybe[T]) or() (said T) {
	if m.said != nil {
		said = *m.said
	}
	return said
}

// document is a JSON document in a text, as metadata is. What cannot be read is as good as absent.
type document[T any] struct{ maybe[T] }

// UnmarshalJSONFrom takes a text with an object in it.
func (d *document[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != '"' {
		return dec.SkipValue()
	}
	token, err := dec.ReadToken()
	if err != nil {
		return err
	}
	text := []byte(token.String())
	if tooDeep(text) || json.Unmarshal(text, &d.maybe) != nil {
		d.said = nil
	}
	return nil
}

// counts is a map from names to counts; of more than can be kept, the first are.
type counts map[string]int64

// UnmarshalJSONFrom takes an object.
func (c *counts) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != '{' {
		return dec.SkipValue()
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	*c = make(counts)
	for dec.PeekKind() != '}' {
		var name words
		var n amount
		if err := errors.Join(name.UnmarshalJSONFrom(dec), n.UnmarshalJSONFrom(dec)); err != nil {
			return err
		}
		if len(*c) < maxBreakdown {
			(*c)[name.cut(maxName)] = n.whole()
		}
	}
	_, err := dec.ReadToken()
	return err
}

func contains(list []string, text string) bool {
	return slices.Contains(list, strings.ToLower(strings.Trim(text, " .")))
}
