package room

// Listing is what one poll of plugNmeet's API says of one session that runs.
type Listing struct {
	// Events are of KindListed: of the session first, then of each connection and each track. AliveAt is before
	// the poll by the time for which an end that was told is believed, whatever the poll says.
	Events []Event

	Short     bool // plugNmeet counts more participants than it lists: whom it leaves out may be there
	Recording bool // a recording goes on; the API does not say which
	Streaming bool
}

// Difference is how a listing differs from what is known.
type Difference struct {
	News   *Event    // what it lists and is not known, as one entry; nil when all of it is
	Absent []Absence // what is known to be there and not listed

	People     int // online by what is known
	PeopleGone int // of them, those who are not listed at all
}

// Absence is somebody or something that is there by what is known, and not listed.
type Absence struct {
	Said   Event     // the end of it, for an entry's Also; without a time
	Heard  Time      // when it was last heard of
	Counts Corrected // what its end puts right
}

// ID names the absence within its session.
func (a Absence) ID() string { return a.Said.Kind.String() + " " + a.Said.about() }

// Compare finds how a listing differs from what is known of its session, which is the zero Detail when that is
// nothing. Ends that are newer than the listing's AliveAt win over it, and so does what was heard since.
func Compare(known Detail, l Listing) Difference {
	c := comparison{known: known, session: l.Events[0], connections: make(map[string]found), tracks: make(map[string]Track)}
	if known.SID != "" && known.State == StateEnded && At(known.EndedAt) > c.session.AliveAt {
		return Difference{}
	}
	c.index()
	c.ofSession()
	for _, e := range l.Events[1:] {
		if e.Track == nil {
			c.connection(e)
		}
	}
	for _, e := range l.Events[1:] {
		if e.Track != nil {
			c.track(e)
		}
	}
	if !c.back {
		c.absences(l)
	}
	return c.difference()
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
	connections map[string]found
	tracks      map[string]Track

	news   []Event
	fresh  bool // the session itself is news
	back   bool // it had ended
	right  Corrected
	listed map[string]bool // what the listing names: identities, connections, tracks
	missed map[string]bool // identities that are counted as missing
	out    Difference
}

func (c *comparison) index() {
	c.listed, c.missed = make(map[string]bool), make(map[string]bool)
	for i := range c.known.Participants {
		p := &c.known.Participants[i]
		if p.Online && p.Human() {
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
	case known.VerifiedAt.IsZero():
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

func (c *comparison) connection(e Event) {
	who := e.Participant
	c.listed["c "+who.SID], c.listed["p "+who.Identity] = true, true
	k, known := c.connections[who.SID]
	switch {
	case known && k.Open:
		if k.JoinedAt.IsZero() && who.JoinedAt != 0 || k.Name == "" && who.Name != "" || who.Roles != nil && *who.Roles != k.roles() {
			c.add(e)
		}
		return
	case known && At(k.LeftAt) > c.session.AliveAt:
		return // it left since
	}
	c.add(e)
	if c.back || c.missed[who.Identity] || c.online(who.Identity) {
		return
	}
	c.missed[who.Identity] = true
	if kind := kindOf(who.Identity, who.Kind); kind == "person" || kind == "sip" {
		c.right.PeopleMissing++
	} else {
		c.right.BotsMissing++
	}
}

func (c *comparison) online(identity string) bool {
	for _, p := range c.known.Participants {
		if p.Identity == identity {
			return p.Online
		}
	}
	return false
}

func (c *comparison) track(e Event) {
	c.listed["t "+e.Track.SID] = true
	owner, owned := c.connections[e.Participant.SID]
	k, known := c.tracks[e.Track.SID]
	switch {
	case owned && !owner.Open && At(owner.LeftAt) > c.session.AliveAt:
		return // it went with its connection since
	case !known:
		c.add(e)
		if owned && owner.Open {
			c.right.TracksMissing++
		}
	case k.Open:
		if muted := e.Track.Muted; muted != nil && *muted != k.Muted {
			c.add(Event{Kind: KindListed, Track: &TrackSaid{SID: e.Track.SID, Muted: muted}})
		}
	case At(k.UnpublishedAt) <= c.session.AliveAt:
		c.add(e)
	}
}

// add keeps a part of the listing for the entry, with what it does not share with that.
func (c *comparison) add(e Event) {
	c.news = append(c.news, Event{Kind: e.Kind, Participant: e.Participant, Track: e.Track})
}

// absences are what should have been listed: it was there before the poll began.
func (c *comparison) absences(l Listing) {
	for i := range c.known.Participants {
		p := &c.known.Participants[i]
		heard := p.heard()
		for _, connection := range p.Connections {
			if connection.Open && !c.listed["c "+connection.SID] {
				c.absent(Event{Kind: KindAbsent, Participant: &ParticipantSaid{SID: connection.SID, Identity: p.Identity}}, max(heard, connection.seen), c.leaving(p))
			}
		}
		counts := Corrected{TracksGone: 1}
		if p.Online && !c.listed["p "+p.Identity] {
			counts = c.leaving(p) // they go with somebody, which is what counts
		}
		for _, t := range p.Tracks {
			if t.Open && !c.listed["t "+t.SID] {
				c.absent(Event{Kind: KindAbsent, Track: &TrackSaid{SID: t.SID}}, max(At(t.PublishedAt), t.seen), counts)
				if p.Online && !c.listed["p "+p.Identity] {
					counts = Corrected{}
				}
			}
		}
	}
	if !l.Recording {
		for _, r := range c.known.Recordings {
			if r.State == RecordingActive {
				c.absent(Event{Kind: KindRecordingEnded, Job: &JobSaid{RecordID: r.RecordID}}, At(r.StartedAt), Corrected{JobsGone: 1})
			}
		}
	}
	if !l.Streaming {
		for _, s := range c.known.Streams {
			if s.State == StreamLive {
				c.absent(Event{Kind: KindStreamEnded, Job: &JobSaid{RecordID: s.RecordID}}, At(s.StartedAt), Corrected{JobsGone: 1})
			}
		}
	}
}

func (c *comparison) absent(end Event, heard Time, counts Corrected) {
	if heard < c.session.At {
		c.out.Absent = append(c.out.Absent, Absence{end, heard, counts})
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
