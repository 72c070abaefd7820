package live

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// Lists is what views ask of the record beyond the present. It is an interface because there are several
// stores, and because live must not know them. Every list is newest first; what a method takes and
// returns is told where its types are.
type Lists interface {
	Sessions(ctx context.Context, q room.SessionQuery) (room.Page[room.Summary], error)
	Recordings(ctx context.Context, q room.RecordingQuery) (room.Page[room.FiledRecording], error)
	Artifacts(ctx context.Context, q room.ArtifactQuery) (room.Page[room.FiledArtifact], error)
	Deliveries(ctx context.Context, q room.DeliveryQuery) (room.Page[room.Delivery], error)

	CountSessions(ctx context.Context, q room.SessionQuery) (int, error)
	CountRecordings(ctx context.Context, q room.RecordingQuery) (int, error)
	CountArtifacts(ctx context.Context, q room.ArtifactQuery) (int, error)

	RecordingCounts(ctx context.Context, since time.Time) ([]room.RecordingCount, error)
	Usage(ctx context.Context, since time.Time) ([]room.UsageDay, error)
	CostliestRooms(ctx context.Context, since time.Time, most int) ([]room.RoomCost, error)
	Intake(ctx context.Context, since time.Time) ([]room.IntakeCount, error)
	Refusals(ctx context.Context, since time.Time) ([]room.RefusalCount, error)
}

const (
	askTime    = 4 * time.Second // for a question to the record
	usageDays  = 14              // of usage and cost that are drawn
	roomsNamed = 5               // of those that cost most
)

// asksRecord says whether a question may have to wait for the record. The overview never has to, nor a frame: but for
// one of a room of which nothing is in memory.
func (h *Hub) asksRecord(q Question) bool {
	label, _ := q.List.(Label)
	switch q.Name {
	case viewOverview, viewEmbed:
		return false
	case viewEmbedRoom:
		return !h.board.knowsRoom(roomKey{q.For.Frame, string(label)})
	}
	return true
}

// ask answers a question as things are now, with the seq that the answer is of.
func (h *Hub) ask(ctx context.Context, q Question, r *roster) (Model, uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	if _, framed := q.Framed(); framed {
		return h.embed(ctx, q)
	}
	seq := h.board.Seq() // before the record is asked: it may already know more, never less
	var model Model
	var err error
	switch list := q.List.(type) {
	case room.SessionQuery:
		model, err = h.sessions(ctx, list)
	case room.RecordingQuery:
		model, err = h.recordings(ctx, list, q.For)
	case room.ArtifactQuery:
		model, err = h.artifacts(ctx, list, q.For)
	case room.DeliveryQuery:
		model, err = h.intake(ctx, list, q.For)
	case RoomQuery:
		o, seq := h.board.overview(list, r)
		h.fillRail(&o)
		return o, seq, nil
	default:
		return h.room(ctx, q)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("ask for %s: %w", q.Name, err)
	}
	return model, seq, nil
}

// thisMinute is the clock of pages: what depends on it changes once a minute.
func thisMinute() time.Time { return time.Now().UTC().Truncate(time.Minute) }

func (h *Hub) sessions(ctx context.Context, q room.SessionQuery) (m Sessions, err error) {
	m = Sessions{Query: q, Minute: thisMinute(), Sources: h.board.Sources(), AlarmCount: len(h.board.Alarms()), AsOf: h.board.AsOf(), Day: h.board.Samples(sampledFor),
		Gaps: h.board.Gaps("", time.Now().Add(-sampledFor), time.Time{})}
	if m.Page, err = h.lists.Sessions(ctx, q); err != nil {
		return m, err
	}
	m.Matches, err = h.lists.CountSessions(ctx, q)
	return m, err
}

func (h *Hub) recordings(ctx context.Context, q room.RecordingQuery, who Audience) (m Recordings, err error) {
	m = Recordings{Query: q, NoFiles: who.NoFiles, Minute: thisMinute(), Sources: h.board.Sources(), AlarmCount: len(h.board.Alarms()), AsOf: h.board.AsOf()}
	page, err := h.lists.Recordings(ctx, q)
	if err != nil {
		return m, err
	}
	m.Rows, m.Next, m.FileDue = h.recordingRows(page.Items, m.Minute), page.Next, h.limits.FileDue
	if m.Matches, err = h.lists.CountRecordings(ctx, q); err != nil {
		return m, err
	}
	m.Counts, err = h.lists.RecordingCounts(ctx, m.Minute.Add(-24*time.Hour))
	return m, err
}

func (h *Hub) artifacts(ctx context.Context, q room.ArtifactQuery, who Audience) (m Artifacts, err error) {
	m = Artifacts{Query: q, NoFiles: who.NoFiles, Minute: thisMinute(), Sources: h.board.Sources(), AlarmCount: len(h.board.Alarms()), AsOf: h.board.AsOf()}
	if m.Page, err = h.lists.Artifacts(ctx, q); err != nil {
		return m, err
	}
	h.maskArtifacts(m.Page.Items, who)
	if m.Matches, err = h.lists.CountArtifacts(ctx, q); err != nil {
		return m, err
	}
	today := m.Minute.Truncate(24 * time.Hour)
	if m.Days, err = h.lists.Usage(ctx, today.AddDate(0, 0, 1-usageDays)); err != nil {
		return m, err
	}
	m.Costliest, err = h.lists.CostliestRooms(ctx, today, roomsNamed)
	return m, err
}

