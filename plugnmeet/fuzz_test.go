package plugnmeet_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
)

// FuzzVerify takes its texts for the two headers' values, and then for what a rightly signed token holds.
func FuzzVerify(f *testing.F) {
	for _, r := range recordings(f, "contract/webhooks.jsonl")[:4] {
		f.Add(r.Headers["Authorization"], "", []byte(r.Body))
	}
	f.Add(plain, claimed(""), body)
	f.Add(`{"alg":"HS256","crit":[]}`, claimed(`,"sha256":"x"`), body)
	f.Add("Bearer x", "a.b.c", []byte("{}"))
	k := keyring(f)
	f.Fuzz(func(t *testing.T, first, second string, body []byte) {
		checkVerify(t, k, first, second, body)
		checkVerify(t, k, forge(first, second, sampleSecret), "", body)
		token, err := plugnmeet.Sign(sampleKey, sampleSecret, body, noon)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.Verify([]string{token}, nil, body, noon.Add(time.Minute)); err != nil {
			t.Error("our own signature:", err)
		}
	})
}

func checkVerify(t *testing.T, k *plugnmeet.Keyring, authorization, hashToken string, body []byte) {
	t.Helper()
	proof, err := k.Verify([]string{authorization}, []string{hashToken}, body, noon)
	if err == nil {
		if proof.Source != "default" || proof.KeyIndex != 0 || proof.Expires.Before(noon.Add(-time.Minute)) || proof.Expires.After(noon.Add(24*time.Hour)) {
			t.Errorf("%+v", proof)
		}
		return
	}
	refusal, ok := err.(*plugnmeet.Refusal)
	if !ok || refusal.Code == "" || len(refusal.Reason) > 600 || !utf8.ValidString(refusal.Reason) || proof != (plugnmeet.Proof{}) {
		t.Errorf("%#v with %+v", err, proof)
	}
}

func FuzzDecode(f *testing.F) {
	for _, file := range []string{"contract/webhooks.jsonl", "captures/two-people.jsonl"} {
		for _, r := range recordings(f, file) {
			f.Add([]byte(r.Body))
		}
	}
	f.Add([]byte(about("track_published", `,"metadata":`+secretive, `,"track":{"sid":"T","muted":false,"type":9},"participant":{"attributes":{"a":"b"},"userId":"x","joinedAtMs":1}`)))
	f.Fuzz(func(t *testing.T, body []byte) {
		before := string(body)
		d, err := plugnmeet.Decode("default", body, receipt)
		if string(body) != before {
			t.Error("the body was changed")
		}
		if err != nil {
			if _, ok := err.(*plugnmeet.Unreadable); !ok || d.Said != nil || d.Body != nil || len(d.Reason) > 600 {
				t.Errorf("%#v with %+v", err, d)
			}
			return
		}
		checkBody(t, d.Body)
		checkSaid(t, d)
		again, err := plugnmeet.Decode("default", d.Body, receipt)
		if err != nil || string(again.Body) != string(d.Body) {
			t.Fatalf("redacting again changes\n%s\nto\n%s (%v)", d.Body, again.Body, err)
		}
		if again.Said.ID = d.Said.ID; !reflect.DeepEqual(again.Said, d.Said) || again.Verdict != d.Verdict {
			t.Errorf("%s %+v\nreads again as\n%s %+v", d.Verdict, d.Said, again.Verdict, again.Said)
		}
	})
}

func checkBody(t *testing.T, body json.RawMessage) {
	t.Helper()
	if !jsontext.Value(body).IsValid() || jsontext.Value(body).Kind() != '{' {
		t.Errorf("not strict: %s", body)
	}
	depth, deepest, quoted := 0, 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == '{' || c == '['):
			depth++
			deepest = max(deepest, depth)
		case !quoted && (c == '}' || c == ']'):
			depth--
		}
	}
	if deepest > 32 {
		t.Errorf("%d deep", deepest)
	}
}

func checkSaid(t *testing.T, d room.Delivery) {
	t.Helper()
	e := d.Said
	ids := []string{e.ID, e.SID, e.RoomID, e.ParentRoomID, e.AnalyticsID}
	texts := []string{e.Title, d.Event, d.Reason}
	if p := e.Participant; p != nil {
		ids, texts = append(ids, p.SID, p.Identity), append(texts, p.Name, p.Kind, p.Reason)
	}
	if track := e.Track; track != nil {
		ids, texts = append(ids, track.SID), append(texts, track.Mime, track.Encryption, track.Media, track.Source)
	}
	if j := e.Job; j != nil {
		ids, texts = append(ids, j.RecordID, j.RecorderID), append(texts, j.Message, j.FilePath)
	}
	if a := e.Artifact; a != nil {
		ids, texts = append(ids, a.ID, a.Reference), append(texts, a.Type)
	}
	if e.Speech != nil {
		ids = append(ids, e.Speech.UserID)
	}
	for _, id := range ids {
		if len(id) > 256 || !utf8.ValidString(id) || strings.TrimSpace(id) != id || strings.ContainsFunc(id, unicode.IsControl) {
			t.Errorf("id %q", id)
		}
	}
	for _, text := range texts {
		if len(text) > 2048 || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
			t.Errorf("text %q", text)
		}
	}
	if e.At <= 0 || e.At > room.At(receipt)+24*3600*1000 || e.ID == "" {
		t.Errorf("at %d, id %q", e.At, e.ID)
	}
}
