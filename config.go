package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/store"
	"github.com/roomwatch/roomwatch/web"
)

// Config is everything that an operator can set (README, Settings). A flag --x-y beats the environment's
// ROOMWATCH_X_Y, which beats x_y in the file of --config.
type Config struct {
	Listen    string `default:":8080" help:"Address to answer at. 127.0.0.1:0 picks a port and prints it."`
	PublicURL string `name:"public-url" help:"The address that people open, for check." placeholder:"URL"`
	BasePath  string `help:"The path below which a proxy serves Roomwatch, such as /roomwatch." placeholder:"PATH"`

	APIKey        string           `name:"api-key" help:"plugNmeet's API key (client.api_key in its config)."`
	APISecret     plugnmeet.Secret `name:"api-secret" help:"plugNmeet's secret (client.secret in its config), at least 32 bytes."`
	APISecretFile string           `name:"api-secret-file" help:"A file that holds the secret." placeholder:"FILE"`
	ServerURL     string           `name:"server-url" help:"plugNmeet's base URL, to check the rooms against it, for downloads, and to end rooms." placeholder:"URL"`
	Sources       []SourceConfig   `kong:"-"` // of the file only

	ReconcileEvery time.Duration `default:"30s" help:"How often plugNmeet is asked who is there."`
	ReconcileQuiet time.Duration `default:"60s" help:"What was heard of so lately is not put right yet."`

	UnverifiedAfter Period `default:"1h" help:"Where plugNmeet cannot be asked: a room without a delivery for so long is shown as unverified."`
	JanitorAfter    Period `default:"24h" help:"Where plugNmeet cannot be asked: a room without a delivery for so long is ended."`

	Store           string `default:"file:roomwatch.db" help:"Where the record is kept: file:PATH, memory: for a trial, or redis://, rediss://, redis-sentinel:// or redis-cluster:// for several replicas."`
	Spool           string `default:"roomwatch-spool.db" help:"With Redis: the local file that takes deliveries while Redis cannot, and that pages are read from. off keeps neither."`
	Retention       Period `default:"90d" help:"How long history is kept, counted from when a session was last heard of."`
	RetentionBodies Period `default:"7d" help:"How long the bodies of deliveries are kept."`

	Attention AttentionConfig `embed:"" prefix:"attention-"`

	AuthConfig `embed:""`
	trust      `embed:""`

	Origins []string `help:"Origins that may open the socket, beside the host that was asked." placeholder:"URL"`
	Log     string   `default:"info" enum:"debug,info,warn,error" help:"Least level of log lines: debug, info, warn, error."`

	Tick        time.Duration `default:"100ms" help:"How long changes are gathered before they are sent to pages: 10us to 1s."`
	DebugListen string        `help:"A loopback address for Go's profiles (pprof), for example 127.0.0.1:6060; none by default." placeholder:"ADDRESS"`

	Look    time.Duration `kong:"-"` // how often it is looked whether something needs attention; 0: live.LookEvery
	Gallery bool          `kong:"-"` // of the demo and of tests: every component in every state at /dev/gallery
}

// SourceConfig is one plugNmeet among several, in the file of --config.
type SourceConfig struct {
	Name      string             `yaml:"name"`
	APIKey    string             `yaml:"api_key"`
	Secrets   []plugnmeet.Secret `yaml:"secrets"`    // current, previous
	ServerURL string             `yaml:"server_url"` // as SERVER_URL
}

const (
	minSecret = 32 // bytes
	// minRetention: deliveries may be late by hours, and what came of a session too.
	minRetention = Period(24 * time.Hour)
	// minEvery: plugNmeet makes a call for each room when it is asked.
	minEvery, maxReconcile = time.Second, time.Hour
	// Changes come to pages at least once a second, and as good as at once.
	minTick, maxTick = 10 * time.Microsecond, time.Second
	// sampleSecret is the one of plugNmeet's public documentation: everybody knows it.
	sampleSecret = "zumyyYWqv7KR2kUqvYdq4z4sXg7XTBD2ljT6"
)

