package store

import (
	"bytes"
	"context"
	"crypto/sha1"
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
