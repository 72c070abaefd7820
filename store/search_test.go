package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/roomwatch/roomwatch/room"
)

func TestASearchFindsThePersonWhoLeftAndSaysWho(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		mustSave(t, s, "", meeting("a", "s", "ops-room", "Weekly Ana", 1, true, "Ana Díaz", "Jörg\nWeber", "O'Neil-Smith"))
		for _, c := range []struct{ text, found string }{
			{"", ""}, {"weekly", "Weekly Ana"}, {"ana", "Weekly Ana"}, {"week ops", "Weekly Ana"}, {"ops", "ops-room"}, {"diaz", "Ana Díaz"}, {"DÍA", "Ana Díaz"},
			{"weekly diaz", "Ana Díaz"}, {"ana web", "Jörg Weber"}, {"jorg", "Jörg Weber"}, {"o'neil", "O'Neil-Smith"}, {"neil-sm", "O'Neil-Smith"}, {"id-ana", "id-Ana Díaz"},
		} {
			items := all(t, s, room.SessionQuery{Text: c.text})
			if len(items) != 1 || items[0].Found != c.found {
				t.Errorf("%q: %d, %s, want %q", c.text, len(items), asJSON(t, items), c.found)
			}
		}
	})
}

func TestASearchGoesWithEveryFilter(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		mustSave(t, s, "", meeting("a", "1", "room1", "Weekly", 1, false, "Ana"), meeting("b", "2", "room1", "Weekly", 2, true, "Ana"), meeting("a", "3", "room11", "Weekly", 3, true, "Bo"))
		mustSave(t, s, "", meeting("a", "1", "room1", "Weekly", 1, true, "Ana")) // it ended: what is marked changes with it
		for want, q := range map[string]room.SessionQuery{
			"3 2 1": {State: room.StateEnded}, "": {State: room.StateLive}, "2 1": {RoomID: "room1"}, "3 1": {Source: "a"}, "1": {RoomID: "room1", Source: "a", State: room.StateEnded},
		} {
			q.Text = "week"
			got := strings.Join(sids(all(t, s, q)), " ")
			n, err := s.CountSessions(t.Context(), q)
			if got != want || n != len(strings.Fields(want)) || err != nil {
				t.Errorf("%+v: %q, counted %d, %v", q, got, n, err)
			}
		}
		for _, text := range []string{"state", "\ue000", "\ue000state", "room\ue000"} {
			if got := all(t, s, room.SessionQuery{Text: text}); len(got) != 0 && text != "room\ue000" {
				t.Errorf("%q finds the marks of %q", text, sids(got))
			}
		}
	})
}

// A beginning that more words share than the index is asked for is looked for in the texts first.
func TestABeginningOfManyWordsFindsWhatThePlainReadingFinds(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		var many []*room.Session
		var details []room.Detail
		for n := range glance + 150 {
			people := []string{"Bo"}
			if n < 120 || n%60 == 0 {
				people = append(people, fmt.Sprint("Person", n), "p-x-"+fmt.Sprint(n))
			}
			many = append(many, meeting("a", fmt.Sprintf("s%03d", n), fmt.Sprint("room", n%3), "Weekly", n, n != 60, people...))
			details = append(details, many[n].Detail())
		}
		mustSave(t, s, "", many...)
		for _, q := range []room.SessionQuery{{Text: "p"}, {Text: "pers bo"}, {Text: "p", RoomID: "room1"}, {Text: "person", State: room.StateLive}, {Text: "p-x"}, {Text: "p-x-1"},
			{Text: "p zebra"}, {Text: "p week", Source: "a", State: room.StateEnded}} {
			var want []string
			for _, d := range details {
				if allIn(wordsOf(q.Text), textOf(d)) && (q.RoomID == "" || q.RoomID == d.RoomID) && (q.State == "" || q.State == d.State) {
					want = append(want, d.SID)
				}
			}
			slices.Reverse(want)
			for _, q.Limit = range []int{20, 200} {
				if got := sids(all(t, s, q)); !slices.Equal(got, want) {
					t.Errorf("%+v: %d found, want %d", q, len(got), len(want))
				}
			}
			if n, err := s.CountSessions(t.Context(), q); n != len(want) || err != nil {
				t.Errorf("%+v: counted %d, %v, want %d", q, n, err, len(want))
			}
		}
	})
}

// The index is given what is folded already, and must leave it as it is: else the quick way, which looks at the texts
// itself, and the long way through the index would find different sessions.
func TestTheIndexLeavesPiecesAsTheyAre(t *testing.T) {
	s := openAt(t, "memory:")
	given := make(map[rune]string)
	tx, err := s.writes.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for r := rune(0x20); r < 0x20000; r++ {
		if r == 0x4f00 || r == 0xac80 {
			r += 0x5000 - r&0xf00 // more of the same
		}
		newer := r >= 0x19b0 && r <= 0x19c9 || r == 0x1cf2 || r == 0x1cf3 || !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z)
		if pieces := room.Pieces("x" + string(r) + "x"); !newer && len(pieces) > 0 {
			given[r] = strings.Join(pieces, " ")
			if _, err := tx.Exec("INSERT INTO words (rowid, text) VALUES (?, ?)", int(r), indexText("x"+string(r)+"x")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	rows, err := s.reads.Query("SELECT doc, term FROM terms ORDER BY doc, offset")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	index := make(map[rune][]string)
	for rows.Next() {
		var r rune
		var term string
		if err := rows.Scan(&r, &term); err != nil {
			t.Fatal(err)
		}
		index[r] = append(index[r], term)
	}
	differ := 0
	for r, want := range given {
		if got := strings.Join(index[r], " "); got != want {
			if differ++; differ < 20 {
				t.Errorf("%U %q: given %q, has %q", r, r, want, got)
			}
		}
	}
	if differ > 0 {
		t.Errorf("%d of %d differ", differ, len(given))
	}
}
