package views

import (
	"cmp"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

func personName(p room.Participant) string { return cmp.Or(p.Name, p.Identity, "no name") }

func kindWord(kind string) string { return cmp.Or(kindWords[kind], kind) }

func openTracks(p room.Participant) (n int) {
	for _, t := range p.Tracks {
		if t.Open {
			n++
		}
	}
	return n
}

// stayWord is how long somebody who left was here, "" when that is not known.
func stayWord(p room.Participant) string {
	if d := stayed(p); d > 0 {
		return length(d)
	}
	return ""
}

func title(h room.Head) string { return cmp.Or(h.Name(), h.SID) }

// startedWord is what the moment that running gives is called.
func startedWord(h room.Head) string {
	if h.State == room.StateCreated || h.StartedAt.IsZero() {
		return "Created"
	}
	return "Started"
}

func endedWord(h room.Head) string {
	if lasted := between(running(h), h.EndedAt); lasted != "" {
		return "Ended after " + lasted
	}
	return "Ended"
}

// A step of a recording's life: done, now, or still to come.
type step struct{ glyph, word, state string }

func steps(r room.Recording) [3]step {
	out := [3]step{{"rec", "recording", "done"}, {"half", "processing", "done"}, {"ticked", "ready", "now"}}
	switch r.State {
	case room.RecordingActive:
		out[0].state, out[1], out[2] = "now", step{"ring", "processing", "next"}, step{"ring", "ready", "next"}
	case room.RecordingProcessing:
		out[1].state, out[2] = "now", step{"ring", "ready", "next"}
	case room.RecordingFailed:
		out[2] = step{"crossed", "failed", "now"}
	}
	return out
}

// recordingAge is since when a recording is in its state, for states that go on.
func recordingAge(r room.Recording) time.Time {
	switch r.State {
	case room.RecordingActive:
		return r.StartedAt
	case room.RecordingProcessing:
		return r.EndedAt
	}
	return time.Time{}
}

func streamAge(s room.Stream) time.Time {
	if s.State == room.StreamLive {
		return s.StartedAt
	}
	return time.Time{}
}

func speaker(s room.Speech) string { return cmp.Or(cut(s.UserID, nameLength), "whole session") }

// roleWords are the roles of somebody, as plugNmeet's API told them last.
func roleWords(r *room.Roles) (out []string) {
	if r == nil {
		return nil
	}
	for _, role := range []struct {
		has  bool
		word string
	}{{r.Admin, "admin"}, {r.Presenter, "presenter"}, {r.HandRaised, "hand raised"}, {r.Waiting, "waiting"}} {
		if role.has {
			out = append(out, role.word)
		}
	}
	return out
}

// mutedWord is a muted track. Webhooks tell only how it was when it was published.
func mutedWord(t room.Track) string {
	if t.MuteChecked {
		return trackWord(t) + ", muted"
	}
	return trackWord(t) + ", muted at publish"
}
