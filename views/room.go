package views

import (
	"strconv"
	"time"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

func roomElements(m live.Room) []live.Element {
	if m.Detail == nil {
		return append([]live.Element{element("room-head", "head", m.SID, unknownHead)}, footElements(m.Sources, m.AlarmCount, m.AsOf)...)
	}
	d := m.Detail
	sum := d.Summary()
	out := []live.Element{element("room-head", "head", headOf(sum, m.Parent, !m.For.NoEnds && askable(m.Sources, d.Source)), roomHead)}
	out = append(out, roomStats(sum)...)
	out = append(out, timelineElements(m)...)
	out = append(out, people(d.Participants, d.Head)...)
	out = append(out, recordings(m)...)
	out = append(out, streams(d.Streams)...)
	if m.Parent != nil {
		out = append(out, element("breakout-parent", "breakouts", m.Parent, parentItem))
		out = append(out, element("breakout-self", "breakouts", name(d.Head), selfItem))
	}
	for _, b := range m.Breakouts {
		out = append(out, element("breakout-"+b.SID, "breakouts", b, breakoutItem))
	}
	out = append(out, artifacts(d, filesOf(m.Sources, m.For.NoFiles))...)
	out = append(out, correctionItems(d.Corrections)...)
	if !m.For.NoDeliveries {
		out = append(out, roomDeliveryElements(m)...)
	}
	return append(out, footElements(m.Sources, m.AlarmCount, m.AsOf)...)
}

// roomHeading is what the top of a room's page depends on.
type roomHeading struct {
	room.Head
	recording, streaming           bool
	recordingSince, streamingSince time.Time
	parent                         *room.Summary
	asks                           bool // its plugNmeet can be asked to end it
}

func headOf(s room.Summary, parent *room.Summary, asks bool) roomHeading {
	return roomHeading{s.Head, s.RecordingsActive > 0, s.StreamsActive > 0, s.RecordingSince, s.StreamingSince, parent, asks}
}

func roomStats(s room.Summary) []live.Element {
	of := func(id, label, short string, n int, note string) live.Element {
		return element("stat-"+id, "stats", stat{label, short, n, note}, statBlock)
	}
	out := []live.Element{
		of("people", "People", "", s.People, "peak "+comma(s.PeakPeople)),
		of("bots", "Bots, agents", "Bots", s.Bots, ""),
		of("mics", "Microphones", "Mics", s.Microphones, ""),
		of("cams", "Cameras", "Cams", s.Cameras, ""),
		of("screens", "Screens", "", s.Screens, ""),
		of("artifacts", "Artifacts", "", s.Artifacts, ""),
	}
	if s.PlannedMinutes > 0 {
		out = append(out, of("planned", "Planned", "", s.PlannedMinutes, "min"))
	}
	return out
}

// The groups of the roster: who is here, the bots that are here, and who has left.
var groups = [3]string{"here", "bots", "left"}

func groupOf(p room.Participant) int {
	switch {
	case !p.Online:
		return 2
	case p.Human():
		return 0
	}
	return 1
}

// personVersion: a participant has slices, so that what its row depends on is spelled out in key.
type personVersion struct {
	key string
	end time.Time // of the session
}

func people(participants []room.Participant, h room.Head) []live.Element {
	var members [len(groups)][]live.Element
	var humans [len(groups)]int
	for _, p := range participants {
		g := groupOf(p)
		if p.Human() {
			humans[g]++
		}
		members[g] = append(members[g], live.Element{
			ID: "person-" + p.Identity, Parent: groups[g], Version: personVersion{personKey(p), h.EndedAt},
			Render: func() []byte { return render(personRow("person-"+p.Identity, p, h.EndedAt)) },
		})
	}
	out := make([]live.Element, 0, len(participants)+2*len(groups)+1)
	out = append(out, element("people-number", "people-count", humans[0]+humans[2], count))
	for i, g := range groups {
		out = append(out, element(g+"-number", g+"-count", groupText(i, len(members[i]), humans[i]), groupCount))
		out = append(out, members[i]...)
	}
	if text := nobodyHere(len(participants), h.State); text != "" && len(members[0]) == 0 {
		out = append(out, element("empty-here", "here", text, emptyRow))
	}
	return out
}

// groupText counts a group; humans are those of its members that are people.
func groupText(g, members, humans int) string {
	people, bots := plural(humans, "person", "people"), plural(members-humans, "bot", "bots")
	switch {
	case g == 1:
		return comma(members) + ", not counted as people"
	case members == humans:
		return people
	case humans == 0:
		return bots
	}
	return people + ", " + bots
}

// nobodyHere says why nobody is here, "" when that goes without saying: the session has ended.
func nobodyHere(ever int, state room.State) string {
	switch {
	case state == room.StateEnded && ever == 0:
		return "Who was here is not known: no delivery told of anybody."
	case state == room.StateEnded:
		return ""
	case ever == 0:
		return "Nobody has come yet."
	}
	return "Nobody is here now."
}

// personKey tells participants with different rows apart.
func personKey(p room.Participant) string {
	k := make([]byte, 0, 128)
	text := func(s string) { k = strconv.AppendQuote(k, s) }
	moment := func(t time.Time) { k = append(strconv.AppendInt(k, int64(room.At(t)), 36), ' ') }
	flags := func(bs ...bool) {
		for _, b := range bs {
			k = strconv.AppendBool(k, b)
		}
	}
	text(p.Identity)
	text(p.Name)
	text(p.Kind)
	flags(p.Online)
	for _, role := range roleWords(p.Roles) {
		text(role)
	}
	for _, c := range p.Connections {
		text(c.SID)
		text(c.Reason)
		moment(c.JoinedAt)
		moment(c.LeftAt)
		flags(c.Open)
	}
	for _, t := range p.Tracks {
		text(t.SID)
		text(t.Source)
		text(t.Media)
		text(t.Mime)
		text(t.Encryption)
		k = strconv.AppendInt(append(strconv.AppendInt(k, int64(t.Width), 10), 'x'), int64(t.Height), 10)
		flags(t.Simulcast, t.Muted, t.MuteChecked, t.Open)
		moment(t.PublishedAt)
	}
	return string(k)
}

func recordings(m live.Room) []live.Element {
	list := m.Detail.Recordings
	if len(list) == 0 {
		return []live.Element{element("empty-recordings", "recordings", "Not recorded so far.", say)}
	}
	out := make([]live.Element, 0, len(list))
	for _, r := range list {
		out = append(out, element("recording-"+r.RecordID, "recordings", recordingOf{r, recordingFileURL(filesOf(m.Sources, m.For.NoFiles), m.Detail.Key(), r)}, recordingBlock))
	}
	return out
}

func streams(list []room.Stream) []live.Element {
	if len(list) == 0 {
		return []live.Element{element("empty-streams", "streams", "Not streamed so far.", say)}
	}
	out := make([]live.Element, 0, len(list))
	for _, s := range list {
		out = append(out, element("stream-"+s.RecordID, "streams", s, streamBlock))
	}
	return out
}

// artifacts are the files and usage figures, the analytics, and what the retired speech service said.
func artifacts(d *room.Detail, sources []live.SourceState) []live.Element {
	out := make([]live.Element, 0, len(d.Artifacts)+len(d.Analytics)+len(d.Speech)+2)
	for _, a := range d.Artifacts {
		out = append(out, element("artifact-"+a.ArtifactID, "artifacts", artifactOf{a, artifactFileURL(sources, d.Key(), a)}, artifactItem))
	}
	if len(d.Artifacts) == 0 {
		out = append(out, element("empty-artifacts", "artifacts", noneYet(d.State, "transcripts and usage"), sayItem))
	}
	for _, a := range d.Analytics {
		out = append(out, element("analytics-"+a.FileID, "analytics", a, analyticsItem))
	}
	if len(d.Analytics) == 0 {
		out = append(out, element("empty-analytics", "analytics", noneYet(d.State, "analytics"), sayItem))
	}
	for _, s := range d.Speech {
		out = append(out, element("speech-"+s.UserID, "speech", s, speechItem))
	}
	return out
}

func noneYet(state room.State, what string) string {
	if state == room.StateEnded {
		return "None. plugNmeet makes " + what + " after a room has ended, if they are switched on; a summary can take hours."
	}
	return "None yet. plugNmeet makes " + what + " when the room ends."
}
