package simulate

import (
	"slices"
	"strconv"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

type pastRoomsAnswer struct {
	status
	Result pastRoomsResult `json:"result"`
}

type pastRoomsResult struct {
	Total   string     `json:"total_rooms"`
	From    int        `json:"from"`
	Limit   int        `json:"limit"`
	OrderBy string     `json:"order_by"`
	List    []pastRoom `json:"rooms_list"`
}

type pastRoom struct {
	Title       string `json:"room_title"`
	RoomID      string `json:"room_id"`
	SID         string `json:"room_sid"`
	Joined      string `json:"joined_participants"`
	WebhookURL  string `json:"webhook_url"`
	Created     string `json:"created"`
	Ended       string `json:"ended"`
	AnalyticsID string `json:"analytics_file_id,omitzero"`
}

// pastRooms lists the running ones, too: plugNmeet's filter has no effect (contract 5.4).
func (a *API) pastRooms(asked apiRequest) any {
	all := []pastRoom{}
	for _, d := range asked.of(a.Rooms()) {
		p := pastRoom{Title: d.Title, RoomID: d.RoomID, SID: d.SID, Joined: strconv.Itoa(d.People + d.Bots), WebhookURL: SecretWebhook,
			Created: dateOf(a.byDatabase(d.CreatedAt)), Ended: dateOf(d.EndedAt)}
		for _, found := range d.Artifacts {
			if found.Type == "MEETING_ANALYTICS" {
				p.AnalyticsID = found.ArtifactID
			}
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		return no("NOT_FOUND", "no info found")
	}
	page, limit := paged(all, asked)
	return pastRoomsAnswer{success, pastRoomsResult{strconv.Itoa(len(all)), asked.From, limit, asked.order(), page}}
}

// byDatabase is how a moment reads that the database has stamped in its own zone, for who takes it for UTC.
func (a *API) byDatabase(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	zone := a.DatabaseZone
	if zone == nil {
		zone = defaultZone
	}
	_, offset := t.In(zone).Zone()
	return t.Add(time.Duration(offset) * time.Second)
}

// defaultZone is not UTC, so that whoever takes created for the time that it says finds out.
var defaultZone = time.FixedZone("", 2*60*60)

type recordingsAnswer struct {
	status
	Result recordingsResult `json:"result"`
}

type recordingsResult struct {
	Total   string          `json:"total_recordings"`
	From    int             `json:"from"`
	Limit   int             `json:"limit"`
	OrderBy string          `json:"order_by"`
	List    []recordingInfo `json:"recordings_list"`
}

type recordingInfo struct {
	RecordID    string  `json:"record_id"`
	RoomID      string  `json:"room_id"`
	SID         string  `json:"room_sid"`
	FilePath    string  `json:"file_path"`
	FileSize    float64 `json:"file_size"` // decimal megabytes
	Created     string  `json:"creation_time"`
	RoomCreated string  `json:"room_creation_time"`
}

// recordings are those that have their file.
func (a *API) recordings(asked apiRequest) any {
	all := []recordingInfo{}
	for _, d := range asked.of(a.Rooms()) {
		for _, r := range d.Recordings {
			if r.FilePath != "" {
				all = append(all, recordingInfo{r.RecordID, d.RoomID, d.SID, r.FilePath, float64(r.SizeBytes) / 1e6, seconds(r.ReadyAt), seconds(d.CreatedAt)})
			}
		}
	}
	if len(all) == 0 {
		return no("NOT_FOUND", "no recordings found")
	}
	page, limit := paged(all, asked)
	return recordingsAnswer{success, recordingsResult{strconv.Itoa(len(all)), asked.From, limit, asked.order(), page}}
}

type artifactsAnswer struct {
	status
	Result artifactsResult `json:"result"`
}

type artifactsResult struct {
	Total   string         `json:"total_artifacts"`
	From    string         `json:"from"`
	Limit   string         `json:"limit"`
	OrderBy string         `json:"order_by"`
	List    []artifactInfo `json:"artifacts_list"`
}

// artifactInfo does not say of which session it is.
type artifactInfo struct {
	ID       string               `json:"artifact_id"`
	RoomID   string               `json:"room_id"`
	Type     string               `json:"type"`
	Created  string               `json:"created"`
	Metadata artifactMetadataPart `json:"metadata"`
}

func (a *API) artifacts(asked apiRequest) any {
	all := []artifactInfo{}
	for _, d := range asked.of(a.Rooms()) {
		for _, found := range d.Artifacts {
			if asked.Type == nil || *asked.Type == found.Type {
				all = append(all, artifactInfoOf(d, found))
			}
		}
	}
	if len(all) == 0 {
		return no("NOT_FOUND", "no artifact found")
	}
	page, limit := paged(all, asked)
	return artifactsAnswer{success, artifactsResult{strconv.Itoa(len(all)), strconv.Itoa(asked.From), strconv.Itoa(limit), asked.order(), page}}
}

func artifactInfoOf(d room.Detail, found room.Artifact) artifactInfo {
	info := artifactInfo{ID: found.ArtifactID, RoomID: d.RoomID, Type: found.Type, Created: dateOf(found.CreatedAt)}
	info.Metadata.ReferenceArtifactID = found.Reference
	info.Metadata.describe(found)
	return info
}

// of are the sessions that are asked for.
func (asked apiRequest) of(all []room.Detail) []room.Detail {
	return slices.DeleteFunc(slices.Clone(all), func(d room.Detail) bool {
		return len(asked.RoomIDs) > 0 && !slices.Contains(asked.RoomIDs, d.RoomID) || asked.SID != nil && d.SID != *asked.SID
	})
}

func (asked apiRequest) order() string {
	if asked.OrderBy == "ASC" {
		return "ASC"
	}
	return "DESC"
}

// paged is the page that is asked for, of a list that is oldest first.
func paged[T any](all []T, asked apiRequest) (page []T, limit int) {
	limit = min(asked.Limit, 100)
	if limit <= 0 {
		limit = 20
	}
	if asked.order() == "DESC" {
		slices.Reverse(all)
	}
	from := min(max(asked.From, 0), len(all))
	return all[from:min(from+limit, len(all))], limit
}
