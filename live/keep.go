package live

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

const (
	keepEnded = time.Hour              // how long an ended session stays in memory after it was last used
	maxEnded  = 5_000                  // of which more are let go sooner
	saveEvery = 500 * time.Millisecond // so that lists from the store lag the board by less than a second
	loadTime  = 10 * time.Second

	sampledFor = 24 * time.Hour // the totals of every minute are kept in memory
)

// Run folds the record until ctx ends, from the checkpoint on, and keeps saving what it learns. It ends
// with a last save, so that the next start has little to replay.
func (b *Board) Run(ctx context.Context) error {
	if err := b.restore(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // closed before it was ready: nothing was folded
		}
		return err
	}
	saved := make(chan struct{})
	go func() {
		defer close(saved)
		b.saveRegularly(ctx)
	}()
	b.follow(ctx)
	<-saved
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTime)
	defer cancel()
	return b.save(last)
}

// restore reads the checkpoint and then the documents, which were written before it.
func (b *Board) restore(ctx context.Context) error {
	checkpoint, err := b.record.Checkpoint(ctx)
	if err != nil {
		return err
	}
	end, err := b.record.End(ctx)
	if err != nil {
		return err
	}
	last, err := b.record.LastReceived(ctx)
	if err != nil {
		return err
	}
	samples, err := b.record.Samples(ctx, time.Now().Add(-sampledFor))
	if err != nil {
		return err
	}
	err = b.record.Recent(ctx, time.Now().Add(-keepEnded), func(s *room.Session) error {
		b.place(s, nil, true)
		return nil
	})
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last, b.position, b.saved, b.samples = last, checkpoint, checkpoint, samples
	if end != checkpoint {
		b.goal = end
	}
	b.seq++
	b.filed = b.seq
	b.arrive()
	return nil
}

// follow folds what the record yields. When the record fails it says so and goes on from where it was.
func (b *Board) follow(ctx context.Context) {
	for ctx.Err() == nil {
		err := b.record.Follow(ctx, b.Position(), func(batch []room.Delivery) error { return b.fold(ctx, batch) })
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, room.ErrReload) {
			if err = b.reread(ctx); err == nil {
				continue
			}
		}
		b.log.Error("following the record failed, trying again", "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// reread merges the documents into memory, which have changed beneath it. The epoch is another then, so
// that every viewer gets its page whole.
func (b *Board) reread(ctx context.Context) error {
	merge := func(s *room.Session) error {
		b.place(s, nil, true)
		return nil
	}
	if err := b.record.Recent(ctx, time.Now().Add(-keepEnded), merge); err != nil {
		return err
	}
	for _, key := range b.inMemory() {
		s, err := b.record.Load(ctx, key)
		if err == nil {
			b.place(s, nil, false)
		} else if !errors.Is(err, room.ErrNotFound) {
			return err
		}
	}
	b.mu.Lock()
	b.epoch = newEpoch()
	b.mu.Unlock()
	b.turnPage(nil)
	return nil
}

func (b *Board) inMemory() []room.Key {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.Collect(maps.Keys(b.sessions))
}

// Position is that of the last entry folded.
func (b *Board) Position() string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.position
}

func (b *Board) saveRegularly(ctx context.Context) {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	folded := b.folded
	for {
		select {
		case <-ctx.Done():
			return
		case <-folded: // whoever waits for the start waits for this save
			folded = nil
		case <-tick.C:
			b.date()
			b.retrust(time.Now())
		}
		if err := errors.Join(b.saveAsFolded(ctx), b.sample(ctx, time.Now())); err != nil && ctx.Err() == nil {
			b.log.Error("saving sessions failed, trying again", "err", err)
		}
	}
}

// saveAsFolded saves, and closes ready when what there was at start is saved.
func (b *Board) saveAsFolded(ctx context.Context) error {
	whole := closed(b.folded) // before, so that the save has it all
	if err := b.save(ctx); err != nil {
		return err
	}
	if whole && !closed(b.ready) {
		close(b.ready)
	}
	return nil
}

// save writes the changed sessions and then the checkpoint up to which they are folded. What has long
// ended leaves memory: its document is then at or past its last entry.
func (b *Board) save(ctx context.Context) error {
	sessions, position := b.unsaved()
	noted := b.record.Noted()
	filed := len(sessions) > 0 || position != b.saved || noted != b.noted
	if len(sessions) > 0 || position != b.saved {
		if err := b.record.Save(ctx, sessions, position); err != nil {
			b.keepUnsaved(sessions)
			return err
		}
		b.noteStored(sessions)
	}
	b.saved, b.noted = position, noted
	if filed {
		b.turnPage(nil)
	}
	b.forget(time.Now())
	return nil
}

// turnPage tells that lists show something else now, the totals of a minute among it.
func (b *Board) turnPage(s *room.Sample) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s != nil {
		b.samples = append(b.samples, *s)
		old, _ := slices.BinarySearchFunc(b.samples, s.At.Add(-sampledFor), func(s room.Sample, at time.Time) int { return s.At.Compare(at) })
		b.samples = slices.Clone(b.samples[old:]) // readers hold on to the old array
	}
	b.seq++
	b.news.filed, b.filed = true, b.seq
	b.news.bars = b.news.bars || s != nil
	b.tell()
}

