package views

import (
	"time"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// trend is a total with its last hour.
type trend struct {
	label  string
	short  string // for small screens, "" when the label is short
	tone   string // of the drawing
	n      int
	note   string
	hour   spark
	peak   int
	peakAt time.Time // zero when the hour has no figures
}

// told says whether the peak is worth a word: it is known and above what is now.
func (t trend) told() bool { return !t.peakAt.IsZero() && t.peak > t.n }

// words are the line below the figure; the time of the peak follows it where there is room for one.
func (t trend) words() string {
	var peak string
	switch {
	case t.told() && t.note != "":
		return t.note + " · peak " + comma(t.peak)
	case t.told():
		return "peak " + comma(t.peak) + " at "
	case t.n > 0 && t.note == "" && !t.peakAt.IsZero():
		peak = "peak now"
	}
	return t.note + peak
}

func trends(now room.Totals, hour []room.Sample) []live.Element {
	of := func(id, label, short, tone, note string, count func(room.Totals) int) live.Element {
		t := trend{label: label, short: short, tone: tone, n: count(now), note: note}
		t.hour, t.peak, t.peakAt = lastHour(hour, count)
		return element("stat-"+id, "totals", t, trendBlock)
	}
	return []live.Element{
		of("rooms", "Rooms", "", "", "", func(t room.Totals) int { return t.Rooms }),
		of("people", "People", "", "", botsApart(now.Bots), func(t room.Totals) int { return t.People }),
		of("mics", "Microphones", "Mics", "", perPeople(now.Microphones, now.People), func(t room.Totals) int { return t.Microphones }),
		of("cams", "Cameras", "Cams", "", perPeople(now.Cameras, now.People), func(t room.Totals) int { return t.Cameras }),
		of("screens", "Screens", "", "", "", func(t room.Totals) int { return t.Screens }),
		of("recordings", "Recordings", "Rec", "plum", "", func(t room.Totals) int { return t.RecordingsActive }),
		of("streams", "Streams", "", "", "", func(t room.Totals) int { return t.StreamsActive }),
	}
}

// lastHour draws the hour that ends with the newest sample, and finds its peak.
func lastHour(samples []room.Sample, count func(room.Totals) int) (s spark, most int, at time.Time) {
	if len(samples) == 0 {
		return s, 0, at
	}
	from := samples[len(samples)-1].At.Add(-time.Duration(lately.slots-1) * time.Minute)
	points := pointsOf(samples, from, time.Minute, lately.slots, count)
	top := peak(points)
	return sparkOf(points), top.n, from.Add(time.Duration(top.slot) * time.Minute)
}

// unread is what the rail says until it was read once: that there is nothing would not be known.
const unread = "Being read."

func newArtifacts(ids distinctIDs, m live.Overview) (out []live.Element) {
	for _, a := range m.Artifacts {
		out = append(out, element(ids.of("artifact-"+a.ArtifactID, a.Source), "new-artifacts", artifactLineOf(a, nil), newArtifact))
	}
	said := "None so far. plugNmeet makes them after a room has ended."
	if m.Unread {
		said = unread
	}
	if len(out) == 0 {
		return []live.Element{element("empty-artifacts", "new-artifacts", said, sayItem)}
	}
	return out
}

func newRecordings(ids distinctIDs, m live.Overview) (out []live.Element) {
	for _, r := range m.Recordings {
		line := recordingLine{FiledRecording: r.FiledRecording, due: r.Due, overdue: r.Overdue}
		out = append(out, element(ids.of(recordingRowID(r.FiledRecording), r.Source), "new-recordings", line, newRecording))
	}
	said := "Nothing has been recorded lately."
	if m.Unread {
		said = unread
	}
	if len(out) == 0 {
		return []live.Element{element("empty-recordings", "new-recordings", said, sayItem)}
	}
	return out
}

// railSign is a recording's state, with how long it is when that is known.
func railSign(l recordingLine) sign {
	lasted := between(l.StartedAt, l.ended())
	if lasted != "" {
		lasted = ", " + lasted + " long"
	}
	switch {
	case l.overdue:
		return sign{"triangle", "overdue", "late"}
	case l.State == room.RecordingActive:
		return sign{"rec", "recording", "rec"}
	case l.State == room.RecordingProcessing:
		return sign{"half", "processing", ""}
	case l.State == room.RecordingReady:
		return sign{"ticked", "ready" + lasted, "good"}
	case l.State == room.RecordingFailed && l.Message != "":
		return sign{"crossed", "failed: " + cut(l.Message, 80), "failed"}
	}
	return signOf(recordedSigns, l.State)
}

// railWords are followed by when recording ended, of one that is being processed.
func railWords(l recordingLine) string {
	word := railSign(l).word
	switch {
	case l.State != room.RecordingProcessing || l.ended().IsZero():
		return word
	case l.overdue:
		return word + ", ended "
	}
	return word + " since "
}

// lastOf is when a recording came into the state that it is in, as far as is known.
func lastOf(l recordingLine) time.Time {
	switch {
	case l.State == room.RecordingActive:
		return l.StartedAt
	case !l.ReadyAt.IsZero():
		return l.ReadyAt
	case !l.ended().IsZero():
		return l.ended()
	}
	return l.StartedAt
}
