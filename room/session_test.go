package room_test

import (
	"fmt"
	"math/rand/v2"
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

// skewed: the delivery came when LiveKit's clock was known to be so many seconds ahead of plugNmeet's.
func skewed(ahead int) func(*room.Event) {
	return func(e *room.Event) { e.Skew = new(room.Time(ahead) * 1000) }
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

func TestAStragglerOfAnEarlierSessionIsLeftOut(t *testing.T) {
	old := event(room.KindParticipantLeft, 401, who("PA_old", "RECORDER_BOT", 20))
	d := of(t, event(room.KindRoomCreated, 400), old, event(room.KindParticipantJoined, 410, who("PA_1", "u1", 410)))
	if len(d.Participants) != 1 || d.LastEventAt != sec(410).Time() {
		t.Errorf("participants %+v", d.Participants)
	}
	if d := of(t, old); len(d.Participants) != 1 {
		t.Error("without a creation nothing is a straggler")
	}
}

func TestStragglersBeginBeforeTheCreationByMoreThanTheClocksDiffer(t *testing.T) {
	created := event(room.KindRoomCreated, 1000)
	for name, c := range map[string]struct {
		skew        func(*room.Event)
		left, right int // seconds before the creation: a straggler's, and not
	}{
		"not measured":         {skew: func(*room.Event) {}, left: 121, right: 120},
		"alike":                {skew: skewed(0), left: 6, right: 5},
		"LiveKit's is behind":  {skew: skewed(-60), left: 66, right: 65},
		"LiveKit's is ahead":   {skew: skewed(60), left: 6, right: 5},
		"far behind, measured": {skew: skewed(-500), left: 506, right: 505},
	} {
		for before, people := range map[int]int{c.left: 0, c.right: 1} {
			d := of(t, created, event(room.KindParticipantJoined, 1000, who("PA_1", "u1", 1000-before), c.skew))
			if d.People != people {
				t.Errorf("%s: joined %d s before the creation: %d people", name, before, d.People)
			}
		}
	}
}

func TestAStragglingRoomFinishedEndsNothingButSessionEndedAlwaysDoes(t *testing.T) {
	alive := []room.Event{event(room.KindRoomCreated, 100), event(room.KindRoomStarted, 101, creation(101))}
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
		"the straggler alone":    {[]room.Event{event(room.KindRoomCreated, 400), event(room.KindRoomStarted, 200)}, room.StateCreated},
		"a room used again":      {[]room.Event{event(room.KindRoomCreated, 100), event(room.KindRoomStarted, 100, creation(1))}, room.StateLive},
		"created and finished":   {[]room.Event{event(room.KindRoomCreated, 100), event(room.KindRoomFinished, 102)}, room.StateCreated},
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
	d := of(t, event(room.KindRoomCreated, 400), event(room.KindParticipantJoined, 410, who("PA_1", "u1", 410)),
		event(room.KindParticipantJoined, 420, who("PA_1", "u1", 20)))
	if d.People != 1 {
		t.Errorf("%d people: the later, straggling report of the connection took the place of the good one", d.People)
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
func TestStartedIsTheFirstListingOfASessionThatOnlyTheAPIKnows(t *testing.T) {
	listed := func(at int) room.Event {
		return event(room.KindListed, at, func(e *room.Event) { e.AliveAt = sec(at) })
	}
	if d := of(t, listed(10), listed(40), listed(70)); !d.StartedAt.Equal(sec(10).Time()) || !d.VerifiedAt.Equal(sec(70).Time()) {
		t.Errorf("started %v, verified %v", d.StartedAt, d.VerifiedAt)
	}
}

func TestAMassLeaveInAnyOrderIsOneSession(t *testing.T) {
	backwards := make([]int, 40) // of whom the last came first: nobody's word makes another's redundant
	for i := range backwards {
		backwards[i] = len(backwards) - i
	}
	for name, joins := range map[string][]int{"at random": rand.New(rand.NewPCG(1, 1)).Perm(500), "backwards": backwards} {
		events := []room.Event{event(room.KindRoomCreated, 0)}
		for i, join := range joins {
			events = append(events, event(room.KindParticipantLeft, 1000+i, who(fmt.Sprintf("PA_%d", i), fmt.Sprintf("u%d", i), 1+join)))
		}
		if a, _ := diverges(t, merged, events, 3, 20); a != nil {
			t.Errorf("%s: it ends differently in another order", name)
		}
	}
}
