package plugnmeet_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/roomwatch/roomwatch/room"
)

// replica is what one Roomwatch knows: sessions by their sid.
type replica map[string]*room.Session

func (r replica) session(sid string) *room.Session {
	if r[sid] == nil {
		r[sid] = room.New(room.Key{Source: "default", SID: sid})
	}
	return r[sid]
}

func (r replica) apply(e room.Event) { r.session(e.SID).Apply(e) }

func (r replica) merge(other replica) {
	for sid, s := range other {
		r.session(sid).Merge(s)
	}
}

// succeed tells every session of the later ones of its room_id, as the board does.
func (r replica) succeed() {
	for _, old := range r {
		for sid, next := range r {
			if old.Detail().RoomID == next.Detail().RoomID {
				old.Succeed(sid, next.Created())
			}
		}
	}
}

// events are what the bodies of a file say, in the order of their delivery.
func events(tb testing.TB, file string) []room.Event {
	tb.Helper()
	var all []room.Event
	for _, r := range recordings(tb, file) {
		all = append(all, *decoded(tb, []byte(r.Body)).Said)
	}
	return all
}

// replicas folds the events on so many replicas, each event on one or more, and merges them.
func replicas(rng *rand.Rand, n int, all []room.Event) replica {
	parts := make([]replica, n)
	for i := range parts {
		parts[i] = replica{}
	}
	for _, e := range all {
		parts[rng.IntN(n)].apply(e)
		if rng.IntN(4) == 0 {
			parts[rng.IntN(n)].apply(e)
		}
	}
	whole := replica{}
	for _, i := range rng.Perm(n) {
		whole.merge(parts[i])
	}
	return whole
}

// facts is everything known and shown of every session, as one text.
func (r replica) facts(tb testing.TB) string {
	tb.Helper()
	shown := make(map[string]room.Detail, len(r))
	for sid, s := range r {
		shown[sid] = s.Detail()
	}
	data, err := json.Marshal(map[string]any{"facts": r, "shown": shown})
	if err != nil {
		tb.Fatal(err)
	}
	return string(data)
}

func TestWhateverWasRecordedEndsTheSameInAnyOrderDoubledAndOnTwoReplicas(t *testing.T) {
	for _, file := range []string{"contract/webhooks.jsonl", "captures/two-people.jsonl", "captures/three-rooms.jsonl"} {
		all := events(t, file)
		inOrder := replicas(rand.New(rand.NewPCG(0, 0)), 1, all)
		inOrder.succeed()
		want := inOrder.facts(t)
		for seed := range uint64(100) {
			rng := rand.New(rand.NewPCG(seed, 42))
			list := append([]room.Event(nil), all...)
			for _, e := range all {
				if rng.IntN(5) == 0 {
					list = append(list, e)
				}
			}
			rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			got := replicas(rng, 1+int(seed%2), list)
			got.succeed()
			if got := got.facts(t); got != want {
				t.Fatalf("%s, seed %d: it ends differently\n%s\n%s", file, seed, got, want)
			}
		}
	}
}

// The golden files were read against the contract's list of the deliveries (section 6).
func TestTheContractsDeliveriesMakeTwoSessionsOfRoom01AndABreakout(t *testing.T) {
	r := replica{}
	for _, e := range events(t, "contract/webhooks.jsonl") {
		r.apply(e)
	}
	r.succeed()
	sessions := map[string]string{"room01-a": "0d6a7c1e-5f0b-4a39-9c55-2f6d0f3a9b11", "room01-b": "c2f1b7a4-93de-4b0e-8a27-71f9c5d0e842", "room01-grp1": "7b9e2d30-18c4-4f6a-b1d7-5a0c6e93f2d8"}
	if len(r) != len(sessions) {
		t.Errorf("%d sessions", len(r))
	}
	for name, sid := range sessions {
		want, err := os.ReadFile(filepath.Join("testdata", "sessions", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := differ(pretty(t, r.session(sid).Detail()), pretty(t, json.RawMessage(want))); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// figures are what is left of a capture when all is over: Open sessions have not ended by a webhook, Online
// are still there, and only recordings that are ready and streams that ended count.
type figures struct {
	Sessions, Open, Online, Identities, Connections, Tracks, Peak int
	Recordings, RecordingBytes, Streams, Artifacts, Analytics     int
}

func (r replica) figures() (f figures) {
	for _, s := range r {
		d := s.Detail()
		f.Sessions++
		if d.State != room.StateEnded || d.EndedBy != room.ByWebhook {
			f.Open++
		}
		f.Online, f.Identities = f.Online+d.People+d.Bots, f.Identities+len(d.Participants)
		for _, p := range d.Participants {
			f.Connections, f.Tracks = f.Connections+len(p.Connections), f.Tracks+len(p.Tracks)
		}
		f.Peak = max(f.Peak, d.PeakPeople)
		for _, rec := range d.Recordings {
			if rec.State == room.RecordingReady {
				f.Recordings, f.RecordingBytes = f.Recordings+1, f.RecordingBytes+int(rec.SizeBytes)
			}
		}
		for _, st := range d.Streams {
			if st.State == room.StreamEnded {
				f.Streams++
			}
		}
		f.Artifacts, f.Analytics = f.Artifacts+len(d.Artifacts), f.Analytics+len(d.Analytics)
	}
	return f
}

func TestCapturesEndWithExactFigures(t *testing.T) {
	for file, want := range map[string]figures{
		"captures/two-people.jsonl": {Sessions: 1, Identities: 2, Connections: 2, Tracks: 6, Peak: 2, Artifacts: 1},
		"captures/three-rooms.jsonl": {Sessions: 5, Identities: 20, Connections: 25, Tracks: 43, Peak: 5,
			Recordings: 2, RecordingBytes: 18_050_000 + 7_430_000, Streams: 1, Artifacts: 11, Analytics: 3},
	} {
		all := events(t, file)
		for seed := range uint64(20) {
			rng := rand.New(rand.NewPCG(seed, 7))
			rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			r := replicas(rng, 2, all)
			r.succeed()
			if got := r.figures(); got != want {
				t.Fatalf("%s, seed %d:\n%+v, want\n%+v", file, seed, got, want)
			}
		}
	}
}

func TestTheTwoRecordingsOfTheCaptureHaveTheirSizes(t *testing.T) {
	r := replica{}
	for _, e := range events(t, "captures/three-rooms.jsonl") {
		r.apply(e)
	}
	sizes := map[int64]bool{18_050_000: false, 7_430_000: false}
	for _, s := range r {
		for _, rec := range s.Detail().Recordings {
			if found, expected := sizes[rec.SizeBytes]; !expected || found || rec.State != room.RecordingReady || rec.ReadyAt.IsZero() {
				t.Errorf("%+v", rec)
			}
			sizes[rec.SizeBytes] = true
		}
	}
}
