package simulate_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/roomwatch/roomwatch/room"
)

// wireKinds are all that plugNmeet 2.4.0 sends, artifacts by their type (contract 1.1, 2.5).
const wireKinds = `room_created room_started room_finished session_ended participant_joined participant_left track_published track_unpublished
start_recording end_recording recording_transcoding_finished recording_proceeded start_rtmp end_rtmp artifact_created analytics_proceeded
MEETING_ANALYTICS MEETING_SUMMARY MEETING_SUMMARY_USAGE SPEECH_TRANSCRIPTION SPEECH_TRANSCRIPTION_USAGE SYNTHESIZED_SPEECH_USAGE
CHAT_TRANSLATION_USAGE AI_TEXT_CHAT_INTERACTION_USAGE AI_TEXT_CHAT_SUMMARIZATION_USAGE`

// secrets are what room.metadata carries of them.
var secrets = []string{`encryption_key`, `\"pin\"`, `token=`, `rtmp://`, `summarization_prompt\":\"Short`}

// seen is what was there at least once.
type seen map[string]bool

func (s seen) note(what string, there bool) {
	if there {
		s[what] = true
	}
}

func TestADayHasEverythingThatHappens(t *testing.T) {
	day := day(t)
	seen := make(seen)
	created, known := make(map[string]room.Time), make(map[string]bool)
	for _, s := range day.truth {
		created[s.SID] = room.At(s.CreatedAt)
		seen.session(s)
		for _, p := range s.Participants {
			known[s.SID+p.Identity] = true
			for _, c := range p.Connections {
				known[c.SID] = true
			}
		}
	}
	for i, d := range day.told {
		seen[d.Event] = true
		for _, secret := range secrets {
			seen.note(secret, bytes.Contains(d.Body, []byte(secret)))
		}
		switch e := day.read[i].Said; {
		case e.Artifact != nil:
			seen[e.Artifact.Type], known[e.Artifact.ID] = true, true
			if ref := e.Artifact.Reference; ref != "" && !known[ref] {
				t.Errorf("%s was told before what it refers to", e.Artifact.Type)
			}
			if e.Artifact.Type == "AI_TEXT_CHAT_SUMMARIZATION_USAGE" && !seen["chat of "+e.SID] {
				t.Error("artifacts in another order than plugNmeet's")
			}
			seen.note("chat of "+e.SID, e.Artifact.Type == "AI_TEXT_CHAT_INTERACTION_USAGE")
		case e.AnalyticsID != "" && !known[e.AnalyticsID]:
			t.Errorf("%s was told before its artifact", d.Event)
		case e.Job != nil:
			seen[e.Job.Message] = true
			seen.note("a path without its size", e.Kind == room.KindRecordingTranscoded && e.Job.FilePath != "" && e.Job.SizeBytes == 0)
		case e.Kind == room.KindRoomStarted:
			seen["start of "+e.SID] = true
			if e.ParentRoomID != "" && d.At.Sub(e.At.Time()) < 2*time.Second {
				t.Error("the start of a breakout was not held back")
			}
		case e.Track != nil:
			seen.note("a phone number with its +", strings.HasPrefix(e.Participant.Identity, "sip_+"))
			seen.note("muted when published", e.Track.Muted != nil && *e.Track.Muted)
			seen.note("a twin of a hybrid app", !known[e.Participant.SID])
			if e.CreationTime != 0 || !known[e.SID+strings.Replace(e.Participant.Identity, "sip_+", "sip_", 1)] {
				t.Errorf("wrong in a track's event: %s", d.Body)
			}
		case e.Kind == room.KindParticipantJoined && !seen["start of "+e.SID]:
			seen.note("joined before the start was told", e.ParentRoomID == "")
			seen.note("joined a breakout before its start was told", e.ParentRoomID != "")
		case e.Participant != nil:
			seen.note("straggler of an earlier session", created[e.SID] > e.Participant.JoinedAt+5000)
		}
	}
	for _, want := range append(append(strings.Fields(wireKinds), secrets...),
		"breakout", "joined a breakout before its start was told", "joined before the start was told", "a path without its size", "a phone number with its +", "muted when published", "straggler of an earlier session", "a twin of a hybrid app",
		"success", "ffmpeg exited: exit status 1", "browser crashed", "transcoding failed: exit status 187", "recorder: could not join the room in time",
		"recording ready", "recording failed", "recording never became a file", "stream ended", "stream failed",
		"person", "recorder", "rtmp", "agent", "translator", "sip",
		"left CLIENT_INITIATED", "left CONNECTION_TIMEOUT", "left DUPLICATE_IDENTITY", "left PARTICIPANT_REMOVED", "left SIGNAL_CLOSE", "left ROOM_DELETED",
		"ended by webhook", "ended by successor", "nobody came", "room_id used again", "came back",
	) {
		if !seen[want] {
			t.Errorf("nothing of it in %d deliveries: %s", len(day.told), want)
		}
	}
}

