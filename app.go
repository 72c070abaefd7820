package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/store"
	"github.com/roomwatch/roomwatch/views"
	"github.com/roomwatch/roomwatch/web"
)

// App is Roomwatch as a value: several may run in one process. New opens the store, Start begins to
// answer, Close ends everything in the order in which nothing is lost.
type App struct {
	config   Config
	sources  []string
	base     string // path, "" at the root
	log      *slog.Logger
	record   record
	board    *live.Board
	hub      *live.Hub
	watch    *live.Attention
	notifier *notifier // nil: nobody is told
	checks   *checks
	server   *web.Server
	listener net.Listener
	debug    *http.Server // nil: profiles are not shown

	stop  context.CancelFunc
	tasks sync.WaitGroup
	fatal chan error
	setup string // see SetupToken
}

// record is the store, whichever it is.
type record interface {
	live.Record
	web.Record
	Retain(ctx context.Context, now time.Time, history, bodies time.Duration) error
	Steady(ctx context.Context) error // store.ErrClock while our clock must not say what is old
	Leads() bool                      // of several replicas one does what only one should do; whoever is alone does
	Close() error
}

// explained is the record as it is read by people and machines: deliveries say when they are left out of what is shown.
type explained struct {
	record
	board *live.Board
}

// Deliveries is a page of deliveries, explained.
func (e explained) Deliveries(ctx context.Context, q room.DeliveryQuery) (room.Page[room.Delivery], error) {
	page, err := e.record.Deliveries(ctx, q)
	if err == nil {
		err = e.board.Explain(ctx, page.Items)
	}
	return page, err
}

// Delivery is one delivery, explained.
func (e explained) Delivery(ctx context.Context, position string) (room.Delivery, error) {
	one := make([]room.Delivery, 1)
	var err error
	if one[0], err = e.record.Delivery(ctx, position); err == nil {
		err = e.board.Explain(ctx, one)
	}
	return one[0], err
}

// openRecord opens the record that STORE names.
func openRecord(ctx context.Context, config Config, log *slog.Logger) (record, error) {
	if store.IsRedis(config.Store) {
		return store.OpenRedis(ctx, config.Store, config.Spool, log)
	}
	return store.Open(ctx, config.Store, log)
}

// accountsOf are the accounts of the store, whichever it is.
func accountsOf(r record) web.Accounts {
	if shared, ok := r.(*store.Redis); ok {
		return shared.Accounts()
	}
	return r.(*store.SQLite).Accounts()
}

// openTime bounds the opening of the store. One that another serve holds is refused at once; after an unclean
// stop a large one is looked at for some seconds. Tests make it shorter.
var openTime = 20 * time.Second

// openAnswering opens the record. While an older one is brought up to date, which takes as long as it takes, it is said
// at the address that we listen at; the listener is nil when that was not needed.
func openAnswering(ctx context.Context, config Config, base string, log *slog.Logger) (record record, listener net.Listener, err error) {
	path := strings.TrimPrefix(config.Store, "file:")
	if store.IsRedis(config.Store) {
		path = config.Spool
	}
	outdated, err := store.Outdated(path)
	if err != nil {
		return nil, nil, err
	}
	if !outdated {
		ctx, cancel := context.WithTimeout(ctx, openTime)
		defer cancel()
		record, err = openRecord(ctx, config, log)
		return record, nil, err
	}
	if listener, err = listen(config.Listen); err != nil {
		return nil, nil, err
	}
	answering := startWaiting(listener.(*net.TCPListener), base)
	record, err = openRecord(ctx, config, log)
	if ended := answering.end(); err == nil && ended != nil {
		err = errors.Join(ended, record.Close())
	}
	if err != nil {
		return nil, nil, errors.Join(err, listener.Close())
	}
	return record, listener, nil
}

func listen(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return listener, nil
}

// New checks the settings and puts the parts together. Nothing is answered yet, but that an older record is brought up
// to date.
func New(ctx context.Context, config Config, log *slog.Logger) (*App, error) {
	sources, keyring, err := keysOf(&config)
	if err != nil {
		return nil, err
	}
	var news *notifier
	var tell func([]room.Alarm)
	if config.Attention.URL != "" {
		if news, err = newNotifier(&config, log); err != nil {
			return nil, err
		}
		tell = news.tell
	}
	meets, err := config.meetsOf(sources)
	if err != nil {
		return nil, err
	}
	base, err := config.basePath()
	if err != nil {
		return nil, err
	}
	record, listener, err := openAnswering(ctx, config, base, log)
	if err != nil {
		return nil, err
	}
	failed := func(err error) (*App, error) {
		if listener != nil {
			err = errors.Join(err, listener.Close())
		}
		return nil, errors.Join(err, record.Close())
	}
	open, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	auth, err := config.auth(accountsOf(record))
	if err != nil {
		return failed(err)
	}
	if news != nil {
		news.leads = record.Leads
	}
	tick, look := cmp.Or(config.Tick, live.Tick), cmp.Or(config.Look, live.LookEvery)
	names := sourceNames(sources)
	board := live.NewBoard(record, names, log)
	limits := config.Attention.limits()
	pages := views.HTML{History: time.Duration(config.Retention), Bodies: time.Duration(config.RetentionBodies), Base: base}
	hub := live.NewHub(board, explained{record, board}, pages, limits, tick, log)
	replica, _ := record.(web.Replica)
	if err := tellSecret(record, auth.Secret); err != nil {
		return failed(err)
	}
	server := web.New(web.Config{Record: explained{record, board}, Replica: replica, Board: board, Hub: hub, Keyring: keyring, PlugNmeets: meets,
		Origins: config.Origins, BasePath: base, LoopbackOnly: config.Auth == "none", Auth: auth, Gallery: config.Gallery, Files: openFiles(), Log: log})
	setup, err := server.OpenSetup(open)
	if err != nil {
		return failed(err)
	}
	return &App{setup: setup, listener: listener, config: config, base: base, checks: newChecks(config, board, record, meets, log), sources: names, log: log, record: record, board: board, hub: hub, server: server,
		watch: live.NewAttention(board, record, limits, look, log, tell), notifier: news, fatal: make(chan error, 3)}, nil
}

