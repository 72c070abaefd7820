package views

import (
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"github.com/roomwatch/roomwatch/room"
)

// Found is what the palette shows for a text: rooms and people of the record, and what can be done.
type Found struct {
	Text    string         // "" shows what goes on, and everything that can be done
	Running []room.Summary // created and live sessions that match, newest first
	Ended   []room.Summary // ended ones
}

// Find is the root of the page that answers the palette.
func Find(f Found) []byte { return render(findRoot(f)) }

// How much of what was found is shown.
const (
	RunningFound = 6
	EndedFound   = 4
	peopleFound  = 4
)

func (f Found) rooms() []room.Summary {
	return slices.Concat(f.Running[:min(len(f.Running), RunningFound)], f.Ended[:min(len(f.Ended), EndedFound)])
}

func (f Found) none() bool { return f.Text != "" && len(f.Running)+len(f.Ended) == 0 }

// foundSomebody is a name or an identity that matches, with the session that tells of it.
type foundSomebody struct {
	line string
	last room.Summary
}

// href leads to every session of somebody.
func (p foundSomebody) href() templ.SafeURL {
	return templ.URL(sessionsPath + "?q=" + url.QueryEscape(cut(p.line, nameLength)))
}

// people are those in whom the text was found; running sessions tell of them first.
func (f Found) people() (out []foundSomebody) {
	seen := make(map[string]bool)
	for _, s := range slices.Concat(f.Running, f.Ended) {
		line := foundLine(s)
		if line == "" || seen[line] {
			continue
		}
		seen[line] = true
		if out = append(out, foundSomebody{line, s}); len(out) == peopleFound {
			break
		}
	}
	return out
}

// foundLine is whom a search has found in a session: "" when it has found the session's own name.
func foundLine(s room.Summary) string {
	line := strings.Join(strings.Fields(s.Found), " ")
	for _, own := range []string{s.Title, s.RoomID} {
		if line == strings.Join(strings.Fields(own), " ") {
			return ""
		}
	}
	return line
}

var stateSigns = map[room.State]sign{
	room.StateCreated: {"ring", "created", ""},
	room.StateLive:    {"disc", "running", "good"},
	room.StateEnded:   {"square", "ended", ""},
}

func stateSign(s room.State) sign { return stateSigns[s] }

// deed is something to do: a page to go to, or what the script does by that name.
type deed struct{ word, also, icon, path, does, key string }

// deeds are those of which the text begins words.
func (f Found) deeds() (out []deed) {
	words := room.ParseWords(f.Text)
	for _, d := range allDeeds() {
		if f.Text == "" || len(words) > 0 && words.Find(d.word, d.also) {
			out = append(out, d)
		}
	}
	return out
}

func allDeeds() (out []deed) {
	for _, p := range places {
		out = append(out, deed{word: "Go to " + p.word, also: "page", icon: p.icon, path: p.path, key: "g " + strings.ToLower(p.word[:1])})
	}
	return append(out,
		deed{word: "Pause live changes", also: "resume stop", icon: "pause", does: "pause", key: "p"},
		deed{word: "Change the theme", also: "light dark auto colours", icon: "auto", does: "theme", key: "t"},
		deed{word: "Switch the time zone", also: "UTC local clock", icon: "clock", does: "zone"},
		deed{word: "Change the row height", also: "density compact comfortable", icon: "comfortable", does: "density"},
		deed{word: "Show the keys", also: "help keyboard shortcuts", icon: "keyboard", does: "help", key: "?"},
	)
}

// shortcut is a key, or several, and what it does. Single ones can be turned off.
type shortcut struct {
	keys   []string
	does   string
	single bool
}

var shortcuts = []shortcut{
	{[]string{"Ctrl K"}, "Find a room, a person, a page, or something to do", false},
	{[]string{"/"}, "Search or filter this page", true},
	{[]string{"j", "k"}, "Next row, row before", true},
	{[]string{"Enter"}, "Open the row", false},
	{[]string{"p"}, "Pause live changes, and resume", true},
	{[]string{"t"}, "Change the theme: light, dark, auto", true},
	{[]string{"g", "o"}, "Go to Overview", true},
	{[]string{"g", "s"}, "Go to Sessions", true},
	{[]string{"g", "r"}, "Go to Recordings", true},
	{[]string{"g", "a"}, "Go to Artifacts", true},
	{[]string{"g", "i"}, "Go to Intake", true},
	{[]string{"?"}, "This list", true},
	{[]string{"Esc"}, "Close what is open", false},
}
