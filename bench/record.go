//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"time"

	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/store"
)

// recorded makes a record of sessions, once, and gives its file.
func (b *bench) recorded(name string, sessions int, make func(number int) (*room.Session, error)) (string, error) {
	path := filepath.Join(b.dir, fmt.Sprintf("%s-%d.db", name, sessions))
	if b.made[path] {
		return path, nil
	}
	record, err := store.Open(context.Background(), "file:"+path, quiet)
	if err != nil {
		return "", err
	}
	const chunk = 1000
	var batch []*room.Session
	for number := 0; number < sessions && err == nil; number++ {
		var s *room.Session
		if s, err = make(number); err != nil {
			break
		}
		if batch = append(batch, s); len(batch) == chunk || number == sessions-1 {
			err = record.Save(context.Background(), batch, "")
			batch = batch[:0]
		}
	}
	b.made[path] = true
	return path, errors.Join(err, record.Close())
}

func (b *bench) live(rooms, people int) (string, error) {
	return b.recorded(fmt.Sprint("live", people), rooms, func(number int) (*room.Session, error) { return session(number, people) })
}

// startUp is row 13: from the start of the program until it is ready, against reading and decoding the same
// documents.
func (b *bench) startUp(map[int]bool) ([]figure, error) {
	f := figure{Name: "13 start to ready, 10,000 rooms and 100,000 people, s", Goal: 2, moonshot: 1.2, Better: lower}
	path, err := b.live(10_000, 10)
	if err != nil {
		return nil, err
	}
	reads := func() (outcome, error) {
		begin := time.Now()
		c, err := b.floor("read", path)
		if err != nil {
			return nil, err
		}
		return outcome{"s": time.Since(begin).Seconds()}, c.cmd.Wait()
	}
	kept, err := interleave(b.repetitions, reads, func() (outcome, error) { return b.started(path) })
	if err != nil {
		return []figure{missing(f, err)}, nil
	}
	return []figure{compare(f, kept, 0, "s", theFloor, "s")}, nil
}

// started measures the start of the program over a record, and ends it in good order: after a kill, the next
// start would look for damage first.
func (b *bench) started(path string) (outcome, error) {
	begin := time.Now()
	c, err := b.serve("file:" + path)
	if err != nil {
		return nil, err
	}
	took := time.Since(begin).Seconds()
	memory, err := c.resident()
	return outcome{"s": took, "MB": memory / 1e6}, errors.Join(err, c.quit())
}

// manyRooms is row 14: what a delivery costs with very many live rooms, and with few, at the same rate. The
// deliveries go round all rooms. One overview is open.
func (b *bench) manyRooms(map[int]bool) ([]figure, error) {
	f := figure{Name: "14 CPU of a delivery with 100,000 live rooms, µs", Goal: 1.2, moonshot: 1.05, Better: lower}
	few, err := b.peopled(100, 1, oneOverview)
	defer few.end()
	if err != nil {
		return nil, err
	}
	many, err := b.peopled(100_000, 1, oneOverview)
	defer many.end()
	if err != nil {
		return nil, err
	}
	const rate = 200
	seconds := 8
	if b.quick {
		seconds = 2
	}
	kept, err := interleave(b.repetitions, few.steady(100, seconds*rate, rate), many.steady(100_000, seconds*rate, rate))
	if err != nil {
		return []figure{missing(f, err)}, nil
	}
	return []figure{compare(f, kept, 0, "cpu", theFloor, "cpu")}, nil
}

// oneOverview is the least audience.
var oneOverview = viewing{paths: []string{overviewPath}, n: 1, compress: true}

// peopled starts Roomwatch over a record of live rooms, with an audience. The stage is to be ended even when it
// could not be set up.
func (b *bench) peopled(rooms, people int, v viewing) (s *stage, err error) {
	s = &stage{}
	path, err := b.live(rooms, people)
	if err != nil {
		return s, err
	}
	if s.maker, err = newMaker(); err != nil {
		return s, err
	}
	if s.child, err = b.serve("file:" + path); err != nil {
		return s, err
	}
	if s.audience, err = watch(s.addr, v); err != nil {
		return s, err
	}
	err = s.audience.await(int64(v.n))
	s.audience.settle(settled)
	return s, err
}

