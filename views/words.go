package views

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// The words for what the record names by constants, in one place. A constant that is not here is shown
// as it came: an unknown word is better than a wrong one.

var kindWords = map[string]string{
	"person": "person", "recorder": "recorder", "rtmp": "stream", "agent": "agent", "translator": "translator", "ingress": "ingress",
	"sip": "phone caller",
}

var sourceWords = map[string]string{
	"camera": "camera", "microphone": "mic", "screen_share": "screen", "screen_share_audio": "screen sound",
}

var sourceIcons = map[string]string{
	"camera": "camera", "microphone": "mic", "screen_share": "screen", "screen_share_audio": "sound",
}

// sign is a shape, a word and a colour: a state is never told by one of them alone.
type sign struct{ glyph, word, class string }

// reasonSigns are LiveKit's reasons for a disconnection.
var reasonSigns = map[string]sign{
	"":                    {"square", "left", ""},
	"UNKNOWN_REASON":      {"square", "left", ""},
	"CLIENT_INITIATED":    {"square", "left", ""},
	"ROOM_DELETED":        {"square", "room ended", ""},
	"ROOM_CLOSED":         {"square", "room ended", ""},
	"MIGRATION":           {"square", "moved to another server", ""},
	"DUPLICATE_IDENTITY":  {"sheets", "joined again elsewhere", ""},
	"CONNECTION_TIMEOUT":  {"triangle", "connection timed out", "late"},
	"SIGNAL_CLOSE":        {"triangle", "connection broke off", "late"},
	"SERVER_SHUTDOWN":     {"triangle", "server shut down", "late"},
	"STATE_MISMATCH":      {"triangle", "lost step with the server", "late"},
	"JOIN_FAILURE":        {"triangle", "never got in", "late"},
	"MEDIA_FAILURE":       {"triangle", "media failed", "late"},
	"USER_UNAVAILABLE":    {"square", "did not answer", ""},
	"USER_REJECTED":       {"square", "declined the call", ""},
	"SIP_TRUNK_FAILURE":   {"crossed", "phone trunk failed", "failed"},
	"AGENT_ERROR":         {"crossed", "agent failed", "failed"},
	"PARTICIPANT_REMOVED": {"crossed", "removed", "failed"},
}

func reasonSign(reason string) sign {
	if s, ok := reasonSigns[reason]; ok {
		return s
	}
	return sign{"square", "left, " + reason, ""}
}

// leaving is why a connection ended. Who is only known to have left because the session ended stayed to the end.
func leaving(c room.Connection, end time.Time) sign {
	if c.Superseded {
		return sign{"sheets", "connected again", ""}
	}
	if c.Reason == "" && !end.IsZero() && !c.LeftAt.Before(end) {
		return sign{"square", "stayed to the end", ""}
	}
	return reasonSign(c.Reason)
}

var recordingSigns = map[string]sign{
	room.RecordingActive:     {"rec", "REC", "rec"},
	room.RecordingProcessing: {"half", "Processing", "quiet"},
	room.RecordingReady:      {"ticked", "Ready", "good"},
	room.RecordingFailed:     {"crossed", "Failed", "bad"},
}

var streamSigns = map[string]sign{
	room.StreamLive:   {"waves", "LIVE", "live"},
	room.StreamEnded:  {"square", "Ended", "quiet"},
	room.StreamFailed: {"crossed", "Failed", "bad"},
}

func signOf(signs map[string]sign, state string) sign {
	if s, ok := signs[state]; ok {
		return s
	}
	return sign{"dashed", state, "quiet"}
}

var artifactSigns = map[string]sign{
	"MEETING_ANALYTICS":                {"chart", "Analytics", ""},
	"MEETING_SUMMARY":                  {"file", "Summary", ""},
	"MEETING_SUMMARY_USAGE":            {"coins", "Summary usage", ""},
	"SPEECH_TRANSCRIPTION":             {"captions", "Transcript", ""},
	"SPEECH_TRANSCRIPTION_USAGE":       {"timer", "Transcription usage", ""},
	"SYNTHESIZED_SPEECH_USAGE":         {"speech", "Synthesized speech usage", ""},
	"CHAT_TRANSLATION_USAGE":           {"languages", "Chat translation usage", ""},
	"AI_TEXT_CHAT_INTERACTION_USAGE":   {"chat", "AI chat usage", ""},
	"AI_TEXT_CHAT_SUMMARIZATION_USAGE": {"chat", "AI chat summary usage", ""},
	"UNKNOWN_ARTIFACT":                 {"diamond", "Artifact of unknown kind", ""},
}

func artifactSign(kind string) sign {
	if s, ok := artifactSigns[kind]; ok {
		return s
	}
	return sign{"diamond", kind, ""}
}

// knownSign is on whose word a session is shown, in two words.
func knownSign(h room.Head) sign {
	switch {
	case h.Trust == room.TrustDisputed:
		return sign{"dashed", "disputed", "late"}
	case h.Trust == room.TrustUnverified:
		return sign{"dashed", "unverified", "late"}
	case h.KnownBy == "api":
		return sign{"ring", "API only", ""}
	case h.State == room.StateEnded:
		return sign{"disc", h.KnownBy, ""}
	case h.Trust == room.TrustConfirmed:
		return sign{"disc", "confirmed", ""}
	}
	return sign{"disc", "webhook only", ""}
}

// doubted begins a line about a session of which nobody is sure, with why.
func doubted(h room.Head) string {
	if h.Trust == room.TrustDisputed || h.Trust == room.TrustUnverified {
		return knownSign(h).word + ", "
	}
	return ""
}

