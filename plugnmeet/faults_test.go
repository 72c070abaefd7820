package plugnmeet_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/roomwatch/roomwatch/room"
)

func TestFaultRow14Depth(t *testing.T) {
	for depth, reason := range map[int]string{10_001: "nested deeper than 32", 33: "nested deeper than 32", 32: ""} {
		for _, brackets := range []string{"[]", "{}"} {
			open, closing := brackets[:1], brackets[1:]
			if open == "{" {
				open = `{"a":`
			}
			nested := strings.Repeat(open, depth-2) + brackets + strings.Repeat(closing, depth-2)
			for _, name := range []string{"x", "token", "metadata"} { // kept, hidden, or neither
				body := about("room_created", "", fmt.Sprintf(`,%q:%s`, name, nested))
				if got := unreadable(t, body); got != reason {
					t.Errorf("depth %d of %s in %s: %q", depth, brackets, name, got)
				}
			}
		}
	}
	if got := unreadable(t, about("room_created", `,"name":"`+strings.Repeat("[{", 99)+`"`, "")); got != "" {
		t.Error("brackets in a text:", got)
	}
	if got := unreadable(t, about("room_created", `,"name":"\"`+strings.Repeat("[", 99)+`"`, "")); got != "" {
		t.Error("brackets after an escaped quote:", got)
	}
}

func TestFaultRow15NotOneObjectWithEachNameOnce(t *testing.T) {
	good := about("room_created", "", "")
	for name, c := range map[string]struct{ body, reason string }{
		"duplicate names":        {`{"event":"a","event":"b"}`, "two members of the same name"},
		"duplicate, escaped":     {`{"event":"a","ev\u0065nt":"b"}`, "two members of the same name"},
		"duplicate deep inside":  {about("room_created", `,"x":[{"y":1,"y":1}]`, ""), "two members of the same name"},
		"duplicate in a secret":  {`{"token":{"a":1,"a":2}}`, "two members of the same name"},
		"trailing second object": {good + `{}`, "something follows the JSON object"},
		"trailing text":          {good + ` x`, "something follows the JSON object"},
		"trailing NUL":           {good + "\x00", "something follows the JSON object"},
		"byte order mark":        {"\ufeff" + good, "byte order mark"},
		"null":                   {`null`, "not a JSON object"},
		"array":                  {`[` + good + `]`, "not a JSON object"},
		"text":                   {`"x"`, "not a JSON object"},
		"number":                 {`1`, "not a JSON object"},
		"nothing":                {``, "empty"},
		"space":                  {" \n", "empty"},
		"cut off":                {good[:len(good)-3], "not strict JSON at byte"},
		"a comment":              {"{}// x", "something follows"},
		"a trailing comma":       {`{"a":1,}`, "not strict JSON at byte"},
		"single quotes":          {`{'a':1}`, "not strict JSON at byte"},
		"form data":              {`event=room_created`, "not strict JSON at byte"},
	} {
		if got := unreadable(t, c.body); !strings.Contains(got, c.reason) {
			t.Errorf("%s: %q, want %q", name, got, c.reason)
		}
	}
	if got := unreadable(t, " \r\n\t"+good+"\n"); got != "" {
		t.Error("space around the object:", got)
	}
}

func TestFaultRow16HostileText(t *testing.T) {
	for name, text := range map[string]string{"invalid UTF-8": "\xff", "overlong": "\xc0\xaf", "cut off": "\xf0\x9f", "lone surrogate": `\ud800`, "pair the wrong way": `\udc00\ud800`} {
		if got := unreadable(t, about("room_created", `,"name":"`+text+`"`, "")); !strings.Contains(got, "not strict JSON") {
			t.Errorf("%s: %q", name, got)
		}
	}
	for text, want := range map[string]string{
		`a\u0000b`:                           "ab",
		`a\u0007\u001b[31mb\u007f\u0085c`:    "a[31mbc",
		`one\ntwo\tthree`:                    "one two three",
		`<script>alert(1)</script>`:          "<script>alert(1)</script>",
		`\u202egnp.exe\u200b`:                "\u202egnp.exe\u200b",
		strings.Repeat("😀", 1024):            strings.Repeat("😀", 128),
		"a" + strings.Repeat("😀", 1024):      "a" + strings.Repeat("😀", 127),
		`\ud83d\ude00` + "é":                 "😀é",
		`\u0000`:                             "",
		strings.Repeat("x", 512):             strings.Repeat("x", 512),
		strings.Repeat("x", 513):             strings.Repeat("x", 512),
		strings.Repeat("x", 510) + "\u20ac!": strings.Repeat("x", 510),
	} {
		quoted, _ := json.Marshal(`{"room_title":"` + text + `"}`)
		e := said(t, about("room_created", `,"metadata":`+string(quoted), "")).Said
		if e.Title != want || !utf8.ValidString(e.Title) {
			t.Errorf("%.40s: %.80q", text, e.Title)
		}
	}
}