// maskArtifacts masks whose usage artifacts tell, for those who see masked names.
func (h *Hub) maskArtifacts(artifacts []room.FiledArtifact, who Audience) {
	if !who.Masked {
		return
	}
	for i := range artifacts {
		a := &artifacts[i]
		a.Artifact = h.mask.Artifact(a.Source, a.SID, a.Artifact)
	}
}

func (h *Hub) intake(ctx context.Context, q room.DeliveryQuery, who Audience) (m Intake, err error) {
	m = Intake{Query: q, Minute: thisMinute(), Sources: h.board.Sources(), AlarmCount: len(h.board.Alarms()), AsOf: h.board.AsOf()}
	if m.Rows, m.Next, err = h.deliveries(ctx, q); err != nil {
		return m, err
	}
	withoutBodies(m.Rows, who)
	hourAgo := m.Minute.Add(-time.Hour)
	if m.Counts, err = h.lists.Intake(ctx, hourAgo); err != nil {
		return m, err
	}
	if m.Refusals, err = h.lists.Refusals(ctx, hourAgo); err != nil {
		return m, err
	}
	m.Corrections, _, err = h.deliveries(ctx, room.DeliveryQuery{Event: room.EventCorrection, Limit: room.MaxLimit})
	m.Corrections = slices.DeleteFunc(m.Corrections, func(d DeliveryRow) bool { return d.ReceivedAt.Before(hourAgo) })
	return m, err
}

// deliveries are rows without their bodies: those are asked for one by one, and may be large.
func (h *Hub) deliveries(ctx context.Context, q room.DeliveryQuery) (rows []DeliveryRow, next string, err error) {
	page, err := h.lists.Deliveries(ctx, q)
	if err != nil {
		return nil, "", err
	}
	rows = make([]DeliveryRow, 0, len(page.Items))
	for _, d := range page.Items {
		row := DeliveryRow{Delivery: d, HasBody: d.Body != nil}
		row.Body = nil
		if d.SID != "" {
			key := room.Key{Source: d.Source, SID: d.SID}
			row.Name = h.board.Name(key)
			if d.Event == room.EventCorrection {
				row.TakenBack = h.board.takenBack(key, d.ID)
			}
		}
		rows = append(rows, row)
	}
	return rows, page.Next, nil
}

// withoutBodies leaves out what deliveries said, and that there is more of it, for those who must not see that.
func withoutBodies(rows []DeliveryRow, who Audience) {
	for i := range rows {
		if who.NoBodies {
			rows[i].HasBody, rows[i].Said = false, nil
		}
	}
}

// room is the page of one session, with the newest of its deliveries.
func (h *Hub) room(ctx context.Context, q Question) (Model, uint64, error) {
	r, seq := h.board.room(q.Key)
	r.Span, r.Minute, r.For = q.Span, thisMinute(), q.For
	if r.Detail == nil {
		return r, seq, nil
	}
	if q.For.Masked {
		masked := h.mask.Detail(*r.Detail)
		r.Detail = &masked
	}
	err := h.kin(ctx, &r)
	if err != nil {
		return nil, 0, fmt.Errorf("ask for a room's breakouts: %w", err)
	}
	if q.For.NoDeliveries {
		return r, seq, nil
	}
	r.Deliveries, r.More, err = h.deliveries(ctx, room.DeliveryQuery{Source: q.Key.Source, SID: q.Key.SID, Limit: roomDeliveries})
	if err != nil {
		return nil, 0, fmt.Errorf("ask for a room's deliveries: %w", err)
	}
	withoutBodies(r.Deliveries, q.For)
	return r, seq, nil
}

// mostBreakouts is how many breakout rooms of a session are listed.
const mostBreakouts = 50

// kin adds the parent and the breakout rooms that ended long ago and are in memory no longer. plugNmeet
// names a parent by its room_id, so it is the newest session of that which had begun by then.
func (h *Hub) kin(ctx context.Context, r *Room) error {
	d := r.Detail
	if d.ParentRoomID != "" && r.Parent == nil {
		page, err := h.lists.Sessions(ctx, room.SessionQuery{Source: d.Source, RoomID: d.ParentRoomID, To: d.Begin().Add(time.Millisecond), Limit: 1})
		if err != nil {
			return err
		}
		if len(page.Items) > 0 {
			r.Parent = &page.Items[0]
		}
	}
	page, err := h.lists.Sessions(ctx, room.SessionQuery{Source: d.Source, Parent: d.RoomID, From: d.Begin(), To: d.EndedAt, Limit: mostBreakouts})
	if err != nil {
		return err
	}
	// One that began before this session and still ran then is of the session before.
	page.Items = slices.DeleteFunc(page.Items, func(b room.Summary) bool { return b.Begin().Before(d.Begin()) })
	known := make(map[string]bool, len(r.Breakouts))
	for _, b := range r.Breakouts {
		known[b.SID] = true
	}
	for i := range page.Items {
		if b := &page.Items[i]; !known[b.SID] {
			r.Breakouts = append(r.Breakouts, b)
		}
	}
	slices.SortFunc(r.Breakouts, byName)
	return nil
}

// roomDeliveries is how many of a session's deliveries its page lists; the others are on the intake page.
const roomDeliveries = 25
