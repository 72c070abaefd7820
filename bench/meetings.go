//go:build linux

package main

import (
	"fmt"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
)

// meeting is the deliveries of a room that goes on, with people in it who have a camera and a microphone each:
// as plugNmeet sends them, but for what does not stay of them (metadata, layers, codecs).
func meeting(number, people int) (bodies [][]byte) {
	now := time.Now().Unix()
	head := fmt.Sprintf(`"room":{"sid":"%s","room_id":"room-%07d","creation_time":"%d","metadata":"{\"room_title\":\"Meeting %d\"}"}`, sidOf(number), number, now, number)
	add := func(event, more string) {
		bodies = append(bodies, fmt.Appendf(nil, `{"event":"%s",%s,%s"id":"EV_%07d%05d","created_at":"%d"}`, event, head, more, number, len(bodies), now))
	}
	add("room_created", "")
	add("room_started", "")
	for p := range people {
		who := fmt.Sprintf(`"participant":{"sid":"PA_%07d%05d","identity":"%08d-user-%05d","state":"ACTIVE","joined_at":"%d","joined_at_ms":"%d123","name":"Person %d of %d"},`,
			number, p, number, p, now, now, p, number)
		add("participant_joined", who)
		add("track_published", who+fmt.Sprintf(`"track":{"sid":"TR_A%06d%05d","source":"MICROPHONE","mime_type":"audio/red"},`, number, p))
		add("track_published", who+fmt.Sprintf(`"track":{"sid":"TR_V%06d%05d","type":"VIDEO","source":"CAMERA","mime_type":"video/vp8","width":1280,"height":720,"simulcast":true},`, number, p))
	}
	return bodies
}

func meetings(rooms, people int) (bodies [][]byte) {
	for number := range rooms {
		bodies = append(bodies, meeting(number, people)...)
	}
	return bodies
}

// session is a meeting as a board that was told of it has it.
func session(number, people int) (*room.Session, error) {
	s := room.New(room.Key{Source: "default", SID: sidOf(number)})
	for _, body := range meeting(number, people) {
		d, err := plugnmeet.Decode("default", body, time.Now())
		if err != nil {
			return nil, err
		}
		s.Apply(*d.Said)
	}
	return s, nil
}

// fillers are deliveries of an event that nobody knows, of one room.
func fillers(n int) (bodies [][]byte) {
	for i := range n {
		bodies = append(bodies, fmt.Appendf(nil, `{"event":"bench_filler","room":{"sid":"filler","room_id":"filler"},"id":"EV_filler%d","created_at":"%d"}`, i, time.Now().Unix()))
	}
	return bodies
}
