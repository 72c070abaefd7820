package room

import (
	"maps"
	"slices"
)

// Limits of one session. A session at a limit leaves out new keys and says Capped; the laws of Merge
// hold below them. They are far above what one plugNmeet room carries.
const (
	maxConnections = 20_000
	maxTracks      = 40_000
	maxJobs        = 1_000
	maxArtifacts   = 2_000
	maxSuccessors  = 4
	maxEarlier     = 1_000
	maxCorrections = 500
)

// Key names a session: room.sid is unique within a source. room_id is not, later sessions use it again.
type Key struct{ Source, SID string }

// Session is what is known of one meeting: facts only. Nothing is decided when an event arrives, or
// order would matter; everything shown is derived from the facts when it is read (see Head, Detail).
//
// The facts only grow. Merge is commutative, associative and idempotent.
type Session struct {
	Source string `json:"source"`
	SID    string `json:"sid"`

	Room        Told[RoomSaid]                  `json:"room,omitempty"`
	Connections map[string]Told[ConnectionSaid] `json:"connections,omitempty"` // by participant.sid
	Tracks      map[string]Told[TrackTold]      `json:"tracks,omitempty"`      // by track.sid
	Recordings  map[string]Told[JobTold]        `json:"recordings,omitempty"`  // by record_id
	Streams     map[string]Told[JobTold]        `json:"streams,omitempty"`     // by record_id
	Artifacts   map[string]Told[ArtifactTold]   `json:"artifacts,omitempty"`   // by artifact_id
	Analytics   map[string]Told[Moment]         `json:"analytics,omitempty"`   // by file_id
	Speech      map[string]Told[SpeechTold]     `json:"speech,omitempty"`      // by user_id, "" for the whole session
	Going       map[string]Told[GoingTold]      `json:"going,omitempty"`       // by GoingRecording and GoingStream: those without a known record_id
	Corrections map[string]Told[CorrectionTold] `json:"corrections,omitempty"` // by the id of the entry
	Successors  map[string]Created              `json:"successors,omitempty"`  // later sessions of the room_id, by sid

	// Earlier are connections and tracks, by their sid, that another session of the room_id knows too. It is evidence of
	// whose they are, see straggler.go.
	Earlier map[string]Elsewhere `json:"earlier,omitempty"`

	First    Time `json:"first,omitempty"`    // the earliest time of a webhook's event of it, a straggler's too
	Received Time `json:"received,omitempty"` // when Roomwatch last received something of it
	Heard    Time `json:"heard,omitempty"`    // when Roomwatch first received something of it
	Verified Time `json:"verified,omitempty"` // when plugNmeet last listed it, by our clock; it is saved with the next facts
	Capped   bool `json:"capped,omitempty"`   // something was left out, see the limits above

	// Stored names the document whose facts are all in here, 0 for none. It is the store's note to itself and
	// no fact: Merge leaves it.
	Stored uint64 `json:"-"`
}

// Created is what is known of a session's creation: For comes from room_created and the API, Failing
// only from session_ended (design: LiveKit's creation_time never sets it). Each is the earliest, or 0.
type Created struct {
	For     Time `json:"for,omitempty"`
	Failing Time `json:"failing,omitempty"`
}

// Best is the creation to go by, 0 when unknown.
func (c Created) Best() Time {
	if c.For != 0 {
		return c.For
	}
	return c.Failing
}

func (c Created) merge(o Created) Created {
	return Created{For: earliest(c.For, o.For), Failing: earliest(c.Failing, o.Failing)}
}

