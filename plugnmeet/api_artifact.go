package plugnmeet

import (
	"cmp"

	"github.com/roomwatch/roomwatch/room"
)

type artifactWire struct {
	ID       words                       `json:"artifact_id"`
	RoomID   words                       `json:"room_id"`
	Type     words                       `json:"type"`
	Created  words                       `json:"created"`
	Metadata maybe[artifactMetadataWire] `json:"metadata"`
}

// artifactMetadataWire, contract 2.4. A usage is one of three.
type artifactMetadataWire struct {
	File       maybe[fileWire]       `json:"file_info"`
	Tokens     maybe[tokensWire]     `json:"token_usage"`
	Duration   maybe[durationWire]   `json:"duration_usage"`
	Characters maybe[charactersWire] `json:"character_count_usage"`
	Reference  words                 `json:"reference_artifact_id"`
}

type fileWire struct {
	Path words  `json:"file_path"`
	Size amount `json:"file_size"`
	Mime words  `json:"mime_type"`
}

type tokensWire struct {
	Prompt     amount `json:"prompt_tokens"`
	Completion amount `json:"completion_tokens"`
	Total      amount `json:"total_tokens"`
	Breakdown  counts `json:"breakdown"`
	Cost       amount `json:"total_tokens_estimated_cost"`
}

type durationWire struct {
	Total     amount `json:"duration_sec"`
	Breakdown counts `json:"breakdown"`
	Cost      amount `json:"duration_sec_estimated_cost"`
}

type charactersWire struct {
	Total     amount `json:"total_characters"`
	Breakdown counts `json:"breakdown"`
	Cost      amount `json:"total_characters_estimated_cost"`
}

func (w artifactWire) artifact() (ArtifactFound, bool) {
	metadata := w.Metadata.or()
	a := ArtifactFound{RoomID: w.RoomID.id(), Created: w.Created.date()}
	a.ID, a.Type, a.Reference = w.ID.id(), w.Type.enum(artifactTypes), metadata.Reference.id()
	if f := metadata.File.said; f != nil && f.Path != "" {
		a.File = &room.ArtifactFile{Path: f.Path.cut(maxPath), SizeBytes: f.Size.whole(), MimeType: f.Mime.cut(maxWord)}
	}
	a.Usage = metadata.usage()
	return a, a.ID != ""
}

func (w artifactMetadataWire) usage() *room.ArtifactUsage {
	switch {
	case w.Tokens.said != nil:
		t := *w.Tokens.said
		return usageOf("tokens", cmp.Or(t.Total, t.Prompt+t.Completion), t.Prompt, t.Completion, t.Cost, t.Breakdown)
	case w.Duration.said != nil:
		d := *w.Duration.said
		return usageOf("seconds", d.Total, 0, 0, d.Cost, d.Breakdown)
	case w.Characters.said != nil:
		c := *w.Characters.said
		return usageOf("characters", c.Total, 0, 0, c.Cost, c.Breakdown)
	}
	return nil
}

func usageOf(unit string, total, prompt, completion, cost amount, breakdown counts) *room.ArtifactUsage {
	u := &room.ArtifactUsage{Unit: unit, Total: total.whole(), Prompt: prompt.whole(), Completion: completion.whole(), Breakdown: breakdown}
	if cost <= maxCost {
		u.EstimatedCost = float64(cost)
	}
	return u
}
