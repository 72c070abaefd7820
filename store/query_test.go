package store

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// meeting is a session that began some minutes after noon.
func meeting(source, sid, roomID, title string, minute int, ended bool, people ...string) *room.Session {
	at := noon.Add(time.Duration(minute) * time.Minute)
	of := func(e room.Event) room.Event {
		e.Source, e.RoomID, e.Title = source, roomID, title
		if strings.HasSuffix(roomID, "2") {
			e.ParentRoomID = "room1"
		}
		return e
	}
	created := of(event(room.KindRoomCreated, sid, sid+"created", at))
	created.CreationTime = created.At
	events := []room.Event{created}
	for i, name := range people {
		events = append(events, of(joined(sid, fmt.Sprint("PA_", i), fmt.Sprint("id-", name), name, at)))
	}
	if ended {
		events = append(events, of(event(room.KindSessionEnded, sid, sid+"ended", at.Add(time.Minute))))
	}
	return session(events...)
}

// unfound is the items as they are without a search.
func unfound(items []room.Summary) []room.Summary {
	for i := range items {
		items[i].Found = ""
	}
	return items
}

func sids(items []room.Summary) (out []string) {
	for _, item := range items {
		out = append(out, item.SID)
	}
	return out
}

// all is every session that q asks for, page by page.
func all(t testing.TB, s record, q room.SessionQuery) (items []room.Summary) {
	t.Helper()
	for {
		page, err := s.Sessions(t.Context(), q)
		if err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		if len(page.Items) > limitOf(q.Limit) || page.Next != "" && len(page.Items) != limitOf(q.Limit) {
			t.Fatalf("a page of %d, limit %d", len(page.Items), q.Limit)
		}
		items = append(items, page.Items...)
		if page.Next == "" {
			return items
		}
		q.Cursor = page.Next
	}
}

func TestSessionsAreFilteredAndPagedAsAPlainListWouldBe(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		var known, saved []*room.Session
		var plain []room.Summary
		for i := range 120 {
			people := []string{"Ana", "Bo"}[:i%3%2+i%2]
			m := meeting([]string{"a", "b"}[i%2], fmt.Sprint("s", i), fmt.Sprint("room", i%5), "Weekly", i/4, i%3 == 0, people...)
			early := event(room.KindRecordingProceeded, m.SID, m.SID+"early", noon.Add(-time.Hour))
			early.Source, early.RoomID = m.Source, "another"
			known, saved = append(known, session(early)), append(saved, m)
			whole := session(early)
			whole.Merge(m)
			plain = append(plain, whole.Summary())
		}
		mustSave(t, s, "", known...)
		mustSave(t, s, "", saved...)
		slices.SortFunc(plain, func(a, b room.Summary) int {
			return cmp.Compare(placeOf(room.At(b.Begin()), b.Source, b.SID), placeOf(room.At(a.Begin()), a.Source, a.SID))
		})
		from, to := noon.Add(5*time.Minute), noon.Add(20*time.Minute)
		for _, state := range []room.State{"", room.StateCreated, room.StateLive, room.StateEnded} {
			for _, q := range []room.SessionQuery{{}, {Source: "a"}, {RoomID: "room2"}, {Source: "b", RoomID: "room2"}, {From: from}, {To: to},
				{From: from, To: to, Source: "a"}, {Text: "week ana"}, {Text: "week", RoomID: "room1", From: from}, {RoomID: "no such room"},
				{Parent: "room1"}, {Parent: "room2"}, {Parent: "room1", Text: "week", From: from}, {From: to, Text: "ana"}, {From: to, To: to.Add(time.Millisecond), RoomID: "room2"},
				{Text: "week", Titles: true, From: from, To: to}, {From: time.Now().Add(time.Hour)}} {
				q.State = state
				want := slices.DeleteFunc(slices.Clone(plain), func(sum room.Summary) bool { return !matches(q, sum, s, t) })
				for _, q.Limit = range []int{0, 1, 7} {
					if q.Limit == 1 && len(want) > 30 {
						continue // many pages of the same
					}
					if got := unfound(all(t, s, q)); !slices.Equal(sids(got), sids(want)) || len(got) > 0 && asJSON(t, got) != asJSON(t, want) {
						t.Fatalf("%+v: %d sessions, want %d", q, len(got), len(want))
					}
				}
			}
		}
	})
}

