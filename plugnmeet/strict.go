package plugnmeet

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// strict says why body is not one JSON object, with each name once in an object and in sound UTF-8.
func strict(body []byte) *Unreadable {
	switch {
	case tooDeep(body):
		return &Unreadable{fmt.Sprintf("nested deeper than %d", maxDepth)}
	case !jsontext.Value(body).IsValid():
		return &Unreadable{whyInvalid(body)}
	case jsontext.Value(body).Kind() != '{':
		return &Unreadable{"not a JSON object"}
	}
	return nil
}

// tooDeep counts brackets outside of texts. In what is not JSON it may count wrong.
func tooDeep(body []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// whyInvalid is in words for an operator and quotes nothing of the body but a character.
func whyInvalid(body []byte) string {
	dec := jsontext.NewDecoder(bytes.NewBuffer(body))
	_, err := dec.ReadValue()
	var syntax *jsontext.SyntacticError
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		return "the body is empty"
	case bytes.HasPrefix(body, []byte("\ufeff")):
		return "the body begins with a byte order mark"
	case err == nil:
		return fmt.Sprintf("something follows the JSON object at byte %d", dec.InputOffset())
	case errors.Is(err, jsontext.ErrDuplicateName):
		return "an object has two members of the same name"
	case errors.As(err, &syntax):
		return fmt.Sprintf("not strict JSON at byte %d: %s", syntax.ByteOffset, clip(printable(syntax.Err.Error()), 120))
	}
	return "not strict JSON"
}
