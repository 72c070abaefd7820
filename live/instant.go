package live

import (
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// instant is one moment by the three clocks that tell times: plugNmeet's and LiveKit's, by which it stamps what it
// says, and ours. Only times of one clock can be compared.
type instant struct{ ours, plugnmeet, livekit room.Time }

// sameClock is how far clocks may seem to differ that are the same: deliveries tell whole seconds, and take a moment.
const sameClock room.Time = 2_000

// instantOf is when a poll began. How far the clocks are ahead many deliveries have shown, or else the answer itself.
func (b *Board) instantOf(source string, p Poll) instant {
	at := room.At(p.Began)
	plugnmeet := room.Time(p.Ahead.Milliseconds())
	livekit := plugnmeet
	if told, measured := b.clocksOf(source); measured {
		plugnmeet, livekit = told.PlugNmeet, told.LiveKit()
	}
	return instant{at, at + ahead(plugnmeet), at + ahead(livekit)}
}

// ahead leaves out what is no difference of clocks, and is rather too little than too much: an end that was told of the
// second after a poll must not look older.
func ahead(by room.Time) room.Time {
	switch {
	case by >= sameClock:
		return by - sameClock/2
	case by <= -sameClock:
		return by
	}
	return 0
}

// clocksOf is how far the clocks of a source were found to be ahead, if that was measured.
func (b *Board) clocksOf(source string) (told room.Clocks, measured bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	c := b.clocks[source]
	return c.known(), c != nil && c.at != 0
}

// settled is the latest end that cannot be later than a poll that began then, as ends are told in whole seconds.
func settled(at room.Time) room.Time { return at - at%1000 - 1 }

// byPlugNmeet is a moment of our clock by plugNmeet's, as the clocks stood at the instant.
func (i instant) byPlugNmeet(ours room.Time) room.Time {
	if ours == 0 {
		return 0
	}
	return ours + i.plugnmeet - i.ours
}

// before is a while before now of our clock, by plugNmeet's.
func (i instant) before(now time.Time, while time.Duration) room.Time {
	return i.byPlugNmeet(room.At(now.Add(-while)))
}
