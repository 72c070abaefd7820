//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/simulate"
)

// day is a simulated busy day's deliveries in the order in which they are due: real bodies, four kilobytes
// each on average.
func day(n int) (bodies [][]byte, err error) {
	plan := simulate.Plan{Seed: 1, Rooms: 200, Start: time.Now().Add(-3 * time.Hour)}
	for d := range plan.Begin().Until(time.Now()) {
		if bodies = append(bodies, d.Body); len(bodies) == n {
			return bodies, nil
		}
	}
	return nil, fmt.Errorf("the day has only %d deliveries", len(bodies))
}

// request is a signed delivery as plugNmeet posts it. Its token lives five minutes.
func request(body []byte) ([]byte, error) {
	token, err := plugnmeet.Sign(benchKey, benchSecret, body, time.Now())
	if err != nil {
		return nil, err
	}
	head := "POST /webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: " + strconv.Itoa(len(body)) +
		"\r\nAuthorization: " + token + "\r\nContent-Type: application/json\r\nHash-Token: " + token + "\r\nAccept-Encoding: gzip\r\n\r\n"
	return append([]byte(head), body...), nil
}

func requests(bodies [][]byte) ([][]byte, error) {
	out := make([][]byte, len(bodies))
	for i, body := range bodies {
		var err error
		if out[i], err = request(body); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// maker makes deliveries that each change one thing that is seen: the title of a room. They are a real
// participant_joined otherwise, of the same person of that room again and again, so that rooms do not grow.
type maker struct {
	from    int    // the number of the first room
	pattern string // with what differs in @SID@ and so on
	made    int
}

func newMaker() (*maker, error) {
	bodies, err := day(3000)
	if err != nil {
		return nil, err
	}
	for _, body := range bodies {
		d, err := plugnmeet.Decode("default", body, time.Now())
		if err != nil {
			return nil, err
		}
		if said := d.Said; said.Kind == room.KindParticipantJoined && said.Title != "" && said.ParentRoomID == "" {
			return &maker{pattern: patternOf(body, d)}, nil
		}
	}
	return nil, errors.New("nobody joins in the simulated day")
}

func patternOf(body []byte, d room.Delivery) string {
	created := fmt.Sprintf(`"created_at":"%d"`, d.Said.At/1000)
	plain := string(bytes.ReplaceAll(body, []byte(`": "`), []byte(`":"`)))
	return strings.NewReplacer(d.SID, "@SID@", d.RoomID, "@ROOM@", d.ID, "@ID@", d.Said.Participant.SID, "@PA@",
		d.Said.Participant.Identity, "@WHO@", d.Said.Title, "@TITLE@", created, `"created_at":"@AT@"`).Replace(plain)
}

// sidOf is the session of a made room, and titleOf what the nth delivery calls it.
func sidOf(roomNumber int) string { return fmt.Sprintf("bench-%07d", roomNumber) }
func titleOf(n int) string        { return fmt.Sprintf("n%08d", n) }

// body is the next delivery, of a room. Later ones have greater ids: the last of a second counts.
func (m *maker) body(roomNumber int) []byte {
	m.made++
	return []byte(strings.NewReplacer("@SID@", sidOf(roomNumber), "@ROOM@", fmt.Sprintf("room-%07d", roomNumber), "@ID@", fmt.Sprintf("EV_%010d", m.made),
		"@PA@", fmt.Sprintf("PA_%07d", roomNumber), "@WHO@", fmt.Sprintf("u-%07d", roomNumber), "@TITLE@", titleOf(m.made),
		"@AT@", strconv.FormatInt(time.Now().Unix(), 10)).Replace(m.pattern))
}

// requests are the next n deliveries, going round so many rooms.
func (m *maker) requests(n, rooms int) ([][]byte, error) {
	out := make([][]byte, n)
	for i := range out {
		var err error
		if out[i], err = request(m.body(m.from + m.made%rooms)); err != nil {
			return nil, err
		}
	}
	return out, nil
}
