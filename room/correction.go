package room

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// What a correction puts right.
const (
	Found    = "found"    // plugNmeet lists a session that no delivery told of
	Back     = "back"     // plugNmeet lists a session that was taken for ended
	Gone     = "gone"     // plugNmeet no longer lists a session: ended by reconcile
	Passed   = "passed"   // a session began and ended, and no delivery told of it
	Adjusted = "adjusted" // people, tracks or recordings of a session were missing, or were there no longer
	Made     = "made"     // files or artifacts of a session were missing
	Silent   = "silent"   // the janitor ended a session of which nothing was heard
	Asked    = "asked"    // nothing was wrong: an operator asked plugNmeet to end the session
)

// Corrected is what one entry of our own puts right in one session, in numbers. Missing things were not known,
// gone ones were taken for being there.
type Corrected struct {
	What  string `json:"what"`
	Since Time   `json:"since,omitempty"` // the last check before, at which it was not found; 0 if there was none

	PeopleMissing int `json:"people_missing,omitempty"`
	PeopleGone    int `json:"people_gone,omitempty"`
	BotsMissing   int `json:"bots_missing,omitempty"`
	BotsGone      int `json:"bots_gone,omitempty"`
	TracksMissing int `json:"tracks_missing,omitempty"` // of those who were known
	TracksGone    int `json:"tracks_gone,omitempty"`
	JobsMissing   int `json:"jobs_missing,omitempty"` // recordings and streams
	JobsGone      int `json:"jobs_gone,omitempty"`
	Files         int `json:"files,omitempty"`
	Artifacts     int `json:"artifacts,omitempty"`

	SilentMinutes int    `json:"silent_minutes,omitempty"` // Silent: for so long nothing was heard
	By            string `json:"by,omitempty"`             // Asked: who asked
}

// Add sums what two entries put right. What and By stay.
func (c *Corrected) Add(o Corrected) {
	c.PeopleMissing += o.PeopleMissing
	c.PeopleGone += o.PeopleGone
	c.BotsMissing += o.BotsMissing
	c.BotsGone += o.BotsGone
	c.TracksMissing += o.TracksMissing
	c.TracksGone += o.TracksGone
	c.JobsMissing += o.JobsMissing
	c.JobsGone += o.JobsGone
	c.Files += o.Files
	c.Artifacts += o.Artifacts
}

// counts: anything was put right inside the session.
func (c Corrected) counts() bool {
	return c.PeopleMissing+c.PeopleGone+c.BotsMissing+c.BotsGone+c.TracksMissing+c.TracksGone+c.JobsMissing+c.JobsGone+c.Files+c.Artifacts > 0
}

// Text says it in a sentence without its full stop.
func (c Corrected) Text() string {
	switch c.What {
	case Gone:
		return "ended by reconcile: plugNmeet no longer lists it"
	case Passed:
		return "found among plugNmeet’s past sessions: it began and ended while nothing was received"
	case Silent:
		return "ended by the janitor: nothing was heard of it for " + silence(c.SilentMinutes)
	case Asked:
		return c.By + " asked plugNmeet to end it"
	}
	parts := c.Parts()
	switch c.What {
	case Found:
		parts = append([]string{"found: plugNmeet lists it, and nothing had told of it"}, parts...)
	case Back:
		parts = append([]string{"taken up again: plugNmeet lists it, and it had been taken for ended"}, parts...)
	}
	return strings.Join(parts, ", ")
}

// Parts are the figures, in words.
func (c Corrected) Parts() (out []string) {
	say := func(n int, one, many string) { out = counted(out, n, one, many) }
	say(c.PeopleMissing, "person was missing", "people were missing")
	say(c.PeopleGone, "person had left", "people had left")
	say(c.BotsMissing, "bot was missing", "bots were missing")
	say(c.BotsGone, "bot had left", "bots had left")
	say(c.TracksMissing, "track was missing", "tracks were missing")
	say(c.TracksGone, "track had ended", "tracks had ended")
	say(c.JobsMissing, "recording or stream was not known", "recordings or streams were not known")
	say(c.JobsGone, "recording or stream had ended", "recordings or streams had ended")
	say(c.Files, "recording’s file was missing", "recordings’ files were missing")
	say(c.Artifacts, "artifact was missing", "artifacts were missing")
	return out
}

// counted adds how many there are, in words, if there are any.
func counted(out []string, n int, one, many string) []string {
	switch {
	case n == 1:
		return append(out, "1 "+one)
	case n > 1:
		return append(out, fmt.Sprint(n, " ", many))
	}
	return out
}

func silence(minutes int) string {
	switch {
	case minutes < 120:
		return fmt.Sprint(minutes, " min")
	case minutes%60 == 0 || minutes > 48*60:
		return fmt.Sprint(minutes/60, " h")
	}
	return fmt.Sprintf("%d h %d min", minutes/60, minutes%60)
}

// CorrectionTold is what a correction says of itself.
type CorrectionTold struct{ Corrected }

// covers: every correction is a thing of its own, told once.
func (f CorrectionTold) covers(o CorrectionTold) bool { return f == o }

// Correction is something that was put right in a session. Its JSON has the sentence beside the figures.
type Correction struct {
	At    time.Time `json:"at"`
	Since time.Time `json:"since,omitzero"` // as Corrected has it
	Text  string    `json:"text"`
	Corrected
	TakenBack TakenBack `json:"taken_back,omitzero"` // it turned out to be wrong, in whole or in part
	entry     string    // that put it right
}

func (r *reading) corrections() []Correction {
	out := make([]Correction, 0, len(r.Corrections))
	if len(r.Corrections) == 0 {
		return out
	}
	wrong := r.wrongEnds()
	for id, told := range r.Corrections {
		for _, said := range told {
			out = append(out, Correction{said.At.Time(), said.Said.Since.Time(), said.Said.Text(), said.Said.Corrected,
				wrong[id].of(said.Said.Corrected), id})
		}
	}
	slices.SortFunc(out, func(a, b Correction) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.entry, b.entry)) })
	return out
}

// TakenBack is what of the correction that an entry brought has been taken back.
func (s *Session) TakenBack(entry string) TakenBack {
	told := s.Corrections[entry]
	if len(told) == 0 {
		return TakenBack{}
	}
	r := s.read()
	return r.wrongEnds()[entry].of(told[len(told)-1].Said.Corrected)
}

// PollSaid is how it went when plugNmeet's API was asked who is there.
type PollSaid struct {
	Rooms    int       `json:"rooms"`
	People   int       `json:"people"`
	Unlisted []string  `json:"unlisted,omitempty"` // sids that are open by what is known, and that it does not list
	Disputed []string  `json:"disputed,omitempty"` // sids of which it says otherwise, until enough polls agree
	Failing  string    `json:"failing,omitempty"`  // why it cannot be relied on; then the other figures say nothing
	Since    Time      `json:"since,omitempty"`    // Failing: of the first failure in a row
	Healed   Corrected `json:"healed,omitzero"`    // the sum of what was put right
	Sessions int       `json:"sessions,omitempty"` // in how many sessions
	Differ   int       `json:"differ,omitempty"`   // how many of the listed sessions were not known as they are
}

// Gap is a time in which deliveries may have been lost. Why says it in a sentence.
type Gap struct {
	From Time   `json:"from"`
	To   Time   `json:"to"`
	Why  string `json:"why"`
}
