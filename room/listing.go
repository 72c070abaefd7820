package room

import "strings"

// Listing is what one poll of plugNmeet's API says of one session that runs.
type Listing struct {
	// Events are of KindListed: of the session first, by plugNmeet's clock, then, by LiveKit's, of each attendee
	// followed by their tracks. AliveAt is before the poll by the time for which an end that was told is believed,
	// whatever the poll says.
	Events []Event

	Media   Time // when the poll began, by LiveKit's clock
	Certain Time // the latest end of a session that cannot be later than the poll, whatever was told lately

	Joined    int // how many plugNmeet counts: callers too, of whom it lists none that come from outside
	Attendees int // how many identities it lists
	Recording bool
	Streaming bool // that a recording or a stream goes on: the API does not say which
}

// Difference is how a listing differs from what is known.
type Difference struct {
	News   *Event    // what it lists and is not known, as one entry; nil when all of it is
	Absent []Absence // what is known to be there, would be listed if it were, and is not

	People     int // online by what is known, of those who would be listed
	PeopleGone int // of them, those who are not listed at all
	Uncounted  int // how many more plugNmeet counts than it lists and can have left out: whom it does not list may be there
}

// Absence is somebody or something that is there by what is known, and not listed.
type Absence struct {
	Said   Event     // the end of it, for an entry's Also; without a time
	Heard  Time      // when it was last heard of, by the clock of Now
	Now    Time      // when the poll began
	Counts Corrected // what its end puts right
}

// ID names the absence within its session.
func (a Absence) ID() string { return a.Said.Kind.String() + " " + a.Said.about() }

// OfJob: it is a recording or a stream, of which plugNmeet's own database tells.
func (a Absence) OfJob() bool { return a.Said.Going != "" }

// agentPrefix begins the identity of plugNmeet's insight agents.
const agentPrefix = "pnm_agent-"

// unlistable: plugNmeet's API lists them never while they are there, as it has no record of the user under LiveKit's
// identity: insight agents, and callers whose number has a + (contract 5.3). Webhooks tell of a caller without it, so
// that one may be listable is known only once it was listed.
func (p *Participant) unlistable() bool {
	return !p.listed && (p.Kind == "sip" || strings.HasPrefix(p.Identity, agentPrefix))
}

// Compare finds how a listing differs from what is known of its session, which is the zero Detail when that is
// nothing. Ends that are newer than the listing's AliveAt win over it, and so does what was heard since.
func Compare(known Detail, l Listing) Difference {
	c := comparison{known: known, session: l.Events[0], media: l.Media,
		connections: make(map[string]found), people: make(map[string]*Participant), tracks: make(map[string]Track)}
	if known.EndedBy == BySuccessor {
		// Nothing told of its end. That plugNmeet lists it beside its successor says that it is none.
		c.session.AliveAt = l.Certain
	}
	if known.SID != "" && known.State == StateEnded && At(known.EndedAt) > c.session.AliveAt {
		return Difference{}
	}
	c.index()
	c.ofSession()
	for _, e := range attendees(l.Events[1:]) {
		c.attendee(e)
	}
	for _, e := range l.Events[1:] {
		if e.Track != nil {
			c.track(e)
		}
	}
	c.staysUnpublished()
	c.goesOn(l)
	if !c.back {
		c.absences(l)
	}
	c.out.Uncounted = l.Joined - l.Attendees - c.unlisted
	return c.difference()
}

// attendees is one event an identity. Of a hybrid user whose connections are both listed the one that came first is
// what webhooks speak of.
func attendees(events []Event) []Event {
	out, at := make([]Event, 0, len(events)), make(map[string]int, len(events))
	for _, e := range events {
		if e.Track != nil {
			continue
		}
		i, again := at[e.Participant.Identity]
		switch {
		case !again:
			at[e.Participant.Identity] = len(out)
			out = append(out, e)
		case e.Participant.JoinedAt < out[i].Participant.JoinedAt:
			out[i] = e
		}
	}
	return out
}

type found struct {
	*Participant
	Connection
}

// roles are the known ones; who was never told of has none.
func (p *Participant) roles() (r Roles) {
	if p.Roles != nil {
		r = *p.Roles
	}
	return r
}

// comparison is a Compare under way.
type comparison struct {
	known       Detail
	session     Event // of the listing; what it says grows less until only news are left
	media       Time
	connections map[string]found
	people      map[string]*Participant
	tracks      map[string]Track
	unlisted    int // who is online and never listed

	news   []Event
	fresh  bool // the session itself is news
	back   bool // it had ended
	right  Corrected
	listed map[string]bool // what the listing names: identities, connections, tracks
	left   map[string]bool // identities that it names, and that have left since
	missed map[string]bool // identities that are counted as missing
	out    Difference

	returned []string // identities that are there, and were not by what is known
}

