package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// The names of the views in frames. Whose rooms they show says the audience (Audience.Frame).
const (
	viewEmbed     = "embed"
	viewEmbedRoom = "embed-room"
)

// Label is the room_id of the room that a frame shows. It is the list of such a question.
type Label string

// EmbedRoom is one room in a frame: its newest session.
type EmbedRoom struct {
	RoomID string
	Detail *room.Detail // nil when no session of the room is known
	Hour   Hour         // of a session that goes on
}

// EmbedRooms are the rooms of one source in a frame, as many as a panel can hold, the fullest first.
type EmbedRooms struct {
	Source string
	Totals room.Totals
	Rows   []Row
	All    int // rooms, shown or not
}

func (EmbedRoom) model()  {}
func (EmbedRooms) model() {}

// maxEmbedded is how many rooms a frame lists.
const maxEmbedded = 100

// EmbedView is the name of the view that a frame shows: all rooms of its source or, by its room_id, one.
func EmbedView(roomID string) string {
	if roomID == "" {
		return viewEmbed
	}
	return viewEmbedRoom + ":" + roomID
}

// parseEmbed reads the name of a view in a frame.
func parseEmbed(name string) (q Question, ok bool) {
	if name == viewEmbed {
		return Question{Name: viewEmbed}, true
	}
	roomID, ok := strings.CutPrefix(name, viewEmbedRoom+":")
	return Question{Name: viewEmbedRoom, List: Label(roomID)}, ok && roomID != "" && len(roomID) <= 256
}

// Framed says whether the question is asked in a frame, and of which room; "" is all of them.
func (q Question) Framed() (roomID string, framed bool) {
	label, _ := q.List.(Label)
	return string(label), q.Name == viewEmbed || q.Name == viewEmbedRoom
}

// embed answers a frame. It knows nothing but the source that the frame is bound to.
func (h *Hub) embed(ctx context.Context, q Question) (Model, uint64, error) {
	label, framed := q.List.(Label)
	if q.For.Frame == "" {
		return nil, 0, ErrNoView
	}
	if !framed {
		m, seq := h.board.embedRooms(q.For.Frame)
		return m, seq, nil
	}
	m, seq := h.board.embedRoom(roomKey{q.For.Frame, string(label)})
	if m.Detail == nil {
		if err := h.lastOf(ctx, q.For.Frame, &m); err != nil {
			return nil, 0, fmt.Errorf("ask for the last session of a room: %w", err)
		}
	}
	if m.Detail != nil && q.For.Masked {
		masked := h.mask.Detail(*m.Detail)
		m.Detail = &masked
	}
	return m, seq, nil
}

// lastOf finds a room's last session in the record, when none is in memory.
func (h *Hub) lastOf(ctx context.Context, source string, m *EmbedRoom) error {
	page, err := h.lists.Sessions(ctx, room.SessionQuery{Source: source, RoomID: m.RoomID, Limit: 1})
	if err != nil || len(page.Items) == 0 {
		return err
	}
	d, err := h.board.Detail(ctx, source, page.Items[0].SID)
	switch {
	case errors.Is(err, room.ErrNotFound):
		return nil
	case err == nil && d.RoomID == m.RoomID:
		m.Detail = &d
	}
	return err
}

// knowsRoom says whether a session of a room is in memory.
func (b *Board) knowsRoom(rk roomKey) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return len(b.rooms[rk]) > 0
}

// embedRoom is the newest session of a room among those in memory.
func (b *Board) embedRoom(rk roomKey) (EmbedRoom, uint64) {
	b.catchUp()
	b.mu.RLock()
	defer b.mu.RUnlock()
	m := EmbedRoom{RoomID: rk.roomID}
	var newest *entry
	for _, e := range b.rooms[rk] {
		if newest == nil || newer(e.summary, newest.summary) {
			newest = e
		}
	}
	if newest != nil {
		d := newest.session.Detail()
		newest.vouch(&d, ahead(b.clocks[newest.summary.Source].known().LiveKit()))
		m.Detail, m.Hour = &d, newest.lately.hour(time.Now())
		m.Hour.Missed = missedIn(m.Hour, b.gapsIn(rk.source, time.Now().Add(-time.Hour), time.Time{}), time.Now())
	}
	return m, b.seq
}

// newer: what goes on comes before what has ended, then what began later.
func newer(x, y *room.Summary) bool {
	if ended := x.State == room.StateEnded; ended != (y.State == room.StateEnded) {
		return !ended
	}
	if at := x.Begin().Compare(y.Begin()); at != 0 {
		return at > 0
	}
	return x.SID > y.SID
}

// embedRooms are the rooms of one source that go on.
func (b *Board) embedRooms(source string) (EmbedRooms, uint64) {
	b.catchUp()
	m := EmbedRooms{Source: source}
	var sums []*room.Summary
	b.mu.RLock()
	seq := b.seq
	for _, e := range b.open {
		if e.summary.Source == source {
			sums = append(sums, e.summary)
			m.Totals.Count(e.summary, +1)
		}
	}
	b.mu.RUnlock()
	m.All = len(sums)
	m.Rows = firstRows(sums)
	b.fillHours(m.Rows, time.Now())
	return m, seq
}

// firstRows are the busiest rooms, breakouts under their parent.
func firstRows(sums []*room.Summary) []Row {
	q, parents := RoomQuery{Page: 1}, make(map[roomKey]bool)
	var tops, breakouts []*room.Summary
	for _, s := range sums {
		if s.ParentRoomID != "" {
			breakouts = append(breakouts, s)
			continue
		}
		tops, parents[roomKey{s.Source, s.RoomID}] = append(tops, s), true
	}
	slices.SortFunc(tops, q.order())
	slices.SortFunc(breakouts, q.order())
	rows, _, _, _ := q.cut(tops, breakouts, func(parent roomKey) bool { return parents[parent] })
	return rows[:min(len(rows), maxEmbedded)]
}
