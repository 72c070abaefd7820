package simulate

import (
	"encoding/hex"
	"math/rand/v2"
	"time"
)

// dice decides what happens, the same for the same seed.
type dice struct{ *rand.Rand }

func newDice(seed, stream uint64) dice { return dice{rand.New(rand.NewPCG(seed, stream))} }

func (d dice) chance(p float64) bool { return d.Float64() < p }

// between is any time from least to most, in milliseconds.
func (d dice) between(least, most time.Duration) time.Duration {
	span := int64((most - least) / time.Millisecond)
	return least + time.Duration(d.Int64N(span+1))*time.Millisecond
}

// about is mostly less than mean, and seldom much more: times between things that happen by themselves.
func (d dice) about(mean time.Duration) time.Duration {
	return time.Duration(d.ExpFloat64()*float64(mean/time.Millisecond)) * time.Millisecond
}

func (d dice) uuid() string {
	var b [16]byte
	for i := range b {
		b[i] = byte(d.Uint32())
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	text := hex.EncodeToString(b[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

// livekitID is prefix and n characters of the alphabet that LiveKit uses.
func (d dice) livekitID(prefix string, n int) string {
	const alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	id := make([]byte, n)
	for i := range id {
		id[i] = alphabet[d.IntN(len(alphabet))]
	}
	return prefix + string(id)
}

func pick[T any](d dice, from []T) T { return from[d.IntN(len(from))] }
