package plugnmeet_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
)

var receipt = time.Unix(1795309330, 0)

// said decodes a body that must be readable.
func said(t *testing.T, body string) room.Delivery {
	t.Helper()
	d, err := plugnmeet.Decode("default", []byte(body), receipt)
	if err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if !json.Valid(d.Body) || d.Said == nil {
		t.Fatalf("body %s, said %v", d.Body, d.Said)
	}
	return d
}

// about is a whole body of some event with more members.
func about(event, inRoom, members string) string {
	return fmt.Sprintf(`{"event":%q,"room":{"sid":"S1","room_id":"room01"%s}%s,"id":"E1","created_at":"1795309324"}`, event, inRoom, members)
}

func TestUsageOfEveryUnit(t *testing.T) {
	for _, c := range []struct {
		metadata string
		want     room.ArtifactUsage
	}{
		{`"token_usage":{"prompt_tokens":41000,"completion_tokens":900,"total_tokens":41900,"prompt_tokens_estimated_cost":0.1,"total_tokens_estimated_cost":0.00446}`,
			room.ArtifactUsage{Unit: "tokens", Total: 41900, Prompt: 41000, Completion: 900, EstimatedCost: 0.00446}},
		{`"tokenUsage":{"promptTokens":"3","completionTokens":"4","totalTokensEstimatedCost":"0.5"}`,
			room.ArtifactUsage{Unit: "tokens", Total: 7, Prompt: 3, Completion: 4, EstimatedCost: 0.5}},
		{`"duration_usage":{"duration_sec":1620,"breakdown":{"total_usage":"1620","u-1":"900"},"duration_sec_estimated_cost":0.45}`,
			room.ArtifactUsage{Unit: "seconds", Total: 1620, EstimatedCost: 0.45, Breakdown: map[string]int64{"total_usage": 1620, "u-1": 900}}},
		{`"character_count_usage":{"total_characters":9001,"breakdown":{"lang:es":9001},"total_characters_estimated_cost":0}`,
			room.ArtifactUsage{Unit: "characters", Total: 9001, Breakdown: map[string]int64{"lang:es": 9001}}},
	} {
		d := said(t, about("artifact_created", "", `,"room_artifact":{"type":9,"artifact_id":"A","metadata":{`+c.metadata+`,"reference_artifact_id":"B"}}`))
		a := d.Said.Artifact
		if a == nil || a.Usage == nil || !reflect.DeepEqual(*a.Usage, c.want) || a.Reference != "B" || a.Type != "AI_TEXT_CHAT_SUMMARIZATION_USAGE" || d.Reason != "" {
			t.Errorf("%s: %+v %q", c.metadata, a, d.Reason)
		}
	}
}

func TestBreakdownIsBounded(t *testing.T) {
	var entries []string
	for n := range 3000 {
		entries = append(entries, fmt.Sprintf(`"u-%d":"1"`, n))
	}
	d := said(t, about("artifact_created", "", `,"room_artifact":{"artifact_id":"A","metadata":{"duration_usage":{"breakdown":{`+strings.Join(entries, ",")+`},"duration_sec":7}}}`))
	if u := d.Said.Artifact.Usage; len(u.Breakdown) != 2000 || u.Total != 7 {
		t.Errorf("%d entries, total %d", len(u.Breakdown), u.Total)
	}
	if !strings.Contains(d.Reason, "more than 2000 entries") {
		t.Error(d.Reason)
	}
}

func TestRecordingSizeIsRoundedFromMegabytes(t *testing.T) {
	for text, want := range map[string]int64{
		"184.37": 184_370_000, "18.05": 18_050_000, `"18.05"`: 18_050_000, "0.01": 10_000, "2.01": 2_010_000, "0": 0, "1234567.89": 1_234_567_890_000,
		"-1": 0, "1e300": 0, `"NaN"`: 0, `"Inf"`: 0, `"0x10"`: 0, "2e9": 0, "true": 0, "null": 0,
	} {
		d := said(t, about("recording_proceeded", "", `,"recording_info":{"record_id":"R","file_size":`+text+`}`))
		if got := d.Said.Job.SizeBytes; got != want {
			t.Errorf("%s MB: %d bytes, want %d (%s)", text, got, want, d.Reason)
		}
	}
}

