package views

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// maxLanes bounds how many people and bots are drawn. The roster has them all.
const maxLanes = 500

// lane is a line of the timeline: somebody, or jobs, or artifacts, as they stand in time.
type lane struct {
	id      string
	class   string // person, bot, work
	title   string
	note    string // beside the title, or its icon
	icon    string
	stripes []stripe
	marks   []mark
}

// A stripe is something that lasted. Its class says what: here, cam, video, mic, sound, screen; rec,
// processing, stream.
type stripe struct {
	class string
	x, w  string
	open  bool // goes on: drawn to the right edge, and cut off at now
	label
}

// A mark is a moment: somebody left, a file came.
type mark struct {
	sign
	x    string
	left bool // its label stands to the left of it, because the edge is to the right
	label
}

// label is what a stripe or a mark says: words around a time of day. It shows only where the drawing is
// wide enough to hold it, see roomFor.
type label struct {
	before string
	at     room.Time
	after  string
	fit    string
	fine   bool   // the time is told to the second
	count  string // stands where the words have no room
}

func (l label) length() int {
	n := utf8.RuneCountInString(l.before) + utf8.RuneCountInString(l.after)
	if l.at != 0 {
		n += len(utcShort(l.at, l.fine))
	}
	return n
}

// drawnWidths are the widths of the drawing, in pixels, from which on labels show: the classes that the
// style sheet knows as w and the number.
var drawnWidths = []int{240, 360, 480, 640, 800, 960, 1120, 1360}

// roomFor is the least width of the drawing at which a text of so many letters fits into so much of it,
// "" if none is. A letter is 6 pixels on average; beside stand a glyph and some air.
func roomFor(letters int, share float64) string {
	if letters == 0 || share <= 0 {
		return ""
	}
	need := float64(letters*6+26) / share * 100
	for _, width := range drawnWidths {
		if need <= float64(width) {
			return "w" + strconv.Itoa(width)
		}
	}
	return ""
}

// key tells lanes that look different apart.
func (l lane) key() string {
	k := make([]byte, 0, 64+48*(len(l.stripes)+len(l.marks)))
	text := func(ss ...string) {
		for _, s := range ss {
			k = append(append(k, s...), 0)
		}
	}
	said := func(l label) {
		text(l.before, l.after, l.fit, l.count)
		k = strconv.AppendInt(k, int64(l.at), 36)
	}
	text(l.class, l.title, l.note, l.icon)
	for _, s := range l.stripes {
		text(s.class, s.x, s.w)
		k = strconv.AppendBool(k, s.open)
		said(s.label)
	}
	for _, m := range l.marks {
		text(m.glyph, m.word, m.class, m.x)
		k = strconv.AppendBool(k, m.left)
		said(m.label)
	}
	return string(k)
}

// stripe draws from one moment to another, or on and on when to is 0; ok is false outside the window.
func (t timeline) stripe(class string, from, to room.Time) (s stripe, ok bool) {
	open := to == 0
	if open {
		to = t.to
	}
	if from >= t.to || to <= t.from && !open || to < from {
		return s, false
	}
	x := pct(t.x(from))
	return stripe{class: class, x: x, w: pct(t.x(to) - position(x)), open: open}, true
}

// position reads a position back, so that a width starts where its stripe is drawn.
func position(x string) float64 {
	f, _ := strconv.ParseFloat(x[:len(x)-1], 64)
	return f
}

// peopleLanes are everybody in the order of first joining, bots after people.
func (t timeline) peopleLanes(participants []room.Participant) []live.Element {
	out := make([]live.Element, 0, len(participants))
	for _, human := range []bool{true, false} {
		for _, p := range participants {
			if p.Human() != human || len(out) == maxLanes {
				continue
			}
			if l := t.personLane(p); len(l.stripes)+len(l.marks) > 0 {
				out = append(out, laneElement(l, "lanes"))
			}
		}
	}
	return out
}

func laneElement(l lane, parent string) live.Element {
	return live.Element{ID: l.id, Parent: parent, Version: l.key(), Render: func() []byte { return render(laneRow(l)) }}
}

