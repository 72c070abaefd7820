package views

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/roomwatch/roomwatch/room"
)

// place is an entry of the navigation.
type place struct{ nav, path, word, icon string }

var places = [...]place{
	{"overview", "/", "Overview", "overview"},
	{"sessions", "/sessions", "Sessions", "sessions"},
	{"recordings", "/recordings", "Recordings", "recordings"},
	{"artifacts", "/artifacts", "Artifacts", "artifacts"},
	{"intake", "/intake", "Intake", "intake"},
}

// noun is what a list lists.
type noun struct{ one, many string }

var (
	sessionNoun   = noun{"session", "sessions"}
	recordingNoun = noun{"recording", "recordings"}
	artifactNoun  = noun{"artifact", "artifacts"}
	deliveryNoun  = noun{"delivery", "deliveries"}
)

// many is a number of matches in words: beyond room.MaxCount nobody has counted.
func many(n int, what noun) string {
	if n > room.MaxCount {
		return "more than " + comma(room.MaxCount) + " " + what.many
	}
	return plural(n, what.one, what.many)
}

// exportWord says how much the links beside it export.
func exportWord(n int) string {
	switch {
	case n == 0:
		return "Nothing to export"
	case n > room.MaxCount:
		return "Export all that match"
	case n == 1:
		return "Export this one"
	}
	return "Export these " + comma(n)
}

// dayWord is a day (UTC), with its year when that is not the page's.
func dayWord(day, now time.Time) string {
	if day.Year() != now.UTC().Year() {
		return day.Format("Monday 2 January 2006")
	}
	return day.Format("Monday 2 January")
}

// endSign is on whose word a session ended, in a word or two.
func endSign(h room.Head) sign {
	switch h.EndedBy {
	case room.ByWebhook:
		return sign{"disc", "webhook", ""}
	case room.ByReconcile:
		return sign{"ring", "API, absent", ""}
	case room.BySuccessor:
		return sign{"square", "next session", ""}
	case room.ByJanitor:
		return sign{"dashed", "janitor", "late"}
	case "":
		return sign{"dashed", "not told", ""}
	}
	return sign{"dashed", string(h.EndedBy), ""}
}

// recordedWords are what a session's row says of its recordings, where REC is a badge.
var recordedSigns = map[string]sign{
	room.RecordingProcessing: {"half", "processing", ""},
	room.RecordingReady:      {"ticked", "ready", "good"},
	room.RecordingFailed:     {"crossed", "failed", "failed"},
}

// recordingAction is a state box: its word, and what its figure is of.
var stateBoxes = [...]struct {
	state string
	sign
	note string
}{
	{room.RecordingActive, sign{"rec", "Recording", "rec"}, "now"},
	{room.RecordingProcessing, sign{"half", "Processing", "quiet"}, "now"},
	{room.RecordingReady, sign{"ticked", "Ready", "good"}, "in 24 hours"},
	{room.RecordingFailed, sign{"crossed", "Failed", "failed"}, "in 24 hours"},
}

var overdueSign = sign{"triangle", "Overdue", "warn"}

// artifactKinds are the nine kinds that plugNmeet makes, files first.
var artifactKinds = [...]string{
	"MEETING_SUMMARY", "SPEECH_TRANSCRIPTION", "MEETING_ANALYTICS", "MEETING_SUMMARY_USAGE", "SPEECH_TRANSCRIPTION_USAGE",
	"SYNTHESIZED_SPEECH_USAGE", "CHAT_TRANSLATION_USAGE", "AI_TEXT_CHAT_INTERACTION_USAGE", "AI_TEXT_CHAT_SUMMARIZATION_USAGE",
}

// verdictCounters are the figures of the intake page, with the sign of each verdict.
var verdictCounters = [...]struct {
	verdict room.Verdict
	sign
}{
	{room.Accepted, sign{"disc", "Accepted", ""}},
	{room.Duplicate, sign{"sheets", "Duplicate", ""}},
	{room.Late, sign{"half", "Late", "late"}},
	{room.Refused, sign{"crossed", "Refused", "failed"}},
	{room.Unreadable, sign{"diamond", "Unreadable", "failed"}},
	{room.Unknown, sign{"dashed", "Unknown kind", "late"}},
}

// money is a sum of estimates. plugNmeet knows no currency, and a 0 says that no price was set.
func money(c float64) string {
	if math.Abs(c) < 100 {
		return cost(c)
	}
	return humanize.FormatFloat("#,###.##", c)
}

// sum is a day's or a room's cost, to the hundredth where that says enough.
func sum(c float64) string {
	if math.Abs(c) < 0.01 {
		return cost(c)
	}
	return humanize.FormatFloat("#,###.##", c)
}