// session notes what the truth about a session shows.
func (s seen) session(d room.Detail) {
	s.note("ended by "+string(d.EndedBy), true)
	s.note("breakout", d.ParentRoomID != "" && !d.StartedAt.IsZero())
	s.note("nobody came", d.StartedAt.IsZero() && d.State == room.StateEnded)
	s.note("room_id used again", s["room "+d.RoomID])
	s.note("room "+d.RoomID, true)
	for _, r := range d.Recordings {
		s.note("recording "+r.State, true)
		s.note("recording never became a file", r.State == room.RecordingProcessing && !r.EndedAt.IsZero() && r.EndedAt.Before(start.Add(5*time.Hour)))
	}
	for _, st := range d.Streams {
		s.note("stream "+st.State, true)
	}
	for _, p := range d.Participants {
		s.note(p.Kind, true)
		s.note("came back", len(p.Connections) > 1)
		for _, c := range p.Connections {
			s.note("left "+c.Reason, true)
		}
	}
}

// shape is a body with a word for every value. What depends on who was there is left out of it.
func shape(t *testing.T, document []byte) string {
	t.Helper()
	dec := jsontext.NewDecoder(bytes.NewReader(document))
	var b strings.Builder
	for {
		token, err := dec.ReadToken()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Fatalf("%v: %s", err, document)
		}
		kind, within := dec.StackIndex(dec.StackDepth())
		name := kind == '{' && within%2 == 1 && token.Kind() == '"'
		switch {
		case name:
			b.WriteString(" " + token.String() + ":")
			if peculiar[token.String()] {
				_ = dec.SkipValue()
			}
		case token.Kind() == 't':
			b.WriteByte('f')
		default:
			b.WriteByte(byte(token.Kind()))
		}
	}
}

var peculiar = map[string]bool{"breakdown": true, "extra_data": true, "allowed_file_types": true, "allowed_speech_users": true, "allowed_spoken_langs": true, "allowed_trans_langs": true, "phone_numbers": true}

// metadataOf is the document in room.metadata, if there is one.
func metadataOf(t *testing.T, document []byte) []byte {
	t.Helper()
	var d struct{ Room struct{ Metadata string } }
	if err := json.Unmarshal(document, &d); err != nil {
		t.Fatal(err)
	}
	return []byte(d.Room.Metadata)
}

func TestBodiesHaveTheShapeOfRecordedOnes(t *testing.T) {
	shapes := make(map[string]bool)
	for _, d := range day(t).told {
		shapes[d.Event+shape(t, d.Body)] = true
		if d.Event == "room_created" || d.Event == "session_ended" {
			shapes[shape(t, metadataOf(t, d.Body))] = true
		}
	}
	for _, recorded := range append(capture(t, "captures/two-people.jsonl"), capture(t, "captures/three-rooms.jsonl")...) {
		if got := recorded.Event + shape(t, recorded.Body); !shapes[got] {
			t.Errorf("nothing simulated is like %s\n%s", recorded.Body, got)
			shapes[got] = true
		}
		if got := shape(t, metadataOf(t, recorded.Body)); !shapes[got] && got != "" {
			t.Errorf("no simulated metadata is like that of %s\n%s", recorded.Event, got)
			shapes[got] = true
		}
	}
}
