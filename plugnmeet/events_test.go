package plugnmeet_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/roomwatch/roomwatch/room"
)

const (
	metadataText = `{"room_title":"Weekly ops","parent_room_id":"main","is_breakout_room":true,"room_features":{"room_duration":"60"},"copyright_conf":{"text":"x"}}`
	docsRoom     = `,"name":"Not the title","emptyTimeout":"1800","maxParticipants":20,"creationTime":1795309200,"metadata":{"roomTitle":"Weekly ops","parentRoomId":"main","roomFeatures":{"roomDuration":60}}`
	realRoom     = `,"empty_timeout":1800,"max_participants":20,"creation_time":"1795309200","enabled_codecs":[{"mime":"audio/opus"}],"num_participants":3,"metadata":`

	realPerson = `"sid":"PA_1","identity":"u-1","state":"ACTIVE","name":"Ana","kind":"SIP","joined_at":"1795309211","joined_at_ms":"1795309211417"`
	docsPerson = `"sid":"PA_1","user_id":"u-1","name":"Ana","kind":3,"joinedAt":1795309211,"joinedAtMs":1795309211417`
	realTrack  = `,"participant":{"sid":"PA_1","identity":"u-1"},"track":{"sid":"TR_1","type":"VIDEO","muted":true,"width":1920,"height":1080,"simulcast":true,"source":"SCREEN_SHARE","layers":[{"width":1}],"mime_type":"video/VP8","encryption":"GCM"}`
	docsTrack  = `,"participant":{"sid":"PA_1","identity":"u-1"},"track":{"sid":"TR_1","type":1,"muted":true,"width":"1920","height":1080,"simulcast":true,"source":3,"mimeType":"video/VP8","encryption":1}`
	realJob    = `,"recording_info":{"record_id":"S1-1","recorder_id":"node_01","recorder_msg":"success","file_path":"","file_size":0}`
	docsJob    = `,"recordingInfo":{"recordId":"S1-1","recorderId":"node_01","recorderMsg":"success"}`
)

var (
	muted  = true
	person = room.ParticipantSaid{SID: "PA_1", Identity: "u-1", Name: "Ana", Kind: "SIP", JoinedAt: 1795309211417}
	screen = room.TrackSaid{SID: "TR_1", Source: "screen_share", Media: "video", Mime: "video/VP8", Width: 1920, Height: 1080, Simulcast: true, Encryption: "GCM", Muted: &muted}
	job    = room.JobSaid{RecordID: "S1-1", RecorderID: "node_01", Message: "success"}
	ready  = room.JobSaid{RecordID: "S1-1", RecorderID: "node_01", Message: "success", FilePath: "node_01/room01/S1-1.mp4", SizeBytes: 184370000}
	file   = room.ArtifactSaid{ID: "A1", Type: "MEETING_SUMMARY", File: &room.ArtifactFile{Path: "meeting_summary/a.txt", SizeBytes: 1024, MimeType: "text/plain"}}
)

func published(e *room.Event) {
	e.Participant, e.Track = &room.ParticipantSaid{SID: "PA_1", Identity: "u-1"}, &screen
}

