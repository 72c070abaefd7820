package room_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/roomwatch/roomwatch/room"
)

// honest is what an honest plugNmeet and LiveKit tell of one session, each by its own clock, and who is there at
// the end of it.
type honest struct {
	events []room.Event
	here   map[string]bool // connections
}

// anyMeeting draws a meeting. LiveKit's clock is ahead of plugNmeet's by skew; ours may differ, too. LiveKit may go on
// with the room object of an hour ago. Skew is stamped on deliveries once it was measured, to within two seconds.
func anyMeeting(t *rapid.T) (m honest) {
	m.here = make(map[string]bool)
	skew := 1000 * room.Time(rapid.IntRange(-120, 120).Draw(t, "skew"))
	ours := 1000 * room.Time(rapid.IntRange(-60, 60).Draw(t, "our clock"))
	object := base + skew - 3_600_000*room.Time(rapid.IntRange(0, 1).Draw(t, "hours that LiveKit has the room object"))
	var measured *room.Time
	if rapid.Bool().Draw(t, "measured") {
		measured = new(skew + room.Time(rapid.IntRange(-2000, 2000).Draw(t, "off by")))
	}
	at := base
	tell := func(kind room.Kind, livekit bool, fill func(*room.Event)) {
		e := room.Event{Source: key.Source, SID: key.SID, RoomID: "room01", Kind: kind, ID: fmt.Sprint("e", len(m.events)), Skew: measured,
			At: at / 1000 * 1000, Received: at + ours + room.Time(rapid.IntRange(0, 3000).Draw(t, "on the way"))}
		if livekit {
			e.At, e.CreationTime = (at+skew)/1000*1000, object
		}
		fill(&e)
		m.events = append(m.events, e)
	}
	tell(room.KindRoomCreated, false, func(e *room.Event) { e.CreationTime = base })
	tell(room.KindRoomStarted, true, func(*room.Event) {})
	connected := make(map[string]string)
	for n := range rapid.IntRange(1, 12).Draw(t, "steps") {
		at += room.Time(rapid.IntRange(0, 20_000).Draw(t, "pause"))
		identity := rapid.SampledFrom([]string{"u1", "u2", "u3"}).Draw(t, "identity")
		sid := connected[identity]
		switch {
		case sid == "" || rapid.Bool().Draw(t, "connects again"):
			delete(m.here, sid) // LiveKit drops the one before; that may never be told
			sid = fmt.Sprint("PA_", n)
			connected[identity], m.here[sid] = sid, true
			tell(room.KindParticipantJoined, true, func(e *room.Event) {
				e.Participant = &room.ParticipantSaid{SID: sid, Identity: identity, JoinedAt: at + skew}
			})
			at++ // no two joins of an identity in the same instant
		default:
			joined := sid
			delete(m.here, sid)
			delete(connected, identity)
			at += 1000 // what ends is told in whole seconds, and after what began
			tell(room.KindParticipantLeft, true, func(e *room.Event) {
				e.Participant = &room.ParticipantSaid{SID: joined, Identity: identity}
			})
			at += 1000
		}
	}
	return m
}

func connectionsOpen(d room.Detail) map[string]bool {
	open := make(map[string]bool)
	for _, p := range d.Participants {
		for _, c := range p.Connections {
			if c.Open {
				open[c.SID] = true
			}
		}
	}
	return open
}

// Clocks may differ by two minutes, rooms may be used again, orders may be any: nobody who is there vanishes.
func TestNobodyVanishesForTheClockOfAnotherMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyMeeting(t)
		s := merged([][]room.Event{rapid.Permutation(m.events).Draw(t, "order")})
		d := s.Detail()
		if got := connectionsOpen(d); fmt.Sprint(got) != fmt.Sprint(m.here) || d.LeftOut != 0 {
			t.Fatalf("%v are there, shown are %v, %d left out", m.here, got, d.LeftOut)
		}
	})
}

