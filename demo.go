package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/simulate"
)

const (
	demoHistory = 3 * time.Hour // of meetings that are over when the demo opens
	demoKey     = "demo"

	demoCheck = 10 * time.Second // how often the stand-in is asked, so that one sees it heal
	demoDrop  = 0.05             // of deliveries that never come, once the page is open

	demoRetention = Period(365 * 24 * time.Hour) // nothing of a demo outlives it anyway
)

type demoCommand struct {
	Listen string  `default:"127.0.0.1:0" help:"Loopback address to answer at; port 0 picks a free one."`
	Rooms  int     `default:"24" help:"Rooms that are open at a time."`
	Pace   float64 `default:"2" help:"How many times as fast as life; times on the page stay true."`
	Seed   uint64  `default:"1" help:"Another seed is another day."`
	Log    string  `default:"warn" enum:"debug,info,warn,error" help:"Least level of log lines."`
}

// Run serves from a temporary store and posts a simulated day to its own webhook, until it is interrupted.
func (cmd *demoCommand) Run() error {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	dir, err := os.MkdirTemp("", "roomwatch-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	secret := plugnmeet.Secret(rand.Text() + rand.Text())
	config := Config{Listen: cmd.Listen, AuthConfig: AuthConfig{Auth: "none"}, Store: "file:" + filepath.Join(dir, "demo.db"), APIKey: demoKey, APISecret: secret, Log: cmd.Log,
		ReconcileEvery: demoCheck, ReconcileQuiet: 2 * demoCheck, UnverifiedAfter: demoRetention, JanitorAfter: demoRetention, Retention: demoRetention, RetentionBodies: demoRetention, Attention: attentionDefaults(), Gallery: true}
	plan := simulate.Plan{Seed: cmd.Seed, Rooms: cmd.Rooms, Start: time.Now().Add(-demoHistory)}
	if err := plan.Validate(); err != nil {
		return err
	}
	stage := simulate.NewStage(plan.Begin())
	standIn, err := net.Listen("tcp", "127.0.0.1:0") // who asks before it is served waits
	if err != nil {
		return err
	}
	defer standIn.Close()
	config.ServerURL = "http://" + standIn.Addr().String()
	app, err := New(ctx, config, newLog(os.Stderr, cmd.Log))
	if err != nil {
		return err
	}
	if err := recall(ctx, app, plan); err != nil {
		return errors.Join(err, app.record.Close())
	}
	if err := app.Start(); err != nil {
		return err
	}
	sender := simulate.Sender{Target: app.URL(), APIKey: demoKey, Secret: secret}
	api := &http.Server{Handler: &simulate.API{APIKey: demoKey, Secret: secret, Rooms: stage.Truth, End: stage.End}, ReadHeaderTimeout: time.Minute}
	return errors.Join(cmd.perform(ctx, app, stage, sender, func() { _ = api.Serve(standIn) }), app.Close(), api.Close())
}

// recall keeps the totals of the hours that are over, as a Roomwatch that had been there would have.
func recall(ctx context.Context, app *App, plan simulate.Plan) error {
	plan.Memory = 1
	life := plan.Begin()
	for at := plan.Start.Truncate(time.Minute); at.Before(time.Now()); at = at.Add(time.Minute) {
		for range life.Until(at) { // what was told is posted later
		}
		past := room.Sample{At: at}
		for _, d := range life.Truth() {
			summary := d.Summary()
			past.Count(&summary, +1)
		}
		if err := app.record.Sample(ctx, past); err != nil {
			return err
		}
	}
	return nil
}

// perform posts the hours that are over at once, and then life as it goes: some of its deliveries are lost, and the
// stand-in for plugNmeet's API knows of them.
func (cmd *demoCommand) perform(ctx context.Context, app *App, stage *simulate.Stage, sender simulate.Sender, serve func()) error {
	if _, err := sender.Run(ctx, slices.Values(stage.Until(time.Now()))); err != nil {
		return quiet(ctx, err)
	}
	fmt.Printf("Roomwatch shows a simulated day at %s\nNothing of it is kept. Stop it with Ctrl-C.\n", app.URL())
	stage.Change(cmd.Pace, demoDrop)
	go serve()
	ended := make(chan error, 1)
	go func() {
		_, err := sender.Run(ctx, stage.Deliveries(ctx))
		ended <- err
	}()
	select {
	case err := <-ended:
		return quiet(ctx, err)
	case err := <-app.Failed():
		return err
	}
}

// quiet: that somebody stopped it is no failure.
func quiet(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

type simulateCommand struct {
	target    `embed:""`
	Rooms     int           `default:"24" help:"Rooms that are open at a time."`
	People    int           `default:"8" help:"People in a room, on average."`
	Rate      float64       `help:"Deliveries a second, on average; without it life goes at its own pace." placeholder:"N"`
	Seed      uint64        `default:"1" help:"The same seed is the same day."`
	Shuffle   bool          `help:"Let all come up to half a minute late, so that their order is lost."`
	Duplicate float64       `help:"Share of deliveries that come twice, 0 to 1." placeholder:"P"`
	Drop      float64       `help:"Share of deliveries that never come, 0 to 1." placeholder:"P"`
	Late      float64       `help:"Share of deliveries that come minutes late, 0 to 1." placeholder:"P"`
	For       time.Duration `help:"Stop after this time." placeholder:"TIME"`
}

// Run posts until it is interrupted or its time is over, and says how that went.
func (cmd *simulateCommand) Run() error {
	key, secret, err := cmd.pair()
	if err != nil {
		return err
	}
	client, err := cmd.poster()
	if err != nil {
		return err
	}
	plan := simulate.Plan{Seed: cmd.Seed, Rooms: cmd.Rooms, People: cmd.People, Start: time.Now(),
		Shuffle: cmd.Shuffle, Duplicate: cmd.Duplicate, Drop: cmd.Drop, Late: cmd.Late}
	if cmd.Rate > 0 {
		plan.Pace = cmd.Rate / plan.Rate()
	}
	if err := plan.Validate(); err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	end := time.Now().Add(cmp.Or(cmd.For, 365*24*time.Hour))
	sender := simulate.Sender{Target: cmd.Target, APIKey: key, Secret: secret, Client: client}
	result, err := sender.Run(ctx, within(plan.Begin().Until(end), end))
	printAnswers(result)
	if err = quiet(ctx, err); err == nil && result.Failed > 0 {
		err = fmt.Errorf("%d deliveries were not taken", result.Failed)
	}
	return err
}

// within stops when the time is over, however far the deliveries have come.
func within(deliveries iter.Seq[simulate.Delivery], end time.Time) iter.Seq[simulate.Delivery] {
	return func(yield func(simulate.Delivery) bool) {
		for d := range deliveries {
			if time.Now().After(end) || !yield(d) {
				return
			}
		}
	}
}
