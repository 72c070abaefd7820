package live

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// Row 51: what a session costs does not grow with how many there were of its room_id. Work is counted in memory asked for,
// which is the same on every machine: four times as many sessions may take six times as much, not sixteen.
func TestFault51WhatASessionCostsDoesNotGrowWithThoseOfItsRoom(t *testing.T) {
	cost := func(sessions int) float64 {
		b := NewBoard(nil, []string{"default"}, nil)
		began := time.Now().Add(-100 * time.Hour)
		order := rand.New(rand.NewPCG(51, 1)).Perm(sessions)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for _, n := range order {
			at := began.Add(time.Duration(n) * time.Minute)
			sid := fmt.Sprint("s", n)
			b.hear(at, room.Event{Kind: room.KindRoomCreated, SID: sid, RoomID: "r1", ID: "c" + sid, At: room.At(at)})
			b.hear(at, room.Event{Kind: room.KindParticipantJoined, SID: sid, RoomID: "r1", ID: "j" + sid, At: room.At(at) + 1000,
				Participant: &room.ParticipantSaid{SID: "PA_" + sid, Identity: "u"}})
			b.catchUp()
		}
		runtime.ReadMemStats(&after)
		return float64(after.TotalAlloc - before.TotalAlloc)
	}
	few, many := cost(500), cost(2000)
	if many > 6*few {
		t.Errorf("four times as many take %.1f times as much", many/few)
	}
}
