package views

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// gallery makes what the gallery shows, all of one moment, so that ages are what they are meant to be.
type gallery struct{ now time.Time }

// ago is a moment so many minutes before now.
func (g gallery) ago(minutes int) time.Time { return g.now.Add(-time.Duration(minutes) * time.Minute) }

// What people type, and what no column is wide enough for.
const (
	plainName  = "Weekly ops"
	longName   = "Platform all-hands: Q4 roadmap, hiring freeze and the new on-call rotation for everybody who has not heard of it yet"
	arabicName = "اجتماع مجلس الإدارة: مراجعة الربع الرابع والميزانية"
	emojiName  = "🚑 Übergabe Klinikum Nord, Station 4 👩‍👩‍👧‍👦 花子"
	markupName = `Choir rehearsal <altos & "tenors">`
)

var wordName = strings.Repeat("Donaudampfschifffahrt", 8)

// staged is a session that is told event by event, as deliveries do.
type staged struct {
	*room.Session
	g     gallery
	begun int // minutes ago
	n     int
}

func (g gallery) stage(sid, roomID, title string, begun int) *staged {
	s := &staged{Session: room.New(room.Key{Source: "default", SID: sid}), g: g, begun: begun}
	s.say(0, room.Event{Kind: room.KindRoomCreated, RoomID: roomID, Title: title})
	s.say(0, room.Event{Kind: room.KindRoomStarted, RoomID: roomID})
	return s
}

// say tells an event so many minutes after the begin.
func (s *staged) say(minute int, e room.Event) {
	s.n++
	e.Source, e.SID, e.ID = s.Source, s.SID, fmt.Sprint("EV_", s.n)
	e.At = room.At(s.g.ago(s.begun - minute))
	s.Apply(e)
}

func (s *staged) join(minute int, identity, name string) room.ParticipantSaid {
	p := room.ParticipantSaid{SID: fmt.Sprint("PA_", identity, minute), Identity: identity, Name: name}
	s.say(minute, room.Event{Kind: room.KindParticipantJoined, Participant: &p})
	return p
}

func (s *staged) leave(minute int, p room.ParticipantSaid, reason string) {
	p.Reason = reason
	s.say(minute, room.Event{Kind: room.KindParticipantLeft, Participant: &p})
}

func (s *staged) publish(minute int, p room.ParticipantSaid, t room.TrackSaid) {
	s.n++
	t.SID = fmt.Sprint("TR_", s.n)
	s.say(minute, room.Event{Kind: room.KindTrackPublished, Participant: &p, Track: &t})
}

func (s *staged) job(minute int, kind room.Kind, id, message, path string, size int64) {
	s.say(minute, room.Event{Kind: kind, Job: &room.JobSaid{RecordID: id, RecorderID: "node_01", Message: message, FilePath: path, SizeBytes: size}})
}

// meeting is an hour with one of everything: each way to leave, each kind of track, each state of a job.
func (g gallery) meeting(begun int) *staged {
	s := g.stage("770aa658-cb96-4525-8930-57d5a3d2e818", "rig-f1-1", longName, begun)
	muted := true
	for i, name := range []string{"Aïcha Benali", arabicName, emojiName, wordName, `Chloé "Coco" <Martin>`} {
		p := s.join(1+i, fmt.Sprint("user-0", i), name)
		s.publish(2+i, p, room.TrackSaid{Source: "microphone", Mime: "audio/red", Muted: &muted})
		s.publish(3+i, p, room.TrackSaid{Source: "camera", Mime: "video/VP8", Width: 1280, Height: 720, Simulcast: true})
		if i%2 == 0 {
			s.publish(20+10*i, p, room.TrackSaid{Source: "screen_share", Mime: "video/VP9", Width: 1920, Height: 1080})
		}
	}
	for i, reason := range slices.Sorted(maps.Keys(reasonSigns)) {
		p := s.join(5+i, fmt.Sprint("left-", i), fmt.Sprint("Leaver ", i+1))
		s.publish(6+i, p, room.TrackSaid{Source: "microphone", Mime: "audio/opus"})
		s.leave(24+i, p, reason)
	}
	back := s.join(2, "twice", "Jürgen Groß")
	s.leave(20, back, "CONNECTION_TIMEOUT")
	s.join(40, "twice", "Jürgen Groß")
	s.join(8, "sip_4412", "George & Sons")
	s.join(9, "RECORDER_BOT", "RECORDER_BOT")
	s.job(6, room.KindRecordingStarted, "rec-failed", "success", "", 0)
	s.job(30, room.KindRecordingEnded, "rec-failed", "no space left on device", "", 0)
	s.job(8, room.KindRecordingStarted, "rec-ready", "success", "", 0)
	s.job(30, room.KindRecordingEnded, "rec-ready", "success", "", 0)
	s.job(44, room.KindRecordingProceeded, "rec-ready", "success", "node_01/770aa658/770aa658-cb96-4525-8930-57d5a3d2e818-1795311101327.mp4", 184_370_000)
	s.job(10, room.KindRecordingStarted, "rec-processing", "success", "", 0)
	s.job(50, room.KindRecordingEnded, "rec-processing", "success", "", 0)
	s.job(51, room.KindRecordingStarted, "rec-superseded", "success", "", 0)
	s.job(55, room.KindRecordingStarted, "rec-active", "success", "", 0)
	s.job(9, room.KindStreamStarted, "rtmp-ended", "success", "", 0)
	s.job(33, room.KindStreamEnded, "rtmp-ended", "success", "", 0)
	s.job(36, room.KindStreamStarted, "rtmp-failed", "success", "", 0)
	s.job(50, room.KindStreamEnded, "rtmp-failed", "ffmpeg exited: exit status 1", "", 0)
	s.job(52, room.KindStreamStarted, "rtmp-superseded", "success", "", 0)
	s.job(54, room.KindStreamStarted, "rtmp-live", "success", "", 0)
	return s
}

