package room

import (
	"cmp"
	"regexp"
	"slices"
	"time"
)

// Artifact is a file or a usage figure that plugNmeet made of a session (contract 2.4, 2.5).
type Artifact struct {
	ArtifactID string         `json:"artifact_id"`
	Type       string         `json:"type"`
	CreatedAt  time.Time      `json:"created_at,omitzero"`
	File       *ArtifactFile  `json:"file,omitempty"`
	Usage      *ArtifactUsage `json:"usage,omitempty"`
	Reference  string         `json:"reference_artifact_id,omitempty"`
}

// Analytics is that the analytics file of a session is ready; FileID is its artifact_id.
type Analytics struct {
	FileID    string    `json:"file_id"`
	CreatedAt time.Time `json:"created_at,omitzero"`
}

// Speech is the retired speech-to-text service's account of one user, or of the session when UserID is "".
type Speech struct {
	UserID    string    `json:"user_id,omitempty"`
	StartedAt time.Time `json:"started_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	Seconds   int64     `json:"seconds,omitempty"`
}

func (r *reading) artifacts() []Artifact {
	out := make([]Artifact, 0, len(r.Artifacts))
	for id, told := range r.Artifacts {
		a := Artifact{ArtifactID: id}
		var created Time
		for _, said := range told {
			created = earliest(created, said.Said.Moment)
			a.Type, a.Reference = lastSaid(a.Type, said.Said.Type), lastSaid(a.Reference, said.Said.Reference)
			a.File, a.Usage = lastSaid(a.File, said.Said.File), lastSaid(a.Usage, said.Said.Usage)
		}
		a.Type, a.CreatedAt = cmp.Or(a.Type, "UNKNOWN_ARTIFACT"), created.Time()
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b Artifact) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ArtifactID, b.ArtifactID))
	})
	return out
}

func (r *reading) analytics() []Analytics {
	out := make([]Analytics, 0, len(r.Analytics))
	for id, told := range r.Analytics {
		var created Time
		for _, said := range told {
			created = earliest(created, said.Said.At)
		}
		out = append(out, Analytics{FileID: id, CreatedAt: created.Time()})
	}
	slices.SortFunc(out, func(a, b Analytics) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.FileID, b.FileID))
	})
	return out
}

func (r *reading) speech() []Speech {
	out, firsts := make([]Speech, 0, len(r.Speech)), make(map[string]Time, len(r.Speech))
	for user, told := range r.Speech {
		var started, ended Time
		sp := Speech{UserID: user}
		for _, said := range told {
			firsts[user] = earliest(firsts[user], said.Said.Moment)
			sp.Seconds = lastSaid(sp.Seconds, said.Said.Seconds)
			switch said.Kind {
			case KindSpeechStarted:
				started = earliest(started, said.Said.Moment)
			case KindSpeechEnded:
				ended = max(ended, said.Said.Moment)
			}
		}
		sp.StartedAt, sp.EndedAt = started.Time(), ended.Time()
		out = append(out, sp)
	}
	slices.SortFunc(out, func(a, b Speech) int { return byFirst(firsts, a.UserID, b.UserID) })
	return out
}

// Downloadable: plugNmeet hands out the file of an artifact of this type (contract 5.2). Others are figures.
func Downloadable(artifactType string) bool {
	switch artifactType {
	case "MEETING_ANALYTICS", "MEETING_SUMMARY", "SPEECH_TRANSCRIPTION":
		return true
	}
	return false
}

// UsageBy splits a key of a usage breakdown into the user whose usage it is, "" for everybody's, and the rest of the
// key (contract 2.4): <user_id>, <user_id>:<task>:<what> of a chat, and totals of everybody, or of a language. Whatever
// is not known to be a total is taken for a user's.
func UsageBy(artifactType, key string) (user, rest string) {
	switch {
	case key == "total_usage", totalOfTask.MatchString(key),
		artifactType == "SYNTHESIZED_SPEECH_USAGE" && totalOfLanguage.MatchString(key):
		return "", key
	}
	if at := usageOfTask.FindStringIndex(key); at != nil {
		return key[:at[0]], key[at[0]:]
	}
	return key, ""
}

var (
	totalOfTask     = regexp.MustCompile(`^total_(chat|summarize)_(prompt_|completion_)?tokens$`)
	totalOfLanguage = regexp.MustCompile(`^lang:[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
	usageOfTask     = regexp.MustCompile(`:(chat|summarize):(prompt|completion|total)$`)
)
