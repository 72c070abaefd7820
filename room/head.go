package room

import "time"

// State says where a session is in its life. On pages, live reads "Running".
type State string

// A session is created until there is evidence of life, live until it is over, ended from then on.
const (
	StateCreated State = "created"
	StateLive    State = "live"
	StateEnded   State = "ended"
)

// Evidence says on whose word a session ended, from the best to the weakest.
type Evidence string

// The kinds of evidence, best first.
const (
	ByWebhook   Evidence = "webhook"
	ByReconcile Evidence = "reconcile" // plugNmeet's API no longer listed it
	BySuccessor Evidence = "successor" // a later session of the same room_id was created
	ByJanitor   Evidence = "janitor"   // nothing was heard of it for too long
)

// Trust says how far the state of a session has been checked against plugNmeet itself.
type Trust string

// Disputed and unverified depend on the clock and on polls, so they are set where those are known.
const (
	TrustConfirmed   Trust = "confirmed"   // plugNmeet's API listed it
	TrustUnconfirmed Trust = "unconfirmed" // there is no API to ask, or it was not asked yet
	TrustDisputed    Trust = "disputed"    // the API says otherwise, and we wait for more polls
	TrustUnverified  Trust = "unverified"  // silent for long, and no API to ask
)

// Head is what the short and the long form of a session share. Its JSON is pinned (design section 5).
// Times are UTC; a zero time is unknown and absent.
type Head struct {
	Source       string    `json:"source"`
	SID          string    `json:"sid"`
	RoomID       string    `json:"room_id"`
	Title        string    `json:"title,omitempty"` // pages show the room_id when it is unknown
	State        State     `json:"state"`
	KnownBy      string    `json:"known_by"` // webhook or api
	Trust        Trust     `json:"trust"`
	VerifiedAt   time.Time `json:"verified_at,omitzero"` // when plugNmeet last listed it
	CreatedAt    time.Time `json:"created_at,omitzero"`
	StartedAt    time.Time `json:"started_at,omitzero"`
	EndedAt      time.Time `json:"ended_at,omitzero"`
	EndedBy      Evidence  `json:"ended_by,omitempty"`
	ParentRoomID string    `json:"parent_room_id,omitempty"`
	People       int       `json:"people"`                  // distinct identities online, of kind person or sip
	Bots         int       `json:"bots"`                    // the other identities online
	PeakPeople   int       `json:"peak_people"`             // most people at one time
	FirstEventAt time.Time `json:"first_event_at,omitzero"` // the earliest created_at of its deliveries
	LastEventAt  time.Time `json:"last_event_at,omitzero"`

	EmptyTimeout    int  `json:"empty_timeout,omitempty"` // seconds
	MaxParticipants int  `json:"max_participants,omitempty"`
	PlannedMinutes  int  `json:"planned_minutes,omitempty"`
	Capped          bool `json:"capped,omitempty"` // more was said of this session than Roomwatch keeps
	alive           Time // ends at or before it do not count, see RoomSaid.AliveAt
	LeftOut         int  `json:"left_out,omitempty"` // connections, tracks, starts and ends told of it that are an earlier session's
}

// Name is what people call the session: its title, else its room_id.
func (h Head) Name() string {
	if h.Title != "" {
		return h.Title
	}
	return h.RoomID
}

// Begin is where the session stands in time, for lists: when it was created, else started, else first heard of, else
// ended.
func (h Head) Begin() time.Time {
	switch {
	case !h.CreatedAt.IsZero():
		return h.CreatedAt
	case !h.StartedAt.IsZero():
		return h.StartedAt
	case !h.FirstEventAt.IsZero():
		return h.FirstEventAt
	}
	return h.EndedAt
}

// Alive is the newest time at or before which ends of the session do not count, because plugNmeet listed it: 0 if it
// never did. It is by plugNmeet's clock or LiveKit's, whichever is behind.
func (h Head) Alive() Time { return h.alive }

// Key names the session.
func (h Head) Key() Key { return Key{h.Source, h.SID} }