func TestFaultRow16OtherTextsAreCut(t *testing.T) {
	long := strings.Repeat("ä", 3000)
	e := said(t, about("x", "", `,"participant":{"sid":"P","name":"`+long+`","kind":"`+long+`"},"track":{"sid":"T","mime_type":"`+long+`"},
		"recording_info":{"record_id":"R","recorder_msg":"`+long+`","file_path":"`+long+`"},
		"room_artifact":{"artifact_id":"A","type":"`+long+`","metadata":{"file_info":{"file_path":"`+long+`","mime_type":"`+long+`"}}}`)).Said
	for text, limit := range map[string]int{
		e.Participant.Name: 256, e.Participant.Kind: 64, e.Track.Mime: 64, e.Job.Message: 1024, e.Artifact.Type: 64,
	} {
		if len(text) != limit {
			t.Errorf("%d bytes, want %d", len(text), limit)
		}
	}
	if len(e.Job.FilePath) != 1024 || len(e.Artifact.File.Path) != 1024 || len(e.Artifact.File.MimeType) != 64 {
		t.Errorf("%d %d %d", len(e.Job.FilePath), len(e.Artifact.File.Path), len(e.Artifact.File.MimeType))
	}
}

func TestFaultRow17OddCreatedAt(t *testing.T) {
	const meant, received = room.Time(1795309324000), room.Time(1795309330000)
	for text, want := range map[string]room.Time{
		`1795309324`: meant, `"1795309324"`: meant, `1795309324.0`: meant, `1.795309324e9`: meant, `"1.795309324e9"`: meant, `1795309324.5`: meant + 500,
		`-1795309324`: received, `9223372036854775808`: received, `"9223372036854775808"`: received, `1e400`: received, `"garbage"`: received, `""`: received,
		`4102444800`: received, `0`: received, `null`: received, `true`: received, `[]`: received, `{"a":[1]}`: received, `1420070399`: received,
		`1795309324000`: received, `"0x6b0b1c4c"`: received, `"NaN"`: received, `1420070400`: 1420070400000, `1795395730`: 1795395730000, `1795395731`: received,
	} {
		d := said(t, strings.Replace(about("room_created", "", ""), `"1795309324"`, text, 1))
		if d.Said.At != want || d.Verdict != room.Accepted {
			t.Errorf("%s: %d, want %d; %s", text, d.Said.At, want, d.Verdict)
		}
		if usable := want != received; usable != (d.Reason == "") || usable && d.LagMS != int64(received-want) || !usable && d.LagMS != 0 {
			t.Errorf("%s: %q, lag %d", text, d.Reason, d.LagMS)
		}
	}
	d := said(t, `{"event":"room_created","room":{"sid":"S","room_id":"r"},"id":"1"}`)
	if d.Said.At != received || d.Reason != "no usable created_at, the time of receipt stands in" {
		t.Error(d.Said.At, d.Reason)
	}
	d = said(t, about("room_started", `,"creation_time":"4102444800"`, ""))
	if d.Said.CreationTime != 0 || d.Reason != "ignored room.creation_time: more than a day after receipt" {
		t.Error(d.Said.CreationTime, d.Reason)
	}
}

