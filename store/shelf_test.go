package store

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// recorded is a meeting with a recording whose file is there, half a minute after it began.
func recorded(sid string, minute int, ids ...string) *room.Session {
	m := meeting("default", sid, "room01", "Weekly", minute, true, "Ana", "Bo")
	for i, id := range ids {
		e := event(room.KindRecordingProceeded, sid, sid+id, noon.Add(time.Duration(minute)*time.Minute+time.Duration(30+i)*time.Second))
		e.Job = &room.JobSaid{RecordID: id, FilePath: "a/" + id + ".mp4", SizeBytes: 1000}
		m.Apply(e)
	}
	return m
}

// jobSession is a session that only knows of one recording.
func jobSession(kind room.Kind, sid, id, message string, minute int) *room.Session {
	e := event(kind, sid, sid+id+fmt.Sprint(kind), noon.Add(time.Duration(minute)*time.Minute))
	e.Job = &room.JobSaid{RecordID: id, Message: message}
	return session(e)
}

// artifact adds a file, or what was used up when usage is not nil.
func artifact(m *room.Session, id, kind string, minute int, usage *room.ArtifactUsage) *room.Session {
	e := event(room.KindArtifactCreated, m.SID, m.SID+id, noon.Add(time.Duration(minute)*time.Minute))
	e.Source = m.Source
	e.RoomID = m.Summary().RoomID
	e.Artifact = &room.ArtifactSaid{ID: id, Type: kind, Usage: usage}
	if usage == nil {
		e.Artifact.File = &room.ArtifactFile{Path: "p", SizeBytes: 7}
	}
	m.Apply(e)
	return m
}

func recordIDs(t *testing.T, s record, q room.RecordingQuery) (ids []string) {
	t.Helper()
	for {
		page, err := s.Recordings(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Items {
			ids = append(ids, r.RecordID)
		}
		if q.Cursor = page.Next; page.Next == "" {
			break
		}
	}
	if n, err := s.CountRecordings(t.Context(), q); n != len(ids) || err != nil {
		t.Errorf("%+v: %d counted, %d listed, %v", q, n, len(ids), err)
	}
	return ids
}

func artifactIDs(t *testing.T, s record, q room.ArtifactQuery) (ids []string) {
	t.Helper()
	for {
		page, err := s.Artifacts(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page.Items {
			ids = append(ids, a.ArtifactID)
		}
		if q.Cursor = page.Next; page.Next == "" {
			break
		}
	}
	if n, err := s.CountArtifacts(t.Context(), q); n != len(ids) || err != nil {
		t.Errorf("%+v: %d counted, %d listed, %v", q, n, len(ids), err)
	}
	return ids
}

func TestRecordingsAreListedNewestFirstAndFiltered(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		mustSave(t, s, "", recorded("s1", 1, "r1", "r1b"), recorded("s9", 9, "r9"), meeting("default", "none", "room01", "Weekly", 2, false, "Ana"),
			jobSession(room.KindRecordingStarted, "s5", "r5", "", 5), jobSession(room.KindRecordingEnded, "s6", "r6", "no space left", 6))
		at := func(minute int) time.Time { return noon.Add(time.Duration(minute) * time.Minute) }
		for _, c := range []struct {
			q    room.RecordingQuery
			want []string
		}{
			{room.RecordingQuery{Limit: 2}, []string{"r9", "r6", "r5", "r1b", "r1"}},
			{room.RecordingQuery{State: room.RecordingReady, Limit: 1}, []string{"r9", "r1b", "r1"}},
			{room.RecordingQuery{State: room.RecordingFailed}, []string{"r6"}},
			{room.RecordingQuery{State: room.RecordingActive}, []string{"r5"}},
			{room.RecordingQuery{Source: "other"}, nil},
			{room.RecordingQuery{Source: "default", RoomID: "room01", State: room.RecordingReady}, []string{"r9", "r1b", "r1"}},
			{room.RecordingQuery{Text: "week an", Limit: 2}, []string{"r9", "r1b", "r1"}},
			{room.RecordingQuery{Text: "week zzz"}, nil},
			{room.RecordingQuery{Text: "?"}, nil},
			{room.RecordingQuery{From: at(5), To: at(6)}, []string{"r5"}},
			{room.RecordingQuery{From: at(1), To: at(9), Text: "ana"}, []string{"r1b", "r1"}},
		} {
			if got := recordIDs(t, s, c.q); !slices.Equal(got, c.want) {
				t.Errorf("%+v: %q, want %q", c.q, got, c.want)
			}
		}
	})
}

