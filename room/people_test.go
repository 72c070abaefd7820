package room_test

import (
	"testing"

	"github.com/roomwatch/roomwatch/room"
)

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

func TestATrackGoesWithItsConnectionThoughThePollMissesItLater(t *testing.T) {
	ana := who("PA_1", "u1", 1)
	d := of(t, event(room.KindParticipantJoined, 1, ana), event(room.KindTrackPublished, 2, ana, track("TR_1", "camera")),
		event(room.KindParticipantLeft, 30, ana), event(room.KindAbsent, 60, ana, track("TR_1", "")))
	if tr := participant(t, d, "u1").Tracks[0]; !tr.UnpublishedAt.Equal(sec(30).Time()) {
		t.Errorf("unpublished %v", tr.UnpublishedAt)
	}
}

func TestALaterTrackEventWithoutItsConnectionLeavesTheTrackThere(t *testing.T) {
	d := of(t, event(room.KindParticipantJoined, 1, who("PA_1", "u1", 1)), event(room.KindTrackPublished, 2, who("PA_1", "u1", 0), track("TR_1", "camera")),
		event(room.KindTrackPublished, 2, who("", "u9", 0), track("TR_1", "camera"), func(e *room.Event) { e.ID = "z" }))
	if len(d.Participants) != 1 || len(participant(t, d, "u1").Tracks) != 1 {
		t.Errorf("%+v", d.Participants)
	}
}

func TestWhoComesInTheSecondInWhichAnotherLeavesMeetsThem(t *testing.T) {
	d := of(t, event(room.KindParticipantJoined, 1, who("PA_1", "u1", 1)), event(room.KindParticipantLeft, 10, who("PA_1", "u1", 1)),
		event(room.KindParticipantJoined, 10, who("PA_2", "u2", 10)))
	if d.PeakPeople != 2 || d.People != 1 {
		t.Errorf("peak %d, people %d", d.PeakPeople, d.People)
	}
}

func TestAnUnannouncedConnectionsTrackGoesWithItsOwnersLast(t *testing.T) {
	ana := who("PA_1", "u1", 1)
	joined, left := event(room.KindParticipantJoined, 1, ana), event(room.KindParticipantLeft, 30, ana)
	before := event(room.KindTrackPublished, 2, who("PA_twin", "u1", 0), track("TR_1", "camera"))
	since := event(room.KindTrackPublished, 40, who("PA_twin", "u1", 0), track("TR_1", "camera"))
	listed := event(room.KindListed, 50, who("PA_twin", "u1", 0), track("TR_1", "camera"), func(e *room.Event) { e.AliveAt = sec(50) })
	again := who("PA_2", "u1", 5)
	for name, c := range map[string]struct {
		events []room.Event
		ends   room.Time
	}{
		"its owner is here":               {[]room.Event{joined, before}, 0},
		"its owner left":                  {[]room.Event{joined, before, left}, sec(30)},
		"its owner is here on another":    {[]room.Event{joined, before, left, event(room.KindParticipantJoined, 5, again)}, 0},
		"its owner left another before":   {[]room.Event{joined, before, left, event(room.KindParticipantJoined, 5, again), event(room.KindParticipantLeft, 20, again)}, sec(20)},
		"its owner left another after":    {[]room.Event{joined, before, left, event(room.KindParticipantJoined, 5, again), event(room.KindParticipantLeft, 40, again)}, sec(40)},
		"it was published since":          {[]room.Event{joined, left, since}, 0},
		"plugNmeet has listed it since":   {[]room.Event{joined, before, left, listed}, 0},
		"it was unpublished before":       {[]room.Event{joined, before, left, event(room.KindTrackUnpublished, 9, who("PA_twin", "u1", 0), track("TR_1", ""))}, sec(9)},
		"the session ended first for all": {[]room.Event{joined, before, event(room.KindSessionEnded, 25)}, sec(25)},
	} {
		if tr := participant(t, of(t, c.events...), "u1").Tracks[0]; room.At(tr.UnpublishedAt) != c.ends || tr.Open != (c.ends == 0) {
			t.Errorf("%s: unpublished %v", name, tr.UnpublishedAt)
		}
	}
}
