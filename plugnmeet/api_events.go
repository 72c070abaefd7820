package plugnmeet

import (
	"strconv"
	"strings"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// Events are the facts of the poll, each as an event of KindListed: the sessions, their connections, their
// tracks. They are all of them; what is news among them only who knows the sessions can tell, and the record
// takes no more than that (design 3).
func (p Poll) Events() (events []room.Event) {
	for _, r := range p.Rooms {
		events = append(events, p.EventsOf(r)...)
	}
	return events
}

// EventsOf are those of one session: itself, then each attendee followed by their tracks.
func (p Poll) EventsOf(r ActiveRoom) []room.Event {
	session := p.listed(r, r.SID)
	session.Title, session.ParentRoomID, session.PlannedMinutes = r.Title, r.ParentRoomID, r.PlannedMinutes
	session.CreationTime = r.Created
	events := []room.Event{session}
	for _, a := range r.Attendees {
		if !a.Connected() {
			continue
		}
		who := p.listed(r, a.SID)
		who.Participant = &a.ParticipantSaid
		who.Participant.Roles = &room.Roles{Admin: a.Admin, Presenter: a.Presenter, Waiting: a.Waiting, HandRaised: a.HandRaised, Hidden: a.Hidden}
		events = append(events, who)
		for _, t := range a.Tracks {
			what := p.listed(r, t.SID)
			what.Participant = &room.ParticipantSaid{SID: a.SID, Identity: a.Identity}
			what.Track = &t
			events = append(events, what)
		}
	}
	return events
}

// listed is what all of them have. The id is the same for the same thing of the same poll, so that an entry that
// is appended again is a duplicate.
func (p Poll) listed(r ActiveRoom, id string) room.Event {
	return room.Event{
		Source: p.Source, SID: r.SID, RoomID: r.RoomID, Kind: room.KindListed,
		ID: "api:" + strconv.FormatInt(p.Began.UnixMilli(), 10) + ":" + id,
		At: p.At(), AliveAt: p.AliveAt(), Received: room.At(p.Done),
	}
}

// At is when the poll began, by the clock of the source if that is behind ours: its webhooks tell their times by
// that, and one that is later than the poll must not look earlier.
func (p Poll) At() room.Time { return room.At(p.Began.Add(min(p.Skew, 0))) }

// AliveAt is the latest moment at which an end cannot be later than the poll. Webhooks tell ends in whole
// seconds: one of the second in which the poll began may have come after it.
func (p Poll) AliveAt() room.Time {
	at := p.At()
	return at - at%1000 - 1
}

// noSkew is what the grain of HTTP's Date and the time of an answer on its way can make up.
const noSkew = 2 * time.Second

// skew compares Date, which is cut to the second, with when the answer was there.
func (x exchange) skew() time.Duration {
	if x.date.IsZero() {
		return 0
	}
	if skew := x.date.Add(500 * time.Millisecond).Sub(x.done); skew.Abs() >= noSkew {
		return skew.Round(100 * time.Millisecond)
	}
	return 0
}

// announcedAs is the identity as participant_joined and participant_left tell it: without the + of a caller's
// number, which LiveKit's own list has (contract 4.8).
func announcedAs(identity, kind string) string {
	if kind == "SIP" || strings.HasPrefix(identity, "sip_") {
		return strings.ReplaceAll(identity, "+", "")
	}
	return identity
}

// Event tells that the session was, and when it ended: what webhooks said while nobody listened. ok is false for
// one that runs, since fetchPastRooms lists those, too, and for one whose end cannot be.
//
// It does not say when the session was created: Created is by another clock than Ended, see PastRoom.
func (p PastRoom) Event(source string, now time.Time) (e room.Event, ok bool) {
	if p.SID == "" || p.Running() || p.Ended.After(now.Add(time.Minute)) {
		return e, false
	}
	return room.Event{
		Source: source, SID: p.SID, RoomID: p.RoomID, Kind: room.KindListed, ID: "api:past:" + p.SID,
		At: room.At(p.Ended), Title: p.Title, Received: room.At(now),
		Also: []room.Event{{Kind: room.KindAbsent, At: room.At(p.Ended)}},
	}, true
}

// Event tells that the recording has its file. plugNmeet keeps nothing of one that has none, nor of its start and
// end, nor of streams. ok is false if it does not say of which session.
func (r RecordingFile) Event(source string, now time.Time) (e room.Event, ok bool) {
	e = room.Event{
		Source: source, SID: r.SID, RoomID: r.RoomID, Kind: room.KindListed, ID: "api:recording:" + r.RecordID, At: room.At(r.Created),
		Received: room.At(now), CreationTime: room.At(r.RoomCreated), Job: &room.JobSaid{RecordID: r.RecordID, FilePath: r.FilePath, SizeBytes: r.SizeBytes},
	}
	if e.At == 0 {
		e.At = e.Received
	}
	return e, r.SID != "" && r.FilePath != ""
}

// Event tells of the artifact. plugNmeet's list does not say of which session it is: the caller asked for those
// of this sid.
func (a ArtifactFound) Event(source, sid string, now time.Time) room.Event {
	e := room.Event{
		Source: source, SID: sid, RoomID: a.RoomID, Kind: room.KindListed, ID: "api:artifact:" + a.ID, At: room.At(a.Created),
		Received: room.At(now), Artifact: &a.ArtifactSaid,
	}
	if e.At == 0 {
		e.At = e.Received
	}
	return e
}
