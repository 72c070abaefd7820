package room_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/roomwatch/roomwatch/room"
)

// visit is what really happened on one connection of the meeting: somebody with a microphone. LiveKit keeps one
// connection an identity.
type visit struct {
	who, sid     string
	joined, left room.Time // left is 0 for who stays
	told         room.Time // when they are told to have left: after a crash of LiveKit's some seconds later
	mutes        []room.Time
}

func (v visit) here(at room.Time) bool { return v.joined <= at && (v.left == 0 || at < v.left) }

func (v visit) muted(at room.Time) (muted bool) {
	for _, m := range v.mutes {
		if m <= at {
			muted = !muted
		}
	}
	return muted
}

// hybrid people publish on a twin, on which they are listed, and which is still there for a moment when they have left.
func (v visit) hybrid() bool { return v.who == "u1" }

// unlistable: plugNmeet never lists them.
func (v visit) unlistable() bool { return unlistable(v.who) }

func unlistable(identity string) bool {
	return strings.HasPrefix(identity, "sip_") || strings.HasPrefix(identity, "pnm_agent-")
}

func (v visit) listedAs() (sid string, joined room.Time) {
	if v.hybrid() {
		return "PA_twin" + v.sid, v.joined + 400
	}
	return v.sid, v.joined
}

const lingers room.Time = 3_000

// anyVisits draws some visits within a minute, in whole seconds, so that polls between two seconds see clearly.
func anyVisits(t *rapid.T) (visits []visit) {
	identities := []string{"u0", "u1", "u2", "sip_1555", "pnm_agent-transcription-1"}
	next := make(map[string]room.Time) // when somebody can come again
	for i := range rapid.IntRange(1, 7).Draw(t, "visits") {
		who := rapid.SampledFrom(identities).Draw(t, "who")
		v := visit{who: who, sid: fmt.Sprint("PA_", i), joined: max(next[who], base+1000*room.Time(rapid.IntRange(0, 50).Draw(t, "from")))}
		if last := slices.IndexFunc(visits, func(o visit) bool { return o.who == who && o.left == 0 }); last >= 0 { // they connect again
			visits[last].left, visits[last].told = v.joined, v.joined+1000*room.Time(rapid.IntRange(0, 8).Draw(t, "told late"))
		}
		if stays := rapid.IntRange(0, 20).Draw(t, "stays"); stays > 0 {
			v.left = v.joined + 1000*room.Time(stays)
			v.told = v.left
			next[who] = v.left + 1000
		} else {
			next[who] = v.joined + 20_000
		}
		for range rapid.IntRange(0, 3).Draw(t, "mutes") {
			v.mutes = append(v.mutes, v.joined+1000*room.Time(rapid.IntRange(1, 15).Draw(t, "mute")))
		}
		slices.Sort(v.mutes)
		visits = append(visits, v)
	}
	return visits
}

// webhooks are what plugNmeet tells of the visits. Mutes are never told, nor is anything of a twin but what it publishes.
func webhooks(visits []visit) (out []room.Event) {
	say := func(at room.Time, kind room.Kind, v visit, track bool) {
		e := room.Event{Source: key.Source, SID: key.SID, RoomID: "room01", ID: fmt.Sprint(kind, v.sid), Kind: kind, At: at, Received: at,
			Participant: &room.ParticipantSaid{SID: v.sid, Identity: v.who, Name: "Name of " + v.who}}
		if track {
			e.Track = &room.TrackSaid{SID: "TR" + v.sid, Source: "microphone"}
			e.Participant.SID, _ = v.listedAs()
			e.Participant.Identity = strings.Replace(v.who, "sip_", "sip_+", 1)
		} else {
			e.Participant.JoinedAt = v.joined
		}
		out = append(out, e)
	}
	for _, v := range visits {
		say(v.joined, room.KindParticipantJoined, v, false)
		say(v.joined, room.KindTrackPublished, v, true)
		if v.left != 0 {
			say(v.left, room.KindTrackUnpublished, v, true)
			say(v.told, room.KindParticipantLeft, v, false)
		}
	}
	return out
}

