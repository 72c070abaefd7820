package room_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// sec is a moment n seconds into the hour in which these small sessions happen.
func sec(n int) room.Time { return base + room.Time(n)*1000 }

// event makes an event of the session at a second; more fills in the rest.
func event(kind room.Kind, at int, more ...func(*room.Event)) room.Event {
	e := room.Event{Source: key.Source, SID: key.SID, RoomID: "room01", ID: fmt.Sprintf("%s-%d-%d", kind, at, len(more)), Kind: kind, At: sec(at)}
	for _, m := range more {
		m(&e)
	}
	return e
}

func who(sid, identity string, joined int) func(*room.Event) {
	return func(e *room.Event) {
		e.Participant = &room.ParticipantSaid{SID: sid, Identity: identity}
		if joined > 0 {
			e.Participant.JoinedAt = sec(joined)
		}
		e.ID += sid + identity
	}
}

func track(sid, source string) func(*room.Event) {
	return func(e *room.Event) {
		e.Track = &room.TrackSaid{SID: sid, Source: source}
		e.ID += sid
	}
}

func job(id, message, path string, size int64) func(*room.Event) {
	return func(e *room.Event) {
		e.Job = &room.JobSaid{RecordID: id, Message: message, FilePath: path, SizeBytes: size}
		e.ID += id + message
	}
}

func creation(at int) func(*room.Event) {
	return func(e *room.Event) { e.CreationTime = sec(at) }
}

// of folds events in the given order and in the reverse one, which must not matter.
func of(t *testing.T, events ...room.Event) room.Detail {
	t.Helper()
	if a, b := diverges(t, merged, events, 1, 8); a != nil {
		t.Fatalf("order matters:\n%s\n%s", a, b)
	}
	return merged([][]room.Event{events}).Detail()
}

func participant(t *testing.T, d room.Detail, identity string) room.Participant {
	t.Helper()
	for _, p := range d.Participants {
		if p.Identity == identity {
			return p
		}
	}
	t.Fatalf("no participant %q in %+v", identity, d.Participants)
	return room.Participant{}
}

func TestLateJoinDoesNotReviveAnEndedSession(t *testing.T) {
	d := of(t, event(room.KindRoomCreated, 1), event(room.KindSessionEnded, 50), event(room.KindParticipantJoined, 60, who("PA_1", "u1", 60)))
	if d.State != room.StateEnded || d.People != 0 || participant(t, d, "u1").Online {
		t.Errorf("%s with %d people", d.State, d.People)
	}
}

func TestLeftBeforeJoinedIsNeverOnline(t *testing.T) {
	d := of(t, event(room.KindParticipantLeft, 10, who("PA_1", "u1", 0)), event(room.KindParticipantJoined, 12, who("PA_1", "u1", 0)))
	if p := participant(t, d, "u1"); p.Online || d.People != 0 {
		t.Errorf("online %v, %d people", p.Online, d.People)
	}
}

func TestReconnectingIsOnePersonOnlineOnce(t *testing.T) {
	d := of(t, event(room.KindParticipantJoined, 1, who("PA_1", "u1", 1)), event(room.KindParticipantJoined, 20, who("PA_2", "u1", 20)),
		event(room.KindParticipantLeft, 21, who("PA_1", "u1", 1)))
	p := participant(t, d, "u1")
	if !p.Online || d.People != 1 || len(p.Connections) != 2 || d.PeakPeople != 1 {
		t.Errorf("online %v, %d people, peak %d, %d connections", p.Online, d.People, d.PeakPeople, len(p.Connections))
	}
}

func TestAStragglerOfAnEarlierSessionIsLeftOut(t *testing.T) {
	old := event(room.KindParticipantLeft, 101, who("PA_old", "RECORDER_BOT", 20))
	d := of(t, event(room.KindRoomCreated, 100), old, event(room.KindParticipantJoined, 110, who("PA_1", "u1", 110)))
	if len(d.Participants) != 1 || d.LastEventAt != sec(110).Time() {
		t.Errorf("participants %+v", d.Participants)
	}
	if d := of(t, old); len(d.Participants) != 1 {
		t.Error("without a creation nothing is a straggler")
	}
}

func TestStragglersBeginMoreThanFiveSecondsBeforeTheCreation(t *testing.T) {
	created := event(room.KindRoomCreated, 100)
	for joined, counts := range map[int]bool{94: false, 95: true} {
		d := of(t, created, event(room.KindParticipantJoined, 100, who("PA_1", "u1", joined)))
		if (d.People == 1) != counts {
			t.Errorf("joined %d s before the creation: %d people", 100-joined, d.People)
		}
	}
}

