package room

import (
	"strings"
	"testing"
	"time"
)

// unseen are texts of which nothing can be seen.
var unseen = []string{"", " ", "   ", "\t\n", "\u00a0", "\u3000", "\u2003\u2009", "\u1680", "\u200b", "\u200b\u200c\u200d", "\u2060\u2063", "\ufeff", "\u00ad", "\u200e\u200f",
	"\u202a\u202e\u202c", "\u2066\u2069", "\u061c", "\u2800", "\u2800\u2800", "\u3164", "\u115f\u1160", "\uffa0", "\u034f", "\u17b4\u17b5", "\u180e", "\u180b\u180f", "\ufe0f", "\ufe00",
	"\U000e0100", "\U000e0041\U000e007f", "\u2028\u2029", "\u2065", "\ufff0", "\u206a", "\U0001d159", "\U0001d173", "\x00\x7f\u0085", " \u200b\u2800\u3164 "}

func TestATextThatShowsNothingIsAbsent(t *testing.T) {
	for _, text := range unseen {
		if got := Shown(text); got != "" {
			t.Errorf("%+q is %+q", text, got)
		}
		for _, some := range []string{"a", "周", "ㅎ", "🙂", "ا", "\u0600", "é", ".", "👨\u200d👩", "❤\ufe0f", "\u2801"} {
			for _, text := range []string{text + some, some + text} {
				if got := Shown(text); got != text {
					t.Errorf("%+q is %+q", text, got)
				}
			}
		}
	}
}

// What an older version has written down of such a text is not shown either, and never takes a name away.
func TestWhatShowsNothingNeverTakesATitleOrANameAway(t *testing.T) {
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for _, blank := range unseen {
		s := New(Key{"default", "s"})
		for i, text := range []string{"Weekly", blank} {
			s.Apply(Event{Source: "default", SID: "s", RoomID: "r", ID: strings.Repeat("e", i+1), Kind: KindParticipantJoined, At: At(at) + Time(i), Title: text,
				Participant: &ParticipantSaid{SID: "PA", Identity: "ana", Name: text, JoinedAt: At(at)}})
		}
		if d := s.Detail(); d.Title != "Weekly" || d.Participants[0].Name != "Weekly" {
			t.Errorf("%+q: %q, %q", blank, d.Title, d.Participants[0].Name)
		}
	}
}
