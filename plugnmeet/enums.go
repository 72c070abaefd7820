package plugnmeet

import (
	"slices"
	"strconv"
	"strings"
)

// The enums of the wire by their numbers, contract 2.5 and 2.7; "" where a number has no name. LiveKit and
// plugNmeet send names; what follows plugNmeet's documents sends numbers.
var (
	participantKinds = []string{"STANDARD", "INGRESS", "EGRESS", "SIP", "AGENT", "", "", "CONNECTOR", "BRIDGE"}

	disconnectReasons = []string{
		"UNKNOWN_REASON", "CLIENT_INITIATED", "DUPLICATE_IDENTITY", "SERVER_SHUTDOWN", "PARTICIPANT_REMOVED", "ROOM_DELETED",
		"STATE_MISMATCH", "JOIN_FAILURE", "MIGRATION", "SIGNAL_CLOSE", "ROOM_CLOSED", "USER_UNAVAILABLE", "USER_REJECTED",
		"SIP_TRUNK_FAILURE", "CONNECTION_TIMEOUT", "MEDIA_FAILURE", "AGENT_ERROR",
	}

	artifactTypes = []string{
		"UNKNOWN_ARTIFACT", "MEETING_ANALYTICS", "MEETING_SUMMARY", "MEETING_SUMMARY_USAGE", "SPEECH_TRANSCRIPTION",
		"SPEECH_TRANSCRIPTION_USAGE", "SYNTHESIZED_SPEECH_USAGE", "CHAT_TRANSLATION_USAGE", "AI_TEXT_CHAT_INTERACTION_USAGE",
		"AI_TEXT_CHAT_SUMMARIZATION_USAGE",
	}

	encryptions = []string{"NONE", "GCM", "CUSTOM"}

	// These two in our own words, see oneOf.
	trackTypes   = []string{"audio", "video", "data"}
	trackSources = []string{"unknown", "camera", "microphone", "screen_share", "screen_share_audio"}
)

// enum reads an enum's name or number. A number without a name stays a number.
func (r *reading) enum(names []string) string {
	var text string
	switch r.dec.PeekKind() {
	case '"', '0':
		text = clip(printable(r.token().String()), maxWord)
	case 'n':
		r.skip()
		return ""
	default:
		r.ignore("not a name or number")
		r.skip()
		return ""
	}
	number, err := strconv.Atoi(text)
	if err != nil {
		return text
	}
	if number >= 0 && number < len(names) && names[number] != "" {
		return names[number]
	}
	r.note("unknown " + r.path() + " " + text)
	return text
}

// oneOf reads an enum of which only the given words, in lower case, can be shown.
func (r *reading) oneOf(words []string) string {
	before := r.oddities
	word := strings.ToLower(r.enum(words))
	if slices.Contains(words, word) {
		return word
	}
	if word != "" && r.oddities == before {
		r.note("unknown " + r.path() + " " + quoted(word))
	}
	return ""
}

// unless is word, or nothing if word is only a way to say nothing.
func unless(nothing, word string) string {
	if word == nothing {
		return ""
	}
	return word
}
