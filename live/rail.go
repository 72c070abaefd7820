package live

import (
	"context"
	"reflect"
	"sync"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

const (
	railArtifacts  = 8
	railRecordings = 6
)

// rail is the newest of what came of sessions, which every overview shows. It is read beside the overview, once for all
// of them, whenever the record has something new: an overview shows what was read last, and waits for nothing.
type rail struct {
	mu         sync.Mutex
	read       bool
	artifacts  []room.FiledArtifact
	recordings []room.FiledRecording
}

// fillRail puts into an overview what was read last.
func (h *Hub) fillRail(o *Overview) {
	h.rail.mu.Lock()
	defer h.rail.mu.Unlock()
	o.Unread, o.Artifacts = !h.rail.read, h.rail.artifacts
	o.Recordings = h.recordingRows(h.rail.recordings, thisMinute())
}

// readRail keeps the rail up to the record until ctx ends. While nobody looks it may be older.
func (h *Hub) readRail(ctx context.Context) {
	tick := time.NewTicker(listTick)
	defer tick.Stop()
	var seq uint64 // the state of the lists that was read
	var last time.Time
	failed := false
	for {
		filed, rested := h.board.filedSeq(), time.Since(last) >= againTime
		if (filed != seq || last.IsZero()) && (rested || !failed && h.watched()) {
			last = time.Now()
			err := h.lookForRail(ctx)
			if failed = err != nil; !failed {
				seq = filed
			} else if ctx.Err() == nil {
				h.log.Error("the newest artifacts and recordings could not be read", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// lookForRail reads the rail and tells the overviews when it is another.
func (h *Hub) lookForRail(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	artifacts, err := h.lists.Artifacts(ctx, room.ArtifactQuery{Limit: railArtifacts})
	if err != nil {
		return err
	}
	recordings, err := h.lists.Recordings(ctx, room.RecordingQuery{Limit: railRecordings})
	if err != nil {
		return err
	}
	r := &h.rail
	r.mu.Lock()
	same := r.read && reflect.DeepEqual(r.artifacts, artifacts.Items) && reflect.DeepEqual(r.recordings, recordings.Items)
	r.read, r.artifacts, r.recordings = true, artifacts.Items, recordings.Items
	r.mu.Unlock()
	if !same {
		h.board.railRead()
	}
	return nil
}

// railRead tells that overviews show another rail now.
func (b *Board) railRead() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seq++
	b.news.rail = true
	b.tell()
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
