package room_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/roomwatch/roomwatch/room"
)

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

// A replica learns of a successor when it hears of it, which may be before, between or after the events.
func TestReplicasThatLearnOfSuccessorsAtDifferentTimesAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events, successors := anyEvents(t, allKinds, 30), anySuccessors(t)
		earlier := make(map[string][]room.Elsewhere)
		var tell []func(*room.Session)
		for _, e := range events {
			tell = append(tell, func(s *room.Session) { s.Apply(e) })
		}
		for sid, created := range successors {
			tell = append(tell, func(s *room.Session) { s.Succeed(sid, room.Created{For: created.For}) }, func(s *room.Session) { s.Succeed(sid, created) })
			known := rapid.SampledFrom([]string{"PA_1", "PA_2", "TR_1"}).Draw(t, "known earlier")
			there := room.Elsewhere{Created: created, Began: base + 1000*room.Time(rapid.IntRange(0, 20).Draw(t, "began"))}
			tell = append(tell, func(s *room.Session) {
				s.KnownEarlier(known, room.Elsewhere{Created: room.Created{Failing: created.Failing}})
			}, func(s *room.Session) { s.KnownEarlier(known, there) })
			earlier[known] = append(earlier[known], there)
		}
		one, other := room.New(key), room.New(key)
		for _, said := range rapid.Permutation(tell).Draw(t, "order") {
			where := rapid.IntRange(0, 2).Draw(t, "replica")
			if where != 1 {
				said(one)
			}
			if where != 0 {
				said(other)
			}
		}
		copied := one.Clone()
		one.Merge(other)
		other.Merge(copied)
		all := live(successors, events)
		for known, created := range earlier {
			for _, c := range created {
				all.KnownEarlier(known, c)
			}
		}
		want := document(t, all)
		if a, b := document(t, one), document(t, other); !bytes.Equal(a, want) || !bytes.Equal(b, want) {
			t.Fatalf("two replicas\n%s\n%s\nand one that was told all\n%s", a, b, want)
		}
	})
}

func TestSavingAndLoadingChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := live(anySuccessors(t), anyEvents(t, allKinds, 40))
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
		plausible(t, live(anySuccessors(t), anyEvents(t, allKinds, 40)).Detail())
	})
}

// Without a listing by the API nothing undoes an end that cannot be a straggler's.
func TestAnEndedSessionStaysEndedWithoutAnAPIFact(t *testing.T) {
	ends := []room.Kind{room.KindSessionEnded, room.KindAbsent, room.KindJanitor}
	rapid.Check(t, func(t *rapid.T) {
		s := room.New(key)
		s.Apply(room.Event{Source: key.Source, SID: key.SID, RoomID: "room01", ID: "end", Kind: rapid.SampledFrom(ends).Draw(t, "end"), At: base + 5000})
		for sid, created := range anySuccessors(t) {
			s.Succeed(sid, created)
		}
		for _, e := range anyEvents(t, append(webhookKinds, room.KindAbsent, room.KindJanitor), 40) {
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
		s := live(anySuccessors(t), anyEvents(t, append(afterKinds, room.KindOther), 20))
		if d := s.Detail(); d.State != room.StateEnded || !d.EndedAt.IsZero() {
			t.Fatalf("state %s, ended_at %v", d.State, d.EndedAt)
		}
		for _, e := range anyEvents(t, []room.Kind{room.KindSessionEnded, room.KindRoomFinished, room.KindAbsent, room.KindJanitor}, 10) {
			s.Apply(e)
			if d := s.Detail(); d.State != room.StateEnded {
				t.Fatalf("state %s after %+v", d.State, e)
			}
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

// An older Roomwatch understands less of an event. Merged with what a newer one understood of it, that takes
// nothing away, whichever comes first.
func TestWhatAnOlderVersionUnderstoodTakesNothingAway(t *testing.T) {
	whole := room.Event{Source: key.Source, SID: key.SID, RoomID: "room01", ID: "e1", Kind: room.KindRoomCreated, At: 1_795_000_000_000, Title: "Weekly",
		Participant: &room.ParticipantSaid{SID: "PA_1", Identity: "u-1", Name: "Ana"}}
	less := whole
	less.Title, less.Participant = "", &room.ParticipantSaid{SID: "PA_1", Identity: "u-1"}
	want := document(t, merged([][]room.Event{{whole}}))
	for _, parts := range [][][]room.Event{{{less}, {whole}}, {{whole}, {less}}, {{less, whole}}, {{whole, less}}} {
		if got := document(t, merged(parts)); !bytes.Equal(got, want) {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
}
