package simulate

import (
	"strings"
	"time"
)

// What plugNmeet calls those of its users that are none (contract 4.8).
const (
	translatorPrefix = "pnm_tts_agent-"
	agentPrefix      = "pnm_agent-"
	callerPrefix     = "sip_"
)

// longestExtension is how many digits a caller of the house has at most. Others come from outside.
const longestExtension = 4

// atLiveKit is the identity as LiveKit has it: with the + of a number from outside, which plugNmeet's own record of
// the caller has not.
func atLiveKit(identity string) string {
	number, caller := strings.CutPrefix(identity, callerPrefix)
	if !caller || len(number) <= longestExtension {
		return identity
	}
	return callerPrefix + "+" + number
}

// listable: plugNmeet's API lists them while they are there. It leaves out whom it has no record of under the
// identity that LiveKit has: callers from outside, and its agents (contract 5.3).
func listable(identity string) bool {
	return atLiveKit(identity) == identity && !strings.HasPrefix(identity, agentPrefix)
}

// hybrid people use plugNmeet's app, which publishes on a connection of its own, the twin. They are known here by
// their identity, which ends in 7.
func hybrid(identity string) bool { return strings.HasSuffix(identity, "7") && listable(identity) }

// twinOf is the participant.sid of a hybrid user's twin, by that of the connection that plugNmeet tells of.
func twinOf(sid string) string { return "PA_twin" + strings.TrimPrefix(sid, "PA_") }

// twinAfter is how long after it the twin connects.
const twinAfter = 400 * time.Millisecond

var (
	recorderBot = &person{identity: "RECORDER_BOT", role: "recorder"}
	rtmpBot     = &person{identity: "RTMP_BOT", role: "rtmp"}
)

func translator(language string) *person {
	return &person{identity: translatorPrefix + language, name: "Translator-" + strings.ToUpper(language), role: "translator"}
}

func agent(service, id string) *person {
	return &person{identity: agentPrefix + service + "-" + id, role: "agent", hidden: true}
}

// hireBots decides what the meeting uses beside people talking to each other.
func (s *session) hireBots(length time.Duration) {
	d := s.life.dice
	soon := func() time.Duration { return d.between(30*time.Second, length/2) }
	if d.chance(0.35) {
		s.after(soon(), func() { s.record(length) })
	}
	if d.chance(0.12) {
		s.after(soon(), func() { s.stream(length) })
	}
	if d.chance(0.14) {
		s.after(soon(), s.transcribe)
	}
	if d.chance(0.1) {
		s.after(soon(), func() { s.change(func(m *metadata) { m.ChatTranslation = true }) })
	}
	if d.chance(0.12) {
		s.after(soon(), func() { s.change(func(m *metadata) { m.AIChat = true }) })
	}
	if d.chance(0.1) {
		s.after(soon(), s.summarize)
	}
	if d.chance(0.12) {
		s.openLine(length)
	}
	if d.chance(0.18) {
		s.after(soon(), s.breakOut)
	}
	if d.chance(0.04) {
		s.change(func(m *metadata) { m.IngressURL, m.StreamKey = "rtmp://media.example.org/x", d.livekitID("", 16) })
	}
}

// transcribe hires an agent that writes down what is said, and mostly one that speaks it in another language.
func (s *session) transcribe() {
	d := s.life.dice
	s.change(func(m *metadata) { m.Transcribing = true })
	s.admit(agent("transcription", d.uuid()))
	if !d.chance(0.7) {
		return
	}
	language := pick(d, []string{"fr", "de", "es", "ar", "zh"})
	s.change(func(m *metadata) { m.Language = language })
	c := s.admit(translator(language))
	c.after(2*time.Second, func() { c.publish("MICROPHONE", false) })
}

func (s *session) summarize() {
	s.change(func(m *metadata) { m.Summarizing = true })
	s.admit(agent("meeting_summarizing", s.life.dice.uuid()))
}

// openLine lets people call in by phone.
func (s *session) openLine(length time.Duration) {
	d := s.life.dice
	s.change(func(m *metadata) { m.SIPPin = d.livekitID("", 6) })
	for range d.IntN(3) + 1 {
		s.after(d.between(20*time.Second, length), func() {
			if caller := s.life.caller(); !s.has(caller.identity) {
				s.attend(caller, length, d.between(time.Minute, length))
			}
		})
	}
}

// dismissBots ends what needs no end by a person once all people are gone.
func (s *session) dismissBots() {
	for _, job := range s.jobs() {
		job.stop("success")
	}
	for _, c := range s.connections {
		if c.open() && !c.who.human() {
			c.leave("CLIENT_INITIATED")
		}
	}
}

// breakOut splits the meeting into groups for some minutes.
func (s *session) breakOut() {
	d := s.life.dice
	people := s.groupable()
	if len(people) < 4 || len(s.breakouts) > 0 {
		return
	}
	minutes := pick(d, []int{5, 10, 15})
	groups := min(2+d.IntN(3), len(people)/2)
	for i := range groups {
		b := s.openBreakout(i+1, minutes)
		for j := i; j < len(people); j += groups {
			b.after(d.between(3*time.Second, 25*time.Second), func() { b.enter(people[j]) })
		}
		b.after(time.Duration(minutes)*time.Minute, b.disperse)
	}
	s.change(func(m *metadata) { m.BreakoutsActive = true })
}

func (s *session) groupable() (people []*person) {
	for _, c := range s.connections {
		if c.open() && c.who.role == "person" {
			people = append(people, c.who)
		}
	}
	return people
}

// openBreakout makes a room out of its parent's metadata, of which plugNmeet resets little (contract 2.8).
func (s *session) openBreakout(n, minutes int) *session {
	id, title := groupName(s.life.dice, n)
	meta := s.meta
	meta.Title, meta.ParentRoomID, meta.PlannedMinutes, meta.Analytics = title, s.roomID, minutes, false
	b := s.life.create(s.roomID+"-"+id, meta)
	b.parent, b.fate = s, endsAlone
	s.breakouts = append(s.breakouts, b)
	b.announce()
	return b
}

// enter brings somebody of the parent, who stays there, too.
func (s *session) enter(who *person) {
	if s.started.IsZero() {
		s.start()
	}
	s.comeBack(who)
}
