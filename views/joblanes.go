package views

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// maxJobLanes bounds the lanes of recordings, and those of streams. All of them are listed beside the roster.
const maxJobLanes = 6

// wordRoom is what is kept free, in percent, after a job for the words that follow it.
const wordRoom = 14

// drawnJob is a recording or a stream as it is drawn, before it has a lane.
type drawnJob struct {
	recorder string
	stripes  []stripe
	marks    []mark
	from, to float64 // what it takes of the lane, in percent
}

// jobLanes puts jobs into as few lanes as they fit in without touching.
func jobLanes(kind, title string, jobs []drawnJob) []live.Element {
	var lanes []lane
	var taken []float64
	for _, j := range jobs {
		i := slices.IndexFunc(taken, func(to float64) bool { return to <= j.from })
		if i < 0 {
			if len(lanes) == maxJobLanes {
				continue
			}
			i = len(lanes)
			lanes = append(lanes, lane{id: fmt.Sprint("bars-", kind, "-", i), class: "work", title: title, note: j.recorder})
			taken = append(taken, 0)
		}
		if lanes[i].note != j.recorder {
			lanes[i].note = ""
		}
		lanes[i].stripes = append(lanes[i].stripes, j.stripes...)
		lanes[i].marks = append(lanes[i].marks, j.marks...)
		taken[i] = j.to
	}
	out := make([]live.Element, len(lanes))
	for i, l := range lanes {
		out[i] = laneElement(l, "bars")
	}
	return out
}

func (t timeline) recordingLanes(list []room.Recording) []live.Element {
	var jobs []drawnJob
	for _, r := range list {
		if j := t.recording(r); len(j.stripes)+len(j.marks) > 0 {
			jobs = append(jobs, j)
		}
	}
	return jobLanes("recording", "Recording", jobs)
}

// recording is a bar while it was recorded, an outline while its file was made, and a mark for what came of it.
func (t timeline) recording(r room.Recording) drawnJob {
	started, ended, ready := room.At(r.StartedAt), room.At(r.EndedAt), room.At(r.ReadyAt)
	if ended == 0 && r.State != room.RecordingActive {
		ended = cmp.Or(earlier(t.ended, ready), started)
	}
	j := drawnJob{recorder: cut(r.RecorderID, 60)}
	if started != 0 {
		s, ok := t.stripe("rec", started, ended)
		s.label = t.within(recordedWords(r, ended), started, ended)
		j.add(s, ok)
	}
	if ended != 0 && (r.State == room.RecordingProcessing || ready > ended) {
		s, ok := t.stripe("processing", ended, ready)
		s.label = t.within(label{before: processingWords(ended, ready)}, ended, ready)
		j.add(s, ok)
	}
	t.outcome(&j, r, cmp.Or(ready, ended))
	return j.measured()
}

func recordedWords(r room.Recording, ended room.Time) label {
	if r.State == room.RecordingActive {
		return label{before: "REC since ", at: room.At(r.StartedAt)}
	}
	l := label{before: between(r.StartedAt, ended.Time())}
	if r.Superseded {
		l.after = ", until the next began"
	}
	return l
}

func processingWords(ended, ready room.Time) string {
	if ready == 0 {
		return "processing"
	}
	return "processing " + length(ready.Time().Sub(ended.Time()))
}

// outcome marks a file or a failure where it came. One that came beyond the window is told at its edge.
func (t timeline) outcome(j *drawnJob, r room.Recording, at room.Time) {
	s := signOf(recordingSigns, r.State)
	if r.State != room.RecordingReady && r.State != room.RecordingFailed || at < t.from || at > t.to && t.span != "" {
		return
	}
	m := mark{sign: sign{s.glyph, s.word, s.class}, x: pct(t.x(at)), label: label{before: inSentence(s.word) + " ", at: at, fine: t.fine()}}
	switch {
	case r.State == room.RecordingFailed && r.Message != "":
		m.after = ": " + cut(r.Message, 60)
	case r.SizeBytes > 0:
		m.after = ", " + bytesOf(r.SizeBytes)
	}
	share := 100 - t.x(at)
	if at > t.to {
		m.left, m.after, share = true, ", "+t.later(at), t.x(t.to)-t.x(t.edge())
	}
	m.fit = roomFor(m.length(), share+2) // the margin of the page is free
	j.marks = append(j.marks, m)
}

// later is how long after the end of the session something came.
func (t timeline) later(at room.Time) string {
	return length(time.Duration(at-t.ended)*time.Millisecond) + " later"
}

// within is a label with what it needs to stand in its stripe.
func (t timeline) within(l label, from, to room.Time) label {
	if to == 0 {
		to = cmp.Or(t.now, t.to)
	}
	l.fine = t.fine()
	l.fit = roomFor(l.length(), t.x(to)-t.x(from))
	if l.fit == "" && l.after != "" { // too long for any width: why it failed is told beside the drawing
		l.after = ""
		l.fit = roomFor(l.length(), t.x(to)-t.x(from))
	}
	return l
}

func (j *drawnJob) add(s stripe, ok bool) {
	if ok {
		j.stripes = append(j.stripes, s)
	}
}