// elsewhere is that a session knows it that was created at a second.
func elsewhere(created int) room.Elsewhere {
	return room.Elsewhere{Created: room.Created{For: sec(created)}}
}

// Deliveries are lost: then somebody may seem to be there who has left, or not be known, but whoever was told to have
// joined and is there is shown.
func TestWhoeverWasToldToHaveJoinedAndIsThereIsShownWhateverElseWasLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyMeeting(t)
		var came []room.Event
		told := make(map[string]bool)
		for _, e := range m.events {
			if rapid.IntRange(0, 3).Draw(t, "lost") == 0 {
				continue
			}
			came = append(came, e)
			if e.Kind == room.KindParticipantJoined && m.here[e.Participant.SID] {
				told[e.Participant.SID] = true
			}
		}
		open := connectionsOpen(merged([][]room.Event{came}).Detail())
		for sid := range told {
			if !open[sid] {
				t.Fatalf("%s joined and is there, shown are %v", sid, open)
			}
		}
	})
}

// However late its creation is told, and however wrong: who was seen stays.
func TestALateCreationErasesNobodyWhoWasSeen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyMeeting(t)
		s := merged([][]room.Event{m.events[1:]})
		before := connectionsOpen(s.Detail())
		created := m.events[0]
		created.Received = base + 3_600_000
		if rapid.Bool().Draw(t, "the database has another clock") {
			created.CreationTime = base + 1000*room.Time(rapid.IntRange(-3600, 86_400).Draw(t, "said to be created"))
		} else {
			created.At = base + 1000*room.Time(rapid.IntRange(0, 3600).Draw(t, "sent"))
		}
		s.Apply(created)
		if after := connectionsOpen(s.Detail()); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Fatalf("open were %v, and %v after a creation at %+d s", before, after, (created.CreationTime-base)/1000)
		}
	})
}

// Nobody can name a session before it is there: a creation that is told to be later than that is a clock's mistake.
func TestACreationAfterTheFirstDeliveryIsNotBelieved(t *testing.T) {
	joined := event(room.KindParticipantJoined, 10, who("PA_1", "u1", 10), func(e *room.Event) { e.Received = sec(11) })
	ahead := event(room.KindListed, 4000, creation(3600), func(e *room.Event) { e.Received, e.AliveAt = sec(20), sec(15) })
	if d := of(t, joined, ahead); d.People != 1 || d.LeftOut != 0 {
		t.Errorf("%d people, %d left out", d.People, d.LeftOut)
	}
}

// The straggler of contract 4.7: the recorder's bot of the first session leaves under the second one's sid.
func TestTheStragglerOfTheContractIsHiddenInEveryOrder(t *testing.T) {
	created, started := event(room.KindRoomCreated, 3400), event(room.KindRoomStarted, 3412, creation(3412))
	joined := event(room.KindParticipantJoined, 3430, who("PA_sip", "sip_1555", 3430), creation(3412))
	straggler := event(room.KindParticipantLeft, 3401, who("PA_rec", "RECORDER_BOT", 120), creation(11))
	d := of(t, created, straggler, started, joined)
	if len(d.Participants) != 1 || d.Participants[0].Identity != "sip_1555" || d.LeftOut != 1 {
		t.Errorf("%+v, %d left out", d.Participants, d.LeftOut)
	}
}

