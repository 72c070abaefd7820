package room_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
)

// A fuzzed life is a list of steps of stepSize bytes: a kind, two bytes of seconds, whom and what it is about,
// what is said of it, and how much earlier its other times are.
const (
	stepSize = 8
	maxSteps = 32
	maxAlike = 12 // as many reports of a kind as are kept of one thing: the laws hold below the caps
)

var (
	stepKinds  = append([]room.Kind{kindSuccessor}, allKinds...)
	identities = []string{"u1", "u2", "u3", "RECORDER_BOT", "RTMP_BOT", "sip_1555", "sip_+1555", "pnm_agent-x", ""}
	sources    = []string{"", "microphone", "camera", "screen_share", "screen_share_audio"}
	messages   = []string{"", "success", "browser crashed", "ffmpeg exited"}
	levels     = []string{"", "STANDARD", "SIP", "INGRESS", "AGENT", "EGRESS"}
)

// kindSuccessor is no event: another session of the room_id was created.
const kindSuccessor room.Kind = 255

// step is one event in its bytes; see events and seed.
type step struct{ kind, hi, lo, whom, what, flags, earlier, words byte }

func at(bytes []byte) step {
	return step{bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]}
}

func pick[T any](of []T, n byte) T { return of[int(n)%len(of)] }

func (s step) has(flag int) bool { return s.flags&(1<<flag) != 0 }

// event is what the step says. Its time is of a few seconds' grain, so that ties are frequent.
func (s step) event(n int) room.Event {
	when := base + 1000*room.Time(uint16(s.hi)<<8|uint16(s.lo))
	before := func(flag int) room.Time {
		if !s.has(flag) {
			return 0
		}
		return when - 250*room.Time(s.earlier)
	}
	e := room.Event{Source: key.Source, SID: key.SID, RoomID: "room01", ID: fmt.Sprintf("e%03d", n), Kind: pick(stepKinds, s.kind), At: when,
		CreationTime: before(0), Title: pick([]string{"", "Weekly", "Weekly ops", "Été"}, s.words), ParentRoomID: pick([]string{"", "", "", "room00"}, s.words>>2)}
	person := &room.ParticipantSaid{SID: thing("PA", s.whom>>4), Identity: pick(identities, s.whom&15), Name: pick([]string{"", "Ana", "Bob"}, s.words>>4),
		Kind: pick(levels, s.words>>5), JoinedAt: before(1), Reason: pick([]string{"", "CLIENT_INITIATED"}, s.words)}
	media := &room.TrackSaid{SID: thing("TR", s.what>>4), Source: pick(sources, s.what&7), Width: int(s.what & 3), Simulcast: s.has(4)}
	if muted := s.has(2); s.has(3) {
		media.Muted = &muted
	}
	switch k := e.Kind; k {
	case room.KindParticipantJoined, room.KindParticipantLeft:
		e.Participant = person
	case room.KindTrackPublished, room.KindTrackUnpublished:
		e.Participant, e.Track, e.CreationTime = person, media, 0
	case room.KindListed, room.KindAbsent:
		e.AliveAt = when - 250*room.Time(s.earlier)
		if s.has(5) {
			e.Participant = person
		}
		if s.has(6) {
			e.Participant, e.Track = person, media
		}
	case room.KindArtifactCreated:
		e.Artifact = &room.ArtifactSaid{ID: thing("a", s.what), Type: pick([]string{"", "MEETING_SUMMARY"}, s.flags)}
	case room.KindAnalyticsProceeded:
		e.AnalyticsID = thing("f", s.what)
	case room.KindSpeechStarted, room.KindSpeechEnded, room.KindSpeechUsage:
		e.Speech = &room.SpeechSaid{UserID: thing("u", s.what), Seconds: int64(s.earlier)}
	case room.KindRecordingStarted, room.KindRecordingEnded, room.KindRecordingTranscoded, room.KindRecordingProceeded, room.KindStreamStarted, room.KindStreamEnded:
		e.Job = &room.JobSaid{RecordID: thing("r", s.what&3), Message: pick(messages, s.flags)}
		if s.has(4) {
			e.Job.FilePath, e.Job.SizeBytes = "a.mp4", int64(s.earlier)
		}
	}
	return e
}

// thing names a thing; nothing has the name 0.
func thing(prefix string, n byte) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(prefix, n)
}

// eventsOf reads a fuzzed life: its events, and which successors of the session it tells of.
func eventsOf(data []byte) (events []room.Event, successors map[string]room.Created) {
	successors = make(map[string]room.Created)
	alike := make(map[room.Kind]int)
	for n := 0; len(data) >= stepSize && n < maxSteps; n++ {
		e := at(data).event(n)
		data = data[stepSize:]
		if alike[e.Kind]++; alike[e.Kind] > maxAlike {
			continue
		}
		if e.Kind == kindSuccessor {
			successors[fmt.Sprint("s", 2+e.At/1000%3)] = room.Created{For: e.At, Failing: e.CreationTime}
		} else {
			events = append(events, e)
		}
	}
	return events, successors
}