// listed is what a poll at a moment says. What was told within quiet of it is believed.
func listed(visits []visit, at, quiet room.Time) room.Listing {
	fact := func() room.Event {
		return room.Event{Source: key.Source, SID: key.SID, RoomID: "room01", Kind: room.KindListed, At: at, AliveAt: at - 1 - quiet, ID: fmt.Sprint("api:", at), Received: at}
	}
	l := room.Listing{Events: []room.Event{fact()}, Media: at, Certain: at - 1}
	for _, v := range visits {
		again := slices.ContainsFunc(visits, func(o visit) bool { return o.who == v.who && o.here(at) })
		twin := v.hybrid() && v.left != 0 && at >= v.left && at < v.left+lingers && !again
		if !v.here(at) && !twin {
			continue
		}
		if !strings.HasPrefix(v.who, "pnm_agent-") {
			l.Joined++
		}
		if v.unlistable() {
			continue
		}
		l.Attendees++
		muted := v.muted(at)
		sid, joined := v.listedAs()
		who, what := fact(), fact()
		who.Participant = &room.ParticipantSaid{SID: sid, Identity: v.who, Name: "Name of " + v.who, JoinedAt: joined}
		what.Participant = &room.ParticipantSaid{SID: sid, Identity: v.who}
		what.Track = &room.TrackSaid{SID: "TR" + v.sid, Source: "microphone", Muted: &muted}
		l.Events = append(l.Events, who, what)
	}
	return l
}

const quiet room.Time = 5_000

// check polls s at a moment, and believes in an absence that the poll before saw too.
func check(s *room.Session, visits []visit, at room.Time, doubts map[string]room.Time) (entry *room.Event) {
	var known room.Detail
	if len(s.Room) > 0 {
		known = s.Detail()
	}
	d := room.Compare(known, listed(visits, at, quiet))
	entry = d.News
	seen := make(map[string]room.Time)
	for _, a := range d.Absent {
		since, again := doubts[a.ID()]
		if !again {
			seen[a.ID()] = at
			continue
		}
		if since <= a.Heard { // somebody was heard of between two polls
			since = at
		}
		seen[a.ID()] = since
		if entry == nil {
			entry = &room.Event{Source: key.Source, SID: key.SID, RoomID: "room01", Kind: room.KindListed, At: at, AliveAt: at - 1 - quiet}
		}
		end := a.Said
		end.At = since
		entry.Also = append(entry.Also, end)
	}
	clear(doubts)
	for id, since := range seen {
		doubts[id] = since
	}
	if entry != nil {
		entry.ID = fmt.Sprint("api:", at)
		s.Apply(*entry)
	}
	return entry
}

