package access

import (
	"slices"
	"testing"
)

// who are the kinds of identities that the table below is about.
var who = map[string]Identity{
	"nobody":        {},
	"viewer":        Person(User{Key: "local:v", Role: Viewer}, false),
	"masked viewer": Person(User{Key: "local:v", Role: Viewer}, true),
	"operator":      Person(User{Key: "local:o", Role: Operator}, true),
	"admin":         Person(User{Key: "local:a", Role: Admin}, true),
	"disabled":      Person(User{Key: "local:a", Role: Admin, Disabled: true}, false),
	"no role":       Person(User{Key: "local:x", Role: "root"}, false),
	"state":         Machine(APIToken{Scopes: []Scope{ReadState}}),
	"masked state":  Machine(APIToken{Scopes: []Scope{ReadState}, Mask: true}),
	"metrics":       Machine(APIToken{Scopes: []Scope{ReadMetrics}}),
	"mint":          Machine(APIToken{Scopes: []Scope{MintEmbed}}),
	"odd scope":     Machine(APIToken{Scopes: []Scope{""}}),
	"setting":       Machine(SettingToken()),
	"frame":         Frame(Embed{EmbedScope: EmbedScope{Source: "default", All: true}}),
	"masked frame":  Frame(Embed{EmbedScope: EmbedScope{Source: "default", All: true, Mask: true}}),
	"empty frame":   Frame(Embed{EmbedScope: EmbedScope{All: true}}),
	"loopback":      Loopback(),
}

// may is who of them may do what, about all rooms of the source "default". Everybody else may not.
var may = map[Action][]string{
	SeeRooms: {"viewer", "masked viewer", "operator", "admin", "state", "masked state", "setting", "frame", "masked frame", "loopback"},

	SeeHistory:   {"viewer", "masked viewer", "operator", "admin", "state", "masked state", "setting", "loopback"},
	SearchPeople: {"viewer", "operator", "admin", "state", "setting", "frame", "loopback"},
	SeeIntake:    {"operator", "admin", "state", "masked state", "setting", "loopback"},
	SeeBodies:    {"operator", "admin", "state", "setting", "loopback"},
	Download:     {"operator", "admin", "loopback"},
	EndRoom:      {"operator", "admin", "loopback"},
	SeeMetrics:   {"operator", "admin", "metrics", "setting", "loopback"},
	Mint:         {"operator", "admin", "mint", "setting", "loopback"},
	OwnAccount:   {"viewer", "masked viewer", "operator", "admin"},
	ManageUsers:  {"admin"},
	ManageTokens: {"admin"},
	SeeAudit:     {"admin", "loopback"},
}

func TestEveryActionHasARuleAndEverybodyMayDoExactlyWhatItSays(t *testing.T) {
	if len(may) != int(actions) {
		t.Errorf("there are %d actions, and claims about %d", actions, len(may))
	}
	for do := range actions {
		if rules[do].name == "" {
			t.Errorf("action %d has no rule", do)
		}
		for name, identity := range who {
			if got, want := identity.May(do, Target{Source: "default"}), slices.Contains(may[do], name); got != want {
				t.Errorf("%s may %s: %t", name, do, got)
			}
		}
	}
}

func TestAnActionWithoutARuleIsRefusedToEverybody(t *testing.T) {
	for name, identity := range who {
		for _, do := range []Action{actions, 255} {
			if identity.May(do, Target{}) {
				t.Errorf("%s may do action %d", name, do)
			}
		}
	}
}

func TestAFrameSeesWhatLiesInItsScopeOnly(t *testing.T) {
	one := Frame(Embed{EmbedScope: EmbedScope{Source: "default", RoomID: "room01"}})
	all := Frame(Embed{EmbedScope: EmbedScope{Source: "default", All: true}})
	for _, c := range []struct {
		on       Target
		one, all bool
	}{
		{Target{"default", "room01"}, true, true},
		{Target{"default", "room01-breakout"}, false, true},
		{Target{"default", "room02"}, false, true},
		{Target{"default", "ROOM01"}, false, true},
		{Target{"default", ""}, false, true},
		{Target{"other", "room01"}, false, false},
		{Target{"", "room01"}, false, false},
		{Target{}, false, false},
	} {
		if got := one.May(SeeRooms, c.on); got != c.one {
			t.Errorf("a frame of room01 sees %+v: %t", c.on, got)
		}
		if got := all.May(SeeRooms, c.on); got != c.all {
			t.Errorf("a frame of all rooms sees %+v: %t", c.on, got)
		}
	}
}

