package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/simulate"
)

// These are what a real plugNmeet was seen to do (contract 5.3 to 5.4b).

// script writes deliveries of one room, in seconds from its start.
type script struct {
	sid   string
	start time.Time
	n     int
}

// convene is one that began so long ago.
func convene(sid string, ago time.Duration) *script {
	return &script{sid: sid, start: time.Now().Add(-ago)}
}

func (s *script) at(second int) int64 { return s.start.Add(time.Duration(second) * time.Second).Unix() }

func (s *script) body(event string, second int, roomMembers, more string) string {
	s.n++
	return fmt.Sprintf(`{"event":%q,"room":{"sid":%q,"room_id":"hall"%s},"id":"%s-%d","created_at":"%d"%s}`, event, s.sid, roomMembers, s.sid, s.n, s.at(second), more)
}

func (s *script) created(second int) string {
	return s.body("room_created", second, fmt.Sprintf(`,"creation_time":"%d"`, s.at(second)), "")
}

func (s *script) joined(second int, identity, sid string) string {
	kind := ""
	if strings.HasPrefix(identity, "sip_") {
		kind = `,"kind":"SIP"`
	}
	return s.body("participant_joined", second, "", fmt.Sprintf(`,"participant":{"sid":%q,"identity":%q,"joined_at":"%d"%s}`, sid, identity, s.at(second), kind))
}

func (s *script) left(second int, identity, sid string, joined int) string {
	return s.body("participant_left", second, "", fmt.Sprintf(`,"participant":{"sid":%q,"identity":%q,"joined_at":"%d"}`, sid, identity, s.at(joined)))
}

func (s *script) published(second int, identity, sid, track string) string {
	return s.body("track_published", second, "", fmt.Sprintf(`,"participant":{"sid":%q,"identity":%q},"track":{"sid":%q,"source":"MICROPHONE"}`, sid, identity, track))
}

func (s *script) job(event string, second int, id string) string {
	return s.body(event, second, "", fmt.Sprintf(`,"recording_info":{"record_id":%q,"recorder_id":"node_01","recorder_msg":"success","file_path":"","file_size":0}`, id))
}

func newWorld(t fatal) *world { return &world{t: t, sessions: make(map[string]*room.Session)} }

func (c *checked) detail(sid string) room.Detail {
	c.t.Helper()
	d, err := c.Detail(c.t.Context(), "default", sid)
	if err != nil {
		c.t.Fatal(err)
	}
	return d
}

func whoIsIn(d room.Detail) (here []string) {
	for _, p := range d.Participants {
		if p.Online {
			here = append(here, p.Identity)
		}
	}
	slices.Sort(here)
	return here
}

func TestCallersAndAgentsStayThoughTheAPINeverListsThem(t *testing.T) {
	w, m := newWorld(t), convene("s", 10*time.Minute)
	c, end := openChecked(t, 0, w.truth)
	defer end()
	const caller, agent = "sip_15551234567", "pnm_agent-transcription-1"
	c.hear(w.happen(m.created(0), m.joined(5, "ana", "PA_1"), m.joined(6, caller, "PA_2"), m.published(8, "sip_+15551234567", "PA_2", "TR_2"),
		m.joined(7, agent, "PA_3"), m.joined(9, "bo", "PA_4"), m.published(10, "bo", "PA_4", "TR_4"))...)
	c.rounds(8)
	d := c.detail("s")
	if got := whoIsIn(d); len(got) != 4 || d.People != 3 || d.Bots != 1 || d.Summary().Microphones != 2 || len(d.Corrections) != 0 || d.Trust != room.TrustConfirmed {
		t.Fatalf("%v, %s, %d microphones, %+v", got, d.Trust, d.Summary().Microphones, d.Corrections)
	}
	w.happen(m.left(300, "bo", "PA_4", 9)) // which is lost
	c.rounds(2)
	if d = c.detail("s"); len(whoIsIn(d)) != 3 || d.Trust != room.TrustConfirmed {
		t.Errorf("of a room with a caller inside an absence takes more than two polls: %v, %s", whoIsIn(d), d.Trust)
	}
	c.hear(w.happen(m.left(310, caller, "PA_2", 6))...)
	c.rounds(1)
	if got := whoIsIn(c.detail("s")); !slices.Equal(got, []string{"ana", agent}) {
		t.Errorf("a caller who hung up is there: %v", got)
	}
}