// tellSecret has replicas find out when they do not have the same.
func tellSecret(record record, secret []byte) error {
	shared, ok := record.(*store.Redis)
	if !ok {
		return nil
	}
	fingerprint, err := access.Fingerprint(secret)
	if err == nil {
		shared.TellSecret(fingerprint)
	}
	return err
}

// keysOf are the sources of settings that can be used, and the keys to verify their deliveries with.
func keysOf(config *Config) ([]plugnmeet.Source, *plugnmeet.Keyring, error) {
	if err := config.validate(); err != nil {
		return nil, nil, err
	}
	sources, err := config.sources()
	if err != nil {
		return nil, nil, err
	}
	keyring, err := plugnmeet.NewKeyring(sources)
	return sources, keyring, err
}

// Reload takes over the keys and secrets of the sources, for their rotation. Everything else that can be
// set, the names of the sources too, needs a restart.
func (a *App) Reload(config Config) error {
	sources, keyring, err := keysOf(&config)
	if err != nil {
		return err
	}
	if names := sourceNames(sources); !slices.Equal(names, a.sources) {
		return fmt.Errorf("the sources are %v and were %v: that needs a restart", names, a.sources)
	}
	a.server.SetKeyring(keyring)
	a.checks.reload(sources)
	return nil
}

// Start begins to listen, to fold the record and to answer. It returns when the address is known.
func (a *App) Start() error {
	if a.listener == nil {
		var err error
		if a.listener, err = listen(a.config.Listen); err != nil {
			return errors.Join(err, a.record.Close())
		}
	}
	if err := a.profile(); err != nil {
		return errors.Join(err, a.listener.Close(), a.record.Close())
	}
	ctx, stop := context.WithCancel(context.Background())
	a.stop = stop
	a.tasks.Go(func() { a.report(a.board.Run(ctx)) })
	a.tasks.Go(func() { a.hub.Run(ctx) })
	a.tasks.Go(func() { a.watch.Run(ctx) })
	a.checks.run(ctx, &a.tasks)
	if a.notifier != nil {
		a.tasks.Go(func() { a.notifier.run(ctx) })
	}
	a.tasks.Go(func() { a.retain(ctx) })
	a.tasks.Go(func() { a.report(a.server.Serve(a.listener)) })
	return nil
}

const (
	retainEvery = time.Hour   // how often what has passed its time is removed
	clockEvery  = time.Minute // how often the clock is looked at
)

// retain keeps the record bounded, as long as the clock can be believed.
func (a *App) retain(ctx context.Context) {
	select {
	case <-a.board.Ready(): // a start has enough to read
	case <-ctx.Done():
		return
	}
	tick := time.NewTicker(clockEvery)
	defer tick.Stop()
	var next time.Time
	for ctx.Err() == nil {
		steady := a.record.Steady(ctx)
		if now := time.Now(); steady == nil && !now.Before(next) {
			next = now.Add(retainEvery)
			err := a.record.Retain(ctx, now, time.Duration(a.config.Retention), time.Duration(a.config.RetentionBodies))
			if err != nil && ctx.Err() == nil {
				a.log.Error("history that has passed its time could not be removed, trying again in an hour", "err", err)
			}
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

func (a *App) report(err error) {
	if err != nil {
		a.fatal <- err
	}
}

// Addr is the address that is answered at, host and port.
func (a *App) Addr() string { return a.listener.Addr().String() }

// URL is the address for a browser on this machine.
func (a *App) URL() string {
	host, port, _ := net.SplitHostPort(a.Addr())
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port) + a.base
}

// SetupToken is what makes the first user, while there is none; "" otherwise.
func (a *App) SetupToken() string { return a.setup }

// Failed yields an error that the program cannot go on with.
func (a *App) Failed() <-chan error { return a.fatal }

// Close sends viewers away, finishes requests under way, folds and saves what was stored, and closes the
// store. It takes at most about fifteen seconds.
func (a *App) Close() error {
	a.checks.closing()
	err := a.server.Shutdown()
	_ = a.listener.Close() // it is closed by then, unless Serve has not begun yet: that ends by it
	if a.debug != nil {
		err = errors.Join(err, a.debug.Close())
	}
	a.stop()
	a.tasks.Wait()
	a.checks.close()
	return errors.Join(err, a.record.Close())
}