// seed writes real events as steps: what is the same thing in them is the same thing there.
func seed(events []room.Event) []byte {
	names := map[string]byte{"": 0}
	number := func(name string, most byte) byte {
		if _, ok := names[name]; !ok {
			names[name] = byte(len(names))
		}
		return names[name] % most
	}
	var data []byte
	first := events[0].At
	for _, e := range events {
		first = min(first, e.At)
	}
	for _, e := range events {
		s := step{kind: byte(slices.Index(stepKinds, e.Kind)), words: 2}
		seconds := uint16((e.At - first) / 1000)
		s.hi, s.lo = byte(seconds>>8), byte(seconds)
		if p := e.Participant; p != nil {
			s.whom = number(p.SID, 16)<<4 | byte(max(0, slices.Index(identities, p.Identity)))
			s.flags, s.earlier = 2, byte(min(255, (e.At-p.JoinedAt)/250))
		}
		if tr := e.Track; tr != nil {
			s.what = number(tr.SID, 16)<<4 | byte(slices.Index(sources, tr.Source))
		}
		if j := e.Job; j != nil {
			s.what, s.flags = number(j.RecordID, 4), byte(max(0, slices.Index(messages, j.Message)))
			if j.FilePath != "" {
				s.flags |= 1 << 4
			}
		}
		if e.Artifact != nil {
			s.what = number(e.Artifact.ID, 255)
		}
		data = append(data, s.kind, s.hi, s.lo, s.whom, s.what, s.flags, s.earlier, s.words)
	}
	return data
}

// lives are the sessions of what was recorded of real ones, in the order of their events.
func lives(tb testing.TB, file string) map[string][]room.Event {
	tb.Helper()
	f, err := os.Open(filepath.Join("..", "testdata", file))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	found := make(map[string][]room.Event)
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct{ Body string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			tb.Fatal(err)
		}
		d, err := plugnmeet.Decode(key.Source, []byte(line.Body), time.Unix(1795400000, 0))
		if err != nil {
			tb.Fatal(err)
		}
		found[d.SID] = append(found[d.SID], *d.Said)
	}
	return found
}

func FuzzApply(f *testing.F) {
	for _, file := range []string{"contract/webhooks.jsonl", "captures/two-people.jsonl", "captures/three-rooms.jsonl"} {
		for _, events := range lives(f, file) {
			for part := range slices.Chunk(events, maxSteps) {
				f.Add(seed(part))
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		events, successors := eventsOf(data)
		whole := live(successors, events)
		d := whole.Detail()
		plausible(t, d)
		convergent(t, document(t, whole), events, successors)
		saved(t, whole)
		if !slices.ContainsFunc(events, func(e room.Event) bool { return e.Kind == room.KindListed }) {
			endedForGood(t, events, successors)
		}
	})
}

// live folds the parts, each on a replica of its own, and merges the replicas.
func live(successors map[string]room.Created, parts ...[]room.Event) *room.Session {
	s := merged(parts)
	for sid, created := range successors {
		s.Succeed(sid, created)
	}
	return s
}

func convergent(t *testing.T, want []byte, events []room.Event, successors map[string]room.Created) {
	t.Helper()
	backwards := slices.Clone(events)
	slices.Reverse(backwards)
	var odd, even []room.Event
	for n, e := range events {
		if n%2 == 0 {
			even = append(even, e)
		} else {
			odd = append(odd, e)
		}
	}
	for name, s := range map[string]*room.Session{
		"backwards": live(successors, backwards), "twice": live(successors, slices.Concat(events, backwards, events)),
		"on two replicas": live(successors, odd, even), "on two that saw nearly all": live(successors, backwards, even, odd),
	} {
		if got := document(t, s); !bytes.Equal(got, want) {
			t.Fatalf("%s:\n%s\nnot\n%s", name, got, want)
		}
	}
}

// plausible: no count is negative or more than was ever seen, and no end is before its start.
func plausible(t fataler, d room.Detail) {
	people, bots, tracks := 0, 0, 0
	for _, p := range d.Participants {
		if p.Human() {
			people++
		} else {
			bots++
		}
		tracks += len(p.Tracks)
		inOrder(t, p)
	}
	sum := d.Summary()
	for what, n := range map[string][2]int{
		"people": {d.People, people}, "bots": {d.Bots, bots}, "peak": {d.PeakPeople, people}, "people by the peak": {d.People, d.PeakPeople},
		"open tracks":       {sum.Microphones + sum.Cameras + sum.Screens, tracks},
		"active recordings": {sum.RecordingsActive, len(d.Recordings)}, "active streams": {sum.StreamsActive, len(d.Streams)},
	} {
		if n[0] < 0 || n[0] > n[1] {
			t.Fatalf("%d %s of %d", n[0], what, n[1])
		}
	}
	if d.State == room.StateEnded {
		everythingClosed(t, d)
	}
}

func inOrder(t fataler, p room.Participant) {
	for _, c := range p.Connections {
		if c.Open != c.LeftAt.IsZero() || !c.Open && c.LeftAt.Before(c.JoinedAt) {
			t.Fatalf("connection %+v", c)
		}
	}
	for _, tr := range p.Tracks {
		if tr.Open != tr.UnpublishedAt.IsZero() || !tr.Open && tr.UnpublishedAt.Before(tr.PublishedAt) {
			t.Fatalf("track %+v", tr)
		}
	}
}

func saved(t *testing.T, s *room.Session) {
	t.Helper()
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	loaded := new(room.Session)
	if err := json.Unmarshal(data, loaded); err != nil {
		t.Fatal(err)
	}
	if a, b := document(t, s), document(t, loaded); !bytes.Equal(a, b) {
		t.Fatalf("saved\n%s\nloaded\n%s", a, b)
	}
}

// endedForGood: without a word of the API nothing revives a session that has ended.
func endedForGood(t *testing.T, events []room.Event, successors map[string]room.Created) {
	t.Helper()
	end := room.Event{Source: key.Source, SID: key.SID, ID: "end", Kind: room.KindSessionEnded, At: base}
	s := live(successors, []room.Event{end})
	for _, e := range events {
		s.Apply(e)
	}
	if d := s.Detail(); d.State != room.StateEnded || d.People+d.Bots != 0 {
		t.Fatalf("%s with %d people and %d bots", d.State, d.People, d.Bots)
	}
}
