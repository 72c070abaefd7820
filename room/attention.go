package room

import (
	"slices"
	"time"
)

// Concern is what is wrong, in one word.
type Concern string

// What needs attention, in the order in which it is listed.
const (
	ConcernStreamFailed    Concern = "stream_failed"    // and no other was started since
	ConcernRecordingBroken Concern = "recording_failed" // the recorder or the transcoding failed, there is no file
	ConcernFileOverdue     Concern = "file_overdue"     // a recording ended, and its file has not come
	ConcernRecordingNobody Concern = "recording_nobody" // a recording goes on in a room without people
	ConcernStreamNobody    Concern = "stream_nobody"    // a stream goes on in a room without people
	ConcernDisputed        Concern = "disputed"         // deliveries and plugNmeet's API do not agree
	ConcernRoomEmpty       Concern = "room_empty"       // open without people for longer than plugNmeet allows
	ConcernRoomOverdue     Concern = "room_overdue"     // open beyond its planned duration
	ConcernSourceSilent    Concern = "source_silent"    // rooms are live, and nothing comes
	ConcernAPIFailing      Concern = "api_failing"      // plugNmeet's API has confirmed no room for long
	ConcernIntakeRefused   Concern = "intake_refused"   // a burst of refused deliveries
)

var concerns = []Concern{ConcernStreamFailed, ConcernRecordingBroken, ConcernFileOverdue, ConcernRecordingNobody, ConcernStreamNobody,
	ConcernDisputed, ConcernRoomEmpty, ConcernRoomOverdue, ConcernSourceSilent, ConcernAPIFailing, ConcernIntakeRefused}

// Compare orders concerns as they are listed.
func (c Concern) Compare(o Concern) int { return slices.Index(concerns, c) - slices.Index(concerns, o) }

// Limits are from when on something needs attention.
type Limits struct {
	FileDue  time.Duration // after the end of a recording
	Nobody   time.Duration // a recording or stream in a room without people
	Empty    time.Duration // a room without people, beyond its empty_timeout: plugNmeet's own janitor is slow
	Overtime time.Duration // beyond the planned duration
	Silent   time.Duration // a source, while rooms are live
	Refused  int           // deliveries refused within RefusedIn
	FailedIn time.Duration // for how long a failure is listed
}

// RefusedIn is the time in which refused deliveries are counted.
const RefusedIn = 5 * time.Minute

// DefaultLimits are calm: what they name is wrong, not merely unusual.
var DefaultLimits = Limits{FileDue: 15 * time.Minute, Nobody: 2 * time.Minute, Empty: 5 * time.Minute, Overtime: time.Minute,
	Silent: 10 * time.Minute, Refused: 5, FailedIn: 24 * time.Hour}

// Alarm is one thing that needs attention. It has no end: it is gone when what it tells is.
type Alarm struct {
	Concern  Concern
	Source   string
	SID      string // of the session, "" when it is about the source
	RoomID   string
	Title    string
	RecordID string // of a recording or stream
	Since    time.Time
	Limit    time.Duration // the threshold that was passed
	Recorder string
	Message  string // what a recorder said, or why deliveries were refused
	Count    int    // of deliveries refused, or of rooms that are live
}

// ID names the alarm as long as it lasts.
func (a Alarm) ID() string {
	return string(a.Concern) + "/" + a.Source + "/" + a.SID + "/" + a.RecordID
}

