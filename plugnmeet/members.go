package plugnmeet

import (
	"math"
	"strings"
	"unicode"

	"github.com/roomwatch/roomwatch/room"
)

const (
	maxBreakdown = 2000
	maxMegabytes = 1e9
	maxCost      = 1e12
)

// members says what is done with each member of an object, by either of its spellings.
type members map[string]member

type member struct {
	name  string // in snake_case
	camel bool   // this is the other spelling
	read  func(*reading)
}

// reads makes a table that knows both spellings from one that knows plugNmeet's.
func reads(table map[string]func(*reading)) members {
	both := make(members, 2*len(table))
	for name, read := range table {
		both[camelCase(name)] = member{name, true, read}
		both[name] = member{name, false, read}
	}
	return both
}

// camelCase is how protojson writes a field's name unless told to keep it.
func camelCase(name string) string {
	parts := strings.Split(name, "_")
	for i, part := range parts[1:] {
		parts[i+1] = string(unicode.ToUpper(rune(part[0]))) + part[1:]
	}
	return strings.Join(parts, "")
}

// deliveryMembers are those of the body itself, contract 2.1.
var deliveryMembers = reads(map[string]func(*reading){
	"event":          (*reading).eventName,
	"id":             func(r *reading) { r.said.ID = r.id() },
	"created_at":     func(r *reading) { r.created = r.seconds() },
	"room":           (*reading).room,
	"participant":    (*reading).participant,
	"track":          func(r *reading) { r.said.Track = new(room.TrackSaid); r.object(trackMembers) },
	"recording_info": func(r *reading) { r.said.Job = new(room.JobSaid); r.object(jobMembers) },
	"room_artifact":  func(r *reading) { r.said.Artifact = new(room.ArtifactSaid); r.object(artifactMembers) },
	"analytics":      func(r *reading) { r.object(analyticsMembers) },
	"speech_service": func(r *reading) { r.said.Speech = new(room.SpeechSaid); r.object(speechMembers) },
})

// eventName takes a name that is known as it is known, so that it need not be made again.
func (r *reading) eventName() {
	before := r.dec.at
	if raw := r.dec.value(); raw.Kind() == '"' {
		if kind := room.WebhookKind(string(raw[1 : len(raw)-1])); kind != room.KindOther {
			r.event = kind.String()
			return
		}
	}
	r.dec.at = before
	r.event = strings.ToLower(strings.TrimSpace(r.text(maxWord)))
}

var roomMembers = reads(map[string]func(*reading){
	"sid":              func(r *reading) { r.said.SID = r.id() },
	"room_id":          func(r *reading) { r.said.RoomID = r.id() },
	"name":             func(r *reading) { r.roomName = r.words() },
	"empty_timeout":    func(r *reading) { r.said.EmptyTimeout = r.small() },
	"max_participants": func(r *reading) { r.said.MaxParticipants = r.small() },
	"creation_time":    func(r *reading) { r.said.CreationTime = r.seconds() },
	"metadata":         func(r *reading) { r.object(metadataMembers) },
})

// room reads the documented Room, too: it has a title for a name, or, where room_id is missing as in
// LiveKit's own form, the room_id.
func (r *reading) room() {
	r.object(roomMembers)
	if r.said.RoomID != "" {
		return
	}
	if len(r.roomName) > maxID {
		r.refuse("room.name")
	}
	r.said.RoomID, r.roomName = strings.TrimSpace(r.roomName), ""
}

// metadataMembers are the few that an event takes over, contract 2.8. A breakout room is known by its parent;
// one that says is_breakout_room and names no parent stays without: its room_id is the parent's, a dash and an
// id, but ids have dashes too, so that a parent cut from it would be a guess.
var metadataMembers = reads(map[string]func(*reading){
	"room_title":     func(r *reading) { r.said.Title = r.text(maxTitle) },
	"parent_room_id": func(r *reading) { r.said.ParentRoomID = r.id() },
	"room_features":  func(r *reading) { r.object(featureMembers) },
})

var featureMembers = reads(map[string]func(*reading){
	"room_duration": func(r *reading) { r.said.PlannedMinutes = r.small() },
})

// participantMembers, contract 2.6; user_id is what plugNmeet's blog calls the identity.
var participantMembers = reads(map[string]func(*reading){
	"sid":               func(r *reading) { r.said.Participant.SID = r.id() },
	"identity":          func(r *reading) { r.said.Participant.Identity = r.id() },
	"user_id":           func(r *reading) { r.userID = r.id() },
	"name":              func(r *reading) { r.said.Participant.Name = r.text(maxName) },
	"kind":              func(r *reading) { r.said.Participant.Kind = r.enum(participantKinds) },
	"joined_at":         func(r *reading) { r.joined = r.seconds() },
	"joined_at_ms":      func(r *reading) { r.joinedMS = r.milliseconds() },
	"disconnect_reason": func(r *reading) { r.said.Participant.Reason = r.enum(disconnectReasons) },
})

// participant takes the finer of two times only if it refines the other.
func (r *reading) participant() {
	p := new(room.ParticipantSaid)
	r.said.Participant, r.userID, r.joined, r.joinedMS = p, "", 0, 0
	r.object(participantMembers)
	if p.Identity == "" {
		p.Identity = r.userID
	}
	p.JoinedAt = r.joined
	if r.joined == 0 || r.joinedMS/1000 == r.joined/1000 && r.joinedMS != 0 {
		p.JoinedAt = r.joinedMS
	}
}

