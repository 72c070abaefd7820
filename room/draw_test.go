package room_test

import (
	"fmt"

	"pgregory.net/rapid"

	"github.com/roomwatch/roomwatch/room"
)

const base room.Time = 1_795_311_000_000

var key = room.Key{Source: "default", SID: "s1"}

// anyEvent draws an event of one small room: few names and times, so that everything collides.
func anyEvent(t *rapid.T, n int, kinds []room.Kind) room.Event {
	second := func(label string) room.Time { return base + 1000*room.Time(rapid.IntRange(0, 20).Draw(t, label)) }
	maybe := func(label string) room.Time {
		if rapid.Bool().Draw(t, label+"?") {
			return 0
		}
		return second(label)
	}
	text := func(label string, of ...string) string { return rapid.SampledFrom(append(of, "")).Draw(t, label) }
	e := room.Event{
		Source: key.Source, SID: key.SID, RoomID: "room01", ID: fmt.Sprintf("e%03d", n),
		Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), At: second("at"), Received: base + room.Time(n),
		Title: text("title", "Weekly ops", "Weekly"), ParentRoomID: text("parent", "room00"),
	}
	if rapid.Bool().Draw(t, "skew?") {
		e.Skew = new(1000 * room.Time(rapid.IntRange(-20, 20).Draw(t, "skew")))
	}
	switch k := e.Kind; k {
	case room.KindRoomCreated, room.KindRoomStarted, room.KindRoomFinished, room.KindSessionEnded:
		e.CreationTime = maybe("creation")
	case room.KindParticipantJoined, room.KindParticipantLeft:
		e.CreationTime = maybe("creation")
		e.Participant = anyParticipant(t, maybe("joined"))
		e.Participant.Reason = text("reason", "CLIENT_INITIATED", "DUPLICATE_IDENTITY")
	case room.KindTrackPublished, room.KindTrackUnpublished:
		e.Participant, e.Track = anyParticipant(t, 0), anyTrack(t)
	case room.KindListed, room.KindAbsent:
		anyPoll(t, &e, second("alive"))
		for range rapid.IntRange(0, 2).Draw(t, "also") {
			also := room.Event{Kind: e.Kind, Participant: anyParticipant(t, 0)}
			if e.Kind == room.KindListed && rapid.Bool().Draw(t, "also absent") {
				also.Kind = room.KindAbsent
			}
			switch rapid.IntRange(0, 3).Draw(t, "also of") {
			case 0:
				also.Track = anyTrack(t)
			case 1:
				also.Participant = nil
				also.Going = text("going", room.GoingRecording, room.GoingStream)
				if also.Kind == room.KindAbsent && rapid.Bool().Draw(t, "a job that is known") {
					also.Job = &room.JobSaid{RecordID: text("record", "r1", "r2")}
				}
			}
			e.Also = append(e.Also, also)
		}
		if rapid.Bool().Draw(t, "corrected") {
			e.Corrected = &room.Corrected{What: room.Adjusted, PeopleMissing: 1}
		}
	case room.KindArtifactCreated:
		e.Artifact = &room.ArtifactSaid{ID: text("artifact", "a1", "a2"), Type: text("type", "MEETING_SUMMARY")}
	case room.KindAnalyticsProceeded:
		e.AnalyticsID = text("file", "f1", "f2")
	case room.KindSpeechStarted, room.KindSpeechEnded, room.KindSpeechUsage:
		e.Speech = &room.SpeechSaid{UserID: text("user", "u1"), Seconds: int64(rapid.IntRange(0, 9).Draw(t, "seconds"))}
	case room.KindRecordingStarted, room.KindRecordingEnded, room.KindRecordingTranscoded, room.KindRecordingProceeded,
		room.KindStreamStarted, room.KindStreamEnded:
		e.Job = &room.JobSaid{RecordID: text("record", "r1", "r2"), Message: text("message", "success", "browser crashed")}
		if k == room.KindRecordingProceeded || k == room.KindRecordingTranscoded {
			e.Job.FilePath, e.Job.SizeBytes = text("path", "a.mp4"), int64(rapid.IntRange(0, 3).Draw(t, "size"))
		}
	}
	return e
}

