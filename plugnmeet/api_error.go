package plugnmeet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"syscall"
	"time"
)

// The kinds of an APIError.
var (
	ErrUnreachable = errors.New("cannot be reached")
	ErrRefused     = errors.New("refuses the API key or its signature")
	ErrNonsense    = errors.New("what answers is not plugNmeet's API")
	ErrTooLarge    = errors.New("answered more than can be")
	ErrFailed      = errors.New("says that it failed")
	ErrUnknown     = errors.New("knows no such thing")

	// ErrPaused goes with one of the others: nothing was asked, because that was so several times in a row.
	ErrPaused = errors.New("is left alone for a while")
)

// APIError is why a call came to nothing. Its text is for an operator, and fixed words only: plugNmeet's own
// (msg) may hold anything, from SQL to the request.
type APIError struct {
	Call   string    // the path under /auth/
	Kind   error     // one of the above
	Status int       // of HTTP, 0 without an answer
	Code   string    // status_code, of those in the contract
	Since  time.Time // ErrPaused: since when it fails; else zero
	detail string
}

// Error says what is wrong in one line.
func (e *APIError) Error() string {
	text := "plugNmeet API: " + e.Call + ": " + e.Kind.Error()
	if e.detail != "" {
		text += ": " + e.detail
	}
	if e.Status != 0 && e.Status != 200 {
		text += fmt.Sprintf(" (HTTP %d)", e.Status)
	}
	if e.Code != "" {
		text += " (" + e.Code + ")"
	}
	if !e.Since.IsZero() {
		text += "; so since " + e.Since.UTC().Format(time.RFC3339) + ", not asked for a while"
	}
	return text
}

// Unwrap gives the kind, and ErrPaused if nothing was asked.
func (e *APIError) Unwrap() []error {
	if e.Since.IsZero() {
		return []error{e.Kind}
	}
	return []error{e.Kind, ErrPaused}
}

// statusCodes are those of the contract, 5.1. Only they are repeated: another word could be anything.
var statusCodes = []string{"PERMISSION_DENIED", "NOT_FOUND", "CONFLICT", codeSignature, codeKey,
	"INTERNAL_SERVER_ERROR", "INVALID_PARAMETERS", "MISSING_REQUIRED_PARAMETER", "ROOM_NOT_FOUND", "USER_NOT_FOUND", "USER_BLOCKED",
	"USER_NOT_ACTIVE", "ROOM_NOT_ACTIVE"}

// How a plugNmeet says why it refuses a call.
const (
	codeKey       = "INVALID_API_KEY"
	codeSignature = "INVALID_TOKEN_OR_SIGNATURE"
)

func knownCode(code string) string {
	if slices.Contains(statusCodes, code) {
		return code
	}
	return ""
}

// whyUntrusted tells what is to be done at plugNmeet's side from what is to be done here.
func whyUntrusted(err error) string {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &unknown):
		return "its certificate is of an authority that is not known here: name that in CA_FILE"
	case errors.As(err, &name):
		return "its certificate is for another name than the one in SERVER_URL"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate has expired or is not valid yet: look at both clocks"
	}
	return "its certificate is not trusted"
}

// whyUnreachable puts an error of the network into fixed words: its own may hold addresses and URLs.
func whyUnreachable(err error) string {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var timeout net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &dns):
		return "its name is not found"
	case errors.As(err, &certificate):
		return whyUntrusted(certificate)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	}
	return "the connection broke"
}