// The caller counts in joined_participants: that is no reason to wait longer for others.
func TestAnAbsenceBesideACallerTakesTwoPollsFromTheStart(t *testing.T) {
	w, m := newWorld(t), convene("s", 10*time.Minute)
	c, end := openChecked(t, 0, w.truth)
	defer end()
	c.hear(w.happen(m.created(0), m.joined(5, "ana", "PA_1"), m.joined(6, "sip_15551234567", "PA_2"), m.joined(7, "pnm_agent-transcription-1", "PA_3"), m.joined(9, "bo", "PA_4"))...)
	w.happen(m.left(300, "bo", "PA_4", 9)) // which is lost
	c.rounds(2)
	if got := whoIsIn(c.detail("s")); len(got) != 3 || slices.Contains(got, "bo") {
		t.Errorf("%v", got)
	}
}

// A caller who is listed has no + in their number: of them an absence is evidence.
func TestACallerWhoWasListedIsMissedWhenListedNoMore(t *testing.T) {
	w, m := newWorld(t), convene("s", 10*time.Minute)
	c, end := openChecked(t, 0, w.truth)
	defer end()
	c.hear(w.happen(m.created(0), m.joined(5, "ana", "PA_1"), m.joined(6, "sip_203", "PA_2"))...)
	c.rounds(1)
	w.happen(m.left(60, "sip_203", "PA_2", 6))
	c.rounds(2)
	if got := whoIsIn(c.detail("s")); !slices.Equal(got, []string{"ana"}) {
		t.Errorf("%v", got)
	}
}

func TestAHybridUserIsOnePersonFromJoiningToLeaving(t *testing.T) {
	twin := "PA_twin1" // as the stand-in lists the connection PA_1 of who uses the app
	w, m := newWorld(t), convene("s", 10*time.Minute)
	joined, published := m.joined(5, "u7", "PA_1"), m.published(7, "u7", twin, "TR_1")
	all := w.happen(m.created(0), joined, published, m.joined(6, "ana", "PA_2"))
	left := m.left(605, "u7", "PA_1", 5)
	for name, told := range map[string][]simulate.Delivery{"all is told": all, "the join is lost": {all[0], all[2], all[3]}, "all but the creation is lost": {all[0]}} {
		c, end := openChecked(t, 0, w.truth)
		c.hear(told...)
		c.rounds(6)
		d := c.detail("s")
		if got := whoIsIn(d); !slices.Equal(got, []string{"ana", "u7"}) || d.People != 2 || d.PeakPeople != 2 || d.Summary().Microphones != 1 || connections(d, "u7") != 1 {
			t.Errorf("%s: %v, peak %d, %d microphones: %+v", name, got, d.PeakPeople, d.Summary().Microphones, d.Participants)
		}
		if len(told) == len(all) && len(d.Corrections) > 0 {
			t.Errorf("%s: %+v", name, d.Corrections)
		}
		c.hear(simulate.Delivery{At: time.Now(), Body: []byte(left)}) // while the API still lists the twin
		d = c.detail("s")
		if got := whoIsIn(d); !slices.Equal(got, []string{"ana"}) || d.Summary().Microphones != 0 {
			t.Errorf("%s: after leaving %v, %d microphones", name, got, d.Summary().Microphones)
		}
		for _, p := range d.Participants {
			if p.Identity == "u7" && (len(p.Connections) != 1 || p.Connections[0].SID != "PA_1" || p.Connections[0].LeftAt.Unix() != m.at(605) || p.Connections[0].JoinedAt.Unix() != m.at(5)) {
				t.Errorf("%s: %+v", name, p.Connections)
			}
		}
		end()
	}
}

func connections(d room.Detail, identity string) int {
	for _, p := range d.Participants {
		if p.Identity == identity {
			return len(p.Connections)
		}
	}
	return 0
}

