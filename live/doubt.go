package live

import (
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// absence is somebody or something, or a whole session, that is there by what is known and that a poll does not list.
type absence struct {
	room.Absence            // of something within a session
	id           string     // the same from poll to poll
	session      room.Event // whose it is
	whole        bool       // the session itself is not listed
	people, bots int        // whole: who is in it
	short        bool       // plugNmeet counts more in its session than it lists
	heard        room.Time  // when it was last heard of, by the clock of now
	now          room.Time  // when the poll began
	lastEvent    room.Time  // whole: the newest time of its deliveries
	alive        room.Time  // whole: ends at or before do not count

	since room.Time // the first poll in a row that did not list it
	polls int       // how many did not, this one among them
	need  int       // how many it takes
	ended room.Time // when plugNmeet's memory says that the session ended, 0 if it does not
}

func (a *absence) isQuiet(quiet time.Duration) bool {
	return a.now-a.heard >= room.Time(quiet.Milliseconds())
}

func (a *absence) believed(quiet time.Duration) bool { return a.polls >= a.need && a.isQuiet(quiet) }

// tolerated is how far plugNmeet's memory of an end may be off from what else is known: its clock may be set to
// another zone there (contract 5.4).
const tolerated = room.Time(60_000)

// endedAt is when the session ended: what plugNmeet remembers if that can be, else the first poll without it.
func (a *absence) endedAt() room.Time {
	if a.ended > max(a.lastEvent-tolerated, a.alive) && a.ended < a.since+tolerated {
		return a.ended
	}
	return a.since
}

// size is how much goes on.
type size struct{ rooms, people int }

// Below these numbers, that half of them are gone is nothing out of the ordinary.
const (
	manyRooms  = 4
	manyPeople = 10
)

// doubts remember from poll to poll what was not listed.
type doubts struct {
	known map[string]doubt
	sizes []size // as it was at the last polls
}

type doubt struct {
	since room.Time
	polls int
}

// weigh counts the polls that did not list each absence, and says how many it takes. When half or more is gone of
// what there was within the last polls, it takes more: an API that lost sight of it looks the same.
func (d *doubts) weigh(absent []*absence, now, gone size, at room.Time) {
	d.sizes = append(d.sizes, now)
	d.sizes = d.sizes[max(0, len(d.sizes)-sceptical):]
	var most size
	for _, s := range d.sizes {
		most.rooms, most.people = max(most.rooms, s.rooms), max(most.people, s.people)
	}
	mass := most.rooms >= manyRooms && 2*gone.rooms >= most.rooms || most.people >= manyPeople && 2*gone.people >= most.people
	known := make(map[string]doubt, len(absent))
	for _, a := range absent {
		before, again := d.known[a.id]
		if !again {
			before.since = at
		}
		before.polls++
		known[a.id] = before
		a.since, a.polls, a.need = before.since, before.polls, agreeing
		if mass || a.short {
			a.need = sceptical
		}
	}
	d.known = known
}
