package access

import "time"

// meter is a leaky bucket for each of many keys: burst attempts at once, then one every so often.
type meter struct {
	burst   int
	every   time.Duration
	buckets map[string]bucket
	swept   time.Time
}

// bucket is kept as the time at which it will have drained: an attempt moves it later.
type bucket struct {
	empty time.Time
	told  bool // that it is full
}

const (
	maxBuckets = 1 << 12
	shared     = "" // the bucket of further keys
)

func newMeter(burst int, every time.Duration) *meter {
	return &meter{burst: burst, every: every, buckets: make(map[string]bucket)}
}

// wait is how long until the key has room for an attempt; 0 or less is now.
func (m *meter) wait(key string, now time.Time) time.Duration {
	b, ok := m.buckets[m.own(key)]
	if !ok {
		return 0
	}
	return b.empty.Sub(now) - time.Duration(m.burst-1)*m.every
}

// charge counts an attempt.
func (m *meter) charge(key string, now time.Time) {
	m.sweep(key, now)
	key = m.own(key)
	from := m.buckets[key].empty
	if from.Before(now) {
		from = now
	}
	m.buckets[key] = bucket{empty: from.Add(m.every)}
}

// refund takes one attempt back.
func (m *meter) refund(key string) {
	key = m.own(key)
	if b, ok := m.buckets[key]; ok {
		b.empty = b.empty.Add(-m.every)
		m.buckets[key] = b
	}
}

// tell says whether a full bucket is news: it is once, until it had room again.
func (m *meter) tell(key string) bool {
	key = m.own(key)
	b := m.buckets[key]
	news := !b.told
	b.told = true
	m.buckets[key] = b
	return news
}

// own is the key of the bucket: its own, or the shared one when there are too many.
func (m *meter) own(key string) string {
	if _, ok := m.buckets[key]; !ok && len(m.buckets) >= maxBuckets {
		return shared
	}
	return key
}

// sweep makes room for a new bucket by throwing away those that have drained: they say nothing. It looks at
// all of them once a second at most.
func (m *meter) sweep(key string, now time.Time) {
	if _, ok := m.buckets[key]; ok || len(m.buckets) < maxBuckets || now.Sub(m.swept) < time.Second {
		return
	}
	m.swept = now
	for other, b := range m.buckets {
		if !b.empty.After(now) {
			delete(m.buckets, other)
		}
	}
}
