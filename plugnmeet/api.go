package plugnmeet

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

// APISettings are what is needed to ask one plugNmeet. Zero values have the defaults that are named.
type APISettings struct {
	Source    string // its name among our sources
	ServerURL string // plugNmeet's base URL, as SERVER_URL
	APIKey    string
	Secret    Secret
	Previous  Secret // that it may answer to while the secret is being rotated; "" without one

	Timeout   time.Duration     // of a whole call; 20 s, since plugNmeet itself may wait 15 s for a room's lock
	Pause     time.Duration     // how long it is left alone after calls have failed in a row; 30 s
	Transport http.RoundTripper // one of its own

	Authorities *x509.CertPool // that its own transport believes; nil: the system's
}

const (
	defaultTimeout = 20 * time.Second
	defaultPause   = 30 * time.Second
	failuresInARow = 3        // after these nothing is asked for a pause
	maxAnswer      = 64 << 20 // bytes; a person with two tracks is about 1 kB
)

// API asks one plugNmeet what is true there (contract 5). It is safe for concurrent use.
//
// Its errors are *APIError, except that a call that was cancelled gives the cause of that. They hold nothing
// of what plugNmeet answered.
type API struct {
	source   string
	server   *url.URL
	key      atomic.Pointer[apiKey]
	timeout  time.Duration
	client   *http.Client
	breaker  *gobreaker.CircuitBreaker[exchange]
	standing standing
}

// NewAPI makes the client. It asks nothing yet.
func NewAPI(s APISettings) (*API, error) {
	server, err := serverURL(s.ServerURL)
	switch {
	case err != nil:
		return nil, err
	case s.APIKey == "" || s.Secret == "":
		return nil, errors.New("plugNmeet API: no API key or no secret")
	}
	a := &API{source: s.Source, server: server, timeout: positive(s.Timeout, defaultTimeout)}
	a.SetKey(s.APIKey, s.Secret, s.Previous)
	if s.Transport == nil {
		s.Transport = ownTransport(s.Authorities)
	}
	a.client = &http.Client{Transport: s.Transport, CheckRedirect: stay}
	a.breaker = newBreaker(positive(s.Pause, defaultPause))
	return a, nil
}

func serverURL(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return nil, errors.New("SERVER_URL: want plugNmeet's base URL, like https://meet.example.org")
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return nil, errors.New("SERVER_URL: want no user, query or fragment in it")
	}
	return u, nil
}

// apiKey is what calls are signed with: by whichever of its secrets plugNmeet has answered to.
type apiKey struct {
	name     string
	secrets  []Secret
	answered atomic.Int32 // which secret
}

// SetKey changes what calls are signed with, from the next one on: the current secret and, while it is being rotated,
// the previous one. Nobody knows when plugNmeet begins to use the current one; it is found out.
func (a *API) SetKey(name string, secrets ...Secret) {
	key := &apiKey{name: name}
	for _, secret := range secrets {
		if secret != "" {
			key.secrets = append(key.secrets, secret)
		}
	}
	a.key.Store(key)
}

// KeyIndex is 1 if plugNmeet has answered to the previous secret, as Proof's.
func (a *API) KeyIndex() int { return int(a.key.Load().answered.Load()) }

// Close lets go of the connections that are kept alive.
func (a *API) Close() { a.client.CloseIdleConnections() }

// Source is the name of the source that is asked.
func (a *API) Source() string { return a.source }

// ActiveRooms lists every session that runs, with who is in it (contract 5.2, getActiveRoomsInfo). plugNmeet
// makes a call to LiveKit for each room: ask every half minute, not every second.
func (a *API) ActiveRooms(ctx context.Context) (Poll, error) {
	var answer activeRoomsAnswer
	got, err := a.ask(ctx, "room/getActiveRoomsInfo", struct{}{}, &answer)
	if err != nil {
		return Poll{}, err
	}
	return answer.poll(a.source, got), nil
}

// RoomActive says whether a session of the room_id runs. That one does is no word on which (its sid).
func (a *API) RoomActive(ctx context.Context, roomID string) (bool, error) {
	var answer struct {
		reply
		Active flag `json:"is_active"`
	}
	_, err := a.ask(ctx, "room/isRoomActive", roomRequest{roomID}, &answer)
	return bool(answer.Active), err
}

// EndRoom asks plugNmeet to end the session that runs under the room_id. plugNmeet agrees before it is done:
// that it ended is told by its webhooks. ErrUnknown if none runs.
func (a *API) EndRoom(ctx context.Context, roomID string) error {
	var answer reply
	_, err := a.askForOne(ctx, "room/endRoom", roomRequest{roomID}, &answer)
	return err
}

type roomRequest struct {
	RoomID string `json:"room_id"`
}

// RecordingURL is where a recording's file can be had for some minutes (plugNmeet's default is 30) by anybody
// who has the URL: it is a secret. It may redirect to a storage. ErrUnknown if there is no such recording.
func (a *API) RecordingURL(ctx context.Context, recordID string) (string, error) {
	return a.download(ctx, "recording", struct {
		RecordID string `json:"record_id"`
	}{recordID})
}

// ArtifactURL is the same for an artifact, for 10 minutes. Only of MEETING_ANALYTICS, MEETING_SUMMARY and
// SPEECH_TRANSCRIPTION are there files to be had: of others the error is ErrFailed.
func (a *API) ArtifactURL(ctx context.Context, artifactID string) (string, error) {
	return a.download(ctx, "artifact", struct {
		ArtifactID string `json:"artifact_id"`
	}{artifactID})
}

// pathSafe is what a JWT is made of; anything else could lead elsewhere than to a download.
var pathSafe = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

func (a *API) download(ctx context.Context, what string, request any) (string, error) {
	var answer struct {
		reply
		Token words `json:"token"`
	}
	call := what + "/getDownloadToken"
	if _, err := a.askForOne(ctx, call, request, &answer); err != nil {
		return "", err
	}
	if !pathSafe.MatchString(string(answer.Token)) {
		return "", &APIError{Call: call, Kind: ErrNonsense, detail: "it gave no download token"}
	}
	return a.server.JoinPath("download", what, string(answer.Token)).String(), nil
}

func positive(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}
