package store

import (
	"context"
	"embed"
	"fmt"
	"path"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	dialTime    = 500 * time.Millisecond
	replyTime   = time.Second
	connections = 8 // of a replica, beside the follower's
)

// keys of Redis. One hash tag holds them together, on one node of a cluster.
const (
	keyLog        = "{roomwatch}:log"        // stream: every entry
	keyNotes      = "{roomwatch}:notes"      // stream: notes, see redis_notes.go
	keySeen       = "{roomwatch}:seen:"      // and a sum of source and event id: the sum of its body
	keyNewest     = "{roomwatch}:newest"     // hash: the newest created_at by source
	keyDuplicates = "{roomwatch}:duplicates" // counter
	keyRecord     = "{roomwatch}:record"     // the id of the record, random
	keyCheckpoint = "{roomwatch}:checkpoint" // up to this position all is in the documents
	keySchema     = "{roomwatch}:schema"     // documentSchema of who wrote them
	keyDocuments  = "{roomwatch}:documents"  // hash: sessions
	keyHeard      = "{roomwatch}:heard"      // sorted set: the same sessions, by when they were last heard of
	keyLeader     = "{roomwatch}:leader"     // who leads; expires
)

//go:embed lua/*.lua
var luaFiles embed.FS

// script reads one of our Lua files; that it is there is what the build has made sure of.
func script(name string) *redis.Script {
	text, err := luaFiles.ReadFile(path.Join("lua", name+".lua"))
	if err != nil {
		panic(err)
	}
	return redis.NewScript(string(text))
}

var (
	luaAppend     = script("append")
	luaState      = script("state")
	luaSave       = script("save")
	luaDrop       = script("drop")
	luaCheckpoint = script("checkpoint")
	luaRecord     = script("record")
	luaLease      = script("lease")
	luaResign     = script("resign")
)

var quiet sync.Once

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

// dial makes a client, which connects when it is used. connected is called with every new connection.
// It never tries again by itself: an append that is sent twice would seem to be its own duplicate.
func dial(options redis.UniversalOptions, connected func()) redis.UniversalClient {
	quiet.Do(func() { redis.SetLogger(silence{}) }) // it would write to stderr; what fails we are told
	o := options
	o.Protocol, o.DisableIdentity = 2, true
	o.MaxRetries, o.DialerRetries, o.ContextTimeoutEnabled = -1, 1, true
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = dialTime, replyTime, replyTime, dialTime
	o.PoolSize, o.PipelinePoolSize = connections, -1
	o.OnConnect = func(context.Context, *redis.Conn) error {
		connected()
		return nil
	}
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	switch {
	case o.MasterName != "":
		return redis.NewFailoverClient(o.Failover())
	case o.IsClusterMode:
		return redis.NewClusterClient(o.Cluster())
	}
	return redis.NewClient(o.Simple())
}

// master is the client of the node that has the log.
func master(ctx context.Context, client redis.UniversalClient) (*redis.Client, error) {
	switch c := client.(type) {
	case *redis.Client:
		return c, nil
	case *redis.ClusterClient:
		return c.MasterForKey(ctx, keyLog)
	}
	return nil, fmt.Errorf("%T has no master", client)
}
