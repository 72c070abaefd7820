package store

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// turn sets the clock of a record, and how long its process has run.
func turn(s *SQLite, wall time.Time, up time.Duration) {
	s.clock.wall = func() time.Time { return wall }
	s.clock.up = func() time.Duration { return up }
}

// believed fails the test unless the clock is believed, or is not, and the record says so.
func believed(t *testing.T, what string, s *SQLite, want bool) {
	t.Helper()
	err := s.Steady(t.Context())
	if (err == nil) != want || err != nil && !errors.Is(err, ErrClock) || slices.Contains(s.Warnings(), warnClock) == want {
		t.Errorf("%s: %v, warnings %q", what, err, s.Warnings())
	}
}

const year = 365 * 24 * time.Hour

// Row 46: a clock that is far from when the record was last written, either way, is not believed until it has gone evenly
// for a day, however often Roomwatch is started meanwhile.
func TestFault46AStartWithAWrongClockIsFoundByTheRecord(t *testing.T) {
	for name, c := range map[string]struct {
		off      time.Duration
		believed bool
	}{
		"a year ahead": {year, false}, "a year behind": {-year, false}, "two days ahead": {48 * time.Hour, false}, "an hour behind": {-time.Hour, false},
		"right after a night": {12 * time.Hour, true}, "set back a little": {-time.Minute, true},
	} {
		path := "file:" + filepath.Join(t.TempDir(), "r.db")
		s := openAt(t, path)
		turn(s, noon, 0)
		believed(t, name+", before", s, true)
		turn(s, noon.Add(10*time.Minute), 10*time.Minute)
		believed(t, name+", before", s, true)
		closeStore(t, s)

		wrong := noon.Add(10*time.Minute + c.off)
		s = openAt(t, path)
		turn(s, wrong, 0)
		believed(t, name, s, c.believed)
		turn(s, wrong.Add(time.Hour), time.Hour)
		believed(t, name+", an hour later", s, c.believed)
		closeStore(t, s)
		if c.believed {
			continue
		}
		s = openAt(t, path)
		turn(s, wrong.Add(2*time.Hour), 0)
		believed(t, name+", after another start", s, false)
		turn(s, wrong.Add(25*time.Hour), 23*time.Hour)
		believed(t, name+", a day later", s, true)
		closeStore(t, s)

		s = openAt(t, path)
		turn(s, wrong.Add(26*time.Hour-c.off), 0)
		believed(t, name+", set right", s, c.off == -time.Hour) // no more than a stop of an hour
		closeStore(t, s)
	}
}

// Row 46: while a process runs, the time that has passed tells.
func TestFault46ALeapOfTheClockIsFoundWhileRunning(t *testing.T) {
	for name, leap := range map[string]time.Duration{"a year ahead": year, "a year back": -year, "an hour ahead": time.Hour, "a quarter of an hour back": -15 * time.Minute} {
		s := openAt(t, "memory:")
		at, up := noon, time.Duration(0)
		pass := func(d, leap time.Duration) {
			at, up = at.Add(d+leap), up+d
			turn(s, at, up)
		}
		pass(0, 0)
		believed(t, name+", at first", s, true)
		pass(40*24*time.Hour, 0) // it may be looked at seldom
		believed(t, name+", after forty days", s, true)
		pass(time.Minute, time.Minute)
		believed(t, name+", set by a minute", s, true)
		pass(time.Minute, leap)
		believed(t, name, s, false)
		pass(23*time.Hour, 0)
		believed(t, name+", almost a day later", s, false)
		pass(time.Minute, -leap)
		believed(t, name+", set right", s, false)
		pass(23*time.Hour, 0)
		believed(t, name+", almost a day later again", s, false)
		pass(2*time.Hour, 0)
		believed(t, name+", a day after all", s, true)
	}
}

// A record of an earlier program has no note of its clock: what came last, and the last minute that was counted, tell.
func TestFault46ARecordOfAnEarlierProgramTellsByWhatItHolds(t *testing.T) {
	path := "file:" + filepath.Join(t.TempDir(), "r.db")
	s := openAt(t, path)
	mustAppend(t, s, entry(1)) // at noon
	closeStore(t, s)
	s = openAt(t, path)
	turn(s, noon.Add(year), 0)
	believed(t, "a year later", s, false)
}
