package store

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/roomwatch/roomwatch/access"
)

// keys of the accounts in Redis.
const (
	keyUsers     = "{roomwatch}:users"           // hash: users by key
	keyLogins    = "{roomwatch}:logins"          // hash: logins by the hash of their token
	keyTokens    = "{roomwatch}:tokens"          // hash: API tokens by their hash
	keyAccounts  = "{roomwatch}:accounts"        // counts what may end somebody's access
	keyAudit     = "{roomwatch}:audit"           // sorted set: the trail, by number
	keyStrangers = "{roomwatch}:audit:strangers" // what strangers caused
	keyAudited   = "{roomwatch}:audit:numbers"   // counts lines of both
)

var (
	luaAccounts = script("accounts")
	luaAudit    = script("audit")
)

// RedisAccounts are the accounts that replicas share. They are asked for at each request; while Redis is away, nobody
// can know whether somebody's access has ended, so what was read counts for two seconds only.
type RedisAccounts struct {
	client redis.UniversalClient
	known  recent
	close  func() error
}

// Accounts are those that all replicas share.
func (r *Redis) Accounts() *RedisAccounts {
	return &RedisAccounts{client: r.client, close: func() error { return nil }}
}

// OpenRedisAccounts opens the accounts at a STORE url, beside the serves that use it.
func OpenRedisAccounts(ctx context.Context, storeURL string) (*RedisAccounts, error) {
	options, err := optionsOf(storeURL)
	if err != nil {
		return nil, fmt.Errorf("open accounts: %w", err)
	}
	client := dial(*options, func() {})
	if err := client.Ping(ctx).Err(); err != nil {
		return nil, fmt.Errorf("open accounts: %w", errors.Join(err, client.Close()))
	}
	return &RedisAccounts{client: client, close: client.Close}, nil
}

// Close ends what OpenRedisAccounts began.
func (a *RedisAccounts) Close() error { return a.close() }

// Version grows whenever somebody's access may have ended, on whichever replica.
func (a *RedisAccounts) Version(ctx context.Context) (int64, error) {
	version, err := a.client.Get(ctx, keyAccounts).Int64()
	if errors.Is(err, redis.Nil) {
		return 0, nil
	}
	return version, failedAccounts("read the version", err)
}

// manyTries is how often a change is tried again that another replica came before.
const manyTries = 20

// change writes users as computed from all there are, if no other change came between.
func (a *RedisAccounts) change(ctx context.Context, what string, compute func(all []access.User) (field string, doc any, err error)) error {
	for range manyTries {
		version, err := a.Version(ctx)
		if err != nil {
			return err
		}
		all, err := a.Users(ctx)
		if err != nil {
			return err
		}
		field, doc, err := compute(all)
		if err != nil {
			return failedAccounts(what, err)
		}
		written, err := a.put(ctx, keyUsers, strconv.FormatInt(version, 10), true, field, doc)
		if err != nil || written {
			return failedAccounts(what, err)
		}
	}
	return failedAccounts(what, errors.New("others change the accounts without end"))
}

// put writes a document, or removes it when it is nil, and says whether the condition was met (see accounts.lua).
func (a *RedisAccounts) put(ctx context.Context, hash, condition string, news bool, field string, doc any) (bool, error) {
	text := ""
	if doc != nil {
		data, err := json.Marshal(doc)
		if err != nil {
			return false, err
		}
		text = string(data)
	}
	heard := "0"
	if news {
		heard = "1"
		a.known.forgetAll()
		defer a.known.forgetAll()
	}
	written, err := luaAccounts.Run(ctx, a.client, []string{hash, keyAccounts}, condition, heard, field, text).Int()
	return written == 1, err
}

// allOf are the documents of a hash.
func allOf[T any](ctx context.Context, a *RedisAccounts, hash string) (out []T, err error) {
	fields, err := a.client.HGetAll(ctx, hash).Result()
	if err != nil {
		return nil, err
	}
	for _, doc := range fields {
		var item T
		if err := json.Unmarshal([]byte(doc), &item); err != nil {
			return nil, fmt.Errorf("%w: %w", errUndecodable, err)
		}
		out = append(out, item)
	}
	return out, nil
}

func oneOfHash[T any](ctx context.Context, a *RedisAccounts, hash, field string) (item T, err error) {
	doc, err := a.client.HGet(ctx, hash, field).Bytes()
	if errors.Is(err, redis.Nil) {
		return item, access.ErrUnknown
	}
	if err != nil {
		return item, err
	}
	return item, json.Unmarshal(doc, &item)
}

// Users are all there are, by their keys.
func (a *RedisAccounts) Users(ctx context.Context) ([]access.User, error) {
	users, err := allOf[access.User](ctx, a, keyUsers)
	slices.SortFunc(users, func(x, y access.User) int { return cmp.Compare(x.Key, y.Key) })
	return users, failedAccounts("list users", err)
}