// goes is who is there by what is known, a line each, and what they publish; truly is who really is. On which connection
// somebody is a poll cannot tell: it may list their twin.
func goes(d room.Detail, unlistables bool) (lines []string) {
	for _, p := range d.Participants {
		if unlistable(p.Identity) != unlistables {
			continue
		}
		for _, c := range p.Connections {
			if c.Open {
				lines = append(lines, fmt.Sprint(p.Identity, " ", p.Name)) // more than once is wrong
			}
		}
		for _, tr := range p.Tracks {
			if tr.Open {
				lines = append(lines, fmt.Sprint(p.Identity, " ", tr.SID, " muted ", tr.Muted))
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func truly(visits []visit, at room.Time) (lines []string) {
	for _, v := range visits {
		if v.here(at) && !v.unlistable() {
			lines = append(lines, fmt.Sprint(v.who, " Name of ", v.who), fmt.Sprint(v.who, " TR", v.sid, " muted ", v.muted(at)))
		}
	}
	slices.Sort(lines)
	return lines
}

// Webhooks come late, in any order, or never; polls fall in between. Who is never listed is as webhooks tell.
func TestPollsAndWebhooksInAnyInterleavingEndInTheNewestTruth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		visits := anyVisits(t)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		var told []room.Event
		arrives := make(map[string]room.Time)
		for _, e := range webhooks(visits) {
			if rng.IntN(4) > 0 {
				told = append(told, e)
				arrives[e.ID] = e.At + room.Time(rng.IntN(30_000))
			}
		}
		slices.SortFunc(told, func(a, b room.Event) int { return int(arrives[a.ID] - arrives[b.ID]) })
		s, doubts := room.New(key), make(map[string]room.Time)
		var entries []room.Event
		next := base + 500
		for _, e := range told {
			for ; next < arrives[e.ID]; next += 7_000 {
				if entry := check(s, visits, next, doubts); entry != nil {
					entries = append(entries, *entry)
				}
			}
			s.Apply(e)
			entries = append(entries, e)
		}
		next = max(next, base+150_500)
		for range 3 { // once for what is missing, twice for what is not there any more
			if entry := check(s, visits, next, doubts); entry != nil {
				entries = append(entries, *entry)
			}
			next += 7_000
		}
		if got, want := goes(s.Detail(), false), truly(visits, next); !slices.Equal(got, want) {
			t.Fatalf("got  %q\nwant %q", got, want)
		}
		if got, want := goes(s.Detail(), true), goes(live(nil, told).Detail(), true); !slices.Equal(got, want) {
			t.Fatalf("of those who are never listed: got  %q\nwithout any poll %q", got, want)
		}
		if entry := check(s, visits, next, doubts); entry != nil {
			t.Fatalf("a poll that finds nothing new says %+v", *entry)
		}
		if a, b := diverges(t, merged, entries, rng.Uint64(), 3); a != nil {
			t.Fatalf("the same entries in another order end differently:\n%s\n%s", a, b)
		}
	})
}

func TestWhatWasHeardSinceThePollWins(t *testing.T) {
	for _, who := range []string{"u0", "u1"} {
		at := base + 10_500
		ana := visit{who: who, sid: "PA_1", joined: base}
		s := live(nil, webhooks([]visit{ana}))
		gone := ana
		gone.left, gone.told = base+10_000, base+10_000
		for _, e := range webhooks([]visit{gone}) {
			if e.At > base {
				s.Apply(e)
			}
		}
		l := listed([]visit{ana}, at, 0) // plugNmeet's list lags
		for i := range l.Events {
			l.Events[i].AliveAt = at - 60_000
		}
		d := room.Compare(s.Detail(), l)
		if d.News != nil && len(d.News.Also) > 0 {
			t.Errorf("a poll undoes what was told in its minute: %+v", d.News.Also)
		}
		for i := range l.Events {
			l.Events[i].AliveAt = at
		}
		d = room.Compare(s.Detail(), l)
		if d.News == nil {
			t.Fatal("a poll long after does not take up again who is there")
		}
		d.News.ID = "api"
		s.Apply(*d.News)
		if got := goes(s.Detail(), false); len(got) != 2 {
			t.Errorf("%q", got)
		}
	}
}

func TestASessionThatEndedSinceThePollIsLeftAlone(t *testing.T) {
	ana := visit{who: "u1", sid: "PA_1", joined: base}
	s := live(nil, append(webhooks([]visit{ana}), room.Event{Source: key.Source, SID: key.SID, RoomID: "room01", ID: "end", Kind: room.KindSessionEnded, At: base + 20_000}))
	l := listed([]visit{ana}, base+10_500, 0)
	if d := room.Compare(s.Detail(), l); d.News != nil || len(d.Absent) > 0 {
		t.Errorf("%+v", d)
	}
}

func TestAPastSessionIsNoSignOfLife(t *testing.T) {
	s := room.New(key)
	s.Apply(room.Event{Source: key.Source, SID: key.SID, RoomID: "room01", ID: "api:past", Kind: room.KindListed, At: base, CreationTime: base, Title: "Weekly ops"})
	if d := s.Detail(); d.State == room.StateLive {
		t.Errorf("that it was makes it %s", d.State)
	}
	s.Apply(room.Event{Source: key.Source, SID: key.SID, RoomID: "room01", ID: "api:past2", Kind: room.KindListed, At: base, CreationTime: base,
		Also: []room.Event{{Kind: room.KindAbsent, At: base + 5000}}})
	if d := s.Detail(); d.State != room.StateEnded || d.EndedBy != room.ByReconcile || room.At(d.EndedAt) != base+5000 || d.KnownBy != "api" {
		t.Errorf("%+v", d.Head)
	}
}

func TestACorrectionIsASentence(t *testing.T) {
	for want, c := range map[string]room.Corrected{
		"7 people were missing":                                                        {What: room.Adjusted, PeopleMissing: 7},
		"1 person was missing, 2 people had left":                                      {What: room.Adjusted, PeopleMissing: 1, PeopleGone: 2},
		"ended by reconcile: plugNmeet no longer lists it":                             {What: room.Gone, PeopleGone: 3},
		"1 recording’s file was missing":                                               {What: room.Made, Files: 1},
		"ended by the janitor: nothing was heard of it for 24 h":                       {What: room.Silent, SilentMinutes: 24 * 60},
		"ended by the janitor: nothing was heard of it for 61 min":                     {What: room.Silent, SilentMinutes: 61},
		"fatima asked plugNmeet to end it":                                             {What: room.Asked, By: "fatima"},
		"found: plugNmeet lists it, and nothing had told of it, 2 people were missing": {What: room.Found, PeopleMissing: 2},
	} {
		if got := c.Text(); got != want {
			t.Errorf("%+v: %q, want %q", c, got, want)
		}
	}
}
