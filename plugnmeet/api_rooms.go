package plugnmeet

import (
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// Poll is what one call of getActiveRoomsInfo says: who is there now (contract 5.3, 5.5).
//
// What it lists was so at some moment since Began. That it does not list something is weaker: plugNmeet leaves
// out a room whose live data it cannot find, and everybody in a room of which LiveKit does not answer in time,
// and says success all the same. None, Hollow, Unreadable and ActiveRoom.Hollow tell what can be told of that.
type Poll struct {
	Source string
	Began  time.Time     // when it was asked, by our clock
	Done   time.Time     // when it had answered
	Skew   time.Duration // how far the source's clock is ahead of ours, 0 if less than two seconds or not known
	Rooms  []ActiveRoom  // by plugNmeet's order; each sid once

	None       bool // plugNmeet says in so many words that no session runs
	Unreadable int  // entries without a sid or an identity, which are left out: the poll is not complete
}

// Hollow: plugNmeet had sessions to list and lists none, so their live data (NATS) is out of its reach. Such a
// poll is no word on what ended.
func (p Poll) Hollow() bool { return len(p.Rooms) == 0 && !p.None }

// Blind: plugNmeet counts people and lists nobody in any room, so that LiveKit's list is out of its reach.
func (p Poll) Blind() bool {
	counts := false
	for _, r := range p.Rooms {
		if len(r.Attendees) > 0 {
			return false
		}
		counts = counts || r.Hollow()
	}
	return counts
}

// ActiveRoom is one session that runs.
type ActiveRoom struct {
	SID, RoomID    string
	Title          string
	ParentRoomID   string // of a breakout
	Created        room.Time
	PlannedMinutes int
	Recording      bool // plugNmeet says that a recording goes on, not which
	Streaming      bool
	Joined         int // plugNmeet's counter of who is here, bots and callers too; it may be off until its janitor has come by
	Attendees      []Attendee
}

// Hollow: nobody is listed although plugNmeet counts somebody. Either LiveKit did not answer it, or the counter
// is off: that nobody is listed is no proof that they left.
func (r ActiveRoom) Hollow() bool { return len(r.Attendees) == 0 && r.Joined > 0 }

// Listed is how many people and bots are listed: identities, of which a hybrid user may be listed on two connections.
func (r ActiveRoom) Listed() int {
	seen := make(map[string]bool, len(r.Attendees))
	for _, a := range r.Attendees {
		seen[a.Identity] = true
	}
	return len(seen)
}

// Attendee is somebody in a session now. A hybrid user is listed with the sid of their twin, the connection on which the
// app publishes, which webhooks do not tell of. Nobody is listed who is in a waiting room, and none of those of whom
// plugNmeet has no record under LiveKit's identity: callers from outside (sip_+…) and insight agents.
type Attendee struct {
	room.ParticipantSaid        // with the identity as participant_joined has it: without the + of a caller
	State                string // JOINING, JOINED, ACTIVE, DISCONNECTED, or "" when not said
	Hidden               bool
	Tracks               []room.TrackSaid // Muted is as it is now
	Admin                bool             // a moderator
	Presenter            bool
	Waiting              bool      // wait_for_approval
	HandRaised           bool      // HandRaisedAt is since when, 0 if that is not said
	HandRaisedAt         room.Time // by the browser's clock
}

// Connected: LiveKit counts the connection, so that there is or will be a participant_joined of it.
func (a Attendee) Connected() bool { return a.State == "" || a.State == "ACTIVE" }

type activeRoomsAnswer struct {
	reply
	Rooms many[activeRoomWire] `json:"rooms"`
}

type activeRoomWire struct {
	Info         maybe[activeInfoWire]   `json:"room_info"`
	Participants many[participantInWire] `json:"participants_info"`
}

// activeInfoWire leaves out webhook_url, which may carry a token.
type activeInfoWire struct {
	Title        words                  `json:"room_title"`
	RoomID       words                  `json:"room_id"`
	SID          words                  `json:"sid"`
	Joined       amount                 `json:"joined_participants"`
	Recording    flag                   `json:"is_recording"`
	Streaming    flag                   `json:"is_active_rtmp"`
	ParentRoomID words                  `json:"parent_room_id"`
	CreationTime amount                 `json:"creation_time"`
	Metadata     document[metadataWire] `json:"metadata"`
}

// metadataWire is all that is taken of room.metadata: the rest holds the room's secrets (contract 2.8).
type metadataWire struct {
	Title        words                `json:"room_title"`
	ParentRoomID words                `json:"parent_room_id"`
	Features     maybe[featuresAsked] `json:"room_features"`
}

type featuresAsked struct {
	Duration amount `json:"room_duration"`
}

type participantInWire struct {
	SID        words                      `json:"sid"`
	Identity   words                      `json:"identity"`
	State      words                      `json:"state"`
	Tracks     many[trackInWire]          `json:"tracks"`
	Metadata   document[userMetadataWire] `json:"metadata"`
	JoinedAt   amount                     `json:"joined_at"`
	JoinedAtMS amount                     `json:"joined_at_ms"`
	Name       words                      `json:"name"`
	Permission maybe[permissionWire]      `json:"permission"`
	Kind       words                      `json:"kind"`
}

type permissionWire struct {
	Hidden flag `json:"hidden"`
}

// userMetadataWire, contract 2.9.
type userMetadataWire struct {
	Admin      flag                  `json:"is_admin"`
	Presenter  flag                  `json:"is_presenter"`
	Waiting    flag                  `json:"wait_for_approval"`
	RaisedHand maybe[raisedHandWire] `json:"raised_hand"`
}

type raisedHandWire struct {
	Raised flag   `json:"is_raised"`
	At     amount `json:"raised_at"`
}

type trackInWire struct {
	SID        words  `json:"sid"`
	Type       words  `json:"type"`
	Source     words  `json:"source"`
	Mime       words  `json:"mime_type"`
	Width      amount `json:"width"`
	Height     amount `json:"height"`
	Simulcast  flag   `json:"simulcast"`
	Encryption words  `json:"encryption"`
	Muted      *flag  `json:"muted"`
}

func (a *activeRoomsAnswer) poll(source string, got exchange) Poll {
	p := Poll{Source: source, Began: got.began, Done: got.done, Skew: got.skew(), None: !*a.Status}
	seen := make(map[string]bool, len(a.Rooms))
	for _, wire := range a.Rooms {
		r, unreadable := wire.room()
		p.Unreadable += unreadable
		switch {
		case r.SID == "":
			p.Unreadable++
		case !seen[r.SID]:
			seen[r.SID] = true
			p.Rooms = append(p.Rooms, r)
		}
	}
	return p
}

func (w activeRoomWire) room() (r ActiveRoom, unreadable int) {
	info := w.Info.or()
	metadata := info.Metadata.or()
	r = ActiveRoom{
		SID: info.SID.id(), RoomID: info.RoomID.id(), Title: info.Title.cut(maxTitle), ParentRoomID: info.ParentRoomID.id(),
		Created: info.CreationTime.since1970(1000), PlannedMinutes: metadata.Features.or().Duration.small(),
		Recording: bool(info.Recording), Streaming: bool(info.Streaming), Joined: info.Joined.small(),
	}
	if r.Title == "" {
		r.Title = metadata.Title.cut(maxTitle)
	}
	if r.ParentRoomID == "" {
		r.ParentRoomID = metadata.ParentRoomID.id()
	}
	for _, p := range w.Participants {
		attendee := p.attendee()
		if attendee.SID == "" || attendee.Identity == "" {
			unreadable++
			continue
		}
		r.Attendees = append(r.Attendees, attendee)
	}
	return r, unreadable
}

var participantStates = []string{"JOINING", "JOINED", "ACTIVE", "DISCONNECTED"}

func (w participantInWire) attendee() Attendee {
	user := w.Metadata.or()
	hand := user.RaisedHand.or()
	a := Attendee{
		ParticipantSaid: room.ParticipantSaid{SID: w.SID.id(), Name: w.Name.cut(maxName), Kind: w.Kind.enum(participantKinds), JoinedAt: w.joined()},
		Hidden:          bool(w.Permission.or().Hidden), Admin: bool(user.Admin), Presenter: bool(user.Presenter), Waiting: bool(user.Waiting),
		HandRaised: bool(hand.Raised),
	}
	a.Identity = announcedAs(w.Identity.id(), a.Kind)
	if w.State != "" {
		a.State = participantStates[max(0, indexOf(participantStates, string(w.State)))] // a state we don't know is none that counts
	}
	if a.HandRaised {
		a.HandRaisedAt = hand.At.since1970(1)
	}
	for _, t := range w.Tracks {
		if track := t.track(); track.SID != "" {
			a.Tracks = append(a.Tracks, track)
		}
	}
	return a
}

// joined takes the finer of two times only if it refines the other.
func (w participantInWire) joined() room.Time {
	seconds, ms := w.JoinedAt.since1970(1000), w.JoinedAtMS.since1970(1)
	if seconds == 0 || ms != 0 && ms/1000 == seconds/1000 {
		return ms
	}
	return seconds
}

func (w trackInWire) track() room.TrackSaid {
	t := room.TrackSaid{
		SID: w.SID.id(), Source: w.Source.oneOf(trackSources), Media: w.Type.oneOf(trackTypes), Mime: w.Mime.cut(maxWord),
		Width: w.Width.small(), Height: w.Height.small(), Simulcast: bool(w.Simulcast), Encryption: w.Encryption.enum(encryptions),
	}
	if w.Muted != nil {
		t.Muted = new(bool(*w.Muted))
	}
	return t
}