// User is one of them, or access.ErrUnknown.
func (a *RedisAccounts) User(ctx context.Context, key access.UserKey) (access.User, error) {
	return recall(&a.known, "user "+string(key), func() (access.User, error) {
		u, err := oneOfHash[access.User](ctx, a, keyUsers, string(key))
		return u, failedAccounts("read a user", err)
	})
}

// AddUser adds somebody new. The error is access.ErrExists or, of one who must be the first,
// access.ErrSetupDone.
func (a *RedisAccounts) AddUser(ctx context.Context, u access.User, first bool) error {
	return a.change(ctx, "add a user", func(all []access.User) (string, any, error) {
		return string(u.Key), u, access.Addable(all, u, first, maxUsers)
	})
}

// ChangeUser changes a user and returns how it was and is. The error is access.ErrUnknown or
// access.ErrLastAdmin.
func (a *RedisAccounts) ChangeUser(ctx context.Context, key access.UserKey, change func(access.User) access.User) (before, after access.User, err error) {
	err = a.change(ctx, "change a user", func(all []access.User) (string, any, error) {
		i := slices.IndexFunc(all, func(u access.User) bool { return u.Key == key })
		if i < 0 {
			return "", nil, access.ErrUnknown
		}
		before = all[i]
		var err error
		after, err = access.Changed(all, before, change(before))
		return string(key), after, err
	})
	return before, after, err
}

// RemoveUser removes a user with all logins. The error is access.ErrUnknown or access.ErrLastAdmin.
func (a *RedisAccounts) RemoveUser(ctx context.Context, key access.UserKey) error {
	err := a.change(ctx, "remove a user", func(all []access.User) (string, any, error) {
		i := slices.IndexFunc(all, func(u access.User) bool { return u.Key == key })
		if i < 0 {
			return "", nil, access.ErrUnknown
		}
		_, err := access.Changed(all, all[i], access.User{})
		return string(key), nil, err
	})
	if err != nil {
		return err
	}
	logins, err := a.Logins(ctx, key) // without their user they are worth nothing; this is tidying up
	for _, l := range logins {
		if err == nil {
			err = a.RemoveLogin(ctx, l.Hash)
		}
	}
	return err
}

func fieldOfHash(h access.Hash) string { return hex.EncodeToString(h[:]) }

// AddLogin begins a login. Logins that are over are forgotten, and of one user's too many those that were
// idle for longest.
func (a *RedisAccounts) AddLogin(ctx context.Context, l access.Login) error {
	all, err := a.Logins(ctx, "")
	if err != nil {
		return err
	}
	own := 1
	for _, old := range all { // the one seen last first
		if old.User == l.User {
			own++
		}
		if !l.Begun.Before(old.Ends()) || old.User == l.User && own > maxLogins {
			if _, err := a.put(ctx, keyLogins, "", false, fieldOfHash(old.Hash), nil); err != nil {
				return failedAccounts("forget a login", err)
			}
		}
	}
	_, err = a.put(ctx, keyLogins, "", false, fieldOfHash(l.Hash), l)
	return failedAccounts("add a login", err)
}

// account is a login with its user.
type account struct {
	login access.Login
	user  access.User
}

// Login is the login of a token, with its user as it is now. The error is access.ErrUnknown.
func (a *RedisAccounts) Login(ctx context.Context, token access.Hash) (access.Login, access.User, error) {
	both, err := recall(&a.known, "login "+fieldOfHash(token), func() (both account, err error) {
		if both.login, err = oneOfHash[access.Login](ctx, a, keyLogins, fieldOfHash(token)); err == nil {
			both.user, err = oneOfHash[access.User](ctx, a, keyUsers, string(both.login.User))
		}
		return both, failedAccounts("read a login", err)
	})
	return both.login, both.user, err
}

// TouchLogin notes when a login was last seen. One that was removed meanwhile stays removed.
func (a *RedisAccounts) TouchLogin(ctx context.Context, l access.Login) error {
	_, err := a.put(ctx, keyLogins, "there", false, fieldOfHash(l.Hash), l)
	return failedAccounts("note a login", err)
}

// Logins are those of a user, or everybody's for "", the one seen last first. Some may be over.
func (a *RedisAccounts) Logins(ctx context.Context, user access.UserKey) ([]access.Login, error) {
	logins, err := allOf[access.Login](ctx, a, keyLogins)
	logins = slices.DeleteFunc(logins, func(l access.Login) bool { return user != "" && l.User != user })
	slices.SortFunc(logins, func(x, y access.Login) int { return cmp.Or(y.Ends().Compare(x.Ends()), cmp.Compare(x.ID(), y.ID())) })
	return logins, failedAccounts("list logins", err)
}

// RemoveLogin ends a login. One that is not there has ended already.
func (a *RedisAccounts) RemoveLogin(ctx context.Context, token access.Hash) error {
	a.known.end("login " + fieldOfHash(token))
	_, err := a.put(ctx, keyLogins, "", true, fieldOfHash(token), nil)
	return failedAccounts("remove a login", err)
}

