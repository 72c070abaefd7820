package simulate

import (
	"crypto/hmac"
	"encoding/base64"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
)

// API stands in for plugNmeet's HTTP API (contract 5): it answers from what is true, in plugNmeet's form and
// with its oddities, to signed calls only. It can be made to misbehave. It is safe for concurrent use if Rooms
// and End are.
type API struct {
	APIKey string
	Secret plugnmeet.Secret

	Rooms func() []room.Detail     // what is true at the moment, by creation: a Life's Truth, under its owner's lock
	End   func(roomID string) bool // ends the session that runs under the room_id, if one does; nil: none can be ended

	Old          bool           // a plugNmeet without status codes
	Ahead        time.Duration  // how far its clock is ahead
	DatabaseZone *time.Location // that its database stamps the creation of sessions in; nil: two hours ahead of UTC

	fault atomic.Int32
	calls atomic.Int64
}

// Suffer makes every call from now on meet the fault; NoFault ends that.
func (a *API) Suffer(f Fault) { a.fault.Store(int32(f)) }

// Calls is how many calls came so far, refused ones too.
func (a *API) Calls() int { return int(a.calls.Load()) }

// ServeHTTP answers a call under /auth/, or a download.
func (a *API) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	a.calls.Add(1)
	w.Header().Set("Date", time.Now().Add(a.Ahead).UTC().Format(http.TimeFormat))
	if request.Method == http.MethodGet {
		a.download(w, request)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, request.Body, 1<<20))
	if err != nil {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	if a.faulty(w, request) {
		return
	}
	if refused := a.refuse(request, body); refused != nil {
		a.answer(w, http.StatusUnauthorized, *refused)
		return
	}
	handle, known := calls[strings.TrimPrefix(request.URL.Path, "/auth/")]
	if !known || request.Method != http.MethodPost {
		http.NotFound(w, request)
		return
	}
	var asked apiRequest
	if json.Unmarshal(body, &asked) != nil {
		a.answer(w, http.StatusOK, no("INVALID_PARAMETERS", "proto: syntax error"))
		return
	}
	a.answer(w, http.StatusOK, handle(a, asked))
}

// calls are those that Roomwatch makes.
var calls = map[string]func(*API, apiRequest) any{
	"room/getActiveRoomsInfo":    (*API).activeRooms,
	"room/isRoomActive":          (*API).roomActive,
	"room/endRoom":               (*API).endRoom,
	"room/fetchPastRooms":        (*API).pastRooms,
	"recording/fetch":            (*API).recordings,
	"recording/getDownloadToken": (*API).recordingToken,
	"artifact/fetch":             (*API).artifacts,
	"artifact/getDownloadToken":  (*API).artifactToken,
}

// apiRequest is what any of them asks.
type apiRequest struct {
	RoomID     string   `json:"room_id"`
	RoomIDs    []string `json:"room_ids"`
	SID        *string  `json:"room_sid"`
	Type       *string  `json:"type"`
	From       int      `json:"from"`
	Limit      int      `json:"limit"`
	OrderBy    string   `json:"order_by"`
	RecordID   string   `json:"record_id"`
	ArtifactID string   `json:"artifact_id"`
}

// status is what every answer begins with.
type status struct {
	Status bool   `json:"status"`
	Msg    string `json:"msg"`
	Code   string `json:"status_code,omitempty"`
}

var success = status{true, "success", "SUCCESS"}

func no(code, msg string) status { return status{false, msg, code} }

// refuse is nil for a call that is signed with the secret.
func (a *API) refuse(request *http.Request, body []byte) *status {
	signature := request.Header.Get("HASH-SIGNATURE")
	var s status
	switch key := request.Header.Get("API-KEY"); {
	case key == "" || signature == "":
		s = no("MISSING_REQUIRED_PARAMETER", "a header is missing")
	case key != a.APIKey:
		s = no("INVALID_API_KEY", "not this key")
	case !hmac.Equal([]byte(signature), []byte(plugnmeet.SignCall(a.Secret, body))):
		s = no("INVALID_TOKEN_OR_SIGNATURE", "not this signature")
	default:
		return nil
	}
	return &s
}

func (a *API) answer(w http.ResponseWriter, code int, answer any) {
	text, err := json.Marshal(answer, json.Deterministic(true))
	if err != nil {
		panic(err) // the types are all sound
	}
	if a.Old {
		text = withoutCode(text)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(text)
}

func (a *API) roomActive(asked apiRequest) any {
	answer := struct {
		status
		Active bool `json:"is_active"`
	}{status{true, "room is not active", "SUCCESS"}, false}
	if slices.ContainsFunc(a.running(), func(d room.Detail) bool { return d.RoomID == asked.RoomID }) {
		answer.Msg, answer.Active = "room is active", true
	}
	return answer
}

// endRoom says success before the room has ended.
func (a *API) endRoom(asked apiRequest) any {
	switch {
	case asked.RoomID == "":
		return no("INVALID_PARAMETERS", "room_id: value is required")
	case a.End == nil || !a.End(asked.RoomID):
		return no("ROOM_NOT_ACTIVE", "room not active")
	}
	return success
}

func (a *API) running() []room.Detail {
	return slices.DeleteFunc(slices.Clone(a.Rooms()), func(d room.Detail) bool { return d.State == room.StateEnded })
}

// End ends the session that runs under the room_id, as a host would by the API; false if none does.
func (l *Life) End(roomID string) bool {
	for _, s := range l.sessions {
		if s.roomID == roomID && !s.isOver() {
			s.endByAPI()
			return true
		}
	}
	return false
}

// token is what a download is asked with: here the id and a signature of it.
func (a *API) token(id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(id)) + "." + plugnmeet.SignCall(a.Secret, []byte(id))
}

func (a *API) recordingToken(asked apiRequest) any {
	for _, d := range a.Rooms() {
		for _, r := range d.Recordings {
			if r.RecordID == asked.RecordID && r.FilePath != "" {
				return tokenAnswer{success, a.token(r.RecordID)}
			}
		}
	}
	return no("NOT_FOUND", "no info found")
}

type tokenAnswer struct {
	status
	Token string `json:"token"`
}

// downloadable are the artifacts whose file plugNmeet gives out (contract 5.2).
var downloadable = []string{"MEETING_ANALYTICS", "MEETING_SUMMARY", "SPEECH_TRANSCRIPTION"}

func (a *API) artifactToken(asked apiRequest) any {
	for _, d := range a.Rooms() {
		for _, found := range d.Artifacts {
			switch {
			case found.ArtifactID != asked.ArtifactID:
			case !slices.Contains(downloadable, found.Type):
				return no("INTERNAL_SERVER_ERROR", "this type of artifact cannot be downloaded")
			default:
				return tokenAnswer{success, a.token(found.ArtifactID)}
			}
		}
	}
	return no("NOT_FOUND", "artifact not found")
}

// download gives a few words instead of a file.
func (a *API) download(w http.ResponseWriter, request *http.Request) {
	_, token, _ := strings.Cut(strings.TrimPrefix(request.URL.Path, "/download/"), "/")
	encoded, _, _ := strings.Cut(token, ".")
	id, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || !hmac.Equal([]byte(token), []byte(a.token(string(id)))) {
		http.Error(w, "no such download", http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Disposition", "attachment")
	_, _ = io.WriteString(w, "What "+string(id)+" would be.\n")
}
