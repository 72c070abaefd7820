package simulate

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

type artifactPart struct {
	Type       string               `json:"type"`
	ArtifactID string               `json:"artifact_id"`
	Metadata   artifactMetadataPart `json:"metadata"`
}

type artifactMetadataPart struct {
	ProviderJobInfo     *providerPart   `json:"provider_job_info,omitzero"`
	FileInfo            *filePart       `json:"file_info,omitzero"`
	TokenUsage          *tokensPart     `json:"token_usage,omitzero"`
	DurationUsage       *durationPart   `json:"duration_usage,omitzero"`
	CharacterCountUsage *charactersPart `json:"character_count_usage,omitzero"`
	ReferenceArtifactID string          `json:"reference_artifact_id,omitzero"`
}

type providerPart struct {
	JobID    string `json:"job_id"`
	FileName string `json:"file_name"`
}

type filePart struct {
	FilePath string `json:"file_path"`
	FileSize string `json:"file_size"` // bytes
	MimeType string `json:"mime_type"`
}

type tokensPart struct {
	PromptTokens                  int64             `json:"prompt_tokens,omitzero"`
	CompletionTokens              int64             `json:"completion_tokens,omitzero"`
	TotalTokens                   int64             `json:"total_tokens,omitzero"`
	Breakdown                     map[string]string `json:"breakdown,omitzero"`
	PromptTokensEstimatedCost     float64           `json:"prompt_tokens_estimated_cost"`
	CompletionTokensEstimatedCost float64           `json:"completion_tokens_estimated_cost"`
	TotalTokensEstimatedCost      float64           `json:"total_tokens_estimated_cost"`
}

type durationPart struct {
	DurationSec              int64             `json:"duration_sec,omitzero"`
	Breakdown                map[string]string `json:"breakdown,omitzero"`
	DurationSecEstimatedCost float64           `json:"duration_sec_estimated_cost"`
}

type charactersPart struct {
	TotalCharacters              int64             `json:"total_characters,omitzero"`
	Breakdown                    map[string]string `json:"breakdown,omitzero"`
	TotalCharactersEstimatedCost float64           `json:"total_characters_estimated_cost"`
}

// account makes the artifacts of a session that ended: usage at once, analytics after a clean-up, a summary
// when the provider has made it (contract 2.5).
func (s *session) account() {
	l := s.life
	l.after(l.dice.between(500*time.Millisecond, 4*time.Second), s.accountServices)
	if s.meta.Analytics && !s.started.IsZero() {
		l.after(50*time.Second, s.analyze)
	}
	if s.meta.Summarizing {
		l.after(l.dice.between(5*time.Minute, 40*time.Minute), s.summary)
	}
}

// accountServices is in plugNmeet's order.
func (s *session) accountServices() {
	m := s.meta
	if m.Transcribing {
		transcript := s.file("SPEECH_TRANSCRIPTION", "transcription_", ".vtt", "text/vtt", nil)
		s.usage("SPEECH_TRANSCRIPTION_USAGE", "seconds", "", 60, 0.00028, transcript)
	}
	if m.ChatTranslation {
		s.usage("CHAT_TRANSLATION_USAGE", "characters", "", 90, 0.00001, "")
	}
	if m.Language != "" {
		s.usage("SYNTHESIZED_SPEECH_USAGE", "characters", m.Language, 700, 0.000016, "")
	}
	if m.AIChat {
		s.tokens("AI_TEXT_CHAT_INTERACTION_USAGE", "chat")
		s.tokens("AI_TEXT_CHAT_SUMMARIZATION_USAGE", "summarize")
	}
}

// analyze comes too late if the room_id is in use again. What follows the artifact is easily lost.
func (s *session) analyze() {
	if s.place != nil && s.place.last != s {
		return
	}
	id := s.file("MEETING_ANALYTICS", "analytics-", ".json", "application/json", nil)
	if s.life.dice.chance(0.3) {
		return
	}
	s.analytics = append(s.analytics, room.Analytics{FileID: id, CreatedAt: s.life.now})
	s.tell(body{Event: "analytics_proceeded", Room: s.bare(), Analytics: &analyticsPart{id}})
}

func (s *session) summary() {
	d := s.life.dice
	job := &providerPart{"batches/" + d.livekitID("", 20), "files/" + d.livekitID("", 12)}
	id := s.file("MEETING_SUMMARY", "summary_", ".txt", "text/plain", job)
	prompt, completion := 2000+d.Int64N(60_000), 100+d.Int64N(1200)
	s.produce(room.Artifact{Type: "MEETING_SUMMARY_USAGE", Usage: tokenUsage(prompt, completion, nil), Reference: id}, job)
}

