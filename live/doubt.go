package live

import (
	"math"
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
	at           room.Time  // when the poll began, by the clock by which its end is told
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

// never is more polls than there will be: what they do not list is no evidence.
const never = math.MaxInt

// doubts remember from poll to poll what was not listed.
type doubts struct {
	known    map[string]doubt
	counters map[string]counter // by sid
	sizes    []size             // as it was at the last polls
}

type doubt struct {
	since room.Time
	polls int
}

// count is what one poll says of how many are in a session.
type count struct {
	joined    int
	attendees int    // that are listed
	who       uint64 // they, as a sum
	uncounted int    // how many more plugNmeet counts than it lists and can have left out
	missing   bool   // somebody or something is not listed that is there by what is known
}

// counter is what has become of joined_participants of a session, from poll to poll.
type counter struct {
	count
	polls int  // in a row that said the same
	wrong bool // it counts who is not there, as after a crash: plugNmeet adds to it and takes from it without looking
}

// settledAfter is how many polls with the same list make a counter that says more a wrong one. While somebody is not
// listed who may be there it takes as many as that is doubted for.
const settledAfter = 3

// count follows the counters. A wrong one is not believed until it agrees with the list again.
func (d *doubts) count(counts map[string]count) {
	known := make(map[string]counter, len(counts))
	for sid, now := range counts {
		if now.uncounted <= 0 {
			continue
		}
		c, again := d.counters[sid]
		if !again || c.joined != now.joined || c.who != now.who {
			c.polls = 0
		}
		missing := now.missing || c.polls > 0 && c.missing
		c.count, c.missing = now, missing
		c.polls++
		listsSome := now.attendees > 0
		c.wrong = c.wrong || listsSome && (c.polls >= settledAfter && !missing || c.polls >= sceptical)
		known[sid] = c
	}
	d.counters = known
}

// short: plugNmeet counts more in a session than it lists, and may be right.
func (d *doubts) short(sid string) bool {
	c, counted := d.counters[sid]
	return counted && !c.wrong
}

// anyShort: it does so in some session.
func (d *doubts) anyShort() bool {
	for sid := range d.counters {
		if d.short(sid) {
			return true
		}
	}
	return false
}

// weigh counts the polls that did not list each absence, and says how many it takes. When half or more is gone of
// what there was within the last polls, it takes more: an API that lost sight of it looks the same. Blind is one that
// sees nobody at all and yet counts people: it is no word on who is there.
func (d *doubts) weigh(absent []*absence, now, gone size, blind bool) {
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
		if !again || !a.whole && before.since <= a.heard { // or it was heard of between two polls
			before.since = a.at
		}
		before.polls++
		known[a.id] = before
		a.since, a.polls, a.need = before.since, before.polls, agreeing
		inside := !a.whole && !a.OfJob()
		switch {
		case inside && blind:
			a.need = never
		case mass, inside && d.short(a.session.SID):
			a.need = sceptical
		}
	}
	d.known = known
}
