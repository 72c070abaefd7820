package views

import (
	"time"

	"github.com/a-h/templ"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

const (
	recordingsPath = "/recordings"
	recordingCells = 9
	trackStep      = 5 * time.Minute // in which the tracks of recordings that go on grow
)

func recordingsElements(m live.Recordings) []live.Element {
	out := listElements(listState{
		shown: len(m.Rows), n: m.Matches, what: recordingNoun, path: recordingsPath, q: m.Query, text: m.Query.Text,
		next: olderPage(m.Query, m.Next), newest: newestPage(m.Query), received: received(m.Sources),
		when: "A recording appears here as soon as a recorder begins with it.",
	})
	for _, b := range boxes(m) {
		out = append(out, element("state-"+b.state, "states", b, stateBox))
	}
	ids := distinctIDs{}
	longest := scaleOf(m.Rows, m.Minute)
	row := func(r live.RecordingRow) live.Element {
		line := recordingLine{FiledRecording: r.FiledRecording, due: r.Due, overdue: r.Overdue, scale: longest,
			fetch: recordingFileURL(filesOf(m.Sources, m.NoFiles), room.Key{Source: r.Source, SID: r.SID}, r.Recording)}
		if goingOn(r) {
			line.until = m.Minute.Truncate(trackStep)
		}
		return element(ids.of(recordingRowID(r.FiledRecording), r.Source), "recordings", line, recordingRow)
	}
	going, done := apart(m.Rows)
	if m.Query.Cursor != "" {
		going, done = nil, m.Rows
	}
	if len(going) > 0 {
		head := dayHead{"Going on · " + comma(len(going)), recordingCells}
		out = append(out, element("going-on", "recordings", head, dayRow))
	}
	for _, r := range going {
		out = append(out, row(r))
	}
	first, last := span(done, begun)
	head := heads("recordings", recordingCells, m.Minute, recordingNoun, first, last, m.Query.Cursor != "", m.Next != "")
	out = append(out, byDay(ids, done, begun, head, row)...)
	return append(out, footElements(m.Sources, m.AlarmCount, m.AsOf)...)
}

// recordingRowID names a recording in a list of many sessions': of those without a record_id each has one at most.
func recordingRowID(r room.FiledRecording) string {
	if r.RecordID == "" {
		return "recording-of-" + r.SID
	}
	return "recording-" + r.RecordID
}

func begun(r live.RecordingRow) time.Time { return r.Begin() }

func goingOn(r live.RecordingRow) bool {
	return r.State == room.RecordingActive || r.State == room.RecordingProcessing
}

// apart takes what goes on out of a page, each part in the order of the page.
func apart(rows []live.RecordingRow) (going, done []live.RecordingRow) {
	for _, r := range rows {
		if goingOn(r) {
			going = append(going, r)
		} else {
			done = append(done, r)
		}
	}
	return going, done
}

// box is a state with its figure. Following it lists the recordings in that state.
type box struct {
	state string
	sign
	n       int
	note    string
	bytes   int64
	since   time.Time // of the oldest
	overdue string
	href    templ.SafeURL
	on      bool
}

func boxes(m live.Recordings) (out []box) {
	for _, s := range stateBoxes {
		b := box{state: s.state, sign: s.sign, note: s.note, on: m.Query.State == s.state}
		q := m.Query
		if q.State, q.Cursor = s.state, ""; b.on {
			q.State = ""
		}
		b.href = listURL(recordingsPath, q)
		for _, c := range m.Counts {
			if c.State == s.state {
				b.n, b.bytes, b.since = c.N, c.Bytes, c.Since
			}
		}
		if s.state == room.RecordingProcessing && b.n > 0 {
			b.overdue = overdueText(m, b)
		}
		out = append(out, b)
	}
	return out
}

// overdueText is how many files are overdue, as far as the page tells: that the oldest is, it always does.
func overdueText(m live.Recordings, b box) string {
	seen, overdue := 0, 0
	for _, r := range m.Rows {
		if r.State == room.RecordingProcessing {
			seen++
		}
		if r.Overdue {
			overdue++
		}
	}
	late := !b.since.IsZero() && m.Minute.After(b.since.Add(m.FileDue))
	switch {
	case overdue > 0 && seen >= b.n:
		return comma(overdue) + " overdue"
	case overdue > 1:
		return "at least " + comma(overdue) + " overdue"
	case overdue > 0, late && seen < b.n:
		return "overdue"
	}
	return ""
}

// recordingLine is a recording in the list.
type recordingLine struct {
	room.FiledRecording
	due     time.Time
	overdue bool
	fetch   string        // the address of its file
	until   time.Time     // to where one that goes on is drawn
	scale   time.Duration // of the page's tracks
}

// ended is when recording ended, as far as is known.
func (l recordingLine) ended() time.Time {
	if !l.EndedAt.IsZero() || l.State == room.RecordingActive {
		return l.EndedAt
	}
	if !l.SessionEndedAt.IsZero() {
		return l.SessionEndedAt
	}
	return l.ReadyAt
}

// spans are how long was recorded and then processed. What goes on lasts until the clock of the page.
func (l recordingLine) spans() (recorded, processed time.Duration) {
	end, ready := l.ended(), l.ReadyAt
	switch l.State {
	case room.RecordingActive:
		end = l.until
	case room.RecordingProcessing:
		ready = l.until
	}
	if !l.StartedAt.IsZero() && end.After(l.StartedAt) {
		recorded = end.Sub(l.StartedAt)
	}
	if !end.IsZero() && ready.After(end) && l.State != room.RecordingActive {
		processed = ready.Sub(end)
	}
	return recorded, processed
}

// track is a recording as it is drawn, in percent of the column's width.
type track struct {
	recorded, from, processed, due, end, on string
}

// trackWide is how much of the column the scale takes; the rest is for the sign at the end.
const trackWide = 0.88

func (l recordingLine) track() (t track) {
	recorded, processed := l.spans()
	whole := float64(l.scale) / trackWide
	at := func(d time.Duration) string { return percent(float64(min(d, l.scale)), whole) }
	const gap = 0.006
	t.recorded = at(recorded)
	t.from = percent(float64(recorded)+gap*whole, whole)
	if processed > 0 || l.State == room.RecordingProcessing {
		t.processed = percent(max(float64(processed), 0.02*whole), whole)
	}
	if !l.due.IsZero() && !l.StartedAt.IsZero() {
		t.due = at(l.due.Sub(l.StartedAt))
	}
	after := float64(min(recorded+max(processed, l.scale/50), l.scale)) + 3*gap*whole
	t.end = percent(after, whole)
	t.on = percent(min(float64(recorded)+0.06*whole, whole), whole)
	return t
}

// scaleOf is how long the longest track of the page is, in round figures so that it stays.
func scaleOf(rows []live.RecordingRow, now time.Time) time.Duration {
	longest := time.Hour
	for _, r := range rows {
		l := recordingLine{FiledRecording: r.FiledRecording, until: now}
		recorded, processed := l.spans()
		longest = max(longest, recorded+processed)
	}
	for _, hours := range []time.Duration{1, 2, 3, 4, 6, 8, 12, 24, 48, 96} {
		if longest <= hours*time.Hour {
			return hours * time.Hour
		}
	}
	return longest.Truncate(24*time.Hour) + 24*time.Hour
}

// trackWords tell what the track draws.
func (l recordingLine) trackWords() string {
	words := "recorded"
	if lasted := between(l.StartedAt, l.ended()); lasted != "" {
		words += " " + lasted
	}
	switch l.State {
	case room.RecordingActive:
		return "being recorded"
	case room.RecordingProcessing:
		return words + ", being processed"
	case room.RecordingFailed:
		return words + ", then failed"
	}
	if lasted := between(l.ended(), l.ReadyAt); lasted != "" {
		words += ", processed " + lasted
	}
	return words
}
