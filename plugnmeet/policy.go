package plugnmeet

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// label is what a member's name means for redaction.
type label int

const (
	harmless label = iota
	secretLabel
	roomLabel
	participantLabel
	metadataLabel
	attributesLabel
)

// labels are told without regard to case and underscores, so that no spelling of one slips through.
var labels = map[string]label{
	"room": roomLabel, "participant": participantLabel, "metadata": metadataLabel, "attributes": attributesLabel,
	"secret": secretLabel, "apisecret": secretLabel, "apikey": secretLabel, "token": secretLabel, "password": secretLabel,
	"authorization": secretLabel, "pin": secretLabel, "streamkey": secretLabel, "encryptionkey": secretLabel,
	"webhookurl": secretLabel, "dispatchruleid": secretLabel, "summarizationprompt": secretLabel,
}

// labelOf tells the label from a name's raw JSON.
func labelOf(raw jsontext.Value) label {
	text := raw[1 : len(raw)-1]
	if bytes.IndexByte(text, '\\') >= 0 {
		text, _ = jsontext.AppendUnquote(nil, raw)
	}
	var plain [24]byte // longer than any name above
	n := 0
	for _, c := range text {
		switch {
		case c == '_':
			continue
		case n == len(plain):
			return harmless
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		plain[n] = c
		n++
	}
	return labels[string(plain[:n])]
}

// place is where in a body a member stands, as far as redaction cares.
type place int

const (
	elsewhere place = iota
	atTop
	inRoom
	inParticipant
	inAttributes // of a participant: phone numbers of callers
)

func within(in place, label label) place {
	switch {
	case in == atTop && label == roomLabel:
		return inRoom
	case in == atTop && label == participantLabel:
		return inParticipant
	case label == attributesLabel:
		return inAttributes
	}
	return elsewhere
}

// treatment is what becomes of a value.
type treatment int

const (
	keep treatment = iota
	hide           // "[redacted]", unless it is empty
	sift           // only what the policy lists
)

// treat decides by where a value stands, what it is called and what it is. Metadata elsewhere than in the
// room is a document of unknown content if it is a text, and an object like any other if it is one (an
// artifact's).
func treat(in place, label label, kind jsontext.Kind) treatment {
	switch {
	case in == inAttributes || label == secretLabel:
		return hide
	case label == metadataLabel && in == inRoom:
		return sift
	case label == metadataLabel && (in == inParticipant || kind == '"'):
		return hide
	case label == attributesLabel && kind != '{':
		return hide
	}
	return keep
}

// policy lists what may stay of an object, by either spelling of the name. All else goes.
type policy map[string]rule

type rule struct {
	name      string // as spelled
	treatment treatment
	within    policy // for objects
}

func stays() rule               { return rule{treatment: keep} }
func hidden() rule              { return rule{treatment: hide} }
func sifted(within policy) rule { return rule{treatment: sift, within: spelled(within)} }

// spelled knows both spellings of the names in p.
func spelled(p policy) policy {
	both := make(policy, 2*len(p))
	for name, rule := range p {
		for _, rule.name = range []string{name, camelCase(name)} {
			both[rule.name] = rule
		}
	}
	return both
}

// metadataPolicy is what stays of room.metadata, contract 2.8: what an operator may want to see of a room,
// and that a secret is set, but never which.
var metadataPolicy = spelled(policy{
	"room_title": stays(), "parent_room_id": stays(), "is_breakout_room": stays(),
	"is_recording": stays(), "is_active_rtmp": stays(), "started_at": stays(), "metadata_id": stays(),
	"webhook_url": hidden(),
	"room_features": sifted(policy{
		"room_duration": stays(), "enable_analytics": stays(),
		"recording_features":             sifted(policy{"is_allow_cloud": stays(), "enable_auto_cloud_recording": stays()}),
		"waiting_room_features":          sifted(policy{"is_active": stays()}),
		"breakout_room_features":         sifted(policy{"is_active": stays(), "allowed_number_rooms": stays()}),
		"end_to_end_encryption_features": sifted(policy{"is_enabled": stays(), "encryption_key": hidden()}),
		"ingress_features":               sifted(policy{"input_type": stays(), "url": hidden(), "stream_key": hidden()}),
		"sip_dial_in_features":           sifted(policy{"is_active": stays(), "pin": hidden(), "dispatch_rule_id": hidden()}),
		"insights_features": sifted(policy{
			"transcription_features": sifted(policy{"is_enabled": stays()}),
			"ai_features": sifted(policy{
				"meeting_summarization_features": sifted(policy{"is_enabled": stays(), "summarization_prompt": hidden()}),
			}),
		}),
	}),
})

// sift writes what p leaves of the object that dec comes to next.
func (p policy) sift(dec *trusting, enc *jsontext.Encoder) {
	_, _ = dec.ReadToken()
	_ = enc.WriteToken(jsontext.BeginObject)
	for dec.PeekKind() == '"' {
		name, _ := dec.ReadValue()
		p[string(name[1:len(name)-1])].sift(dec, enc)
	}
	_, _ = dec.ReadToken()
	_ = enc.WriteToken(jsontext.EndObject)
}

// sift writes one member, or skips it if there is no rule or its value does not fit the rule.
func (r rule) sift(dec *trusting, enc *jsontext.Encoder) {
	kind := dec.PeekKind()
	object := kind == '{'
	if r.name == "" || kind == 'n' || r.treatment == keep && (object || kind == '[') || r.treatment == sift && !object {
		_ = dec.SkipValue()
		return
	}
	if r.treatment == sift {
		_ = enc.WriteToken(jsontext.String(r.name))
		r.within.sift(dec, enc)
		return
	}
	value, _ := dec.ReadValue()
	if r.treatment == hide {
		if empty(value) {
			return
		}
		value = hiddenValue
	}
	_ = enc.WriteToken(jsontext.String(r.name))
	_ = enc.WriteValue(value)
}