// over is the same meeting after its end, with what followed.
func (g gallery) over() *staged {
	s := g.meeting(190)
	s.say(72, room.Event{Kind: room.KindSessionEnded})
	s.job(85, room.KindRecordingProceeded, "rec-active", "success", "node_01/a.mp4", 1_210_000_000)
	for i, kind := range artifactKinds {
		a := &room.ArtifactSaid{ID: fmt.Sprint("a-", i), Type: kind}
		if strings.HasSuffix(kind, "_USAGE") {
			a.Usage = &room.ArtifactUsage{Unit: "tokens", Total: 41_900, Prompt: 41_000, Completion: 900, EstimatedCost: 0.0045 * float64(i-3)}
		} else {
			a.File = &room.ArtifactFile{Path: "x/y.vtt", SizeBytes: 48_200, MimeType: "text/vtt"}
		}
		s.say(74+i*i, room.Event{Kind: room.KindArtifactCreated, Artifact: a})
	}
	s.say(110, room.Event{Kind: room.KindAnalyticsProceeded, AnalyticsID: "8b7ff368-5a08-4827-a496-3a1b88633fa0"})
	s.say(111, room.Event{Kind: room.KindSpeechUsage, Speech: &room.SpeechSaid{UserID: "user-01", Seconds: 7200}})
	return s
}

// crowd is more people than a screen holds lanes.
func (g gallery) crowd() *staged {
	s := g.stage("crowd", "all-hands", "All hands", 50)
	for i := range 44 {
		p := s.join(i%30, fmt.Sprint("u-", i), fmt.Sprint("Person ", i+1))
		s.publish(i%30+1, p, room.TrackSaid{Source: []string{"camera", "microphone"}[i%2], Mime: "video/VP8"})
	}
	return s
}

// roomOf is the page of a session.
func (g gallery) roomOf(s *staged) live.Room {
	d := s.Detail()
	return live.Room{SID: d.SID, Detail: &d, Sources: g.sources(), Minute: g.now, Deliveries: g.deliveries(), More: "more"}
}

func (g gallery) sources() []live.SourceState {
	return []live.SourceState{
		{Name: "default", LastDeliveryAt: g.now.Add(-400 * time.Millisecond), ReconciledAt: g.now.Add(-12 * time.Second), Status: "receiving", API: live.APIAnswering, Rooms: 24, Agreed: 23},
		{Name: "emea-2", LastDeliveryAt: g.ago(4), Status: "receiving", API: live.APINone,
			Clocks: live.ClockState{Skew: -10_000, MeasuredAt: g.ago(9)}},
		{Name: "quiet", LastDeliveryAt: g.ago(300), ReconciledAt: g.ago(7), Status: "receiving", API: live.APIFailing, APISince: g.ago(6),
			APIError: "plugNmeet API: room/getActiveRoomsInfo: cannot be reached: nothing listens there"},
		{Name: "frankfurt-production-cluster", Status: "waiting", API: live.APIWaiting},
	}
}