func TestSnakeCaseWinsOverCamelCase(t *testing.T) {
	for _, pair := range []string{`"recorder_id":"snake","recorderId":"camel"`, `"recorderId":"camel","recorder_id":"snake"`} {
		d := said(t, about("start_recording", "", `,"recording_info":{"record_id":"R",`+pair+`}`))
		if d.Said.Job.RecorderID != "snake" {
			t.Errorf("%s: %+v", pair, d.Said.Job)
		}
	}
	snake, camel := `,"recording_info":{"record_id":"snake"}`, `,"recordingInfo":{"record_id":"camel","recorder_msg":"from camel"}`
	for _, members := range []string{snake + camel, camel + snake} {
		if job := said(t, about("start_recording", "", members)).Said.Job; *job != (room.JobSaid{RecordID: "snake"}) {
			t.Errorf("%s: %+v", members, job)
		}
	}
}

func TestRoomNameIsTheTitleOrFailingRoomIDTheRoomID(t *testing.T) {
	for body, want := range map[string][2]string{
		`{"event":"room_created","room":{"sid":"S","room_id":"room01","name":"Test Room"}}`:                                     {"room01", "Test Room"},
		`{"event":"room_created","room":{"sid":"S","name":"room01"}}`:                                                           {"room01", ""},
		`{"event":"room_created","room":{"sid":"S","name":"room01","metadata":{"room_title":"T"}}}`:                             {"room01", "T"},
		`{"event":"room_created","room":{"metadata":"{\"room_title\":\"T\"}","sid":"S","room_id":"room01","name":"Test Room"}}`: {"room01", "T"},
	} {
		if e := said(t, body).Said; e.RoomID != want[0] || e.Title != want[1] {
			t.Errorf("%s: %q %q", body, e.RoomID, e.Title)
		}
	}
}

func TestJoiningTimeInMillisecondsOnlyRefinesSeconds(t *testing.T) {
	for members, want := range map[string]room.Time{
		`"joined_at":"1795309211","joined_at_ms":"1795309211417"`: 1795309211417,
		`"joined_at":"1795309211","joined_at_ms":"1795309299417"`: 1795309211000,
		`"joined_at":"1795309211","joined_at_ms":"0"`:             1795309211000,
		`"joined_at":"1795309211","joined_at_ms":"x"`:             1795309211000,
		`"joined_at":"0","joined_at_ms":"1795309211417"`:          1795309211417,
		`"joined_at_ms":1795309211417`:                            1795309211417,
		`"joined_at":1795309211.417`:                              1795309211417,
		`"joined_at":"-5","joined_at_ms":1400000000000`:           0,
		`"joined_at":9999999999`:                                  0,
	} {
		if got := said(t, about("participant_joined", "", `,"participant":{"sid":"P",`+members+`}`)).Said.Participant.JoinedAt; got != want {
			t.Errorf("%s: %d, want %d", members, got, want)
		}
	}
}

func TestEverythingRecordedDecodesWithoutAnOddity(t *testing.T) {
	late := time.Unix(1795314300, 0)
	for _, file := range []string{"captures/two-people.jsonl", "captures/three-rooms.jsonl", "contract/webhooks.jsonl"} {
		for n, r := range recordings(t, file) {
			d, err := plugnmeet.Decode("default", []byte(r.Body), late)
			if err != nil || d.Verdict != room.Accepted || d.Reason != "" {
				t.Errorf("%s line %d: %v, %s, %q", file, n+1, err, d.Verdict, d.Reason)
			}
			if d.SID == "" || d.RoomID == "" || d.ID == "" || d.Said.Kind == room.KindOther || d.Said.At == room.At(late) {
				t.Errorf("%s line %d: %+v", file, n+1, d.Said)
			}
		}
	}
}

