package simulate

import (
	"strconv"
	"strings"
	"time"
)

// track is what somebody publishes.
type track struct {
	connection  *connection
	source      string // LiveKit's name
	wire        trackPart
	published   time.Time
	unpublished time.Time
}

// prefixes of track.sid by source.
var prefixes = map[string]string{"MICROPHONE": "TR_AM", "CAMERA": "TR_VC", "SCREEN_SHARE": "TR_VS", "SCREEN_SHARE_AUDIO": "TR_AS"}

// participate is what a person does on a connection.
func (c *connection) participate() {
	d := c.session.life.dice
	if c.who.role == "sip" {
		c.after(d.between(300*time.Millisecond, 2*time.Second), func() { c.publish("MICROPHONE", false) })
		return
	}
	if d.chance(0.85) {
		c.after(d.between(time.Second, 9*time.Second), c.speak)
	}
	if d.chance(0.6) {
		c.after(d.between(2*time.Second, 16*time.Second), c.film)
	}
	if d.chance(0.35) {
		c.after(d.between(30*time.Second, 30*time.Minute), c.share)
	}
}

// speak is a microphone, which only another one replaces. Many are muted when they are published.
func (c *connection) speak() {
	d := c.session.life.dice
	microphone := c.publish("MICROPHONE", d.chance(0.3))
	c.after(time.Minute+d.about(25*time.Minute), func() {
		microphone.unpublish()
		c.after(d.between(300*time.Millisecond, 20*time.Second), c.speak)
	})
}

// film is a camera that is on for some minutes, then off, and perhaps on again.
func (c *connection) film() {
	d := c.session.life.dice
	camera := c.publish("CAMERA", false)
	c.after(30*time.Second+d.about(8*time.Minute), func() {
		camera.unpublish()
		c.after(10*time.Second+d.about(3*time.Minute), c.film)
	})
}

// share shows a screen, often with its sound, if nobody else does.
func (c *connection) share() {
	d := c.session.life.dice
	if c.session.sharing() {
		return
	}
	shared := []*track{c.publish("SCREEN_SHARE", false)}
	if d.chance(0.4) {
		shared = append(shared, c.publish("SCREEN_SHARE_AUDIO", false))
	}
	c.after(20*time.Second+d.about(7*time.Minute), func() {
		for _, t := range shared {
			t.unpublish()
		}
		if d.chance(0.4) {
			c.after(d.about(8*time.Minute), c.share)
		}
	})
}

func (s *session) sharing() bool {
	for _, c := range s.connections {
		for _, t := range c.tracks {
			if t.open() && t.source == "SCREEN_SHARE" {
				return true
			}
		}
	}
	return false
}

func (t *track) open() bool { return t.unpublished.IsZero() && t.connection.open() }

// publish begins a track. Muting it later is something that plugNmeet does not tell.
func (c *connection) publish(source string, muted bool) *track {
	l := c.session.life
	t := &track{connection: c, source: source, published: l.now}
	t.wire = l.trackPart(source, len(c.tracks))
	t.wire.Muted = muted
	if c.who.role == "translator" {
		t.wire.Name = strings.TrimPrefix(c.who.identity, translatorPrefix)
	}
	c.tracks = append(c.tracks, t)
	c.version += 2
	t.tell("track_published")
	return t
}

func (t *track) unpublish() {
	if !t.unpublished.IsZero() {
		return
	}
	t.unpublished = t.connection.session.life.now
	t.tell("track_unpublished")
}

func (c *connection) unpublishAll() {
	for _, t := range c.tracks {
		if c != c.session.straggler {
			t.unpublish()
		}
	}
}

// tell says only sid and identity of the participant: those of LiveKit, which keeps the + of a phone number
// and knows the twin of a hybrid app.
func (t *track) tell(event string) {
	c := t.connection
	p := &participantPart{SID: c.sid, Identity: atLiveKit(c.who.identity)}
	if c.twin != "" {
		p.SID = c.twin
	}
	c.session.relay(body{Event: event, Room: c.session.mediaOfTrack(), Participant: p, Track: &t.wire}, 0)
}

// trackPart is the wire's form of a new track; before is how many its connection had.
func (l *Life) trackPart(source string, before int) trackPart {
	d := l.dice
	t := trackPart{
		SID: d.livekitID(prefixes[source], 12), Source: source, MimeType: "audio/opus", Mid: strconv.Itoa(before), Stream: "camera",
		Version: versionPart{strconv.FormatInt(l.now.UnixMicro()+d.Int64N(1000), 10)},
	}
	if strings.HasPrefix(source, "SCREEN") {
		t.Stream = "screen"
	}
	switch source {
	case "CAMERA":
		t.Type, t.Width, t.Height, t.MimeType = "VIDEO", 1280, 720, "video/VP8"
		if d.chance(0.3) {
			t.Width, t.Height = 640, 360
		}
		t.Simulcast = t.Width > 640
	case "SCREEN_SHARE":
		t.Type, t.Width, t.Height, t.MimeType = "VIDEO", 1920, 1080, "video/VP8"
	default:
		t.BackupCodecPolicy = "SIMULCAST"
	}
	t.Layers = t.layers(d)
	t.Codecs = []codecPart{{t.MimeType, t.Mid, d.livekitID("TR_", 12), t.Layers, "ONE_SPATIAL_LAYER_PER_STREAM"}}
	return t
}

func (t *trackPart) layers(d dice) []layerPart {
	switch {
	case t.Type == "":
		return nil
	case !t.Simulcast:
		return []layerPart{{Quality: "HIGH", Width: t.Width, Height: t.Height, SSRC: d.Uint32()}}
	}
	return []layerPart{
		{"", t.Width / 4, t.Height / 4, 160_000, d.Uint32(), 0},
		{"MEDIUM", t.Width / 2, t.Height / 2, 450_000, d.Uint32(), 1},
		{"HIGH", t.Width, t.Height, 1_700_000, d.Uint32(), 2},
	}
}
