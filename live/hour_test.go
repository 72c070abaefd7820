package live

import (
	"fmt"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// The hour of a room that began 40 minutes ago, as a clock would show it.
func TestTheLastHourOfARoom(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 1, 0, 0, time.UTC) // the last slot is 12:00 to 12:02
	at := func(minutesAgo int) time.Time { return now.Add(-time.Duration(minutesAgo) * time.Minute) }
	person := func(who string, from, to int) room.Participant {
		c := room.Connection{SID: who, JoinedAt: at(from), Open: to == 0}
		if to > 0 {
			c.LeftAt = at(to)
		}
		return room.Participant{Identity: who, Kind: "person", Connections: []room.Connection{c}}
	}
	d := room.Detail{Head: room.Head{State: room.StateLive, CreatedAt: at(39)},
		Participants: []room.Participant{person("a", 39, 0), person("b", 21, 11), person("c", 20, 11)},
		Recordings: []room.Recording{{State: room.RecordingActive, StartedAt: at(3)}, {State: room.RecordingReady, StartedAt: at(31), EndedAt: at(27)},
			{State: room.RecordingReady, StartedAt: at(300), EndedAt: at(200)}, {State: room.RecordingProcessing}},
		Streams: []room.Stream{{State: room.StreamLive, StartedAt: at(300)}}}
	l := latelyOf(d, now)
	h := l.hour(now)
	want := "000000000011111111133333111111"
	got := ""
	for _, n := range h.People {
		got += fmt.Sprint(n)
	}
	if h.Slots != 20 || got != want {
		t.Errorf("%d slots, people %s, want %s", h.Slots, got, want)
	}
	if got, want := fmt.Sprintf("%030b", h.Recorded), "110000000000011100000000000000"; got != want {
		t.Errorf("recorded %s, want %s", got, want)
	}
	if h.Streamed != 1<<HourSlots-1 {
		t.Errorf("streamed %b", h.Streamed)
	}
	if again := latelyOf(d, now.Add(50*time.Second)).hour(now.Add(50 * time.Second)); again != h {
		t.Error("within a slot of time the hour changes")
	}
	if later := l.hour(now.Add(2 * time.Hour)); later.Slots != HourSlots || later.People[0] != 1 || later.People[HourSlots-1] != 1 || later.Recorded != 1<<HourSlots-1 {
		t.Errorf("two hours later: %+v", later)
	}
	d.State = room.StateEnded
	if h := latelyOf(d, now).hour(now); h != (Hour{}) {
		t.Errorf("of a session that has ended: %+v", h)
	}
}

func TestALongDayKeepsItsLastHourOnly(t *testing.T) {
	now := time.Now()
	d := room.Detail{Head: room.Head{State: room.StateLive, CreatedAt: now.Add(-10 * time.Hour)}}
	p := room.Participant{Identity: "a", Kind: "person"}
	for m := 600; m > 0; m-- {
		from := now.Add(-time.Duration(m) * time.Minute)
		p.Connections = append(p.Connections, room.Connection{SID: fmt.Sprint(m), JoinedAt: from, LeftAt: from.Add(30 * time.Second)})
	}
	d.Participants = []room.Participant{p}
	l := latelyOf(d, now)
	if len(l.steps) > 130 || cap(l.steps) > 260 {
		t.Errorf("%d steps are kept", len(l.steps))
	}
	if h := l.hour(now); h.Slots != HourSlots || h.People[0] != 1 {
		t.Errorf("%+v", h)
	}
}
