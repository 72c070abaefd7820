package room_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/roomwatch/roomwatch/room"
)

// life is what happens to one session, in the helpers' seconds after 01:30:00.
type life struct {
	events     []room.Event
	successors map[string]room.Created
}

func named(name, level string) func(*room.Event) {
	return func(e *room.Event) { e.Participant.Name, e.Participant.Kind = name, level }
}

func reason(why string) func(*room.Event) {
	return func(e *room.Event) { e.Participant.Reason = why }
}

func since(at int) func(*room.Event) {
	return func(e *room.Event) { e.Participant.JoinedAt = sec(at) }
}

func alive(at int) func(*room.Event) {
	return func(e *room.Event) { e.AliveAt = sec(at) }
}

// goldenLives have each a golden file of their name, which was read by eye.
func goldenLives() map[string]life {
	joined, left, published, unpublished := room.KindParticipantJoined, room.KindParticipantLeft, room.KindTrackPublished, room.KindTrackUnpublished
	start, end, transcoded, file := room.KindRecordingStarted, room.KindRecordingEnded, room.KindRecordingTranscoded, room.KindRecordingProceeded
	created, started := event(room.KindRoomCreated, 0), event(room.KindRoomStarted, 2)
	ana, bob := who("PA_ana", "u-ana", 0), who("PA_bob", "u-bob", 0)
	return map[string]life{
		"recordings-and-streams-in-every-state": {events: []room.Event{created, started,
			event(start, 30, job("r1-going-on", "success", "", 0)),
			event(start, 11, job("r2-ended", "success", "", 0)), event(end, 20, job("r2-ended", "success", "", 0)),
			event(end, 12, job("r3-never-started", "no free slot", "", 0)),
			event(start, 13, job("r4-crashed-yet-has-its-file", "success", "", 0)), event(end, 21, job("r4-crashed-yet-has-its-file", "browser crashed", "", 0)),
			event(file, 40, job("r4-crashed-yet-has-its-file", "success", "node_01/r4.mp4", 7_430_000)), event(transcoded, 40, job("r4-crashed-yet-has-its-file", "success", "node_01/r4.mp4", 0)),
			event(start, 14, job("r5-transcoding-failed", "success", "", 0)), event(end, 22, job("r5-transcoding-failed", "success", "", 0)), event(transcoded, 41, job("r5-transcoding-failed", "disk full", "", 0)),
			event(start, 15, job("r6-transcoded-again", "success", "", 0)), event(transcoded, 42, job("r6-transcoded-again", "disk full", "", 0)), event(transcoded, 342, job("r6-transcoded-again", "success", "", 0)),
			event(start, 16, job("r7-ended-without-a-word", "success", "", 0)), event(end, 23, job("r7-ended-without-a-word", "", "", 0)),
			event(file, 600, job("r8-merged-of-two", "success", "merged/r8.mp4", 25_480_000)),
			event(room.KindStreamStarted, 31, job("s1-live", "success", "", 0)),
			event(room.KindStreamStarted, 18, job("s2-ended", "success", "", 0)), event(room.KindStreamEnded, 24, job("s2-ended", "success", "", 0)),
			event(room.KindStreamStarted, 19, job("s3-failed", "success", "", 0)), event(room.KindStreamEnded, 25, job("s3-failed", "ffmpeg exited", "", 0)),
		}},
		"a-twin-is-its-owner-and-goes-with-it": {events: []room.Event{created, started,
			event(joined, 3, ana, named("Ana", "")), event(published, 4, who("PA_twin", "u-ana", 0), track("TR_1", "screen_share")),
			event(published, 5, who("PA_twin", "u-ana", 0), track("TR_2", "screen_share_audio")), event(unpublished, 20, who("PA_twin", "u-ana", 0), track("TR_2", "screen_share_audio")),
			event(left, 30, ana, reason("CLIENT_INITIATED")),
		}},
		"a-caller-is-one-person-with-and-without-plus": {events: []room.Event{created, started,
			event(joined, 3, who("PA_sip", "sip_1555", 0), named("Phone +1***", "SIP")),
			event(published, 4, who("PA_sip", "sip_+1555", 0), track("TR_1", "microphone")), event(published, 5, who("PA_other", "sip_+1555", 0), track("TR_2", "microphone")),
		}},
		"everyone-has-a-kind": {events: []room.Event{created, started,
			event(joined, 3, who("PA_01", "u-ana", 0), named("Ana", "STANDARD")), event(joined, 4, who("PA_02", "sip_1555", 0)), event(joined, 5, who("PA_03", "caller", 0), named("Caller", "SIP")),
			event(joined, 6, who("PA_04", "ana-native", 0)), event(joined, 7, who("PA_05", "wa-1", 0), named("By messenger", "CONNECTOR")), event(joined, 8, who("PA_06", "x", 0), named("Of a kind to come", "ROBOT")),
			event(joined, 9, who("PA_07", "RECORDER_BOT", 0)), event(joined, 10, who("PA_08", "RTMP_BOT", 0)), event(joined, 11, who("PA_09", "ingres_1795311000", 0), named("Camera 2", "INGRESS")),
			event(joined, 12, who("PA_10", "pnm_agent-transcription-1", 0)), event(joined, 13, who("PA_11", "pnm_tts_agent-fr", 0), named("Translator-FR", "")),
			event(joined, 14, who("PA_12", "EG_1", 0), named("", "EGRESS")), event(joined, 15, who("PA_13", "agent-1", 0), named("", "AGENT")), event(joined, 16, who("PA_14", "rtsp", 0), named("Door camera", "BRIDGE")),
		}},
		"an-api-fact-after-the-end-revives": {events: []room.Event{created, started, event(joined, 3, ana), event(joined, 4, bob), event(published, 5, ana, track("TR_1", "camera")),
			event(room.KindSessionEnded, 60), event(room.KindListed, 120, alive(120)), event(room.KindListed, 120, ana, alive(120)),
			event(room.KindListed, 120, ana, track("TR_1", "camera"), alive(120)), event(room.KindAbsent, 120, bob),
		}},
		"the-next-session-ends-this-one": {events: []room.Event{created, started, event(joined, 3, ana), event(published, 5, ana, track("TR_1", "camera")),
			event(start, 10, job("r1", "success", "", 0)), event(room.KindStreamStarted, 11, job("s1", "success", "", 0)), event(room.KindJanitor, 700),
		}, successors: map[string]room.Created{"s0-earlier": {For: sec(-600)}, "s2-next": {For: sec(300)}, "s3-after": {For: sec(900)}}},
		"a-session-known-by-the-api-alone": {events: []room.Event{
			event(room.KindListed, 30, creation(-900), alive(29)), event(room.KindListed, 30, ana, since(-800), named("Ana", "STANDARD"), alive(29)),
			event(room.KindListed, 90, creation(-900), alive(89)), event(room.KindAbsent, 300),
		}},
		"a-session-known-by-what-follows-its-end": {events: []room.Event{
			event(end, 10, job("r1", "success", "", 0)), event(file, 50, job("r1", "success", "node_01/r1.mp4", 18_050_000)),
			event(room.KindArtifactCreated, 20, func(e *room.Event) { e.Artifact = &room.ArtifactSaid{ID: "a1"} }),
			event(room.KindAnalyticsProceeded, 21, func(e *room.Event) { e.AnalyticsID = "a1" }),
		}},
		"what-an-unknown-event-names-is-not-brought-to-life": {events: []room.Event{created, started,
			event(room.KindOther, 10, func(e *room.Event) { e.Name, e.Title = "stop_rtmp", "Weekly ops" }, job("s1", "success", "", 0)),
			event(room.KindOther, 11, ana, track("TR_1", "camera")),
		}},
		"the-next-one-shows-that-the-one-before-has-ended": {events: []room.Event{created, started,
			event(joined, 3, ana, named("Ana", "")), event(published, 4, ana, track("TR_1", "microphone")), event(joined, 20, who("PA_ana2", "u-ana", 20)), event(left, 50, who("PA_ana2", "u-ana", 20)),
			event(joined, 5, bob, named("Bob", "")), event(joined, 21, who("PA_bob2", "u-bob", 21)), event(left, 26, bob, reason("CONNECTION_TIMEOUT")),
			event(start, 10, job("r1-its-end-was-lost", "success", "", 0)), event(start, 40, job("r2", "success", "", 0)),
			event(room.KindStreamStarted, 11, job("s1-its-end-was-lost", "success", "", 0)), event(room.KindStreamStarted, 41, job("s2", "success", "", 0)),
		}},
		"an-old-sessions-straggler-is-left-out": {events: []room.Event{created, event(room.KindRoomStarted, 2, creation(1)), event(joined, 3, ana),
			event(left, 4, who("PA_old", "RECORDER_BOT", 0), since(-600), reason("CLIENT_INITIATED")), event(room.KindRoomFinished, 5, creation(-700)),
		}},
	}
}

func TestSessionsDeriveToTheirGoldenFiles(t *testing.T) {
	lives := goldenLives()
	for name, l := range lives {
		want, err := os.ReadFile(filepath.Join("testdata", "sessions", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		backwards := slices.Clone(l.events)
		slices.Reverse(backwards)
		for order, events := range map[string][]room.Event{"in order": l.events, "backwards": backwards} {
			got, _ := json.Marshal(live(l.successors, events).Detail())
			if got, want := lines(t, got), lines(t, want); got != want {
				t.Errorf("%s, %s:\n%s\nis not\n%s", name, order, got, want)
			}
		}
	}
	files, _ := filepath.Glob(filepath.Join("testdata", "sessions", "*.json"))
	for _, file := range files {
		if _, ok := lives[strings.TrimSuffix(filepath.Base(file), ".json")]; !ok {
			t.Errorf("%s belongs to nothing", file)
		}
	}
}

func lines(t *testing.T, data []byte) string {
	t.Helper()
	var out bytes.Buffer
	if err := json.Compact(&out, data); err != nil {
		t.Fatal(err)
	}
	spread := new(bytes.Buffer)
	if err := json.Indent(spread, out.Bytes(), "", " "); err != nil {
		t.Fatal(err)
	}
	return spread.String()
}
