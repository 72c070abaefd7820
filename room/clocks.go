package room

import "slices"

// Clocks is how far the clocks behind one source were ahead of others, in milliseconds, as the created_at of many
// deliveries showed. plugNmeet stamps its own events with its clock when it sends them, LiveKit's events carry the
// time of LiveKit's clock (contract 4.3).
type Clocks struct {
	Skew      Time `json:"skew"`      // LiveKit's ahead of plugNmeet's; negative: behind
	PlugNmeet Time `json:"plugnmeet"` // plugNmeet's ahead of ours
	Of        int  `json:"of"`        // how many deliveries it was measured by
}

// LiveKit is how far LiveKit's clock is ahead of ours.
func (c Clocks) LiveKit() Time { return c.PlugNmeet + c.Skew }

// Lag is how long after its created_at a delivery was received.
type Lag struct {
	LiveKit bool // the event was born at LiveKit
	Lag     Time
}

const (
	// MostLags is how many lags of either kind are worth keeping.
	MostLags = 99

	fewestLiveKit   = 10
	fewestPlugNmeet = 3

	// plugNmeet's signature would be refused if its clock were further off; LiveKit's events may have waited, too.
	// What lags more tells of another day, not of a clock.
	mostLagPlugNmeet Time = 90_000
	mostLagLiveKit   Time = 600_000

	// steady is how far most lags may be from the median. They are as steady as the network; those of a day that is
	// posted anew differ as much as its events.
	steadyPlugNmeet Time = 2_000
	steadyLiveKit   Time = 4_000

	// clocksMoved is from when on a measurement differs from the one before.
	clocksMoved Time = 2_000
)

// LagOf is the lag of a delivery that was received at a time, if it says something of a clock.
func LagOf(e Event, received Time) (l Lag, ok bool) {
	l = Lag{LiveKit: e.Kind.livekitBorn(), Lag: received - e.At}
	most := mostLagPlugNmeet
	if l.LiveKit {
		most = mostLagLiveKit
	}
	known := e.Kind != KindOther && !e.Kind.Own()
	return l, known && e.At != e.Received && -most <= l.Lag && l.Lag <= most
}

// Measure compares clocks by the newest lags of a source. It takes many that agree: a median is not moved by some that
// were held up, and where most do not agree, ok is false and nothing is known.
func Measure(lags []Lag) (c Clocks, ok bool) {
	var livekit, plugnmeet []Time
	for _, l := range lags {
		if l.LiveKit {
			livekit = append(livekit, l.Lag)
		} else {
			plugnmeet = append(plugnmeet, l.Lag)
		}
	}
	if len(livekit) < fewestLiveKit || len(plugnmeet) < fewestPlugNmeet {
		return c, false
	}
	theirs, ok := median(livekit, steadyLiveKit)
	ours, also := median(plugnmeet, steadyPlugNmeet)
	return Clocks{Skew: ours - theirs, PlugNmeet: -ours, Of: len(lags)}, ok && also
}

// median is the middle one, and whether two of three are as near to it as they should be.
func median(lags []Time, steady Time) (middle Time, agree bool) {
	slices.Sort(lags)
	middle = lags[len(lags)/2]
	near := 0
	for _, l := range lags {
		if middle-steady <= l && l <= middle+steady {
			near++
		}
	}
	return middle, 3*near >= 2*len(lags)
}

// Moved: c differs from what was measured before by enough to be worth an entry of the record.
func (c Clocks) Moved(before Clocks) bool {
	far := func(a, b Time) bool { return max(a, b)-min(a, b) > clocksMoved }
	return far(c.Skew, before.Skew) || far(c.PlugNmeet, before.PlugNmeet)
}
