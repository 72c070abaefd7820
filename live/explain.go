package live

import (
	"context"

	"github.com/roomwatch/roomwatch/room"
)

// mostExplained is how many sessions that are not in memory are read to explain one list.
const mostExplained = 20

// Explain adds to the reason of deliveries that they are left out of what is shown, and why. That is found out when they
// are listed, not when they come: what comes later may be the evidence, or take it away.
func (b *Board) Explain(ctx context.Context, list []room.Delivery) error {
	judges := make(map[room.Key]room.Stragglers)
	read := 0
	for i := range list {
		d := &list[i]
		if d.Said == nil || d.SID == "" {
			continue
		}
		key := room.Key{Source: d.Source, SID: d.SID}
		judge, known := judges[key]
		if !known {
			s, held := b.suspect(key)
			if s == nil && !held && read < mostExplained {
				read++
				stored, err := b.record.Load(ctx, key)
				if err == nil {
					s = stored
				} else if ctx.Err() != nil {
					return ctx.Err()
				}
			}
			if s == nil {
				s = room.New(key)
			}
			judge = s.Stragglers()
			judges[key] = judge
		}
		if why := judge.Why(*d.Said); why != "" {
			if d.Reason != "" {
				d.Reason += "; "
			}
			d.Reason += "left out: " + why
		}
	}
	return nil
}

// suspect is a copy of a session in memory of which something is left out, nil if nothing is; and whether it is in memory.
func (b *Board) suspect(key room.Key) (s *room.Session, held bool) {
	b.catchUp()
	b.mu.RLock()
	defer b.mu.RUnlock()
	e := b.sessions[key]
	if e != nil && e.summary.LeftOut > 0 {
		s = e.session.Clone()
	}
	return s, e != nil
}

// LeftOut is how many connections, tracks, starts and ends of the sessions in memory are left out, by source.
func (b *Board) LeftOut(source string) (n int) {
	b.catchUp()
	b.mu.RLock()
	defer b.mu.RUnlock()
	for key, e := range b.sessions {
		if key.Source == source {
			n += e.summary.LeftOut
		}
	}
	return n
}
