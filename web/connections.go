package web

import (
	linked "container/list"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/roomwatch/roomwatch/access"
)

// How many connections there may be. A connection is a stranger's until something good came on it: a delivery that
// a source signed, a login, a token. One of a stranger costs some 30 kB while it says nothing.
const (
	maxConnections = 32_768
	maxStrangers   = 2_048 // half of them for longer than a moment, a quarter from one address
	moment         = 250 * time.Millisecond
	// unknownFiles is taken for the limit of open files where the system does not tell it.
	unknownFiles = 65_536
	minOwnFiles  = 64 // that the store and others have open, and may open
	maxOwnFiles  = 1_024
)

// Pauses after a connection could not be accepted.
const (
	firstPause = 5 * time.Millisecond
	maxPause   = time.Second
	roomTold   = time.Minute // until the log tells again that there is no room
)

// connections are the listener's, each counted as a stranger's or a known one's. The two have shares of their own, so
// that neither takes the other's: deliveries, which come as strangers, get through however many sockets are open, and
// sockets stay however many strangers come. Of too many strangers those go who are there for longest, of the address that
// has most, but none who came a moment ago while there is room at all: a thousand rooms that end together send a
// thousand deliveries at once, from one address. Of too many known ones goes who is idle for longest.
type connections struct {
	net.Listener
	proxies access.Proxies // whose connections are of many: known, and not counted by address
	log     *slog.Logger
	shut    chan struct{} // closed with the listener

	maxStrangers, manyStrangers, manyFrom, maxKnown int

	mu        sync.Mutex
	strangers *linked.List         // of *connection, the oldest first
	idle      *linked.List         // of known ones that have nothing under way, the one idle for longest first
	known     int                  // idle or not
	from      map[netip.Prefix]int // strangers by address
	told      time.Time            // when the log was told last that somebody had to go
	failed    time.Time            // when a connection could not be accepted last

	madeRoom, failures atomic.Uint64
}

// newConnections has room for what so many open files allow; 0 where that is not known.
func newConnections(files int, proxies access.Proxies, log *slog.Logger) *connections {
	if files == 0 {
		files = unknownFiles
	}
	own := min(minOwnFiles+files/16, maxOwnFiles)
	all := min(max(files-own, minOwnFiles), maxConnections)
	strangers := min(all/2, maxStrangers)
	return &connections{proxies: proxies, log: log, shut: make(chan struct{}),
		maxStrangers: strangers, manyStrangers: strangers / 2, manyFrom: strangers / 4, maxKnown: all - strangers,
		strangers: linked.New(), idle: linked.New(), from: make(map[netip.Prefix]int)}
}

// connection is one that is open.
type connection struct {
	net.Conn
	all     *connections
	network netip.Prefix // that strangers are counted by; none of a proxy
	lingers atomic.Bool  // what the peer still sends is taken in before the end

	// Of connections.mu:
	since       time.Time // it came, or was answered last
	known, gone bool
	place       *linked.Element // among the strangers or the idle ones; nil elsewhere
}

