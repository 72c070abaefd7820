// Package room is the pure centre of Roomwatch: what can happen in a video room, what is true of a
// session, and what can be asked. It does no I/O, reads no clock and starts no goroutine.
package room

import "time"

// Time is a moment in milliseconds since 1970; 0 means unknown.
type Time int64

// At turns a time.Time into a Time; the zero time is unknown.
func At(t time.Time) Time {
	if t.IsZero() {
		return 0
	}
	return Time(t.UnixMilli())
}

// Time is the moment in UTC; an unknown one is the zero time.
func (t Time) Time() time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(t)).UTC()
}

// Event is one thing that happened to one session, in our own terms: what remains of a delivery when
// plugNmeet's dialect has been read. It is what the record keeps and what every replica folds.
// Times are in milliseconds; an absent value is the zero value, and a zero value claims nothing.
type Event struct {
	Source string `json:"source"`            // the name of the plugNmeet that said it
	SID    string `json:"sid,omitempty"`     // room.sid, the session; without it the event is not applied
	RoomID string `json:"room_id,omitempty"` // a label that later sessions use again
	ID     string `json:"id"`                // event id, or "sha256:" and the hash of the body
	Kind   Kind   `json:"kind"`
	Name   string `json:"name,omitempty"` // the name on the wire, for kinds we don't know
	At     Time   `json:"at"`             // created_at, or when it was received if that is unusable

	Received     Time `json:"received,omitempty"`      // received_at of the recorded entry
	CreationTime Time `json:"creation_time,omitempty"` // room.creation_time: three meanings, contract 1.4
	AliveAt      Time `json:"alive_at,omitempty"`      // KindListed: when the poll that saw it began

	// Skew is how far LiveKit's clock was ahead of plugNmeet's, in milliseconds, as the record had it when the
	// delivery came (see KindClocks); nil while that was not measured. It goes with the entry, so that whoever folds
	// the record, whenever and in whatever order, judges its times alike.
	Skew *Time `json:"skew,omitempty"`

	Title           string `json:"title,omitempty"`            // metadata.room_title
	ParentRoomID    string `json:"parent_room_id,omitempty"`   // metadata.parent_room_id of a breakout room
	EmptyTimeout    int    `json:"empty_timeout,omitempty"`    // seconds
	MaxParticipants int    `json:"max_participants,omitempty"` // 0: unlimited or not said
	PlannedMinutes  int    `json:"planned_minutes,omitempty"`  // metadata.room_features.room_duration

	Participant *ParticipantSaid `json:"participant,omitempty"`
	Track       *TrackSaid       `json:"track,omitempty"`
	Job         *JobSaid         `json:"job,omitempty"`
	Going       string           `json:"going,omitempty"` // KindListed, KindAbsent: it speaks of a recording or a stream; without a Job, of one whose record_id is not told
	Artifact    *ArtifactSaid    `json:"artifact,omitempty"`
	AnalyticsID string           `json:"analytics_id,omitempty"` // analytics.file_id
	Speech      *SpeechSaid      `json:"speech,omitempty"`

	// Of Roomwatch's own entries: what else the same poll says of the session, of one connection, track or
	// job each. What these leave out (source, session, id, times) they share with the entry.
	Also      []Event    `json:"also,omitempty"`
	Corrected *Corrected `json:"corrected,omitempty"` // what the entry puts right; nil: nothing was wrong
	Poll      *PollSaid  `json:"poll,omitempty"`      // KindPolled
	Gap       *Gap       `json:"gap,omitempty"`       // KindGap
	Clocks    *Clocks    `json:"clocks,omitempty"`    // KindClocks
}

// within is a part of an entry's Also, whole.
func (e Event) within(entry Event) Event {
	e.Source, e.SID, e.RoomID, e.Received = entry.Source, entry.SID, entry.RoomID, entry.Received
	e.ID = entry.ID + "/" + e.about() // ties between parts go by it
	if e.At == 0 {
		e.At = entry.At
	}
	if e.Kind == KindListed && (e.Participant != nil || e.Track != nil) && e.AliveAt == 0 {
		e.AliveAt = entry.AliveAt
	}
	return e
}

