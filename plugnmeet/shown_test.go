package plugnmeet_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
)

// quotedBothWays is a text as it stands in JSON, and as it stands there with every character escaped.
func quotedBothWays(text string) []string {
	whole, _ := json.Marshal(text)
	var escaped strings.Builder
	for _, r := range text {
		if r > 0xffff {
			r -= 0x10000
			fmt.Fprintf(&escaped, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
			continue
		}
		fmt.Fprintf(&escaped, `\u%04x`, r)
	}
	return []string{string(whole), `"` + escaped.String() + `"`}
}

var blankTexts = []string{"   ", "\u3000", "\u200b\u200d", "\u202e\u2069", "\u2800", "\u3164", "\u115f\u1160", "\uffa0", "\ufe0f", "\U000e0041", "\ufeff", "\u00ad",
	"\t\n", strings.Repeat("\u200b", 400)}

func TestFaultRow65ATextThatShowsNothingIsAbsentFromADelivery(t *testing.T) {
	for _, text := range blankTexts {
		for _, q := range quotedBothWays(text) {
			metadata, _ := json.Marshal(`{"room_title":` + q + `}`)
			d := said(t, about("participant_joined", `,"name":`+q+`,"metadata":`+string(metadata), `,"participant":{"sid":"PA_1","identity":"u-1","name":`+q+`}`))
			if d.Said.Title != "" || d.Said.Participant.Name != "" || d.Said.Participant.Identity != "u-1" {
				t.Errorf("%s: title %+q, %+v", q, d.Said.Title, d.Said.Participant)
			}
			d = said(t, about("recording_proceeded", "", `,"recording_info":{"record_id":"r","recorder_msg":`+q+`,"file_path":`+q+`}`))
			if d.Said.Job.Message != "" || d.Said.Job.FilePath != "" {
				t.Errorf("%s: %+v", q, d.Said.Job)
			}
			d = said(t, about("artifact_created", "", `,"room_artifact":{"artifact_id":"a","type":"MEETING_SUMMARY","metadata":{"file_info":{"file_path":`+q+`}}}`))
			if d.Said.Artifact.File != nil && d.Said.Artifact.File.Path != "" {
				t.Errorf("%s: %+v", q, d.Said.Artifact.File)
			}
		}
	}
}

func TestFaultRow65ATextThatShowsNothingIsAbsentFromAPoll(t *testing.T) {
	for _, text := range blankTexts {
		for _, q := range quotedBothWays(text) {
			p := poll(t, strings.NewReplacer(`"Ana D\u00edaz"`, q, `"Ana Díaz"`, q, `"Weekly ops"`, q, `\"Weekly ops\"`, strings.ReplaceAll(q, `"`, `\"`)).Replace(contractsExample(t)))
			if len(p.Rooms) != 1 || p.Rooms[0].Title != "" || p.Rooms[0].Attendees[0].Name != "" || p.Rooms[0].Attendees[0].Identity != "u-1001" {
				t.Errorf("%s: %+v", q, p.Rooms)
			}
		}
	}
}

func TestWhatIsSeenAfterManyBlanksIsTheTitle(t *testing.T) {
	body := []byte(`{"event":"room_created","id":"e1","room":{"sid":"s1","room_id":"r1","metadata":"{\"room_title\":\"` +
		strings.Repeat("\u2800", 400) + `Weekly ops\"}"}}`)
	d, err := plugnmeet.Decode("default", body, time.Now())
	if err != nil || d.Said.Title != "Weekly ops" {
		t.Errorf("%q, %v", d.Said.Title, err)
	}
}
