package simulate

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// Plan says what installation of plugNmeet to simulate. A field that is zero has its default.
type Plan struct {
	Seed   uint64
	Rooms  int       // open at a time, breakouts aside; 24
	People int       // in a room, on average: most have fewer, a few have many; 8
	Pace   float64   // 1 is real life. At 60 an hour's meeting takes a minute, and says so: times stay true
	Start  time.Time // now
	Memory int       // how many sessions Truth remembers after their end; 500

	// What can go wrong between plugNmeet and us. Shares are of all deliveries, from 0 to 1.
	Duplicate float64 // come twice
	Drop      float64 // never come: Truth, which knows of them, is then more than was told
	Late      float64 // come one to ten minutes late
	Shuffle   bool    // all come up to half a minute late, so that their order is lost
}

// Defaults of a plan.
const (
	defaultRooms  = 24
	defaultPeople = 8
	defaultMemory = 500
)

// Validate says what is wrong with the plan.
func (p Plan) Validate() error {
	switch {
	case p.Rooms < 0 || p.Rooms > 100_000:
		return errors.New("rooms: want 1 to 100000")
	case p.People < 0 || p.People > 1000:
		return errors.New("people: want 1 to 1000")
	case p.Pace < 0 || p.Pace > 10_000:
		return errors.New("pace: want more than 0, at most 10000")
	case p.Memory < 0:
		return errors.New("memory: want 1 or more")
	}
	for name, share := range map[string]float64{"duplicate": p.Duplicate, "drop": p.Drop, "late": p.Late} {
		if !(share >= 0 && share <= 1) {
			return fmt.Errorf("%s: want a share from 0 to 1", name)
		}
	}
	return nil
}

// Rate is how many deliveries a second life makes at pace 1, as a trial of some hours shows: a plan with the
// pace r/Rate() makes about r.
func (p Plan) Rate() float64 {
	const warmUp, trial = time.Hour, 3 * time.Hour
	rooms := cmp.Or(p.Rooms, defaultRooms)
	small := Plan{Seed: p.Seed, Rooms: min(rooms, defaultRooms), People: p.People, Start: time.Unix(1_800_000_000, 0), Memory: 1}
	life := small.Begin()
	for range life.Until(small.Start.Add(warmUp)) { // not all rooms are open yet
	}
	n := 0
	for range life.Until(small.Start.Add(warmUp + trial)) {
		n++
	}
	return float64(n) / trial.Seconds() * float64(rooms) / float64(small.Rooms)
}