func earliest(a, b Time) Time {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// New is a session of which nothing is known yet.
func New(key Key) *Session { return &Session{Source: key.Source, SID: key.SID} }

// Key is the session's name.
func (s *Session) Key() Key { return Key{s.Source, s.SID} }

// Apply adds what the event says. It is Merge with the session that holds only the event's facts.
// It reports whether anything that can be shown may have changed.
func (s *Session) Apply(e Event) bool { return s.Merge(factsOf(e)) }

// Merge adds every fact of other, which must be of the same session. It does not keep parts of other.
// It reports whether anything that can be shown may have changed.
func (s *Session) Merge(other *Session) bool {
	changed := false
	for _, r := range other.Room {
		s.Room, changed = addTo(s.Room, r, changed)
	}
	changed = mergeInto(s, &s.Connections, other.Connections, maxConnections) || changed
	changed = mergeInto(s, &s.Tracks, other.Tracks, maxTracks) || changed
	changed = mergeInto(s, &s.Recordings, other.Recordings, maxJobs) || changed
	changed = mergeInto(s, &s.Streams, other.Streams, maxJobs) || changed
	changed = mergeInto(s, &s.Artifacts, other.Artifacts, maxArtifacts) || changed
	changed = mergeInto(s, &s.Analytics, other.Analytics, maxArtifacts) || changed
	changed = mergeInto(s, &s.Speech, other.Speech, maxConnections) || changed
	changed = mergeInto(s, &s.Going, other.Going, maxJobs) || changed
	changed = mergeInto(s, &s.Corrections, other.Corrections, maxCorrections) || changed
	for sid, created := range other.Successors {
		changed = s.Succeed(sid, created) || changed
	}
	for id, known := range other.Earlier {
		changed = s.KnownEarlier(id, known) || changed
	}
	if first := earliest(s.First, other.First); first != s.First {
		s.First, changed = first, true
	}
	if heard := earliest(s.Heard, other.Heard); heard != s.Heard {
		s.Heard, changed = heard, true
	}
	s.Received = max(s.Received, other.Received)
	s.Verified = max(s.Verified, other.Verified)
	s.Capped = s.Capped || other.Capped
	return changed
}

func mergeInto[F fact[F]](s *Session, mine *map[string]Told[F], other map[string]Told[F], limit int) bool {
	changed, capped := mergeTold(mine, other, limit)
	if capped && !s.Capped {
		s.Capped = true
		return true
	}
	return changed
}

// Succeed notes that another session of the same source and room_id was created. Whether that ends this
// one is derived: it does if it was created later. Of many, those created first are kept.
func (s *Session) Succeed(sid string, created Created) bool {
	if sid == s.SID || created.Best() == 0 {
		return false
	}
	known := s.Successors[sid]
	merged := known.merge(created)
	if merged == known {
		return false
	}
	if s.Successors == nil {
		s.Successors = make(map[string]Created, 1)
	}
	s.Successors[sid] = merged
	if len(s.Successors) > maxSuccessors {
		last := s.lastSuccessor()
		delete(s.Successors, last)
		return last != sid
	}
	return true
}

func (s *Session) lastSuccessor() (last string) {
	var at Time
	for sid, created := range s.Successors {
		if c := created.Best(); c > at || c == at && sid > last {
			last, at = sid, c
		}
	}
	return last
}

// Verify notes that a poll that began at a time of our clock listed the session.
func (s *Session) Verify(at Time) { s.Verified = max(s.Verified, at) }

// Names says whether the session knows the connection or track of this sid.
func (s *Session) Names(sid string) bool {
	return len(s.Connections[sid]) > 0 || len(s.Tracks[sid]) > 0
}

// Named are the sids of all connections and tracks that the session knows, in no order.
func (s *Session) Named() []string {
	return slices.AppendSeq(slices.Collect(maps.Keys(s.Connections)), maps.Keys(s.Tracks))
}

// Elsewhere is what another session of the same source and room_id knows of a connection or track.
type Elsewhere struct {
	Created      // of that session
	Began   Time `json:"began,omitempty"` // when the connection joined there or the track was published, 0 when not told
}

// Elsewhere is what this session can tell another one of the connection or track of a sid.
func (s *Session) Elsewhere(sid string) Elsewhere { return Elsewhere{s.Created(), s.began(sid)} }

// began is when the connection of a sid joined, or the track was published, 0 when not told.
func (s *Session) began(sid string) (at Time) {
	for _, r := range s.Connections[sid] {
		at = earliest(at, r.Said.Joined)
	}
	for _, r := range s.Tracks[sid] {
		at = earliest(at, r.Said.Published)
	}
	return at
}

// Created is what is known of this session's own creation.
func (s *Session) Created() (c Created) {
	for _, r := range s.Room {
		switch r.Kind {
		case KindRoomCreated, KindListed:
			c.For = earliest(c.For, r.Said.Created)
		case KindSessionEnded:
			c.Failing = earliest(c.Failing, r.Said.Created)
		}
	}
	return c
}

// factsOf is the session that holds only what e says.
func factsOf(e Event) *Session {
	s := factsOfOne(e)
	for _, also := range e.Also {
		part := factsOfOne(also.within(e))
		if part.First = 0; !also.ofSession() {
			part.Room = nil
		}
		s.Merge(part)
	}
	if e.Corrected != nil {
		s.Corrections = one(e.ID, Stamp{At: e.At, Born: never, Kind: e.Kind, ID: e.ID}, CorrectionTold{*e.Corrected})
	}
	return s
}

func factsOfOne(e Event) *Session {
	s := New(Key{e.Source, e.SID})
	s.Received, s.Heard = e.Received, e.Received
	if !e.Kind.Own() {
		s.First = e.At
	}
	stamp := Stamp{At: e.At, Born: e.born(), Kind: e.Kind, ID: e.ID}
	s.Room = Told[RoomSaid]{{stamp, roomSaid(e)}}
	if e.Kind == KindOther {
		// What an event we don't know means for a track or a job cannot be told (plugNmeet may send
		// stop_rtmp, LiveKit more): it would bring to life what it may have ended.
		return s
	}
	if p := e.Participant; p != nil && p.SID != "" && connects(e) {
		s.Connections = one(p.SID, stamp, connectionSaid(e))
	}
	if e.Track != nil && e.Track.SID != "" {
		s.Tracks = one(e.Track.SID, stamp, trackTold(e))
	}
	if e.Job != nil && e.Job.RecordID != "" {
		job := one(e.Job.RecordID, stamp, JobTold{*e.Job, e.At})
		switch e.Kind {
		case KindAbsent:
			if e.Going == GoingStream {
				s.Streams = job
			} else {
				s.Recordings = job
			}
		case KindStreamStarted, KindStreamEnded:
			s.Streams = job
		case KindRecordingStarted, KindRecordingEnded, KindRecordingTranscoded, KindRecordingProceeded, KindListed:
			s.Recordings = job // the API lists recordings only
		}
	}
	if e.Going != "" && e.Job == nil {
		s.Going = one(e.Going, stamp, goingTold(e))
	}
	if e.Artifact != nil && e.Artifact.ID != "" {
		s.Artifacts = one(e.Artifact.ID, stamp, ArtifactTold{*e.Artifact, e.At})
	}
	if e.AnalyticsID != "" {
		s.Analytics = one(e.AnalyticsID, stamp, Moment{e.At})
	}
	if e.Speech != nil {
		s.Speech = one(e.Speech.UserID, stamp, SpeechTold{e.Speech.Seconds, e.At})
	}
	return s
}

// connects: only these say something of a connection. A track event names the connection that it was
// made on, but creates a participant only (a hybrid app's twin publishes on a connection that plugNmeet
// never announces, contract 4.8). An API fact about a track is about that track alone.
func connects(e Event) bool {
	switch e.Kind {
	case KindParticipantJoined, KindParticipantLeft:
		return true
	case KindListed, KindAbsent:
		return e.Track == nil
	}
	return false
}

func one[F fact[F]](key string, stamp Stamp, said F) map[string]Told[F] {
	return map[string]Told[F]{key: {{stamp, said}}}
}

// Clone is a copy that shares nothing with s that either may change.
func (s *Session) Clone() *Session {
	c := New(s.Key())
	c.Merge(s)
	c.Stored = s.Stored
	return c
}