// validate refuses what cannot work and what would be insecure, and says what to do.
func (c *Config) validate() error {
	if err := c.validateAuth(); err != nil {
		return err
	}
	if err := neat(c.PublicURL, "PUBLIC_URL"); err != nil {
		return err
	}
	if _, err := c.basePath(); err != nil {
		return err
	}
	if _, err := c.publicURL(); err != nil {
		return err
	}
	if err := neat(c.Store, "STORE"); err != nil {
		return err
	}
	if !strings.HasPrefix(c.Store, "file:") && c.Store != "memory:" && !store.IsRedis(c.Store) {
		return fmt.Errorf("STORE=%s: it is one of file:PATH, memory:, redis://, rediss://, redis-sentinel://, redis-cluster://", redactURL(c.Store))
	}
	if store.IsRedis(c.Store) && c.Spool == "" {
		return errors.New("SPOOL is empty: name a file on a disk that lasts, or off")
	}
	for _, origin := range c.Origins {
		if u, err := url.Parse(origin); err != nil || u.Host == "" || origin != u.Scheme+"://"+u.Host {
			return fmt.Errorf("ORIGINS: %q is not an origin. Write it like https://rooms.example.org", origin)
		}
	}
	if c.DebugListen != "" && !loopback(c.DebugListen) {
		return fmt.Errorf("DEBUG_LISTEN=%s: profiles are shown on a loopback address only, for example 127.0.0.1:6060", c.DebugListen)
	}
	if c.Tick != 0 && (c.Tick < minTick || c.Tick > maxTick) {
		return fmt.Errorf("TICK=%s: set it between %s and %s", c.Tick, minTick, maxTick)
	}
	if c.Retention < minRetention || c.RetentionBodies < minRetention {
		return fmt.Errorf("RETENTION=%s, RETENTION_BODIES=%s: less than %s is not kept. Write it like 90d or 36h", c.Retention, c.RetentionBodies, minRetention)
	}
	if c.ReconcileEvery < minEvery || c.ReconcileQuiet < 0 || c.ReconcileEvery > maxReconcile || c.ReconcileQuiet > maxReconcile {
		return fmt.Errorf("RECONCILE_EVERY=%s, RECONCILE_QUIET=%s: want %s to %s, and at most %s", c.ReconcileEvery, c.ReconcileQuiet, minEvery, maxReconcile, maxReconcile)
	}
	if c.UnverifiedAfter < Period(time.Second) || c.JanitorAfter < c.UnverifiedAfter {
		return fmt.Errorf("UNVERIFIED_AFTER=%s, JANITOR_AFTER=%s: want a second or more, and the janitor no sooner", c.UnverifiedAfter, c.JanitorAfter)
	}
	if err := c.Attention.validate(); err != nil {
		return err
	}
	if _, err := c.authorities(); err != nil {
		return err
	}
	_, err := c.sources()
	return err
}

func (c *Config) basePath() (string, error) {
	path, err := web.ParseBasePath(c.BasePath)
	if err != nil {
		err = fmt.Errorf("BASE_PATH=%s: %w", c.BasePath, err)
	}
	return path, err
}

// loopback says whether an address to listen at is one that only this machine reaches.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// sources are the plugNmeets whose deliveries are taken: those of the file, and the pair API_KEY and
// API_SECRET as "default".
func (c *Config) sources() ([]plugnmeet.Source, error) {
	secret, err := c.apiSecret()
	if err != nil {
		return nil, err
	}
	key, err := meant(c.APIKey, "API_KEY")
	if err != nil {
		return nil, err
	}
	var out []plugnmeet.Source
	if key != "" || secret != "" {
		out = append(out, plugnmeet.Source{Name: "default", APIKey: key, Secrets: []plugnmeet.Secret{secret}, ServerURL: c.ServerURL})
	}
	for _, listed := range c.Sources {
		source, err := listed.source()
		if err != nil {
			return nil, err
		}
		out = append(out, source)
	}
	if len(out) == 0 {
		return nil, errors.New("no source: set API_KEY and API_SECRET to the pair in plugNmeet's config (client.api_key, client.secret)")
	}
	for _, s := range out {
		if err := c.checkSource(s); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// source is the source as it was meant.
func (s SourceConfig) source() (plugnmeet.Source, error) {
	key, err := meant(s.APIKey, fmt.Sprintf("the API key of source %q", s.Name))
	if err != nil {
		return plugnmeet.Source{}, err
	}
	out := plugnmeet.Source{Name: s.Name, APIKey: key, ServerURL: s.ServerURL}
	for _, listed := range s.Secrets {
		secret, err := meant(string([]byte(listed)), fmt.Sprintf("a secret of source %q", s.Name))
		if err != nil {
			return plugnmeet.Source{}, err
		}
		out.Secrets = append(out.Secrets, plugnmeet.Secret(secret))
	}
	return out, nil
}

func (c *Config) checkSource(s plugnmeet.Source) error {
	if s.APIKey == "" || len(s.Secrets) == 0 {
		return fmt.Errorf("source %q needs both an API key and a secret", s.Name)
	}
	for _, secret := range s.Secrets {
		if len(secret) < minSecret {
			return fmt.Errorf("the secret of source %q is shorter than %d bytes: anybody could guess it. Use a longer one in plugNmeet and here", s.Name, minSecret)
		}
		if secret == sampleSecret && !loopback(c.Listen) {
			return fmt.Errorf("the secret of source %q is the public sample of plugNmeet's documentation. Use one of your own in plugNmeet and here", s.Name)
		}
	}
	return nil
}

func (c *Config) apiSecret() (plugnmeet.Secret, error) {
	return secretOf(c.APISecret, c.APISecretFile, "API_SECRET")
}

func sourceNames(sources []plugnmeet.Source) []string {
	names := make([]string, 0, len(sources))
	for _, s := range sources {
		names = append(names, s.Name)
	}
	return names
}

// redactURL shows a URL without what may be a password.
func redactURL(text string) string {
	u, err := url.Parse(text)
	if err == nil {
		return u.Redacted()
	}
	scheme, rest, isURL := strings.Cut(text, "://") // a list of hosts, which net/url does not know
	if !isURL {
		return "(not a URL)"
	}
	return scheme + "://" + rest[strings.LastIndexByte(rest, '@')+1:]
}