// trustSign is how far a session has been checked, beside when it was.
func trustSign(h room.Head) sign {
	switch h.Trust {
	case room.TrustDisputed:
		return sign{"dashed", "disputed by API, confirmed", "late"}
	case room.TrustUnverified:
		if h.VerifiedAt.IsZero() {
			return sign{"dashed", "unverified", "late"}
		}
		return sign{"dashed", "unverified, confirmed", "late"}
	case room.TrustConfirmed:
		return sign{"ring", "confirmed by API", ""}
	}
	return sign{"dashed", "not confirmed", ""}
}

func knownSentence(h room.Head) string {
	if h.KnownBy == "api" {
		return "Found by asking plugNmeet’s API; no webhook has told of it."
	}
	return "Told by plugNmeet’s webhooks."
}

func trustSentence(t room.Trust) string {
	switch t {
	case room.TrustConfirmed:
		return "plugNmeet’s API has confirmed it."
	case room.TrustDisputed:
		return "plugNmeet’s API says otherwise; it stays until more polls agree."
	case room.TrustUnverified:
		return "Nothing was heard of it for long: no delivery, and no answer of plugNmeet’s API."
	case room.TrustUnconfirmed:
		return "plugNmeet’s API is not configured or has not listed it yet, so nothing has confirmed it."
	}
	return string(t)
}

// endedSentence says on whose word a session ended, "" when plugNmeet said it itself.
func endedSentence(by room.Evidence) string {
	switch by {
	case room.ByReconcile:
		return "no longer listed by plugNmeet’s API"
	case room.BySuccessor:
		return "the room’s next session began"
	case room.ByJanitor:
		return "nothing was heard of it for too long"
	}
	return ""
}

// account is how a session is known, in sentences.
func account(h room.Head) string {
	out := knownSentence(h) + " " + trustSentence(h.Trust)
	if by := endedSentence(h.EndedBy); by != "" {
		out += " It is taken for ended: " + by + "."
	}
	if h.Capped {
		out += " More was said of this session than is kept."
	}
	return out
}

func sourceSign(s live.SourceState) sign {
	if s.LastDeliveryAt.IsZero() {
		return sign{"dashed", "nothing received yet", "late"}
	}
	return sign{"disc", "last delivery", "good"}
}

// apiSign is how plugNmeet's API is heard, beside when it last confirmed the rooms.
func apiSign(s live.SourceState) sign {
	switch s.API {
	case live.APIFailing:
		if s.ReconciledAt.IsZero() {
			return sign{"triangle", "API does not answer", "late"}
		}
		return sign{"triangle", "API does not answer, rooms confirmed", "late"}
	case live.APIWaiting:
		return sign{"dashed", "API not asked yet", ""}
	case live.APIAnswering:
		return sign{"ring", "rooms confirmed by API", ""}
	}
	return sign{"dashed", "no API to confirm rooms", ""}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return humanize.Comma(int64(n)) + " " + many
}

// ordinal is the word for the nth time somebody came.
func ordinal(n int) string { return humanize.Ordinal(n) + " time" }

func bytesOf(size int64) string { return humanize.Bytes(uint64(max(0, size))) }

// amount is a usage figure with its unit.
func amount(u *room.ArtifactUsage) string {
	switch u.Unit {
	case "seconds":
		return seconds(u.Total)
	case "characters":
		return humanize.Comma(u.Total) + " chars"
	}
	return strings.TrimSpace(humanize.Comma(u.Total) + " " + u.Unit)
}

func seconds(total int64) string {
	if total < 3600 {
		return fmt.Sprintf("%dm %02ds", total/60, total%60)
	}
	return length(time.Duration(min(total, math.MaxInt64/int64(time.Second))) * time.Second)
}

// cost is a plain number: plugNmeet knows no currency, and its 0 says that no price was set.
func cost(c float64) string {
	switch {
	case c == 0:
		return "no price"
	case math.Abs(c) < 0.00005:
		return strconv.FormatFloat(c, 'g', 2, 64)
	}
	return strconv.FormatFloat(c, 'f', 4, 64)
}

// codec is the part of a MIME type that tells something: audio/opus is opus.
func codec(t room.Track) string {
	if _, name, ok := strings.Cut(t.Mime, "/"); ok {
		return name
	}
	return t.Mime
}

// trackNote is what a chip says after its source.
func trackNote(t room.Track) string {
	var parts []string
	if c := codec(t); c != "" {
		parts = append(parts, c)
	}
	if t.Width > 0 && t.Height > 0 {
		parts = append(parts, fmt.Sprintf("%d×%d", t.Width, t.Height))
	}
	note := strings.Join(parts, " ")
	if t.Simulcast {
		note += " · simulcast"
	}
	if t.Encryption != "" {
		note += " · encrypted"
	}
	return note
}

func trackWord(t room.Track) string {
	return cmp.Or(sourceWords[t.Source], t.Media+" track")
}

func trackIcon(t room.Track) string {
	switch icon := sourceIcons[t.Source]; {
	case t.Muted && t.Source == "microphone":
		return "mic-off"
	case icon != "":
		return icon
	case t.Media == "video":
		return "camera"
	}
	return "sound"
}

// endedMore is how long a session lasted and, when plugNmeet did not say that it ended, how it is known.
func endedMore(h room.Head) string {
	lasted := between(running(h), h.EndedAt)
	if lasted != "" {
		lasted += " long"
	}
	by := endedSentence(h.EndedBy)
	switch {
	case lasted == "" && by == "":
		return "known only by what came after"
	case lasted == "" || by == "":
		return lasted + by
	}
	return lasted + ", " + by
}
