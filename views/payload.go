package views

import (
	"bytes"
	"encoding/json"
	"html"
	"strings"
	"unicode/utf8"

	"github.com/roomwatch/roomwatch/room"
)

// maxPayload bounds how much of a body is shown, in bytes of indented JSON.
const maxPayload = 64 << 10

// Delivery is the root of the page of one delivery: its verdict, and its body as it is kept.
func Delivery(d room.Delivery) []byte { return render(deliveryRoot(d, payloadOf(d.Body))) }

// payload is a body as it is shown.
type payload struct {
	html  []byte // indented, with its parts marked; made by this package
	shown int    // bytes
	whole int    // bytes, more than shown when the rest is left out
}

func payloadOf(body json.RawMessage) payload {
	var indented bytes.Buffer
	if json.Indent(&indented, body, "", "  ") != nil {
		indented.Reset()
		indented.Write(body) // not JSON: shown as it is
	}
	text := indented.Bytes()
	shown := cutLines(text, maxPayload)
	return payload{html: painted(shown), shown: len(shown), whole: len(text)}
}

// cutLines is the beginning of a text, up to the end of a line if one ends in its second half.
func cutLines(text []byte, most int) []byte {
	if len(text) <= most {
		return text
	}
	for !utf8.RuneStart(text[most]) {
		most--
	}
	if end := bytes.LastIndexByte(text[:most], '\n'); end > most/2 {
		return text[:end]
	}
	return text[:most]
}

// redactedText is what the record keeps in place of a secret.
const redactedText = `"[redacted]"`

// painted marks the keys, texts, figures and redactions of JSON, and escapes all of it.
func painted(text []byte) []byte {
	out := make([]byte, 0, 3*len(text))
	for len(text) > 0 {
		n := tokenLength(text)
		part := string(text[:n])
		text = text[n:]
		escaped := html.EscapeString(part)
		if class := tokenClass(part, text); class != "" {
			escaped = `<span class="` + class + `">` + escaped + `</span>`
		}
		out = append(out, escaped...)
	}
	return out
}

// tokenLength is the length of the text, figure or word that comes next, or of what stands between them.
func tokenLength(text []byte) int {
	if text[0] == '"' {
		return stringLength(text)
	}
	if n := bytes.IndexFunc(text, func(r rune) bool { return !inWordOfJSON(r) }); n != 0 {
		if n < 0 {
			return len(text)
		}
		return n
	}
	n := bytes.IndexFunc(text, func(r rune) bool { return r == '"' || inWordOfJSON(r) })
	if n < 0 {
		return len(text)
	}
	return n
}

func inWordOfJSON(r rune) bool {
	return r == '-' || r == '+' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

// stringLength is up to the closing quote, or all if that was cut off.
func stringLength(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

func tokenClass(part string, rest []byte) string {
	switch {
	case part == redactedText:
		return "redacted"
	case part[0] == '"' && bytes.HasPrefix(rest, []byte(":")):
		return "key"
	case part[0] == '"':
		return "text"
	case inWordOfJSON(rune(part[0])):
		return "figure"
	case strings.TrimSpace(part) == "":
		return ""
	}
	return ""
}