// Within what clocks may differ its own times tell nothing: that the earlier session knows the connection does.
func TestAConnectionOfAnEarlierSessionIsLeftOutWhateverItsTimes(t *testing.T) {
	created, joined := event(room.KindRoomCreated, 100), event(room.KindParticipantJoined, 130, who("PA_1", "u1", 130))
	ghost := event(room.KindParticipantJoined, 99, who("PA_old", "u2", 99))
	sound := event(room.KindTrackPublished, 101, who("PA_old", "u2", 0), track("TR_old", "microphone"))
	known := event(room.KindTrackPublished, 102, who("", "u3", 0), track("TR_known", "camera"))
	told := func(c room.Elsewhere, more ...room.Event) room.Detail {
		s := merged([][]room.Event{append([]room.Event{sound, created, ghost, joined, known}, more...)})
		s.KnownEarlier("TR_known", c)
		s.KnownEarlier("PA_old", c)
		return s.Detail()
	}
	if d := told(elsewhere(20)); d.People != 1 || len(d.Participants) != 1 || d.LeftOut != 3 {
		t.Errorf("%d people, %d left out: %+v", d.People, d.LeftOut, d.Participants)
	}
	if d := told(elsewhere(200)); d.People != 3 {
		t.Errorf("what a later session knows is no straggler: %+v", d.Participants)
	}
	another := elsewhere(20)
	another.Began = sec(30)
	s := merged([][]room.Event{{created, joined}})
	s.KnownEarlier("PA_1", another)
	if d := s.Detail(); d.People != 1 {
		t.Errorf("what began at another time is another: %+v", d.Participants)
	}
	listed := event(room.KindListed, 140, who("PA_old", "u2", 99), func(e *room.Event) { e.AliveAt = sec(140) })
	if d := told(elsewhere(20), listed); d.People != 2 {
		t.Errorf("plugNmeet lists it in this session, yet it is left out: %+v", d.Participants)
	}
}

func TestARoomFinishedOfTheSessionBeforeEndsNothing(t *testing.T) {
	created := event(room.KindRoomCreated, 100)
	started, joined := event(room.KindRoomStarted, 104, creation(104)), event(room.KindParticipantJoined, 110, who("PA_1", "u1", 110), creation(104))
	again := event(room.KindRoomStarted, 90, creation(20)) // with LiveKit's clock ten seconds behind
	for name, c := range map[string]struct {
		events []room.Event
		over   bool
	}{
		"before anything had begun":        {[]room.Event{created, event(room.KindRoomFinished, 101, creation(20))}, false},
		"before somebody joined":           {[]room.Event{created, started, joined, event(room.KindRoomFinished, 106)}, false},
		"before, and no creation is known": {[]room.Event{started, joined, event(room.KindRoomFinished, 106)}, false},
		"of an earlier object":             {[]room.Event{created, started, joined, event(room.KindRoomFinished, 120, creation(20))}, false},
		"of its own":                       {[]room.Event{created, started, joined, event(room.KindRoomFinished, 120, creation(104))}, true},
		"of an object that is used again":  {[]room.Event{created, again, event(room.KindRoomFinished, 95, creation(20))}, true},
	} {
		if d := of(t, c.events...); (d.State == room.StateEnded) != c.over {
			t.Errorf("%s: %s", name, d.State)
		}
	}
}

// What is left out says so, by the same rule, and is counted.
func TestWhatIsLeftOutSaysWhy(t *testing.T) {
	created, joined := event(room.KindRoomCreated, 1000), event(room.KindParticipantJoined, 1010, who("PA_1", "u1", 1010))
	early := event(room.KindParticipantLeft, 1001, who("PA_rec", "RECORDER_BOT", 120))
	known := event(room.KindParticipantLeft, 1002, who("PA_2", "u2", 990))
	finished := event(room.KindRoomFinished, 1003)
	s := merged([][]room.Event{{created, joined, early, known, finished}})
	s.KnownEarlier("PA_2", elsewhere(10))
	stragglers := s.Stragglers()
	for _, c := range []struct {
		e    room.Event
		want string
	}{
		{created, ""}, {joined, ""},
		{early, "it is of an earlier session of this room: it began 880 s before this one was created, which is more than the clocks differ"},
		{known, "it is of an earlier session of this room, which knows the same connection or track"},
		{finished, "people joined after it"},
	} {
		if got := stragglers.Why(c.e); got != c.want {
			t.Errorf("%s: %q", c.e.ID, got)
		}
	}
	if got := s.Detail().LeftOut; got != 3 {
		t.Errorf("%d left out", got)
	}
}
