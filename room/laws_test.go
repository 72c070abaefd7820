package room_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

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
		Identity: rapid.SampledFrom([]string{"u1", "u2", "RECORDER_BOT", "sip_1555", "sip_+1555"}).Draw(t, "identity"),
		Name:     rapid.SampledFrom([]string{"Ana", "Ana Díaz", ""}).Draw(t, "name"),
		JoinedAt: joined,
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

// Fold is a way to make a session of events that arrive in parts.
type fold func(parts [][]room.Event) *room.Session

func merged(parts [][]room.Event) *room.Session {
	whole := room.New(key)
	for _, part := range parts {
		s := room.New(key)
		for _, e := range part {
			s.Apply(e)
		}
		whole.Merge(s)
	}
	return whole
}

// document is everything that is known and everything that is shown.
func document(t fataler, s *room.Session) []byte {
	facts, err := json.Marshal(s)
	if err != nil {
		t.Fatalf("marshal facts: %v", err)
	}
	shown, err := json.Marshal(s.Detail())
	if err != nil {
		t.Fatalf("marshal detail: %v", err)
	}
	return append(append(facts, '\n'), shown...)
}

type fataler interface {
	Fatalf(format string, args ...any)
}

// disorder shuffles the events, doubles some of them, and splits them as over several replicas.
func disorder(rng *rand.Rand, events []room.Event) [][]room.Event {
	list := append([]room.Event(nil), events...)
	for _, e := range events {
		if rng.IntN(3) == 0 {
			list = append(list, e)
		}
	}
	rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	parts := make([][]room.Event, 1+rng.IntN(4))
	for _, e := range list {
		i := rng.IntN(len(parts))
		parts[i] = append(parts[i], e)
	}
	return parts
}

// diverges folds the events in several disorders and returns two documents that differ, if any do.
func diverges(t fataler, f fold, events []room.Event, seed uint64, tries int) (a, b []byte) {
	rng := rand.New(rand.NewPCG(seed, 7))
	want := document(t, f([][]room.Event{events}))
	for range tries {
		if got := document(t, f(disorder(rng, events))); !bytes.Equal(got, want) {
			return want, got
		}
	}
	return nil, nil
}

func TestAnyOrderDuplicationAndSplitEndsInTheSameSession(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := anyEvents(t, allKinds, 40)
		if a, b := diverges(t, merged, events, rapid.Uint64().Draw(t, "seed"), 4); a != nil {
			t.Fatalf("two orders end differently:\n%s\n%s", a, b)
		}
	})
}

// A merge that decides on arrival is what this guards against: the property must notice it.
func TestThePropertyNoticesAMergeThatDecidesOnArrival(t *testing.T) {
	firstComeFirstServed := func(parts [][]room.Event) *room.Session {
		s := room.New(key)
		for _, part := range parts {
			for _, e := range part {
				only := room.New(key)
				only.Apply(e)
				for sid := range only.Connections {
					if len(s.Connections[sid]) > 0 {
						delete(only.Connections, sid)
					}
				}
				s.Merge(only)
			}
		}
		return s
	}
	for seed := range 200 {
		events := rapid.Custom(func(t *rapid.T) []room.Event { return anyEvents(t, allKinds, 40) }).Example(seed)
		if a, _ := diverges(t, firstComeFirstServed, events, uint64(seed), 4); a != nil {
			return
		}
	}
	t.Fatal("200 lists of events did not tell a broken merge from a good one")
}

func TestMergeIsCommutativeAssociativeAndIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := anyEvents(t, allKinds, 30)
		var parts [3]*room.Session
		for i := range parts {
			parts[i] = room.New(key)
		}
		for _, e := range events {
			parts[rapid.IntRange(0, 2).Draw(t, "part")].Apply(e)
		}
		sum := func(sessions ...*room.Session) *room.Session {
			s := room.New(key)
			for _, o := range sessions {
				s.Merge(o)
			}
			return s
		}
		a, b, c := parts[0], parts[1], parts[2]
		want := document(t, sum(a, b, c))
		for name, s := range map[string]*room.Session{"c+(b+a)": sum(c, sum(b, a)), "(a+c)+b": sum(sum(a, c), b), "a+b+c+a+b": sum(a, b, c, a, b)} {
			if got := document(t, s); !bytes.Equal(got, want) {
				t.Fatalf("%s differs from a+b+c:\n%s\n%s", name, got, want)
			}
		}
	})
}

func TestApplyReportsExactlyWhetherSomethingIsNew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := room.New(key)
		for _, e := range anyEvents(t, allKinds, 20) {
			e.Received = 0
			before := document(t, s)
			changed := s.Apply(e)
			if same := bytes.Equal(before, document(t, s)); same == changed {
				t.Fatalf("changed=%v, same document=%v, after %+v", changed, same, e)
			}
			if s.Apply(e) {
				t.Fatalf("the same event changed the session twice: %+v", e)
			}
		}
	})
}

func TestSavingAndLoadingChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := merged([][]room.Event{anyEvents(t, allKinds, 40)})
		data, err := json.Marshal(s)
		if err != nil {
			t.Fatalf("save: %v", err)
		}
		loaded := new(room.Session)
		if err := json.Unmarshal(data, loaded); err != nil {
			t.Fatalf("load: %v", err)
		}
		if a, b := document(t, s), document(t, loaded); !bytes.Equal(a, b) {
			t.Fatalf("saved\n%s\nloaded\n%s", a, b)
		}
	})
}

func TestNoCountIsNegativeOrMoreThanWhatWasSeen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := merged([][]room.Event{anyEvents(t, allKinds, 40)}).Detail()
		people, bots := 0, 0
		for _, p := range d.Participants {
			if p.Human() {
				people++
			} else {
				bots++
			}
		}
		switch {
		case d.People < 0 || d.Bots < 0:
			t.Fatalf("negative: %d people, %d bots", d.People, d.Bots)
		case d.People > people || d.Bots > bots || d.PeakPeople > people:
			t.Fatalf("%d people, %d bots, peak %d, of %d and %d ever seen", d.People, d.Bots, d.PeakPeople, people, bots)
		case d.PeakPeople < d.People:
			t.Fatalf("peak %d is under the %d here now", d.PeakPeople, d.People)
		}
	})
}

func TestAnEndedSessionStaysEndedWithoutAnAPIFact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := room.New(key)
		s.Apply(room.Event{Source: key.Source, SID: key.SID, RoomID: "room01", ID: "end", Kind: room.KindSessionEnded, At: base + 5000})
		for _, e := range anyEvents(t, webhookKinds, 40) {
			s.Apply(e)
			d := s.Detail()
			if d.State != room.StateEnded || d.People != 0 || d.Bots != 0 {
				t.Fatalf("%s with %d people after %+v", d.State, d.People, e)
			}
			everythingClosed(t, d)
		}
	})
}

// everythingClosed: in a session that is over everybody left, every track is unpublished, no end is
// before its start, and nothing is still recording.
func everythingClosed(t fataler, d room.Detail) {
	for _, p := range d.Participants {
		if p.Online {
			t.Fatalf("%q is online in a session that is over", p.Identity)
		}
		for _, c := range p.Connections {
			if c.LeftAt.IsZero() || c.LeftAt.Before(c.JoinedAt) {
				t.Fatalf("connection %s joined %v, left %v", c.SID, c.JoinedAt, c.LeftAt)
			}
		}
		for _, tr := range p.Tracks {
			if tr.UnpublishedAt.IsZero() || tr.UnpublishedAt.Before(tr.PublishedAt) {
				t.Fatalf("track %s published %v, unpublished %v", tr.SID, tr.PublishedAt, tr.UnpublishedAt)
			}
		}
	}
	if sum := d.Summary(); sum.Microphones+sum.Cameras+sum.Screens+sum.RecordingsActive+sum.StreamsActive != 0 {
		t.Fatalf("something goes on in a session that is over: %+v", sum)
	}
}

func TestARecordingThatIsReadyStaysReady(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, ready := room.New(key), map[string]bool{}
		for _, e := range anyEvents(t, allKinds, 60) {
			s.Apply(e)
			now := map[string]bool{}
			for _, rec := range s.Detail().Recordings {
				now[rec.RecordID] = rec.State == room.RecordingReady
			}
			for id := range ready {
				if ready[id] && !now[id] {
					t.Fatalf("recording %s was ready until %+v", id, e)
				}
			}
			ready = now
		}
	})
}

func TestASessionKnownOnlyByWhatFollowsAnEndIsNeverLive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := merged([][]room.Event{anyEvents(t, afterKinds, 20)}).Detail()
		if d.State != room.StateEnded || !d.EndedAt.IsZero() {
			t.Fatalf("state %s, ended_at %v", d.State, d.EndedAt)
		}
	})
}

func TestAnAPIFactAfterTheEndRevives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := anyEvents(t, allKinds, 30)
		s := merged([][]room.Event{events})
		s.Apply(room.Event{Source: key.Source, SID: key.SID, RoomID: "room01", ID: "poll", Kind: room.KindListed, At: base + 60_000, AliveAt: base + 60_000})
		if d := s.Detail(); d.State != room.StateLive || d.Trust != room.TrustConfirmed {
			t.Fatalf("listed after every end, yet %s, %s, ended by %s", d.State, d.Trust, d.EndedBy)
		}
		s.Apply(room.Event{Source: key.Source, SID: key.SID, RoomID: "room01", ID: "end", Kind: room.KindSessionEnded, At: base + 61_000})
		if d := s.Detail(); d.State != room.StateEnded || d.EndedBy != room.ByWebhook {
			t.Fatalf("an end after the poll counts, yet %s, ended by %s", d.State, d.EndedBy)
		}
	})
}
