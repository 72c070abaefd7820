package plugnmeet_test

import (
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
)

// joined is a real participant_joined with its metadata: the most frequent kind of large body.
func joined(b *testing.B) []byte {
	for _, r := range recordings(b, "captures/three-rooms.jsonl") {
		if strings.Contains(r.Body, `"event":"participant_joined"`) {
			return []byte(r.Body)
		}
	}
	b.Fatal("no participant_joined")
	return nil
}

func BenchmarkVerify(b *testing.B) {
	body, now := joined(b), time.Unix(1795311004, 0)
	k, token := keyring(b), []string{sign(b, sampleKey, sampleSecret, body, now)}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Verify(token, token, body, now); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	body, now := joined(b), time.Unix(1795311104, 0)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := plugnmeet.Decode("default", body, now); err != nil {
			b.Fatal(err)
		}
	}
}
