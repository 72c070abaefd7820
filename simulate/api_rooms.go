package simulate

import (
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/roomwatch/roomwatch/room"
)

// The forms of answers have every member, with zero values too, and 64-bit numbers as texts (contract 5.1).

type activeRoomsAnswer struct {
	status
	Rooms []activeRoom `json:"rooms"`
}

type activeRoom struct {
	Info         activeInfo `json:"room_info"`
	Participants []attendee `json:"participants_info"`
}

type activeInfo struct {
	Title        string         `json:"room_title"`
	RoomID       string         `json:"room_id"`
	SID          string         `json:"sid"`
	Joined       string         `json:"joined_participants"`
	Running      int            `json:"is_running"`
	Recording    int            `json:"is_recording"`
	Streaming    int            `json:"is_active_rtmp"`
	WebhookURL   string         `json:"webhook_url"`
	Breakout     int            `json:"is_breakout_room"`
	ParentRoomID string         `json:"parent_room_id"`
	CreationTime string         `json:"creation_time"`
	Metadata     jsontext.Value `json:"metadata"`
}

type attendee struct {
	SID              string            `json:"sid"`
	Identity         string            `json:"identity"`
	State            string            `json:"state"`
	Tracks           []attendeeTrack   `json:"tracks"`
	Metadata         string            `json:"metadata"`
	JoinedAt         string            `json:"joined_at"`
	JoinedAtMS       string            `json:"joined_at_ms"`
	Name             string            `json:"name"`
	Version          int               `json:"version"`
	Permission       attendeeMay       `json:"permission"`
	Region           string            `json:"region"`
	IsPublisher      bool              `json:"is_publisher"`
	Kind             string            `json:"kind"`
	Attributes       map[string]string `json:"attributes"`
	DisconnectReason string            `json:"disconnect_reason"`
	KindDetails      []string          `json:"kind_details"`
	DataTracks       []string          `json:"data_tracks"`
	ClientProtocol   int               `json:"client_protocol"`
	Capabilities     []string          `json:"capabilities"`
}

type attendeeMay struct {
	CanSubscribe      bool     `json:"can_subscribe"`
	CanPublish        bool     `json:"can_publish"`
	CanPublishData    bool     `json:"can_publish_data"`
	CanPublishSources []string `json:"can_publish_sources"`
	Hidden            bool     `json:"hidden"`
	Recorder          bool     `json:"recorder"`
	Agent             bool     `json:"agent"`
}

type attendeeTrack struct {
	SID        string `json:"sid"`
	Type       string `json:"type"`
	Name       string `json:"name"`
	Muted      bool   `json:"muted"`
	Width      int    `json:"width"`
	Height     int    `json:"height"`
	Simulcast  bool   `json:"simulcast"`
	Source     string `json:"source"`
	MimeType   string `json:"mime_type"`
	Encryption string `json:"encryption"`
	Stream     string `json:"stream"`
}

// activeRooms lists what runs. That nothing does is status false, not an empty list.
func (a *API) activeRooms(apiRequest) any {
	fault := Fault(a.fault.Load())
	running := a.running()
	if len(running) == 0 || fault == NoRooms {
		return no("NOT_FOUND", "no active room found")
	}
	answer := activeRoomsAnswer{success, []activeRoom{}}
	for i, d := range running {
		if fault == AllOmitted || fault == HalfOmitted && i%2 == 1 {
			continue
		}
		r := activeRoom{activeInfoOf(d), attendees(d)}
		switch fault {
		case Deserted:
			r.Participants = []attendee{}
		case HalfDeserted:
			r.Participants = everyOther(r.Participants)
		case Miscounted:
			r.Info.Joined = strconv.Itoa(counted(d) + miscount)
		}
		answer.Rooms = append(answer.Rooms, r)
	}
	return answer
}

func everyOther(all []attendee) []attendee {
	half := []attendee{}
	for i := 0; i < len(all); i += 2 {
		half = append(half, all[i])
	}
	return half
}

// activeInfoOf is with the secrets that plugNmeet tells its integrators.
func activeInfoOf(d room.Detail) activeInfo {
	meta := metadata{Title: d.Title, ParentRoomID: d.ParentRoomID, PlannedMinutes: d.PlannedMinutes, StartedAt: d.CreatedAt, ID: d.SID,
		WebhookURL: SecretWebhook, EncryptionKey: "e2ee-key-of-" + d.SID, SIPPin: "4711", StreamKey: "stream-key"}
	sum := d.Summary()
	return activeInfo{
		Title: d.Title, RoomID: d.RoomID, SID: d.SID, Joined: strconv.Itoa(counted(d)), Running: 1,
		Recording: min(sum.RecordingsActive, 1), Streaming: min(sum.StreamsActive, 1), WebhookURL: SecretWebhook,
		Breakout: min(len(d.ParentRoomID), 1), ParentRoomID: d.ParentRoomID, CreationTime: seconds(d.CreatedAt), Metadata: meta.wire(),
	}
}

