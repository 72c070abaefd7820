package store

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/roomwatch/roomwatch/room"
)

func TestSaveMergesWithWhatIsStored(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		mustSave(t, s, "", session(joined("s", "PA_1", "u-1", "Ana", noon)))
		mustSave(t, s, "", session(joined("s", "PA_2", "u-2", "Bo", noon)))
		mustSave(t, s, "", session(joined("s", "PA_3", "u-3", "Cy", noon)), session(joined("s", "PA_4", "u-4", "Di", noon)))
		if n := len(mustLoad(t, s, "s").Detail().Participants); n != 4 {
			t.Errorf("%d people", n)
		}
	})
}

func TestSavesAtTheSameTimeLoseNothing(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		var work sync.WaitGroup
		for i := range 20 {
			work.Go(func() {
				mustSave(t, s, "", session(joined("s", fmt.Sprint("PA_", i), fmt.Sprint("u-", i), "Ana", noon)))
			})
		}
		work.Wait()
		if n := len(mustLoad(t, s, "s").Detail().Participants); n != 20 {
			t.Errorf("%d people", n)
		}
	})
}

func TestALargeSaveLeavesAllItsSessionsAndTheCheckpoint(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		var many []*room.Session
		for i := range 2*saveChunk + 1 {
			many = append(many, session(joined(fmt.Sprint("s", i), "PA", "u", "Ana", noon)))
		}
		mustSave(t, s, "7", many...)
		checkpoint, err := s.Checkpoint(t.Context())
		if n := count(t, s, "sessions"); n != len(many) || checkpoint != "7" || err != nil {
			t.Errorf("%d sessions, checkpoint %q, %v", n, checkpoint, err)
		}
	})
}

func TestAnAppendGoesBetweenTheChunksOfALargeSave(t *testing.T) {
	forEachStore(t, func(t *testing.T, open func() *SQLite) {
		s := open()
		var many []*room.Session
		for i := range 6 * saveChunk {
			many = append(many, session(joined(fmt.Sprint("s", i), "PA", "u", "Ana", noon)))
		}
		release := hold(t, s)
		var work sync.WaitGroup
		saved := make(chan struct{})
		work.Go(func() { mustSave(t, s, "", many...); close(saved) })
		work.Go(func() {
			mustAppend(t, s, entry(1))
			select {
			case <-saved:
				t.Error("it waited for the whole save")
			default:
			}
		})
		eventually(t, "the append waits", func() bool { return len(s.appends) == 1 })
		release()
		work.Wait()
	})
}

func TestLoadOfAnUnknownSessionIsNotFound(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		mustSave(t, s, "", session(joined("s", "PA", "u", "Ana", noon)))
		for _, key := range []room.Key{{Source: "other", SID: "s"}, {Source: "default", SID: "t"}} {
			if _, err := s.Load(t.Context(), key); !errors.Is(err, ErrNotFound) {
				t.Errorf("%v: %v", key, err)
			}
		}
	})
}

// anyEvent draws an event of one session, of any kind, with hostile text.
func anyEvent(sid string) *rapid.Generator[room.Event] {
	kinds := []room.Kind{10, 11, 12, 13, 20, 21, 30, 31, 40, 41, 42, 43, 50, 51, 60, 61, 70, 71, 72, 100, 101, 102, 0}
	return rapid.Custom(func(t *rapid.T) room.Event {
		text := rapid.SampledFrom([]string{"", "Ana Díaz", "<b>\u2028\"'", "木村", "a\tb", "🎉"})
		at := room.At(noon) + room.Time(rapid.IntRange(-100_000, 100_000).Draw(t, "at"))
		e := room.Event{Source: "default", SID: sid, RoomID: text.Draw(t, "room"), Kind: rapid.SampledFrom(kinds).Draw(t, "kind"),
			ID: fmt.Sprint(rapid.IntRange(0, 40).Draw(t, "id")), At: at, Received: at + 500, Title: text.Draw(t, "title"),
			CreationTime: rapid.SampledFrom([]room.Time{0, at, at - 20_000}).Draw(t, "creation"), AliveAt: at / 2}
		thing := fmt.Sprint(rapid.IntRange(0, 3).Draw(t, "thing"))
		if rapid.Bool().Draw(t, "has participant") {
			e.Participant = &room.ParticipantSaid{SID: "PA_" + thing, Identity: "u-" + thing, Name: text.Draw(t, "name"), JoinedAt: at}
		}
		if rapid.Bool().Draw(t, "has track") {
			e.Track = &room.TrackSaid{SID: "TR_" + thing, Source: "camera", Width: 1280, Muted: rapid.Ptr(rapid.Bool(), true).Draw(t, "muted")}
		}
		e.Job = &room.JobSaid{RecordID: "r" + thing, Message: text.Draw(t, "message"), SizeBytes: 1 << 40}
		e.Artifact = &room.ArtifactSaid{ID: "a" + thing, Usage: &room.ArtifactUsage{Unit: "tokens", EstimatedCost: rapid.Float64().Draw(t, "cost")}}
		e.Speech = &room.SpeechSaid{UserID: rapid.SampledFrom([]string{"", "u"}).Draw(t, "speaker"), Seconds: 3}
		return e
	})
}

