package plugnmeet_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
)

// masked is a text that the test holds in a form in which nobody finds it in memory.
func masked(text []byte) []byte {
	out := make([]byte, len(text))
	for i, c := range text {
		out[i] = c ^ 0x55
	}
	return out
}

// inMemory says whether a masked text is anywhere in the memory that is in use.
func inMemory(t *testing.T, text []byte) bool {
	t.Helper()
	runtime.GC()
	file, err := os.Create(filepath.Join(t.TempDir(), "heap"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	debug.WriteHeapDump(file.Fd())
	dump, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	for i := range dump {
		dump[i] ^= 0x55
	}
	return bytes.Contains(dump, text)
}

// deliverKey decodes deliveries of a room with a key, and leaves none of its own copies of it.
func deliverKey(t *testing.T, key []byte, metadata string) {
	t.Helper()
	secret := masked(key)
	head, tail := []byte(`{"event":"room_started","id":"e","room":{"sid":"s","room_id":"r","metadata":`), []byte(`},"created_at":"1795311099"}`)
	for range 3 {
		document := bytes.Replace([]byte(metadata), []byte("%s"), secret, 1)
		body := bytes.Join([][]byte{head, document, tail}, nil)
		d, err := plugnmeet.Decode("default", body, time.Now())
		if err != nil || bytes.Contains(d.Body, secret) {
			t.Fatalf("%v, %s", err, d.Body)
		}
		clear(body)
		clear(document)
	}
	clear(secret)
}

func TestNothingOfARoomsKeyStaysInMemory(t *testing.T) {
	for name, metadata := range map[string]string{
		"as plugNmeet sends it": `"{\"room_title\":\"Ops\",\"room_features\":{\"end_to_end_encryption_features\":{\"is_enabled\":true,\"encryption_key\":\"%s\"}}}"`,
		"with escapes":          `"{\"room_title\":\"\\u00e4\",\"room_features\":{\"end_to_end_encryption_features\":{\"encryption_key\":\"%s\"}}}"`,
		"as an object":          `{"room_title":"Ops","room_features":{"end_to_end_encryption_features":{"encryption_key":"%s"}}}`,
	} {
		key := make([]byte, 32) // masked from the beginning
		for i := range key {
			key[i] = byte('a'+rand.IntN(26)) ^ 0x55
		}
		deliverKey(t, key, metadata)
		if inMemory(t, key) {
			t.Errorf("%s: the key is in memory", name)
		}
	}
	witness := []byte(fmt.Sprint("a text that is kept ", time.Now().UnixNano()))
	if !inMemory(t, masked(witness)) {
		t.Error("what is in memory is not found there")
	}
	runtime.KeepAlive(witness)
}
