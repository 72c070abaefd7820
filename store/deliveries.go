package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"math"

	"github.com/roomwatch/roomwatch/room"
)

// Deliveries is a page of the deliveries that q asks for, newest first: entries of the record with their
// position, body and what they say, among notes, which have none of these. What our own checks find as it was known
// is listed only to who asks for that event. Limit and cursor are those of Sessions.
//
// From and To are found as fast as a position is, and then by what is received around them.
func (s *SQLite) Deliveries(ctx context.Context, q room.DeliveryQuery) (room.Page[room.Delivery], error) {
	page, err := s.deliveries(ctx, q)
	if err != nil {
		return page, s.failed("list deliveries", err)
	}
	return page, nil
}

const (
	noteColumns     = "received_at, source, id, event, room_id, sid, verdict, reason, lag_ms, code, NULL, NULL"
	deliveryColumns = "received_at, source, id, event, room_id, sid, verdict, reason, lag_ms, '', body, said"
)

// deliveries merges two lists, each in the order of its own table: positions grow with the time of
// receipt closely enough, and no index on that time has to be kept while deliveries come in.
func (s *SQLite) deliveries(ctx context.Context, q room.DeliveryQuery) (page room.Page[room.Delivery], err error) {
	page.Items = []room.Delivery{}
	at, err := parseMark(q.Cursor)
	if err != nil {
		return page, err
	}
	limit := limitOf(q.Limit)
	within := span{math.MinInt64, at.position}
	if !q.From.IsZero() || !q.To.IsZero() {
		first, last, err := s.receivedWithin(ctx, q.From, q.To)
		if err != nil {
			return page, err
		}
		within = span{first, min(within.to, last+1)}
	}
	var recorded, noted []placed
	if q.Verdict == "" || q.Verdict.Recorded() {
		recorded, err = s.listed(ctx, "SELECT position, "+deliveryColumns+" FROM deliveries "+goingFor(q)+quietEvents(q), "position", within, limit, q)
	}
	if err == nil && (q.Verdict == "" || !q.Verdict.Recorded()) {
		noted, err = s.listed(ctx, "SELECT row, "+noteColumns+" FROM notes WHERE", "row", span{math.MinInt64, at.note}, limit, q)
	}
	if err != nil {
		return page, err
	}
	if len(recorded) > 0 {
		at.position = recorded[0].place + 1 // nothing that comes above from now on is of this list
	}
	if len(noted) > 0 {
		at.note = noted[0].place + 1
	}
	for len(page.Items) < limit && len(recorded)+len(noted) > 0 {
		if len(noted) == 0 || len(recorded) > 0 && !recorded[0].ReceivedAt.Before(noted[0].ReceivedAt) {
			at.position, recorded[0].Position = recorded[0].place, formatPosition(recorded[0].place)
			page.Items, recorded = append(page.Items, recorded[0].Delivery), recorded[1:]
		} else {
			at.note = noted[0].place
			page.Items, noted = append(page.Items, noted[0].Delivery), noted[1:]
		}
	}
	if len(recorded)+len(noted) > 0 {
		page.Next = at.String()
	}
	return page, nil
}

// What partial indexes leave out, as the schema says it: SQLite must find it in the query, word for word.
const (
	uncommonVerdict = " verdict <> 'accepted'"
	uncommonEvent   = " event NOT IN ('participant_joined', 'participant_left', 'track_published', 'track_unpublished')"
)

func commonEvent(name string) bool {
	switch name {
	case "participant_joined", "participant_left", "track_published", "track_unpublished":
		return true
	}
	return false
}

// quietEvents leaves out what Roomwatch records with every poll, unless it is asked for.
func quietEvents(q room.DeliveryQuery) string {
	if q.Event != "" {
		return ""
	}
	return " event NOT IN ('" + room.EventListed + "', '" + room.EventPolled + "') AND"
}

