// Package share divides what there is only so much of: views, sockets, questions to the store, exports. Whoever takes
// more than their share is refused, and nobody else is.
package share

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

var (
	// ErrOwn: the holder has all that one may have. Others are not concerned.
	ErrOwn = errors.New("the own share is used up")
	// ErrFull: all that there is, but for what is kept for others, is in use.
	ErrFull = errors.New("all of it is in use")
)

// Kind is what a holder is, by what they were let in by.
type Kind uint8

// The kinds of holders.
const (
	Stranger Kind = iota
	Frame         // a page in a frame, by its embed token
	Machine       // by its API token
	Person        // a user, by a login or by a proxy
	Place         // an address, where there is no login
)

func (k Kind) String() string { return [...]string{"stranger", "embed", "token", "user", "address"}[k] }

// known: what is kept in reserve is for these.
func (k Kind) known() bool { return k >= Machine }

// Holder is who has something, or wants it. The zero value is nobody in particular.
type Holder struct {
	Kind    Kind
	Name    string // among those of the kind; "" is counted by the address alone
	Address string // where from, of strangers and frames; "" is not counted by it
}

// key is what a holder is told apart by: a stranger by the address.
func (h Holder) key() string {
	if h.Name == "" {
		return h.Kind.String() + " at " + h.Address
	}
	return h.Kind.String() + " " + h.Name
}

// Limits are how something is divided. A zero does not limit.
type Limits struct {
	All     int          // there are so many
	Reserve int          // of these, strangers and frames get none of the last so many
	Each    map[Kind]int // of one holder
	From    int          // of all holders at one address
}

// Pool is something divided. It is safe for concurrent use.
type Pool struct {
	Limits

	mu          sync.Mutex
	held        int
	of          map[string]int // by holder, and by address
	waiting     []*waiter      // who came first stands first
	own, full   uint64         // refusals
	lastRefused map[string]time.Time
}

type waiter struct {
	holder Holder
	turn   chan struct{} // closed when it has come
}

// New is a pool of which nothing is taken.
func New(limits Limits) *Pool {
	return &Pool{Limits: limits, of: make(map[string]int), lastRefused: make(map[string]time.Time)}
}

// Take takes n for a holder, or none: ErrOwn or ErrFull.
func (p *Pool) Take(h Holder, n int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.refusal(h, n)
	if err == nil {
		p.add(h, n)
	}
	return err
}

// Add changes what a holder has without asking whether it may: it has grown, or shrunk, by n.
func (p *Pool) Add(h Holder, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.add(h, n)
	if n < 0 {
		p.callNext(h, -n)
	}
}

// Give gives back what was taken.
func (p *Pool) Give(h Holder, n int) { p.Add(h, -n) }

// Wait takes one, when its turn has come. The error is ErrOwn or ErrFull when ctx ends before.
func (p *Pool) Wait(ctx context.Context, h Holder) error {
	p.mu.Lock()
	why := p.refusal(h, 1)
	if why == nil {
		p.add(h, 1)
		p.mu.Unlock()
		return nil
	}
	w := &waiter{h, make(chan struct{})}
	p.waiting = append(p.waiting, w)
	p.mu.Unlock()
	select {
	case <-w.turn:
		return nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	at := slices.Index(p.waiting, w)
	if at < 0 {
		return nil // it came just now
	}
	p.waiting = slices.Delete(p.waiting, at, at+1)
	return why
}

// callNext hands on the n that were given back. Others come before who had them last: a holder with many questions
// takes turns with everybody else.
func (p *Pool) callNext(last Holder, n int) {
	for _, others := range []bool{true, false} {
		for i := 0; i < len(p.waiting) && n > 0; {
			w := p.waiting[i]
			if others && w.holder == last || p.refusal(w.holder, 1) != nil {
				i++
				continue
			}
			p.add(w.holder, 1)
			p.waiting = slices.Delete(p.waiting, i, i+1)
			close(w.turn)
			n--
		}
	}
}

// refusal is why a holder may not have n more.
func (p *Pool) refusal(h Holder, n int) error {
	each := p.Each[h.Kind]
	most := p.All
	if !h.Kind.known() {
		most -= p.Reserve
	}
	switch {
	case h.Name != "" && each > 0 && p.of[h.key()]+n > each:
		return ErrOwn
	case h.Address != "" && p.From > 0 && p.of[h.Address]+n > p.From:
		return ErrOwn
	case p.All > 0 && p.held+n > most:
		return ErrFull
	}
	return nil
}

func (p *Pool) add(h Holder, n int) {
	p.held += n
	if h.Name != "" {
		p.count(h.key(), n)
	}
	if h.Address != "" {
		p.count(h.Address, n)
	}
}

func (p *Pool) count(key string, n int) {
	if p.of[key] += n; p.of[key] == 0 {
		delete(p.of, key)
	}
}

// Held is how much is taken, by all.
func (p *Pool) Held() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held
}

// HeldBy is how much a holder has.
func (p *Pool) HeldBy(h Holder) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.of[h.key()]
}

// Waiting is how many wait for their turn.
func (p *Pool) Waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiting)
}

// Refused is how often somebody was refused, as told by Refuse: for want of an own share, and because all was in use.
func (p *Pool) Refused() (own, full uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.own, p.full
}

// Of a holder who is refused again and again, one line in so long is told, and of so many holders at most.
const (
	toldEvery = 10 * time.Minute
	maxTold   = 500
)

// Refuse counts that a holder was refused, for ErrOwn or ErrFull, and says whether that is worth a line of the log.
func (p *Pool) Refuse(h Holder, why error, now time.Time) (news bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if errors.Is(why, ErrOwn) {
		p.own++
	} else {
		p.full++
	}
	if last, told := p.lastRefused[h.key()]; told && now.Sub(last) < toldEvery {
		return false
	}
	if len(p.lastRefused) >= maxTold {
		for key, last := range p.lastRefused {
			if now.Sub(last) >= toldEvery {
				delete(p.lastRefused, key)
			}
		}
		if len(p.lastRefused) >= maxTold {
			return false
		}
	}
	p.lastRefused[h.key()] = now
	return true
}
