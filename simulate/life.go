package simulate

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// Delivery is one POST that plugNmeet makes: its body is what plugNmeet 2.4.0 sends, byte for byte in form.
type Delivery struct {
	At     time.Time // when it is sent; its created_at may be earlier
	RoomID string
	Event  string
	Body   []byte
}

// Life is what goes on in a simulated installation: meetings that begin and end, people who come and go.
// It knows the truth about them and tells it in deliveries. Everything in it follows from the plan's seed.
// It is not safe for concurrent use.
type Life struct {
	plan   Plan
	pace   float64
	now    time.Time
	dice   dice
	agenda queue[func()]
	post   outbox

	places   []*place
	sessions []*session // those that are open and the latest of those that are over, by creation
	over     int        // how many of them are over
	recorded int        // recordings so far
	streamed int        // streams so far
}

// Begin is the life of the plan at its start: nothing has happened yet.
func (p Plan) Begin() *Life {
	p.Rooms, p.People = cmp.Or(p.Rooms, defaultRooms), cmp.Or(p.People, defaultPeople)
	p.Memory, p.Pace = cmp.Or(p.Memory, defaultMemory), cmp.Or(p.Pace, 1)
	if p.Start.IsZero() {
		p.Start = time.Now()
	}
	p.Start = p.Start.Truncate(time.Millisecond)
	l := &Life{plan: p, pace: p.Pace, now: p.Start, dice: newDice(p.Seed, 0), places: places(p.Rooms)}
	l.post = outbox{plan: p, dice: newDice(p.Seed, 1)}
	for i := range p.Rooms {
		l.after(time.Duration(i)*5*time.Minute/time.Duration(p.Rooms), func() { l.open(l.freePlace()) })
	}
	return l
}

// Now is how far life has come.
func (l *Life) Now() time.Time { return l.now }

// Until goes on to end and yields the deliveries of the time up to it, in the order in which they are sent.
// Where it is left off, the next Until goes on.
func (l *Life) Until(end time.Time) iter.Seq[Delivery] {
	return func(yield func(Delivery) bool) {
		for {
			at, some := l.agenda.first()
			if !some || at.After(end) {
				break
			}
			if !l.post.deliver(at, yield) {
				return
			}
			l.now = at
			l.agenda.take()()
		}
		if l.post.deliver(end, yield) && l.now.Before(end) {
			l.now = end
		}
	}
}

// Held yields what is still on its way. After it, everything up to Now has been told, except what was dropped.
func (l *Life) Held() iter.Seq[Delivery] {
	return func(yield func(Delivery) bool) { l.post.deliver(time.Unix(1<<40, 0), yield) }
}

// Hurry changes the pace from now on: 1 is real life.
func (l *Life) Hurry(pace float64) {
	l.agenda.hurry(l.now, pace/l.pace)
	l.pace = pace
}

// Truth is what is true now of the sessions that are open and of the latest that are over, in the order of
// their creation. Source, trust, last event and peak are left empty. Times are in milliseconds, though
// webhooks tell most of them in whole seconds.
func (l *Life) Truth() []room.Detail {
	truth := make([]room.Detail, len(l.sessions))
	for i, s := range l.sessions {
		truth[i] = s.truth()
	}
	return truth
}

// after lets f happen; d is in real life's time.
func (l *Life) after(d time.Duration, f func()) {
	l.agenda.add(l.now.Add(time.Duration(float64(d)/l.pace)), f)
}

// forget keeps Truth at the plan's size.
func (l *Life) forget() {
	l.over++
	for l.over > l.plan.Memory {
		oldest := slices.IndexFunc(l.sessions, (*session).isOver)
		l.sessions = slices.Delete(l.sessions, oldest, oldest+1)
		l.over--
	}
}
