package room

import (
	"cmp"
	"strings"
	"time"
)

// Track is one published track. Muted is as last said: plugNmeet announces no later changes of it.
type Track struct {
	SID           string    `json:"sid"`
	Source        string    `json:"source"` // camera, microphone, screen_share, screen_share_audio, unknown
	Media         string    `json:"media"`  // audio, video, data
	Mime          string    `json:"mime,omitempty"`
	Width         int       `json:"width,omitempty"`
	Height        int       `json:"height,omitempty"`
	Simulcast     bool      `json:"simulcast"`
	Encryption    string    `json:"encryption,omitempty"`
	Muted         bool      `json:"muted"`
	PublishedAt   time.Time `json:"published_at,omitzero"`
	UnpublishedAt time.Time `json:"unpublished_at,omitzero"`
	Open          bool      `json:"-"`
	MuteChecked   bool      `json:"-"` // Muted is as the API told it, not as it was when the track was published
	own           bool      // something told of its end; else it went with its owner
	seen          Time      // the first report of it, for when nobody says when it began
}

func (t Track) first() Time { return earliest(At(t.PublishedAt), At(t.UnpublishedAt)) }

// ownerOf tells whose a track is, of the identity and the connection that it was said to be of: the
// connection's, else the identity's, else that of the identity without "+" (contract 4.8). left is when the
// connection it was made on closed or, if that was never announced (as the one of a hybrid app's twin), when
// the owner's last one did; 0 while one is open.
func (c crowd) ownerOf(identity, connection string) (owner string, left Time, known bool) {
	if o, ok := c.owners[connection]; ok {
		return o.identity, o.left, true
	}
	if stripped := withoutPlus(identity); !c.connected(identity) && c.connected(stripped) {
		identity = stripped
	}
	if p := c.people[identity]; p != nil {
		for _, other := range p.Connections {
			if other.Open {
				return identity, 0, false
			}
			left = max(left, At(other.LeftAt))
		}
	}
	return identity, left, false
}

// track derives one track and whose it is. It goes with the connection it was made on; where that is not
// known, with its owner's last, unless it was published or listed since.
func (r *reading) track(sid string, told Told[TrackTold], c crowd) (t Track, owner string, ok bool) {
	var published, unpublished, absent, alive Time
	var ownerSID string
	t.SID = sid
	if r.theirs(sid, told) {
		return t, "", false
	}
	for _, said := range told {
		if r.counts(said.Stamp) {
			alive, t.seen = max(alive, said.Said.AliveAt), earliest(t.seen, said.At)
		}
	}
	for _, said := range told {
		if !r.counts(said.Stamp) || said.Kind == KindAbsent && !ok {
			continue
		}
		ok = true
		t.learn(said.Said)
		if said.Said.Muted != nil {
			t.MuteChecked = said.Kind == KindListed
		}
		owner, ownerSID = lastSaid(owner, said.Said.Owner), lastSaid(ownerSID, said.Said.OwnerSID)
		published = earliest(published, said.Said.Published)
		at := said.Said.Unpublished
		switch {
		case at <= alive:
		case said.Kind == KindAbsent:
			absent = earliest(absent, at)
		default:
			unpublished = earliest(unpublished, at)
		}
	}
	t.own = unpublished != 0 || absent != 0
	owner, left, known := c.ownerOf(owner, ownerSID)
	if known || left >= max(published, alive) {
		absent = earliest(absent, left)
	}
	end := r.endOf(published, unpublished, absent)
	t.PublishedAt, t.UnpublishedAt, t.Open = published.Time(), end.Time(), end == 0
	t.settle()
	return t, owner, ok
}

func (t *Track) learn(said TrackTold) {
	t.Source, t.Media, t.Mime = lastSaid(t.Source, said.Source), lastSaid(t.Media, said.Media), lastSaid(t.Mime, said.Mime)
	t.Width, t.Height = lastSaid(t.Width, said.Width), lastSaid(t.Height, said.Height)
	t.Simulcast, t.Encryption = t.Simulcast || said.Simulcast, lastSaid(t.Encryption, said.Encryption)
	if said.Muted != nil {
		t.Muted = *said.Muted
	}
}

// settle fills in what the wire leaves out: a source tells the media, and audio is the zero value.
func (t *Track) settle() {
	t.Source = cmp.Or(t.Source, "unknown")
	switch {
	case t.Source == "camera", t.Source == "screen_share":
		t.Media = "video"
	case t.Source == "microphone", t.Source == "screen_share_audio":
		t.Media = "audio"
	}
	t.Media = cmp.Or(t.Media, "audio")
}

func withoutPlus(identity string) string { return strings.ReplaceAll(identity, "+", "") }
