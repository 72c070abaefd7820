package views

import (
	"cmp"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// noTimeline is why a session has no timeline.
var noTimeline = map[string]string{
	"after":  "There is no timeline: nothing is known of this session but what came after it.",
	"nobody": "The timeline begins when somebody comes.",
	"begin":  "There is no timeline: it is not known when this session began.",
}

// shortWords are for places where reasons have little room.
var shortWords = map[string]string{
	"connection timed out":      "timed out",
	"connection broke off":      "broke off",
	"joined again elsewhere":    "joined again",
	"moved to another server":   "moved",
	"lost step with the server": "lost step",
}

func shortWord(word string) string { return cmp.Or(shortWords[word], word) }

// verdictSigns are what became of a delivery.
var verdictSigns = map[room.Verdict]sign{
	room.Accepted:   {"disc", "accepted", ""},
	room.Late:       {"half", "late", "late"},
	room.Unknown:    {"dashed", "unknown kind", "late"},
	room.Duplicate:  {"sheets", "duplicate", ""},
	room.Refused:    {"crossed", "refused", "failed"},
	room.Unreadable: {"diamond", "unreadable", "failed"},
}

func verdictSign(v room.Verdict) sign {
	if s, ok := verdictSigns[v]; ok {
		return s
	}
	return sign{"dashed", string(v), ""}
}

// signOfDelivery is what became of a delivery or, of an entry of our own, whose it is.
func signOfDelivery(d room.Delivery) sign {
	if d.Said != nil && d.Said.Kind.Own() {
		return ownSign(d.Said.Kind)
	}
	return verdictSign(d.Verdict)
}

// ownSign is whose an entry of our own is, where a delivery has its verdict.
func ownSign(k room.Kind) sign {
	switch k {
	case room.KindJanitor:
		return sign{"dashed", "janitor", "late"}
	case room.KindGap:
		return sign{"triangle", "gap", "late"}
	case room.KindAsked:
		return sign{"ring", "operator", ""}
	case room.KindClocks:
		return sign{"ring", "clocks", ""}
	}
	return sign{"ring", "from API", ""}
}

// verdictBadgeClass: where a verdict is a badge, a refusal is the solid one.
func verdictBadgeClass(v room.Verdict) string {
	return cmp.Or(map[string]string{"failed": "bad", "late": "warn"}[verdictSign(v).class], "quiet")
}

// roomGlyph is the shape of a room's state.
func roomGlyph(h room.Head) string {
	switch h.State {
	case room.StateLive:
		return "disc"
	case room.StateCreated:
		return "ring"
	}
	return "square"
}

// lagWord is how long after an event its delivery came, "" when that is not known.
func lagWord(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	switch s := d.Seconds(); {
	case ms == 0:
		return ""
	case d >= time.Hour || d <= -time.Hour:
		return minus(d) + length(d.Abs())
	case s > -10 && s < 10:
		return minus(d) + strconv.FormatFloat(d.Abs().Seconds(), 'f', 1, 64) + " s"
	default:
		return minus(d) + strconv.FormatFloat(d.Abs().Seconds(), 'f', 0, 64) + " s"
	}
}

func minus(d time.Duration) string {
	if d < 0 {
		return "−"
	}
	return ""
}

// told is what a delivery says: of whom, and what. It is the reader's account, not the wire's.
type told struct{ who, what string }

// saidWords are what somebody did, after the name: a colon sets off what is no verb.
func saidWords(what string) string {
	if strings.HasPrefix(what, "joined") || strings.HasPrefix(what, "left") {
		return " " + what
	}
	return ": " + what
}

// toldKinds are the events that need no more than a sentence.
var toldKinds = map[room.Kind]string{
	room.KindRoomCreated:        "room created",
	room.KindRoomStarted:        "room started",
	room.KindRoomFinished:       "room finished",
	room.KindSessionEnded:       "session ended",
	room.KindStreamStarted:      "stream started",
	room.KindStreamEnded:        "stream ended",
	room.KindRecordingStarted:   "recording started",
	room.KindRecordingEnded:     "recording ended",
	room.KindAnalyticsProceeded: "analytics file is ready",
	room.KindSpeechStarted:      "speech to text started",
	room.KindSpeechEnded:        "speech to text ended",
}

// tellOf says an event in words. Track events name their participants by identity only: names knows more.
func tellOf(e *room.Event, names map[string]string) told {
	if e == nil {
		return told{}
	}
	t := told{who: whose(e.Participant, names), what: toldKinds[e.Kind]}
	if e.Kind.Own() {
		return told{what: ownTold(e)}
	}
	switch e.Kind {
	case room.KindParticipantJoined:
		t.what = "joined"
	case room.KindParticipantLeft:
		t.what = leftWords(e.Participant)
	case room.KindTrackPublished:
		t.what = trackTold(e.Track, " on", "shared")
	case room.KindTrackUnpublished:
		t.what = trackTold(e.Track, " off", "share stopped")
	case room.KindRecordingTranscoded:
		t.what = "recording transcoded" + jobTold(e.Job)
	case room.KindRecordingStarted, room.KindRecordingEnded, room.KindStreamStarted, room.KindStreamEnded:
		t.what += jobTold(e.Job)
	case room.KindRecordingProceeded:
		t.what = "recording file is ready" + fileTold(e.Job)
	case room.KindArtifactCreated:
		t.what = artifactTold(e.Artifact)
	case room.KindSpeechUsage:
		t.what = "speech to text usage" + speechTold(e.Speech)
	case room.KindOther:
		t.what = "an event that Roomwatch does not know"
	}
	return t
}

// ownTold is what an entry of our own says.
func ownTold(e *room.Event) string {
	switch {
	case e.Corrected != nil:
		return e.Corrected.Text()
	case e.Poll != nil:
		return pollTold(e.Poll)
	case e.Gap != nil:
		return e.Gap.Why
	case e.Clocks != nil:
		return live.ClockState{Skew: e.Clocks.Skew, PlugNmeet: e.Clocks.PlugNmeet}.Words()
	case e.Kind == room.KindAbsent:
		return "no longer listed by plugNmeet’s API"
	}
	return "listed by plugNmeet’s API, as it is now"
}

func pollTold(p *room.PollSaid) string {
	switch {
	case p.Failing != "":
		return "plugNmeet could not be asked: " + p.Failing
	case p.Sessions > 0:
		return fmt.Sprintf("%s listed with %s; %s put right", plural(p.Rooms, "room", "rooms"), plural(p.People, "participant", "participants"), plural(p.Sessions, "session", "sessions"))
	}
	return fmt.Sprintf("%s listed with %s, as known", plural(p.Rooms, "room", "rooms"), plural(p.People, "participant", "participants"))
}

func whose(p *room.ParticipantSaid, names map[string]string) string {
	if p == nil {
		return ""
	}
	return cut(cmp.Or(p.Name, names[p.Identity], p.Identity, "somebody"), nameLength)
}

func leftWords(p *room.ParticipantSaid) string {
	if p == nil {
		return "left"
	}
	if word := reasonSign(p.Reason).word; !strings.HasPrefix(word, "left") {
		return "left: " + word
	}
	return "left"
}

// trackTold: of a screen, the verbs are its own.
func trackTold(t *room.TrackSaid, did, screenDid string) string {
	if t == nil {
		return "track" + did
	}
	if t.Source == "screen_share" {
		return "screen " + screenDid
	}
	word := cmp.Or(sourceWords[t.Source], strings.TrimSpace(t.Media+" track")) + did
	if t.Muted != nil && *t.Muted && did == " on" {
		word += ", muted"
	}
	return word
}

// jobTold is where a job ran and what its recorder said, if that is worth saying.
func jobTold(j *room.JobSaid) (out string) {
	if j == nil {
		return ""
	}
	if j.RecorderID != "" {
		out = " on " + cut(j.RecorderID, 60)
	}
	if j.Message != "" && j.Message != "success" {
		out += ": “" + cut(j.Message, 300) + "”"
	}
	return out
}

func fileTold(j *room.JobSaid) (out string) {
	if j == nil || j.FilePath == "" {
		return ""
	}
	out = ": " + cut(path.Base(j.FilePath), nameLength)
	if j.SizeBytes > 0 {
		out += ", " + bytesOf(j.SizeBytes)
	}
	return out
}

func artifactTold(a *room.ArtifactSaid) string {
	if a == nil {
		return "artifact"
	}
	out := "artifact: " + cut(artifactSign(cmp.Or(a.Type, "UNKNOWN_ARTIFACT")).word, nameLength)
	if a.Usage != nil {
		out += ", " + amount(a.Usage)
	}
	if a.File != nil {
		out += ", " + bytesOf(a.File.SizeBytes)
	}
	return out
}

func speechTold(s *room.SpeechSaid) string {
	if s == nil || s.Seconds == 0 {
		return ""
	}
	return ": " + seconds(s.Seconds)
}

// inSentence is a word in the middle of a sentence: an abbreviation keeps its capitals.
func inSentence(word string) string {
	first, n := utf8.DecodeRuneInString(word)
	second, _ := utf8.DecodeRuneInString(word[n:])
	if unicode.IsUpper(second) {
		return word
	}
	return string(unicode.ToLower(first)) + word[n:]
}
