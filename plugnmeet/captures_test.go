package plugnmeet_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
)

const (
	sampleKey    = "plugnmeet"
	sampleSecret = plugnmeet.Secret("zumyyYWqv7KR2kUqvYdq4z4sXg7XTBD2ljT6") // of the public documents
)

// recorded is one line of a capture or of the contract's fixtures.
type recorded struct {
	N, Note, Body string
	Headers       map[string]string
}

func recordings(tb testing.TB, file string) []recorded {
	tb.Helper()
	f, err := os.Open(filepath.Join("..", "testdata", file))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var all []recorded
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r recorded
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			tb.Fatal(err)
		}
		all = append(all, r)
	}
	if lines.Err() != nil || len(all) == 0 {
		tb.Fatalf("%s: %d lines, %v", file, len(all), lines.Err())
	}
	return all
}

// delivery is the fixture with the number n of the contract.
func delivery(tb testing.TB, n string) recorded {
	tb.Helper()
	for _, r := range recordings(tb, "contract/webhooks.jsonl") {
		if r.N == n {
			return r
		}
	}
	tb.Fatal("no fixture " + n)
	return recorded{}
}

func keyring(tb testing.TB, sources ...plugnmeet.Source) *plugnmeet.Keyring {
	tb.Helper()
	if len(sources) == 0 {
		sources = []plugnmeet.Source{{Name: "default", APIKey: sampleKey, Secrets: []plugnmeet.Secret{sampleSecret}}}
	}
	k, err := plugnmeet.NewKeyring(sources)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func sign(tb testing.TB, key string, secret plugnmeet.Secret, body []byte, now time.Time) string {
	tb.Helper()
	token, err := plugnmeet.Sign(key, secret, body, now)
	if err != nil {
		tb.Fatal(err)
	}
	return token
}
