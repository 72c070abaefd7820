package simulate

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// body is a delivery's, in plugNmeet's order of members (contract 2). 64-bit numbers are texts there; what
// the wire shows even when it is zero is a pointer here.
type body struct {
	Event         string           `json:"event"`
	Room          roomPart         `json:"room"`
	Participant   *participantPart `json:"participant,omitzero"`
	RecordingInfo *recordingPart   `json:"recording_info,omitzero"`
	Track         *trackPart       `json:"track,omitzero"`
	Analytics     *analyticsPart   `json:"analytics,omitzero"`
	RoomArtifact  *artifactPart    `json:"room_artifact,omitzero"`
	ID            string           `json:"id"`
	CreatedAt     string           `json:"created_at"`
}

type roomPart struct {
	SID             string         `json:"sid"`
	RoomID          string         `json:"room_id"`
	EmptyTimeout    int            `json:"empty_timeout,omitzero"`
	MaxParticipants *int           `json:"max_participants,omitzero"`
	CreationTime    string         `json:"creation_time,omitzero"`
	EnabledCodecs   jsontext.Value `json:"enabled_codecs,omitzero"`
	Metadata        jsontext.Value `json:"metadata,omitzero"`
	NumParticipants *int           `json:"num_participants,omitzero"`
}

type participantPart struct {
	SID              string            `json:"sid"`
	Identity         string            `json:"identity"`
	State            string            `json:"state,omitzero"`
	JoinedAt         string            `json:"joined_at,omitzero"`
	JoinedAtMS       string            `json:"joined_at_ms,omitzero"`
	Name             string            `json:"name,omitzero"`
	Version          int               `json:"version,omitzero"`
	Permission       *permissionPart   `json:"permission,omitzero"`
	IsPublisher      bool              `json:"is_publisher,omitzero"`
	Kind             string            `json:"kind,omitzero"`
	Attributes       map[string]string `json:"attributes,omitzero"`
	DisconnectReason string            `json:"disconnect_reason,omitzero"`
}

type permissionPart struct {
	CanSubscribe   bool `json:"can_subscribe"`
	CanPublish     bool `json:"can_publish"`
	CanPublishData bool `json:"can_publish_data"`
	Hidden         bool `json:"hidden,omitzero"`
}

type trackPart struct {
	SID               string      `json:"sid"`
	Type              string      `json:"type,omitzero"` // absent for audio
	Name              string      `json:"name,omitzero"`
	Muted             bool        `json:"muted,omitzero"`
	Width             int         `json:"width,omitzero"`
	Height            int         `json:"height,omitzero"`
	Simulcast         bool        `json:"simulcast,omitzero"`
	Source            string      `json:"source"`
	Layers            []layerPart `json:"layers,omitzero"`
	MimeType          string      `json:"mime_type"`
	Mid               string      `json:"mid"`
	Codecs            []codecPart `json:"codecs"`
	Encryption        string      `json:"encryption,omitzero"`
	Stream            string      `json:"stream"`
	Version           versionPart `json:"version"`
	BackupCodecPolicy string      `json:"backup_codec_policy,omitzero"`
}

type layerPart struct {
	Quality      string `json:"quality,omitzero"` // absent for low
	Width        int    `json:"width"`
	Height       int    `json:"height"`
	Bitrate      int    `json:"bitrate,omitzero"`
	SSRC         uint32 `json:"ssrc"`
	SpatialLayer int    `json:"spatial_layer,omitzero"`
}

type codecPart struct {
	MimeType       string      `json:"mime_type"`
	Mid            string      `json:"mid"`
	CID            string      `json:"cid"`
	Layers         []layerPart `json:"layers,omitzero"`
	VideoLayerMode string      `json:"video_layer_mode"`
}

type versionPart struct {
	UnixMicro string `json:"unix_micro"`
}

type recordingPart struct {
	RecordID    string  `json:"record_id"`
	RecorderID  string  `json:"recorder_id"`
	RecorderMsg string  `json:"recorder_msg,omitzero"`
	FilePath    string  `json:"file_path"`
	FileSize    float64 `json:"file_size"` // decimal megabytes
}

type analyticsPart struct {
	FileID string `json:"file_id"`
}

var enabledCodecs = jsontext.Value(`[{"mime":"audio/opus"},{"mime":"audio/red"},{"mime":"video/vp8"},{"mime":"video/vp9"},{"mime":"video/av1"},{"mime":"video/h264"}]`)

const emptyTimeout = 1800 // seconds

// Which members room has depends on the event (contract 1.4). These are the forms.

// bare is all that recordings and artifacts say of their room.
func (s *session) bare() roomPart { return roomPart{SID: s.sid, RoomID: s.roomID} }

func (s *session) described() roomPart {
	r := s.bare()
	r.CreationTime, r.Metadata = seconds(s.created), s.metadata()
	return r
}

// media is what LiveKit says of the room, with plugNmeet's ids and metadata put in.
func (s *session) media() roomPart {
	r := s.described()
	r.EmptyTimeout, r.MaxParticipants, r.NumParticipants = emptyTimeout, new(s.limit), new(s.here())
	r.CreationTime, r.EnabledCodecs = seconds(s.started), enabledCodecs
	return r
}

// mediaOfTrack has placeholders where LiveKit is silent.
func (s *session) mediaOfTrack() roomPart {
	r := s.media()
	r.CreationTime, r.NumParticipants, r.EnabledCodecs = "0", new(0), nil
	return r
}

// metadata is kept until it changes: it is most of a body.
func (s *session) metadata() jsontext.Value {
	if s.wire == nil {
		s.wire = s.meta.wire()
	}
	return s.wire
}

// change is one of plugNmeet's updates of the metadata.
func (s *session) change(how func(*metadata)) {
	how(&s.meta)
	s.meta.ID, s.wire = s.life.dice.uuid(), nil
}

// tell sends what plugNmeet itself has to say: its created_at is when it is sent.
func (s *session) tell(b body) {
	b.ID = s.life.dice.uuid()
	s.send(b, 0)
}

// relay sends what plugNmeet heard from LiveKit. A worker looks some things up before, one of a hundred at
// a time, so that what happened at once may be sent in another order.
func (s *session) relay(b body, held time.Duration) {
	b.ID = s.life.dice.livekitID("EV_", 12)
	s.send(b, held+s.life.dice.about(15*time.Millisecond))
}

func (s *session) send(b body, held time.Duration) {
	l := s.life
	b.CreatedAt = seconds(l.now)
	text, err := json.Marshal(b, json.Deterministic(true))
	if err != nil {
		panic(err) // the types above are all sound
	}
	l.post.put(Delivery{At: l.now.Add(held), RoomID: s.roomID, Event: b.Event, Body: text})
}

func seconds(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func milliseconds(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
