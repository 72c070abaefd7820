package views

import (
	"fmt"
	"maps"
	"math"
	"time"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// telling builds a session the way deliveries do: event by event.
type telling struct {
	*room.Session
	roomID string
	n      int
}

func tell(sid, roomID string) *telling {
	return &telling{Session: room.New(room.Key{Source: "default", SID: sid}), roomID: roomID}
}

func (t *telling) say(minute int, e room.Event) {
	t.n++
	e.Source, e.SID, e.RoomID, e.ID = t.Source, t.SID, t.roomID, fmt.Sprint("EV_", t.n)
	e.At = room.At(noon.Add(time.Duration(minute) * time.Minute))
	t.Apply(e)
}

func (t *telling) begin(title string) {
	t.say(0, room.Event{Kind: room.KindRoomCreated, Title: title})
	t.say(0, room.Event{Kind: room.KindRoomStarted})
}

func (t *telling) join(minute int, connection, identity, name string) room.ParticipantSaid {
	p := room.ParticipantSaid{SID: connection, Identity: identity, Name: name}
	t.say(minute, room.Event{Kind: room.KindParticipantJoined, Participant: &p})
	return p
}

func (t *telling) leave(minute int, p room.ParticipantSaid, reason string) {
	p.Reason = reason
	t.say(minute, room.Event{Kind: room.KindParticipantLeft, Participant: &p})
}

func (t *telling) publish(minute int, p room.ParticipantSaid, track room.TrackSaid) {
	t.say(minute, room.Event{Kind: room.KindTrackPublished, Participant: &p, Track: &track})
}

// meeting has one of everything that a page can show of a session.
func meeting(sid, roomID, title, name string) *telling {
	t := tell(sid, roomID)
	t.begin(title)
	muted := true
	ana := t.join(1, "PA_1", "u-1", name)
	t.publish(1, ana, room.TrackSaid{SID: "TR_1", Source: "microphone", Mime: "audio/red", Muted: &muted})
	t.publish(1, ana, room.TrackSaid{SID: "TR_2", Source: "camera", Mime: "video/VP8", Width: 1280, Height: 720, Simulcast: true})
	t.publish(2, ana, room.TrackSaid{SID: "TR_3", Source: "screen_share", Mime: "video/VP9", Width: 1920, Height: 1080})
	t.join(1, "PA_2", "RECORDER_BOT", "RECORDER_BOT")
	bob := t.join(2, "PA_3", "u-2", "Bob")
	t.leave(10, bob, "CONNECTION_TIMEOUT")
	t.join(12, "PA_4", "u-2", "Bob")
	cleo := t.join(3, "PA_5", "u-3", "Cleo")
	t.leave(8, cleo, "PARTICIPANT_REMOVED")
	t.say(4, room.Event{Kind: room.KindRecordingStarted, Job: &room.JobSaid{RecordID: "rec-1", RecorderID: "node_01", Message: "success"}})
	t.say(5, room.Event{Kind: room.KindStreamStarted, Job: &room.JobSaid{RecordID: "rtmp-1", RecorderID: "node_01"}})
	t.say(9, room.Event{Kind: room.KindRecordingStarted, Job: &room.JobSaid{RecordID: "rec-2", RecorderID: "node_02"}})
	t.say(10, room.Event{Kind: room.KindRecordingEnded, Job: &room.JobSaid{RecordID: "rec-2", RecorderID: "node_02", Message: "no space left"}})
	t.say(11, room.Event{Kind: room.KindRecordingProceeded, Job: &room.JobSaid{RecordID: "rec-0", FilePath: "/a/b/c.mp4", SizeBytes: 184_370_000}})
	file := &room.ArtifactFile{Path: "x/y.vtt", SizeBytes: 48_200, MimeType: "text/vtt"}
	usage := &room.ArtifactUsage{Unit: "tokens", Total: 41_900, EstimatedCost: 0.00446}
	t.say(13, room.Event{Kind: room.KindArtifactCreated, Artifact: &room.ArtifactSaid{ID: "a-1", Type: "SPEECH_TRANSCRIPTION", File: file}})
	t.say(13, room.Event{Kind: room.KindArtifactCreated, Artifact: &room.ArtifactSaid{ID: "a-2", Type: "MEETING_SUMMARY_USAGE", Usage: usage}})
	t.say(14, room.Event{Kind: room.KindAnalyticsProceeded, AnalyticsID: "an-1"})
	t.say(14, room.Event{Kind: room.KindSpeechUsage, Speech: &room.SpeechSaid{UserID: "u-1", Seconds: 120}})
	return t
}

// models are one page of each kind, in the states that look different, out of what somebody typed.
func models(typed string) map[string]live.Model {
	whole := meeting("sid-"+typed, typed, typed, typed)
	detail, sum := whole.Detail(), whole.Summary()
	created := tell("sid-2", "room02")
	created.say(0, room.Event{Kind: room.KindRoomCreated, ParentRoomID: typed})
	sub := created.Summary()
	whole.say(20, room.Event{Kind: room.KindSessionEnded})
	over, gone := whole.Detail(), whole.Summary()
	gone.SID += " ended"
	disputed, unverified, found := sum, sum, sum
	disputed.SID, disputed.Trust, disputed.Capped = "sid-3", room.TrustDisputed, true
	unverified.SID, unverified.Trust = "sid-4", room.TrustUnverified
	found.SID, found.KnownBy, found.Trust, found.VerifiedAt = "sid-5", "api", room.TrustConfirmed, noon
	sources := []live.SourceState{{Name: "default", LastDeliveryAt: noon, ReconciledAt: noon, Status: "receiving"}, {Name: typed, Status: "waiting"}}
	rows := []live.Row{{Summary: &sum}, {Summary: &sub, Breakout: true}, {Summary: &disputed}, {Summary: &unverified}, {Summary: &found}}
	sum.Title = typed
	busy := live.Hour{Slots: 20, Recorded: 0xf0f, Streamed: 1 << 29}
	for i := range busy.People {
		busy.People[i] = uint16(i * i)
	}
	rows[0].Hour = busy
	totals := room.Totals{Rooms: 5, People: 40, Bots: 4, Microphones: 8, Cameras: 4, Screens: 4, RecordingsActive: 4, StreamsActive: 4}
	pages := map[string]live.Model{
		"overview":          live.Overview{Query: live.RoomQuery{Text: typed, Only: live.OnlyRecording}, Totals: totals, Rows: rows, Matches: len(rows), Pages: 1, Counts: live.RoomCounts{Screens: 1, Empty: math.MaxInt32}, Ended: []*room.Summary{&gone}, Sources: sources, Alarms: alarmFixtures(typed)},
		"overview in part":  live.Overview{Query: live.RoomQuery{Sort: "room", Page: 3}, Rows: rows[:1], Before: 100, Matches: 10_482, Pages: 210, Totals: totals, Sources: sources},
		"overview narrowed": live.Overview{Query: live.RoomQuery{Only: live.OnlyEmpty}, Totals: totals, Pages: 1, Sources: sources},
		"overview no match": live.Overview{Query: live.RoomQuery{Text: typed}, Totals: totals, Sources: sources},
		"overview quiet":    live.Overview{Sources: sources},
		"overview new":      live.Overview{Sources: sources[1:]},
		"room":              live.Room{SID: sum.SID, Detail: &detail, Parent: &sub, Breakouts: []*room.Summary{&sub, &gone}, Sources: sources, Minute: noon.Add(25 * time.Minute), Deliveries: deliveryRows(typed), More: typed},
		"room ended":        live.Room{AlarmCount: math.MaxInt32, SID: sum.SID, Detail: &over, Sources: sources, Minute: noon.Add(time.Hour), Span: live.SpanSession},
		"room bare":         live.Room{SID: sub.SID, Detail: ptr(created.Detail()), Sources: sources},
		"room unknown":      live.Room{SID: typed, Sources: sources},
	}
	maps.Copy(pages, listModels(typed))
	return pages
}

// concernsKnown are all that room names, and one that it may name some day.
var concernsKnown = []room.Concern{room.ConcernStreamFailed, room.ConcernRecordingBroken, room.ConcernFileOverdue, room.ConcernRecordingNobody, room.ConcernStreamNobody,
	room.ConcernDisputed, room.ConcernRoomEmpty, room.ConcernRoomOverdue, room.ConcernSourceSilent, room.ConcernAPIFailing, room.ConcernIntakeRefused, "boredom"}

// alarmFixtures are more than a page lists: of each concern one with everything and one with nothing known,
// and many of one.
func alarmFixtures(typed string) (out []room.Alarm) {
	for i, c := range concernsKnown {
		out = append(out,
			room.Alarm{Concern: c, Source: typed, SID: "sid-" + typed, RoomID: typed, Title: typed, RecordID: typed, Since: at(-i), Limit: 15 * time.Minute, Recorder: typed, Message: typed, Count: math.MaxInt32},
			room.Alarm{Concern: c, RecordID: "bare"})
	}
	for i := range alarmsMost {
		out = append(out, room.Alarm{Concern: room.ConcernFileOverdue, Source: "default", SID: fmt.Sprint("many-", i), Since: at(-100), Limit: math.MaxInt64})
	}
	return out
}

func ptr[T any](v T) *T { return &v }
