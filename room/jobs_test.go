package room_test

import (
	"testing"

	"github.com/roomwatch/roomwatch/room"
)

func TestRecordingsMoveFromRecordingToReadyOrFailed(t *testing.T) {
	start := event(room.KindRecordingStarted, 10, job("r1", "success", "", 0))
	end := event(room.KindRecordingEnded, 20, job("r1", "success", "", 0))
	crash := event(room.KindRecordingEnded, 20, job("r1", "browser crashed", "", 0))
	file := event(room.KindRecordingProceeded, 30, job("r1", "success", "a.mp4", 18_050_000))
	zero := event(room.KindRecordingTranscoded, 30, job("r1", "success", "a.mp4", 0))
	bad := event(room.KindRecordingTranscoded, 30, job("r1", "no space left", "", 0))
	for name, c := range map[string]struct {
		events []room.Event
		want   string
		size   int64
	}{
		"started":                           {[]room.Event{start}, room.RecordingActive, 0},
		"ended":                             {[]room.Event{start, end}, room.RecordingProcessing, 0},
		"ended by a crash":                  {[]room.Event{start, crash}, room.RecordingFailed, 0},
		"failed to start":                   {[]room.Event{crash}, room.RecordingFailed, 0},
		"transcoding failed, then silence":  {[]room.Event{start, end, bad, event(room.KindRecordingTranscoded, 330, job("r1", "", "", 0))}, room.RecordingFailed, 0},
		"transcoding failed":                {[]room.Event{start, end, bad}, room.RecordingFailed, 0},
		"its file came":                     {[]room.Event{start, end, file}, room.RecordingReady, 18_050_000},
		"a zero in the same second":         {[]room.Event{start, end, file, zero}, room.RecordingReady, 18_050_000},
		"crashed, and its file came":        {[]room.Event{start, crash, file}, room.RecordingReady, 18_050_000},
		"the session ended without its end": {[]room.Event{start, event(room.KindSessionEnded, 40)}, room.RecordingProcessing, 0},
	} {
		rec := of(t, c.events...).Recordings[0]
		if rec.State != c.want || rec.SizeBytes != c.size {
			t.Errorf("%s: %s with %d bytes, want %s with %d", name, rec.State, rec.SizeBytes, c.want, c.size)
		}
	}
}

func TestStreamsEndWithTheirSession(t *testing.T) {
	start := event(room.KindStreamStarted, 10, job("r1", "success", "", 0))
	for name, c := range map[string]struct {
		events []room.Event
		want   string
	}{
		"going on":          {[]room.Event{start}, room.StreamLive},
		"ended":             {[]room.Event{start, event(room.KindStreamEnded, 20, job("r1", "success", "", 0))}, room.StreamEnded},
		"failed":            {[]room.Event{start, event(room.KindStreamEnded, 20, job("r1", "ffmpeg exited", "", 0))}, room.StreamFailed},
		"the session ended": {[]room.Event{start, event(room.KindSessionEnded, 40)}, room.StreamEnded},
	} {
		if st := of(t, c.events...).Streams[0]; st.State != c.want {
			t.Errorf("%s: %s, want %s", name, st.State, c.want)
		}
	}
}

func TestARecorderThatRepeatsItselfMovesNothing(t *testing.T) {
	again := event(room.KindRecordingStarted, 15, job("r1", "success", "", 0))
	rec := of(t, event(room.KindRecordingStarted, 10, job("r1", "success", "", 0)), again).Recordings
	if len(rec) != 1 || !rec[0].StartedAt.Equal(sec(10).Time()) {
		t.Errorf("%+v", rec)
	}
}

func TestAnArtifactIsAsOldAsItsFirstEvent(t *testing.T) {
	said := func(at int, reference string) room.Event {
		return event(room.KindArtifactCreated, at, func(e *room.Event) { e.Artifact = &room.ArtifactSaid{ID: "a1", Reference: reference} })
	}
	a := of(t, said(10, "a0"), said(20, "")).Artifacts
	if len(a) != 1 || !a[0].CreatedAt.Equal(sec(10).Time()) || a[0].Reference != "a0" {
		t.Errorf("%+v", a)
	}
}

func TestAnEventWeDoNotKnowBringsNothingToLife(t *testing.T) {
	known := event(room.KindStreamStarted, 5, job("s1", "success", "", 0))
	d := of(t, known, event(room.KindOther, 9, job("s1", "success", "", 0)), event(room.KindOther, 10, who("PA_1", "u1", 9), track("TR_1", "camera")))
	if len(d.Recordings)+len(d.Participants) != 0 || len(d.Streams) != 1 || !d.LastEventAt.Equal(sec(10).Time()) {
		t.Errorf("%+v", d)
	}
}