// Alarms is what is wrong with an open session now, by our clock. Its own times are by plugNmeet's clock and by LiveKit's,
// which are so far ahead of ours.
func (s *Summary) Alarms(now time.Time, clocks Clocks, l Limits) (out []Alarm) {
	if s.State == StateEnded {
		return nil
	}
	emptySince := clocks.livekit(s.EmptySince)
	if s.EmptySince.Equal(s.CreatedAt) {
		emptySince = clocks.plugnmeet(s.EmptySince)
	}
	add := func(concern Concern, since time.Time, limit time.Duration) {
		if !since.IsZero() && now.Sub(since) > limit {
			out = append(out, Alarm{Concern: concern, Source: s.Source, SID: s.SID, RoomID: s.RoomID, Title: s.Title, Since: since, Limit: limit})
		}
	}
	if !s.StreamFailedAt.IsZero() && s.StreamsActive == 0 {
		add(ConcernStreamFailed, clocks.plugnmeet(s.StreamFailedAt), 0)
		for i := range out { // it is the only one yet
			out[i].RecordID, out[i].Recorder, out[i].Message = s.failedStream.RecordID, s.failedStream.RecorderID, s.failedStream.Message
		}
	}
	if s.Trust == TrustDisputed {
		add(ConcernDisputed, s.LastEventAt, 0)
	}
	switch {
	case s.People > 0:
	case s.RecordingsActive > 0:
		add(ConcernRecordingNobody, later(emptySince, clocks.plugnmeet(s.RecordingSince)), l.Nobody)
	case s.StreamsActive > 0:
		add(ConcernStreamNobody, later(emptySince, clocks.plugnmeet(s.StreamingSince)), l.Nobody)
	case s.EmptyTimeout > 0:
		add(ConcernRoomEmpty, emptySince, time.Duration(s.EmptyTimeout)*time.Second+l.Empty)
	}
	if s.PlannedMinutes > 0 {
		add(ConcernRoomOverdue, clocks.livekit(s.plannedEnd()), l.Overtime)
	}
	return out
}

// livekit is a time of LiveKit's clock by ours.
func (c Clocks) livekit(at time.Time) time.Time { return back(at, c.LiveKit()) }

// plugnmeet is a time of plugNmeet's clock by ours.
func (c Clocks) plugnmeet(at time.Time) time.Time { return back(at, c.PlugNmeet) }

func back(at time.Time, ahead Time) time.Time {
	if at.IsZero() {
		return at
	}
	return at.Add(-time.Duration(ahead) * time.Millisecond)
}

// plannedEnd is when the session should have ended, the zero time when that is not known. plugNmeet counts from when
// the first person came (room_started), however long before that the room was made.
func (s *Summary) plannedEnd() time.Time {
	if s.StartedAt.IsZero() {
		return s.StartedAt
	}
	return s.StartedAt.Add(time.Duration(s.PlannedMinutes) * time.Minute)
}

func later(a, b time.Time) time.Time {
	if a.IsZero() || b.IsZero() || b.After(a) {
		return b
	}
	return a
}

// Due is when the file of a recording that is being processed is expected, by the clock of its own times, the zero time
// when that is not known.
func (r FiledRecording) Due(after time.Duration) time.Time {
	if r.State != RecordingProcessing {
		return time.Time{}
	}
	ended := r.EndedAt
	if ended.IsZero() {
		ended = r.SessionEndedAt
	}
	if ended.IsZero() {
		return ended
	}
	return ended.Add(after)
}

// Alarms is what is wrong with a recording now.
func (r FiledRecording) Alarms(now time.Time, l Limits) []Alarm {
	a := Alarm{Source: r.Source, SID: r.SID, RoomID: r.RoomID, Title: r.Title, RecordID: r.RecordID, Recorder: r.RecorderID, Message: r.Message}
	switch due := r.Due(l.FileDue); {
	case r.State == RecordingFailed:
		a.Concern, a.Since = ConcernRecordingBroken, r.EndedAt
		if a.Since.IsZero() {
			a.Since = r.Begin()
		}
	case !due.IsZero() && now.After(due):
		a.Concern, a.Since, a.Limit = ConcernFileOverdue, due.Add(-l.FileDue), l.FileDue
	default:
		return nil
	}
	if now.Sub(a.Since) > l.FailedIn {
		return nil
	}
	return []Alarm{a}
}