func (t timeline) personLane(p room.Participant) lane {
	l := lane{id: "lane-" + p.Identity, class: "person", title: cut(personName(p), nameLength)}
	switch {
	case p.Kind == "sip":
		l.icon = "phone"
	case !p.Human():
		l.class, l.icon = "bot", "agent"
	}
	for _, c := range p.Connections {
		t.presence(&l, p, c)
	}
	if len(p.Connections) == 0 {
		for _, track := range p.Tracks {
			l.add(t.stripe("here", room.At(track.PublishedAt), ending(track.UnpublishedAt, track.Open)))
		}
	}
	for _, class := range trackLayers {
		for _, track := range p.Tracks {
			if trackClass(track) == class {
				t.published(&l, p, track)
			}
		}
	}
	return l
}

func (l *lane) add(s stripe, ok bool) {
	if ok {
		l.stripes = append(l.stripes, s)
	}
}

// presence is a connection: a bar and, when it ended before the session did, why and when.
func (t timeline) presence(l *lane, p room.Participant, c room.Connection) {
	from, left := cameAt(p, c), room.At(c.LeftAt)
	if from == 0 {
		return
	}
	l.add(t.stripe("here", from, ending(c.LeftAt, c.Open)))
	if c.Open || left == 0 || !t.has(left) || t.ended != 0 && left >= t.ended {
		return
	}
	m := mark{sign: leaving(c, t.ended.Time()), x: pct(t.x(left))}
	m.label = label{before: shortWord(m.word) + " ", at: left, fine: t.fine()}
	m.fit = roomFor(m.length(), t.x(t.clear(p, left))-t.x(left))
	l.marks = append(l.marks, m)
}

// cameAt is when a connection began. When nobody said so, its first track shows the latest that it can be,
// and then its end.
func cameAt(p room.Participant, c room.Connection) room.Time {
	if !c.JoinedAt.IsZero() {
		return room.At(c.JoinedAt)
	}
	left, first := room.At(c.LeftAt), room.Time(0)
	for _, track := range p.Tracks {
		if at := room.At(track.PublishedAt); left == 0 || at <= left {
			first = earlier(first, at)
		}
	}
	if first == 0 {
		return left
	}
	return first
}

// ending is when something ended, 0 while it is open.
func ending(at time.Time, open bool) room.Time {
	if open {
		return 0
	}
	return room.At(at)
}

// clear is until when nothing else is drawn in a person's lane after a moment.
func (t timeline) clear(p room.Participant, after room.Time) room.Time {
	until := t.edge()
	for _, c := range p.Connections {
		switch from := room.At(c.JoinedAt); {
		case from > after:
			until = min(until, from)
		case c.Open || room.At(c.LeftAt) > after:
			return after
		}
	}
	return until
}

// trackLayers are the classes of tracks in the order in which they are drawn: a screen covers the others.
var trackLayers = []string{"cam", "video", "mic", "sound", "screen"}

var trackClasses = map[string]string{"camera": "cam", "microphone": "mic", "screen_share": "screen"}

// trackClass is how a track is drawn. Data is not, and neither is that somebody was muted: plugNmeet tells
// only how it was when the track was published.
func trackClass(t room.Track) string {
	switch class := trackClasses[t.Source]; {
	case class != "":
		return class
	case t.Media == "video":
		return "video"
	case t.Media == "audio":
		return "sound"
	}
	return ""
}

func (t timeline) published(l *lane, p room.Participant, track room.Track) {
	from := room.At(track.PublishedAt)
	if from == 0 && track.Open {
		from = room.At(since(p))
	}
	if from == 0 {
		return
	}
	s, ok := t.stripe(trackClass(track), from, ending(track.UnpublishedAt, track.Open))
	if s.class == "screen" {
		s.before = "screen"
		if track.Width > 0 && track.Height > 0 {
			s.before += " " + strconv.Itoa(track.Width) + "×" + strconv.Itoa(track.Height)
		}
		shown := t.edge()
		if !s.open {
			shown = min(shown, room.At(track.UnpublishedAt))
		}
		s.fit = roomFor(s.length()-2, t.x(shown)-t.x(from))
	}
	l.add(s, ok)
}
