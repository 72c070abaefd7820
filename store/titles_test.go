package store

import (
	"database/sql"
	"path/filepath"
	"slices"
	"testing"

	"github.com/roomwatch/roomwatch/room"
)

// titled asks in every way for what a text finds in titles and room ids, or everywhere.
func titled(t *testing.T, s *SQLite, text string, titles bool) (sids []string) {
	t.Helper()
	q := room.SessionQuery{Text: text, Titles: titles}
	page, err := s.Sessions(t.Context(), q)
	n, uncounted := s.CountSessions(t.Context(), q)
	if err != nil || uncounted != nil || n != len(page.Items) {
		t.Fatalf("%q: %d of %d, %v, %v", text, len(page.Items), n, err, uncounted)
	}
	for _, item := range page.Items {
		sids = append(sids, item.SID)
		if titles && item.Found != "" {
			t.Errorf("%q tells that it was found in %q", text, item.Found)
		}
	}
	slices.Sort(sids)
	recordings, err := s.Recordings(t.Context(), room.RecordingQuery{Text: text, Titles: titles})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range recordings.Items {
		if !slices.Contains(sids, r.SID) {
			t.Errorf("%q finds a recording of %s", text, r.SID)
		}
	}
	return sids
}

var titleClaims = []struct {
	text             string
	titles, anywhere []string
}{
	{"weekly", []string{"a", "third"}, []string{"a", "third"}}, {"WEEK", []string{"a", "third"}, []string{"a", "third"}}, {"café", []string{"a"}, []string{"a", "b"}},
	{"weekly cafe", []string{"a"}, []string{"a"}}, {"room01", []string{"a", "third"}, []string{"a", "third"}}, {"rig-f1", []string{"b"}, []string{"b"}}, {"rig-f1-1", []string{"b"}, []string{"b"}},
	{"f1-1", []string{"b"}, []string{"b"}}, {"ana", nil, []string{"a", "third"}}, {"weekly ana", nil, []string{"a", "third"}}, {"rig cafe", nil, []string{"b"}}, {"in", nil, nil}, {"inweekly", nil, nil},
}

func claimTitles(t *testing.T, s *SQLite) {
	t.Helper()
	for _, c := range titleClaims {
		if got := titled(t, s, c.text, true); !slices.Equal(got, c.titles) {
			t.Errorf("in titles, %q finds %q, want %q", c.text, got, c.titles)
		}
		if got := titled(t, s, c.text, false); !slices.Equal(got, c.anywhere) {
			t.Errorf("anywhere, %q finds %q, want %q", c.text, got, c.anywhere)
		}
	}
}

func titleSessions() []*room.Session {
	return []*room.Session{meeting("default", "a", "room01", "Weekly Café", 1, true, "Ana Díaz"), meeting("default", "b", "rig-f1-1", "", 2, false, "cafe"), recorded("third", 3, "rec-3")}
}

func TestTitlesAreSearchedWithoutPeople(t *testing.T) {
	forEachStore(t, func(t *testing.T, open func() *SQLite) {
		s := open()
		mustSave(t, s, "", titleSessions()...)
		claimTitles(t, s)
	})
}

func TestSessionsOfAnOlderFileAreFoundByTheirTitles(t *testing.T) {
	url := "file:" + filepath.Join(t.TempDir(), "r.db")
	s := openAt(t, url)
	mustSave(t, s, "", titleSessions()...)
	err := s.write(t.Context(), func(tx *sql.Tx) error { // as the version before wrote them
		rows, err := tx.Query("SELECT row, text FROM sessions")
		if err != nil {
			return err
		}
		texts := make(map[int64]string)
		for rows.Next() {
			var row int64
			var text string
			if err := rows.Scan(&row, &text); err != nil {
				return err
			}
			texts[row] = unmarked(text)
		}
		for row, text := range texts {
			if _, err := tx.Exec("UPDATE sessions SET text = ? WHERE row = ?", text, row); err != nil {
				return err
			}
			if _, err := tx.Exec(putWords, row, text); err != nil {
				return err
			}
		}
		_, err = tx.Exec(withoutTimes + "PRAGMA user_version = 5")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := titled(t, s, "weekly", true); got != nil {
		t.Fatalf("the test proves nothing: %q", got)
	}
	closeStore(t, s)
	s = openAt(t, url)
	claimTitles(t, s)
	if problems, err := Check(t.Context(), url); err != nil || len(problems) > 0 {
		t.Errorf("the file carried over: %q, %v", problems, err)
	}
}
