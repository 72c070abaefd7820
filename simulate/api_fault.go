package simulate

import (
	"bytes"
	"io"
	"net/http"
)

// Fault is a way in which an API goes wrong.
type Fault int32

// The faults. Those that change the list of active rooms leave other calls alone.
const (
	NoFault      Fault = iota
	NoRooms            // says that no session runs
	AllOmitted         // success, but no room has live data: NATS is down, or was emptied
	HalfOmitted        // as much for every other room
	Deserted           // nobody is listed in any room: LiveKit does not answer plugNmeet, or its Redis was emptied
	HalfDeserted       // every other attendee is left out
	Miscounted         // joined_participants is too high, as after a crash until plugNmeet's janitor comes by
	DatabaseDown       // HTTP 200, status false, and what the database said
	Broken             // HTTP 500
	Overloaded         // HTTP 503
	WrongPlace         // HTTP 200 and a page of HTML
	Elsewhere          // a redirect
	Endless            // a body without end
	Hanging            // no answer until the caller goes
)

// DatabaseSaid is what DatabaseDown says in msg: nothing that anybody should repeat.
const DatabaseSaid = "Error 1045 (28000): Access denied for user 'plugnmeet'@'10.0.0.7' (using password: YES)"

// faulty answers in a's fault, unless that is about the list of active rooms.
func (a *API) faulty(w http.ResponseWriter, request *http.Request) bool {
	switch Fault(a.fault.Load()) {
	case DatabaseDown:
		a.answer(w, http.StatusOK, no("INTERNAL_SERVER_ERROR", DatabaseSaid))
	case Broken:
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
	case Overloaded:
		http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
	case WrongPlace:
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><title>Welcome</title><h1>It works!</h1>")
	case Elsewhere:
		http.Redirect(w, request, "/elsewhere"+request.URL.Path, http.StatusTemporaryRedirect)
	case Endless:
		endless(w)
	case Hanging:
		<-request.Context().Done()
	default:
		return false
	}
	return true
}

// endless writes what begins well, until nobody reads on.
func endless(w io.Writer) {
	_, err := io.WriteString(w, `{"status":true,"msg":"`)
	for chunk := bytes.Repeat([]byte("x"), 64<<10); err == nil; {
		_, err = w.Write(chunk)
	}
}

// withoutCode makes an answer one of before there were status codes.
func withoutCode(text []byte) []byte {
	head, tail, found := bytes.Cut(text, []byte(`,"status_code":"`))
	if !found {
		return text
	}
	_, tail, _ = bytes.Cut(tail, []byte(`"`))
	return append(head[:len(head):len(head)], tail...)
}