// SecretWebhook is the webhook_url of every room: nobody should repeat it.
const SecretWebhook = "https://hooks.example.org/meet?token=s3cr3t"

// counted is whom joined_participants counts: everybody but the agents, callers too.
func counted(d room.Detail) (n int) {
	for _, p := range d.Participants {
		if p.Online && !strings.HasPrefix(p.Identity, agentPrefix) {
			n++
		}
	}
	return n
}

// attendees are those that plugNmeet lists: an identity once, on its newest connection.
func attendees(d room.Detail) []attendee {
	all := []attendee{}
	for _, p := range d.Participants {
		if !listable(p.Identity) {
			continue
		}
		for i := len(p.Connections) - 1; i >= 0; i-- {
			if c := p.Connections[i]; c.Open {
				all = append(all, attendeeOf(p, c))
				break
			}
		}
	}
	return all
}

// kinds of LiveKit's, for those who are not STANDARD.
var livekitKinds = map[string]string{"sip": "SIP", "ingress": "INGRESS"}

func attendeeOf(p room.Participant, c room.Connection) attendee {
	a := attendee{
		SID: c.SID, Identity: p.Identity, State: "ACTIVE", Tracks: []attendeeTrack{}, Metadata: userMetadata(p), JoinedAt: seconds(c.JoinedAt),
		JoinedAtMS: milliseconds(c.JoinedAt), Name: p.Name, Version: 2, Kind: "STANDARD", Attributes: map[string]string{},
		Permission:       attendeeMay{CanSubscribe: true, CanPublish: true, CanPublishData: true, CanPublishSources: []string{}, Hidden: p.Kind == "agent"},
		DisconnectReason: "UNKNOWN_REASON", KindDetails: []string{}, DataTracks: []string{}, ClientProtocol: 1, Capabilities: []string{},
	}
	if kind, other := livekitKinds[p.Kind]; other {
		a.Kind = kind
	}
	if number, caller := strings.CutPrefix(p.Identity, callerPrefix); caller {
		a.Attributes["sip.phoneNumber"] = number
	}
	if hybrid(p.Identity) { // under the identity of the connection that webhooks speak of, and else the twin
		a.SID, a.Attributes["original_user_id"] = twinOf(c.SID), p.Identity
		a.JoinedAt, a.JoinedAtMS = seconds(c.JoinedAt.Add(twinAfter)), milliseconds(c.JoinedAt.Add(twinAfter))
	}
	for _, t := range p.Tracks {
		if t.Open {
			a.Tracks, a.IsPublisher = append(a.Tracks, attendeeTrackOf(t)), true
		}
	}
	return a
}

func attendeeTrackOf(t room.Track) attendeeTrack {
	return attendeeTrack{SID: t.SID, Type: strings.ToUpper(t.Media), Muted: t.Muted, Width: t.Width, Height: t.Height, Simulcast: t.Simulcast,
		Source: strings.ToUpper(t.Source), MimeType: t.Mime, Encryption: "NONE", Stream: "camera"}
}

// userMetadata is of a moderator if the identity ends in 1, who presents and, with a camera on, raises a hand.
func userMetadata(p room.Participant) string {
	if !p.Human() {
		return ""
	}
	moderator := strings.HasSuffix(p.Identity, "1")
	hand := "null"
	for _, t := range p.Tracks {
		if moderator && t.Open && t.Source == "camera" {
			hand = `{"is_raised":true,"raised_at":"` + milliseconds(t.PublishedAt) + `"}`
		}
	}
	is := strconv.FormatBool(moderator)
	return `{"profile_pic":"https://e.org/a.png","is_admin":` + is + `,"record_webcam":true,"is_presenter":` + is + `,"raised_hand":` + hand +
		`,"wait_for_approval":false,"lock_settings":{"lock_whiteboard":false},"metadata_id":"0c5e","extra_data":{}}`
}

// miscount is how many more than are there a wrong counter says.
const miscount = 3

// yearOne is how plugNmeet writes the end of what has not ended.
const yearOne = "0001-01-01T00:00:00Z"

func dateOf(t time.Time) string {
	if t.IsZero() {
		return yearOne
	}
	return t.UTC().Format(time.RFC3339)
}
