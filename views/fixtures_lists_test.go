package views

import (
	"math"
	"slices"
	"time"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

func at(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }

// listModels are the pages of lists, out of what somebody typed.
func listModels(typed string) map[string]live.Model {
	sources := []live.SourceState{{Name: "default", LastDeliveryAt: noon, ReconciledAt: noon, Status: "receiving"}, {Name: typed, Status: "waiting"}}
	unheard := []live.SourceState{{Name: "default", Status: "waiting"}}
	sessions := sessionFixtures(typed)
	found := slices.Clone(sessions)
	for i := range found {
		found[i].Found = typed
	}
	recordings := recordingFixtures(typed)
	artifacts := artifactFixtures(typed)
	deliveries := []live.DeliveryRow{
		{Delivery: room.Delivery{Position: "7", ReceivedAt: noon, Source: typed, ID: typed, Event: typed, RoomID: typed, SID: typed, Verdict: room.Accepted}, Name: typed, HasBody: true},
		{Delivery: room.Delivery{ReceivedAt: noon, Verdict: room.Refused, Reason: typed, Code: "expired"}},
	}
	return map[string]live.Model{
		"sessions":            live.Sessions{Query: room.SessionQuery{Source: typed}, Page: room.Page[room.Summary]{Items: sessions}, Matches: 5, Day: dayFixture(), Minute: noon, Sources: sources},
		"sessions searched":   live.Sessions{Query: room.SessionQuery{Text: typed, RoomID: typed, State: room.StateEnded, From: noon, Cursor: typed}, Page: room.Page[room.Summary]{Items: found, Next: typed}, Matches: math.MaxInt32, Minute: noon, Sources: sources},
		"sessions no match":   live.Sessions{Query: room.SessionQuery{Text: typed}, Minute: noon, Sources: sources},
		"sessions beyond":     live.Sessions{Query: room.SessionQuery{Cursor: typed}, Matches: 5, Minute: noon, Sources: sources},
		"sessions new":        live.Sessions{Minute: noon, Sources: unheard},
		"recordings":          live.Recordings{Query: room.RecordingQuery{}, Rows: recordings, Next: typed, Matches: 7, Counts: countFixtures(), Minute: noon, Sources: sources},
		"recordings filtered": live.Recordings{Query: room.RecordingQuery{State: room.RecordingProcessing, Text: typed, RoomID: typed, Source: typed, Cursor: typed}, Rows: recordings, Matches: 7, Minute: noon, Sources: sources},
		"recordings none":     live.Recordings{Minute: noon, Sources: sources},
		"artifacts":           live.Artifacts{Page: room.Page[room.FiledArtifact]{Items: artifacts, Next: typed}, Matches: 9, Days: usageFixtures(), Costliest: []room.RoomCost{{Filed: filedAs(typed), Cost: 1e9}, {Filed: filedAs("other"), Cost: 0.004}}, Minute: noon, Sources: sources},
		"artifacts filtered":  live.Artifacts{Query: room.ArtifactQuery{Type: typed, Class: room.ClassUsage, RoomID: typed, Text: typed}, Minute: noon, Sources: sources},
		"artifacts none":      live.Artifacts{Minute: noon, Sources: sources},
		"intake":              live.Intake{Rows: deliveries, Next: typed, Counts: intakeFixtures(typed), Refusals: refusalFixtures(typed), Minute: noon, Sources: sources},
		"intake calm":         live.Intake{Query: room.DeliveryQuery{Verdict: room.Late, Event: typed, RoomID: typed, SID: typed, Source: typed}, Rows: deliveries[:1], Counts: intakeFixtures(typed)[:2], Minute: noon, Sources: sources[:1]},
		"intake new":          live.Intake{Minute: noon, Sources: unheard},
		"overview railed":     live.Overview{Totals: room.Totals{Rooms: 1, People: 3}, Hour: dayFixture(), Artifacts: artifacts, Recordings: recordings, Sources: sources},
	}
}

func filedAs(typed string) room.Filed {
	return room.Filed{Source: "default", SID: "sid-" + typed, RoomID: typed, Title: typed, SessionEndedAt: at(-30)}
}

// sessionFixtures are one of each way that a session is shown, newest first, over three days.
func sessionFixtures(typed string) []room.Summary {
	head := func(sid string, from int) room.Head {
		return room.Head{Source: "default", SID: sid, RoomID: typed, Title: typed, State: room.StateEnded, EndedBy: room.ByWebhook,
			CreatedAt: at(from), EndedAt: at(from + 50), PeakPeople: 12, FirstEventAt: at(from)}
	}
	running := room.Summary{Head: head("sid-"+typed, -70), RecordingState: room.RecordingActive, RecordingSince: at(-66), RecordingsActive: 1}
	running.State, running.EndedBy, running.EndedAt = room.StateLive, "", time.Time{}
	created := room.Summary{Head: head("sid-"+typed, -80)}
	created.Source, created.State, created.EndedAt = "other", room.StateCreated, time.Time{}
	over := room.Summary{Head: head("over", -900), RecordingState: room.RecordingReady, RecordingBytes: math.MaxInt64, Artifacts: math.MaxInt32, PeopleSeen: math.MaxInt32}
	over.EndedAt, over.EndedBy, over.ParentRoomID = at(600), room.ByJanitor, typed
	failed := room.Summary{Head: head("failed", -2000), RecordingState: room.RecordingFailed}
	failed.EndedBy = room.Evidence(typed)
	unknown := room.Summary{Head: room.Head{Source: "default", SID: "unknown", State: room.StateEnded}}
	return []room.Summary{running, created, over, failed, unknown}
}

func recordingFixtures(typed string) []live.RecordingRow {
	row := func(id, state string, from int) live.RecordingRow {
		return live.RecordingRow{FiledRecording: room.FiledRecording{Filed: filedAs(typed), Recording: room.Recording{RecordID: id, State: state, RecorderID: typed, Message: typed, StartedAt: at(from), EndedAt: at(from + 50)}}}
	}
	active := row("active-"+typed, room.RecordingActive, -47)
	active.EndedAt = time.Time{}
	waiting, overdue := row("waiting", room.RecordingProcessing, -59), row("overdue", room.RecordingProcessing, -120)
	waiting.Due, overdue.Due, overdue.Overdue = at(6), at(-55), true
	ready := row("ready", room.RecordingReady, -200)
	ready.ReadyAt, ready.FilePath, ready.SizeBytes = at(-140), "/"+typed, 184_370_000
	failed, twin, bare := row("failed", room.RecordingFailed, -3000), row("failed", room.RecordingFailed, -3100), row("bare", typed, 0)
	bare.StartedAt, bare.EndedAt, bare.SessionEndedAt = time.Time{}, time.Time{}, time.Time{}
	return []live.RecordingRow{active, ready, waiting, overdue, failed, twin, bare}
}

func countFixtures() []room.RecordingCount {
	return []room.RecordingCount{{State: room.RecordingActive, N: 1, Since: at(-47)}, {State: room.RecordingProcessing, N: 2, Since: at(-70)}, {State: room.RecordingReady, N: math.MaxInt32, Bytes: math.MaxInt64}}
}

func artifactFixtures(typed string) []room.FiledArtifact {
	of := func(id, kind string, minute int, file *room.ArtifactFile, usage *room.ArtifactUsage) room.FiledArtifact {
		return room.FiledArtifact{Filed: filedAs(typed), Artifact: room.Artifact{ArtifactID: id, Type: kind, CreatedAt: at(minute), File: file, Usage: usage, Reference: typed}}
	}
	bare := of("bare", typed, 0, nil, nil)
	bare.CreatedAt = time.Time{}
	return []room.FiledArtifact{
		of("a-"+typed, "MEETING_SUMMARY", -1, &room.ArtifactFile{Path: typed, SizeBytes: 1000, MimeType: typed}, nil),
		of("tokens", "MEETING_SUMMARY_USAGE", -2, nil, &room.ArtifactUsage{Unit: "tokens", Total: math.MaxInt64, Prompt: 41_000, Completion: 900, EstimatedCost: 0.00446}),
		of("seconds", "SPEECH_TRANSCRIPTION_USAGE", -900, nil, &room.ArtifactUsage{Unit: "seconds", Total: math.MaxInt64, EstimatedCost: 1e12}),
		of("free", "CHAT_TRANSLATION_USAGE", -901, nil, &room.ArtifactUsage{Unit: "characters", Total: 84}),
		of("odd", typed, -902, nil, &room.ArtifactUsage{Unit: typed, Total: 1, EstimatedCost: 1e-9}),
		bare,
	}
}

func usageFixtures() []room.UsageDay {
	today := noon.Truncate(24 * time.Hour)
	return []room.UsageDay{
		{Day: today.AddDate(0, 0, -40), Unit: "tokens", Total: 1, Cost: 99},
		{Day: today.AddDate(0, 0, -13), Unit: "tokens", Total: 1_284_116, Cost: 2.6, Records: 9, Unpriced: 2},
		{Day: today.AddDate(0, 0, -2), Unit: "other unit", Total: 7, Cost: 0.5, Records: 1},
		{Day: today, Unit: "seconds", Total: math.MaxInt64, Cost: 5.9, Records: 3},
		{Day: today, Unit: "characters", Total: 0, Cost: 0, Records: 1, Unpriced: 1},
	}
}

func intakeFixtures(typed string) []room.IntakeCount {
	return []room.IntakeCount{
		{Minute: at(-60), Source: "default", Verdict: room.Accepted, N: 70},
		{Minute: noon, Source: "default", Verdict: room.Accepted, N: 3},
		{Minute: at(-3), Source: typed, Verdict: room.Refused, N: 9},
		{Minute: at(-2), Source: "", Verdict: room.Unreadable, N: math.MaxInt32},
		{Minute: at(-90), Source: "default", Verdict: room.Late, N: 1},
	}
}

func refusalFixtures(typed string) []room.RefusalCount {
	return []room.RefusalCount{
		{Code: "expired", N: 9, Newest: room.Delivery{Source: typed, ReceivedAt: noon, Reason: typed}},
		{Code: typed, N: 1, Newest: room.Delivery{}},
		{Code: "", N: 1},
		{Code: "signature", N: 0},
	}
}

// dayFixture are samples with a gap, ending at noon.
func dayFixture() (out []room.Sample) {
	for i := 1439; i >= 0; i-- {
		if i < 40 && i > 29 {
			continue
		}
		out = append(out, room.Sample{At: at(-i), Totals: room.Totals{Rooms: i % 7, People: i % 300, RecordingsActive: i % 3}})
	}
	return out
}