func TestAStragglingRoomFinishedEndsNothingButSessionEndedAlwaysDoes(t *testing.T) {
	alive := []room.Event{event(room.KindRoomCreated, 100), event(room.KindRoomStarted, 101)}
	if d := of(t, append(alive, event(room.KindRoomFinished, 102, creation(20)))...); d.State != room.StateLive {
		t.Errorf("a straggling room_finished: %s", d.State)
	}
	if d := of(t, append(alive, event(room.KindSessionEnded, 102, creation(20)))...); d.State != room.StateEnded {
		t.Errorf("session_ended: %s", d.State)
	}
}

func TestCreationComesFromRoomCreatedElseFromSessionEndedNeverFromLiveKit(t *testing.T) {
	started, ended := event(room.KindRoomStarted, 30, creation(25)), event(room.KindSessionEnded, 90, creation(12))
	if d := of(t, started); !d.CreatedAt.IsZero() {
		t.Errorf("from LiveKit: %v", d.CreatedAt)
	}
	if d := of(t, started, ended); !d.CreatedAt.Equal(sec(12).Time()) {
		t.Errorf("from session_ended: %v", d.CreatedAt)
	}
	if d := of(t, started, ended, event(room.KindRoomCreated, 16, creation(15))); !d.CreatedAt.Equal(sec(15).Time()) {
		t.Errorf("from room_created: %v", d.CreatedAt)
	}
}

func TestStateNeedsEvidenceOfLife(t *testing.T) {
	for name, c := range map[string]struct {
		events []room.Event
		want   room.State
	}{
		"room_created alone":     {[]room.Event{event(room.KindRoomCreated, 1)}, room.StateCreated},
		"room_started":           {[]room.Event{event(room.KindRoomStarted, 1)}, room.StateLive},
		"a left alone":           {[]room.Event{event(room.KindParticipantLeft, 1, who("PA_1", "u1", 0))}, room.StateLive},
		"a track":                {[]room.Event{event(room.KindTrackPublished, 1, who("", "u1", 0), track("TR_1", "camera"))}, room.StateLive},
		"start_recording":        {[]room.Event{event(room.KindRecordingStarted, 1, job("r1", "success", "", 0))}, room.StateLive},
		"start_rtmp":             {[]room.Event{event(room.KindStreamStarted, 1, job("r1", "success", "", 0))}, room.StateLive},
		"end_recording alone":    {[]room.Event{event(room.KindRecordingEnded, 1, job("r1", "success", "", 0))}, room.StateEnded},
		"the straggler alone":    {[]room.Event{event(room.KindRoomCreated, 100), event(room.KindRoomStarted, 100, creation(1))}, room.StateCreated},
		"room_finished alone":    {[]room.Event{event(room.KindRoomFinished, 1)}, room.StateEnded},
		"an event we don't know": {[]room.Event{event(room.KindOther, 1)}, room.StateEnded},
	} {
		if d := of(t, c.events...); d.State != c.want {
			t.Errorf("%s: %s, want %s", name, d.State, c.want)
		}
	}
}

func TestEndIsOnTheBestEvidence(t *testing.T) {
	s := room.New(key)
	for _, step := range []struct {
		e    room.Event
		by   room.Evidence
		ends int
	}{
		{event(room.KindRoomStarted, 1), "", 0},
		{event(room.KindJanitor, 90), room.ByJanitor, 90},
		{event(room.KindAbsent, 80), room.ByReconcile, 80},
		{event(room.KindSessionEnded, 95), room.ByWebhook, 95},
		{event(room.KindRoomFinished, 93), room.ByWebhook, 93},
	} {
		s.Apply(step.e)
		if d := s.Detail(); d.EndedBy != step.by || step.ends > 0 && !d.EndedAt.Equal(sec(step.ends).Time()) {
			t.Errorf("after %s: ended %v by %q", step.e.Kind, d.EndedAt, d.EndedBy)
		}
	}
}

func TestTheCreationOfTheNextSessionEndsOnlyTheEarlierOne(t *testing.T) {
	s := room.New(key)
	s.Apply(event(room.KindRoomCreated, 10))
	s.Apply(event(room.KindRoomStarted, 11))
	s.Succeed("earlier", room.Created{For: sec(5)})
	if d := s.Detail(); d.State != room.StateLive {
		t.Fatalf("a session created before ended this one: %s", d.EndedBy)
	}
	s.Succeed("later", room.Created{For: sec(60)})
	if d := s.Detail(); d.EndedBy != room.BySuccessor || !d.EndedAt.Equal(sec(60).Time()) {
		t.Errorf("ended %v by %q", d.EndedAt, d.EndedBy)
	}
}

func TestATrackMakesAParticipantButNoConnection(t *testing.T) {
	published := event(room.KindTrackPublished, 5, who("PA_twin", "u1", 0), track("TR_1", "camera"))
	p := participant(t, of(t, published), "u1")
	if !p.Online || len(p.Connections) != 0 || len(p.Tracks) != 1 {
		t.Errorf("%+v", p)
	}
	d := of(t, published, event(room.KindParticipantJoined, 4, who("PA_1", "u1", 4)), event(room.KindParticipantLeft, 9, who("PA_1", "u1", 4)))
	if participant(t, d, "u1").Online {
		t.Error("who left on the only known connection is not kept online by a track")
	}
}