// matches is the plain reading of a query; a text here is words in lower case.
func matches(q room.SessionQuery, sum room.Summary, s record, t *testing.T) bool {
	text := strings.ToLower(sum.Title + " " + sum.RoomID)
	if q.Text != "" {
		session, err := s.Load(t.Context(), sum.Key())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range session.Detail().Participants {
			text += " " + strings.ToLower(p.Name)
		}
	}
	for word := range strings.FieldsSeq(q.Text) {
		if !strings.Contains(" "+text, " "+word) {
			return false
		}
	}
	return (q.State == "" || q.State == sum.State) && (q.Source == "" || q.Source == sum.Source) && (q.RoomID == "" || q.RoomID == sum.RoomID) && (q.Parent == "" || q.Parent == sum.ParentRoomID) &&
		overlaps(sum, q.From, q.To)
}

// overlaps says whether a session's time meets a time that is asked for.
func overlaps(sum room.Summary, from, to time.Time) bool {
	begin, end := sum.Begin(), sum.EndedAt
	if sum.State != room.StateEnded {
		end = time.Now()
	}
	return (to.IsZero() || begin.Before(to)) && (from.IsZero() || !begin.Before(from) || end.After(from))
}

func TestRowsThatArriveBetweenPagesDisturbNone(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		for i := range 10 {
			mustSave(t, s, "", meeting("a", fmt.Sprint("s", i), "room01", "", i, false))
		}
		first, err := s.Sessions(t.Context(), room.SessionQuery{Limit: 4})
		if err != nil {
			t.Fatal(err)
		}
		mustSave(t, s, "", meeting("a", "above", "room01", "", 100, false), meeting("a", "s00", "room01", "", 7, false))
		second, err := s.Sessions(t.Context(), room.SessionQuery{Limit: 4, Cursor: first.Next})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := sids(append(first.Items, second.Items...)), []string{"s9", "s8", "s7", "s6", "s5", "s4", "s3", "s2"}; !slices.Equal(got, want) {
			t.Errorf("pages %q, want %q", got, want)
		}
	})
}

func TestACursorThatIsNotOursIsRefused(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		const place = -5 << placeBits
		good := formatCursor(markSessions, place)
		if got, err := parseCursor(markSessions, good); err != nil || got != place {
			t.Errorf("%d read as %d, %v", place, got, err)
		}
		raw, _ := base64.RawURLEncoding.DecodeString(good)
		raw[0]++
		for _, text := range []string{"x", "!", "AA", "AQ", "AQE", "AQH_____", "1", good + "=", good + "A", base64.RawURLEncoding.EncodeToString(raw),
			formatCursor(markRecordings, place), mark{1, 1}.String(), base64.RawURLEncoding.EncodeToString([]byte{markSessions, 0x80, 0}), strings.Repeat("\x00", 40)} {
			if _, err := s.Sessions(t.Context(), room.SessionQuery{Cursor: text}); !errors.Is(err, ErrBadCursor) {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}

func TestTextFindsSessionsByTheBeginningsOfWords(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		mustSave(t, s, "",
			meeting("a", "ops", "rig-f1-1", "Weekly Ops: Café", 1, false, "Ana Díaz", "O'Neil"),
			meeting("a", "board", "rig-f10-2", "Board <b>", 2, true, "木村 太郎", "Jo\u0301se"),
		)
		for _, c := range []struct{ text, want string }{
			{"week", "ops"}, {"WEEKLY", "ops"}, {"eekly", ""}, {"ops week", "ops"}, {"ops board", ""}, {"cafe", "ops"}, {"caf\u00e9", "ops"}, {"cafe\u0301", "ops"},
			{"diaz", "ops"}, {"díaz", "ops"}, {"dı", "ops"}, {"id-Ana", "ops"}, {"o'nei", "ops"}, {"oneil", ""}, {"josé", "board"},
			{"rig", "board ops"}, {"rig-f1", "board ops"}, {"rig-f1-", "board ops"}, {"rig-f1-1", "ops"}, {"f10", "board"}, {"rig-1", ""}, {"1-f1", ""},
			{"木村", "board"}, {"太", "board"}, {"ops - week", "ops"}, {"ops 🎉 week", "ops"}, {"<b>", "board"},
		} {
			got := sids(all(t, s, room.SessionQuery{Text: c.text}))
			if joined := strings.Join(got, " "); joined != c.want {
				t.Errorf("%q finds %q, want %q", c.text, joined, c.want)
			}
		}
	})
}