// sample keeps the totals of every whole minute, once the board knows them.
func (b *Board) sample(ctx context.Context, now time.Time) error {
	minute := now.UTC().Truncate(time.Minute)
	b.catchUp()
	b.mu.RLock()
	s := room.Sample{At: minute, Totals: b.totals}
	known := len(b.samples) > 0 && !b.samples[len(b.samples)-1].At.Before(minute)
	b.mu.RUnlock()
	if known || !closed(b.ready) {
		return nil
	}
	if err := b.record.Sample(ctx, s); err != nil {
		return err
	}
	b.turnPage(&s)
	return nil
}

// date tells every page when the record falls behind, or is up to date again.
func (b *Board) date() {
	asOf := b.record.AsOf().UTC().Truncate(time.Second)
	b.mu.Lock()
	defer b.mu.Unlock()
	if asOf.Equal(b.asOf) {
		return
	}
	b.asOf, b.news.bars = asOf, true
	b.seq++
	b.tell()
}

// unsaved copies what is to be saved, at one moment.
func (b *Board) unsaved() ([]*room.Session, string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.derive() // sessions learn of their successors
	sessions := make([]*room.Session, 0, len(b.dirty))
	for _, e := range b.dirty {
		sessions = append(sessions, e.session.Clone())
	}
	clear(b.dirty)
	return sessions, b.position
}

// noteStored takes over from copies that were saved what the store notes on them: what the board holds has
// all that they have.
func (b *Board) noteStored(copies []*room.Session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range copies {
		if e := b.sessions[s.Key()]; e != nil {
			e.session.Stored = s.Stored
		}
	}
}

func (b *Board) keepUnsaved(sessions []*room.Session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range sessions {
		if e := b.sessions[s.Key()]; e != nil {
			b.dirty[s.Key()] = e
		}
	}
}

// forget lets go of what has ended and was not used for long; of what was merely looked up, sooner when
// much was. It looks once a minute.
func (b *Board) forget(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.derive() // which sessions have ended
	unused := keepEnded
	if len(b.closed) > maxEnded {
		unused = time.Minute
	}
	if now.Sub(b.swept) < time.Minute {
		return
	}
	b.swept = now
	for key, e := range b.closed {
		if b.dirty[key] != nil || now.Sub(e.used) < unused {
			continue
		}
		delete(b.sessions, key)
		delete(b.closed, key)
		b.rooms.drop(key, e.room)
		b.lines.drop(e, e.standing)
		b.children.drop(key, e.parent)
	}
}

// holds says whether the session is in memory, and that it was used.
func (b *Board) holds(key room.Key) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.sessions[key]
	if e != nil {
		e.used = time.Now()
	}
	return e != nil
}

// admit brings a session into memory: its document, or a new one that knows its siblings.
func (b *Board) admit(ctx context.Context, key room.Key, roomID string) error {
	ctx, cancel := context.WithTimeout(ctx, loadTime)
	defer cancel()
	s, err := b.record.Load(ctx, key)
	if err == nil {
		b.place(s, nil, true)
		return nil
	}
	if !errors.Is(err, room.ErrNotFound) {
		return err
	}
	siblings, err := b.record.Siblings(ctx, key.Source, roomID)
	if err != nil {
		return err
	}
	b.place(room.New(key), siblings, true)
	return nil
}

// place puts a session where it belongs; one that came in meanwhile is merged with it. One that was heard
// of lately, and not merely looked up, may be shown among others.
func (b *Board) place(s *room.Session, siblings map[string]room.Created, heard bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := s.Key()
	e := b.sessions[key]
	if e == nil {
		e = &entry{session: s, siblings: siblings}
		b.sessions[key] = e
	} else {
		e.session.Merge(s)
	}
	e.used, e.heard = time.Now(), e.heard || heard
	b.settle(map[room.Key]*entry{key: e})
}
