package store

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/roomwatch/roomwatch/room"
)

func claimScripts(t *testing.T, s record) {
	t.Helper()
	for text, want := range map[string]string{"周会": "han", "部周": "han", "会": "han", "市": "han", "场部周会": "han", "市周": "", "ชุม": "thai", "ประ": "thai", "회의": "hangul", "간회": "hangul",
		"strasse": "folded", "dorde": "folded", "lodz": "folded", "Ｌodz": "folded", "weekly": "plain"} {
		for _, titles := range []bool{false, true} {
			q := room.SessionQuery{Text: text, Titles: titles}
			if got := strings.Join(sids(all(t, s, q)), " "); got != want {
				t.Errorf("%q (titles alone: %v) finds %q, want %q", text, titles, got, want)
			}
		}
	}
}

func scriptSessions() []*room.Session {
	return []*room.Session{meeting("default", "han", "room01", "市场部周会", 1, true, "木村"), meeting("default", "thai", "room02", "ประชุม", 2, true), meeting("default", "hangul", "room03", "주간회의", 3, true),
		meeting("default", "folded", "room04", "Straße Đorđe Łódź", 4, true), meeting("default", "plain", "room05", "Weekly", 5, true)}
}

func TestEveryScriptIsSearched(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		mustSave(t, s, "", scriptSessions()...)
		claimScripts(t, s)
	})
}

// One character begins hundreds of pairs: the quick way and the long one find the same.
func TestOneCharacterThatBeginsManyPairsFindsThemAll(t *testing.T) {
	s := openAt(t, "memory:")
	var many []*room.Session
	for n := range glance + 100 {
		many = append(many, meeting("default", fmt.Sprintf("s%04d", n), "room01", "周"+string(rune(0x4e00+n)), n, true))
	}
	mustSave(t, s, "", many...)
	if got := all(t, s, room.SessionQuery{Text: "周", Limit: 200}); len(got) != len(many) {
		t.Errorf("%d of %d", len(got), len(many))
	}
	if n, err := s.CountSessions(t.Context(), room.SessionQuery{Text: "周"}); n != len(many) || err != nil {
		t.Errorf("%d are counted, %v", n, err)
	}
}

func TestAnOlderFileIsSearchedInEveryScript(t *testing.T) {
	url := "file:" + filepath.Join(t.TempDir(), "r.db")
	s := openAt(t, url)
	mustSave(t, s, "", scriptSessions()...)
	err := s.write(t.Context(), func(tx *sql.Tx) error { // as the version before gave them to the index
		_, err := tx.Exec("INSERT OR REPLACE INTO words (rowid, text) SELECT row, text FROM sessions; PRAGMA user_version = 8")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := sids(all(t, s, room.SessionQuery{Text: "周会"})); got != nil {
		t.Fatalf("the test proves nothing: %q", got)
	}
	closeStore(t, s)
	s = openAt(t, url)
	claimScripts(t, s)
	if problems, err := Check(t.Context(), url); err != nil || len(problems) > 0 {
		t.Errorf("the file carried over: %q, %v", problems, err)
	}
}