func TestARecordingSaysWhoseItIsAndFollowsWhatIsLearned(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		mustSave(t, s, "", jobSession(room.KindRecordingStarted, "s", "r", "", 5))
		first, err := s.Recordings(t.Context(), room.RecordingQuery{})
		if err != nil || len(first.Items) != 1 || first.Items[0].State != room.RecordingActive || first.Items[0].Title != "" {
			t.Fatalf("%s, %v", asJSON(t, first), err)
		}
		mustSave(t, s, "", recorded("s", 5, "r")) // begins earlier, has a title, an end, and the file
		whole := mustLoad(t, s, "s").Detail()
		want := room.FiledRecording{Filed: room.Filed{Source: "default", SID: "s", RoomID: "room01", Title: "Weekly", SessionEndedAt: whole.EndedAt}, Recording: whole.Recordings[0]}
		page, err := s.Recordings(t.Context(), room.RecordingQuery{State: room.RecordingReady})
		if err != nil || len(page.Items) != 1 || !reflect.DeepEqual(page.Items[0], want) {
			t.Errorf("%s, %v\nwant %s", asJSON(t, page), err, asJSON(t, want))
		}
		renamed := event(room.KindRoomCreated, "s", "renamed", noon.Add(time.Hour))
		renamed.Title = "Final"
		mustSave(t, s, "", session(renamed))
		if page, err := s.Recordings(t.Context(), room.RecordingQuery{Text: "final"}); err != nil || len(page.Items) != 1 || page.Items[0].Title != "Final" {
			t.Errorf("renamed: %s, %v", asJSON(t, page), err)
		}
		if n := count(t, s, "recordings"); n != 1 {
			t.Errorf("%d rows", n)
		}
	})
}

func TestASessionThatBeganEarlierThanThoughtMovesWithAllThatIsFiledOfIt(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		late := recorded("s", 50, "r")
		artifact(late, "a", "MEETING_SUMMARY", 51, nil)
		mustSave(t, s, "", late, meeting("default", "between", "room01", "", 30, false, "Cy"))
		before := all(t, s, room.SessionQuery{})
		mustSave(t, s, "", meeting("default", "s", "room01", "Weekly", 10, true, "Ana", "Bo", "Di"))
		if after := all(t, s, room.SessionQuery{}); sids(before)[0] != "s" || sids(after)[1] != "s" {
			t.Errorf("%q, then %q", sids(before), sids(after))
		}
		for _, text := range []string{"di", "ana", "weekly di"} {
			if got := sids(all(t, s, room.SessionQuery{Text: text})); !slices.Equal(got, []string{"s"}) {
				t.Errorf("%q finds %q", text, got)
			}
			if got := recordIDs(t, s, room.RecordingQuery{Text: text}); !slices.Equal(got, []string{"r"}) {
				t.Errorf("%q finds the recordings %q", text, got)
			}
			if got := artifactIDs(t, s, room.ArtifactQuery{Text: text}); !slices.Equal(got, []string{"a"}) {
				t.Errorf("%q finds the artifacts %q", text, got)
			}
		}
		if n := count(t, s, "words"); n != 2 {
			t.Errorf("%d rows of words", n)
		}
	})
}

func TestSessionsThatBeganTogetherStandSideBySide(t *testing.T) {
	forEachStore(t, func(t *testing.T, open func() *SQLite) {
		s := open()
		taken := placeOf(room.At(noon), "default", "s")
		if _, err := s.writes.Exec("INSERT INTO sessions VALUES (?, 'x', 'x', '', '', 'ended', 0, 0, 0, 0, '{}', '', '{}')", taken); err != nil {
			t.Fatal(err)
		}
		mustSave(t, s, "", meeting("default", "s", "room01", "", 0, true, "Ana"))
		var row int64
		if err := s.reads.QueryRow("SELECT row FROM sessions WHERE sid = 's'").Scan(&row); err != nil || row != taken+1 {
			t.Errorf("row %d beside %d, %v", row, taken, err)
		}
		mustSave(t, s, "", meeting("default", "s", "room01", "", 0, true, "Ana", "Bo"))
		if got := all(t, s, room.SessionQuery{Text: "ana bo"}); len(got) != 1 {
			t.Errorf("%d found", len(got))
		}
	})
}

func TestArtifactsAreListedByTypeAndClass(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		m := meeting("default", "s", "room01", "Weekly", 0, true, "Ana")
		artifact(m, "file", "MEETING_ANALYTICS", 2, nil)
		artifact(m, "used", "MEETING_SUMMARY_USAGE", 3, &room.ArtifactUsage{Unit: "tokens", Total: 5})
		mustSave(t, s, "", m, artifact(meeting("other", "o", "room02", "", 1, true), "else", "MEETING_ANALYTICS", 4, nil))
		for _, c := range []struct {
			q    room.ArtifactQuery
			want []string
		}{
			{room.ArtifactQuery{Limit: 1}, []string{"else", "used", "file"}},
			{room.ArtifactQuery{Class: room.ClassUsage}, []string{"used"}},
			{room.ArtifactQuery{Class: room.ClassFile, Source: "default"}, []string{"file"}},
			{room.ArtifactQuery{Type: "MEETING_ANALYTICS"}, []string{"else", "file"}},
			{room.ArtifactQuery{RoomID: "room02"}, []string{"else"}},
			{room.ArtifactQuery{Text: "weekly"}, []string{"used", "file"}},
			{room.ArtifactQuery{From: noon.Add(3 * time.Minute), To: noon.Add(4 * time.Minute)}, []string{"used"}},
		} {
			if got := artifactIDs(t, s, c.q); !slices.Equal(got, c.want) {
				t.Errorf("%+v: %q, want %q", c.q, got, c.want)
			}
		}
	})
}

