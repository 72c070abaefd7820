package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/roomwatch/roomwatch/room"
)

const (
	lanes      = 2                       // pipelines to Redis at a time: while one waits for a replica, the next is sent
	sendTime   = 1100 * time.Millisecond // for a pipeline, a bit less than each delivery in it has
	waitTime   = 600 * time.Millisecond  // for a replica to have it; less than replyTime
	keepSeen   = 48 * time.Hour          // how long an event id is known: longer than the log is kept
	keepLog    = 24 * time.Hour
	logVersion = 1 // of entries; a later one may say more, never something else
)

var errUnreplicated = errors.New("no replica of Redis has confirmed it in time")

// sending is a delivery on its way to Redis.
type sending struct {
	logged
	ctx  context.Context
	err  error
	done chan struct{} // closed when err, and what was recorded, are set
}

// offer has Redis store a delivery.
func (r *Redis) offer(ctx context.Context, e logged) (room.Delivery, error) {
	if fault := r.fault.Load(); fault != nil {
		return e.Delivery, *fault
	}
	ctx, cancel := context.WithTimeout(ctx, redisTime)
	defer cancel()
	p := &sending{logged: e, ctx: ctx, done: make(chan struct{})}
	select {
	case r.sends <- p:
	case <-r.ended:
		return e.Delivery, ErrClosed
	case <-ctx.Done():
		return e.Delivery, ctx.Err()
	}
	select {
	case <-p.done:
		return p.Delivery, p.err
	case <-r.ended:
		return e.Delivery, ErrClosed
	case <-ctx.Done():
		return e.Delivery, ctx.Err()
	}
}

// lane sends what waits in pipelines, one after the other.
func (r *Redis) lane(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case first := <-r.sends:
			batch := r.gatherSends(first)
			var err error
			if fault := r.fault.Load(); fault != nil {
				err = *fault
			} else if len(batch) > 0 {
				err = r.send(ctx, batch)
			}
			if err == nil {
				r.held.hold(batch)
			}
			for _, p := range batch {
				p.err = err
				close(p.done)
			}
		}
	}
}

// gatherSends is what waits, without those whose senders have given up.
func (r *Redis) gatherSends(first *sending) (batch []*sending) {
	for p, size := first, 0; ; {
		if p.ctx.Err() == nil {
			batch, size = append(batch, p), size+len(p.Body)
		}
		if len(batch) == maxBatch || size > maxBatchBytes {
			return batch
		}
		select {
		case p = <-r.sends:
		default:
			return batch
		}
	}
}

// send puts a batch into the log, and returns when a replica has it, if there are any. An empty batch
// only finds out whether Redis can be written. What fails opens the breaker: deliveries then go to the
// spool at once, until tend finds that Redis takes them again.
func (r *Redis) send(ctx context.Context, batch []*sending) error {
	within, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	var err error
	if len(batch) == 0 {
		err = r.loadScript(within) // it may be a new master, and the next delivery has less time to lose
	}
	if err == nil {
		err = r.sendOnce(within, batch)
	}
	if redis.HasErrorPrefix(err, "NOSCRIPT") { // SCRIPT FLUSH
		if err = r.loadScript(within); err == nil {
			err = r.sendOnce(within, batch)
		}
	}
	if ctx.Err() != nil {
		return ErrClosed
	}
	r.settleRedis(within, err)
	return err
}

func (r *Redis) loadScript(ctx context.Context) error {
	node, err := master(ctx, r.client)
	if err != nil {
		return err
	}
	return luaAppend.Load(ctx, node).Err()
}

func (r *Redis) sendOnce(ctx context.Context, batch []*sending) error {
	node, err := master(ctx, r.client)
	if err != nil {
		return err
	}
	pipe := node.Pipeline()
	answers := make([]*redis.Cmd, len(batch))
	for i, p := range batch {
		if answers[i], err = appendTo(ctx, pipe, p.logged); err != nil {
			return err
		}
	}
	if len(batch) == 0 {
		pipe.Incr(ctx, keyDuplicates)
	}
	var wait *redis.Cmd
	if r.replicated.Load() {
		wait = pipe.Do(ctx, "WAIT", 1, waitTime.Milliseconds())
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return err // of whatever was written all is sent again, from the spool
	}
	if wait != nil {
		if confirmed, err := wait.Int(); err != nil || confirmed < 1 {
			return errors.Join(errUnreplicated, err)
		}
	}
	for i, p := range batch {
		if err := p.answered(answers[i]); err != nil {
			return err
		}
	}
	return nil
}

// appendTo adds the call of the script for one delivery.
func appendTo(ctx context.Context, pipe redis.Pipeliner, e logged) (*redis.Cmd, error) {
	entry, err := encodeEntry(e.Delivery)
	if err != nil {
		return nil, err
	}
	id := sha256.Sum256([]byte(e.Source + "\x00" + e.ID))
	keys := []string{keyLog, keySeen + string(id[:16]), keyNewest, keyDuplicates}
	at, isOwn := e.Said.At, 0
	if own(e.Delivery) {
		isOwn = 1
	}
	return pipe.EvalSha(ctx, luaAppend.Hash(), keys, sumOfBody(e.Body), keepSeen.Milliseconds(), e.Source, string(e.Verdict),
		int64(at), int64(min(at, room.At(e.ReceivedAt))), isOwn, room.LateAfter.Milliseconds(), logVersion, entry, e.said, []byte(e.Body)), nil
}

func sumOfBody(body []byte) string {
	if len(body) == 0 {
		return ""
	}
	sum := sha256.Sum256(body)
	return string(sum[:8])
}

// answered takes over what the script says became of the delivery.
func (p *sending) answered(answer *redis.Cmd) error {
	parts, err := answer.StringSlice()
	if err != nil || len(parts) != 2 {
		return fmt.Errorf("an answer of Redis that is none: %w", err)
	}
	if id := parts[0]; id != "" {
		position, err := packID(id)
		p.Position, p.Verdict = formatPosition(position), room.Verdict(parts[1])
		return err
	}
	p.Position, p.Verdict = "", room.Duplicate
	if sum := sumOfBody(p.Body); sum != "" && parts[1] != "" && sum != parts[1] {
		p.Reason = room.Conflict
	}
	return nil
}

// settleRedis opens or closes the breaker.
func (r *Redis) settleRedis(ctx context.Context, err error) {
	was := r.fault.Load()
	switch {
	case err == nil && was != nil:
		r.fault.Store(nil)
		r.log.Info("Redis can be written again", "spooled", r.SpoolDepth())
	case err != nil:
		if was == nil {
			r.since.Store(time.Now().UnixMilli())
		}
		r.fault.Store(&err)
		if was == nil {
			r.log.Error("Redis cannot be written, deliveries go to the spool", "err", err)
		}
		if cluster, ok := r.client.(*redis.ClusterClient); ok {
			cluster.ReloadState(ctx) // the log may have moved
		}
	}
}

// A position is an id of the log as one number: its milliseconds, then seqBits of its second number.
// That counts on within a millisecond; should it ever need more bits, it runs into the milliseconds,
// which stay in order.
const seqBits = 20

func packID(id string) (int64, error) {
	text, tail, _ := strings.Cut(id, "-")
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is no id of a stream", id)
	}
	seq, err := strconv.ParseInt(tail, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is no id of a stream", id)
	}
	return ms<<seqBits + seq, nil
}

func unpackID(position int64) string {
	return fmt.Sprintf("%d-%d", position>>seqBits, position&(1<<seqBits-1))
}
