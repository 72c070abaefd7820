package room

import (
	"strings"
	"time"
)

// TakenBack is what of a correction turned out to be wrong; its Text is "" when nothing did. The figures are of Corrected's.
type TakenBack struct {
	At         time.Time `json:"at,omitzero"` // when that showed
	Text       string    `json:"text"`
	Whole      bool      `json:"whole,omitempty"` // the session had not ended
	PeopleGone int       `json:"people_gone,omitempty"`
	BotsGone   int       `json:"bots_gone,omitempty"`
	TracksGone int       `json:"tracks_gone,omitempty"`
	JobsGone   int       `json:"jobs_gone,omitempty"`
}

// Left is what remains of a correction.
func (t TakenBack) Left(c Corrected) Corrected {
	c.PeopleGone -= t.PeopleGone
	c.BotsGone -= t.BotsGone
	c.TracksGone -= t.TracksGone
	c.JobsGone -= t.JobsGone
	return c
}

// wrongEnd is what one entry ended, and what did not end then.
type wrongEnd struct {
	at      Time
	session bool
	who     map[string]bool // identities; true: of a person
	tracks  int
	jobs    int
}

func (w *wrongEnd) show(at Time) { w.at = earliest(w.at, at) }

// of is what that takes back of a correction: no more than it had put right.
func (w *wrongEnd) of(c Corrected) TakenBack {
	if w == nil {
		return TakenBack{}
	}
	t := TakenBack{At: w.at.Time(), Whole: w.session && (c.What == Gone || c.What == Silent)}
	if t.Whole {
		t.PeopleGone, t.BotsGone, t.TracksGone, t.JobsGone = c.PeopleGone, c.BotsGone, c.TracksGone, c.JobsGone
		t.Text = "taken back: plugNmeet listed it again"
		return t
	}
	for _, person := range w.who {
		if person {
			t.PeopleGone++
		} else {
			t.BotsGone++
		}
	}
	t.PeopleGone, t.BotsGone = min(t.PeopleGone, c.PeopleGone), min(t.BotsGone, c.BotsGone)
	t.TracksGone, t.JobsGone = min(w.tracks, c.TracksGone), min(w.jobs, c.JobsGone)
	parts := t.parts()
	if len(parts) == 0 {
		return TakenBack{}
	}
	t.Text = "taken back: " + strings.Join(parts, ", ")
	return t
}

func (t TakenBack) parts() (out []string) {
	say := func(n int, one, many string) { out = counted(out, n, one, many) }
	say(t.PeopleGone, "person was still there", "people were still there")
	say(t.BotsGone, "bot was still there", "bots were still there")
	say(t.TracksGone, "track went on", "tracks went on")
	say(t.JobsGone, "recording or stream went on", "recordings or streams went on")
	return out
}

// wrongEnds finds, by the id of the entry that told it, each end which only we told and which does not hold: plugNmeet
// listed the thing again, or a delivery told of it later.
func (r *reading) wrongEnds() map[string]*wrongEnd {
	out := make(map[string]*wrongEnd)
	wrong := func(entry string, shown Time) *wrongEnd {
		w := out[entry]
		if w == nil {
			w = &wrongEnd{who: make(map[string]bool)}
			out[entry] = w
		}
		w.show(shown)
		return w
	}
	for _, said := range r.Room {
		if (said.Kind == KindAbsent || said.Kind == KindJanitor) && said.Said.Moment <= r.alive {
			wrong(said.ID, listedSince(r.Room, said.Said.Moment, func(s RoomSaid) Time { return s.AliveAt })).session = true
		}
	}
	heard := r.heardSince()
	for sid, told := range r.Connections {
		identity, known := r.identityOf(told)
		end := ends(told, func(s ConnectionSaid) (alive, end Time) { return s.AliveAt, s.Left })
		end.heard = max(heard[sid], heard["of "+identity])
		for entry, shown := range end.wrong("/" + sid) {
			if known {
				wrong(entry, shown).who[identity] = personal(kindOf(identity, kindSaid(told)))
			}
		}
	}
	for sid, told := range r.Tracks {
		for entry, shown := range ends(told, func(s TrackTold) (alive, end Time) { return s.AliveAt, s.Unpublished }).wrong("/" + sid) {
			wrong(entry, shown).tracks++
		}
	}
	for _, jobs := range []map[string]Told[JobTold]{r.Recordings, r.Streams} {
		for id, told := range jobs {
			for entry, shown := range ends(told, func(s JobTold) (alive, end Time) { return 0, s.Moment }).wrong("/" + id) {
				wrong(entry, shown).jobs++
			}
		}
	}
	return out
}

// listedSince is the first poll that listed what is said to have ended at a time.
func listedSince[F fact[F]](told Told[F], ended Time, alive func(F) Time) (at Time) {
	for _, r := range told {
		if r.Kind == KindListed && alive(r.Said) >= ended {
			at = earliest(at, r.At)
		}
	}
	return at
}

// kindSaid is LiveKit's kind of a participant, as was last said on a connection.
func kindSaid(told Told[ConnectionSaid]) (kind string) {
	for _, r := range told {
		kind = lastSaid(kind, r.Said.Kind)
	}
	return kind
}

// endsTold are the ends that were told of one thing.
type endsTold struct {
	absent    []Stamp // by checks
	ended     []Time  // the same
	delivered Time    // by a delivery, the first; 0 if none did
	listed    map[Time]Time
	heard     Time // a delivery told of it then, see heardSince
}

// ends reads them; what tells of each report when it was listed, and when it ended.
func ends[F fact[F]](told Told[F], what func(F) (alive, end Time)) (e endsTold) {
	for _, r := range told {
		alive, end := what(r.Said)
		switch r.Kind {
		case KindAbsent:
			e.absent, e.ended = append(e.absent, r.Stamp), append(e.ended, end)
		case KindListed:
			if e.listed == nil {
				e.listed = make(map[Time]Time)
			}
			e.listed[alive] = earliest(e.listed[alive], r.At)
		case KindParticipantLeft, KindTrackUnpublished, KindRecordingEnded, KindStreamEnded:
			e.delivered = earliest(e.delivered, end)
		}
	}
	return e
}

// wrong are the entries by which checks ended what went on, and when that showed. An entry's parts are named by its id
// and what they are about.
func (e endsTold) wrong(about string) map[string]Time {
	var out map[string]Time
	for i, stamp := range e.absent {
		entry, part := strings.CutSuffix(stamp.ID, about)
		shown := e.shown(e.ended[i])
		if !part || shown == 0 {
			continue
		}
		if out == nil {
			out = make(map[string]Time)
		}
		out[entry] = shown
	}
	return out
}

// shown is when it showed that an end was none, 0 if that did not.
func (e endsTold) shown(ended Time) (at Time) {
	for alive, listed := range e.listed {
		if alive >= ended {
			at = earliest(at, listed)
		}
	}
	if e.delivered > ended+afterAll {
		at = earliest(at, e.delivered)
	}
	if e.heard >= ended {
		at = earliest(at, e.heard+afterAll)
	}
	return at
}