// measured finds out what the job takes of its lane.
func (j drawnJob) measured() drawnJob {
	j.from = 100
	for _, s := range j.stripes {
		x := position(s.x)
		j.from, j.to = min(j.from, x), max(j.to, x+position(s.w)+0.5)
	}
	for _, m := range j.marks {
		x := position(m.x)
		j.from, j.to = min(j.from, x), max(j.to, x+wordRoom)
	}
	return j
}

func (t timeline) streamLanes(list []room.Stream) []live.Element {
	var jobs []drawnJob
	for _, s := range list {
		if j := t.stream(s); len(j.stripes) > 0 {
			jobs = append(jobs, j)
		}
	}
	return jobLanes("stream", "Stream", jobs)
}

// stream is an outlined bar that says what became of it.
func (t timeline) stream(r room.Stream) (j drawnJob) {
	started, ended := room.At(r.StartedAt), room.At(r.EndedAt)
	if ended == 0 && r.State != room.StreamLive {
		ended = max(t.edge(), started)
	}
	started = cmp.Or(started, ended)
	if started == 0 {
		return j
	}
	j.recorder = cut(r.RecorderID, 60)
	s, ok := t.stripe("stream "+r.State, started, ended)
	s.label = t.within(streamWords(r, ended), started, ended)
	j.add(s, ok)
	return j.measured()
}

func streamWords(r room.Stream, ended room.Time) label {
	switch r.State {
	case room.StreamLive:
		return label{before: "LIVE since ", at: room.At(r.StartedAt)}
	case room.StreamFailed:
		return label{before: "failed ", at: ended, after: ": " + cut(r.Message, 60)}
	}
	if r.Superseded {
		return label{before: "until the next began ", at: ended}
	}
	return label{before: "ended ", at: ended}
}

// madeThing is an artifact as it is drawn: a moment and a word.
type madeThing struct {
	at   room.Time
	word string
	file bool // rather than a figure of usage
}

// made is what came of a session, in the order of time.
func made(d *room.Detail) (out []madeThing) {
	for _, a := range d.Artifacts {
		if at := room.At(a.CreatedAt); at != 0 {
			out = append(out, madeThing{at, inSentence(cut(artifactSign(a.Type).word, 40)), a.Usage == nil})
		}
	}
	for _, a := range d.Analytics {
		if at := room.At(a.CreatedAt); at != 0 {
			out = append(out, madeThing{at, "analytics file", true})
		}
	}
	slices.SortStableFunc(out, func(a, b madeThing) int { return cmp.Compare(a.at, b.at) })
	return out
}

const (
	sameSpot = 0.9 // percent: diamonds nearer than this lie on one another
	sameWord = 4   // percent: diamonds nearer than this share their words
)

// artifactLane is a diamond for each artifact. Those that are near one another share their words.
func (t timeline) artifactLane(things []madeThing) []live.Element {
	l := lane{id: "bars-artifacts", class: "work", title: "Artifacts"}
	var inside, beyond []madeThing
	for _, a := range things {
		switch {
		case t.has(a.at):
			inside = append(inside, a)
		case a.at > t.to && t.span == "":
			beyond = append(beyond, a)
		}
	}
	for len(inside) > 0 {
		n := t.group(inside)
		t.diamonds(&l, inside[:n])
		until := 102.0
		if len(beyond) > 0 {
			until = 75
		}
		if n < len(inside) {
			until = t.x(inside[n].at) - 0.5
		}
		l.marks[len(l.marks)-1].label = groupLabel(inside[:n], until-t.x(inside[n-1].at))
		inside = inside[n:]
	}
	if len(beyond) > 0 {
		l.marks = append(l.marks, t.atEdge(beyond))
	}
	if len(l.marks) == 0 {
		return nil
	}
	return []live.Element{laneElement(l, "bars")}
}

// group is how many of the first things are near one another.
func (t timeline) group(things []madeThing) int {
	n := 1
	for n < len(things) && t.x(things[n].at)-t.x(things[n-1].at) < sameWord {
		n++
	}
	return n
}

func (t timeline) diamonds(l *lane, things []madeThing) {
	last := -100.0
	for _, a := range things {
		x := t.x(a.at)
		if x-last < sameSpot {
			continue
		}
		class := "usage"
		if a.file {
			class = "file"
		}
		l.marks = append(l.marks, mark{sign: sign{"diamond", "", class}, x: pct(x)})
		last = x
	}
}

// groupLabel names things, or the first of them and how many more there are.
func groupLabel(things []madeThing, share float64) label {
	l := label{before: things[0].word}
	if n := len(things); n > 1 {
		l.before, l.count = fmt.Sprintf("%s and %d more", l.before, n-1), comma(n)
	}
	l.fit = roomFor(l.length(), share)
	return l
}

// atEdge tells of what came after the window.
func (t timeline) atEdge(things []madeThing) mark {
	newest := things[len(things)-1]
	l := label{before: newest.word + " " + t.later(newest.at)}
	if n := len(things); n > 1 {
		l = label{before: fmt.Sprintf("%d more, up to %s", n, t.later(newest.at))}
	}
	l.fit = roomFor(l.length(), t.x(t.to)-t.x(t.edge()))
	return mark{sign: sign{"", "", "beyond"}, x: pct(100), left: true, label: l}
}
