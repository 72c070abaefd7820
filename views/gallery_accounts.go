package views

import (
	"bytes"
	"time"

	"github.com/a-h/templ"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// accounts are who may look, in every state.
func (g gallery) accounts() []exhibit {
	logins := []LoginLine{
		{ID: "0a1b2c3d4e5f6071", User: "local:ana", Address: "192.0.2.7", Agent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0", Begun: g.ago(600), Seen: g.ago(2), Here: true},
		{ID: "1a1b2c3d4e5f6071", User: "local:bo", Address: "2001:db8::7", Agent: wordName, Begun: g.ago(60 * 30), Seen: g.ago(300)},
	}
	users := []UserLine{
		{Key: "local:ana", Name: "ana", Role: "admin", From: "here", Self: true, CreatedAt: g.ago(60 * 24 * 90), Logins: 1},
		{Key: "local:bo", Name: "bo", Role: "operator", From: "here", CreatedAt: g.ago(60 * 24), Logins: 1},
		{Key: "local:" + wordName[:60], Name: wordName[:60], Role: "viewer", From: "here", Disabled: true, CreatedAt: g.ago(60 * 24)},
	}
	tokens := []TokenLine{
		{ID: "2a1b2c3d4e5f6071", Name: "prometheus", Scopes: "read:metrics", State: "good", CreatedAt: g.ago(60), ExpiresAt: g.now.Add(80 * 24 * time.Hour), UsedAt: g.ago(1)},
		{ID: "3a1b2c3d4e5f6071", Name: "console", Scopes: "read:state, mint:embed", Mask: true, State: "expired", CreatedAt: g.ago(60), ExpiresAt: g.ago(10)},
		{ID: "4a1b2c3d4e5f6071", Name: "old", Scopes: "read:state", State: "revoked", CreatedAt: g.ago(60), ExpiresAt: g.now.Add(time.Hour)},
	}
	trail := []AuditLine{
		{At: g.ago(1), Act: "login", Kind: "user", Who: "local:ana", To: "0a1b2c3d4e5f6071", Address: "192.0.2.7"},
		{At: g.ago(2), Act: "role_changed", Kind: "user", Who: "local:ana", To: "local:bo", Address: "192.0.2.7", Detail: "viewer → operator"},
		{At: g.ago(9), Act: "login_failed", Kind: "nobody", Address: "198.51.100.9"}, {At: g.ago(9), Act: "strange", Kind: "token", Who: wordName},
	}
	of := func(name string, c templ.Component) specimen { // here, none of many takes the focus
		return specimen{name, bytes.ReplaceAll(render(c), []byte(" autofocus"), nil)}
	}
	return []exhibit{
		{"account menu", "bar", false, []specimen{of("viewer", accountMenu(Reader{Name: "ana", Role: "viewer"})), of("admin", accountMenu(Reader{Name: wordName[:60], Role: "admin", Manages: true, LogsOut: true}))}},
		{"log in", "gate", false, []specimen{of("at first", loginBox(Login{Next: "/"})), of("wrong", loginBox(Login{Next: "/", Name: "ana", Problem: "Name or password is wrong."})), of("over plain http", loginBox(Login{Problem: "This page came over plain http.", Insecure: true})),
			of("at a provider", loginBox(Login{Next: "/sessions", Provider: true})), of("at a proxy", loginBox(Login{Elsewhere: true})), of("nobody there yet", loginBox(Login{Setup: true}))}},
		{"first user", "gate", false, []specimen{of("at first", setupBox(Setup{})), of("wrong", setupBox(Setup{Name: "ana", Problem: "The setup token is wrong, or its time is over."})), of("over plain http", setupBox(Setup{Problem: "This page came over plain http.", Insecure: true}))}},
		{"own account", "", true, []specimen{of("by a password", accountRoot(Account{Name: "ana", Role: "admin", Password: true, Logins: logins, Said: "That login has ended."})), of("by a proxy", accountRoot(Account{Name: "bo", Role: "viewer"}))}},
		{"users", "", true, []specimen{of("here", usersRoot(Users{List: users, Logins: logins, Password: true, Roles: true, Said: "bo can log in now."})), of("wrong", usersRoot(Users{List: users[:1], Password: true, Name: "ana", Problem: "There is such a user already."})), of("at a provider", usersRoot(Users{List: users}))}},
		{"api tokens", "", true, []specimen{of("some", tokensRoot(Tokens{List: tokens})), of("just made", tokensRoot(Tokens{List: tokens[:1], Fresh: "rw_" + wordName[:58]})), of("none", tokensRoot(Tokens{Problem: "A token needs a scope."}))}},
		{"audit trail", "", true, []specimen{of("some", auditRoot(Audit{List: trail, Next: 7, More: true})), of("nothing", auditRoot(Audit{}))}},
	}
}

// frames are what stands in pages of others.
func (g gallery) frames() []exhibit {
	whole := func(name string, m live.Model) specimen { return specimen{name, HTML{}.Root(m, innerOf(m))} }
	busy, over := g.meeting(72).Detail(), g.over().Detail()
	rows := g.rows()
	rooms := live.EmbedRooms{Source: "default", Rows: rows, All: len(rows) + 12, Totals: room.Totals{People: 319, Bots: 18, Microphones: 90, Cameras: 152, Screens: 4}}
	return []exhibit{
		{"room in a frame", "framed", true, []specimen{whole("live", live.EmbedRoom{RoomID: busy.RoomID, Detail: &busy, Hour: rows[0].Hour}), whole("ended", live.EmbedRoom{RoomID: over.RoomID, Detail: &over}), whole("not known", live.EmbedRoom{RoomID: wordName})}},
		{"rooms in a frame", "framed", true, []specimen{whole("some", rooms), whole("none", live.EmbedRooms{Source: "default"})}},
		{"refused frame", "framed", true, []specimen{of("expired", embedRefusal("Expired", "The token of this frame has expired. Reload the page around it."))}},
		{"foot of a frame", "", true, []specimen{still(of("connecting", embedFoot("/")))}},
	}
}

// still is a specimen that does not stick to the window.
func still(s specimen) specimen {
	s.html = bytes.ReplaceAll(s.html, []byte(`class="embed-foot"`), []byte(`class="embed-foot still"`))
	return s
}
