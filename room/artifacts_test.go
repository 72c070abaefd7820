package room_test

import (
	"testing"

	"github.com/roomwatch/roomwatch/room"
)

func TestAUsageIsOfAUserUnlessItIsKnownToBeATotal(t *testing.T) {
	for _, c := range []struct{ artifact, key, user, rest string }{
		{"SPEECH_TRANSCRIPTION_USAGE", "total_usage", "", "total_usage"},
		{"SPEECH_TRANSCRIPTION_USAGE", "u-1", "u-1", ""},
		{"SPEECH_TRANSCRIPTION_USAGE", "lang:es", "lang:es", ""}, // languages are told of synthesized speech only
		{"SYNTHESIZED_SPEECH_USAGE", "lang:es-419", "", "lang:es-419"},
		{"SYNTHESIZED_SPEECH_USAGE", "lang:ana díaz", "lang:ana díaz", ""},
		{"AI_TEXT_CHAT_INTERACTION_USAGE", "total_chat_prompt_tokens", "", "total_chat_prompt_tokens"},
		{"AI_TEXT_CHAT_INTERACTION_USAGE", "total_summarize_tokens", "", "total_summarize_tokens"},
		{"AI_TEXT_CHAT_INTERACTION_USAGE", "total_ana_tokens", "total_ana_tokens", ""},
		{"AI_TEXT_CHAT_INTERACTION_USAGE", "a:b:chat:completion", "a:b", ":chat:completion"},
		{"AI_TEXT_CHAT_INTERACTION_USAGE", "u-1:translate:total", "u-1:translate:total", ""},
	} {
		if user, rest := room.UsageBy(c.artifact, c.key); user != c.user || rest != c.rest {
			t.Errorf("%s %s is of %q, then %q", c.artifact, c.key, user, rest)
		}
	}
}