// AddToken keeps a new API token, and forgets those that ended long ago. The error is access.ErrTooMany.
func (a *RedisAccounts) AddToken(ctx context.Context, t access.APIToken) error {
	all, err := a.Tokens(ctx)
	if err != nil {
		return err
	}
	kept := 0
	for _, old := range all {
		if !old.Forgettable(t.CreatedAt) {
			kept++
		} else if _, err := a.put(ctx, keyTokens, "", false, fieldOfHash(old.Hash), nil); err != nil {
			return failedAccounts("forget a token", err)
		}
	}
	if kept >= maxTokens {
		return access.ErrTooMany
	}
	_, err = a.put(ctx, keyTokens, "", false, fieldOfHash(t.Hash), t)
	return failedAccounts("add a token", err)
}

// Token is the one of a hash, or access.ErrUnknown.
func (a *RedisAccounts) Token(ctx context.Context, token access.Hash) (access.APIToken, error) {
	return recall(&a.known, "token "+fieldOfHash(token), func() (access.APIToken, error) {
		t, err := oneOfHash[access.APIToken](ctx, a, keyTokens, fieldOfHash(token))
		return t, failedAccounts("read a token", err)
	})
}

// Tokens are all API tokens, revoked and expired ones too.
func (a *RedisAccounts) Tokens(ctx context.Context) ([]access.APIToken, error) {
	tokens, err := allOf[access.APIToken](ctx, a, keyTokens)
	return tokens, failedAccounts("list tokens", err)
}

// TouchToken notes when a token was last used. It revives nothing: who revokes it at the same moment writes
// under the version that this one was read at.
func (a *RedisAccounts) TouchToken(ctx context.Context, token access.Hash, used time.Time) error {
	return a.changeToken(ctx, "note a token", token, false, func(t *access.APIToken) { t.UsedAt = used })
}

// RevokeToken ends a token, which stays listed for a while. The error is access.ErrUnknown.
func (a *RedisAccounts) RevokeToken(ctx context.Context, token access.Hash, at time.Time) error {
	a.known.end("token " + fieldOfHash(token))
	return a.changeToken(ctx, "revoke a token", token, true, func(t *access.APIToken) {
		if t.RevokedAt.IsZero() {
			t.RevokedAt = at
		}
	})
}

func (a *RedisAccounts) changeToken(ctx context.Context, what string, token access.Hash, news bool, change func(*access.APIToken)) error {
	for range manyTries {
		version, err := a.Version(ctx)
		if err != nil {
			return err
		}
		t, err := oneOfHash[access.APIToken](ctx, a, keyTokens, fieldOfHash(token))
		if err != nil {
			return failedAccounts(what, err)
		}
		change(&t)
		written, err := a.put(ctx, keyTokens, strconv.FormatInt(version, 10), news, fieldOfHash(token), t)
		if err != nil || written {
			return failedAccounts(what, err)
		}
	}
	return failedAccounts(what, errors.New("others change the accounts without end"))
}

// AddEntry writes a line into the audit trail, see Accounts.AddEntry.
func (a *RedisAccounts) AddEntry(ctx context.Context, e access.Entry) error {
	trail, most := keyAudit, maxAudited
	if e.Act.ByStranger() {
		trail, most = keyStrangers, maxStrangers
	}
	data, err := json.Marshal(e)
	if err == nil {
		err = luaAudit.Run(ctx, a.client, []string{trail, keyAudited}, data, most).Err()
	}
	return failedAccounts("write the audit trail", err)
}

// Audit is a page of the trail, newest first, see Accounts.Audit.
func (a *RedisAccounts) Audit(ctx context.Context, before int64, limit int) (entries []access.Entry, next int64, err error) {
	from := "+inf"
	if before != 0 {
		from = "(" + strconv.FormatInt(before, 10)
	}
	var lines []redis.Z
	for _, trail := range []string{keyAudit, keyStrangers} {
		part, err := a.client.ZRangeArgsWithScores(ctx, redis.ZRangeArgs{Key: trail, Start: from, Stop: "-inf", ByScore: true, Rev: true, Count: int64(limit + 1)}).Result()
		if err != nil {
			return nil, 0, failedAccounts("read the audit trail", err)
		}
		lines = append(lines, part...)
	}
	slices.SortFunc(lines, func(x, y redis.Z) int { return cmp.Compare(y.Score, x.Score) })
	if len(lines) > limit {
		lines, next = lines[:limit], int64(lines[limit-1].Score)
	}
	for _, line := range lines {
		var e access.Entry
		text, _ := line.Member.(string)
		_, doc, _ := strings.Cut(text, " ")
		if err := json.Unmarshal([]byte(doc), &e); err != nil {
			return nil, 0, failedAccounts("read the audit trail", err)
		}
		entries = append(entries, e)
	}
	return entries, next, nil
}