func TestFaultRow18UnknownEventFieldEnum(t *testing.T) {
	for body, c := range map[string]struct {
		verdict room.Verdict
		reason  string
	}{
		about("stop_recording", "", ""):                                                    {room.Unknown, `unknown event "stop_recording"`},
		about(" Room_Created\t", "", ""):                                                   {room.Accepted, ""},
		about("api_listed", "", ""):                                                        {room.Unknown, `unknown event "api_listed"`},
		about("room_created", `,"new_field":{"a":[1]}`, `,"more":1`):                       {room.Accepted, ""},
		about("x<\u202e>", "", ""):                                                         {room.Unknown, `unknown event "x<\u202e>"`},
		`{"room":{"sid":"S"},"created_at":1795309324}`:                                     {room.Unknown, "names no event"},
		`{"event":"room_created","room":{"room_id":"r"},"created_at":1795309324}`:          {room.Unknown, "names no session"},
		`{"event":"room_created","room":{"sid":"","room_id":"r"},"created_at":1795309324}`: {room.Unknown, "names no session"},
		`{"event":"room_created","room":"S","created_at":1795309324}`:                      {room.Unknown, "names no session; ignored room: not an object"},
		`{}`: {room.Unknown, "names no event; names no session; no usable created_at, the time of receipt stands in"},
		about("participant_left", "", `,"participant":{"sid":"P","kind":42,"disconnect_reason":99}`):                         {room.Unknown, `unknown participant.kind "42"; unknown participant.disconnect_reason "99"`},
		about("track_published", "", `,"track":{"sid":"T","source":9,"type":"HOLOGRAM","encryption":7}`):                     {room.Unknown, `unknown track.source "9"; unknown track.type "HOLOGRAM"; unknown track.encryption "7"`},
		about("track_published", "", `,"track":{"sid":"T","source":"UNKNOWN","type":"AUDIO","encryption":"NONE"}`):           {room.Accepted, ""},
		about("artifact_created", "", `,"room_artifact":{"artifact_id":"A","type":77}`):                                      {room.Unknown, `unknown room_artifact.type "77"`},
		about("participant_left", "", `,"participant":{"sid":"P","kind":"ROBOT","disconnect_reason":"client_initiated"}`):    {room.Unknown, `unknown participant.kind "ROBOT"`},
		about("participant_left", "", `,"participant":{"sid":"P","kind":5,"disconnect_reason":"UNKNOWN_REASON"}`):            {room.Unknown, `unknown participant.kind "5"`},
		about("stop_rtmp", "", `,"track":{"sid":"T","source":"SMELL"}`):                                                      {room.Unknown, `unknown event "stop_rtmp"; unknown track.source "SMELL"`},
		about("artifact_created", "", `,"room_artifact":{"artifact_id":"A","type":"UNKNOWN_ARTIFACT"}`):                      {room.Accepted, ""},
		about("room_created", `,"empty_timeout":-1,"max_participants":1e12,"metadata":"{"`, ""):                              {room.Accepted, "ignored room.metadata: not a JSON object; ignored room.empty_timeout: out of range; ignored room.max_participants: out of range"},
		about("track_published", "", `,"track":{"sid":5,"muted":"yes","width":"wide","simulcast":1,"mime_type":[]},"id2":0`): {room.Accepted, "ignored track.sid: not a text; ignored track.muted: not true or false; ignored track.width: not a number; ignored track.simulcast: not true or false; ignored track.mime_type: not a text"},
	} {
		d := said(t, body)
		if d.Verdict != c.verdict || d.Reason != c.reason {
			t.Errorf("%s: %s, %q", body, d.Verdict, d.Reason)
		}
		if (d.Said.Kind == room.KindOther) != (d.Said.Name != "" || d.Event == "") || d.Said.Name != "" && d.Said.Name != d.Event {
			t.Errorf("%s: kind %s, name %q", body, d.Said.Kind, d.Said.Name)
		}
	}
	e := said(t, about("participant_left", "", `,"participant":{"sid":"P","kind":42,"disconnect_reason":"99"},"track":{"sid":"T","source":9,"type":"HOLOGRAM","encryption":7},"room_artifact":{"artifact_id":"A","type":77}`)).Said
	if e.Participant.Kind != "42" || e.Participant.Reason != "99" || e.Track.Source != "" || e.Track.Media != "" || e.Track.Encryption != "7" || e.Artifact.Type != "77" {
		t.Errorf("%+v %+v %+v", e.Participant, e.Track, e.Artifact)
	}
}

func TestReasonStaysShortHoweverMuchIsOdd(t *testing.T) {
	d := said(t, `{"event":[],"id":[],"created_at":[],"room":{"sid":[],"room_id":[],"name":[],"empty_timeout":[],"max_participants":[],"creation_time":[],"metadata":[]},
		"participant":[],"track":[],"recording_info":[],"room_artifact":[],"analytics":[],"speech_service":[]}`)
	if !strings.HasSuffix(d.Reason, "; and 8 more") || len(d.Reason) > 600 || d.Verdict != room.Unknown {
		t.Errorf("%d bytes: %s", len(d.Reason), d.Reason)
	}
}