func TestUsageIsSummedByDayAndUnitAndByRoom(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		tokens := func(total int64, cost float64) *room.ArtifactUsage {
			return &room.ArtifactUsage{Unit: "tokens", Total: total, EstimatedCost: cost}
		}
		cheap, dear, free := meeting("default", "cheap", "c", "", 0, true), meeting("default", "dear", "d", "Dear", 1, true), meeting("default", "free", "f", "", 2, true)
		artifact(cheap, "1", "X_USAGE", 0, tokens(10, 0.5))
		artifact(cheap, "2", "X_USAGE", 11*60, tokens(20, 0))
		artifact(cheap, "3", "X_USAGE", 12*60, tokens(30, 0.25))
		artifact(dear, "4", "X_USAGE", 5, &room.ArtifactUsage{Unit: "seconds", Total: 60, EstimatedCost: 2})
		artifact(dear, "5", "X_USAGE", -1, tokens(99, 9)) // before since
		artifact(free, "6", "X_USAGE", 5, tokens(0, 0))
		artifact(free, "7", "X", 5, nil)
		mustSave(t, s, "", cheap, dear, free, meeting("default", "newest", "d", "Dearer", 30, false))

		day := noon.Truncate(24 * time.Hour)
		got, err := s.Usage(t.Context(), noon)
		want := []room.UsageDay{{Day: day, Unit: "seconds", Total: 60, Cost: 2, Records: 1}, {Day: day, Unit: "tokens", Total: 30, Cost: 0.5, Records: 3, Unpriced: 2},
			{Day: day.AddDate(0, 0, 1), Unit: "tokens", Total: 30, Cost: 0.25, Records: 1}}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("usage %v, %v, want %v", got, err, want)
		}
		costs, err := s.CostliestRooms(t.Context(), noon, 5)
		wantCosts := []room.RoomCost{{Filed: room.Filed{Source: "default", SID: "newest", RoomID: "d", Title: "Dearer"}, Cost: 2},
			{Filed: room.Filed{Source: "default", SID: "cheap", RoomID: "c", SessionEndedAt: noon.Add(time.Minute)}, Cost: 0.75}}
		if err != nil || !reflect.DeepEqual(costs, wantCosts) {
			t.Errorf("costs %s, %v", asJSON(t, costs), err)
		}
		if costs, err := s.CostliestRooms(t.Context(), noon, 1); err != nil || len(costs) != 1 {
			t.Errorf("one of them: %v, %v", costs, err)
		}
	})
}

func TestRecordingsAreCountedByState(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		mustSave(t, s, "", recorded("old", -60, "r1"), recorded("new", 1, "r2", "r3"), jobSession(room.KindRecordingStarted, "a", "r4", "", -90), jobSession(room.KindRecordingEnded, "p", "r5", "", -80))
		got, err := s.RecordingCounts(t.Context(), noon)
		at := func(d time.Duration) time.Time { return noon.Add(d) }
		want := []room.RecordingCount{{State: "processing", N: 1, Since: at(-80 * time.Minute)}, {State: "ready", N: 2, Bytes: 2000, Since: at(90 * time.Second)},
			{State: "recording", N: 1, Since: at(-90 * time.Minute)}}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v, %v\nwant %v", got, err, want)
		}
	})
}

func TestCountsStopAtTheBound(t *testing.T) {
	s := openAt(t, "memory:")
	if _, err := s.writes.Exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10100)
		INSERT INTO sessions SELECT i, 'x', i, 'room', '', 'ended', 0, 0, 0, 0, '{}', '', '{}' FROM n`); err != nil {
		t.Fatal(err)
	}
	for _, q := range []room.SessionQuery{{}, {RoomID: "room"}, {State: room.StateEnded}, {Source: "x", Limit: 1, Cursor: formatCursor(markSessions, 3)}} {
		if n, err := s.CountSessions(t.Context(), q); n != room.MaxCount+1 || err != nil {
			t.Errorf("%+v: %d, %v", q, n, err)
		}
	}
	if n, err := s.CountSessions(t.Context(), room.SessionQuery{State: room.StateLive}); n != 0 || err != nil {
		t.Errorf("live: %d, %v", n, err)
	}
}