// The webhook wins for as long as plugNmeet's list may be behind it.
func TestAHybridUserWhoLeftStaysGoneWhileTheirTwinIsListed(t *testing.T) {
	w, m := newWorld(t), convene("s", 10*time.Minute)
	c, end := openChecked(t, time.Hour, w.truth)
	defer end()
	c.hear(w.happen(m.created(0), m.joined(5, "u7", "PA_1"), m.published(7, "u7", "PA_twin1", "TR_1"))...)
	c.rounds(2)
	c.hear(simulate.Delivery{At: time.Now(), Body: []byte(m.left(300, "u7", "PA_1", 5))})
	c.rounds(4)
	if d := c.detail("s"); len(whoIsIn(d)) != 0 || d.Summary().Microphones != 0 {
		t.Errorf("%v, %d microphones", whoIsIn(d), d.Summary().Microphones)
	}
}

// Deliveries speak of one connection only, whichever of two the API lists.
func TestAHybridUserWhoIsListedTwiceIsThereOnce(t *testing.T) {
	began := room.At(time.Now().Add(-10 * time.Minute))
	person := func(sid string, joined room.Time) room.Event {
		return room.Event{Source: "default", SID: "s", RoomID: "hall", Kind: room.KindListed, At: began + 60_000, AliveAt: began + 59_000,
			Participant: &room.ParticipantSaid{SID: sid, Identity: "u7", JoinedAt: joined}}
	}
	l := room.Listing{Events: []room.Event{{Source: "default", SID: "s", RoomID: "hall", ID: "api", Kind: room.KindListed, At: began + 60_000, AliveAt: began + 59_000, CreationTime: began},
		person("PA_twin", began+1400), person("PA_1", began+1000)}, Media: began + 60_000, Joined: 1, Attendees: 1}
	d := room.Compare(room.Detail{}, l)
	s := room.New(room.Key{Source: "default", SID: "s"})
	s.Apply(*d.News)
	if got := s.Detail(); got.People != 1 || connections(got, "u7") != 1 || got.Participants[0].Connections[0].SID != "PA_1" {
		t.Errorf("%+v", got.Participants)
	}
	if again := room.Compare(s.Detail(), l); again.News != nil || len(again.Absent) > 0 {
		t.Errorf("%+v", again)
	}
}

// LiveKit's crash: everybody connects again, and the old connections are told to have ended some seconds after.
func TestAfterACrashOfLiveKitNothingIsPutRight(t *testing.T) {
	w, m := newWorld(t), convene("s", 10*time.Minute)
	c, end := openChecked(t, 0, w.truth)
	defer end()
	told := w.happen(m.created(0), m.joined(5, "ana", "PA_1"), m.joined(6, "bo", "PA_2"))
	c.hear(told...)
	c.rounds(2)
	told = w.happen(m.joined(300, "ana", "PA_3"), m.joined(301, "bo", "PA_4"))
	c.hear(told[0]) // that bo came again is lost
	c.rounds(2)
	c.hear(w.happen(m.left(307, "ana", "PA_1", 5), m.left(307, "bo", "PA_2", 6))...)
	c.rounds(1)
	d := c.detail("s")
	if got := whoIsIn(d); !slices.Equal(got, []string{"ana", "bo"}) || d.PeakPeople != 2 {
		t.Errorf("%v, peak %d", got, d.PeakPeople)
	}
	for _, correction := range d.Corrections {
		if correction.PeopleGone != 0 {
			t.Errorf("%+v", correction)
		}
	}
}

func TestSessionsThatCameAndWentUnseenAreFoundWhateverZoneTheDatabaseIsIn(t *testing.T) {
	for _, zone := range []time.Duration{0, 2 * time.Hour, -5 * time.Hour, 5*time.Hour + 30*time.Minute, -3*time.Hour - 30*time.Minute, 12*time.Hour + 45*time.Minute} {
		w := newWorld(t)
		seen, unseen := convene("seen", 10*time.Minute), convene("unseen", 50*time.Minute)
		unseenToo := convene("unseen2", 30*time.Minute)
		w.happen(unseen.created(0), unseen.joined(5, "ana", "PA_1"), unseen.body("session_ended", 900, "", ""))
		w.happen(unseenToo.created(0), unseenToo.body("session_ended", 600, "", ""))
		c, end := openChecked(t, 0, w.truth)
		c.api.DatabaseZone = time.FixedZone("", int(zone.Seconds()))
		c.hear(w.happen(seen.created(0), seen.joined(5, "bo", "PA_2"))...)
		c.rounds(2)
		for sid, want := range map[string]*script{"unseen": unseen, "unseen2": unseenToo} {
			d := c.detail(sid)
			if d.State != room.StateEnded || d.CreatedAt.Unix() != want.at(0) || d.EndedAt.Unix() != want.at(map[string]int{"unseen": 900, "unseen2": 600}[sid]) {
				t.Errorf("zone %v: %s is %s, from %v to %v", zone, sid, d.State, d.CreatedAt, d.EndedAt)
			}
		}
		if d := c.detail("seen"); d.State != room.StateLive {
			t.Errorf("zone %v: what runs is %s, by %s", zone, d.State, d.EndedBy)
		}
		end()
	}
}

