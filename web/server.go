// Package web is HTTP and nothing else: it takes deliveries in, hands pages and frames out, and answers
// machines. What is true, and what is shown, is decided elsewhere.
package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
)

const (
	maxHeader   = 16 << 10         // request line and headers
	readTime    = 10 * time.Second // for a whole request, headers and body
	answerTime  = 10 * time.Second // for a whole answer; for each part of an export
	idleTime    = 75 * time.Second
	closeSpread = 3 * time.Second // over which viewers are sent away
	drainTime   = 5 * time.Second // for requests under way when the process shuts down
)

// Record is what web asks of the store. It is an interface because there are several stores, and because
// web must not know them.
type Record interface {
	live.Lists
	Append(ctx context.Context, d room.Delivery) (room.Delivery, error)
	Note(d room.Delivery)
	Delivery(ctx context.Context, position string) (room.Delivery, error) // room.ErrNotFound
	Health() error                                                        // nil, or why deliveries cannot be stored now
	Warnings() []string                                                   // what an operator should look at; fixed texts, nothing private
	NotesDropped() uint64                                                 // how many notes were lost since the start
}

// Replica is what web asks of a store that several share.
type Replica interface {
	Spooled() (waiting, most int64) // deliveries that wait on this machine's disk for Redis, and how many may
	Leads() bool                    // this replica does what only one should do
}

// Config is what the server needs to know and to reach.
type Config struct {
	Record     Record
	Replica    Replica // nil for a store that is not shared
	Board      *live.Board
	Hub        *live.Hub
	Keyring    *plugnmeet.Keyring        // to begin with, see SetKeyring
	PlugNmeets map[string]*plugnmeet.API // by source, of those that can be asked
	Origins    []string                  // origins that may open the socket, beside the host that was asked
	BasePath   string                    // below which we are served, as ParseBasePath reads it; "" is the root
	Log        *slog.Logger

	// LoopbackOnly: there is no login, so every request must name a loopback host or one of Origins.
	LoopbackOnly bool

	// Auth says who may look, where there is a login.
	Auth Auth

	// Gallery shows every component in every state, at /dev/gallery: for development, never where it serves.
	Gallery bool

	// ReadTime is how long a request, and a message of a viewer, may take to come in; 0 is ten seconds.
	ReadTime time.Duration

	// WriteTime is how long a reader may take none of an answer; 0 is ten seconds.
	WriteTime time.Duration

	// AskTime is how long the store may take for one question; 0 is five seconds.
	AskTime time.Duration

	// ExportRows bounds an export; 0 is 100,000.
	ExportRows int

	// Files is how many files and connections the process may have open; 0 if that is not known.
	Files int
}

// Server answers HTTP.
type Server struct {
	Config
	app         *fiber.App
	connections *connections
	keyring     atomic.Pointer[plugnmeet.Keyring]
	intake      *intake
	refused     *tally // failed authentications
	noted       *tally
	sockets     *sockets
	warden      *warden
	obstacles   *obstacles
	metrics     *metrics
	packed      packed
	shares      shares

	rules     []Route
	keys      keys
	passwords *Passwords
	throttle  *access.Throttle
	failed    *tally // bearer and setup tokens that were not good
	setup     atomic.Pointer[access.Setup]
	provider  *provider // nil: nobody is known by one
}

// New makes a server; Serve starts it.
func New(config Config) *Server {
	s := &Server{Config: config, intake: newIntake(), refused: newTally(), noted: newTally(), shares: newShares(), metrics: newMetrics(), obstacles: newObstacles()}
	s.sockets = newSockets(s.shares.sockets)
	s.ReadTime, s.WriteTime = cmp.Or(config.ReadTime, readTime), cmp.Or(config.WriteTime, answerTime)
	s.AskTime, s.ExportRows = cmp.Or(config.AskTime, askTime), cmp.Or(config.ExportRows, exportRows)
	s.Record = vouching{config.Record, config.Board}
	s.connections = newConnections(config.Files, config.Auth.Proxies, config.Log)
	s.SetKeyring(config.Keyring)
	s.keys, s.passwords, s.throttle, s.failed, s.warden = newKeys(config.Auth.Secret), NewPasswords(), access.NewThrottle(), newTally(), newWarden(s)
	if config.Auth.By == ByOIDC {
		s.provider = newProvider(config.Auth.OIDC)
	}
	s.Hub.MaskWith(s.mask)
	s.Hub.ShareBy(s.shares.views, s.shares.questions)
	s.app = fiber.New(fiber.Config{
		AppName:               "Roomwatch",
		BodyLimit:             maxBody,
		ReadBufferSize:        maxHeader,
		ReadTimeout:           s.ReadTime,
		WriteTimeout:          s.WriteTime,
		IdleTimeout:           idleTime,
		Immutable:             true, // what we keep must not change when the next request comes
		DisableStartupMessage: true,
		ErrorHandler:          s.answerError,

		StreamRequestBody:            true, // see authentic
		DisablePreParseMultipartForm: true, // it would write files and change the body that was signed
		EnableTrustedProxyCheck:      true, // nobody is believed who says what host was asked
	})
	s.engine()
	s.gauges()
	s.routes()
	return s
}