// steady measures the CPU of a delivery at a rate, of deliveries that go round the rooms.
func (s *stage) steady(rooms, deliveries int, rate float64) run {
	return func() (outcome, error) {
		posts, err := s.maker.requests(deliveries, rooms)
		if err != nil {
			return nil, err
		}
		l, err := newLoad(s.addr, 8)
		if err != nil {
			return nil, err
		}
		defer l.close()
		before := s.cpu()
		if _, err := l.pace(posts, rate); err != nil {
			return nil, err
		}
		time.Sleep(settled)
		return outcome{"cpu": (s.cpu() - before).Seconds() * 1e6 / float64(len(posts))}, nil
	}
}

// past is a session that ended long ago, among many of the same words.
func past(number int) (*room.Session, error) {
	key := room.Key{Source: "default", SID: sidOf(number)}
	s, at := room.New(key), room.At(time.Now().Add(-time.Duration(number+60)*time.Minute))
	event := func(kind room.Kind, at room.Time) room.Event {
		return room.Event{Source: key.Source, SID: key.SID, RoomID: fmt.Sprintf("room-%d", number%500), ID: fmt.Sprint("EV_", number, "_", kind), Kind: kind, At: at,
			Received: at, CreationTime: at, Title: fmt.Sprintf("Weekly meeting %d", number)}
	}
	s.Apply(event(room.KindRoomCreated, at))
	for _, who := range []int{number % 3000, number * 7 % 3000} {
		joined := event(room.KindParticipantJoined, at+1000)
		joined.ID += fmt.Sprint(who)
		joined.Participant = &room.ParticipantSaid{SID: fmt.Sprintf("PA_%d_%d", number, who), Identity: fmt.Sprintf("u-%d", who), Name: fmt.Sprintf("Person Number%d", who), JoinedAt: at + 1000}
		s.Apply(joined)
	}
	s.Apply(event(room.KindSessionEnded, at+45*60*1000))
	return s, nil
}

// history is row 17: searching and paging in much history, and in little.
func (b *bench) history(map[int]bool) ([]figure, error) {
	f := figure{Name: "17 CPU of a search or page in 200,000 sessions, µs", Goal: 3, moonshot: 1.5, Better: lower}
	var runs []run
	for _, sessions := range []int{2000, 200_000} {
		path, err := b.recorded("past", sessions, past)
		if err != nil {
			return nil, err
		}
		c, err := b.serve("file:" + path)
		if err != nil {
			return nil, err
		}
		defer c.stop()
		runs = append(runs, c.asked)
	}
	kept, err := interleave(b.repetitions, runs[0], runs[1])
	if err != nil {
		return []figure{missing(f, err)}, nil
	}
	return []figure{compare(f, kept, 0, "cpu", theFloor, "cpu")}, nil
}

var nextCursor = regexp.MustCompile(`"next":"([^"]+)"`)

// asked measures searches, rare and common, and pages, each followed to its second page.
func (c *child) asked() (outcome, error) {
	const rounds = 20
	questions := []string{"", "q=weekly", "q=person+number12", "q=1234", "room_id=room-7", "state=ended&q=meeting+number7"}
	before, n := c.cpu(), 0
	for range rounds {
		for _, question := range questions {
			path := "/api/v1/sessions?limit=50&" + question
			page, err := c.get(path)
			if err != nil {
				return nil, err
			}
			n++
			if next := nextCursor.FindStringSubmatch(page); next != nil {
				if _, err := c.get(path + "&cursor=" + url.QueryEscape(next[1])); err != nil {
					return nil, err
				}
				n++
			}
		}
	}
	return outcome{"cpu": (c.cpu() - before).Seconds() * 1e6 / float64(n)}, nil
}
