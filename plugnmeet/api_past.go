package plugnmeet

import (
	"context"
	"iter"
	"math"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// PastQuery asks for what plugNmeet keeps, newest first. There is no filter by time.
//
// Give the room_id with a SID: older plugNmeets refuse to list artifacts without one, and know no SID. They then
// list those of all sessions of the room_id.
type PastQuery struct {
	RoomIDs []string // of these only, or all
	SID     string   // of recordings and artifacts: of this session only
	Type    string   // of artifacts: an enum name
	From    int      // how many to pass over
	Limit   int      // of a page; plugNmeet gives 20 if it is 0 and never more than 100
}

const pageLimit = 100

// Listing is one page. Items can be fewer than plugNmeet counts for it: it leaves out what it cannot read itself.
type Listing[T any] struct {
	Items []T
	From  int
	Total int
}

// PastRoom is a session that plugNmeet remembers (contract 5.3).
type PastRoom struct {
	SID, RoomID, Title string
	Joined             int // plugNmeet's counter as it was last

	// Two clocks (contract 5.4): Ended is plugNmeet's. Created is the database's, in the zone of its session, but reads
	// as if that were UTC: with a database at +02:00 a session seems to end two hours before it began.
	Created, Ended time.Time
	AnalyticsID    string // artifact_id of its analytics file
}

// Running: it has no end. fetchPastRooms lists sessions that still run, with an end in the year 1.
func (p PastRoom) Running() bool { return p.Ended.IsZero() }

// RecordingFile is a recording that has its file.
type RecordingFile struct {
	RecordID, RoomID, SID string
	FilePath              string
	SizeBytes             int64
	Created               time.Time // when the file was there
	RoomCreated           time.Time
}

// ArtifactFound is an artifact. The list does not say of which session.
type ArtifactFound struct {
	room.ArtifactSaid
	RoomID  string
	Created time.Time
}

// PastRooms is one page of the sessions that were, and of those that are (see PastRoom.Running).
func (a *API) PastRooms(ctx context.Context, q PastQuery) (Listing[PastRoom], error) {
	var answer pastAnswer[pastRoomsWire]
	_, err := a.ask(ctx, "room/fetchPastRooms", q.asWire(), &answer)
	result := answer.Result.or()
	return listing(result.List, pastRoomWire.room, q, result.Total), err
}

// Recordings is one page of the recordings that have their file.
func (a *API) Recordings(ctx context.Context, q PastQuery) (Listing[RecordingFile], error) {
	var answer pastAnswer[recordingsWire]
	_, err := a.ask(ctx, "recording/fetch", q.asWire(), &answer)
	result := answer.Result.or()
	return listing(result.List, recordingWire.file, q, result.Total), err
}

// Artifacts is one page of artifacts. Ask for those of one session to know of which they are.
func (a *API) Artifacts(ctx context.Context, q PastQuery) (Listing[ArtifactFound], error) {
	var answer pastAnswer[artifactsWire]
	_, err := a.ask(ctx, "artifact/fetch", q.asWire(), &answer)
	result := answer.Result.or()
	return listing(result.List, artifactWire.artifact, q, result.Total), err
}

// EachPastRoom is every past room, newest first, page by page as it is read on. After an error there is no more.
func (a *API) EachPastRoom(ctx context.Context, q PastQuery) iter.Seq2[PastRoom, error] {
	return each(ctx, q, a.PastRooms, func(p PastRoom) string { return p.SID })
}

// EachRecording is the same for recordings.
func (a *API) EachRecording(ctx context.Context, q PastQuery) iter.Seq2[RecordingFile, error] {
	return each(ctx, q, a.Recordings, func(r RecordingFile) string { return r.RecordID })
}

// EachArtifact is the same for artifacts.
func (a *API) EachArtifact(ctx context.Context, q PastQuery) iter.Seq2[ArtifactFound, error] {
	return each(ctx, q, a.Artifacts, func(found ArtifactFound) string { return found.ID })
}

// overlap is how many entries pages share: an entry that is deleted meanwhile moves the next page up.
const overlap = 10

// each turns pages until there is nothing new on one. Entries that come to the top meanwhile push known ones
// onto the next page, where they are passed over.
func each[T any](ctx context.Context, q PastQuery, page func(context.Context, PastQuery) (Listing[T], error), id func(T) string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		q := q
		q.Limit = pageLimit
		seen := make(map[string]bool)
		for {
			l, err := page(ctx, q)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			known := len(seen)
			for _, item := range l.Items {
				if seen[id(item)] {
					continue
				}
				seen[id(item)] = true
				if !yield(item, nil) {
					return
				}
			}
			if q.From += pageLimit; q.From >= l.Total || len(seen) == known {
				return
			}
			q.From -= overlap
		}
	}
}