// Without a session that is known both ways nobody can tell the zone: then the end is all that is told.
func TestWithoutAKnownZoneTheEndAloneIsTaken(t *testing.T) {
	w, m := newWorld(t), convene("unseen", 50*time.Minute)
	w.happen(m.created(0), m.body("session_ended", 900, "", ""))
	c, end := openChecked(t, 0, w.truth)
	defer end()
	c.rounds(1)
	if d := c.detail("unseen"); d.State != room.StateEnded || d.EndedAt.Unix() != m.at(900) || !d.CreatedAt.IsZero() {
		t.Errorf("%s from %v to %v", d.State, d.CreatedAt, d.EndedAt)
	}
	// Another one of the same room is seen later: then it is known.
	other := convene("seen", time.Minute)
	c.hear(w.happen(other.created(0), other.joined(5, "bo", "PA_2"))...)
	c.rounds(12) // it is looked for what was missed every ten polls
	if d := c.detail("unseen"); d.CreatedAt.Unix() != m.at(0) || d.EndedAt.Unix() != m.at(900) {
		t.Errorf("from %v to %v", d.CreatedAt, d.EndedAt)
	}
}

func TestARecordingThatBeganUnseenShowsWhileTheAPISaysThatItGoesOn(t *testing.T) {
	for _, kind := range []string{"recording", "rtmp"} {
		active := func(d room.Detail) int {
			if kind == "rtmp" {
				return d.Summary().StreamsActive
			}
			return d.Summary().RecordingsActive
		}
		jobs := func(d room.Detail) (n int) { return len(d.Recordings) + len(d.Streams) }
		w, m := newWorld(t), convene("s", 10*time.Minute)
		c, end := openChecked(t, 0, w.truth)
		told := w.happen(m.created(0), m.joined(5, "ana", "PA_1"), m.job("start_"+kind, 60, "r1"))
		c.hear(told[:2]...)
		c.rounds(3)
		d := c.detail("s")
		if active(d) != 1 || jobs(d) != 1 || len(d.Corrections) != 1 || d.Corrections[0].JobsMissing != 1 || c.Totals().RecordingsActive+c.Totals().StreamsActive != 1 {
			t.Errorf("%s: %d active, %+v %+v, %+v", kind, active(d), d.Recordings, d.Streams, d.Corrections)
		}
		c.hear(told[2]) // late
		if d = c.detail("s"); active(d) != 1 || jobs(d) != 1 || (d.Recordings == nil && d.Streams[0].RecordID != "r1") {
			t.Errorf("%s, and its start is told: %d active, %+v %+v", kind, active(d), d.Recordings, d.Streams)
		}
		c.rounds(1)
		w.happen(m.job("end_"+kind, 120, "r1")) // lost
		c.rounds(2)
		if d = c.detail("s"); active(d) != 0 || jobs(d) != 1 {
			t.Errorf("%s, and it has ended: %d active, %+v %+v", kind, active(d), d.Recordings, d.Streams)
		}
		// Another one, of which nothing is ever told.
		w.happen(m.job("start_"+kind, 200, "r2"))
		time.Sleep(time.Second + 10*time.Millisecond) // ends are told in whole seconds
		c.rounds(1)
		if d = c.detail("s"); active(d) != 1 || jobs(d) != 2 {
			t.Errorf("%s, the second: %d active, %+v %+v", kind, active(d), d.Recordings, d.Streams)
		}
		w.happen(m.job("end_"+kind, 300, "r2"))
		c.rounds(2)
		if d = c.detail("s"); active(d) != 0 || jobs(d) != 1 {
			t.Errorf("%s, the second, and it has ended: %d active, %+v %+v", kind, active(d), d.Recordings, d.Streams)
		}
		w.happen(m.job("start_"+kind, 400, "r3"))
		time.Sleep(time.Second + 10*time.Millisecond)
		c.rounds(1)
		c.hear(w.happen(m.body("session_ended", 610, "", ""))...)
		if d = c.detail("s"); active(d) != 0 || d.State != room.StateLive && c.Totals().RecordingsActive+c.Totals().StreamsActive != 0 {
			t.Errorf("%s, and the session has ended: %s, %d active", kind, d.State, active(d))
		}
		end()
	}
}

