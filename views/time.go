package views

import (
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/roomwatch/roomwatch/room"
)

// stamp is the machine's form of a moment, with the milliseconds that are known.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999Z") }

// utc is a moment in words, which is what a page says without JavaScript. Its line break is a space but
// in narrow columns.
func utc(t time.Time) string { return t.UTC().Format("2006-01-02\n15:04:05 UTC") }

// length is a finished span: 6m, 1h 08m, 2d 03h. The browser writes ages in the same manner.
func length(d time.Duration) string {
	minutes := int(d / time.Minute)
	switch hours := minutes / 60; {
	case minutes < 1:
		return "<1m"
	case hours < 1:
		return fmt.Sprintf("%dm", minutes)
	case hours < 24:
		return fmt.Sprintf("%dh %02dm", hours, minutes%60)
	default:
		return fmt.Sprintf("%dd %02dh", hours/24, hours%24)
	}
}

// between is the length from a to b, "" unless both are known.
func between(a, b time.Time) string {
	if a.IsZero() || b.IsZero() || b.Before(a) {
		return ""
	}
	return length(b.Sub(a))
}

// running is since when a session goes on: created, or started when that is not known.
func running(h room.Head) time.Time {
	if !h.CreatedAt.IsZero() {
		return h.CreatedAt
	}
	return h.StartedAt
}

// heard is when a session was last known to be as it is shown: when it was confirmed, where it is, else when its
// last delivery came.
func heard(h room.Head) time.Time {
	if h.LastEventAt.IsZero() || h.State != room.StateEnded && h.Trust != room.TrustUnconfirmed && !h.VerifiedAt.IsZero() {
		return h.VerifiedAt
	}
	return h.LastEventAt
}

// since is when the participant came: on the connection that is open or, when none is known, with the
// first track that is.
func since(p room.Participant) time.Time {
	for _, c := range p.Connections {
		if c.Open {
			return c.JoinedAt
		}
	}
	for _, t := range p.Tracks {
		if t.Open {
			return t.PublishedAt
		}
	}
	return time.Time{}
}

// stayed is how long somebody who left was here, over all connections; time on two at once counts once.
// Connections are in the order of joining.
func stayed(p room.Participant) time.Duration {
	var total time.Duration
	var until time.Time
	for _, c := range p.Connections {
		from := c.JoinedAt
		if from.IsZero() || from.Before(until) {
			from = until
		}
		if !from.IsZero() && c.LeftAt.After(from) {
			total += c.LeftAt.Sub(from)
		}
		if c.LeftAt.After(until) {
			until = c.LeftAt
		}
	}
	return total
}

// last is the connection that closed last.
func last(p room.Participant) (c room.Connection) {
	for _, other := range p.Connections {
		if c.SID == "" || other.LeftAt.After(c.LeftAt) {
			c = other
		}
	}
	return c
}

// cut bounds what people typed, so that a row stays a row. Style sheets do the visible shortening.
func cut(s string, runes int) string {
	if utf8.RuneCountInString(s) <= runes {
		return s
	}
	n := 0
	for i := range s {
		if n == runes {
			return s[:i] + "…"
		}
		n++
	}
	return s
}
