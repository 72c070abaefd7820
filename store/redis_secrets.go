package store

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// keySecrets is a hash: when each fingerprint of a replica's SECRET was last told. All should be one.
const keySecrets = "{roomwatch}:secrets"

var luaSecrets = script("secrets")

const warnSecrets = "another replica has a different SECRET: what one signs or masks is nothing to the other, so frames and " +
	"known browsers are refused by chance. Give all replicas the same"

// TellSecret has the other replicas know by which SECRET this one signs: its fingerprint, of which the secret cannot be
// made. Warnings says when another has another one.
func (r *Redis) TellSecret(fingerprint string) { r.secret.Store(&fingerprint) }

// compareSecrets tells ours and looks for others, once a lease: a replica that ended is forgotten soon.
func (r *Redis) compareSecrets(ctx context.Context) {
	own := r.secret.Load()
	if own == nil || time.Since(r.compared) < r.lease {
		return
	}
	r.compared = time.Now()
	others, err := otherSecrets(ctx, r.client, *own, true, 4*r.lease)
	if err != nil {
		return // Redis is away: nothing is known
	}
	if before := r.differs.Swap(others > 0); others > 0 && !before {
		r.log.Error(warnSecrets)
	}
}

// OtherSecrets is how many other SECRETs the replicas have that use a store now, by this fingerprint of one.
func OtherSecrets(ctx context.Context, storeURL, fingerprint string) (int, error) {
	options, err := optionsOf(storeURL)
	if err != nil {
		return 0, err
	}
	client := dial(*options, func() {})
	defer client.Close()
	return otherSecrets(ctx, client, fingerprint, false, 4*usualPace.lease)
}

func otherSecrets(ctx context.Context, client redis.UniversalClient, own string, tell bool, counts time.Duration) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, replyTime)
	defer cancel()
	telling := map[bool]string{true: "1", false: "0"}[tell]
	return luaSecrets.Run(ctx, client, []string{keySecrets}, own, telling, counts.Milliseconds()).Int()
}
