package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/roomwatch/roomwatch/room"
)

// overlap is how far back the log is read again after a reconnect: another master may have other entries.
const overlap = int64(2*time.Minute/time.Millisecond) << seqBits

var (
	errAgain    = errors.New("the connection to Redis was made anew")
	errNoRecord = errors.New("nobody has begun the record in Redis yet")
)

// logState is what Redis says of the log.
type logState struct {
	record      string
	last, first int64
	checkpoint  int64
	schema      int
}

func (r *Redis) state(ctx context.Context) (st logState, err error) {
	ctx, cancel := context.WithTimeout(ctx, redisTime)
	defer cancel()
	parts, err := luaState.Run(ctx, r.reader, []string{keyLog, keyRecord, keyCheckpoint, keySchema}).StringSlice()
	if err != nil || len(parts) != 5 {
		return st, fmt.Errorf("state of the log: %w", err)
	}
	st.record = parts[0]
	if st.last, err = packID(parts[1]); err != nil {
		return st, err
	}
	if st.first, err = packID(parts[2]); err != nil {
		return st, err
	}
	if st.checkpoint, err = strconv.ParseInt(parts[3], 10, 64); err == nil {
		st.schema, err = strconv.Atoi(parts[4])
	}
	r.seen(st)
	return st, err
}

// seen forgets what is in the documents by now.
func (r *Redis) seen(st logState) {
	if r.written.Swap(st.checkpoint) == st.checkpoint || r.Leads() {
		return
	}
	r.scribing.Lock()
	defer r.scribing.Unlock()
	for key, position := range r.unsaved {
		if position <= st.checkpoint {
			delete(r.unsaved, key)
		}
	}
}

