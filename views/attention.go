package views

import (
	"cmp"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

const (
	alarmsShown = 8   // at once; small screens show alarmsSmall
	alarmsSmall = 3   // as attention.css has it
	alarmsMost  = 100 // on a page; who has more than these reads the API
	alarmText   = 160 // of what a recorder said, in characters
)

// concernSigns are what needs attention, in a word or two. Failed ones are bad, the others late.
var concernSigns = map[room.Concern]sign{
	room.ConcernStreamFailed:    {"crossed", "Stream failed", "bad"},
	room.ConcernRecordingBroken: {"crossed", "Recording failed", "bad"},
	room.ConcernFileOverdue:     {"triangle", "Recording overdue", "late"},
	room.ConcernRecordingNobody: {"triangle", "Recording, no people", "late"},
	room.ConcernStreamNobody:    {"triangle", "Streaming, no people", "late"},
	room.ConcernDisputed:        {"dashed", "Not confirmed by API", "late"},
	room.ConcernRoomEmpty:       {"triangle", "Empty for too long", "late"},
	room.ConcernRoomOverdue:     {"triangle", "Over its time", "late"},
	room.ConcernSourceSilent:    {"triangle", "Source is silent", "late"},
	room.ConcernAPIFailing:      {"triangle", "API does not answer", "late"},
	room.ConcernIntakeRefused:   {"triangle", "Deliveries refused", "late"},
}

func concernSign(c room.Concern) sign {
	if s, ok := concernSigns[c]; ok {
		return s
	}
	return sign{"triangle", string(c), "late"}
}

// phrase is a stretch of a sentence: our words, what somebody else called something, or a moment.
type phrase struct {
	text   string
	quoted string
	at     time.Time
}

// because is why something needs attention, with the figures, the threshold and the next step.
type because []phrase

func (r because) say(text string) because { return append(r, phrase{text: text}) }

func (r because) moment(t time.Time) because { return append(r, phrase{at: t}) }

func (r because) called(text string) because { return append(r, phrase{quoted: cut(text, alarmText)}) }

// failure begins with what the recorder said, and where.
func failure(a room.Alarm, what string) (r because) {
	if a.Message != "" {
		r = r.say("“").called(a.Message).say("”")
	} else {
		r = r.say(what + " with an error")
	}
	if a.Recorder != "" {
		r = r.say(" on ").called(a.Recorder)
	}
	return r
}

// recorderOf is the recorder by its name, if that is known.
func (r because) recorderOf(a room.Alarm) because {
	if a.Recorder == "" {
		return r.say("the recorder")
	}
	return r.called(a.Recorder)
}

// reasonOf is the one place where it is said what is wrong; TestEveryConcernHasWords goes over all of them.
func reasonOf(a room.Alarm) (r because) {
	switch a.Concern {
	case room.ConcernStreamFailed:
		return failure(a, "ended").say("; no new stream was started")
	case room.ConcernRecordingBroken:
		return failure(a, "ended").say("; there is no file: see the recorder’s log")
	case room.ConcernFileOverdue:
		return r.say("ended ").moment(a.Since).say(", still no file (expected within " + spanWords(a.Limit) + "); see whether ").recorderOf(a).say(" is at work")
	case room.ConcernRecordingNobody:
		return r.say("nobody has been there since ").moment(a.Since).say(", and it is still recorded (limit " + spanWords(a.Limit) + ")")
	case room.ConcernStreamNobody:
		return r.say("nobody has been there since ").moment(a.Since).say(", and it is still streamed (limit " + spanWords(a.Limit) + ")")
	case room.ConcernDisputed:
		return r.say("last heard of ").moment(a.Since).say(", but plugNmeet’s API does not say the same; it stays until more polls agree")
	case room.ConcernRoomEmpty:
		return r.say("nobody has been there since ").moment(a.Since).say("; plugNmeet should have ended it within " + spanWords(a.Limit) + ", end it there")
	case room.ConcernRoomOverdue:
		return r.say("planned to end ").moment(a.Since).say(", and plugNmeet has not ended it within " + spanWords(a.Limit))
	case room.ConcernSourceSilent:
		return r.say("nothing came since ").moment(a.Since).say(" (expected within " + spanWords(a.Limit) + ") while " +
			plural(a.Count, "room is", "rooms are") + " live; see whether plugNmeet still reaches this address")
	case room.ConcernAPIFailing:
		r = r.say("no room was confirmed since ").moment(a.Since).say(" (expected within " + spanWords(a.Limit) + ")")
		if a.Message != "" {
			r = r.say(": ").called(a.Message)
		}
		return r.say("; rooms are shown as deliveries tell")
	case room.ConcernIntakeRefused:
		r = r.say(comma(a.Count) + " in " + spanWords(a.Limit))
		if a.Message != "" {
			r = r.say(", most of them: ").called(a.Message)
		}
		return r
	}
	r = r.say("since ").moment(a.Since)
	if a.Message != "" {
		r = r.say(": ").called(a.Message)
	}
	return r
}

// Why says in plain text why something needs attention.
func Why(a room.Alarm) string {
	var out strings.Builder
	for _, p := range reasonOf(a) {
		out.WriteString(p.text + p.quoted)
		if !p.at.IsZero() {
			out.WriteString(p.at.UTC().Format("2006-01-02 15:04:05 UTC"))
		}
	}
	return out.String()
}

// spanWords is a threshold in prose: 90 s, 15 min, 2 h 30 min.
func spanWords(d time.Duration) string {
	if d < 2*time.Minute && d%time.Minute != 0 {
		return strconv.Itoa(int(d/time.Second)) + " s"
	}
	minutes := int(d / time.Minute)
	switch hours, minutes := minutes/60, minutes%60; {
	case hours == 0:
		return strconv.Itoa(minutes) + " min"
	case minutes == 0:
		return comma(hours) + " h"
	default:
		return comma(hours) + " h " + strconv.Itoa(minutes) + " min"
	}
}

// alarmName is what an alarm is about.
func alarmName(a room.Alarm) string {
	switch {
	case a.SID != "":
		return name(room.Head{SID: a.SID, RoomID: a.RoomID, Title: a.Title})
	case a.Source != "":
		return "source " + cut(a.Source, nameLength)
	}
	return "unknown sender"
}

// alarmURL is where one can see more of it, and do something about it.
func alarmURL(a room.Alarm) templ.SafeURL {
	switch {
	case a.SID != "":
		return roomURL(room.Head{Source: a.Source, SID: a.SID})
	case a.Concern == room.ConcernSourceSilent, a.Concern == room.ConcernAPIFailing:
		return templ.URL(intakePath + "?source=" + url.QueryEscape(a.Source))
	}
	return templ.URL(intakePath)
}

// alarmsTold is how many alarms there are, and since when the oldest of them.
type alarmsTold struct {
	n      int
	oldest time.Time
}

// alarmsRest is how many are not shown at first.
type alarmsRest struct{ large, small int }

func alarmElements(alarms []room.Alarm) (out []live.Element) {
	if len(alarms) == 0 {
		return nil
	}
	told := alarmsTold{n: len(alarms), oldest: alarms[0].Since}
	for _, a := range alarms {
		if a.Since.Before(told.oldest) {
			told.oldest = a.Since
		}
	}
	out = append(out, element("alarms-sum", "alarms-told", told, alarmsSum))
	for i, a := range alarms[:min(len(alarms), alarmsMost)] {
		parent := "alarms"
		if i >= alarmsShown {
			parent = "alarms-beyond"
		}
		out = append(out, element("alarm-"+a.ID(), parent, a, alarmItem))
	}
	if over := len(alarms) - alarmsMost; over > 0 {
		out = append(out, element("alarms-over", "alarms-beyond", over, alarmsOver))
	}
	if rest := (alarmsRest{max(0, len(alarms)-alarmsShown), max(0, len(alarms)-alarmsSmall)}); rest.small > 0 {
		out = append(out, element("alarms-unseen", "alarms-rest", rest, alarmsUnseen))
	}
	return out
}

// footElements are what every page tells at its foot: what needs attention, and how the sources are heard.
func footElements(sources []live.SourceState, alarms int, asOf time.Time) []live.Element {
	out := make([]live.Element, 0, 2+len(sources))
	if !asOf.IsZero() {
		out = append(out, element("behind-since", "behind", asOf, behindSince))
	}
	if alarms > 0 {
		out = append(out, element("alarms-count", "sources", alarms, alarmsCount))
	}
	for _, s := range sources {
		out = append(out, element("source-"+s.Name, "sources", s, sourceState))
	}
	return out
}

// levelOf is how bad it is: bad has failed, late may yet come right.
func levelOf(a room.Alarm) string { return cmp.Or(concernSign(a.Concern).class, "late") }
