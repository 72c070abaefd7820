package room

import "cmp"

// What can go on in a session without that its record_id is known.
const (
	GoingRecording = "recording"
	GoingStream    = "stream"
)

// GoingTold is what polls say of a recording or a stream whose record_id they do not tell: from when on one went on,
// and when none did any more.
type GoingTold struct {
	Began Time `json:"began,omitempty"`
	Ended Time `json:"ended,omitempty"`
}

func (f GoingTold) covers(o GoingTold) bool {
	return asEarly(f.Began, o.Began) && asEarly(f.Ended, o.Ended)
}

func goingTold(e Event) GoingTold {
	if e.Kind == KindAbsent {
		return GoingTold{Ended: e.At}
	}
	return GoingTold{Began: e.At}
}

// nameless is since when a recording or a stream goes on that no record_id is known of, 0 if none does. plugNmeet
// allows one at a time: it is a job that is known if that goes on, or went on at any time since.
func (r *reading) nameless(going string, jobs map[string]job) (since Time) {
	if r.state == StateEnded {
		return 0
	}
	var until Time // something is known to have ended
	for _, j := range jobs {
		ended := cmp.Or(j.ended, j.ready)
		if ended == 0 && !j.transcoded {
			return 0
		}
		until = max(until, cmp.Or(ended, j.first))
	}
	for _, said := range r.Going[going] {
		until = max(until, said.Said.Ended)
	}
	for _, said := range r.Going[going] {
		if said.Said.Began > until {
			since = earliest(since, said.Said.Began)
		}
	}
	return since
}