// everyEvent is what plugNmeet can say, as it really writes it and as its documents have it.
var everyEvent = []struct {
	event      string
	kind       room.Kind
	real, docs string
	want       func(*room.Event)
}{
	{"room_created", room.KindRoomCreated, "", "", nil},
	{"room_started", room.KindRoomStarted, "", "", nil},
	{"room_finished", room.KindRoomFinished, "", "", nil},
	{"session_ended", room.KindSessionEnded, "", "", nil},
	{"participant_joined", room.KindParticipantJoined, `,"participant":{` + realPerson + `}`, `,"participant":{` + docsPerson + `}`,
		func(e *room.Event) { e.Participant = &person }},
	{"participant_left", room.KindParticipantLeft, `,"participant":{` + realPerson + `,"disconnect_reason":"CLIENT_INITIATED"}`, `,"participant":{` + docsPerson + `,"disconnectReason":1}`,
		func(e *room.Event) { p := person; p.Reason = "CLIENT_INITIATED"; e.Participant = &p }},
	{"track_published", room.KindTrackPublished, realTrack, docsTrack, published},
	{"track_unpublished", room.KindTrackUnpublished, realTrack, docsTrack, published},
	{"start_recording", room.KindRecordingStarted, realJob, docsJob, func(e *room.Event) { e.Job = &job }},
	{"end_recording", room.KindRecordingEnded, realJob, docsJob, func(e *room.Event) { e.Job = &job }},
	{"recording_transcoding_finished", room.KindRecordingTranscoded, realJob, docsJob, func(e *room.Event) { e.Job = &job }},
	{"recording_proceeded", room.KindRecordingProceeded,
		`,"recording_info":{"record_id":"S1-1","recorder_id":"node_01","recorder_msg":"success","file_path":"node_01/room01/S1-1.mp4","file_size":184.37}`,
		`,"recordingInfo":{"recordId":"S1-1","recorderId":"node_01","recorderMsg":"success","filePath":"node_01/room01/S1-1.mp4","fileSize":"184.37"}`,
		func(e *room.Event) { e.Job = &ready }},
	{"start_rtmp", room.KindStreamStarted, realJob, docsJob, func(e *room.Event) { e.Job = &job }},
	{"end_rtmp", room.KindStreamEnded, realJob, docsJob, func(e *room.Event) { e.Job = &job }},
	{"artifact_created", room.KindArtifactCreated,
		`,"room_artifact":{"type":"MEETING_SUMMARY","artifact_id":"A1","metadata":{"provider_job_info":{"job_id":"x"},"file_info":{"file_path":"meeting_summary/a.txt","file_size":"1024","mime_type":"text/plain"}}}`,
		`,"roomArtifact":{"type":2,"artifactId":"A1","metadata":{"fileInfo":{"filePath":"meeting_summary/a.txt","fileSize":1024,"mimeType":"text/plain"}}}`,
		func(e *room.Event) { e.Artifact = &file }},
	{"analytics_proceeded", room.KindAnalyticsProceeded, `,"analytics":{"file_id":"A1"}`, `,"analytics":{"fileId":"A1"}`,
		func(e *room.Event) { e.AnalyticsID = "A1" }},
	{"speech_to_text_session_started", room.KindSpeechStarted, `,"speech_service":{"user_id":"u-1"}`, `,"speechService":{"userId":"u-1"}`,
		func(e *room.Event) { e.Speech = &room.SpeechSaid{UserID: "u-1"} }},
	{"speech_to_text_session_ended", room.KindSpeechEnded, `,"speech_service":{"user_id":"u-1","total_usage":"90"}`, `,"speechService":{"userId":"u-1","totalUsage":90}`,
		func(e *room.Event) { e.Speech = &room.SpeechSaid{UserID: "u-1", Seconds: 90} }},
	{"speech_to_text_total_usage", room.KindSpeechUsage, `,"speech_service":{"total_usage":"1620"}`, `,"speechService":{"totalUsage":1620}`,
		func(e *room.Event) { e.Speech = &room.SpeechSaid{Seconds: 1620} }},
}

func TestEveryEventInBothForms(t *testing.T) {
	if len(everyEvent) != 19 {
		t.Error("plugNmeet has 19 events")
	}
	camel := strings.NewReplacer(`"room_id":"room01"`, `"roomId":"room01"`, `"created_at":"1795309324"`, `"createdAt":1795309324`)
	for _, c := range everyEvent {
		want := room.Event{Source: "default", SID: "S1", RoomID: "room01", ID: "E1", Kind: c.kind, At: 1795309324000, Received: room.At(receipt),
			Title: "Weekly ops", ParentRoomID: "main", PlannedMinutes: 60, EmptyTimeout: 1800, MaxParticipants: 20, CreationTime: 1795309200000}
		if c.want != nil {
			c.want(&want)
		}
		for form, body := range map[string]string{
			"real":       about(c.event, realRoom+string(mustQuote(metadataText)), c.real),
			"documented": camel.Replace(about(c.event, docsRoom, c.docs)),
		} {
			d := said(t, body)
			if !reflect.DeepEqual(*d.Said, want) {
				got, _ := json.Marshal(d.Said)
				wanted, _ := json.Marshal(want)
				t.Errorf("%s, %s:\n got %s\nwant %s", c.event, form, got, wanted)
			}
			if d.Verdict != room.Accepted || d.Reason != "" || d.LagMS != 6000 || d.Event != c.event || d.ID != "E1" || d.SID != "S1" || d.RoomID != "room01" {
				t.Errorf("%s, %s: %+v", c.event, form, d)
			}
		}
	}
}
