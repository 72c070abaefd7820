package plugnmeet

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
)

// exchange is one call that was answered.
type exchange struct {
	began, done time.Time // by our clock
	date        time.Time // by the source's clock, in whole seconds, when it answered; zero if it did not say
}

// reply is what every answer of plugNmeet's has (contract 5.1). HTTP is 200 even for failures.
type reply struct {
	Status *bool `json:"status"`
	Msg    words `json:"msg"`
	Code   words `json:"status_code"`
}

func (r *reply) head() *reply { return r }

type answer interface{ head() *reply }

// emptyMessages are how a plugNmeet without status codes says that a list is empty. Whatever else such a one
// says with status false is taken for a failure: a room must not end because a database did.
var emptyMessages = []string{"no active room found", "no info found", "no recording found", "no recordings found", "no artifact found", "no artifacts found"}

// empty: there is nothing to list, and that is no failure.
func (r *reply) empty() bool {
	switch r.Code {
	case "NOT_FOUND":
		return true
	case "", "UNKNOWN_STATUS":
		return contains(emptyMessages, string(r.Msg))
	}
	return false
}

// unknown: what the call is about is not there.
func (r *reply) unknown() bool {
	return r.empty() || r.Code == "ROOM_NOT_FOUND" || r.Code == "ROOM_NOT_ACTIVE"
}

// ask makes a call that may find nothing, which leaves out without anything but its head.
func (a *API) ask(ctx context.Context, call string, request any, out answer) (exchange, error) {
	got, err := a.askForOne(ctx, call, request, out)
	if errors.Is(err, ErrUnknown) && out.head().empty() {
		return got, nil
	}
	return got, err
}

// askForOne makes a call about something that there must be, else the error is ErrUnknown.
func (a *API) askForOne(ctx context.Context, call string, request any, out answer) (exchange, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return exchange{}, fmt.Errorf("plugNmeet API: %s: %w", call, err)
	}
	return a.guarded(ctx, call, func(ctx context.Context) (exchange, error) { return a.call(ctx, call, body, out) })
}

// call posts, reads and judges.
func (a *API) call(ctx context.Context, call string, body []byte, out answer) (got exchange, err error) {
	caller := ctx
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	got.began = time.Now()
	failure := a.exchange(ctx, call, body, out, &got)
	if errors.Is(caller.Err(), context.Canceled) {
		return got, context.Cause(caller)
	}
	if failure != nil {
		failure.Call = call
		return got, failure
	}
	return got, nil
}

// exchange posts and judges. Where the secret is refused, the other one is tried, and kept if that is answered: what was
// refused was not done.
func (a *API) exchange(ctx context.Context, call string, body []byte, out answer, got *exchange) *APIError {
	key := a.key.Load()
	first := key.answered.Load()
	failure := a.try(ctx, key, first, call, body, out, got)
	if len(key.secrets) < 2 || failure == nil || failure.Kind != ErrRefused || failure.Code == codeKey {
		return failure
	}
	*got = exchange{began: time.Now()}
	other := 1 - first
	if again := a.try(ctx, key, other, call, body, out, got); again == nil || again.Kind != ErrRefused {
		if again == nil || answered(again) {
			key.answered.Store(other)
		}
		return again
	}
	return failure
}

func (a *API) try(ctx context.Context, key *apiKey, secret int32, call string, body []byte, out answer, got *exchange) *APIError {
	text, date, failure := a.post(ctx, key.name, key.secrets[secret], call, body)
	got.done, got.date = time.Now(), date
	if failure == nil {
		failure = judge(text, out)
	}
	return failure
}

