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

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
)

const (
	maxHeader   = 16 << 10         // request line and headers
	readTime    = 10 * time.Second // for a whole request, headers and body
	idleTime    = 75 * time.Second
	closeSpread = 3 * time.Second // over which viewers are sent away
	drainTime   = 5 * time.Second // for requests under way when the process shuts down
)

// Record is what web asks of the store. It is an interface because there are several stores, and because
// web must not know them.
type Record interface {
	Append(ctx context.Context, d room.Delivery) (room.Delivery, error)
	Note(d room.Delivery)
	Sessions(ctx context.Context, q room.SessionQuery) (room.Page[room.Summary], error)
	Deliveries(ctx context.Context, q room.DeliveryQuery) (room.Page[room.Delivery], error)
	Health() error // nil, or why deliveries cannot be stored now
}

// Config is what the server needs to know and to reach.
type Config struct {
	Record  Record
	Board   *live.Board
	Hub     *live.Hub
	Keyring *plugnmeet.Keyring // to begin with, see SetKeyring
	Origins []string           // origins that may open the socket, beside the host that was asked
	Log     *slog.Logger

	// LoopbackOnly: there is no login, so every request must name a loopback host or one of Origins.
	LoopbackOnly bool

	// ReadTime is how long a request, and a message of a viewer, may take to come in; 0 is ten seconds.
	ReadTime time.Duration
}

// Server answers HTTP.
type Server struct {
	Config
	app     *fiber.App
	keyring atomic.Pointer[plugnmeet.Keyring]
	refused *tally // failed authentications
	noted   *tally
	sockets *sockets
	metrics *metrics
}

// New makes a server; Serve starts it.
func New(config Config) *Server {
	s := &Server{Config: config, refused: newTally(), noted: newTally(), sockets: newSockets(), metrics: newMetrics()}
	s.ReadTime = cmp.Or(config.ReadTime, readTime)
	s.SetKeyring(config.Keyring)
	s.app = fiber.New(fiber.Config{
		AppName:               "Roomwatch",
		BodyLimit:             maxBody,
		ReadBufferSize:        maxHeader,
		ReadTimeout:           s.ReadTime,
		WriteTimeout:          readTime,
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
	if err := s.app.Listener(listener); err != nil {
		return fmt.Errorf("serve HTTP: %w", err)
	}
	return nil
}

// Shutdown turns readiness off, sends the viewers away, and lets requests under way finish.
func (s *Server) Shutdown() error {
	s.sockets.close()
	s.Hub.Close(closeSpread)
	s.sockets.wait(drainTime)
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
	s.metrics.gauge("roomwatch_sockets", "Open live sockets.", func() float64 { return float64(s.sockets.count()) })
}