// about is the id of whom or what the event speaks of, "" when that is the session.
func (e Event) about() string {
	switch {
	case e.Track != nil:
		return e.Track.SID
	case e.Job != nil:
		return e.Job.RecordID
	case e.Artifact != nil:
		return e.Artifact.ID
	case e.Participant != nil:
		return e.Participant.SID
	}
	return e.Going
}

// ofSession: it speaks of the session itself, not of somebody or something in it.
func (e Event) ofSession() bool {
	return e.Participant == nil && e.Track == nil && e.Job == nil && e.Artifact == nil && e.Going == ""
}

// ParticipantSaid is what an event says of a participant and of the connection it came on (contract 2.6).
type ParticipantSaid struct {
	SID      string `json:"sid,omitempty"` // PA_…: one per connection
	Identity string `json:"identity,omitempty"`
	Name     string `json:"name,omitempty"`
	Kind     string `json:"kind,omitempty"` // STANDARD, SIP, INGRESS, … as on the wire
	JoinedAt Time   `json:"joined_at,omitempty"`
	Reason   string `json:"reason,omitempty"` // disconnect_reason, as on the wire
	Roles    *Roles `json:"roles,omitempty"`  // nil when not said: only the API tells them
}

// Roles are what plugNmeet lets somebody do at the moment. It announces no changes of them.
type Roles struct {
	Admin      bool `json:"admin,omitempty"` // a moderator
	Presenter  bool `json:"presenter,omitempty"`
	Waiting    bool `json:"waiting,omitempty"` // for approval
	HandRaised bool `json:"hand_raised,omitempty"`
	Hidden     bool `json:"hidden,omitempty"`
}

// TrackSaid is what an event says of a track (contract 2.6).
type TrackSaid struct {
	SID        string `json:"sid"`
	Source     string `json:"source,omitempty"` // camera, microphone, screen_share, screen_share_audio; "" when not said
	Media      string `json:"media,omitempty"`  // audio, video, data; "" when not said
	Mime       string `json:"mime,omitempty"`
	Width      int    `json:"width,omitempty"`
	Height     int    `json:"height,omitempty"`
	Simulcast  bool   `json:"simulcast,omitempty"`
	Encryption string `json:"encryption,omitempty"` // GCM, CUSTOM; "" for none
	Muted      *bool  `json:"muted,omitempty"`      // nil when not said
}

// JobSaid is what an event says of a recording or an RTMP stream (contract 2.3).
type JobSaid struct {
	RecordID   string `json:"record_id"`
	RecorderID string `json:"recorder_id,omitempty"`
	Message    string `json:"message,omitempty"` // recorder_msg: "success" or an error text
	FilePath   string `json:"file_path,omitempty"`
	SizeBytes  int64  `json:"size_bytes,omitempty"`
}

// ArtifactSaid is what artifact_created says (contract 2.4).
type ArtifactSaid struct {
	ID        string         `json:"id"`
	Type      string         `json:"type,omitempty"` // enum name; a number that has no name stays a number
	File      *ArtifactFile  `json:"file,omitempty"`
	Usage     *ArtifactUsage `json:"usage,omitempty"`
	Reference string         `json:"reference,omitempty"` // usage: the artifact that was made with it
}

// ArtifactFile is the file of an artifact: its path is relative to plugNmeet's artifact store.
type ArtifactFile struct {
	Path      string `json:"path"`
	SizeBytes int64  `json:"size_bytes"`
	MimeType  string `json:"mime_type,omitempty"`
}

// ArtifactUsage is what an AI service consumed. Unit is tokens, seconds or characters. The cost is in
// whatever unit the operator gave plugNmeet; 0 means "no price configured" as often as "free".
type ArtifactUsage struct {
	Unit          string           `json:"unit"`
	Total         int64            `json:"total"`
	Prompt        int64            `json:"prompt,omitempty"`
	Completion    int64            `json:"completion,omitempty"`
	EstimatedCost float64          `json:"estimated_cost"`
	Breakdown     map[string]int64 `json:"breakdown,omitempty"`
}

// SpeechSaid is what the retired speech_to_text_* events say (contract 1.2).
type SpeechSaid struct {
	UserID  string `json:"user_id,omitempty"`
	Seconds int64  `json:"seconds,omitempty"`
}