// follow reads the log into the projection, until ctx ends.
func (r *Redis) follow(ctx context.Context) {
	for ctx.Err() == nil {
		err := r.followOn(ctx)
		if ctx.Err() != nil || errors.Is(err, errAgain) {
			continue
		}
		if was := r.unfollowed.Swap(&err); was == nil && !errors.Is(err, errNoRecord) {
			r.log.Error("the log in Redis cannot be read, trying again", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(r.pause):
		}
	}
}

// followOn reads the log on one connection. It first reads again what may have changed meanwhile.
func (r *Redis) followOn(ctx context.Context) error {
	st, err := r.state(ctx)
	if err != nil {
		return err
	}
	if st.record == "" {
		return errNoRecord
	}
	connects := r.connects.Load()
	at, err := r.rejoin(ctx, st)
	if err != nil {
		return err
	}
	if r.unfollowed.Swap(nil) != nil {
		r.log.Info("the log in Redis is followed")
	}
	r.catch()
	for looked := time.Now(); ctx.Err() == nil; {
		if r.connects.Load() != connects {
			return errAgain
		}
		if at, _, err = r.readOn(ctx, at, r.look); err != nil {
			return err
		}
		r.read.Store(time.Now().UnixMilli())
		if time.Since(looked) < r.look {
			continue
		}
		now, err := r.state(ctx)
		if err != nil {
			return err
		}
		if now.record != st.record || now.last < at {
			return errAgain
		}
		looked = time.Now()
		r.held.sweep(looked.Add(-heldFor))
	}
	return ctx.Err()
}

func (r *Redis) catch() {
	select {
	case <-r.caught:
	default:
		close(r.caught)
	}
}

// rejoin brings the projection to the end of the log, as that is now, and puts back into the log what is
// missing there. It returns up to where it read.
func (r *Redis) rejoin(ctx context.Context, st logState) (at int64, err error) {
	read, err := r.mark(ctx, markRead)
	if err != nil {
		return 0, err
	}
	if r.notesRead, err = r.mark(ctx, markNotes); err != nil {
		return 0, err
	}
	at = max(0, min(read, st.last)-overlap)
	from := max(0, read-overlap, time.Now().Add(-keepLog/2).UnixMilli()<<seqBits) // what came here since must be there
	known, err := r.knows(ctx, st, read)
	if err != nil {
		return 0, err
	}
	if !known {
		if err := r.rebuild(ctx, st); err != nil {
			return 0, err
		}
		at = 0
	} else if read > st.last {
		r.lost.Store(true)
	}
	there := make(map[idKey]bool)
	for at < st.last {
		next, batch, err := r.readOn(ctx, at, -1)
		if err != nil {
			return 0, err
		}
		if next == at {
			break // the last was deleted
		}
		at = next
		for _, e := range batch {
			there[idKey{e.Source, e.ID}] = true
		}
	}
	if at < st.last { // trimmed or deleted, so nobody has to read up to there again
		at = st.last
		if err := r.feed(ctx, nil, at); err != nil {
			return 0, err
		}
	}
	return at, r.mend(ctx, from, there)
}

// knows says whether the projection follows this record, without a gap and with all that this program
// understands of it.
func (r *Redis) knows(ctx context.Context, st logState, read int64) (bool, error) {
	record, err := r.mark(ctx, markRecord)
	if err != nil {
		return false, err
	}
	schema, err := r.mark(ctx, markSchema)
	return strconv.FormatInt(record, 10) == st.record && schema == documentSchema && read >= st.first, err
}

// rebuild takes over all documents; the log is then read from the start.
func (r *Redis) rebuild(ctx context.Context, st logState) error {
	record, err := strconv.ParseInt(st.record, 10, 64)
	if err != nil {
		return fmt.Errorf("%s holds something that Roomwatch did not write", keyRecord)
	}
	began, n := time.Now(), 0
	if n, err = r.loadDocuments(ctx); err != nil {
		return err
	}
	if err := r.setMarks(ctx, map[string]int64{markRecord: record, markRead: 0, markSchema: documentSchema}); err != nil {
		return err
	}
	r.lost.Store(false)
	r.log.Info("documents were read from Redis", "sessions", n, "took", time.Since(began).Round(time.Millisecond))
	r.turn()
	return nil
}

const scanSize = 50 // documents that are read at a time

func (r *Redis) loadDocuments(ctx context.Context) (n int, err error) {
	for cursor := uint64(0); ; {
		var pairs []string
		if pairs, cursor, err = r.reader.HScan(ctx, keyDocuments, cursor, "", scanSize).Result(); err != nil {
			return n, fmt.Errorf("read documents: %w", err)
		}
		var sessions []*room.Session
		for i := 1; i < len(pairs); i += 2 {
			s := new(room.Session)
			if err := json.Unmarshal([]byte(pairs[i]), s); err != nil {
				return n, fmt.Errorf("%w: a document in Redis: %w", errUndecodable, err)
			}
			sessions = append(sessions, s)
		}
		if err := r.SQLite.Save(ctx, sessions, ""); err != nil {
			return n, err
		}
		if n += len(sessions); cursor == 0 {
			return n, nil
		}
	}
}

// readOn feeds what follows in the log, and waits for it up to a time; not at all when that is negative.
func (r *Redis) readOn(ctx context.Context, at int64, wait time.Duration) (int64, []logged, error) {
	within, cancel := context.WithTimeout(ctx, redisTime+max(0, wait))
	defer cancel()
	streams, err := r.reader.XRead(within, &redis.XReadArgs{Streams: []string{keyLog, keyNotes, unpackID(at), unpackID(r.notesRead)},
		Count: r.patience, Block: wait}).Result()
	if errors.Is(err, redis.Nil) {
		return at, nil, nil
	}
	if err != nil {
		r.patience = max(1, r.patience/4) // a line that is slow carries less in the time that there is
		return at, nil, fmt.Errorf("read the log: %w", err)
	}
	r.patience = min(followBatch, 2*r.patience)
	var messages []redis.XMessage
	for _, stream := range streams {
		if stream.Stream == keyLog {
			messages = stream.Messages
		} else if err := r.takeNotes(ctx, stream.Messages); err != nil {
			return at, nil, err
		}
	}
	var batch []logged
	for _, message := range messages {
		position, err := packID(message.ID)
		if err != nil {
			return at, nil, err
		}
		at = position
		e, err := r.entryOf(message, position)
		if err != nil {
			r.log.Error("an entry of the log cannot be read, it is left out", "position", message.ID, "err", err)
			continue
		}
		batch = append(batch, e)
	}
	if err := r.feed(ctx, batch, at); err != nil {
		return at, batch, err
	}
	r.held.release(batch)
	return at, batch, nil
}

func (r *Redis) entryOf(message redis.XMessage, position int64) (logged, error) {
	field := func(name string) []byte {
		text, _ := message.Values[name].(string)
		return []byte(text)
	}
	e, err := decodeEntry(field("d"), field("s"), field("b"))
	if err != nil {
		return e, err
	}
	e.Position, e.Verdict = formatPosition(position), room.Verdict(field("t"))
	return e, nil
}
