package room

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A link that a page makes must ask for what the page shows.
func TestEveryQueryIsReadBackFromItsText(t *testing.T) {
	words := rapid.StringOfN(rapid.RuneFrom([]rune("a +&=%é/花\"'<-")), 0, 12, -1).Filter(func(s string) bool { return s == strings.TrimSpace(s) })
	moments := rapid.Custom(func(t *rapid.T) time.Time {
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			return time.Time{}
		case 1:
			return time.Date(2026, 11, rapid.IntRange(1, 30).Draw(t, "day"), 0, 0, 0, 0, time.UTC)
		}
		return time.UnixMilli(rapid.Int64Range(1_700_000_000_000, 1_900_000_000_000).Draw(t, "ms")).UTC()
	})
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, MaxLimit).Draw(t, "limit")
		text, from, to := words.Draw(t, "text"), moments.Draw(t, "from"), moments.Draw(t, "to")
		sessions := SessionQuery{State: rapid.SampledFrom([]State{"", StateLive, StateEnded}).Draw(t, "state"), Source: text, RoomID: words.Draw(t, "room"), Parent: words.Draw(t, "parent"),
			Text: text, From: from, To: to, Limit: limit, Cursor: words.Draw(t, "cursor")}
		same(t, sessions, ParseSessionQuery)
		recordings := RecordingQuery{State: rapid.SampledFrom([]string{"", RecordingReady}).Draw(t, "recording"), Text: text, From: from, To: to, Limit: limit}
		same(t, recordings, ParseRecordingQuery)
		artifacts := ArtifactQuery{Type: text, Class: rapid.SampledFrom([]string{"", ClassFile}).Draw(t, "class"), Text: text, From: from, To: to, Limit: limit}
		same(t, artifacts, ParseArtifactQuery)
		same(t, DeliveryQuery{Verdict: rapid.SampledFrom([]Verdict{"", Late}).Draw(t, "verdict"), Event: text, SID: text, From: from, To: to, Limit: limit}, ParseDeliveryQuery)
	})
}

func same[Q interface {
	comparable
	Values() url.Values
}](t *rapid.T, q Q, parse func(url.Values) (Q, error)) {
	v, err := url.ParseQuery(q.Values().Encode())
	if err != nil {
		t.Fatal(err)
	}
	if back, err := parse(v); err != nil || back != q {
		t.Fatalf("%+v\nis read back as\n%+v, %v", q, back, err)
	}
}

func TestEveryParameterThatAQueryWritesIsKnownToItsList(t *testing.T) {
	at := time.UnixMilli(1_800_000_000_001)
	for _, list := range []struct {
		values url.Values
		params []string
	}{
		{SessionQuery{"live", "a", "b", "c", "d", false, at, at, 7, "e"}.Values(), SessionParams},
		{RecordingQuery{"ready", "a", "b", "c", false, at, at, 7, "e"}.Values(), RecordingParams},
		{ArtifactQuery{"a", "file", "b", "c", "d", false, at, at, 7, "e"}.Values(), ArtifactParams},
		{DeliveryQuery{"late", "a", "b", "c", "d", at, at, 7, "e"}.Values(), DeliveryParams},
	} {
		if err := Only(list.values, list.params...); err != nil || len(list.values) != len(list.params) {
			t.Errorf("%v, written are %v: %v", list.params, list.values, err)
		}
	}
	var unknown *UnknownParam
	if err := Only(url.Values{"limit": nil, "form": nil}, SessionParams...); !errors.As(err, &unknown) || unknown.Name != "form" {
		t.Errorf("form: %v", err)
	}
}

func TestADayIsWholeAtBothEndsOfARange(t *testing.T) {
	q, err := ParseSessionQuery(url.Values{"from": {"2026-11-20"}, "to": {"2026-11-22"}})
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC); !q.From.Equal(want) {
		t.Errorf("from %v", q.From)
	}
	if want := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC); !q.To.Equal(want) {
		t.Errorf("to %v: the last day is not whole", q.To)
	}
}

func TestABadValueIsNamed(t *testing.T) {
	for name, values := range map[string][]string{
		"limit": {"0", "201", "x", "-1", "1.5"}, "state": {"open", "LIVE", "live "}, "from": {"yesterday", "2026-13-01", "1"}, "to": {"2026-11-22 10:00"},
		"q": {strings.Repeat("a", maxParam+1), "\xff"}, "cursor": {strings.Repeat("a", maxParam+1)},
	} {
		for _, value := range values {
			var bad *BadValue
			if _, err := ParseSessionQuery(url.Values{name: {value}}); !errors.As(err, &bad) || bad.Name != name {
				t.Errorf("%s=%.20q: %v", name, value, err)
			}
		}
	}
}