func TestASIPCallerIsOnePersonWithAndWithoutPlus(t *testing.T) {
	mic := track("TR_1", "microphone")
	joined := event(room.KindParticipantJoined, 3, who("PA_sip", "sip_1555", 3))
	for name, published := range map[string]room.Event{
		"by its connection":         event(room.KindTrackPublished, 5, who("PA_sip", "sip_+1555", 0), mic),
		"by identity less the plus": event(room.KindTrackPublished, 5, who("PA_other", "sip_+1555", 0), mic),
	} {
		d := of(t, joined, published)
		if len(d.Participants) != 1 || d.Participants[0].Kind != "sip" || len(d.Participants[0].Tracks) != 1 || d.People != 1 {
			t.Errorf("%s: %+v", name, d.Participants)
		}
	}
}

func TestATrackGoesWithTheConnectionItWasMadeOn(t *testing.T) {
	d := of(t, event(room.KindParticipantJoined, 1, who("PA_1", "u1", 1)), event(room.KindTrackPublished, 2, who("PA_1", "u1", 0), track("TR_1", "camera")),
		event(room.KindParticipantLeft, 30, who("PA_1", "u1", 1)))
	if tr := participant(t, d, "u1").Tracks[0]; !tr.UnpublishedAt.Equal(sec(30).Time()) || d.Summary().Cameras != 0 {
		t.Errorf("unpublished %v, %d cameras", tr.UnpublishedAt, d.Summary().Cameras)
	}
}

func TestZerosAndAbsentValuesDoNotWrite(t *testing.T) {
	yes := true
	full := event(room.KindTrackPublished, 5, who("PA_1", "u1", 0), func(e *room.Event) {
		e.Track = &room.TrackSaid{SID: "TR_1", Source: "camera", Mime: "video/VP8", Width: 1280, Height: 720, Simulcast: true, Muted: &yes}
	})
	empty := event(room.KindTrackUnpublished, 9, who("PA_1", "u1", 0), track("TR_1", ""))
	tr := participant(t, of(t, full, empty), "u1").Tracks[0]
	if tr.Source != "camera" || tr.Mime != "video/VP8" || tr.Width != 1280 || !tr.Simulcast || !tr.Muted {
		t.Errorf("%+v", tr)
	}
}

func TestMutedIsTheNewestKnownValue(t *testing.T) {
	say := func(kind room.Kind, at int, muted bool) room.Event {
		return event(kind, at, who("PA_1", "u1", 0), func(e *room.Event) { e.Track = &room.TrackSaid{SID: "TR_1", Muted: &muted} })
	}
	d := of(t, say(room.KindTrackPublished, 5, true), say(room.KindListed, 7, false))
	if participant(t, d, "u1").Tracks[0].Muted {
		t.Error("the API's later word does not count")
	}
}

func TestThePublishedAndUnpublishedInOneSecondIsUnpublished(t *testing.T) {
	name := func(text string) func(*room.Event) {
		return func(e *room.Event) { e.Participant.Name = text }
	}
	d := of(t, event(room.KindParticipantLeft, 5, who("PA_1", "u1", 0), name("later kind")), event(room.KindParticipantJoined, 5, who("PA_1", "u1", 0), name("earlier kind")))
	if p := participant(t, d, "u1"); p.Name != "later kind" {
		t.Errorf("a tie in time went to %q", p.Name)
	}
}

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

func TestPeakCountsPeopleNotConnectionsNorBots(t *testing.T) {
	d := of(t, event(room.KindParticipantJoined, 1, who("PA_1", "u1", 1)), event(room.KindParticipantJoined, 2, who("PA_2", "u2", 2)),
		event(room.KindParticipantJoined, 3, who("PA_2b", "u2", 3)), event(room.KindParticipantJoined, 3, who("PA_r", "RECORDER_BOT", 3)),
		event(room.KindParticipantLeft, 10, who("PA_1", "u1", 1)), event(room.KindParticipantJoined, 20, who("PA_3", "u3", 20)))
	if d.PeakPeople != 2 || d.People != 2 || d.Bots != 1 {
		t.Errorf("peak %d, people %d, bots %d", d.PeakPeople, d.People, d.Bots)
	}
}