func TestHostileTextIsNeverSyntaxAndNothingUsableMatchesNothing(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		mustSave(t, s, "", meeting("a", "ops", "room01", "OR AND NOT NEAR near text", 1, false, "Ana"))
		nothing := []string{`"`, `""`, `*`, `" *`, `-`, `^`, `()`, `{}:`, " ", "\x00", "\xff\xfe", "🎉", "\u0301", "%", "_", `" OR *`, `title:x`, `zzz" OR "Ana`,
			"zzz\x00ana", strings.Repeat("zzz ", 5000), strings.Repeat("(", 5000), strings.Repeat("q", 100_000)}
		for _, text := range nothing {
			if text == `" OR *` {
				continue // it has the word OR, see below
			}
			if got := sids(all(t, s, room.SessionQuery{Text: text})); len(got) != 0 {
				t.Errorf("%.40q finds %q", text, got)
			}
		}
		for _, text := range []string{`" OR *`, "NEAR(tex", "ana*", `"ana"`, "-ana", "^ana", "{near}:text", "text:", "NOT ana", "ana\x00", "\xffana", "AND", "a\u0301na"} {
			if got := sids(all(t, s, room.SessionQuery{Text: text})); len(got) != 1 {
				t.Errorf("%q finds %q", text, got)
			}
		}
	})
}

func TestASessionSavedAgainIsFoundByItsNewTextOnly(t *testing.T) {
	forEachRecord(t, func(t *testing.T, open func() record) {
		s := open()
		mustSave(t, s, "", meeting("a", "s", "room01", "Draft", 1, false, "Ana"))
		renamed := event(room.KindRoomCreated, "s", "renamed", noon.Add(time.Hour))
		renamed.Source, renamed.Title = "a", "Final"
		mustSave(t, s, "", session(renamed))
		mustSave(t, s, "", session(renamed)) // changes nothing
		for text, want := range map[string]int{"final": 1, "draft": 0, "ana": 1, "room01": 1} {
			if got := all(t, s, room.SessionQuery{Text: text}); len(got) != want {
				t.Errorf("%q finds %d", text, len(got))
			}
		}
		if n := count(t, s, "words"); n != 1 {
			t.Errorf("%d rows of words", n)
		}
	})
}

func TestTheTextOfAHugeMeetingIsBounded(t *testing.T) {
	var people []string
	for i := range 2500 {
		people = append(people, fmt.Sprintf("Ærø Þórður %d", i))
	}
	text := textOf(meeting("a", "s", "room01", "Town hall", 1, false, people...).Detail())
	if len(text) > maxText || len(text) < maxText-50 || !strings.HasPrefix(text, "Town hall\nroom01\n") {
		t.Errorf("%d bytes, begins %.30q", len(text), text)
	}
	for size := range 8 {
		if got := cut("aÆ木b", size); !strings.HasPrefix("aÆ木b", got) || len(got) > size || strings.ContainsRune(got, '\uFFFD') {
			t.Errorf("cut at %d: %q", size, got)
		}
	}
}
