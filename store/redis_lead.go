package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
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
		if err = r.send(ctx, sends); err == nil {
			err = r.spool.remove(ctx, batch)
		}
		switch {
		case err == nil:
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
	query := keysAfter
	if schema != "" && schema != strconv.Itoa(documentSchema) {
		query = keysOfAll // with what the older schema could not hold
		if err := r.client.Set(ctx, keySchema, documentSchema, 0).Err(); err != nil {
			return err
		}
	}
	after, err := parsePosition(checkpoint)
	if err != nil {
		return err
	}
	return r.mustWrite(ctx, query, after)
}

// mustWrite has the scribe look at sessions.
func (r *Redis) mustWrite(ctx context.Context, query string, after int64) error {
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
	if err := r.mustWrite(ctx, keysOfAll, -1<<63); err != nil {
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

const pushSize = 50 // documents that are written at a time

// push merges sessions into their documents in Redis, and then need not look at them again.
func (r *Redis) push(ctx context.Context, keys map[room.Key]int64) error {
	chunk := make([]room.Key, 0, pushSize)
	for key := range keys {
		if chunk = append(chunk, key); len(chunk) < pushSize {
			continue
		}
		if err := r.pushAll(ctx, chunk); err != nil {
			return err
		}
		chunk = chunk[:0]
	}
	if err := r.pushAll(ctx, chunk); err != nil {
		return err
	}
	r.scribing.Lock()
	defer r.scribing.Unlock()
	for key, position := range keys {
		if now, known := r.unsaved[key]; known && now == position {
			delete(r.unsaved, key)
		}
	}
	return nil
}

// pushAll tries again what another replica has written meanwhile: that must not be lost either.
func (r *Redis) pushAll(ctx context.Context, keys []room.Key) error {
	for try := 0; len(keys) > 0; try++ {
		left, err := r.pushOnce(ctx, keys)
		if err != nil {
			return fmt.Errorf("write documents: %w", err)
		}
		if keys = left; try == 10 {
			return errors.New("write documents: another replica writes the same ones without end")
		}
	}
	return nil
}

func fieldFor(key room.Key) string { return key.Source + "\x00" + key.SID }

func keyFor(field string) room.Key {
	source, sid, _ := strings.Cut(field, "\x00")
	return room.Key{Source: source, SID: sid}
}

func (r *Redis) pushOnce(ctx context.Context, keys []room.Key) (left []room.Key, err error) {
	fields := make([]string, len(keys))
	for i, key := range keys {
		fields[i] = fieldFor(key)
	}
	stored, err := r.client.HMGet(ctx, keyDocuments, fields...).Result()
	if err != nil {
		return nil, err
	}
	if err := luaSave.Load(ctx, r.client).Err(); err != nil {
		return nil, err
	}
	pipe := r.client.Pipeline()
	answers := make(map[room.Key]*redis.Cmd)
	for i, key := range keys {
		before, _ := stored[i].(string)
		session, doc, err := r.mergedDocument(ctx, key, before)
		if err != nil {
			return nil, err
		}
		if doc != nil {
			answers[key] = luaSave.EvalSha(ctx, pipe, []string{keyDocuments, keyHeard}, fields[i], hexSum(before), doc, int64(session.Received))
		}
	}
	if len(answers) == 0 {
		return nil, nil
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	for key, answer := range answers {
		if written, err := answer.Int(); err != nil || written == 0 {
			left = append(left, key)
		}
	}
	return left, nil
}

// mergedDocument is the document to write, nil when what is stored has everything.
func (r *Redis) mergedDocument(ctx context.Context, key room.Key, before string) (session *room.Session, doc []byte, err error) {
	d, err := r.document(ctx, key)
	if err != nil || d.stored == nil {
		return nil, nil, err // retention came first
	}
	if before != "" {
		if err := decode([]byte(before), d.session); err != nil {
			return nil, nil, err
		}
		mine := room.New(key)
		if err := decode(d.stored, mine); err != nil {
			return nil, nil, err
		}
		d.session.Merge(mine)
	}
	if doc, err = json.Marshal(d.session); err != nil || bytes.Equal(doc, []byte(before)) {
		return nil, nil, err
	}
	return d.session, doc, nil
}

func hexSum(text string) string {
	if text == "" {
		return ""
	}
	sum := sha1.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Retain removes what is too old here and, by whoever leads, the documents in Redis.
func (r *Redis) Retain(ctx context.Context, now time.Time, history, bodies time.Duration) error {
	if err := r.SQLite.Retain(ctx, now, history, bodies); err != nil {
		return err
	}
	if !r.Leads() {
		return nil
	}
	old := "(" + strconv.FormatInt(int64(room.At(now.Add(-history))), 10)
	for offset := int64(0); ; {
		fields, err := r.client.ZRangeArgs(ctx, redis.ZRangeArgs{Key: keyHeard, Start: "-inf", Stop: old, ByScore: true, Offset: offset, Count: pushSize}).Result()
		if err != nil || len(fields) == 0 {
			return err
		}
		kept, err := r.retainDocuments(ctx, fields)
		if err != nil {
			return err
		}
		offset += int64(kept)
	}
}

// retainDocuments removes those that have ended, and says how many stay.
func (r *Redis) retainDocuments(ctx context.Context, fields []string) (kept int, err error) {
	docs, err := r.client.HMGet(ctx, keyDocuments, fields...).Result()
	if err != nil {
		return 0, err
	}
	for i, field := range fields {
		doc, _ := docs[i].(string)
		session := room.New(keyFor(field))
		if doc != "" {
			if err := decode([]byte(doc), session); err != nil {
				return 0, err
			}
		}
		if doc != "" && session.Summary().State != room.StateEnded {
			kept++
			continue
		}
		gone, err := luaDrop.Run(ctx, r.client, []string{keyDocuments, keyHeard}, field, hexSum(doc)).Int()
		if err != nil {
			return 0, err
		}
		kept += 1 - gone
	}
	return kept, nil
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
