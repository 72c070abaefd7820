package plugnmeet

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// Whatever the swift way takes, it must make of it what the careful one does.
func checkSwift(t *testing.T, body []byte) (taken bool) {
	t.Helper()
	var s swift
	for range 2 { // the second time, room.metadata is known
		shown, taken := s.redact(body)
		if !taken {
			return false
		}
		if err := strict(body); err != nil {
			t.Fatalf("taken, but %s: %q", err.Reason, body)
		}
		var d redaction
		want, oddity := d.redact(body)
		if oddity != "" || !bytes.Equal(shown, want) {
			t.Fatalf("%q becomes\n%s, not (%s)\n%s", body, shown, oddity, want)
		}
		checkCursor(t, shown)
	}
	return true
}

// checkCursor walks through a document beside a jsontext.Decoder.
func checkCursor(t *testing.T, compact []byte) {
	t.Helper()
	c, dec := cursor{data: compact}, jsontext.NewDecoder(bytes.NewBuffer(compact), jsontext.AllowDuplicateNames(true))
	for {
		kind := dec.PeekKind()
		if got := c.PeekKind(); got != kind {
			t.Fatalf("at %d a %q is seen, not a %q: %s", c.at, got, kind, compact)
		}
		switch kind {
		case 0:
			return
		case '{', '[':
			skipped, from := cursor{compact, c.at}, c.at
			skipped.SkipValue()
			var value jsontext.Value
			if json.Unmarshal(compact[from:skipped.at], &value) != nil {
				t.Fatalf("skipped %q: %s", compact[from:skipped.at], compact)
			}
			fallthrough
		case '}', ']':
			c.bracket()
			_, _ = dec.ReadToken()
		default:
			token, _ := dec.ReadToken()
			if want, got := token.String(), c.text(); got != want {
				t.Fatalf("%q is read as %q: %s", want, got, compact)
			}
		}
	}
}

func fixtures(tb testing.TB) (bodies [][]byte) {
	for _, name := range []string{"contract/webhooks.jsonl", "captures/two-people.jsonl", "captures/three-rooms.jsonl"} {
		file, err := os.Open(filepath.Join("..", "testdata", name))
		if err != nil {
			tb.Fatal(err)
		}
		defer file.Close()
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var line struct{ Body string }
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
				tb.Fatal(err)
			}
			bodies = append(bodies, []byte(line.Body))
		}
	}
	return bodies
}

func TestTheSwiftWayTakesWhatPlugNmeetSends(t *testing.T) {
	bodies := fixtures(t)
	if len(bodies) < 100 {
		t.Fatalf("only %d fixtures", len(bodies))
	}
	for _, body := range bodies {
		if !checkSwift(t, body) {
			t.Errorf("left to the careful way: %s", body)
		}
	}
}

func FuzzSwift(f *testing.F) {
	for _, body := range fixtures(f) {
		f.Add(body)
	}
	for _, body := range []string{
		` { "a" : [ 1 , -0.5e+3 , true , null , "é\u00e9\/\n" ] } `, `{"a":01}`, `{"a":1.}`, `{"a":-}`, `{"a":tru}`, `{"a":nullx}`, `{"a":1,}`, `{"a":1}{}`,
		`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"a":"\ud800"}`, `{"a":"\ud83d\ude00"}`, `{"a":"` + "\x80" + `"}`, `{"a":"` + "\x01" + `"}`, "{\"a\":\x00}", `{"a":"\x"}`,
		`{"room":{"sid":"s","metadata":"{\"room_title\":\"t\",\"pin\":1}","name":"n"}}`, `{"room":{"metadata":"{\"a\":1,\"a\":1}"}}`, `{"room":{"metadata":"{\"room_title\":\"\\ud800\"}"}}`,
		`{"room":{"metadata":"[]"}}`, `{"room":{"metadata":null}}`, `{"room":{"metadata":{"room_title":"t"}}}`, `{"secret":{"a":[1]},"to_ken":"","PIN":null,"participant":{"metadata":"x","attributes":{"a":"b"}}}`,
		`{"a":` + string(bytes.Repeat([]byte("["), 31)) + string(bytes.Repeat([]byte("]"), 31)) + `}`, `{"a":` + string(bytes.Repeat([]byte("["), 32)) + string(bytes.Repeat([]byte("]"), 32)) + `}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) { checkSwift(t, body) })
}
