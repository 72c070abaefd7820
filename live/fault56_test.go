package live

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// emptyRail is a record in which nothing has come of sessions yet; nothing else is asked of it.
type emptyRail struct{ Lists }

func (emptyRail) Artifacts(context.Context, room.ArtifactQuery) (room.Page[room.FiledArtifact], error) {
	return room.Page[room.FiledArtifact]{}, nil
}

func (emptyRail) Recordings(context.Context, room.RecordingQuery) (room.Page[room.FiledRecording], error) {
	return room.Page[room.FiledRecording]{}, nil
}

// Row 56: while nobody watches, what is kept for the hub to tell does not grow with what happens.
func TestFault56WhatNobodyWatchesIsNotKept(t *testing.T) {
	b := NewBoard(nil, []string{"default"}, nil)
	h := NewHub(b, emptyRail{}, nil, room.Limits{}, 0, slog.New(slog.DiscardHandler))
	ctx, end := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { h.Run(ctx) })
	defer func() { end(); running.Wait() }()
	at := time.Now()
	for n := range 200 {
		sid := fmt.Sprint("s", n)
		b.hear(at, room.Event{Kind: room.KindRoomCreated, SID: sid, RoomID: sid, ID: "c" + sid, At: room.At(at)})
		b.hear(at, room.Event{Kind: room.KindSessionEnded, SID: sid, RoomID: sid, ID: "e" + sid, At: room.At(at) + 1000})
		b.catchUp()
	}
	b.tell()
	kept := func() int {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.news.sessions) + len(b.news.rooms)
	}
	for deadline := time.Now().Add(time.Minute); kept() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d changes are kept for nobody", kept())
		}
	}
}
