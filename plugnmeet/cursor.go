package plugnmeet

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// cursor reads JSON that is known to be strict and to have no space between its tokens, as a redacted body
// does. So none of its methods can fail.
type cursor struct {
	data []byte
	at   int
}

func (c *cursor) reset(compact []byte) { c.data, c.at = compact, 0 }

// PeekKind is the kind of the next token, without the comma or colon before it: one of n t f " 0 { } [ ].
func (c *cursor) PeekKind() jsontext.Kind {
	if c.at < len(c.data) && (c.data[c.at] == ',' || c.data[c.at] == ':') {
		c.at++
	}
	switch {
	case c.at == len(c.data):
		return 0
	case c.data[c.at] == '-' || '0' <= c.data[c.at] && c.data[c.at] <= '9':
		return '0'
	}
	return jsontext.Kind(c.data[c.at])
}

// bracket takes the bracket that PeekKind has seen.
func (c *cursor) bracket() { c.at++ }

// value takes a whole value, or the name of a member, and gives it as it is written.
func (c *cursor) value() jsontext.Value {
	c.PeekKind()
	from := c.at
	c.SkipValue()
	return c.data[from:c.at]
}

// SkipValue takes a whole value, or the name of a member.
func (c *cursor) SkipValue() {
	switch c.PeekKind() {
	case '"':
		c.skipText()
	case '{', '[':
		c.skipNested()
	default:
		if end := bytes.IndexAny(c.data[c.at:], ",]}"); end >= 0 {
			c.at += end
		} else {
			c.at = len(c.data)
		}
	}
}

func (c *cursor) skipText() {
	for c.at++; c.data[c.at] != '"'; c.at++ {
		if c.data[c.at] == '\\' {
			c.at++
		}
	}
	c.at++
}

func (c *cursor) skipNested() {
	for depth := 0; ; c.at++ {
		switch c.data[c.at] {
		case '"':
			c.skipText()
			c.at--
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				c.at++
				return
			}
		}
	}
}

// text takes a string and gives what it says; of a number, how it is written.
func (c *cursor) text() string {
	raw := c.value()
	if raw.Kind() != '"' {
		return string(raw)
	}
	if inside := raw[1 : len(raw)-1]; bytes.IndexByte(inside, '\\') < 0 {
		return string(inside)
	}
	unquoted, _ := jsontext.AppendUnquote(nil, raw)
	return string(unquoted)
}