// Whatever the source's clock says, every poll answers, and what it does not list is gone after two.
func TestAnotherClockMakesNoAPIFailAndNoAbsenceLate(t *testing.T) {
	for _, ahead := range []time.Duration{-10 * time.Minute, -time.Minute, 0, time.Minute, 10 * time.Minute} {
		w, m := newWorld(t), convene("s", 30*time.Minute-ahead) // as its source tells the time
		c, end := openChecked(t, time.Second, w.truth)
		c.api.Ahead = ahead
		c.hear(w.happen(m.created(0), m.joined(5, "ana", "PA_1"), m.joined(1790, "bo", "PA_2"))...)
		c.rounds(1)
		w.happen(m.left(1795, "bo", "PA_2", 1790)) // ten seconds ago, and lost
		c.rounds(2)
		if s := c.Sources()[0]; s.API != live.APIAnswering {
			t.Errorf("%v ahead: the API is %s: %s", ahead, s.API, s.APIError)
		}
		d := c.detail("s")
		if got := whoIsIn(d); !slices.Equal(got, []string{"ana"}) || d.Trust != room.TrustConfirmed {
			t.Errorf("%v ahead: %v, %s", ahead, got, d.Trust)
		}
		if late := time.Since(d.VerifiedAt); late < 0 || late > time.Minute {
			t.Errorf("%v ahead: verified %v ago", ahead, late)
		}
		for _, p := range d.Participants {
			if ended := p.Connections[0].LeftAt; p.Identity == "bo" && (ended.Sub(time.Now().Add(ahead)).Abs() > 15*time.Second) {
				t.Errorf("%v ahead: bo left at %v, by a clock that says %v", ahead, ended, time.Now().Add(ahead))
			}
		}
		end()
	}
}

func TestACounterThatACrashLeftWrongDelaysNothing(t *testing.T) {
	w, m := newWorld(t), convene("s", 10*time.Minute)
	c, end := openChecked(t, 0, w.truth)
	defer end()
	c.hear(w.happen(m.created(0), m.joined(5, "ana", "PA_1"), m.joined(6, "bo", "PA_2"), m.joined(7, "cy", "PA_3"))...)
	c.api.Suffer(simulate.Miscounted)
	c.rounds(4)
	w.happen(m.left(300, "bo", "PA_2", 6))
	c.rounds(2)
	if got := whoIsIn(c.detail("s")); !slices.Equal(got, []string{"ana", "cy"}) {
		t.Errorf("%v", got)
	}
}

// LiveKit's Redis was emptied: nobody is listed though media flows. Such a list is no word on who is there.
func TestNobodyLeavesThoughLiveKitListsNobodyForHours(t *testing.T) {
	w, m := newWorld(t), convene("s", 10*time.Minute)
	c, end := openChecked(t, 0, w.truth)
	defer end()
	told := w.happen(m.created(0), m.joined(5, "ana", "PA_1"), m.joined(6, "bo", "PA_2"))
	c.hear(told...)
	c.rounds(2)
	c.api.Suffer(simulate.Deserted)
	c.rounds(30)
	if d := c.detail("s"); d.People != 2 || c.disputed() != 1 {
		t.Errorf("%d people, %s", d.People, d.Trust)
	}
	c.hear(w.happen(m.left(300, "bo", "PA_2", 6))...)
	if got := whoIsIn(c.detail("s")); !slices.Equal(got, []string{"ana"}) {
		t.Errorf("who said that they leave is there: %v", got)
	}
	c.api.Suffer(simulate.NoFault)
	c.rounds(1)
	if d := c.detail("s"); d.People != 1 || d.Trust != room.TrustConfirmed || len(d.Corrections) != 0 {
		t.Errorf("%d people, %s, %+v", d.People, d.Trust, d.Corrections)
	}
}