var trackMembers = reads(map[string]func(*reading){
	"sid":        func(r *reading) { r.said.Track.SID = r.id() },
	"type":       func(r *reading) { r.said.Track.Media = r.oneOf(trackTypes) },
	"source":     func(r *reading) { r.said.Track.Source = r.oneOf(trackSources) },
	"mime_type":  func(r *reading) { r.said.Track.Mime = r.text(maxWord) },
	"width":      func(r *reading) { r.said.Track.Width = r.small() },
	"height":     func(r *reading) { r.said.Track.Height = r.small() },
	"simulcast":  func(r *reading) { r.said.Track.Simulcast, _ = r.flag() },
	"encryption": func(r *reading) { r.said.Track.Encryption = r.enum(encryptions) },
	"muted":      (*reading).muted,
})

// muted: an absent value claims nothing here, either, although on track_published it can only stand for false.
// What nobody said is shown as not muted anyway, and whoever says otherwise (the API, or track_unpublished)
// does so later than the publication.
func (r *reading) muted() {
	if muted, said := r.flag(); said {
		r.said.Track.Muted = &muted
	}
}

// jobMembers, contract 2.3.
var jobMembers = reads(map[string]func(*reading){
	"record_id":    func(r *reading) { r.said.Job.RecordID = r.id() },
	"recorder_id":  func(r *reading) { r.said.Job.RecorderID = r.id() },
	"recorder_msg": func(r *reading) { r.said.Job.Message = r.text(maxMessage) },
	"file_path":    func(r *reading) { r.said.Job.FilePath = r.text(maxPath) },
	"file_size":    func(r *reading) { r.said.Job.SizeBytes = int64(math.Round(r.amount(maxMegabytes) * 1e6)) },
})

// artifactMembers, contract 2.4.
var artifactMembers = reads(map[string]func(*reading){
	"artifact_id": func(r *reading) { r.said.Artifact.ID = r.id() },
	"type":        func(r *reading) { r.said.Artifact.Type = r.enum(artifactTypes) },
	"metadata":    func(r *reading) { r.object(artifactMetadataMembers) },
})

// artifactMetadataMembers leave out user_info, which plugNmeet never fills, and provider_job_info, which names
// a job at a third party that nothing here can lead to; the delivery's body keeps both for as long as it is kept.
var artifactMetadataMembers = reads(map[string]func(*reading){
	"file_info":             func(r *reading) { r.said.Artifact.File = new(room.ArtifactFile); r.object(fileMembers) },
	"token_usage":           func(r *reading) { r.usage("tokens", tokenMembers) },
	"duration_usage":        func(r *reading) { r.usage("seconds", durationMembers) },
	"character_count_usage": func(r *reading) { r.usage("characters", characterMembers) },
	"reference_artifact_id": func(r *reading) { r.said.Artifact.Reference = r.id() },
})

var fileMembers = reads(map[string]func(*reading){
	"file_path": func(r *reading) { r.said.Artifact.File.Path = r.text(maxPath) },
	"file_size": func(r *reading) { r.said.Artifact.File.SizeBytes = r.count() },
	"mime_type": func(r *reading) { r.said.Artifact.File.MimeType = r.text(maxWord) },
})

// usage reads one of the three kinds of usage; a body has at most one.
func (r *reading) usage(unit string, table members) {
	if r.dec.PeekKind() != '{' {
		r.object(nil)
		return
	}
	usage := &room.ArtifactUsage{Unit: unit}
	r.said.Artifact.Usage = usage
	r.object(table)
	if usage.Total == 0 {
		usage.Total = usage.Prompt + usage.Completion
	}
}

var tokenMembers = usageMembers("total_tokens", "total_tokens_estimated_cost", map[string]func(*reading){
	"prompt_tokens":     func(r *reading) { r.said.Artifact.Usage.Prompt = r.count() },
	"completion_tokens": func(r *reading) { r.said.Artifact.Usage.Completion = r.count() },
})

var durationMembers = usageMembers("duration_sec", "duration_sec_estimated_cost", map[string]func(*reading){})

var characterMembers = usageMembers("total_characters", "total_characters_estimated_cost", map[string]func(*reading){})

// usageMembers adds to table what each kind of usage has under its own names.
func usageMembers(total, cost string, table map[string]func(*reading)) members {
	table[total] = func(r *reading) { r.said.Artifact.Usage.Total = r.count() }
	table[cost] = func(r *reading) { r.said.Artifact.Usage.EstimatedCost = r.amount(maxCost) }
	table["breakdown"] = func(r *reading) { r.said.Artifact.Usage.Breakdown = r.counts(maxBreakdown) }
	return reads(table)
}

var analyticsMembers = reads(map[string]func(*reading){
	"file_id": func(r *reading) { r.said.AnalyticsID = r.id() },
})

var speechMembers = reads(map[string]func(*reading){
	"user_id":     func(r *reading) { r.said.Speech.UserID = r.id() },
	"total_usage": func(r *reading) { r.said.Speech.Seconds = r.count() },
})
