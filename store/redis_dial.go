package store

import (
	"context"
	"crypto/tls"
	"embed"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// IsRedis says whether a STORE url is one of a record in Redis.
func IsRedis(storeURL string) bool {
	scheme, _, _ := strings.Cut(storeURL, "://")
	switch scheme {
	case "redis", "rediss", "redis-sentinel", "redis-cluster":
		return true
	}
	return false
}

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

// optionsOf reads a STORE url. What it holds of names and passwords is in no error.
func optionsOf(storeURL string) (*redis.UniversalOptions, error) {
	scheme, rest, _ := strings.Cut(storeURL, "://")
	if scheme == "redis" || scheme == "rediss" {
		return simpleOptions(storeURL)
	}
	u, err := url.Parse("redis://" + firstHost(rest))
	if err != nil {
		return nil, errors.New("it is not a URL; write a password's special characters as %XX")
	}
	options := &redis.UniversalOptions{IsClusterMode: scheme == "redis-cluster", Username: u.User.Username()}
	options.Password, _ = u.User.Password()
	query := u.Query()
	options.SentinelUsername, options.SentinelPassword = query.Get("sentinel_username"), query.Get("sentinel_password")
	if query.Get("tls") == "true" {
		options.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	port := "6379"
	if scheme == "redis-sentinel" {
		port = "26379"
		if err := sentinelPath(options, u.Path); err != nil {
			return nil, err
		}
	}
	for host := range strings.SplitSeq(hostsOf(rest), ",") {
		options.Addrs = append(options.Addrs, withPort(host, port))
	}
	return options, nil
}

func simpleOptions(storeURL string) (*redis.UniversalOptions, error) {
	o, err := redis.ParseURL(storeURL)
	if err != nil {
		return nil, errors.New("it is not like redis://user:password@host:6379/0")
	}
	return &redis.UniversalOptions{Addrs: []string{o.Addr}, DB: o.DB, Username: o.Username, Password: o.Password, TLSConfig: o.TLSConfig}, nil
}

// sentinelPath is /master or /master/db.
func sentinelPath(options *redis.UniversalOptions, path string) (err error) {
	master, db, hasDB := strings.Cut(strings.Trim(path, "/"), "/")
	if options.MasterName = master; master == "" {
		return errors.New("it names no master: redis-sentinel://host,host/master/db")
	}
	if hasDB {
		options.DB, err = strconv.Atoi(db)
	}
	if err != nil {
		return fmt.Errorf("%q is not the number of a database", db)
	}
	return nil
}

// hostsOf is host,host of [user[:password]@]host,host[/path][?query].
func hostsOf(rest string) string {
	rest, _, _ = strings.Cut(rest, "?")
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = rest[at+1:]
	}
	hosts, _, _ := strings.Cut(rest, "/")
	return hosts
}

// firstHost leaves one host of many: net/url knows no list.
func firstHost(rest string) string {
	hosts := hostsOf(rest)
	first, _, _ := strings.Cut(hosts, ",")
	return strings.Replace(rest, hosts, first, 1)
}

func withPort(host, port string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port)
}

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