// SyscallConn is for whoever writes without waiting, see line.
func (c *connection) SyscallConn() (syscall.RawConn, error) {
	if conn, ok := c.Conn.(syscall.Conn); ok {
		return conn.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// Close makes room. The last answer arrives although something still comes in.
func (c *connection) Close() error {
	defer c.all.leave(c)
	if !c.lingers.Load() {
		return c.Conn.Close()
	}
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	linger(c.Conn)
	return nil
}

// serve is the listener to accept from.
func (all *connections) serve(listener net.Listener) net.Listener {
	all.Listener = listener
	return all
}

// Close stops accepting.
func (all *connections) Close() error {
	close(all.shut)
	return all.Listener.Close()
}

// Accept waits for the next connection. While none can be had, for want of descriptors or whatever else may pass, it
// tries again after a pause; the error is that the listener is closed, or was never one.
func (all *connections) Accept() (net.Conn, error) {
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		conn, err := all.Listener.Accept()
		if err == nil {
			return all.enter(conn), nil
		}
		if !passing(err) {
			return nil, err
		}
		all.wanting(err, pause)
		select {
		case <-all.shut:
			return nil, net.ErrClosed
		case <-time.After(pause):
		}
	}
}

// passing says whether a listener that failed so may work again.
func passing(err error) bool {
	for _, lasting := range []error{net.ErrClosed, syscall.EBADF, syscall.EINVAL, syscall.ENOTSOCK} {
		if errors.Is(err, lasting) {
			return false
		}
	}
	return true
}

// wanting makes room when there are no descriptors left.
func (all *connections) wanting(err error, pause time.Duration) {
	all.failures.Add(1)
	now := time.Now()
	all.mu.Lock()
	news := now.Sub(all.failed) > roomTold
	all.failed = now
	var victim *connection
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		if victim = all.oldest(all.strangers); victim == nil {
			victim = all.oldest(all.idle)
		}
	}
	all.mu.Unlock()
	victim.end()
	if news {
		all.log.Error("connections cannot be accepted, trying again; when files are what is wanting, raise the limit of open files (ulimit -n, LimitNOFILE)",
			"err", err, "pause", pause)
	}
}

// enter takes a connection in, of a stranger to begin with. Whoever has to go for it goes.
func (all *connections) enter(conn net.Conn) *connection {
	now := time.Now()
	c := &connection{Conn: conn, all: all, since: now}
	peer := remote(conn)
	proxy := all.proxies.Trust(peer)
	if !proxy {
		c.network = access.Network(peer)
	}
	all.mu.Lock()
	victims := all.tooMany(c.network, now)
	c.place = all.strangers.PushBack(c)
	all.from[c.network]++
	if proxy {
		victims = append(victims, all.promote(c))
	}
	all.tell(victims)
	all.mu.Unlock()
	for _, victim := range victims {
		victim.end()
	}
	return c
}

// tooMany takes out who has to go for a stranger of this address who comes now.
func (all *connections) tooMany(network netip.Prefix, now time.Time) (victims []*connection) {
	for network.IsValid() && all.from[network] >= all.manyFrom {
		c := all.oldestWhere(func(c *connection) bool { return c.network == network })
		if now.Sub(c.since) < moment {
			break
		}
		all.forget(c)
		victims = append(victims, c)
	}
	for all.strangers.Len() >= all.manyStrangers {
		crowd := 0 // how many the address has that has most
		for _, n := range all.from {
			crowd = max(crowd, n)
		}
		c := all.oldestWhere(func(c *connection) bool { return all.from[c.network] == crowd })
		if now.Sub(c.since) < moment && all.strangers.Len() < all.maxStrangers {
			break
		}
		all.forget(c)
		victims = append(victims, c)
	}
	return victims
}

// knows says that somebody good is at a connection, and is false when there are as many of those as may be.
func (all *connections) knows(conn net.Conn) bool {
	c, ok := conn.(*connection)
	if !ok {
		return true
	}
	all.mu.Lock()
	victim := all.promote(c)
	known := c.known
	all.mu.Unlock()
	victim.end()
	return known
}

// promote moves a stranger among the known ones, if one of those is idle or there is room. Who had to go for it is
// returned.
func (all *connections) promote(c *connection) (victim *connection) {
	if c.known || c.gone {
		return nil
	}
	if all.known >= all.maxKnown {
		if victim = all.oldest(all.idle); victim == nil {
			return nil
		}
	}
	all.unplace(c)
	c.known = true
	all.known++
	return victim
}

