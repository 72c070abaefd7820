package web

import "github.com/roomwatch/roomwatch/room"

// The columns of exports. Their names are those of the API's members, and stay: append, don't rename.

var sessionTable = table[room.SessionQuery, room.Summary]{
	name: "sessions", params: room.SessionParams, parse: room.ParseSessionQuery, ask: Record.Sessions,
	columns: []column[room.Summary]{
		{"source", func(s *room.Summary) any { return s.Source }},
		{"sid", func(s *room.Summary) any { return s.SID }},
		{"room_id", func(s *room.Summary) any { return s.RoomID }},
		{"title", func(s *room.Summary) any { return s.Title }},
		{"state", func(s *room.Summary) any { return string(s.State) }},
		{"known_by", func(s *room.Summary) any { return s.KnownBy }},
		{"trust", func(s *room.Summary) any { return string(s.Trust) }},
		{"verified_at", func(s *room.Summary) any { return s.VerifiedAt }},
		{"created_at", func(s *room.Summary) any { return s.CreatedAt }},
		{"started_at", func(s *room.Summary) any { return s.StartedAt }},
		{"ended_at", func(s *room.Summary) any { return s.EndedAt }},
		{"ended_by", func(s *room.Summary) any { return string(s.EndedBy) }},
		{"parent_room_id", func(s *room.Summary) any { return s.ParentRoomID }},
		{"people", func(s *room.Summary) any { return s.People }},
		{"bots", func(s *room.Summary) any { return s.Bots }},
		{"peak_people", func(s *room.Summary) any { return s.PeakPeople }},
		{"people_seen", func(s *room.Summary) any { return s.PeopleSeen }},
		{"microphones", func(s *room.Summary) any { return s.Microphones }},
		{"cameras", func(s *room.Summary) any { return s.Cameras }},
		{"screens", func(s *room.Summary) any { return s.Screens }},
		{"recordings_active", func(s *room.Summary) any { return s.RecordingsActive }},
		{"streams_active", func(s *room.Summary) any { return s.StreamsActive }},
		{"artifacts", func(s *room.Summary) any { return s.Artifacts }},
		{"recording_state", func(s *room.Summary) any { return s.RecordingState }},
		{"recording_bytes", func(s *room.Summary) any { return figure(s.RecordingBytes) }},
		{"recording_since", func(s *room.Summary) any { return s.RecordingSince }},
		{"streaming_since", func(s *room.Summary) any { return s.StreamingSince }},
		{"empty_since", func(s *room.Summary) any { return s.EmptySince }},
		{"stream_failed_at", func(s *room.Summary) any { return s.StreamFailedAt }},
		{"first_event_at", func(s *room.Summary) any { return s.FirstEventAt }},
		{"last_event_at", func(s *room.Summary) any { return s.LastEventAt }},
		{"empty_timeout", func(s *room.Summary) any { return figure(s.EmptyTimeout) }},
		{"max_participants", func(s *room.Summary) any { return figure(s.MaxParticipants) }},
		{"planned_minutes", func(s *room.Summary) any { return figure(s.PlannedMinutes) }},
		{"capped", func(s *room.Summary) any { return s.Capped }},
		{"left_out", func(s *room.Summary) any { return figure(s.LeftOut) }},
	},
}

var recordingTable = table[room.RecordingQuery, room.FiledRecording]{
	name: "recordings", params: room.RecordingParams, parse: room.ParseRecordingQuery, ask: Record.Recordings,
	columns: append(filed(func(r *room.FiledRecording) *room.Filed { return &r.Filed }), []column[room.FiledRecording]{
		{"record_id", func(r *room.FiledRecording) any { return r.RecordID }},
		{"state", func(r *room.FiledRecording) any { return r.State }},
		{"recorder_id", func(r *room.FiledRecording) any { return r.RecorderID }},
		{"message", func(r *room.FiledRecording) any { return r.Message }},
		{"file_path", func(r *room.FiledRecording) any { return r.FilePath }},
		{"size_bytes", func(r *room.FiledRecording) any { return figure(r.SizeBytes) }},
		{"started_at", func(r *room.FiledRecording) any { return r.StartedAt }},
		{"ended_at", func(r *room.FiledRecording) any { return r.EndedAt }},
		{"ready_at", func(r *room.FiledRecording) any { return r.ReadyAt }},
		{"superseded", func(r *room.FiledRecording) any { return r.Superseded }},
	}...),
}

