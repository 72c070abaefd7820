package store

import (
	"bytes"
	"context"
	"crypto/sha1"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/roomwatch/roomwatch/room"
)

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

// replacement is a document to write over another.
type replacement struct {
	key   room.Key
	doc   []byte
	heard int64  // when the session was last heard of
	over  string // the sum of what is replaced, "" when there is nothing
	own   string // the sum of the document when it is as it is here, "" when it is not
}

func (r *Redis) pushOnce(ctx context.Context, keys []room.Key) (left []room.Key, err error) {
	writes, err := r.replacements(ctx, keys)
	if err != nil || len(writes) == 0 {
		return nil, err
	}
	if err := luaSave.Load(ctx, r.client).Err(); err != nil {
		return nil, err
	}
	pipe := r.client.Pipeline()
	answers := make([]*redis.Cmd, len(writes))
	for i, w := range writes {
		answers[i] = luaSave.EvalSha(ctx, pipe, []string{keyDocuments, keyHeard}, fieldFor(w.key), w.over, w.doc, w.heard)
	}
	_, err = pipe.Exec(ctx)
	for i, w := range writes {
		if written, failed := answers[i].Int(); failed != nil || written == 0 {
			left, w.own = append(left, w.key), ""
		}
		r.sums.set(w.key, w.own)
	}
	return left, err
}

// maxSums bounds how many documents are known to be in Redis as they were here.
const maxSums = 100_000

// sums are of documents as this replica wrote them to Redis, when they were just as here.
type sums struct {
	mu sync.Mutex
	of map[room.Key]string
}

func (s *sums) get(key room.Key) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.of[key]
}

// set notes a sum, or with "" that nothing is known any more.
func (s *sums) set(key room.Key, sum string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil || len(s.of) >= maxSums {
		s.of = make(map[room.Key]string)
	}
	if s.of[key] = sum; sum == "" {
		delete(s.of, key)
	}
}

// replacements are the documents to write. What this replica wrote itself, and nobody else since, is a part of
// what is here now, for facts only grow: that is not read again.
func (r *Redis) replacements(ctx context.Context, keys []room.Key) (writes []replacement, err error) {
	var strange []replacement
	var fields []string
	for _, key := range keys {
		w := replacement{key: key, over: r.sums.get(key)}
		err := r.asking[heardOf].QueryRowContext(ctx, key.SID, key.Source).Scan(&w.heard, &w.doc)
		if errors.Is(err, sql.ErrNoRows) {
			continue // retention came first
		}
		if err == nil {
			w.doc, err = unpack(w.doc)
		}
		if err != nil {
			return nil, err
		}
		switch w.own = hexSum(w.doc); w.over {
		case "":
			strange, fields = append(strange, w), append(fields, fieldFor(key))
		case w.own: // it is there
		default:
			writes = append(writes, w)
		}
	}
	if len(strange) == 0 {
		return writes, nil
	}
	stored, err := r.client.HMGet(ctx, keyDocuments, fields...).Result()
	if err != nil {
		return nil, err
	}
	for i, w := range strange {
		before, _ := stored[i].(string)
		if before == string(w.doc) {
			r.sums.set(w.key, w.own)
			continue
		}
		if err := w.merge(before); err != nil {
			return nil, err
		}
		if before != string(w.doc) {
			writes = append(writes, w)
		}
	}
	return writes, nil
}

// merge adds what a document in Redis knows.
func (w *replacement) merge(before string) error {
	if w.over = hexSum(before); before == "" {
		return nil
	}
	all, mine := room.New(w.key), room.New(w.key)
	if err := errors.Join(decode([]byte(before), all), decode(w.doc, mine)); err != nil {
		return err
	}
	all.Merge(mine)
	doc, err := json.Marshal(all)
	if !bytes.Equal(doc, w.doc) {
		w.own = ""
	}
	w.doc, w.heard = doc, int64(all.Received)
	return err
}

func hexSum[T string | []byte](text T) string {
	if len(text) == 0 {
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

// foldAgain: what another version has folded here, beside newer ones, may say more to this one. It was
// kept as it was written.
func (r *Redis) foldAgain(ctx context.Context) error {
	record, err := r.mark(ctx, markRecord)
	if err != nil || record == 0 {
		return err
	}
	schema, err := r.mark(ctx, markSchema)
	if err != nil || schema == documentSchema {
		return err
	}
	return r.rewind(ctx, time.Now().Add(-keepLog).UnixMilli()<<seqBits)
}
