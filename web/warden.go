package web

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/share"
)

const (
	wardenEvery = time.Second
	proxiedLife = 15 * time.Minute // of a socket that a proxy let in: when it is opened anew, the proxy is asked again
)

// guest is an open socket, as far as its right to be open goes.
type guest struct {
	visitor
	who    share.Holder
	until  time.Time      // when that right ends by itself; zero: never
	leave  func(code int) // sends it away; it returns at once
	packed bool           // it takes compressed frames
}

// warden sends sockets away whose right has ended: at once when that happened here, and within a second or
// so when it happened on another replica, or by the command line.
type warden struct {
	server  *Server
	news    chan struct{} // holds one token while somebody may have to go
	version int64

	mu     sync.Mutex
	guests map[*guest]struct{}
}

func newWarden(s *Server) *warden {
	return &warden{server: s, news: make(chan struct{}, 1), guests: make(map[*guest]struct{})}
}

// admit takes a guest in whose right still stands; who was turned out while the socket opened is told so.
func (w *warden) admit(g *guest) bool {
	w.mu.Lock()
	w.guests[g] = struct{}{}
	w.mu.Unlock()
	return g.right() == nil || w.stillGood(context.Background(), g)
}

func (w *warden) forget(g *guest) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.guests, g)
}

// look has the guests looked over now.
func (w *warden) look() {
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// run looks after the guests until ctx ends.
func (w *warden) run(ctx context.Context) {
	tick := time.NewTicker(wardenEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.news:
			w.examine(ctx)
		case now := <-tick.C:
			w.expire(ctx, now)
			if w.changed(ctx) {
				w.examine(ctx)
			}
		}
	}
}

// changed says whether somebody's access may have ended anywhere since it was last asked.
func (w *warden) changed(ctx context.Context) bool {
	if w.server.LoopbackOnly || w.empty() {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, accountTime)
	defer cancel()
	version, err := w.server.Auth.Accounts.Version(ctx)
	if err != nil || version == w.version {
		return false // while the accounts cannot be read, those who are in stay until their time ends
	}
	w.version = version
	return true
}

func (w *warden) empty() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.guests) == 0
}

// expire sends those away whose time has ended.
func (w *warden) expire(ctx context.Context, now time.Time) {
	for _, g := range w.all() {
		until := w.end(g)
		if until.IsZero() || now.Before(until) {
			continue
		}
		if g.login.User == "" || !w.stillGood(ctx, g) { // requests may have kept a login going
			g.leave(g.over())
		}
	}
}

// over is the code with which a socket is closed whose time has ended. One that a proxy let in comes again.
func (g *guest) over() int {
	if g.user.Key != "" && g.login.User == "" {
		return closeAgain
	}
	return closeExpired
}

func (w *warden) end(g *guest) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return g.until
}

func (w *warden) all() []*guest {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]*guest, 0, len(w.guests))
	for g := range w.guests {
		out = append(out, g)
	}
	return out
}

// examine asks for each login, user and token that has guests whether it is still good.
func (w *warden) examine(ctx context.Context) {
	good := make(map[any]bool)
	for _, g := range w.all() {
		name := g.right()
		if name == nil {
			continue
		}
		may, asked := good[name]
		if !asked {
			may = w.stillGood(ctx, g)
			good[name] = may
		}
		if !may {
			g.leave(closeExpired)
		}
	}
}

// right names what the guest is let in by; nil for what cannot be taken back.
func (g *guest) right() any {
	switch {
	case g.login.User != "":
		return g.login.Hash
	case g.user.Key != "":
		return g.user.Key
	case g.token.Name != "":
		return g.token.Hash
	}
	return nil
}

// stillGood asks the store. While that does not answer, the right stands until its time ends.
func (w *warden) stillGood(ctx context.Context, g *guest) bool {
	accounts, now := w.server.Auth.Accounts, time.Now()
	ctx, cancel := context.WithTimeout(ctx, accountTime)
	defer cancel()
	var err error
	switch {
	case g.login.User != "":
		var l access.Login
		var u access.User
		if l, u, err = accounts.Login(ctx, g.login.Hash); err == nil {
			w.extend(g.login.Hash, l.Ends())
			return l.Check(u, now) == nil
		}
	case g.user.Key != "":
		var u access.User
		if u, err = accounts.User(ctx, g.user.Key); err == nil {
			return !u.Disabled && u.Role == g.user.Role
		}
	default:
		var t access.APIToken
		if t, err = accounts.Token(ctx, g.token.Hash); err == nil {
			return t.Check(now) == nil
		}
	}
	return !errors.Is(err, access.ErrUnknown)
}

// extend moves the end of a login's sockets: requests by the same login keep it going.
func (w *warden) extend(login access.Hash, until time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for g := range w.guests {
		if g.login.User != "" && g.login.Hash == login {
			g.until = until
		}
	}
}

// prolong lets a guest stay until then.
func (w *warden) prolong(g *guest, until time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	g.until = until
}

// until is when a visitor's right to a socket ends by itself.
func (v visitor) until(now time.Time) time.Time {
	switch {
	case v.login.User != "":
		return v.login.Ends()
	case v.user.Key != "":
		return now.Add(proxiedLife)
	case v.token.Name != "":
		return v.token.ExpiresAt
	case v.embed.Source != "":
		return v.embed.ExpiresAt
	}
	return time.Time{}
}
