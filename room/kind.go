package room

// Kind says what an event is. The numbers are stored in documents: append, never renumber.
// Within a life the later kind is the greater one, because a tie in time goes to the later kind
// (a track published and unpublished in the same second is unpublished).
type Kind uint8

// The kinds that plugNmeet sends (contract sections 1.1 and 1.2) and, from KindListed on,
// the entries that Roomwatch itself puts into the record.
const (
	KindOther Kind = 0 // a name we don't know: stored, shown, and applied as far as understood

	KindRoomCreated  Kind = 10
	KindRoomStarted  Kind = 11
	KindRoomFinished Kind = 12
	KindSessionEnded Kind = 13

	KindParticipantJoined Kind = 20
	KindParticipantLeft   Kind = 21

	KindTrackPublished   Kind = 30
	KindTrackUnpublished Kind = 31

	KindRecordingStarted    Kind = 40
	KindRecordingEnded      Kind = 41
	KindRecordingTranscoded Kind = 42
	KindRecordingProceeded  Kind = 43

	KindStreamStarted Kind = 50
	KindStreamEnded   Kind = 51

	KindArtifactCreated    Kind = 60
	KindAnalyticsProceeded Kind = 61

	KindSpeechStarted Kind = 70 // retired with plugNmeet 2.1.0
	KindSpeechEnded   Kind = 71 // retired with plugNmeet 2.1.0
	KindSpeechUsage   Kind = 72 // retired with plugNmeet 2.1.0

	KindListed  Kind = 100 // plugNmeet's API lists this session, connection or track; AliveAt says when
	KindAbsent  Kind = 101 // plugNmeet's API no longer lists it
	KindJanitor Kind = 102 // nothing was heard for so long that the janitor closed the session
	KindPolled  Kind = 103 // plugNmeet's API was asked; of no session, Poll says how that went
	KindGap     Kind = 104 // nothing could be received for a while; of no session, Gap says when
	KindAsked   Kind = 105 // an operator asked plugNmeet to end the session
	KindClocks  Kind = 106 // how the clocks of a source were found to differ; of no session, Clocks says how far
)

var kindNames = map[Kind]string{
	KindRoomCreated:         "room_created",
	KindRoomStarted:         "room_started",
	KindRoomFinished:        "room_finished",
	KindSessionEnded:        "session_ended",
	KindParticipantJoined:   "participant_joined",
	KindParticipantLeft:     "participant_left",
	KindTrackPublished:      "track_published",
	KindTrackUnpublished:    "track_unpublished",
	KindRecordingStarted:    "start_recording",
	KindRecordingEnded:      "end_recording",
	KindRecordingTranscoded: "recording_transcoding_finished",
	KindRecordingProceeded:  "recording_proceeded",
	KindStreamStarted:       "start_rtmp",
	KindStreamEnded:         "end_rtmp",
	KindArtifactCreated:     "artifact_created",
	KindAnalyticsProceeded:  "analytics_proceeded",
	KindSpeechStarted:       "speech_to_text_session_started",
	KindSpeechEnded:         "speech_to_text_session_ended",
	KindSpeechUsage:         "speech_to_text_total_usage",
	KindListed:              EventListed,
	KindAbsent:              "api_absent",
	KindJanitor:             "janitor_ended",
	KindPolled:              EventPolled,
	KindGap:                 EventGap,
	KindAsked:               "end_asked",
	KindClocks:              EventClocks,
}

var webhookKinds = func() map[string]Kind {
	kinds := make(map[string]Kind, len(kindNames))
	for kind, name := range kindNames {
		if kind < KindListed {
			kinds[name] = kind
		}
	}
	return kinds
}()

// WebhookKind finds the kind of an event by its lower-case name on the wire. A name that plugNmeet
// is not known to send, and the name of an entry of our own, is KindOther.
func WebhookKind(name string) Kind { return webhookKinds[name] }

// String is the event's name as plugNmeet writes it.
func (k Kind) String() string {
	if name, ok := kindNames[k]; ok {
		return name
	}
	return "other"
}

// livekitBorn: LiveKit made this event and plugNmeet stamped it with the session that the room_id
// had when the event was handled, not when it happened (contract 4.7). Only these can be stragglers.
func (k Kind) livekitBorn() bool {
	switch k {
	case KindRoomStarted, KindRoomFinished, KindParticipantJoined, KindParticipantLeft, KindTrackPublished, KindTrackUnpublished:
		return true
	}
	return false
}

// OwnEvent: entries of our own have this name in the record.
func OwnEvent(name string) bool {
	if name == EventCorrection {
		return true
	}
	for kind, known := range kindNames {
		if kind.Own() && known == name {
			return true
		}
	}
	return false
}

// Own: Roomwatch wrote this, plugNmeet did not send it.
func (k Kind) Own() bool { return k >= KindListed }

// Names under which entries of our own are in the record. Those of every poll are told only to who asks for them.
const (
	EventListed     = "api_listed" // facts of a poll that put nothing right, as that a microphone is muted now
	EventPolled     = "api_polled"
	EventCorrection = "correction"
	EventGap        = "intake_gap"
	EventClocks     = "clocks_measured"
)
