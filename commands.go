package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/lmittmann/tint"

	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/simulate"
)

// CLI is the command line. Each command is a struct with a Run method.
type CLI struct {
	Config kong.ConfigFlag `help:"Read settings from a YAML file." placeholder:"FILE"`

	Serve       serveCommand       `cmd:"" default:"withargs" help:"Take deliveries, keep the record, show the rooms (the default)."`
	Demo        demoCommand        `cmd:"" help:"Show a simulated busy day, on loopback, from a temporary store."`
	Simulate    simulateCommand    `cmd:"" help:"Post a simulated day to a Roomwatch, for load and practice."`
	Replay      replayCommand      `cmd:"" help:"Sign recorded deliveries afresh and post them."`
	Backup      backupCommand      `cmd:"" help:"Copy the record to a file, while serve goes on."`
	Check       checkCommand       `cmd:"" help:"Say what is wrong with settings, store, keys, clocks, and what to do."`
	User        userCommand        `cmd:"" help:"Add, list, change and remove users."`
	Token       tokenCommand       `cmd:"" help:"Make, list and revoke tokens of machines and frames."`
	Healthcheck healthcheckCommand `cmd:"" help:"Ask a running Roomwatch for its health; exit 0 or 1."`
	Version     versionCommand     `cmd:"" help:"Print the version."`
}

type serveCommand struct {
	Config `embed:""`
}

// Run serves until SIGINT or SIGTERM. SIGHUP reads the settings again and takes over the sources' keys.
func (cmd *serveCommand) Run() error {
	log := newLog(os.Stderr, cmd.Log)
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	app, err := New(ctx, cmd.Config, log)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil // an older record was being brought up to date; the next start begins anew
	case err != nil:
		return err
	}
	if err := app.Start(); err != nil {
		return err
	}
	fmt.Println("Roomwatch is at", app.URL())
	if token := app.SetupToken(); token != "" {
		fmt.Printf("Nobody can log in yet. Make the first user at %s/setup within an hour, with this setup token:\n%s\n", app.URL(), token)
	}
	for {
		select {
		case <-hangup:
			reload(app, log)
		case <-ctx.Done():
			log.Info("closing")
			cancel() // a second signal ends the process at once
			return app.Close()
		case err := <-app.Failed():
			return errors.Join(err, app.Close())
		}
	}
}

// reload keeps what is in force if the settings cannot be read or used.
func reload(app *App, log *slog.Logger) {
	cli, _, err := parse(os.Args[1:])
	if err == nil {
		err = app.Reload(cli.Serve.Config)
	}
	if err != nil {
		log.Error("settings were not taken over, the old ones stay", "err", err)
		return
	}
	log.Info("keys were read again")
}

type replayCommand struct {
	target `embed:""`
	File   string  `arg:"" help:"Recorded deliveries, one JSON object a line."`
	Speed  float64 `default:"1" help:"How many times as fast as recorded; 0 makes no pauses."`
}

// Run replays the file, and fails unless every delivery was answered 200.
func (cmd *replayCommand) Run() error {
	key, secret, err := cmd.pair()
	if err != nil {
		return err
	}
	client, err := cmd.poster()
	if err != nil {
		return err
	}
	file, err := os.Open(cmd.File)
	if err != nil {
		return err
	}
	defer file.Close()
	deliveries, err := simulate.Read(file)
	if err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	replay := simulate.Replay{Target: cmd.Target, APIKey: key, Secret: secret, Speed: cmd.Speed, Client: client}
	result, err := replay.Run(ctx, deliveries)
	printAnswers(result)
	if err != nil {
		return err
	}
	if good := result.Answers[http.StatusOK]; good < len(deliveries) {
		return fmt.Errorf("%d of %d deliveries were not stored", len(deliveries)-good, len(deliveries))
	}
	return nil
}

// target is where a command posts to, and what it signs with.
type target struct {
	trust         `embed:""`
	Target        string           `required:"" help:"Roomwatch's base URL or its webhook address." placeholder:"URL"`
	APIKey        string           `name:"api-key" required:"" help:"API key to sign with."`
	APISecret     plugnmeet.Secret `name:"api-secret" help:"Secret to sign with."`
	APISecretFile string           `name:"api-secret-file" help:"A file that holds the secret." placeholder:"FILE"`
}

// pair is what to sign with, as it was meant.
func (t target) pair() (key string, secret plugnmeet.Secret, err error) {
	if secret, err = secretOf(t.APISecret, t.APISecretFile, "API_SECRET"); err != nil {
		return "", "", err
	}
	if secret == "" {
		return "", "", errors.New("set --api-secret or ROOMWATCH_API_SECRET to the secret to sign with")
	}
	key, err = meant(t.APIKey, "API_KEY")
	return key, secret, err
}

// postTime is how long an answer to what is posted is waited for.
const postTime = 10 * time.Second

// poster is who posts; nil, which is simulate's own, unless authorities of one's own are to be believed.
func (t target) poster() (*http.Client, error) {
	if t.CAFile == "" {
		return nil, nil
	}
	return t.client(postTime)
}

func printAnswers(result simulate.Result) {
	for _, code := range slices.Sorted(maps.Keys(result.Answers)) {
		fmt.Printf("%d × %d %s\n", result.Answers[code], code, http.StatusText(code))
	}
}

type healthcheckCommand struct {
	trust  `embed:""`
	Listen string `default:":8080" help:"The address that serve listens on."`
	URL    string `name:"url" help:"Ask this base URL instead." placeholder:"URL"`
}

// Run asks /health; pass and warn are healthy.
func (cmd *healthcheckCommand) Run() error {
	base := cmd.URL
	if base == "" {
		var err error
		if base, err = localURL(cmd.Listen); err != nil {
			return err
		}
	}
	client, err := cmd.client(3 * time.Second)
	if err != nil {
		return err
	}
	answer, err := client.Get(strings.TrimSuffix(base, "/") + "/health")
	if err != nil {
		return fmt.Errorf("not healthy: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("not healthy: %s", answer.Status)
	}
	fmt.Println("healthy")
	return nil
}

type versionCommand struct{}

// Run prints the version that the build knows.
func (versionCommand) Run() error {
	version := "(unknown)"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
	}
	fmt.Println("roomwatch", version)
	return nil
}

// newLog writes text on a terminal and JSON lines elsewhere.
func newLog(to *os.File, level string) *slog.Logger {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		least = slog.LevelInfo
	}
	if info, err := to.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		return slog.New(tint.NewTextHandler(to, &tint.Options{Level: least, TimeFormat: time.TimeOnly}))
	}
	return slog.New(slog.NewJSONHandler(to, &slog.HandlerOptions{Level: least}))
}