func (c *comparison) index() {
	c.listed, c.left, c.missed = make(map[string]bool), make(map[string]bool), make(map[string]bool)
	for i := range c.known.Participants {
		p := &c.known.Participants[i]
		c.people[p.Identity] = p
		switch {
		case !p.Online:
		case p.unlistable():
			c.unlisted++
		case p.Human():
			c.out.People++
		}
		for _, connection := range p.Connections {
			c.connections[connection.SID] = found{p, connection}
		}
		for _, t := range p.Tracks {
			c.tracks[t.SID] = t
		}
	}
}

// ofSession leaves of the session's event what is not known: a title that differs is told by webhooks.
func (c *comparison) ofSession() {
	e, known := &c.session, c.known
	switch {
	case known.SID == "":
		c.fresh, c.right.What = true, Found
		return
	case known.State == StateEnded:
		c.fresh, c.back, c.right.What = true, true, Back
	case known.alive == 0:
		c.fresh = true
	}
	blank(&e.Title, known.Title != "", &c.fresh)
	blank(&e.ParentRoomID, known.ParentRoomID != "", &c.fresh)
	blank(&e.PlannedMinutes, known.PlannedMinutes != 0, &c.fresh)
	if e.CreationTime != 0 && known.CreatedAt.IsZero() {
		c.fresh = true
	}
}

// blank empties what is known, and notes what is news.
func blank[T comparable](said *T, known bool, fresh *bool) {
	var empty T
	switch {
	case known:
		*said = empty
	case *said != empty:
		*fresh = true
	}
}

// attendee is somebody who is listed: they are here, under whichever sid.
func (c *comparison) attendee(e Event) {
	who := *e.Participant
	c.listed["p "+who.Identity] = true
	if c.left[who.Identity] = c.leftSince(e); c.left[who.Identity] {
		return
	}
	if sid := c.connectionOf(e); sid != who.SID {
		who.SID, who.JoinedAt = sid, 0
		e.Participant = &who
	}
	c.listed["c "+who.SID] = true
	switch k, known := c.connections[who.SID]; {
	case known && k.Open:
		if k.JoinedAt.IsZero() && who.JoinedAt != 0 || k.Name == "" && who.Name != "" || who.Roles != nil && *who.Roles != k.roles() ||
			k.unlistable() { // it is not
			c.add(e)
		}
		return
	case known && At(k.LeftAt) > e.AliveAt:
		return // it left since
	}
	c.add(e)
	if c.back || c.missed[who.Identity] || c.online(who.Identity) {
		return
	}
	c.missed[who.Identity] = true
	c.returned = append(c.returned, who.Identity)
	if kind := kindOf(who.Identity, who.Kind); kind == "person" || kind == "sip" {
		c.right.PeopleMissing++
	} else {
		c.right.BotsMissing++
	}
}

// leftSince: deliveries told lately that they left, and they are listed on a connection that nothing told of: a hybrid
// app's twin that LiveKit has not dropped yet.
func (c *comparison) leftSince(e Event) bool {
	p := c.people[e.Participant.Identity]
	if p == nil || p.Online {
		return false
	}
	last := p.lastTold()
	if _, known := c.connections[e.Participant.SID]; last == nil || known {
		return false
	}
	return last.left > e.AliveAt && !last.replacedBy(e.Participant.JoinedAt)
}

// connectionOf is the connection of an attendee that deliveries speak of: the API may list a hybrid user on their twin,
// which no delivery tells of. For who has no such connection it is the one that is listed.
func (c *comparison) connectionOf(e Event) string {
	sid := e.Participant.SID
	if k, known := c.connections[sid]; known && k.told {
		return sid
	}
	p := c.people[e.Participant.Identity]
	if p == nil {
		return sid
	}
	switch last := p.lastTold(); {
	case last == nil:
	case last.Open:
		return last.SID
	case last.left == 0 && e.Participant.JoinedAt <= At(last.LeftAt):
		return last.SID // only the API ever said that it had ended
	}
	return sid
}

func (c *comparison) online(identity string) bool {
	p := c.people[identity]
	return p != nil && p.Online
}

func (c *comparison) track(e Event) {
	c.listed["t "+e.Track.SID] = true
	if c.left[e.Participant.Identity] {
		return // it went with its owner since
	}
	owner, owned := c.connections[e.Participant.SID]
	k, known := c.tracks[e.Track.SID]
	switch {
	case owned && !owner.Open && At(owner.LeftAt) > e.AliveAt:
		return // it went with its connection since
	case !known:
		c.add(e)
		if c.online(e.Participant.Identity) {
			c.right.TracksMissing++
		}
	case k.Open:
		if muted := e.Track.Muted; muted != nil && *muted != k.Muted {
			c.add(Event{Kind: KindListed, At: e.At, AliveAt: e.AliveAt, Track: &TrackSaid{SID: e.Track.SID, Muted: muted}})
		}
	case At(k.UnpublishedAt) <= e.AliveAt:
		c.add(e)
	}
}

// staysUnpublished: what somebody published who had left, and is there again without it, ended when they left. Nothing else
// tells so of what a twin published, whose connection nothing tells of.
func (c *comparison) staysUnpublished() {
	for _, identity := range c.returned {
		p := c.people[identity]
		if p == nil {
			continue
		}
		for _, t := range p.Tracks {
			if !t.Open && !t.own && !c.listed["t "+t.SID] {
				c.news = append(c.news, Event{Kind: KindAbsent, At: At(t.UnpublishedAt), Track: &TrackSaid{SID: t.SID}})
			}
		}
	}
}