type pastRequest struct {
	RoomIDs []string `json:"room_ids"`
	SID     string   `json:"room_sid,omitempty"`
	Type    string   `json:"type,omitempty"`
	From    int      `json:"from"`
	Limit   int      `json:"limit,omitzero"`
	OrderBy string   `json:"order_by"`
}

func (q PastQuery) asWire() pastRequest {
	return pastRequest{q.RoomIDs, q.SID, q.Type, max(q.From, 0), min(max(q.Limit, 0), pageLimit), "DESC"}
}

type pastAnswer[T any] struct {
	reply
	Result maybe[T] `json:"result"`
}

type pastRoomsWire struct {
	Total amount             `json:"total_rooms"`
	List  many[pastRoomWire] `json:"rooms_list"`
}

type recordingsWire struct {
	Total amount              `json:"total_recordings"`
	List  many[recordingWire] `json:"recordings_list"`
}

type artifactsWire struct {
	Total amount             `json:"total_artifacts"`
	List  many[artifactWire] `json:"artifacts_list"`
}

func listing[W, T any](list many[W], read func(W) (T, bool), q PastQuery, total amount) Listing[T] {
	l := Listing[T]{From: max(q.From, 0), Total: int(total.whole())}
	for _, wire := range list {
		if item, ok := read(wire); ok {
			l.Items = append(l.Items, item)
		}
	}
	return l
}

// pastRoomWire leaves out webhook_url, which may carry a token.
type pastRoomWire struct {
	Title       words  `json:"room_title"`
	RoomID      words  `json:"room_id"`
	SID         words  `json:"room_sid"`
	Joined      amount `json:"joined_participants"`
	Created     words  `json:"created"`
	Ended       words  `json:"ended"`
	AnalyticsID words  `json:"analytics_file_id"`
}

func (w pastRoomWire) room() (PastRoom, bool) {
	p := PastRoom{SID: w.SID.id(), RoomID: w.RoomID.id(), Title: w.Title.cut(maxTitle), Joined: w.Joined.small(),
		Created: w.Created.date(), Ended: w.Ended.date(), AnalyticsID: w.AnalyticsID.id()}
	return p, p.SID != ""
}

// date reads a time in either of plugNmeet's forms; the zero time if it has none, which it writes as one of long ago.
func (w words) date() time.Time {
	for _, form := range []string{time.RFC3339, time.DateTime} {
		if t, err := time.Parse(form, string(w)); err == nil && t.Year() >= 2000 {
			return t.UTC()
		}
	}
	return time.Time{}
}

type recordingWire struct {
	RecordID    words  `json:"record_id"`
	RoomID      words  `json:"room_id"`
	SID         words  `json:"room_sid"`
	FilePath    words  `json:"file_path"`
	FileSize    amount `json:"file_size"` // decimal megabytes
	Created     amount `json:"creation_time"`
	RoomCreated amount `json:"room_creation_time"`
}

func (w recordingWire) file() (RecordingFile, bool) {
	r := RecordingFile{RecordID: w.RecordID.id(), RoomID: w.RoomID.id(), SID: w.SID.id(), FilePath: w.FilePath.cut(maxPath),
		Created: w.Created.since1970(1000).Time(), RoomCreated: w.RoomCreated.since1970(1000).Time()}
	if w.FileSize <= maxMegabytes {
		r.SizeBytes = int64(math.Round(float64(w.FileSize) * 1e6))
	}
	return r, r.RecordID != ""
}