var artifactTable = table[room.ArtifactQuery, room.FiledArtifact]{
	name: "artifacts", params: room.ArtifactParams, parse: room.ParseArtifactQuery, ask: Record.Artifacts,
	columns: append(filed(func(a *room.FiledArtifact) *room.Filed { return &a.Filed }), []column[room.FiledArtifact]{
		{"artifact_id", func(a *room.FiledArtifact) any { return a.ArtifactID }},
		{"type", func(a *room.FiledArtifact) any { return a.Type }},
		{"created_at", func(a *room.FiledArtifact) any { return a.CreatedAt }},
		{"file_path", ofFile(func(f *room.ArtifactFile) any { return f.Path })},
		{"file_size_bytes", ofFile(func(f *room.ArtifactFile) any { return f.SizeBytes })},
		{"file_mime_type", ofFile(func(f *room.ArtifactFile) any { return f.MimeType })},
		{"usage_unit", ofUsage(func(u *room.ArtifactUsage) any { return u.Unit })},
		{"usage_total", ofUsage(func(u *room.ArtifactUsage) any { return u.Total })},
		{"usage_prompt", ofUsage(func(u *room.ArtifactUsage) any { return figure(u.Prompt) })},
		{"usage_completion", ofUsage(func(u *room.ArtifactUsage) any { return figure(u.Completion) })},
		{"usage_estimated_cost", ofUsage(func(u *room.ArtifactUsage) any { return u.EstimatedCost })},
		{"reference_artifact_id", func(a *room.FiledArtifact) any { return a.Reference }},
	}...),
}

var deliveryTable = table[room.DeliveryQuery, room.Delivery]{
	name: "intake", params: room.DeliveryParams, parse: room.ParseDeliveryQuery, ask: Record.Deliveries,
	columns: []column[room.Delivery]{ // a body is no cell: it is in the JSON
		{"position", func(d *room.Delivery) any { return d.Position }},
		{"received_at", func(d *room.Delivery) any { return d.ReceivedAt }},
		{"source", func(d *room.Delivery) any { return d.Source }},
		{"id", func(d *room.Delivery) any { return d.ID }},
		{"event", func(d *room.Delivery) any { return d.Event }},
		{"room_id", func(d *room.Delivery) any { return d.RoomID }},
		{"sid", func(d *room.Delivery) any { return d.SID }},
		{"verdict", func(d *room.Delivery) any { return string(d.Verdict) }},
		{"reason", func(d *room.Delivery) any { return d.Reason }},
		{"code", func(d *room.Delivery) any { return d.Code }},
		{"lag_ms", func(d *room.Delivery) any { return d.LagMS }},
	},
}

// filed are the columns of the session that something is of.
func filed[T any](of func(*T) *room.Filed) []column[T] {
	return []column[T]{
		{"source", func(t *T) any { return of(t).Source }},
		{"sid", func(t *T) any { return of(t).SID }},
		{"room_id", func(t *T) any { return of(t).RoomID }},
		{"title", func(t *T) any { return of(t).Title }},
		{"session_ended_at", func(t *T) any { return of(t).SessionEndedAt }},
	}
}

func ofFile(cell func(*room.ArtifactFile) any) func(*room.FiledArtifact) any {
	return func(a *room.FiledArtifact) any {
		if a.File == nil {
			return nil
		}
		return cell(a.File)
	}
}

func ofUsage(cell func(*room.ArtifactUsage) any) func(*room.FiledArtifact) any {
	return func(a *room.FiledArtifact) any {
		if a.Usage == nil {
			return nil
		}
		return cell(a.Usage)
	}
}

// figure is a number of which zero means that it is not known, as in the API.
func figure[N int | int64](n N) any {
	if n == 0 {
		return nil
	}
	return n
}