func TestDocumentedSampleDecodes(t *testing.T) {
	d := said(t, `{"event":"artifact_created","id":"EV_abc123","createdAt":1761815000,"room":{"sid":"RM_zG9e4bY2pD-1761814595173","room_id":"room01","name":"Test Room"},
		"room_artifact":{"type":2,"artifact_id":"ART_xyz789","metadata":{"file_info":{"file_path":"/path/to/summary.txt","file_size":1024,"mime_type":"text/plain"}}}}`)
	want := room.Event{Source: "default", SID: "RM_zG9e4bY2pD-1761814595173", RoomID: "room01", ID: "EV_abc123", Kind: room.KindArtifactCreated,
		At: 1761815000000, Received: room.At(receipt), Title: "Test Room",
		Artifact: &room.ArtifactSaid{ID: "ART_xyz789", Type: "MEETING_SUMMARY", File: &room.ArtifactFile{Path: "/path/to/summary.txt", SizeBytes: 1024, MimeType: "text/plain"}}}
	if !reflect.DeepEqual(*d.Said, want) || d.Reason != "" {
		t.Errorf("%+v %q", d.Said, d.Reason)
	}
}

func TestMissingIDIsTheHashOfTheBody(t *testing.T) {
	body := `{"event":"room_created","room":{"sid":"S"},"id":""}`
	hash := sha256.Sum256([]byte(body))
	if d := said(t, body); d.ID != "sha256:"+hex.EncodeToString(hash[:]) || d.Said.ID != d.ID {
		t.Error(d.ID)
	}
}

func TestDeliveryKeepsNothingOfTheBodysMemory(t *testing.T) {
	body := []byte(about("participant_joined", `,"metadata":"{\"room_title\":\"T\"}"`, `,"participant":{"sid":"PA_1","identity":"u-1","name":"Ana"}`))
	d, err := plugnmeet.Decode("default", body, receipt)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := json.Marshal(d.Said)
	shown := string(d.Body)
	for i := range body {
		body[i] = 'X'
	}
	said(t, about("participant_joined", "", `,"participant":{"sid":"PA_2","identity":"u-2","name":"Bob"}`)) // at the same desk
	if after, _ := json.Marshal(d.Said); string(after) != string(before) || string(d.Body) != shown {
		t.Errorf("%s\n%s", before, after)
	}
}

func TestDecodeDoesNotTouchTheBody(t *testing.T) {
	text := about("room_created", `,"metadata":"{\"webhook_url\":\"x\"}"`, "")
	body := []byte(text)
	if _, err := plugnmeet.Decode("default", body, receipt); err != nil || string(body) != text {
		t.Error(err, string(body))
	}
}

// unreadable is the reason for which a body is refused, "" if it is not.
func unreadable(t *testing.T, body string) string {
	t.Helper()
	d, err := plugnmeet.Decode("default", []byte(body), receipt)
	if err == nil {
		return ""
	}
	var u *plugnmeet.Unreadable
	if !errors.As(err, &u) || u.Reason == "" || d.Verdict != room.Unreadable || d.Reason != u.Reason || d.Said != nil || d.Body != nil {
		t.Fatalf("%#v with %+v", err, d)
	}
	return u.Reason
}

func TestDeliveriesReadAtTheSameTimeDoNotMix(t *testing.T) {
	all := recordings(t, "captures/three-rooms.jsonl")
	var alone []room.Delivery
	for _, r := range all {
		alone = append(alone, said(t, r.Body))
	}
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for i, r := range all {
				d, err := plugnmeet.Decode("default", []byte(r.Body), receipt)
				if err != nil || !reflect.DeepEqual(d, alone[i]) {
					t.Errorf("%s: %v", r.Body, err)
				}
			}
		})
	}
	readers.Wait()
}