// rows are sessions in each state that the list of live rooms tells apart.
func (g gallery) rows() (out []live.Row) {
	busy := g.meeting(72).Summary()
	add := func(breakout bool, change func(*room.Summary)) {
		s := room.Summary{Head: room.Head{Source: "default", SID: fmt.Sprint("sid-", len(out)), RoomID: "room01", Title: plainName, State: room.StateLive, KnownBy: "webhook",
			Trust: room.TrustConfirmed, CreatedAt: g.ago(23), LastEventAt: g.now.Add(-3 * time.Second), People: 5, PeakPeople: 6}, Microphones: 3, Cameras: 4}
		change(&s)
		out = append(out, live.Row{Summary: &s, Breakout: breakout})
	}
	add(false, func(s *room.Summary) {})
	add(false, func(s *room.Summary) { *s = busy })
	add(true, func(s *room.Summary) { s.Title, s.ParentRoomID, s.Bots = "Group 1: kinases", "rig-f1-1", 1 })
	add(false, func(s *room.Summary) { s.Title, s.RoomID, s.Screens = arabicName, "board-q4", 1 })
	add(false, func(s *room.Summary) { s.Title, s.RoomID = emojiName, "uebergabe-4n" })
	add(false, func(s *room.Summary) { s.Title, s.RoomID = wordName, strings.Repeat("w", 80) })
	add(false, func(s *room.Summary) { s.Title, s.RoomID = markupName, "choir-at" })
	add(false, func(s *room.Summary) { s.Title = "" })
	add(false, func(s *room.Summary) {
		s.Title, s.People, s.Bots, s.Microphones, s.Cameras, s.Screens = "As many as there can be", 12345, 678, 9012, 3456, 789
		s.CreatedAt, s.RecordingsActive, s.StreamsActive = g.ago(60*24*12), 3, 2
		s.RecordingSince, s.StreamingSince = g.ago(60*24*3), g.ago(60*24*2)
	})
	add(false, func(s *room.Summary) {
		s.Title, s.People, s.Microphones, s.Cameras = "Nobody is left", 0, 0, 0
		s.RecordingsActive, s.RecordingSince, s.EmptySince = 1, g.ago(20), g.ago(12)
	})
	add(false, func(s *room.Summary) {
		s.Title, s.State, s.People, s.Microphones, s.Cameras = "Created", room.StateCreated, 0, 0, 0
	})
	add(false, func(s *room.Summary) { s.Title, s.Trust = "Disputed", room.TrustDisputed })
	add(false, func(s *room.Summary) { s.Title, s.Trust = "Not verified", room.TrustUnverified })
	add(false, func(s *room.Summary) {
		s.Title, s.KnownBy, s.LastEventAt, s.VerifiedAt = "Found by the API", "api", time.Time{}, g.now.Add(-12*time.Second)
	})
	add(false, func(s *room.Summary) { s.Title, s.Trust, s.Capped = "Unconfirmed, capped", room.TrustUnconfirmed, true })
	return out
}

// history are sessions in each way that the list of sessions shows them.
func (g gallery) history() (out []room.Summary) {
	add := func(from, lasted int, change func(*room.Summary)) {
		s := room.Summary{Head: room.Head{Source: "default", SID: fmt.Sprint("past-", len(out)), RoomID: "room01", Title: plainName, State: room.StateEnded, EndedBy: room.ByWebhook,
			CreatedAt: g.ago(from), EndedAt: g.ago(from - lasted), PeakPeople: 12, FirstEventAt: g.ago(from)}, PeopleSeen: 14, Artifacts: 7, Found: "Fatima Al-Sayed"}
		change(&s)
		out = append(out, s)
	}
	add(47, 0, func(s *room.Summary) {
		s.State, s.EndedAt, s.EndedBy, s.RecordingState, s.RecordingSince = room.StateLive, time.Time{}, "", room.RecordingActive, g.ago(40)
	})
	add(50, 0, func(s *room.Summary) { s.State, s.EndedAt, s.EndedBy = room.StateCreated, time.Time{}, "" })
	for i, by := range []room.Evidence{room.ByWebhook, room.ByReconcile, room.BySuccessor, room.ByJanitor, ""} {
		add(200+i*60, 55, func(s *room.Summary) { s.EndedBy = by })
	}
	add(900, 61, func(s *room.Summary) {
		s.Title, s.RecordingState, s.RecordingBytes = longName, room.RecordingReady, 184_370_000
	})
	add(1000, 61, func(s *room.Summary) {
		s.Title, s.ParentRoomID, s.RecordingState, s.Found = arabicName, "board", room.RecordingProcessing, arabicName
	})
	add(1500, 900, func(s *room.Summary) { s.Title, s.RecordingState = emojiName, room.RecordingFailed })
	add(2900, 61, func(s *room.Summary) {
		s.Title, s.PeakPeople, s.PeopleSeen, s.Artifacts, s.RecordingState, s.RecordingBytes = wordName, 12345, 67890, math.MaxInt32, room.RecordingReady, math.MaxInt64
	})
	add(3000, 0, func(s *room.Summary) {
		s.Title, s.PeakPeople, s.PeopleSeen, s.Artifacts, s.CreatedAt, s.EndedAt, s.FirstEventAt = markupName, 0, 0, 0, time.Time{}, time.Time{}, time.Time{}
	})
	return out
}