// add keeps a part of the listing for the entry, with what it does not share with that.
func (c *comparison) add(e Event) {
	part := Event{Kind: e.Kind, Participant: e.Participant, Track: e.Track, Going: e.Going}
	if e.At != c.session.At {
		part.At = e.At
	}
	if e.AliveAt != c.session.AliveAt {
		part.AliveAt = e.AliveAt
	}
	c.news = append(c.news, part)
}

// goesOn adds a recording or a stream that began unseen.
func (c *comparison) goesOn(l Listing) {
	recorded, streamed := jobsSeen{}, jobsSeen{}
	for _, r := range c.known.Recordings {
		recorded.see(r.State == RecordingActive || c.back && r.EndedAt.IsZero() && r.ReadyAt.IsZero(), At(r.StartedAt), At(r.EndedAt))
	}
	for _, s := range c.known.Streams {
		streamed.see(s.State == StreamLive || c.back && s.EndedAt.IsZero(), At(s.StartedAt), At(s.EndedAt))
	}
	for _, of := range []struct {
		listed bool
		going  string
		jobsSeen
	}{{l.Recording, GoingRecording, recorded}, {l.Streaming, GoingStream, streamed}} {
		if of.listed && !of.active && of.told <= c.session.AliveAt {
			c.add(Event{Kind: KindListed, At: c.session.At, AliveAt: c.session.AliveAt, Going: of.going})
			c.right.JobsMissing++
		}
	}
}

// jobsSeen is whether one of some jobs goes on, and when a start or an end of them was last told.
type jobsSeen struct {
	active bool
	told   Time
}

func (j *jobsSeen) see(active bool, started, ended Time) {
	j.active, j.told = j.active || active, max(j.told, started, ended)
}

// absences are what should have been listed: it was there before the poll began, and it would be.
func (c *comparison) absences(l Listing) {
	for i := range c.known.Participants {
		p := &c.known.Participants[i]
		if p.unlistable() {
			continue
		}
		heard := p.heard()
		for _, connection := range p.Connections {
			if connection.Open && !c.listed["c "+connection.SID] {
				c.absent(Event{Kind: KindAbsent, Participant: &ParticipantSaid{SID: connection.SID, Identity: p.Identity}}, c.media, max(heard, connection.seen), c.leaving(p))
			}
		}
		counts := Corrected{TracksGone: 1}
		if p.Online && !c.listed["p "+p.Identity] {
			counts = c.leaving(p) // they go with somebody, which is what counts
		}
		for _, t := range p.Tracks {
			if t.Open && !c.listed["t "+t.SID] {
				c.absent(Event{Kind: KindAbsent, Track: &TrackSaid{SID: t.SID}}, c.media, max(At(t.PublishedAt), t.seen), counts)
				if p.Online && !c.listed["p "+p.Identity] {
					counts = Corrected{}
				}
			}
		}
	}
	gone := func(going, recordID string, began Time) {
		e := Event{Kind: KindAbsent, Going: going}
		if recordID != "" {
			e.Job = &JobSaid{RecordID: recordID}
		}
		c.absent(e, c.session.At, began, Corrected{JobsGone: 1})
	}
	for _, r := range c.known.Recordings {
		if !l.Recording && r.State == RecordingActive {
			gone(GoingRecording, r.RecordID, At(r.StartedAt))
		}
	}
	for _, s := range c.known.Streams {
		if !l.Streaming && s.State == StreamLive {
			gone(GoingStream, s.RecordID, At(s.StartedAt))
		}
	}
}

func (c *comparison) absent(end Event, now, heard Time, counts Corrected) {
	if heard < now {
		c.out.Absent = append(c.out.Absent, Absence{end, heard, now, counts})
	}
}

// leaving counts p once, whose connections are all gone.
func (c *comparison) leaving(p *Participant) (counts Corrected) {
	switch {
	case c.listed["p "+p.Identity], c.missed["gone "+p.Identity]:
		return counts
	case p.Human():
		counts.PeopleGone = 1
		c.out.PeopleGone++
	default:
		counts.BotsGone = 1
	}
	c.missed["gone "+p.Identity] = true
	return counts
}

// heard is when something of p was last told.
func (p *Participant) heard() (last Time) {
	for _, c := range p.Connections {
		last = max(last, At(c.JoinedAt))
	}
	for _, t := range p.Tracks {
		last = max(last, At(t.PublishedAt), At(t.UnpublishedAt))
	}
	return last
}

func (c *comparison) difference() Difference {
	if !c.fresh && len(c.news) == 0 {
		return c.out
	}
	e := c.session
	e.Also = c.news
	if c.right.What == "" && c.right.counts() {
		c.right.What = Adjusted
	}
	if c.right.What != "" {
		e.Corrected = &c.right
	}
	c.out.News = &e
	return c.out
}
