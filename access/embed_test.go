package access_test

import (
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/access"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

var oneRoom = access.EmbedScope{Source: "default", RoomID: "room01", Parent: "https://support.example.org"}

func TestAnEmbedIsForOneRoomOrForAllAndSaysWhere(t *testing.T) {
	change := func(with func(*access.EmbedScope)) access.EmbedScope {
		scope := oneRoom
		with(&scope)
		return scope
	}
	for name, c := range map[string]struct {
		scope access.EmbedScope
		good  bool
	}{
		"one room":       {oneRoom, true},
		"all rooms":      {change(func(s *access.EmbedScope) { s.RoomID, s.All = "", true }), true},
		"neither":        {change(func(s *access.EmbedScope) { s.RoomID = "" }), false},
		"both":           {change(func(s *access.EmbedScope) { s.All = true }), false},
		"no source":      {change(func(s *access.EmbedScope) { s.Source = "" }), false},
		"no parent":      {change(func(s *access.EmbedScope) { s.Parent = "" }), false},
		"parent with /":  {change(func(s *access.EmbedScope) { s.Parent += "/" }), false},
		"any parent":     {change(func(s *access.EmbedScope) { s.Parent = "*" }), false},
		"endless room":   {change(func(s *access.EmbedScope) { s.RoomID = strings.Repeat("r", 257) }), false},
		"endless source": {change(func(s *access.EmbedScope) { s.Source = strings.Repeat("r", 257) }), false},
	} {
		if err := c.scope.Validate(); (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnEmbedLivesFiveMinutesAtMost(t *testing.T) {
	for ttl, good := range map[time.Duration]bool{
		0: true, time.Second: true, 5 * time.Minute: true, 5*time.Minute + time.Second: false, -time.Second: false, time.Millisecond: false, 1 << 62: false,
	} {
		if _, err := access.NewEmbed(oneRoom, noon, ttl); (err == nil) != good {
			t.Errorf("%s: %v", ttl, err)
		}
	}
	e, err := access.NewEmbed(oneRoom, noon.Add(700*time.Millisecond), 0)
	if err != nil || !e.ExpiresAt.Equal(noon.Add(5*time.Minute)) {
		t.Fatal(e, err)
	}
	if e.Expired(noon.Add(5*time.Minute-1)) || !e.Expired(noon.Add(5*time.Minute)) {
		t.Error("it does not expire when it says")
	}
}

func TestARefreshedEmbedHasTheSameSourceScopeMaskAndParent(t *testing.T) {
	old := access.Embed{EmbedScope: oneRoom, IssuedAt: noon, ExpiresAt: noon.Add(time.Minute)}
	later := access.Embed{EmbedScope: oneRoom, IssuedAt: noon.Add(50 * time.Second), ExpiresAt: noon.Add(5 * time.Minute)}
	if !later.Refreshes(old) {
		t.Error("a later token of the same scope does not refresh")
	}
	for name, with := range map[string]func(*access.Embed){
		"source": func(e *access.Embed) { e.Source = "other" },
		"room":   func(e *access.Embed) { e.RoomID = "room02" },
		"all":    func(e *access.Embed) { e.RoomID, e.All = "", true },
		"parent": func(e *access.Embed) { e.Parent = "https://other.example.org" },
		"mask":   func(e *access.Embed) { e.Mask = true },
	} {
		other := later
		with(&other)
		if other.Refreshes(old) || old.Refreshes(other) {
			t.Errorf("a token of another %s refreshes", name)
		}
	}
}

func TestAParentThatIsNoLongerAllowedFramesNothing(t *testing.T) {
	if !oneRoom.Framable([]access.Origin{"https://a.example", "https://support.example.org"}) || oneRoom.Framable([]access.Origin{"https://a.example"}) || oneRoom.Framable(nil) {
		t.Error("the list of parents does not decide")
	}
}
