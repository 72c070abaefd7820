package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// What the checks of Redis warn of.
const (
	warnVolatile = "Redis keeps its data in memory only (appendonly is no): what it has not saved is lost when it stops"
	warnEviction = "Redis may throw keys away when a maxmemory is set: set maxmemory-policy to noeviction"
	warnAlone    = "Redis has no replica: what it holds is as safe as its one disk"
)

// A finding of CheckRedis refuses the start, or only warns.
type redisFindings struct{ refused, warned []string }

// CheckRedis looks whether Redis can be used as it is set up. Problems refuse a start; warnings do not.
func CheckRedis(ctx context.Context, storeURL string) (problems, warnings []string, err error) {
	options, err := optionsOf(storeURL)
	if err != nil {
		return nil, nil, err
	}
	client := dial(*options, func() {})
	defer client.Close()
	found, err := examine(ctx, client, options.MasterName != "" || options.IsClusterMode)
	return found.refused, found.warned, err
}

// examineRedis refuses what loses deliveries silently. A Redis that does not answer may come back.
func (r *Redis) examineRedis(ctx context.Context, log *slog.Logger) error {
	found, err := examine(ctx, r.client, r.shared)
	if err != nil {
		if reply, ok := errors.AsType[redis.Error](err); ok && !passing(reply) {
			return fmt.Errorf("Redis refuses us: %w", reply)
		}
		log.Error("Redis does not answer; deliveries go to the spool", "err", err)
		return nil
	}
	if len(found.refused) > 0 {
		return errors.New(strings.Join(found.refused, "; "))
	}
	r.warn(found, log)
	return nil
}

// examineAgain: what is set up otherwise by now is only warned of. Nobody is helped by a replica that ends.
func (r *Redis) examineAgain(ctx context.Context) {
	found, err := examine(ctx, r.client, r.shared)
	if err == nil {
		r.warn(found, r.log)
	}
}

// warn keeps what Warnings says, and logs what is new of it.
func (r *Redis) warn(found redisFindings, log *slog.Logger) {
	warnings := slices.Concat(found.refused, found.warned)
	before := r.warned.Swap(&warnings)
	for _, warning := range warnings {
		if before == nil || !slices.Contains(*before, warning) {
			log.Warn(warning)
		}
	}
}

// passing: Redis starts, fails over or is busy.
func passing(reply redis.Error) bool {
	for _, prefix := range []string{"LOADING", "MASTERDOWN", "READONLY", "TRYAGAIN", "CLUSTERDOWN", "BUSY", "OOM", "NOREPLICAS", "MISCONF", "MOVED", "ASK"} {
		if redis.HasErrorPrefix(reply, prefix) {
			return true
		}
	}
	return errors.Is(reply, redis.Nil) // a Sentinel that knows no such master yet
}

func examine(ctx context.Context, client redis.UniversalClient, shared bool) (found redisFindings, err error) {
	ctx, cancel := context.WithTimeout(ctx, 3*replyTime)
	defer cancel()
	node, err := master(ctx, client)
	if err != nil {
		return found, err
	}
	info, err := node.Info(ctx).Result()
	if err != nil {
		return found, err
	}
	version := fieldOf(info, "redis_version")
	if major, _, _ := strings.Cut(version, "."); number(major) < 7 {
		found.refused = append(found.refused, fmt.Sprintf("Redis %s is too old: 7.0 or newer is needed", version))
	}
	if policy := fieldOf(info, "maxmemory_policy"); policy != "noeviction" {
		if fieldOf(info, "maxmemory") != "0" {
			found.refused = append(found.refused, fmt.Sprintf("Redis would throw away deliveries when its memory is full (maxmemory-policy %s): set it to noeviction", policy))
		} else {
			found.warned = append(found.warned, warnEviction)
		}
	}
	if fieldOf(info, "aof_enabled") != "1" {
		found.warned = append(found.warned, warnVolatile)
	}
	if shared && fieldOf(info, "connected_slaves") == "0" {
		found.warned = append(found.warned, warnAlone)
	}
	return found, nil
}

func number(text string) int {
	n, _ := strconv.Atoi(text) // what is no number is old
	return n
}

// fieldOf is a field of INFO.
func fieldOf(info, name string) string {
	for line := range strings.Lines(info) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && key == name {
			return value
		}
	}
	return ""
}