func TestSavingAndLoadingChangesNothing(t *testing.T) {
	s, run := openAt(t, "memory:"), 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		sid := fmt.Sprint("s", run)
		whole := room.New(room.Key{Source: "default", SID: sid})
		for range rapid.IntRange(1, 4).Draw(rt, "saves") {
			part := room.New(whole.Key())
			for _, e := range rapid.SliceOfN(anyEvent(sid), 0, 8).Draw(rt, "events") {
				part.Apply(e)
				whole.Apply(e)
			}
			part.Succeed("later", room.Created{For: room.At(noon) + room.Time(run)})
			whole.Succeed("later", room.Created{For: room.At(noon) + room.Time(run)})
			mustSave(t, s, "", part)
		}
		loaded := mustLoad(t, s, sid)
		if got, want := asJSON(t, loaded), asJSON(t, whole); got != want {
			rt.Fatalf("loaded %s\nwant %s", got, want)
		}
		if !reflect.DeepEqual(loaded.Detail(), whole.Detail()) {
			rt.Fatalf("loaded %s\nwant %s", asJSON(t, loaded.Detail()), asJSON(t, whole.Detail()))
		}
	})
}

func TestRecentIsWhatIsNotEndedAndWhatWasHeardOfLately(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		at := func(kind room.Kind, sid string, minutes int) room.Event {
			return event(kind, sid, fmt.Sprint(sid, kind), noon.Add(time.Duration(minutes)*time.Minute))
		}
		mustSave(t, s, "", session(at(room.KindRoomStarted, "ended lately", 0)), session(at(room.KindRoomStarted, "ended long ago", 0)))
		mustSave(t, s, "",
			session(at(room.KindRoomCreated, "created long ago", 0)),
			session(at(room.KindRoomStarted, "live for long", 0)),
			session(at(room.KindRoomStarted, "ended long ago", 0), at(room.KindSessionEnded, "ended long ago", 1)),
			session(at(room.KindRoomStarted, "ended lately", 0), at(room.KindSessionEnded, "ended lately", 60)),
		)
		var got []string
		err := s.Recent(t.Context(), noon.Add(time.Hour+time.Second), func(session *room.Session) error {
			got = append(got, mustLoad(t, s, session.SID).SID) // fn may use the store
			return nil
		})
		slices.Sort(got)
		if want := []string{"created long ago", "ended lately", "live for long"}; err != nil || !slices.Equal(got, want) {
			t.Errorf("recent %q, %v", got, err)
		}
		if err := s.Recent(t.Context(), noon, func(*room.Session) error { return errEnough }); err != errEnough {
			t.Errorf("fn's error came as %v", err)
		}
	})
}

func TestSiblingsAreTheNewestFiftySessionsOfTheRoom(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		var many []*room.Session
		add := func(source, roomID, sid string, minute int, kind room.Kind) {
			e := event(kind, sid, source+sid, noon.Add(time.Duration(minute)*time.Minute))
			e.Source, e.RoomID, e.CreationTime = source, roomID, e.At
			many = append(many, session(e))
		}
		for i := range 60 {
			add("default", "room01", fmt.Sprint("s", i), i, room.KindRoomCreated)
		}
		add("default", "room01", "by its end", 100, room.KindSessionEnded)
		add("default", "room02", "another room", 101, room.KindRoomCreated)
		add("other", "room01", "another source", 102, room.KindRoomCreated)
		mustSave(t, s, "", session(joined("s59", "PA", "u", "Ana", noon)), session(joined("by its end", "PA", "u", "Ana", noon)))
		mustSave(t, s, "", many...)

		siblings, err := s.Siblings(t.Context(), "default", "room01")
		if err != nil || len(siblings) != 50 {
			t.Fatalf("%d siblings, %v", len(siblings), err)
		}
		minute := func(n int) room.Time { return room.At(noon.Add(time.Duration(n) * time.Minute)) }
		if c := siblings["by its end"]; c != (room.Created{Failing: minute(100)}) {
			t.Errorf("by its end: %v", c)
		}
		if c := siblings["s59"]; c != (room.Created{For: minute(59)}) {
			t.Errorf("s59: %v", c)
		}
		if _, old := siblings["s10"]; old {
			t.Error("the oldest are among them")
		}
	})
}
