package plugnmeet

import (
	"strconv"
	"strings"
)

// The enums of the wire by their numbers, contract 2.5 and 2.7; "" where a number has no name. LiveKit and
// plugNmeet send names; what follows plugNmeet's documents sends numbers. The first is the zero value: the
// wire leaves it out, so that it claims nothing where it is written all the same.
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

// enum reads an enum's name, in any case, or its number, and returns the name as names has it. A value that
// names does not have is returned as it came.
func (r *reading) enum(names []string) string {
	word, _ := r.enumOf(names)
	return word
}

// oneOf reads an enum of which only the given words can be shown.
func (r *reading) oneOf(words []string) string {
	word, known := r.enumOf(words)
	if !known {
		return ""
	}
	return word
}

func (r *reading) enumOf(names []string) (word string, known bool) {
	switch r.dec.PeekKind() {
	case '"', '0':
		word = clip(printable(r.dec.text()), maxWord)
	case 'n':
		r.skip()
	default:
		r.ignore("not a name or number")
		r.skip()
	}
	n := indexOf(names, word)
	switch {
	case word == "" || n == 0:
		return "", true
	case n > 0:
		return names[n], true
	}
	r.unknown(word)
	return word, false
}

// indexOf finds a name or number among names; -1 if it is not there.
func indexOf(names []string, word string) int {
	for n, name := range names {
		if strings.EqualFold(name, word) && name != "" {
			return n
		}
	}
	if n, err := strconv.Atoi(word); err == nil && n >= 0 && n < len(names) && names[n] != "" {
		return n
	}
	return -1
}

// unknown notes a value that a newer plugNmeet or LiveKit may send and we cannot tell what it means.
func (r *reading) unknown(word string) {
	r.partly = true
	r.note("unknown " + r.path() + " " + quoted(word))
}
