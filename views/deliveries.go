package views

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"

	"github.com/a-h/templ"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// deliveryView is what the row of a delivery depends on.
type deliveryView struct {
	position, event, reason, eventID string
	received                         room.Time
	verdict                          room.Verdict
	lag                              int64
	hasBody                          bool
	said                             told
	sign                             sign // of the verdict or, of an entry of our own, whose it is
	inRoom                           bool

	// of all rooms
	name, sid, source string
}

// deliveryElements are deliveries as rows of the table "deliveries", each a body of its own: the facts and,
// below, room for the payload. Those of one room (inRoom) have no columns for source and room.
func deliveryElements(rows []live.DeliveryRow, inRoom bool) []live.Element {
	return deliveriesOf(rows, inRoom, nil)
}

// deliveriesOf also knows people by their identities.
func deliveriesOf(rows []live.DeliveryRow, inRoom bool, names map[string]string) []live.Element {
	out := make([]live.Element, 0, len(rows))
	ids := make(map[string]int)
	for _, d := range rows {
		id := deliveryID(d.Delivery)
		if ids[id]++; ids[id] > 1 {
			id = fmt.Sprint(id, "-", ids[id])
		}
		out = append(out, element(id, "deliveries", viewOf(d, inRoom, names), deliveryRow))
	}
	return out
}

func viewOf(d live.DeliveryRow, inRoom bool, names map[string]string) deliveryView {
	v := deliveryView{position: d.Position, event: d.Event, reason: d.Reason, eventID: d.ID, received: room.At(d.ReceivedAt),
		verdict: d.Verdict, lag: d.LagMS, hasBody: d.HasBody && d.Position != "", inRoom: inRoom}
	v.sign = signOfDelivery(d.Delivery)
	if d.Verdict.Recorded() {
		v.said = tellOf(d.Said, names)
	}
	if d.Said != nil && d.Said.Kind.Own() {
		v.eventID = ""
		if v.said.what == v.reason {
			v.reason = ""
		}
	}
	if !inRoom {
		v.name, v.sid, v.source = d.Name, d.SID, d.Source
	}
	return v
}

// deliveryID names the row of a delivery. Notes have no position: what they are is hashed.
func deliveryID(d room.Delivery) string {
	if d.Position != "" {
		return "delivery-" + d.Position
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q%q%q%q%q%q", d.Source, d.ID, d.Reason, d.Event, d.SID, d.Verdict))
	return fmt.Sprint("note-", d.ReceivedAt.UnixMilli(), "-", hex.EncodeToString(sum[:4]))
}

// namesOf are the names of those who have one, by their identities.
func namesOf(participants []room.Participant) map[string]string {
	names := make(map[string]string, len(participants))
	for _, p := range participants {
		if p.Name != "" {
			names[p.Identity] = p.Name
		}
	}
	return names
}

func roomDeliveryElements(m live.Room) []live.Element {
	out := deliveriesOf(m.Deliveries, true, namesOf(m.Detail.Participants))
	if len(out) == 0 {
		return []live.Element{element("deliveries-none", "deliveries", "No delivery of this session is kept.", noDelivery)}
	}
	return append(out, element("deliveries-all", "deliveries-more", allDeliveries{m.Detail.Key(), m.More != ""}, allDeliveriesLink))
}

// allDeliveries leads to the deliveries of one session.
type allDeliveries struct {
	key  room.Key
	more bool // than are listed here
}

func (a allDeliveries) url() templ.SafeURL {
	q := room.DeliveryQuery{SID: a.key.SID}
	if a.key.Source != "default" {
		q.Source = a.key.Source
	}
	return templ.URL("/intake?" + q.Values().Encode())
}

func (a allDeliveries) word() string {
	if a.more {
		return "All deliveries of this session"
	}
	return "Open in Intake"
}

func payloadURL(position string) templ.SafeURL {
	return templ.URL("/intake/" + url.PathEscape(position))
}