func (g gallery) filed(title string) room.Filed {
	return room.Filed{Source: "default", SID: "sid-" + title[:1], RoomID: "room01", Title: title, SessionEndedAt: g.ago(30)}
}

// recordings are one in each state, and of each state what is odd.
func (g gallery) recordings() (out []live.RecordingRow) {
	add := func(title, state string, from int, change func(*live.RecordingRow)) {
		r := live.RecordingRow{FiledRecording: room.FiledRecording{Filed: g.filed(title), Recording: room.Recording{RecordID: fmt.Sprint("record-", len(out)), State: state,
			RecorderID: "node_01", Message: "success", StartedAt: g.ago(from), EndedAt: g.ago(from - 50)}}}
		change(&r)
		out = append(out, r)
	}
	add(plainName, room.RecordingActive, 47, func(r *live.RecordingRow) { r.EndedAt = time.Time{} })
	add(longName, room.RecordingProcessing, 58, func(r *live.RecordingRow) { r.Due = g.ago(-7) })
	add(arabicName, room.RecordingProcessing, 121, func(r *live.RecordingRow) { r.Due, r.Overdue = g.ago(56), true })
	add(emojiName, room.RecordingReady, 200, func(r *live.RecordingRow) {
		r.ReadyAt, r.FilePath, r.SizeBytes = g.ago(140), "node_01/770aa658-cb96-4525-8930-57d5a3d2e818/770aa658-cb96-4525-8930-57d5a3d2e818-1795311101327.mp4", 184_370_000
	})
	add(wordName, room.RecordingReady, 400, func(r *live.RecordingRow) {
		r.ReadyAt, r.FilePath, r.SizeBytes, r.RecorderID = g.ago(300), strings.Repeat("p", 300), math.MaxInt64, wordName
	})
	add(markupName, room.RecordingFailed, 500, func(r *live.RecordingRow) { r.Message = "ffmpeg exited: exit status 1, " + longName })
	add("Nothing is known", "strange", 0, func(r *live.RecordingRow) {
		r.StartedAt, r.EndedAt, r.SessionEndedAt, r.RecorderID = time.Time{}, time.Time{}, time.Time{}, ""
	})
	return out
}

// artifacts are one of each kind, and one of a kind that nobody knows.
func (g gallery) artifacts() (out []room.FiledArtifact) {
	names := []string{plainName, longName, arabicName, emojiName, wordName, markupName}
	units := []string{"tokens", "seconds", "characters", "other"}
	for i, kind := range append(artifactKinds[:], "UNKNOWN_ARTIFACT", "A_KIND_THAT_NOBODY_KNOWS") {
		a := room.Artifact{ArtifactID: fmt.Sprint("artifact-", i), Type: kind, CreatedAt: g.ago(3 * i)}
		switch {
		case strings.HasSuffix(kind, "_USAGE"):
			a.Usage = &room.ArtifactUsage{Unit: units[i%4], Total: []int64{0, 41_900, math.MaxInt64}[i%3], EstimatedCost: []float64{0, 0.0045, 1e9, 1e-9}[i%4]}
		case i < 3:
			a.File = &room.ArtifactFile{Path: "x/y.vtt", SizeBytes: 48_200, MimeType: "text/vtt"}
		case i > 9:
			a.CreatedAt, a.Reference = time.Time{}, "70eeb40b-d0ca-42aa-b627-f578ef281f14"
		}
		out = append(out, room.FiledArtifact{Filed: g.filed(names[i%len(names)]), Artifact: a})
	}
	return out
}