// advice is what a refusal means and what to do about it, by plugnmeet's code of the reason.
var advice = map[string]string{
	"unknown_key": "They are signed with an API key that no source here has. Give Roomwatch the key and the secret of the plugNmeet that sends them; SIGHUP reads the settings again.",
	"signature":   "The API key is known, but its secret is another one here. Compare it with client.secret in plugNmeet’s config; while it is being changed, a source may have both.",
	"expired":     "A token lives five minutes, and a minute more is forgiven. The clock of that plugNmeet is behind or ours is ahead: set both by NTP. A proxy that keeps requests back does the same.",
	"not_yet":     "The token is good only later than now: the clock of that plugNmeet is ahead or ours is behind. Set both by NTP.",
	"far_expiry":  "plugNmeet’s tokens live five minutes, these for more than a day. Something else signs with your secret: find it, and change the secret if it is not yours.",
	"body_hash":   "The signature is good, but the body is not the one that was signed. A proxy on the way rewrites it: let bodies of /webhook pass as they are.",
	"no_token":    "Neither Authorization nor Hash-Token came with them. A proxy removes both headers, or something else than plugNmeet posts to this address.",
	"two_tokens":  "The two headers that carry the token do not agree. A proxy sets a token of its own: let both headers of /webhook pass as they are.",
	"proxy_login": "A proxy puts a login of its own into Authorization, and Hash-Token did not come with them. Let both headers of /webhook pass as they are, and ask for no login there.",
	"no_hash":     "These are tokens that people join with, not a webhook’s. Something posts to this address that should not.",
	"no_expiry":   "plugNmeet’s tokens always expire, these never. Something else signs with your secret: find it, and change the secret if it is not yours.",
	"malformed":   "What they carry is no token of plugNmeet’s. Something else posts to this address, or a proxy cuts headers short.",
	"alg":         "plugNmeet signs with HS256 only, these are signed in another way. Something else posts to this address.",
	"crit":        "plugNmeet’s tokens make no such demand. Something else posts to this address.",
	"oversized":   "plugNmeet’s tokens have less than 1 kB and its deliveries less than 1 MiB. Something else posts to this address.",
	"unreadable":  "They are authentic, but not written as plugNmeet writes. It may be newer than this Roomwatch: look for a new version of it.",
}

// refusalWords name the reasons in the order's first words, where the newest one's own words follow.
var refusalWords = map[string]string{
	"unknown_key": "unknown API key", "signature": "wrong secret", "expired": "expired", "not_yet": "not valid yet",
	"far_expiry": "valid for too long", "body_hash": "changed on the way", "no_token": "no token", "two_tokens": "two tokens", "proxy_login": "a login of a proxy’s",
	"no_hash": "a join token", "no_expiry": "never expires", "malformed": "no token of plugNmeet’s", "alg": "signed in another way",
	"crit": "an unknown demand", "oversized": "too large", "unreadable": "not readable",
}

func adviceFor(code string) string {
	return cmp.Or(advice[code], "The reason is in their own words; the deliveries below tell more.")
}

func refusalWord(code string) string {
	return cmp.Or(refusalWords[code], strings.ReplaceAll(code, "_", " "), "refused")
}

// usageNote is what an artifact's row says of what it is.
func usageNote(a room.FiledArtifact) string {
	switch u := a.Usage; {
	case a.File != nil:
		return cut(a.File.MimeType, 60)
	case u == nil:
		return ""
	case u.Prompt > 0 || u.Completion > 0:
		return fmt.Sprintf("%s in, %s out", humanize.Comma(u.Prompt), humanize.Comma(u.Completion))
	}
	return ""
}

// figure is a usage record's or a file's amount.
func figure(a room.FiledArtifact) string {
	switch {
	case a.File != nil:
		return bytesOf(a.File.SizeBytes)
	case a.Usage != nil:
		return amount(a.Usage)
	}
	return ""
}

// exactly is a size in bytes, for those who point at it.
func exactly(size int64) string { return plural(int(size), "byte", "bytes") }

// perMinute is a rate as people read it.
func perMinute(n, minutes int) string {
	switch rate := float64(n) / float64(minutes); {
	case n == 0:
		return "0 / min"
	case rate < 10:
		return humanize.FtoaWithDigits(rate, 1) + " / min"
	default:
		return comma(int(math.Round(rate))) + " / min"
	}
}

// webhookConfig is the beginning of plugNmeet's setting, up to the address.
const webhookConfig = `client:
  webhook_conf:
    enable: true
    url: "`

// reachCommand prints the status that an address answers with.
const reachCommand = `curl -sS -o /dev/null -w '%{http_code}\n' `

// days is how long something is kept, in whole days or, when there is a part of one, in hours.
func days(d time.Duration) string {
	const day = 24 * time.Hour
	if d%day != 0 {
		return plural(int(d.Hours()), "hour", "hours")
	}
	return plural(int(d/day), "day", "days")
}

func keptBodies(d time.Duration) string {
	if d == 0 {
		return "secrets are never stored"
	}
	return "bodies are kept " + days(d) + ", secrets are never stored"
}
