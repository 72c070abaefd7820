package live

import (
	"context"
	"sync"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

const (
	railArtifacts  = 8
	railRecordings = 6
)

// rail is the newest of what came of sessions, which every overview shows: read once for all of them
// whenever the record has something new.
type rail struct {
	mu         sync.Mutex
	seq        uint64 // the state of the lists that it is of
	artifacts  []room.FiledArtifact
	recordings []RecordingRow
}

// look is the rail as it is now. When the record does not answer, it is what it was.
func (r *rail) look(ctx context.Context, h *Hub) ([]room.FiledArtifact, []RecordingRow) {
	r.mu.Lock()
	defer r.mu.Unlock()
	seq := h.board.filedSeq()
	if seq == r.seq {
		return r.artifacts, r.recordings
	}
	artifacts, err := h.lists.Artifacts(ctx, room.ArtifactQuery{Limit: railArtifacts})
	var recordings room.Page[room.FiledRecording]
	if err == nil {
		recordings, err = h.lists.Recordings(ctx, room.RecordingQuery{Limit: railRecordings})
	}
	if err != nil {
		h.log.Error("the newest artifacts and recordings could not be read", "err", err)
		return r.artifacts, r.recordings
	}
	r.seq, r.artifacts, r.recordings = seq, artifacts.Items, h.recordingRows(recordings.Items, thisMinute())
	return r.artifacts, r.recordings
}

// recordingRows marks the recordings whose file is overdue.
func (h *Hub) recordingRows(list []room.FiledRecording, now time.Time) []RecordingRow {
	rows := make([]RecordingRow, 0, len(list))
	for _, r := range list {
		due := r.Due(h.limits.FileDue)
		rows = append(rows, RecordingRow{FiledRecording: r, Due: due, Overdue: !due.IsZero() && now.After(due)})
	}
	return rows
}