// deliveries are one of each verdict.
func (g gallery) deliveries() (out []live.DeliveryRow) {
	reasons := map[room.Verdict]string{room.Refused: "the token expired 412 s before it came: the clock of that plugNmeet is behind", room.Unreadable: "not JSON", room.Unknown: "names no session"}
	ana := &room.ParticipantSaid{SID: "PA_1", Identity: "user-01", Name: arabicName}
	for i, v := range verdictCounters {
		d := room.Delivery{Position: fmt.Sprint(1204 + i), ReceivedAt: g.ago(i), Source: "default", ID: fmt.Sprint("EV_8yQzk2uJw4hT", i), Event: "track_published", RoomID: "rig-f1-1", SID: "770aa658",
			Verdict: v.verdict, Reason: reasons[v.verdict], LagMS: []int64{240, -61_000, 7_200_000}[i%3], Said: &room.Event{Kind: room.KindTrackPublished, Participant: ana, Track: &room.TrackSaid{Source: "camera"}}}
		if v.verdict == room.Refused || v.verdict == room.Unreadable {
			d.Position, d.ID, d.Event, d.SID, d.LagMS, d.Said = "", "", "", "", 0, nil
		}
		out = append(out, live.DeliveryRow{Delivery: d, Name: longName, HasBody: v.verdict != room.Unreadable})
	}
	return out
}

// day are the totals of the last day, with a gap of an hour.
func (g gallery) day() (out []room.Sample) {
	to := g.now.Truncate(time.Minute)
	for i := 1439; i >= 0; i-- {
		if i > 200 && i < 260 || i > 20 && i < 26 {
			continue
		}
		wave := 0.5 - math.Cos(float64(i)/1440*4*math.Pi)/2
		out = append(out, room.Sample{At: to.Add(-time.Duration(i) * time.Minute), Totals: room.Totals{Rooms: int(3 + 20*wave), People: int(300*wave) + i%7, Microphones: int(90 * wave),
			Cameras: int(150 * wave), RecordingsActive: int(9 * wave), StreamsActive: i / 200 % 3}})
	}
	return out
}

// usage is a fortnight of use, with days without any.
func (g gallery) usage() (out []room.UsageDay) {
	today := g.now.UTC().Truncate(24 * time.Hour)
	for i := range daysDrawn {
		if i == 3 || i == 4 {
			continue
		}
		day := today.AddDate(0, 0, -i)
		out = append(out, room.UsageDay{Day: day, Unit: "tokens", Total: int64(1_284_116 / (i + 1)), Cost: 4 / float64(i+1), Records: 9, Unpriced: i % 2},
			room.UsageDay{Day: day, Unit: "seconds", Total: int64(21_000 - 900*i), Cost: 6 - float64(i)/4, Records: 3},
			room.UsageDay{Day: day, Unit: "characters", Total: 121_406, Cost: 1.4, Records: 3})
	}
	return out
}

// intake counts an hour of deliveries, of which some were refused from one minute on.
func (g gallery) intake() (out []room.IntakeCount) {
	for i := range 60 {
		minute := g.now.Truncate(time.Minute).Add(-time.Duration(60-i) * time.Minute)
		out = append(out, room.IntakeCount{Minute: minute, Source: "default", Verdict: room.Accepted, N: 60 + i*i%29})
		if i > 48 {
			out = append(out, room.IntakeCount{Minute: minute, Source: "emea-2", Verdict: room.Refused, N: i - 46})
		}
		if i%17 == 0 {
			out = append(out, room.IntakeCount{Minute: minute, Source: "default", Verdict: room.Duplicate, N: 1},
				room.IntakeCount{Minute: minute, Source: "default", Verdict: room.Late, N: 2})
		}
	}
	return out
}

// refusals are one of each reason that has advice.
func (g gallery) refusals() (out []room.RefusalCount) {
	for i, code := range slices.Sorted(maps.Keys(advice)) {
		out = append(out, room.RefusalCount{Code: code, N: 38 - 2*i, Newest: room.Delivery{Source: "emea-2", ReceivedAt: g.ago(i), Reason: "the token expired 412 s before it came"}})
	}
	return out
}

// galleryBody is the body of a delivery as it is kept.
var galleryBody = json.RawMessage(`{"event":"participant_joined","room":{"sid":"c1b2f0de","room_id":"choir-at","empty_timeout":1800,"metadata":{"room_title":"Choir rehearsal <altos & tenors>","encryption_key":"[redacted]"}},` +
	`"participant":{"sid":"PA_3vX8kQm2TnRw","identity":"user-417","name":"Zoë Þórsdóttir 🎶"},"muted":false,"id":"EV_w2PqXzR7mLcd","created_at":"1795530324"}`)
