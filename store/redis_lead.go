package store

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/roomwatch/roomwatch/room"
)

// Leads says whether this replica is the one that does what only one should do: writing documents,
// asking plugNmeet, tidying up.
func (r *Redis) Leads() bool { return time.Now().UnixNano() < r.leadUntil.Load() }

// tend keeps everything going that has to be done again and again.
func (r *Redis) tend(ctx context.Context) {
	tick := time.NewTicker(r.pace.tend)
	defer tick.Stop()
	if r.fault.Load() == nil {
		_ = r.send(ctx, nil) // loads the script; what fails opens the breaker
	}
	for ctx.Err() == nil {
		if r.drain(ctx); r.fault.Load() == nil {
			r.office(ctx)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// office is what is done while Redis can be written.
func (r *Redis) office(ctx context.Context) {
	if time.Since(r.looked) > r.lease/4 {
		r.looked = time.Now()
		r.countReplicas(ctx)
		r.lead(ctx)
	}
	r.compareSecrets(ctx)
	if time.Since(r.examined) > r.again {
		r.examined = time.Now()
		r.examineAgain(ctx)
	}
	if !r.Leads() {
		return
	}
	err := r.scribe(ctx)
	if err != nil && r.wrote && ctx.Err() == nil {
		r.log.Warn("documents could not be written to Redis, trying again", "err", err)
	}
	r.wrote = err == nil
}

// drain sends what waits in the spool, and finds out whether Redis can be written again.
func (r *Redis) drain(ctx context.Context) {
	if r.fault.Load() != nil && r.send(ctx, nil) != nil {
		return
	}
	began := time.Now()
	for most := drainSize; r.SpoolDepth() > 0 && ctx.Err() == nil && time.Since(began) < r.lease/4; { // the lead must not end meanwhile
		batch, err := r.spool.next(ctx, most)
		if err != nil || len(batch) == 0 {
			r.log.Error("the spool cannot be read", "err", err)
			return
		}
		sends := make([]*sending, len(batch))
		for i, p := range batch {
			sends[i] = &sending{logged: p.logged}
		}
		switch err = r.send(ctx, sends); {
		case err == nil:
			_ = r.spool.remove(ctx, batch) // Health tells what fails
			most = min(drainSize, 2*most)
		case most == 1:
			return // it stays, and whatever was written twice is told apart
		default:
			most = max(1, most/8) // a line that is slow carries less in the time that there is
		}
	}
}

// countReplicas: once a replica was seen, nothing is answered that no replica has.
func (r *Redis) countReplicas(ctx context.Context) {
	if r.replicated.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, replyTime)
	defer cancel()
	info, err := r.client.Info(ctx, "replication").Result()
	if err == nil && fieldOf(info, "connected_slaves") != "0" {
		r.replicated.Store(true)
		r.log.Info("Redis has replicas: every delivery waits for one")
	}
}

// lead takes or keeps the lead, if nobody else has it.
func (r *Redis) lead(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, replyTime)
	defer cancel()
	led, asked := r.Leads(), time.Now()
	won, err := luaLease.Run(ctx, r.client, []string{keyLeader, keySchema}, r.name, r.lease.Milliseconds(), documentSchema).Int()
	if err != nil {
		return // the lead ends by itself
	}
	if won == 0 {
		r.leadUntil.Store(0)
		return
	}
	if !led {
		if err := r.takeOffice(ctx); err != nil {
			r.log.Warn("the lead could not be taken", "err", err)
			return
		}
		r.log.Info("this replica leads")
	}
	r.leadUntil.Store(asked.Add(r.lease * 3 / 4).UnixNano())
}

// takeOffice makes sure that this replica writes what the one before has left undone.
func (r *Redis) takeOffice(ctx context.Context) error {
	position, err := r.client.MGet(ctx, keyCheckpoint, keySchema).Result()
	if err != nil {
		return err
	}
	checkpoint, _ := position[0].(string)
	schema, _ := position[1].(string)
	if schema != "" && schema != strconv.Itoa(documentSchema) {
		// The documents get what the older schema could not hold, and all read them again. No older one leads any more.
		if err := r.client.Set(ctx, keySchema, documentSchema, 0).Err(); err != nil {
			return err
		}
		r.lost.Store(true)
	}
	after, err := parsePosition(checkpoint)
	if err != nil {
		return err
	}
	return r.mustWrite(ctx, after)
}

// mustWrite has the scribe look at the sessions that entries after a position speak of; at all when that is negative.
func (r *Redis) mustWrite(ctx context.Context, after int64) error {
	query := keysAfter
	if after < 0 {
		query = keysOfAll
	}
	keys, err := r.SQLite.keys(ctx, query, after)
	if err != nil {
		return err
	}
	r.scribing.Lock()
	defer r.scribing.Unlock()
	for _, key := range keys {
		if _, known := r.unsaved[key]; !known {
			r.unsaved[key] = 0
		}
	}
	return nil
}

// scribe writes what was saved here to Redis, then moves the checkpoint there, and trims the log. It
// begins a record where there is none, or not the one that there was.
func (r *Redis) scribe(ctx context.Context) error {
	record, err := r.client.Get(ctx, keyRecord).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return err
	}
	if record == "" || r.lost.Load() {
		return r.beginRecord(ctx, record)
	}
	keys, upTo, err := r.toWrite(ctx)
	if err != nil {
		return err
	}
	if err := r.push(ctx, keys); err != nil {
		return err
	}
	return luaCheckpoint.Run(ctx, r.client, []string{keyLog, keyCheckpoint}, upTo, upTo>>seqBits, keepLog.Milliseconds()).Err()
}

// toWrite are the sessions that Redis does not have as they are here, and the checkpoint that it may have
// when it has them.
func (r *Redis) toWrite(ctx context.Context) (keys map[room.Key]int64, upTo int64, err error) {
	r.scribing.Lock()
	defer r.scribing.Unlock()
	keys = make(map[room.Key]int64, len(r.unsaved))
	for key, position := range r.unsaved {
		keys[key] = position
	}
	upTo, err = r.SQLite.checkpoint(ctx)
	return keys, upTo, err
}

// beginRecord writes every session that is known here, and then a new record id: by that all replicas see that
// they have to read the documents, and the log from its start.
func (r *Redis) beginRecord(ctx context.Context, found string) error {
	if err := r.mustWrite(ctx, -1); err != nil {
		return err
	}
	keys, _, err := r.toWrite(ctx)
	if err == nil {
		err = r.push(ctx, keys)
	}
	if err != nil {
		return err
	}
	r.lost.Store(false)
	r.log.Info("a record was begun in Redis", "sessions", len(keys), "instead of", found)
	return luaRecord.Run(ctx, r.client, []string{keyRecord, keyCheckpoint, keySchema}, found, newRecordID(), documentSchema).Err()
}

// newRecordID is random and positive: it is kept as a number here, and as text in Redis.
func newRecordID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return strconv.FormatUint(binary.BigEndian.Uint64(b[:])>>1|1, 10)
}

// resign writes what this replica has saved, and gives up the lead, so that another need not wait.
func (r *Redis) resign() {
	if !r.Leads() || r.fault.Load() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := errors.Join(r.scribe(ctx), luaResign.Run(ctx, r.client, []string{keyLeader}, r.name).Err())
	if err != nil {
		r.log.Warn("the lead could not be given up, it ends by itself", "err", err)
	}
}