// goingFor goes by the index that finds least, or through the list where what is asked for is common.
//
// A room_id has no index: it would be written with every delivery. So a room of which nothing was heard
// for long is looked for through the whole list, for as long as ctx allows; a session (sid) is found at once.
func goingFor(q room.DeliveryQuery) string {
	switch {
	case q.SID != "":
		return "INDEXED BY deliveries_session WHERE"
	case q.Verdict != "" && q.Verdict != room.Accepted:
		return "INDEXED BY deliveries_verdict WHERE" + uncommonVerdict + " AND"
	case q.Event != "" && !commonEvent(q.Event):
		return "INDEXED BY deliveries_event WHERE" + uncommonEvent + " AND"
	}
	return "NOT INDEXED WHERE"
}

// placed is a delivery and its row in its table.
type placed struct {
	room.Delivery
	place int64
}

func (s *SQLite) listed(ctx context.Context, query, key string, within span, limit int, q room.DeliveryQuery) (out []placed, err error) {
	var where conditions
	where.add(key+" >= ? AND "+key+" < ?", within.from, within.to)
	if !q.From.IsZero() {
		where.add("received_at >= ?", int64(ceilMS(q.From)))
	}
	if !q.To.IsZero() {
		where.add("received_at < ?", int64(ceilMS(q.To)))
	}
	for _, c := range [][2]string{{"verdict", string(q.Verdict)}, {"source", q.Source}, {"event", q.Event}, {"room_id", q.RoomID}, {"sid", q.SID}} {
		if c[1] != "" {
			where.add(c[0]+" = ?", c[1])
		}
	}
	rows, err := s.reads.QueryContext(ctx, query+" "+where.text()+" ORDER BY "+key+" DESC LIMIT ?", append(where.args, limit+1)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		d, err := scanPlaced(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

// scanPlaced reads a row: first what before asks for, then its number and the columns of a delivery.
func scanPlaced(rows *sql.Rows, before ...any) (d placed, err error) {
	var received room.Time
	var body, said []byte
	if err := rows.Scan(append(before, &d.place, &received, &d.Source, &d.ID, &d.Event, &d.RoomID, &d.SID, &d.Verdict, &d.Reason, &d.LagMS, &d.Code, &body, &said)...); err != nil {
		return d, err
	}
	d.ReceivedAt = received.Time()
	if said != nil {
		_, err = unfold(&d.Delivery, said, body)
	}
	return d, err
}

// Delivery is the entry at a position, with its body while that is kept; ErrNotFound when there is none.
func (s *SQLite) Delivery(ctx context.Context, position string) (room.Delivery, error) {
	d, err := s.delivery(ctx, position)
	if err != nil {
		return room.Delivery{}, s.failed("read delivery", err)
	}
	return d, nil
}

func (s *SQLite) delivery(ctx context.Context, position string) (room.Delivery, error) {
	at, err := parsePosition(position)
	if err != nil || formatPosition(at) != position {
		return room.Delivery{}, ErrNotFound
	}
	rows, err := s.reads.QueryContext(ctx, "SELECT position, "+deliveryColumns+" FROM deliveries WHERE position = ?", at)
	if err != nil {
		return room.Delivery{}, err
	}
	defer rows.Close()
	if !rows.Next() {
		return room.Delivery{}, cmp.Or(rows.Err(), ErrNotFound)
	}
	d, err := scanPlaced(rows)
	d.Position = formatPosition(d.place)
	return d.Delivery, err
}

// mark is how far a list of deliveries was read, in either table.
type mark struct{ position, note int64 }

// markVersion is the first byte of every mark; it differs from those of the other lists' cursors.
const markVersion = 2

func (m mark) String() string {
	b := binary.AppendVarint(binary.AppendVarint([]byte{markVersion}, m.position), m.note)
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseMark(text string) (m mark, err error) {
	if text == "" {
		return mark{math.MaxInt64, math.MaxInt64}, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) == 0 || b[0] != markVersion {
		return m, ErrBadCursor
	}
	position, n := binary.Varint(b[1:])
	if n <= 0 {
		return m, ErrBadCursor
	}
	note, k := binary.Varint(b[1+n:])
	if k <= 0 || 1+n+k != len(b) {
		return m, ErrBadCursor
	}
	return mark{position, note}, nil
}