// Summary is the short form of a session: the pinned list form, with counts.
type Summary struct {
	Head
	Microphones      int `json:"microphones"` // tracks open now
	Cameras          int `json:"cameras"`
	Screens          int `json:"screens"`
	RecordingsActive int `json:"recordings_active"`
	StreamsActive    int `json:"streams_active"`
	Artifacts        int `json:"artifacts"`
	PeopleSeen       int `json:"people_seen"` // distinct people that were ever here

	RecordingState string    `json:"recording_state,omitempty"` // of all its recordings, the one that most asks to be looked at
	RecordingBytes int64     `json:"recording_bytes,omitempty"` // of the files that are ready
	RecordingSince time.Time `json:"recording_since,omitzero"`  // start of the oldest active recording
	StreamingSince time.Time `json:"streaming_since,omitzero"`  // start of the oldest active stream

	EmptySince     time.Time `json:"empty_since,omitzero"`      // of an open session without people: when the last of them left, or when it began
	StreamFailedAt time.Time `json:"stream_failed_at,omitzero"` // the end of the newest stream, if that failed
	failedStream   Stream    // that stream

	Found string `json:"found,omitempty"` // in answers to a text search: the line of the session's text that matched first
}

// Detail is the long form of a session, everything that is known of it. Lists are sorted by first time, then id.
type Detail struct {
	Head
	Participants []Participant `json:"participants"`
	Recordings   []Recording   `json:"recordings"`
	Streams      []Stream      `json:"streams"`
	Artifacts    []Artifact    `json:"artifacts"`
	Analytics    []Analytics   `json:"analytics"`
	Speech       []Speech      `json:"speech"`
	Corrections  []Correction  `json:"corrections,omitempty"` // what a check against plugNmeet put right, oldest first
}

// Detail derives the long form.
func (s *Session) Detail() Detail {
	r := s.read()
	d := Detail{
		Participants: r.participants(),
		Recordings:   r.recordings(),
		Streams:      r.streams(),
		Artifacts:    r.artifacts(),
		Analytics:    r.analytics(),
		Speech:       r.speech(),
		Corrections:  r.corrections(),
	}
	d.Head = r.head(d.Participants)
	return d
}

// Summary derives the short form.
func (s *Session) Summary() Summary { return s.Detail().Summary() }

// Summary counts what the long form lists.
func (d Detail) Summary() Summary {
	sum := Summary{Head: d.Head, Artifacts: len(d.Artifacts)}
	for _, p := range d.Participants {
		if p.Human() {
			sum.PeopleSeen++
		}
		for _, t := range p.Tracks {
			if !t.Open {
				continue
			}
			switch t.Source {
			case "microphone":
				sum.Microphones++
			case "camera":
				sum.Cameras++
			case "screen_share":
				sum.Screens++
			}
		}
	}
	for _, rec := range d.Recordings {
		sum.RecordingBytes += rec.SizeBytes
		if urgency(rec.State) > urgency(sum.RecordingState) {
			sum.RecordingState = rec.State
		}
		if rec.State == RecordingActive {
			sum.RecordingsActive++
			sum.RecordingSince = earlier(sum.RecordingSince, rec.StartedAt)
		}
	}
	for _, st := range d.Streams {
		if st.State == StreamLive {
			sum.StreamsActive++
			sum.StreamingSince = earlier(sum.StreamingSince, st.StartedAt)
		}
	}
	if n := len(d.Streams); n > 0 && d.Streams[n-1].State == StreamFailed {
		sum.failedStream = d.Streams[n-1]
		sum.StreamFailedAt = sum.failedStream.EndedAt
	}
	if d.State != StateEnded && d.People == 0 {
		sum.EmptySince = d.emptySince()
	}
	return sum
}

// emptySince is when the number of people became none or, if nobody was ever here, when the session began.
func (d Detail) emptySince() time.Time {
	steps := Steps(d.Participants)
	if len(steps) == 0 {
		return d.Begin()
	}
	return steps[len(steps)-1].At.Time()
}

func earlier(a, b time.Time) time.Time { return earliest(At(a), At(b)).Time() }