// file makes an artifact that is a file and returns its id.
func (s *session) file(kind, prefix, suffix, mime string, job *providerPart) string {
	l := s.life
	path := fmt.Sprintf("%s/%s/%s%s-%s%s", strings.ToLower(kind), s.roomID, prefix, s.sid, milliseconds(l.now), suffix)
	size := 400 + l.dice.Int64N(60_000)
	return s.produce(room.Artifact{Type: kind, File: &room.ArtifactFile{Path: path, SizeBytes: size, MimeType: mime}}, job)
}

// usage is what speech and translation cost: up to most of the unit a person.
func (s *session) usage(kind, unit, language string, most int64, price float64, reference string) {
	u := &room.ArtifactUsage{Unit: unit, Breakdown: make(map[string]int64)}
	for _, identity := range s.speakers() {
		n := 1 + s.life.dice.Int64N(most)
		u.Total += n
		u.Breakdown[identity] = n
	}
	u.Breakdown["total_usage"] = u.Total
	if language != "" {
		u.Breakdown["lang:"+language] = u.Total
	}
	if s.life.dice.chance(0.8) { // else the operator has told plugNmeet no price
		u.EstimatedCost = micro(float64(u.Total) * price)
	}
	s.produce(room.Artifact{Type: kind, Usage: u, Reference: reference}, nil)
}

func (s *session) tokens(kind, task string) {
	d := s.life.dice
	breakdown := make(map[string]int64)
	var prompt, completion int64
	for _, identity := range s.speakers() {
		p, c := 50+d.Int64N(2000), 20+d.Int64N(600)
		prompt, completion = prompt+p, completion+c
		user := identity + ":" + task
		breakdown[user+":prompt"], breakdown[user+":completion"], breakdown[user+":total"] = p, c, p+c
	}
	total := "total_" + task
	breakdown[total+"_prompt_tokens"], breakdown[total+"_completion_tokens"], breakdown[total+"_tokens"] = prompt, completion, prompt+completion
	s.produce(room.Artifact{Type: kind, Usage: tokenUsage(prompt, completion, breakdown)}, nil)
}

// The prices of a million tokens.
const promptPrice, completionPrice = 0.35, 0.7

func tokenUsage(prompt, completion int64, breakdown map[string]int64) *room.ArtifactUsage {
	return &room.ArtifactUsage{
		Unit: "tokens", Total: prompt + completion, Prompt: prompt, Completion: completion, Breakdown: breakdown,
		EstimatedCost: micro(tokenCost(prompt, promptPrice) + tokenCost(completion, completionPrice)),
	}
}

func tokenCost(n int64, price float64) float64 { return micro(float64(n) / 1e6 * price) }

// micro rounds a cost as plugNmeet does.
func micro(cost float64) float64 { return math.Round(cost*1e6) / 1e6 }

// speakers are the first people who were there.
func (s *session) speakers() (identities []string) {
	seen := make(map[string]bool)
	for _, c := range s.connections {
		if c.who.role == "person" && !seen[c.who.identity] && len(identities) < 5 {
			seen[c.who.identity] = true
			identities = append(identities, c.who.identity)
		}
	}
	return identities
}

// produce gives the artifact an id and tells of it.
func (s *session) produce(a room.Artifact, job *providerPart) string {
	a.ArtifactID, a.CreatedAt = s.life.dice.uuid(), s.life.now
	s.artifacts = append(s.artifacts, a)
	part := artifactPart{Type: a.Type, ArtifactID: a.ArtifactID, Metadata: artifactMetadataPart{ProviderJobInfo: job, ReferenceArtifactID: a.Reference}}
	part.Metadata.describe(a)
	s.tell(body{Event: "artifact_created", Room: s.bare(), RoomArtifact: &part})
	return a.ArtifactID
}

func (m *artifactMetadataPart) describe(a room.Artifact) {
	if f := a.File; f != nil {
		m.FileInfo = &filePart{f.Path, strconv.FormatInt(f.SizeBytes, 10), f.MimeType}
		return
	}
	u := a.Usage
	breakdown := texts(u.Breakdown)
	switch u.Unit {
	case "seconds":
		m.DurationUsage = &durationPart{u.Total, breakdown, u.EstimatedCost}
	case "characters":
		m.CharacterCountUsage = &charactersPart{u.Total, breakdown, u.EstimatedCost}
	default:
		m.TokenUsage = &tokensPart{u.Prompt, u.Completion, u.Total, breakdown,
			tokenCost(u.Prompt, promptPrice), tokenCost(u.Completion, completionPrice), u.EstimatedCost}
	}
}

func texts(counts map[string]int64) map[string]string {
	if counts == nil {
		return nil
	}
	texts := make(map[string]string, len(counts))
	for name, n := range counts {
		texts[name] = strconv.FormatInt(n, 10)
	}
	return texts
}