func TestASessionThatPollsListIsOpenWhateverSucceededIt(t *testing.T) {
	w, old, next := newWorld(t), convene("old", 10*time.Minute), convene("next", time.Minute)
	c, end := openChecked(t, time.Hour, w.truth)
	defer end()
	c.hear(w.happen(old.created(0), old.joined(5, "ana", "PA_1"))...)
	c.hear(w.happen(next.created(0), next.joined(5, "bo", "PA_2"))...)
	if d := c.detail("old"); d.EndedBy != room.BySuccessor {
		t.Fatalf("%s by %q", d.State, d.EndedBy)
	}
	c.rounds(1)
	for _, sid := range []string{"old", "next"} {
		if d := c.detail(sid); d.State != room.StateLive || d.People != 1 {
			t.Errorf("%s is %s with %d people, ended by %s", sid, d.State, d.People, d.EndedBy)
		}
	}
}

func TestACorrectionThatWasWrongIsTakenBack(t *testing.T) {
	w, m := newWorld(t), convene("s", 10*time.Minute)
	lists := w.truth
	c, end := openChecked(t, 0, func() []room.Detail { return lists() })
	defer end()
	c.hear(w.happen(m.created(0), m.joined(5, "ana", "PA_1"), m.joined(6, "bo", "PA_2"), m.joined(7, "cy", "PA_3"))...)
	c.rounds(1)
	// plugNmeet loses sight of bo and cy, which two polls make a fact; then bo says something.
	hidden := func(who ...string) func() []room.Detail {
		return func() []room.Detail {
			all := w.truth()
			all[0].Participants = slices.DeleteFunc(slices.Clone(all[0].Participants), func(p room.Participant) bool { return slices.Contains(who, p.Identity) })
			return all
		}
	}
	lists = hidden("bo", "cy")
	c.rounds(2)
	d := c.detail("s")
	if len(d.Corrections) != 1 || d.Corrections[0].PeopleGone != 2 || d.Corrections[0].TakenBack.Text != "" || d.People != 1 {
		t.Fatalf("%d people, %+v", d.People, d.Corrections)
	}
	m.start = time.Now().Add(time.Minute) // what comes now is of a minute later
	c.hear(w.happen(m.published(0, "bo", "PA_2", "TR_2"))...)
	d = c.detail("s")
	if back := d.Corrections[0].TakenBack; d.People != 2 || back.PeopleGone != 1 || back.Text != "taken back: 1 person was still there" {
		t.Fatalf("%d people, %+v", d.People, back)
	}
	lists = w.truth
	time.Sleep(1100 * time.Millisecond)
	c.rounds(1)
	d = c.detail("s")
	if back := d.Corrections[0].TakenBack; d.People != 3 || back.PeopleGone != 2 || back.At.IsZero() || back.Left(d.Corrections[0].Corrected).PeopleGone != 0 {
		t.Fatalf("%d people, %+v", d.People, back)
	}
	// And the session as a whole.
	c.api.Suffer(simulate.NoRooms)
	c.rounds(5)
	if d = c.detail("s"); d.EndedBy != room.ByReconcile {
		t.Fatalf("%s by %q", d.State, d.EndedBy)
	}
	c.api.Suffer(simulate.NoFault)
	time.Sleep(1100 * time.Millisecond)
	c.rounds(1)
	d = c.detail("s")
	gone := d.Corrections[slices.IndexFunc(d.Corrections, func(c room.Correction) bool { return c.What == room.Gone })]
	if d.State != room.StateLive || !gone.TakenBack.Whole || gone.TakenBack.Text != "taken back: plugNmeet listed it again" {
		t.Errorf("%s, %+v", d.State, gone.TakenBack)
	}
}

// A refusal tells which of the two is wrong.
func TestAWrongKeyIsToldFromAWrongSecret(t *testing.T) {
	w := newWorld(t)
	c, end := openChecked(t, 0, w.truth)
	defer end()
	for says, client := range map[string]plugnmeet.APISettings{
		"does not know this API key":                   {APIKey: "another", Secret: testSecret},
		"knows the API key; the secret is not its own": {APIKey: testKey, Secret: testSecret + "!"},
	} {
		client.ServerURL = c.url
		api, err := plugnmeet.NewAPI(client)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = api.ActiveRooms(t.Context()); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v does not say %q", err, says)
		}
		api.Close()
	}
}