func TestFaultRow19RoomIDsAndLongIDs(t *testing.T) {
	for _, id := range []string{"{a}:*", "../..", "a\\u0000b", strings.Repeat("x", 256), strings.Repeat("é", 128), "{{user}}"} {
		if got := said(t, `{"event":"room_created","room":{"sid":"S","room_id":"`+id+`"}}`).RoomID; got != strings.ReplaceAll(id, `\u0000`, "") {
			t.Errorf("%q became %q", id, got)
		}
	}
	if got := said(t, `{"event":"room_created","room":{"sid":"S","room_id":"room\n01"}}`).RoomID; got != "room 01" {
		t.Errorf("%q", got)
	}
	long := strings.Repeat("x", 257)
	for path, members := range everyID {
		if got := unreadable(t, "{"+fmt.Sprintf(members, long)+"}"); got != path+" is longer than 256 bytes" {
			t.Errorf("%s: %q", path, got)
		}
		if got := unreadable(t, "{"+fmt.Sprintf(members, long[1:])+"}"); got != "" {
			t.Errorf("%s of 256 bytes: %q", path, got)
		}
	}
}

// everyID has a body for every member that names something, by its path.
var everyID = map[string]string{
	"id":                           `"id":"%s"`,
	"room.sid":                     `"room":{"sid":"%s"}`,
	"room.room_id":                 `"room":{"sid":"S","roomId":"%s"}`,
	"room.name":                    `"room":{"sid":"S","name":"%s"}`,
	"room.metadata.parent_room_id": `"room":{"sid":"S","metadata":{"parent_room_id":"%s"}}`,
	"participant.sid":              `"participant":{"sid":"%s"}`,
	"participant.identity":         `"participant":{"identity":"%s"}`,
	"participant.user_id":          `"participant":{"user_id":"%s"}`,
	"track.sid":                    `"track":{"sid":"%s"}`,
	"recording_info.record_id":     `"recordingInfo":{"recordId":"%s"}`,
	"recording_info.recorder_id":   `"recording_info":{"recorder_id":"%s"}`,
	"room_artifact.artifact_id":    `"room_artifact":{"artifact_id":"%s"}`,
	"room_artifact.metadata.reference_artifact_id": `"room_artifact":{"metadata":{"reference_artifact_id":"%s"}}`,
	"analytics.file_id":                            `"analytics":{"file_id":"%s"}`,
	"speech_service.user_id":                       `"speech_service":{"user_id":"%s"}`,
}

func TestFaultRow16NoIDHasControlCharactersOrSpaceAroundIt(t *testing.T) {
	for path, members := range everyID {
		e := said(t, "{"+fmt.Sprintf(members, `\r\n a\u0000\u001b\u007f\u0085b\tc\u00a0`)+"}").Said
		all, err := json.Marshal(e)
		if err != nil || !strings.Contains(string(all), `"ab c"`) {
			t.Errorf("%s: %s", path, all)
		}
	}
	if d := said(t, `{"event":"room_created","room":{"sid":"\u0000\n "}}`); d.SID != "" || d.Verdict != room.Unknown {
		t.Errorf("an id of control characters names %q, %s", d.SID, d.Verdict)
	}
}

func TestTheZeroValueOfAnEnumClaimsNothing(t *testing.T) {
	for _, values := range []string{`"kind":0,"disconnect_reason":0`, `"kind":"STANDARD","disconnect_reason":"UNKNOWN_REASON"`, `"kind":null,"disconnect_reason":""`} {
		if p := said(t, about("participant_left", "", `,"participant":{"sid":"P",`+values+`}`)).Said.Participant; *p != (room.ParticipantSaid{SID: "P"}) {
			t.Errorf("%s: %+v", values, p)
		}
	}
	for _, values := range []string{`"source":0,"type":0,"encryption":0`, `"source":"UNKNOWN","type":"AUDIO","encryption":"NONE"`, `"source":"","type":null`} {
		if tr := said(t, about("track_published", "", `,"track":{"sid":"T",`+values+`}`)).Said.Track; *tr != (room.TrackSaid{SID: "T"}) {
			t.Errorf("%s: %+v", values, tr)
		}
	}
}