// SetKeyring changes whose deliveries are taken, from the next delivery on.
func (s *Server) SetKeyring(keyring *plugnmeet.Keyring) { s.keyring.Store(keyring) }

// Serve answers on the listener until Shutdown.
func (s *Server) Serve(listener net.Listener) error {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.warden.run(ctx)
	}()
	defer func() { stop(); <-ended }()
	if err := s.app.Listener(s.connections.serve(listener)); err != nil {
		return fmt.Errorf("serve HTTP: %w", err)
	}
	return nil
}

// Shutdown turns readiness off, sends the viewers away, and lets requests under way finish.
func (s *Server) Shutdown() error {
	s.sockets.close()
	s.Hub.Close(closeSpread)
	s.sockets.wait(drainTime)
	if s.provider != nil {
		s.provider.client.CloseIdleConnections()
	}
	err := s.app.ShutdownWithTimeout(drainTime)
	if errors.Is(err, context.DeadlineExceeded) {
		s.Log.Warn("requests were still under way at the end")
		return nil
	}
	return err
}

// gauges are the figures of the moment: the totals of all rooms, and the sockets.
func (s *Server) gauges() {
	totals := func(of func(room.Totals) int) func() float64 {
		return func() float64 { return float64(of(s.Board.Totals())) }
	}
	s.metrics.gauge("roomwatch_rooms", "Sessions that are created or live.", totals(func(t room.Totals) int { return t.Rooms }))
	s.metrics.gauge("roomwatch_people", "People online in all rooms.", totals(func(t room.Totals) int { return t.People }))
	s.metrics.gauge("roomwatch_recordings_active", "Recordings that go on.", totals(func(t room.Totals) int { return t.RecordingsActive }))
	s.metrics.gauge("roomwatch_streams_active", "RTMP streams that go on.", totals(func(t room.Totals) int { return t.StreamsActive }))
	s.metrics.counter("roomwatch_notes_dropped_total", "Notes of refused deliveries that were lost because they came too fast.",
		func() float64 { return float64(s.Record.NotesDropped()) })
	s.metrics.gauge("roomwatch_exports", "Exports under way.", func() float64 { return float64(s.shares.exports.Held()) })
	for _, what := range allObstacles {
		s.metrics.labelled("roomwatch_sockets_hindered_total", "Sockets that something on the way kept from opening, by what that is.",
			"reason", what.code, func() float64 { return s.obstacles.times(what) })
	}
	s.metrics.gauge("roomwatch_sockets", "Open live sockets.", func() float64 { return float64(s.sockets.count()) })
	s.connections.gauges(s.metrics)
	s.metrics.registry.MustRegister(sourceGauges{s.Board})
	s.shareGauges()
	s.metrics.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "roomwatch_view_panics_total",
		Help: "Panics in asking for a view or rendering it. The log has where."}, func() float64 { return float64(s.Hub.Panics()) }))
	if s.Replica != nil {
		s.replicaGauges()
	}
}

// replicaGauges are the figures of one replica among several.
func (s *Server) replicaGauges() {
	s.metrics.gauge("roomwatch_spooled", "Deliveries that wait on this machine's disk for Redis.", func() float64 {
		waiting, _ := s.Replica.Spooled()
		return float64(waiting)
	})
	s.metrics.gauge("roomwatch_spool_limit", "How many deliveries may wait there; beyond that they are answered 503.", func() float64 {
		_, most := s.Replica.Spooled()
		return float64(most)
	})
	truth := func(is func() bool) func() float64 {
		return func() float64 {
			if is() {
				return 1
			}
			return 0
		}
	}
	s.metrics.gauge("roomwatch_leads", "1 when this replica leads: of all replicas one should.", truth(s.Replica.Leads))
	s.metrics.gauge("roomwatch_behind", "1 when what this replica shows is not of now, because Redis is away.", truth(func() bool { return !s.Board.AsOf().IsZero() }))
}
