package room

// RoomSaid is what events say of the session itself.
type RoomSaid struct {
	RoomID          string `json:"room_id,omitempty"`
	Title           string `json:"title,omitempty"`
	ParentRoomID    string `json:"parent,omitempty"`
	EmptyTimeout    int    `json:"empty_timeout,omitempty"`
	MaxParticipants int    `json:"max_participants,omitempty"`
	PlannedMinutes  int    `json:"planned,omitempty"`
	Created         Time   `json:"created,omitempty"` // room_created, session_ended and the API only
	Moment          Time   `json:"moment,omitempty"`  // when it started, ended or was listed, for the kinds that say that
	Object          Time   `json:"object,omitempty"`  // the creation_time of LiveKit's own room, from events born there
	AliveAt         Time   `json:"alive,omitempty"`
}

func (f RoomSaid) covers(o RoomSaid) bool {
	return says(f.RoomID, o.RoomID) && says(f.Title, o.Title) && says(f.ParentRoomID, o.ParentRoomID) &&
		says(f.EmptyTimeout, o.EmptyTimeout) && says(f.MaxParticipants, o.MaxParticipants) && says(f.PlannedMinutes, o.PlannedMinutes) &&
		asEarly(f.Created, o.Created) && asEarly(f.Moment, o.Moment) && f.AliveAt >= o.AliveAt &&
		(o.Object == 0 || f.Object == o.Object)
}

func roomSaid(e Event) RoomSaid {
	said := RoomSaid{RoomID: e.RoomID, Title: Shown(e.Title), ParentRoomID: e.ParentRoomID,
		EmptyTimeout: e.EmptyTimeout, MaxParticipants: e.MaxParticipants, PlannedMinutes: e.PlannedMinutes}
	if e.Kind.livekitBorn() {
		said.Object = e.CreationTime
	}
	switch e.Kind {
	case KindRoomCreated: // it was sent when the room was there, whatever the clock of plugNmeet's database says
		said.Created = earliest(e.CreationTime, e.At)
	case KindSessionEnded:
		said.Created, said.Moment = e.CreationTime, e.At
	case KindRoomStarted, KindRoomFinished, KindJanitor, KindRecordingStarted, KindStreamStarted:
		said.Moment = e.At
	case KindListed:
		if e.CreationTime != 0 {
			said.Created = earliest(e.CreationTime, e.At)
		}
		if e.ofSession() {
			said.Moment, said.AliveAt = e.At, e.AliveAt
		}
	case KindAbsent:
		if e.ofSession() {
			said.Moment = e.At
		}
	}
	return said
}

// ConnectionSaid is what events say of one connection (participant.sid) and of the person on it.
type ConnectionSaid struct {
	Identity string `json:"identity,omitempty"`
	Name     string `json:"name,omitempty"`
	Kind     string `json:"kind,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Joined   Time   `json:"joined,omitempty"`
	Left     Time   `json:"left,omitempty"`
	AliveAt  Time   `json:"alive,omitempty"`
	Roles    *Roles `json:"roles,omitempty"`
}

func (f ConnectionSaid) covers(o ConnectionSaid) bool {
	return says(f.Identity, o.Identity) && says(f.Name, o.Name) && says(f.Kind, o.Kind) && says(f.Reason, o.Reason) &&
		asEarly(f.Joined, o.Joined) && asEarly(f.Left, o.Left) && f.AliveAt >= o.AliveAt && (o.Roles == nil || f.Roles != nil)
}

func connectionSaid(e Event) ConnectionSaid {
	p := e.Participant
	said := ConnectionSaid{Identity: p.Identity, Name: Shown(p.Name), Kind: p.Kind, Joined: p.JoinedAt, Roles: p.Roles}
	switch e.Kind {
	case KindParticipantJoined:
		if said.Joined == 0 {
			said.Joined = e.At
		}
	case KindParticipantLeft:
		said.Left, said.Reason = e.At, p.Reason
	case KindAbsent:
		said.Left = e.At
	case KindListed:
		said.AliveAt = e.AliveAt
	}
	return said
}

// TrackTold is what events say of one track. Owner and OwnerSID are the identity and the connection that
// the event named. OwnerName is in plugNmeet's documents, but not in what it really sends.
type TrackTold struct {
	TrackSaid
	Owner       string `json:"owner,omitempty"`
	OwnerSID    string `json:"owner_sid,omitempty"`
	OwnerName   string `json:"owner_name,omitempty"`
	Published   Time   `json:"published,omitempty"`
	Unpublished Time   `json:"unpublished,omitempty"`
	AliveAt     Time   `json:"alive,omitempty"`
}

func (f TrackTold) covers(o TrackTold) bool {
	return says(f.Source, o.Source) && says(f.Media, o.Media) && says(f.Mime, o.Mime) && says(f.Width, o.Width) && says(f.Height, o.Height) &&
		says(f.Simulcast, o.Simulcast) && says(f.Encryption, o.Encryption) && (o.Muted == nil || f.Muted != nil) &&
		says(f.Owner, o.Owner) && says(f.OwnerSID, o.OwnerSID) && says(f.OwnerName, o.OwnerName) &&
		asEarly(f.Published, o.Published) && asEarly(f.Unpublished, o.Unpublished) && f.AliveAt >= o.AliveAt
}

func trackTold(e Event) TrackTold {
	told := TrackTold{TrackSaid: *e.Track}
	if p := e.Participant; p != nil {
		told.Owner, told.OwnerSID, told.OwnerName = p.Identity, p.SID, Shown(p.Name)
	}
	switch e.Kind {
	case KindTrackPublished:
		told.Published = e.At
	case KindTrackUnpublished, KindAbsent:
		told.Unpublished = e.At
	case KindListed:
		told.AliveAt = e.AliveAt
	}
	return told
}

// JobTold is what events say of a recording or a stream. Moment is when they said it: a recorder that
// repeats itself with fresh event ids does not move a start.
type JobTold struct {
	JobSaid
	Moment Time `json:"moment"`
}

func (f JobTold) covers(o JobTold) bool {
	return says(f.RecorderID, o.RecorderID) && says(f.Message, o.Message) && says(f.FilePath, o.FilePath) &&
		says(f.SizeBytes, o.SizeBytes) && asEarly(f.Moment, o.Moment)
}

// ArtifactTold is what artifact_created says, and when.
type ArtifactTold struct {
	ArtifactSaid
	Moment Time `json:"moment"`
}

func (f ArtifactTold) covers(o ArtifactTold) bool {
	return says(f.Type, o.Type) && (o.File == nil || f.File != nil) && (o.Usage == nil || f.Usage != nil) &&
		says(f.Reference, o.Reference) && asEarly(f.Moment, o.Moment)
}

// Moment is that something was said, and when.
type Moment struct {
	At Time `json:"moment"`
}

func (f Moment) covers(o Moment) bool { return asEarly(f.At, o.At) }

// SpeechTold is what the retired speech events say of one user.
type SpeechTold struct {
	Seconds int64 `json:"seconds,omitempty"`
	Moment  Time  `json:"moment"`
}

func (f SpeechTold) covers(o SpeechTold) bool {
	return says(f.Seconds, o.Seconds) && asEarly(f.Moment, o.Moment)
}
