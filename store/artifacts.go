package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// Artifacts is a page of the artifacts that q asks for, newest first. Limit and cursor are those of
// Sessions, and a text is searched as in Recordings.
func (s *SQLite) Artifacts(ctx context.Context, q room.ArtifactQuery) (room.Page[room.FiledArtifact], error) {
	done, err := s.searching(ctx, q.Text)
	if err != nil {
		return room.Page[room.FiledArtifact]{}, s.failed("list artifacts", err)
	}
	defer done()
	a, err := s.artifactsAsked(ctx, q)
	page := room.Page[room.FiledArtifact]{Items: []room.FiledArtifact{}}
	if err == nil && !a.nothing {
		page, err = list(ctx, s, &a, func(expression string) (string, []any) { return a.shelved(artifactShelf, expression) }, artifactOf)
	}
	if err != nil {
		return page, s.failed("list artifacts", err)
	}
	return page, nil
}

func artifactOf(l line) (a room.FiledArtifact, err error) {
	if a.Filed, err = headOf(l.summary); err != nil {
		return a, err
	}
	if err := json.Unmarshal(l.doc, &a.Artifact); err != nil {
		return a, fmt.Errorf("%w: an artifact: %w", errUndecodable, err)
	}
	return a, nil
}

func (s *SQLite) artifactsAsked(ctx context.Context, q room.ArtifactQuery) (a asked, err error) {
	if a, err = newAsked(markArtifacts, "r.row", q.From, q.To, q.Cursor, q.Limit); err != nil {
		return a, err
	}
	a.equal("r.room_id", q.RoomID, "artifacts_room", "room")
	a.equal("r.type", q.Type, "artifacts_type", "")
	a.equal("r.class", q.Class, "artifacts_class", "")
	a.equal("r.source", q.Source, "artifacts_source", "source")
	a.marks = append(a.marks, markOf(artifactShelf.table))
	return a, s.searchShelf(ctx, &a, q.Text, q.Titles)
}

// CountArtifacts is how many artifacts q asks for, whatever its cursor and limit; at most room.MaxCount + 1.
func (s *SQLite) CountArtifacts(ctx context.Context, q room.ArtifactQuery) (n int, err error) {
	done, err := s.searching(ctx, q.Text)
	if err != nil {
		return 0, s.failed("count artifacts", err)
	}
	defer done()
	q.Cursor = ""
	a, err := s.artifactsAsked(ctx, q)
	if err == nil && !a.nothing {
		a.byAny("r.class", "artifacts_class", room.ClassFile, room.ClassUsage)
		n, err = s.countShelf(ctx, artifactShelf, &a)
	}
	if err != nil {
		return 0, s.failed("count artifacts", err)
	}
	return n, nil
}

// Usage is what was used up at or after since, by day (UTC) and unit, the oldest day first.
func (s *SQLite) Usage(ctx context.Context, since time.Time) ([]room.UsageDay, error) {
	days, err := s.usage(ctx, since)
	if err != nil {
		return nil, s.failed("sum up usage", err)
	}
	return days, nil
}

const usedSince = " FROM artifacts INDEXED BY artifacts_usage WHERE class = 'usage' AND day >= ? AND row >= ?"

// sinceArgs are the arguments of usedSince.
func sinceArgs(since time.Time) []any {
	place := firstPlace(ceilMS(since))
	return []any{(place >> placeBits) / dayMS, place}
}

func (s *SQLite) usage(ctx context.Context, since time.Time) (days []room.UsageDay, err error) {
	rows, err := s.reads.QueryContext(ctx, "SELECT day, unit, CAST(total(total) AS INTEGER), total(cost), count(*), sum(cost = 0)"+usedSince+
		" GROUP BY day, unit ORDER BY day, unit", sinceArgs(since)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var u room.UsageDay
		var day int64
		if err := rows.Scan(&day, &u.Unit, &u.Total, &u.Cost, &u.Records, &u.Unpriced); err != nil {
			return nil, err
		}
		u.Day = time.UnixMilli(day * dayMS).UTC()
		days = append(days, u)
	}
	return days, rows.Err()
}

// CostliestRooms are the rooms whose usage at or after since is estimated to cost most, the greatest cost
// first: those that cost anything, and at most so many.
func (s *SQLite) CostliestRooms(ctx context.Context, since time.Time, most int) ([]room.RoomCost, error) {
	rooms, err := s.costliest(ctx, since, most)
	for i := 0; err == nil && i < len(rooms); i++ {
		rooms[i].Filed, err = s.newest(ctx, rooms[i].Source, rooms[i].RoomID)
	}
	if err != nil {
		return nil, s.failed("find the costliest rooms", err)
	}
	return rooms, nil
}

func (s *SQLite) costliest(ctx context.Context, since time.Time, most int) (costs []room.RoomCost, err error) {
	rows, err := s.reads.QueryContext(ctx, "SELECT source, room_id, sum(cost) AS cost"+usedSince+
		" GROUP BY source, room_id HAVING sum(cost) > 0 ORDER BY 3 DESC, source, room_id LIMIT ?", append(sinceArgs(since), max(0, most))...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c room.RoomCost
		if err := rows.Scan(&c.Source, &c.RoomID, &c.Cost); err != nil {
			return nil, err
		}
		costs = append(costs, c)
	}
	return costs, rows.Err()
}

// newest is the newest session of a room that had artifacts, or only its name when retention came first.
func (s *SQLite) newest(ctx context.Context, source, roomID string) (room.Filed, error) {
	a := asked{limit: 1}
	a.where.add("s.room_id = ? AND s.source = ?", roomID, source)
	a.index = "sessions_room"
	page, err := list(ctx, s, &a, a.sessions, func(l line) (room.Filed, error) { return headOf(l.summary) })
	if err != nil || len(page.Items) == 0 {
		return room.Filed{Source: source, RoomID: roomID}, err
	}
	return page.Items[0], nil
}
