package room

import "time"

// Totals are the sums over all sessions that are created or live.
type Totals struct {
	Rooms            int `json:"rooms"`
	People           int `json:"people"`
	Bots             int `json:"bots"`
	Microphones      int `json:"microphones"`
	Cameras          int `json:"cameras"`
	Screens          int `json:"screens"`
	RecordingsActive int `json:"recordings_active"`
	StreamsActive    int `json:"streams_active"`
}

// Sample is the totals as they were at a whole minute.
type Sample struct {
	At time.Time `json:"at"`
	Totals
}

// Count adds (by 1) or takes away (by -1) a session that is created or live.
func (t *Totals) Count(s *Summary, by int) {
	if s == nil || s.State == StateEnded {
		return
	}
	t.Rooms += by
	t.People += by * s.People
	t.Bots += by * s.Bots
	t.Microphones += by * s.Microphones
	t.Cameras += by * s.Cameras
	t.Screens += by * s.Screens
	t.RecordingsActive += by * s.RecordingsActive
	t.StreamsActive += by * s.StreamsActive
}
