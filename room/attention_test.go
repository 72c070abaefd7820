package room

import (
	"slices"
	"testing"
	"time"
)

// Each line is a room as an operator would describe it, and what is wrong with it at noon.
func TestARoomNeedsAttentionFromItsLimitOn(t *testing.T) {
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }
	const minute = time.Minute
	running := func(change func(*Summary)) Summary {
		s := Summary{Head: Head{Source: "default", SID: "s1", State: StateLive, CreatedAt: ago(4 * time.Hour), StartedAt: ago(3 * time.Hour), EmptyTimeout: 1800, People: 2}}
		change(&s)
		return s
	}
	for what, c := range map[string]struct {
		room Summary
		want []Concern
	}{
		"people talk": {running(func(s *Summary) {}), nil},
		"recorded, the last person left just now": {running(func(s *Summary) {
			s.People, s.RecordingsActive, s.RecordingSince, s.EmptySince = 0, 1, ago(time.Hour), ago(2*minute)
		}), nil},
		"recorded, the last person left long ago": {running(func(s *Summary) {
			s.People, s.RecordingsActive, s.RecordingSince, s.EmptySince = 0, 1, ago(time.Hour), ago(2*minute+1)
		}), []Concern{ConcernRecordingNobody}},
		"empty for long, a recording has just begun": {running(func(s *Summary) {
			s.People, s.RecordingsActive, s.RecordingSince, s.EmptySince = 0, 1, ago(minute), ago(time.Hour)
		}), nil},
		"streamed to nobody": {running(func(s *Summary) {
			s.People, s.StreamsActive, s.StreamingSince, s.EmptySince = 0, 1, ago(time.Hour), ago(5*minute)
		}), []Concern{ConcernStreamNobody}},
		"empty within its empty_timeout and five minutes": {running(func(s *Summary) { s.People, s.EmptySince = 0, ago(35*minute) }), nil},
		"empty beyond that":                       {running(func(s *Summary) { s.People, s.EmptySince = 0, ago(35*minute+1) }), []Concern{ConcernRoomEmpty}},
		"empty without an empty_timeout":          {running(func(s *Summary) { s.People, s.EmptySince, s.EmptyTimeout = 0, ago(24*time.Hour), 0 }), nil},
		"within its planned duration":             {running(func(s *Summary) { s.PlannedMinutes = 179 }), nil},
		"over it by more than a minute":           {running(func(s *Summary) { s.PlannedMinutes = 178 }), []Concern{ConcernRoomOverdue}},
		"not begun, however long ago it was made": {running(func(s *Summary) { s.State, s.StartedAt, s.PlannedMinutes = StateCreated, time.Time{}, 10 }), nil},
		"over it, but ended":                      {running(func(s *Summary) { s.PlannedMinutes, s.State = 10, StateEnded }), nil},
		"its stream failed":                       {running(func(s *Summary) { s.StreamFailedAt = ago(minute) }), []Concern{ConcernStreamFailed}},
		"its stream failed, another runs":         {running(func(s *Summary) { s.StreamFailedAt, s.StreamsActive = ago(minute), 1 }), nil},
		"plugNmeet says otherwise":                {running(func(s *Summary) { s.Trust, s.LastEventAt = TrustDisputed, ago(minute) }), []Concern{ConcernDisputed}},
		"all at once: a failed stream, nobody, and too long": {running(func(s *Summary) {
			s.StreamFailedAt, s.People, s.EmptySince, s.PlannedMinutes = ago(1), 0, ago(time.Hour), 60
		}), []Concern{ConcernStreamFailed, ConcernRoomEmpty, ConcernRoomOverdue}},
	} {
		var got []Concern
		for _, a := range c.room.Alarms(noon, Clocks{}, DefaultLimits) {
			got = append(got, a.Concern)
			if a.Since.IsZero() || a.SID != "s1" || a.ID() == "" {
				t.Errorf("%s: %+v", what, a)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", what, got, c.want)
		}
	}
}

// A clock that is two minutes off neither raises an alarm before its time nor delays it, and the alarm tells our time.
func TestAlarmsGoByTheClockThatTheirTimesAreOf(t *testing.T) {
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	const second Time = 1000
	for _, clocks := range []Clocks{{}, {Skew: 120 * second}, {Skew: -120 * second}, {Skew: 30 * second, PlugNmeet: -60 * second}} {
		theirs := func(ago time.Duration, ahead Time) time.Time {
			return noon.Add(time.Duration(ahead)*time.Millisecond - ago)
		}
		for empty, want := range map[time.Duration]int{119 * time.Second: 0, 121 * time.Second: 1} {
			s := Summary{Head: Head{SID: "s1", State: StateLive, CreatedAt: theirs(time.Hour, clocks.PlugNmeet)}, RecordingsActive: 1,
				RecordingSince: theirs(time.Hour, clocks.PlugNmeet), EmptySince: theirs(empty, clocks.LiveKit())}
			alarms := s.Alarms(noon, clocks, DefaultLimits)
			if len(alarms) != want || want == 1 && !alarms[0].Since.Equal(noon.Add(-empty)) {
				t.Errorf("%+v, empty for %v: %+v", clocks, empty, alarms)
			}
		}
	}
}

func TestARecordingNeedsAttentionWhenItsFileIsOverdueOrItFailed(t *testing.T) {
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for what, c := range map[string]struct {
		ended, sessionEnded time.Duration // before noon, 0 for unknown
		state               string
		want                Concern
	}{
		"runs":                           {0, 0, RecordingActive, ""},
		"ended a quarter of an hour ago": {15 * time.Minute, 0, RecordingProcessing, ""},
		"ended longer ago":               {15*time.Minute + 1, 0, RecordingProcessing, ConcernFileOverdue},
		"never said to have ended, its session is over": {0, time.Hour, RecordingProcessing, ConcernFileOverdue},
		"nobody knows when it ended":                    {0, 0, RecordingProcessing, ""},
		"has its file":                                  {time.Hour, time.Hour, RecordingReady, ""},
		"failed":                                        {time.Hour, 0, RecordingFailed, ConcernRecordingBroken},
		"failed the day before yesterday":               {48 * time.Hour, 0, RecordingFailed, ""},
		"overdue since the day before yesterday":        {48 * time.Hour, 0, RecordingProcessing, ""},
	} {
		r := FiledRecording{Filed: Filed{SID: "s1"}, Recording: Recording{RecordID: "r1", State: c.state, StartedAt: noon.Add(-50 * time.Hour)}}
		if c.ended != 0 {
			r.EndedAt = noon.Add(-c.ended)
		}
		if c.sessionEnded != 0 {
			r.SessionEndedAt = noon.Add(-c.sessionEnded)
		}
		alarms := r.Alarms(noon, DefaultLimits)
		var got Concern
		if len(alarms) > 0 {
			got = alarms[0].Concern
		}
		if got != c.want || len(alarms) > 1 {
			t.Errorf("%s: %v, want %q", what, alarms, c.want)
		}
	}
}