// changed hears from the HTTP engine when a request begins and when its answer is written.
func (all *connections) changed(conn net.Conn, state fasthttp.ConnState) {
	c, ok := conn.(*connection)
	if !ok || state != fasthttp.StateIdle && state != fasthttp.StateActive {
		return
	}
	all.mu.Lock()
	defer all.mu.Unlock()
	switch {
	case c.gone:
	case !c.known && state == fasthttp.StateIdle:
		c.since = time.Now()
		all.strangers.MoveToBack(c.place)
	case c.known && state == fasthttp.StateIdle:
		c.place = all.idle.PushBack(c)
	case c.known && c.place != nil:
		all.idle.Remove(c.place)
		c.place = nil
	}
}

// oldest takes the first of a list out, which has to go; nil if there is none.
func (all *connections) oldest(of *linked.List) *connection {
	if of.Len() == 0 {
		return nil
	}
	c, _ := of.Front().Value.(*connection)
	all.forget(c)
	return c
}

// oldestWhere is the stranger who is there for longest of those that is holds for. There is one.
func (all *connections) oldestWhere(is func(*connection) bool) *connection {
	for e := all.strangers.Front(); ; e = e.Next() {
		if c, _ := e.Value.(*connection); is(c) {
			return c
		}
	}
}

// forget counts a connection no more. It is open still.
func (all *connections) forget(c *connection) {
	if c.gone {
		return
	}
	c.gone = true
	all.unplace(c)
	if c.known {
		all.known--
	}
}

// unplace takes a connection from its list.
func (all *connections) unplace(c *connection) {
	switch {
	case !c.known:
		all.strangers.Remove(c.place)
		if all.from[c.network]--; all.from[c.network] == 0 {
			delete(all.from, c.network)
		}
	case c.place != nil:
		all.idle.Remove(c.place)
	}
	c.place = nil
}

func (all *connections) leave(c *connection) {
	all.mu.Lock()
	defer all.mu.Unlock()
	all.forget(c)
}

// end closes a connection that had to go. There may be none.
func (c *connection) end() {
	if c != nil {
		c.all.madeRoom.Add(1)
		_ = c.Conn.Close()
	}
}

// tell writes into the log that connections had to go, now and then.
func (all *connections) tell(victims []*connection) {
	for _, victim := range victims {
		if now := time.Now(); victim != nil && now.Sub(all.told) > roomTold {
			all.told = now
			all.log.Warn("there are more connections than there is room for, the oldest of those who did not log in are closed",
				"strangers", all.strangers.Len(), "known", all.known, "from", victim.network.String())
		}
	}
}

// count is how many there are.
func (all *connections) count() (strangers, known int) {
	all.mu.Lock()
	defer all.mu.Unlock()
	return all.strangers.Len(), all.known
}

// check is for /health, where connections could not be accepted lately.
func (all *connections) check(now time.Time) []check {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.failed.IsZero() || now.Sub(all.failed) > roomTold {
		return nil
	}
	return []check{{Component: "system", Status: "warn", Time: all.failed.UTC().Truncate(time.Second),
		Output: "connections could not be accepted: the limit of open files may be too low"}}
}

// gauges are the figures of the connections.
func (all *connections) gauges(m *metrics) {
	m.gauge("roomwatch_connections", "Open connections.", func() float64 {
		strangers, known := all.count()
		return float64(strangers + known)
	})
	m.gauge("roomwatch_connections_of_strangers", "Open connections on which nothing came yet that a source signed, and nobody logged in.", func() float64 {
		strangers, _ := all.count()
		return float64(strangers)
	})
	m.counter("roomwatch_connections_closed_for_room_total", "Connections that were closed because others needed their room.",
		func() float64 { return float64(all.madeRoom.Load()) })
	m.counter("roomwatch_accept_failures_total", "How often a connection could not be accepted, for want of descriptors as a rule.",
		func() float64 { return float64(all.failures.Load()) })
}

// remote is the address at the other end.
func remote(conn net.Conn) netip.Addr {
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// knownConnection says that whoever asks is somebody, so that their connection is no stranger's. It is false when
// there is no room for another.
func (s *Server) knownConnection(c *fiber.Ctx) bool { return s.connections.knows(c.Context().Conn()) }
