package live

import (
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// plugNmeet's memory of a session has two clocks in a row (contract 5.4): its database stamps the creation in a zone of
// its own. A session whose creation is known otherwise, too, shows which; one whose is not takes the zone of the nearest
// that does, as zones change with the season.

const (
	zoneGrain  = 15 * time.Minute // offsets of zones are multiples of it
	zoneMost   = 14 * time.Hour
	zoneTrue   = 2 * time.Minute // how near the offset of a session must come to one
	zoneBefore = time.Minute     // how long after its end a session may seem to have begun
)

// stamp is when a session was created by the database's clock, and truly, if that is known.
type stamp struct{ said, known room.Time }

// zone is the offset of the database's zone that a session shows, in milliseconds.
func (s stamp) zone() (offset room.Time, ok bool) {
	if s.said == 0 || s.known == 0 {
		return 0, false
	}
	differs := time.Duration(s.said-s.known) * time.Millisecond
	zone := differs.Round(zoneGrain)
	return room.Time(zone.Milliseconds()), (differs-zone).Abs() <= zoneTrue && zone.Abs() <= zoneMost
}

// createdAt is when a session was created that is stamped so and has ended then, 0 if that cannot be told. Others are
// sessions whose creation is known.
func createdAt(said, ended room.Time, others []stamp) room.Time {
	var nearest, zone room.Time
	found := false
	for _, s := range others {
		offset, ok := s.zone()
		distance := max(s.said, said) - min(s.said, said)
		if ok && (!found || distance < nearest) {
			nearest, zone, found = distance, offset, true
		}
	}
	at := said - zone
	if said == 0 || !found || at > ended+room.Time(zoneBefore.Milliseconds()) {
		return 0
	}
	return min(at, ended)
}