func TestAScopeThatSaysNothingCoversNothing(t *testing.T) {
	for _, scope := range []EmbedScope{{}, {All: true}, {Source: "default"}, {RoomID: "room01"}} {
		for _, on := range []Target{{}, {"default", ""}, {"", "room01"}, {"default", "room01"}} {
			if scope.Covers(on) {
				t.Errorf("%+v covers %+v", scope, on)
			}
		}
	}
}

func TestWhoSeesMaskedNamesHandsOutMaskedTokensOnly(t *testing.T) {
	plain, masked := EmbedScope{Source: "default", All: true}, EmbedScope{Source: "default", All: true, Mask: true}
	veiled := Machine(APIToken{Scopes: []Scope{MintEmbed}, Mask: true})
	if veiled.MayMint(plain) || !veiled.MayMint(masked) {
		t.Error("the mask came off by minting")
	}
	if !who["operator"].MayMint(plain) || who["viewer"].MayMint(masked) || who["frame"].MayMint(masked) {
		t.Error("minting is for operators and tokens with the scope")
	}
}

func TestNamesAreMaskedForViewersWhereConfiguredAndForNobodyKnown(t *testing.T) {
	for name, want := range map[string]bool{"nobody": true, "disabled": true, "viewer": false, "masked viewer": true, "operator": false, "masked state": true,
		"state": false, "masked frame": true, "frame": false, "loopback": false, "no role": false} {
		if got := who[name].Masked(); got != want {
			t.Errorf("%s sees masked names: %t", name, got)
		}
	}
	if !Person(User{Role: "root"}, true).Masked() {
		t.Error("what is no role sees names where viewers don't")
	}
}

func TestAudiencesDifferWhereWhatIsSeenDiffers(t *testing.T) {
	identities := []Identity{
		{}, Loopback(), who["viewer"], who["masked viewer"], who["operator"], who["admin"], who["state"], who["masked state"], who["mint"],
		Frame(Embed{EmbedScope: EmbedScope{Source: "a", RoomID: "b"}}),
		Frame(Embed{EmbedScope: EmbedScope{Source: "a", RoomID: "b", Mask: true}}),
		Frame(Embed{EmbedScope: EmbedScope{Source: "a", All: true}}),
		Frame(Embed{EmbedScope: EmbedScope{Source: `a" "b`}}),
		Frame(Embed{EmbedScope: EmbedScope{Source: "a", RoomID: `b" all=true`}}),
	}
	seen := make(map[string]int)
	for i, identity := range identities {
		if other, twice := seen[identity.Audience()]; twice {
			t.Errorf("identities %d and %d share the audience %s", other, i, identity.Audience())
		}
		seen[identity.Audience()] = i
	}
	other := Person(User{Key: "local:another", Role: Viewer}, false)
	if other.Audience() != who["viewer"].Audience() {
		t.Error("two viewers see the same and don't share")
	}
}

func TestActorsNameWhoItWas(t *testing.T) {
	for _, c := range []struct {
		is   Identity
		want Actor
	}{
		{Identity{}, Actor{"nobody", ""}},
		{Loopback(), Actor{"loopback", ""}},
		{Person(User{Key: "local:ana", Role: Viewer}, false), Actor{"user", "local:ana"}},
		{Machine(SettingToken()), Actor{"token", "API_TOKEN"}},
		{Frame(Embed{EmbedScope: EmbedScope{Source: "default", RoomID: "room01"}}), Actor{"embed", "default/room01"}},
	} {
		if got := c.is.Actor(); got != c.want {
			t.Errorf("actor %+v, want %+v", got, c.want)
		}
	}
}