func TestKindsOfIdentities(t *testing.T) {
	for identity, want := range map[string]string{
		"u-1001": "person", "RECORDER_BOT": "recorder", "RTMP_BOT": "rtmp", "ingres_1795": "ingress", "sip_1555": "sip",
		"pnm_agent-transcription-1": "agent", "pnm_tts_agent-fr": "translator", "ana-native": "person",
	} {
		d := of(t, event(room.KindParticipantJoined, 1, who("PA_1", identity, 1)))
		if got := d.Participants[0].Kind; got != want {
			t.Errorf("%s: %s, want %s", identity, got, want)
		}
	}
}

func TestACappedSessionSaysSo(t *testing.T) {
	s := room.New(key)
	for i := range 2100 {
		s.Apply(event(room.KindArtifactCreated, i, func(e *room.Event) { e.Artifact = &room.ArtifactSaid{ID: fmt.Sprint("a", i)} }))
	}
	if d := s.Detail(); !d.Capped || len(d.Artifacts) != 2000 {
		t.Errorf("capped %v with %d artifacts", d.Capped, len(d.Artifacts))
	}
}

func TestBeginFallsBackFromCreationToStartToLastEvent(t *testing.T) {
	for want, events := range map[int][]room.Event{
		3: {event(room.KindRoomCreated, 3), event(room.KindRoomStarted, 9)},
		9: {event(room.KindRoomStarted, 9)},
		7: {event(room.KindAnalyticsProceeded, 7)},
	} {
		if got := of(t, events...).Begin(); !got.Equal(sec(want).Time()) {
			t.Errorf("begin %v, want second %d", got.Sub(time.UnixMilli(int64(base))), want)
		}
	}
}

func TestAStragglersReportDoesNotReplaceAGoodOne(t *testing.T) {
	d := of(t, event(room.KindRoomCreated, 100), event(room.KindParticipantJoined, 110, who("PA_1", "u1", 110)),
		event(room.KindParticipantJoined, 120, who("PA_1", "u1", 110), creation(20)))
	if d.People != 1 {
		t.Errorf("%d people: the later, straggling report of the connection took the place of the good one", d.People)
	}
}

func TestTheEarliestJoinAndPublicationCount(t *testing.T) {
	d := of(t, event(room.KindParticipantJoined, 10, who("PA_1", "u1", 10)), event(room.KindParticipantJoined, 20, who("PA_1", "u1", 20)),
		event(room.KindTrackPublished, 11, who("PA_1", "u1", 0), track("TR_1", "camera")), event(room.KindTrackPublished, 21, who("PA_1", "u1", 0), track("TR_1", "camera")))
	p := participant(t, d, "u1")
	if !p.Connections[0].JoinedAt.Equal(sec(10).Time()) || !p.Tracks[0].PublishedAt.Equal(sec(11).Time()) {
		t.Errorf("joined %v, published %v", p.Connections[0].JoinedAt, p.Tracks[0].PublishedAt)
	}
}

func TestATrackEventWithoutAnOwnerTakesNothingAway(t *testing.T) {
	d := of(t, event(room.KindTrackPublished, 11, who("PA_1", "u1", 0), track("TR_1", "camera")), event(room.KindTrackPublished, 11, track("TR_1", "camera"), func(e *room.Event) { e.ID = "z" }))
	if tr := participant(t, d, "u1").Tracks; len(tr) != 1 || len(d.Participants) != 1 {
		t.Errorf("%+v", d.Participants)
	}
}

func TestAPollBringsBackWhatEndedBeforeItAndNothingElse(t *testing.T) {
	listed := func(at int, more ...func(*room.Event)) room.Event {
		return event(room.KindListed, at, append(more, func(e *room.Event) { e.AliveAt = sec(at) })...)
	}
	here := who("PA_1", "u1", 1)
	joined, left := event(room.KindParticipantJoined, 1, here), event(room.KindParticipantLeft, 10, here)
	if d := of(t, joined, left, listed(12, here)); d.People != 1 {
		t.Error("listed after it had left, yet away")
	}
	if d := of(t, joined, left, listed(9, here)); d.People != 0 {
		t.Error("listed before it left, yet here")
	}
	if d := of(t, joined, left, listed(12)); d.People != 0 {
		t.Error("the poll listed the session, not this connection, yet here")
	}
	s := merged([][]room.Event{{event(room.KindRoomCreated, 1), joined, listed(70)}})
	s.Succeed("later", room.Created{For: sec(60)})
	if d := s.Detail(); d.State != room.StateLive {
		t.Errorf("listed after the next session was created, yet ended by %s", d.EndedBy)
	}
}

func TestMergingKeepsSuccessorsAndSaysWhatWasCapped(t *testing.T) {
	s := merged([][]room.Event{{event(room.KindRoomCreated, 1)}})
	s.Succeed("later", room.Created{For: sec(60)})
	s.Capped = true
	if d := s.Clone().Detail(); d.EndedBy != room.BySuccessor || !d.Capped {
		t.Errorf("a copy is %s by %q, capped %v", d.State, d.EndedBy, d.Capped)
	}
}
