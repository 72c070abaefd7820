package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Spooled is how many deliveries wait on this machine's disk for Redis, and how many may: 0 without a spool.
func (r *Redis) Spooled() (waiting, most int64) {
	if r.spool == nil {
		return 0, 0
	}
	return r.spool.depth.Load(), r.spool.limit.Load()
}

// SpoolDepth is how many deliveries wait on this machine's disk for Redis.
func (r *Redis) SpoolDepth() int64 {
	waiting, _ := r.Spooled()
	return waiting
}

// Health is nil, or why deliveries cannot be stored now, neither in Redis nor in the spool.
func (r *Redis) Health() error {
	fault := r.fault.Load()
	if fault == nil {
		return nil
	}
	switch {
	case r.spool == nil:
		return fmt.Errorf("write to Redis: %w", *fault)
	case r.spool.depth.Load() >= r.spool.limit.Load():
		return fmt.Errorf("write to Redis: %w", errors.Join(*fault, ErrFull))
	}
	return r.SQLite.Health()
}

// What Warnings says of Redis.
const (
	warnDown  = "Redis cannot be written; deliveries wait on this machine's disk"
	warnStale = "Redis cannot be read; pages show what was known before"
	warnSpool = "deliveries wait on this machine's disk for Redis"
	warnLocal = "the local file cannot be written; pages show what was known before"
)

// Warnings is what an operator should know of the record, in fixed words.
func (r *Redis) Warnings() []string {
	warnings := r.SQLite.Warnings()
	if warned := r.warned.Load(); warned != nil {
		warnings = append(warnings, *warned...)
	}
	if r.differs.Load() {
		warnings = append(warnings, warnSecrets)
	}
	if r.fault.Load() != nil {
		warnings = append(warnings, warnDown)
	} else if r.SpoolDepth() > 0 {
		warnings = append(warnings, warnSpool)
	}
	if r.unfollowed.Load() != nil {
		warnings = append(warnings, warnStale)
	}
	if r.SQLite.Health() != nil {
		warnings = append(warnings, warnLocal)
	}
	return warnings
}

// beginClock: until the log is read for the first time, what is shown is of when something was last heard.
func (r *Redis) beginClock(ctx context.Context) {
	heard, err := r.SQLite.LastReceived(ctx)
	at := time.Now()
	if err == nil && len(heard) > 0 {
		at = slices.MaxFunc(slices.Collect(maps.Values(heard)), time.Time.Compare)
	}
	r.read.Store(at.UnixMilli())
	r.since.Store(at.UnixMilli())
}

// AsOf is zero while what is delivered to any replica is shown by this one soon; else the moment up to
// which it was.
func (r *Redis) AsOf() (at time.Time) {
	if r.unfollowed.Load() != nil {
		at = time.UnixMilli(r.read.Load())
	}
	if r.fault.Load() != nil || r.SpoolDepth() > 0 {
		if since := time.UnixMilli(r.since.Load()); at.IsZero() || since.Before(at) {
			at = since
		}
	}
	if time.Since(at) < 2*r.look { // it may pass before anybody has read of it
		return time.Time{}
	}
	return at
}
