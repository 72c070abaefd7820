package live

import (
	"context"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

const (
	fillEvery = 10                 // rounds between looks for missed files, when nothing was missed
	fillFrom  = 24 * time.Hour     // how far back is looked, when nothing was ever received
	fillSlack = time.Hour          // before the newest delivery, that may have been missed too
	fillMost  = 7 * 24 * time.Hour // how far back is looked at most
	fillRead  = 2000               // of one list, at most
	fillKnown = 100                // known ones in a row, after which no missed one is expected
)

// fillUp looks for what was missed and is over by now: sessions that began and ended, files, artifacts. It does so
// at the start, whenever a poll found something, and every so often.
func (r *Reconciler) fillUp(ctx context.Context, missed bool) error {
	if r.rounds++; !missed && r.rounds < fillEvery {
		return nil
	}
	r.rounds = 0
	now := time.Now()
	horizon, err := r.horizon(ctx, now)
	if err != nil {
		return err
	}
	until := r.last.before(now, r.Quiet) // what is newer may be on its way
	if err := r.passed(ctx, horizon, until); err != nil {
		return err
	}
	if err := r.files(ctx, horizon, until); err != nil {
		return err
	}
	return r.artifacts(ctx, horizon, until)
}

// horizon is how far back something may have been missed. After a start that is as far as the newest delivery;
// later on, what comes of a session may come a day after.
func (r *Reconciler) horizon(ctx context.Context, now time.Time) (room.Time, error) {
	last, err := r.board.record.LastReceived(ctx)
	if err != nil {
		return 0, err
	}
	from := now.Add(-fillFrom)
	if heard := last[r.source].Add(-fillSlack); !last[r.source].IsZero() && heard.Before(from) {
		from = heard
	}
	if most := now.Add(-fillMost); from.Before(most) {
		from = most
	}
	return room.At(from), nil
}

// reading bounds how much of a list is read.
type reading struct{ n, known int }

// enough counts an entry of a list, and says whether it is the last to be read.
func (g *reading) enough(known bool) bool {
	if g.n++; known {
		g.known++
	} else {
		g.known = 0
	}
	return g.n == fillRead || g.known == fillKnown
}

// passed adds sessions that began and ended while nothing was received, and tells when those were created of which that
// is not known.
func (r *Reconciler) passed(ctx context.Context, horizon, until room.Time) error {
	var g reading
	var missed, unborn []PastSession
	var stamps []stamp
	for p, err := range r.meet.Past(ctx, nil) {
		if err != nil {
			return err
		}
		known, err := r.board.known(ctx, room.Key{Source: r.source, SID: p.SID})
		if err != nil {
			return err
		}
		recent := p.Said.SID != "" && p.Ended > horizon && p.Ended < until
		switch {
		case (known.SID == "" || known.State == room.StateEnded && known.EndedAt.IsZero()) && recent:
			missed = append(missed, p)
		case known.SID != "" && !known.CreatedAt.IsZero():
			stamps = append(stamps, stamp{p.Stamped, room.At(known.CreatedAt)})
		case known.SID != "" && recent:
			unborn = append(unborn, p)
		}
		if g.enough(known.SID != "" || p.Ended != 0 && p.Ended <= horizon) {
			break
		}
	}
	for _, p := range missed {
		if at := createdAt(p.Stamped, p.Ended, stamps); at != 0 {
			p.Said.At, p.Said.CreationTime = at, at
		}
		if err := r.correct(ctx, p.Said, room.Corrected{What: room.Passed}); err != nil {
			return err
		}
	}
	for _, p := range unborn {
		at := createdAt(p.Stamped, p.Ended, stamps)
		if at == 0 {
			continue
		}
		e := room.Event{Source: r.source, SID: p.SID, RoomID: p.Said.RoomID, Kind: room.KindListed, ID: "api:created:" + p.SID,
			At: at, CreationTime: at, Title: p.Said.Title}
		if err := r.append(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// files adds recordings whose file was never told of.
func (r *Reconciler) files(ctx context.Context, horizon, until room.Time) error {
	var g reading
	for e, err := range r.meet.Files(ctx) {
		if err != nil {
			return err
		}
		known, err := r.board.known(ctx, room.Key{Source: r.source, SID: e.SID})
		if err != nil {
			return err
		}
		has := hasFile(known, e.Job.RecordID)
		if !has && e.At > horizon && e.At < until {
			if err := r.correct(ctx, e, room.Corrected{What: room.Made, Files: 1}); err != nil {
				return err
			}
		}
		if g.enough(has || e.At <= horizon) {
			return nil
		}
	}
	return nil
}

func hasFile(d room.Detail, recordID string) bool {
	for _, rec := range d.Recordings {
		if rec.RecordID == recordID {
			return rec.FilePath != ""
		}
	}
	return false
}

// artifacts adds artifacts that were never told of. plugNmeet's list of all says only of which room they are, so
// the sessions of that room are asked for one by one.
func (r *Reconciler) artifacts(ctx context.Context, horizon, until room.Time) error {
	known, missing := make(map[string]map[string]bool), make(map[string]bool)
	var g reading
	for e, err := range r.meet.Artifacts(ctx, "", "") {
		if err != nil {
			return err
		}
		if known[e.RoomID] == nil {
			if known[e.RoomID], err = r.artifactsOf(ctx, e.RoomID); err != nil {
				return err
			}
		}
		has := known[e.RoomID][e.Artifact.ID]
		if !has && e.At > horizon && e.At < until {
			missing[e.RoomID] = true
		}
		if g.enough(has || e.At <= horizon) {
			break
		}
	}
	for roomID := range missing {
		if err := r.artifactsMissed(ctx, roomID, known[roomID], horizon, until); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reconciler) artifactsOf(ctx context.Context, roomID string) (map[string]bool, error) {
	page, err := r.lists.Artifacts(ctx, room.ArtifactQuery{Source: r.source, RoomID: roomID, Limit: room.MaxLimit})
	ids := make(map[string]bool, len(page.Items))
	for _, a := range page.Items {
		ids[a.ArtifactID] = true
	}
	return ids, err
}

// fillSessions is how many sessions of a room are asked for an artifact that was missed.
const fillSessions = 5

// artifactsMissed adds the artifacts of the newest sessions of a room. A plugNmeet that does not know sids lists
// those of the whole room each time: what more than one session would have is left out.
func (r *Reconciler) artifactsMissed(ctx context.Context, roomID string, known map[string]bool, horizon, until room.Time) error {
	page, err := r.lists.Sessions(ctx, room.SessionQuery{Source: r.source, RoomID: roomID, Limit: fillSessions})
	if err != nil {
		return err
	}
	owners, found := make(map[string]int), make(map[string]room.Event)
	for _, s := range page.Items {
		for e, err := range r.meet.Artifacts(ctx, roomID, s.SID) {
			if err != nil {
				return err
			}
			if e.At <= horizon {
				break
			}
			if !known[e.Artifact.ID] && e.At < until {
				owners[e.Artifact.ID]++
				found[e.Artifact.ID] = e
			}
		}
	}
	for id, e := range found {
		if owners[id] > 1 {
			continue
		}
		if err := r.correct(ctx, e, room.Corrected{What: room.Made, Artifacts: 1}); err != nil {
			return err
		}
	}
	return nil
}

// correct records what was missed. That it was so before is no harm: its id is the same.
func (r *Reconciler) correct(ctx context.Context, e room.Event, c room.Corrected) error {
	c.Since = r.last.byPlugNmeet(r.board.checkedAt(r.source))
	e.Corrected = &c
	return r.append(ctx, e)
}
