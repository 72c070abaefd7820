package main

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"time"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/store"
)

// meet is plugNmeet's API as the reconciler asks it.
type meet struct{ *plugnmeet.API }

func (m meet) Poll(ctx context.Context) (live.Poll, error) {
	p, err := m.ActiveRooms(ctx)
	if err != nil {
		return live.Poll{}, err
	}
	out := live.Poll{Began: p.Began, Ahead: p.Skew, Rooms: make([]room.Listing, 0, len(p.Rooms))}
	switch {
	case p.Hollow():
		out.Doubt = "plugNmeet API: room/getActiveRoomsInfo: it has rooms to list and lists none; look at plugNmeet’s NATS"
	case p.Unreadable > 0:
		out.Doubt = fmt.Sprintf("plugNmeet API: room/getActiveRoomsInfo: %d entries of the answer could not be read", p.Unreadable)
	}
	for _, r := range p.Rooms {
		out.Rooms = append(out.Rooms, room.Listing{Events: p.EventsOf(r), Joined: r.Joined, Attendees: r.Listed(), Recording: r.Recording, Streaming: r.Streaming})
	}
	return out, nil
}

func (m meet) Past(ctx context.Context, roomIDs []string) iter.Seq2[live.PastSession, error] {
	return each(m.EachPastRoom(ctx, plugnmeet.PastQuery{RoomIDs: roomIDs}), func(p plugnmeet.PastRoom) (live.PastSession, bool) {
		said, _ := p.Event(m.Source(), time.Now())
		return live.PastSession{SID: p.SID, Stamped: room.At(p.Created), Ended: room.At(p.Ended), Said: said}, true
	})
}

func (m meet) Files(ctx context.Context) iter.Seq2[room.Event, error] {
	return each(m.EachRecording(ctx, plugnmeet.PastQuery{}), func(r plugnmeet.RecordingFile) (room.Event, bool) { return r.Event(m.Source(), time.Now()) })
}

func (m meet) Artifacts(ctx context.Context, roomID, sid string) iter.Seq2[room.Event, error] {
	q := plugnmeet.PastQuery{SID: sid}
	if roomID != "" {
		q.RoomIDs = []string{roomID}
	}
	return each(m.EachArtifact(ctx, q), func(a plugnmeet.ArtifactFound) (room.Event, bool) { return a.Event(m.Source(), sid, time.Now()), true })
}

// each is a list in the reconciler's terms, without what has none.
func each[T, U any](list iter.Seq2[T, error], as func(T) (U, bool)) iter.Seq2[U, error] {
	return func(yield func(U, error) bool) {
		for item, err := range list {
			u, ok := as(item)
			if (err != nil || ok) && !yield(u, err) {
				return
			}
		}
	}
}

// meetsOf are the plugNmeets that can be asked, by source.
func (c *Config) meetsOf(sources []plugnmeet.Source) (map[string]*plugnmeet.API, error) {
	authorities, err := c.authorities()
	if err != nil {
		return nil, err
	}
	out := make(map[string]*plugnmeet.API)
	for _, s := range sources {
		if s.ServerURL == "" {
			continue
		}
		api, err := plugnmeet.NewAPI(plugnmeet.APISettings{Source: s.Name, ServerURL: s.ServerURL, APIKey: s.APIKey, Secret: s.Secrets[0], Previous: previous(s),
			Authorities: authorities})
		if err != nil {
			return nil, fmt.Errorf("source %q: %w", s.Name, err)
		}
		out[s.Name] = api
	}
	return out, nil
}

// previous is the secret that is being taken out, "" where there is none.
func previous(s plugnmeet.Source) plugnmeet.Secret {
	if len(s.Secrets) < 2 {
		return ""
	}
	return s.Secrets[1]
}

// checks hold what deliveries told against plugNmeet itself, end what nobody speaks of any more, and note when
// nothing could be received.
type checks struct {
	meets       map[string]*plugnmeet.API // by source, of those that can be asked
	reconcilers []*live.Reconciler
	janitor     *live.Janitor
	watchman    *live.Watchman
	clocks      *live.ClockWatch
}

// newChecks makes them. Among replicas the one that leads does the work.
func newChecks(config Config, board *live.Board, record record, meets map[string]*plugnmeet.API, log *slog.Logger) *checks {
	var leads func() bool
	if replica, ok := record.(*store.Redis); ok {
		leads = replica.Leads
	}
	c := &checks{meets: meets}
	for source, api := range meets {
		c.reconcilers = append(c.reconcilers, live.NewReconciler(board, record, record, source, meet{api},
			live.ReconcileConfig{Every: config.ReconcileEvery, Quiet: config.ReconcileQuiet, Leads: leads, Log: log}))
	}
	c.janitor = live.NewJanitor(board, record, live.JanitorConfig{Unverified: time.Duration(config.UnverifiedAfter),
		Ended: time.Duration(config.JanitorAfter), Leads: leads, Steady: record.Steady, Log: log})
	c.watchman = live.NewWatchman(board, record, record, live.WatchConfig{Healthy: record.Health, Leads: leads, Log: log})
	c.clocks = live.NewClockWatch(board, record, record, live.ClockWatchConfig{Every: clocksEvery, Leads: leads, Log: log})
	return c
}

// clocksEvery is how often it is looked whether the clocks of a source have moved.
const clocksEvery = 5 * time.Second

func (c *checks) run(ctx context.Context, tasks *sync.WaitGroup) {
	tasks.Go(func() { c.janitor.Run(ctx) })
	tasks.Go(func() { c.watchman.Run(ctx) })
	tasks.Go(func() { c.clocks.Run(ctx) })
	for _, r := range c.reconcilers {
		tasks.Go(func() { r.Run(ctx) })
	}
}

// reload takes over the keys and secrets of the sources.
func (c *checks) reload(sources []plugnmeet.Source) {
	for _, s := range sources {
		if api := c.meets[s.Name]; api != nil {
			api.SetKey(s.APIKey, s.Secrets...)
		}
	}
}

// closing: nothing is received from now on.
func (c *checks) closing() { c.watchman.Closing() }

func (c *checks) close() {
	for _, api := range c.meets {
		api.Close()
	}
}
