package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/roomwatch/roomwatch/room"
)

// Notes go through a stream of their own, so that every replica lists and counts them all. They are no
// part of the record: what Redis does not take is noted by this replica alone.

const markNotes = "notes" // up to where the stream of notes was read

// Note keeps a delivery that is not in the record, as SQLite's Note does.
func (r *Redis) Note(d room.Delivery) {
	d.Body, d.Said = nil, nil
	select {
	case r.notes <- d:
	default:
		r.dropped.Add(1)
	}
}

// passNotes hands notes on, off the request path.
func (r *Redis) passNotes(ctx context.Context) {
	tick := time.NewTicker(notePause)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.pass(ctx)
		case <-ctx.Done():
			r.pass(ctx) // it fails: then they are noted here
			return
		}
	}
}

func (r *Redis) pass(ctx context.Context) {
	var notes []room.Delivery
	for len(notes) < cap(r.notes) && len(r.notes) > 0 {
		notes = append(notes, <-r.notes) // nobody else takes any
	}
	if len(notes) == 0 {
		return
	}
	if r.fault.Load() != nil || r.passOn(ctx, notes) != nil {
		r.writeNotes(notes)
	}
}

func (r *Redis) passOn(ctx context.Context, notes []room.Delivery) error {
	ctx, cancel := context.WithTimeout(ctx, replyTime)
	defer cancel()
	pipe := r.client.Pipeline()
	for _, d := range notes {
		note, err := json.Marshal(d)
		if err != nil {
			return err
		}
		pipe.XAdd(ctx, &redis.XAddArgs{Stream: keyNotes, MaxLen: maxNotes, Approx: true, Values: []any{"d", note}})
	}
	_, err := pipe.Exec(ctx)
	return err
}

// takeNotes keeps what was read of the stream of notes.
func (r *Redis) takeNotes(ctx context.Context, messages []redis.XMessage) error {
	var notes []room.Delivery
	for _, message := range messages {
		position, err := packID(message.ID)
		if err != nil {
			return err
		}
		var d room.Delivery
		text, _ := message.Values["d"].(string)
		if json.Unmarshal([]byte(text), &d) == nil {
			notes = append(notes, d)
		}
		r.notesRead = position
	}
	r.writeNotes(notes)
	return r.setMarks(ctx, map[string]int64{markNotes: r.notesRead})
}