func anyParticipant(t *rapid.T, joined room.Time) *room.ParticipantSaid {
	return &room.ParticipantSaid{
		SID:      rapid.SampledFrom([]string{"PA_1", "PA_2", "PA_3", ""}).Draw(t, "connection"),
		Identity: rapid.SampledFrom([]string{"u1", "u2", "RECORDER_BOT", "sip_1555", "sip_+1555", "pnm_agent-x"}).Draw(t, "identity"),
		Name:     rapid.SampledFrom([]string{"Ana", "Ana Díaz", ""}).Draw(t, "name"),
		JoinedAt: joined,
		Roles:    rapid.SampledFrom([]*room.Roles{nil, {}, {Admin: true}}).Draw(t, "roles"),
	}
}

func anyTrack(t *rapid.T) *room.TrackSaid {
	track := &room.TrackSaid{SID: rapid.SampledFrom([]string{"TR_1", "TR_2"}).Draw(t, "track"),
		Source: rapid.SampledFrom([]string{"microphone", "camera", ""}).Draw(t, "source"), Width: rapid.IntRange(0, 2).Draw(t, "width")}
	if rapid.Bool().Draw(t, "muted?") {
		muted := rapid.Bool().Draw(t, "muted")
		track.Muted = &muted
	}
	return track
}

func anyPoll(t *rapid.T, e *room.Event, alive room.Time) {
	e.AliveAt = alive
	switch rapid.IntRange(0, 2).Draw(t, "about") {
	case 1:
		e.Participant = anyParticipant(t, 0)
	case 2:
		e.Participant, e.Track = anyParticipant(t, 0), anyTrack(t)
	}
}

var (
	webhookKinds = []room.Kind{room.KindOther, room.KindRoomCreated, room.KindRoomStarted, room.KindRoomFinished, room.KindSessionEnded,
		room.KindParticipantJoined, room.KindParticipantLeft, room.KindTrackPublished, room.KindTrackUnpublished,
		room.KindRecordingStarted, room.KindRecordingEnded, room.KindRecordingTranscoded, room.KindRecordingProceeded,
		room.KindStreamStarted, room.KindStreamEnded, room.KindArtifactCreated, room.KindAnalyticsProceeded,
		room.KindSpeechStarted, room.KindSpeechEnded, room.KindSpeechUsage}
	allKinds   = append([]room.Kind{room.KindListed, room.KindAbsent, room.KindJanitor}, webhookKinds...)
	afterKinds = []room.Kind{room.KindRecordingEnded, room.KindRecordingTranscoded, room.KindRecordingProceeded, room.KindStreamEnded,
		room.KindArtifactCreated, room.KindAnalyticsProceeded, room.KindSpeechStarted, room.KindSpeechEnded, room.KindSpeechUsage}
)

func anyEvents(t *rapid.T, kinds []room.Kind, most int) []room.Event {
	events := make([]room.Event, rapid.IntRange(1, most).Draw(t, "events"))
	for i := range events {
		events[i] = anyEvent(t, i, kinds)
	}
	return events
}

// anySuccessors draws fewer sessions of the room_id than are kept, some created before this one.
func anySuccessors(t *rapid.T) map[string]room.Created {
	successors := make(map[string]room.Created)
	for _, sid := range []string{"s2", "s3", "s4"} {
		if rapid.Bool().Draw(t, sid+"?") {
			at := func(label string) room.Time { return base + 1000*room.Time(rapid.IntRange(-5, 30).Draw(t, label)) }
			successors[sid] = room.Created{For: at("for"), Failing: at("failing")}
		}
	}
	return successors
}