// post sends the signed body and returns what came back, if it is to be read at all.
func (a *API) post(ctx context.Context, key string, secret Secret, call string, body []byte) ([]byte, time.Time, *APIError) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.server.JoinPath("auth", call).String(), bytes.NewReader(body))
	if err != nil {
		return nil, time.Time{}, &APIError{Kind: ErrUnreachable, detail: "its URL is not one"}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("API-KEY", key)
	request.Header.Set("HASH-SIGNATURE", SignCall(secret, body))
	response, err := a.client.Do(request)
	if err != nil {
		return nil, time.Time{}, &APIError{Kind: ErrUnreachable, detail: whyUnreachable(err)}
	}
	defer func() { _ = response.Body.Close() }()
	if failure := refusal(response.StatusCode); failure != nil {
		if failure.Status == http.StatusUnauthorized {
			failure.refusedFor(response.Body)
		}
		return nil, time.Time{}, failure
	}
	text, failure := readCapped(response)
	date, _ := http.ParseTime(response.Header.Get("Date"))
	return text, date, failure
}

// SignCall is the HASH-SIGNATURE of a call's body. It has no time in it: who sees one can repeat the call.
func SignCall(secret Secret, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// refusal is what a status of HTTP other than 200 means; plugNmeet's own answers have 200, or 401 for the key.
func refusal(status int) *APIError {
	switch {
	case status == http.StatusOK:
		return nil
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return &APIError{Kind: ErrRefused, Status: status}
	case status >= 300 && status < 400:
		return &APIError{Kind: ErrNonsense, Status: status, detail: "it sends elsewhere; SERVER_URL must be where plugNmeet itself answers"}
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status >= 500:
		return &APIError{Kind: ErrUnreachable, Status: status, detail: "its server is in trouble"}
	}
	return &APIError{Kind: ErrNonsense, Status: status, detail: "nothing of plugNmeet's is there"}
}

// maxRefusal bounds what is read of why a call was refused.
const maxRefusal = 4 << 10

// refusedFor tells from the body of a 401 which of the two was wrong (contract 5.4b). It may as well be a proxy's.
func (e *APIError) refusedFor(body io.Reader) {
	text, err := io.ReadAll(io.LimitReader(body, maxRefusal))
	var said reply
	if err != nil || tooDeep(text) || json.Unmarshal(text, &said) != nil {
		return
	}
	e.refused(string(said.Code))
}

// refused takes the status code of a refusal.
func (e *APIError) refused(code string) {
	e.Code = knownCode(code)
	switch e.Code {
	case codeKey:
		e.detail = "it does not know this API key"
	case codeSignature:
		e.detail = "it knows the API key; the secret is not its own"
	}
}

func readCapped(response *http.Response) ([]byte, *APIError) {
	if response.ContentLength > maxAnswer {
		return nil, &APIError{Kind: ErrTooLarge}
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, &APIError{Kind: ErrUnreachable, detail: whyUnreachable(err)}
	case len(text) > maxAnswer:
		return nil, &APIError{Kind: ErrTooLarge}
	}
	return text, nil
}

// judge reads the answer and what plugNmeet says of it.
func judge(text []byte, out answer) *APIError {
	if tooDeep(text) || json.Unmarshal(text, out) != nil {
		return &APIError{Kind: ErrNonsense, detail: "its answer is not of plugNmeet's form"}
	}
	switch r := out.head(); {
	case r.Status == nil:
		return &APIError{Kind: ErrNonsense, detail: "its answer has no status"}
	case *r.Status:
		return nil
	case r.unknown():
		return &APIError{Kind: ErrUnknown, Code: knownCode(string(r.Code))}
	case r.Code == codeKey, r.Code == codeSignature:
		failure := &APIError{Kind: ErrRefused}
		failure.refused(string(r.Code))
		return failure
	default:
		return &APIError{Kind: ErrFailed, Code: knownCode(string(r.Code))}
	}
}

// stay follows no redirect: a signed call is for plugNmeet alone, and one that changes to GET says nothing.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func ownTransport(authorities *x509.CertPool) *http.Transport {
	const connect = 5 * time.Second
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: connect}).DialContext,
		TLSHandshakeTimeout:    connect,
		TLSClientConfig:        &tls.Config{RootCAs: authorities},
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2:      true,
	}
}
