package live_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

func healthy() error { return nil }

// watch runs a watchman until the function is called.
func (d *desk) watch(config live.WatchConfig) (w *live.Watchman, stop func()) {
	config.Log = slog.New(slog.DiscardHandler)
	w = live.NewWatchman(d.Board, d.record, d.record, config)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.Run(ctx)
	}()
	return w, func() {
		cancel()
		<-done
	}
}

func (d *desk) gaps(source string) []live.Gap {
	return d.Gaps(source, time.Now().Add(-24*time.Hour), time.Time{})
}

func TestATimeInWhichTheRecordCannotBeWrittenIsAGap(t *testing.T) {
	d := openDesk(t, "memory:")
	var ill atomic.Bool
	_, stop := d.watch(live.WatchConfig{Healthy: func() error {
		if ill.Load() {
			return errors.New("the disk is full")
		}
		return nil
	}})
	defer stop()
	began := time.Now()
	ill.Store(true)
	time.Sleep(3 * time.Second) // how long it cannot be written is what this is about
	ill.Store(false)
	d.await("a gap of each source", func() bool { return len(d.gaps("default")) == 1 && len(d.gaps("other")) == 1 })
	g := d.gaps("default")[0]
	if g.From.Before(began.Add(-time.Second)) || g.To.Sub(g.From) < 2*time.Second || !strings.Contains(g.Why, "could not be written") {
		t.Errorf("%+v, since %v", g, began)
	}
}

func TestAStopAndAStartLeaveAGapBetweenThem(t *testing.T) {
	path := "file:" + filepath.Join(t.TempDir(), "gap.db")
	first := openDesk(t, path)
	first.deliverEvent(event(room.KindRoomCreated, "s1", 1))
	w, stop := first.watch(live.WatchConfig{Healthy: healthy})
	first.await("the watchman knows the gaps", func() bool { return len(first.gaps("")) == 0 })
	closed := time.Now()
	w.Closing()
	stop()
	first.stop()
	time.Sleep(2500 * time.Millisecond) // three seconds lose deliveries
	second := openDesk(t, path)
	_, stop = second.watch(live.WatchConfig{Healthy: healthy})
	second.await("the gap", func() bool { return len(second.gaps("default")) == 1 })
	g := second.gaps("default")[0]
	if g.From.Sub(closed).Abs() > time.Second || time.Since(g.To) > time.Minute || g.Why != "Roomwatch did not run" {
		t.Errorf("%+v, closed at %v", g, closed)
	}
	stop()
	second.stop()
	third := openDesk(t, path)
	_, stop = third.watch(live.WatchConfig{Healthy: healthy})
	defer stop()
	third.await("the gap is remembered", func() bool { return len(third.gaps("default")) >= 1 })
	if got := third.gaps("default")[0]; !got.From.Equal(g.From) || !got.To.Equal(g.To) {
		t.Errorf("%+v, and it was %+v", got, g)
	}
}

// After a crash nobody has noted the end: the newest delivery or the newest sample tell it.
func TestACrashLeavesAGapSinceTheLastSignOfLife(t *testing.T) {
	d := openDesk(t, "memory:")
	d.heardAgo(20*time.Minute, room.Event{Source: "default", SID: "s1", RoomID: "s1", ID: "e1", Kind: room.KindRoomCreated})
	_, stop := d.watch(live.WatchConfig{Healthy: healthy})
	defer stop()
	d.await("the gap", func() bool { return len(d.gaps("default")) == 1 })
	if g := d.gaps("default")[0]; time.Since(g.From).Round(time.Minute) != 20*time.Minute {
		t.Errorf("%+v", g)
	}
	if s := d.Samples(time.Hour); len(s) > 1 { // the one of this minute
		t.Errorf("%d samples of a time that nothing is known of", len(s))
	}
}

// A minute's sample says that somebody was there in that minute: of a quiet source nothing else may say so.
func TestAQuickStartAfterACrashIsNoGap(t *testing.T) {
	for sampled, want := range map[time.Duration]int{time.Minute: 0, 4 * time.Minute: 1} {
		var gaps []live.Gap
		for minute := (time.Time{}); !time.Now().Truncate(time.Minute).Equal(minute); { // all within one
			minute = time.Now().Truncate(time.Minute)
			gaps = gapsAfterCrash(t, room.Sample{At: minute.UTC().Add(-sampled)})
		}
		if len(gaps) != want || want > 0 && time.Since(gaps[0].From) > 6*time.Minute {
			t.Errorf("the last sample is %v old: %+v", sampled, gaps)
		}
	}
}

// gapsAfterCrash are those that are found at the start over a record that ends with a sample, long after a delivery.
func gapsAfterCrash(t *testing.T, last room.Sample) []live.Gap {
	path := "file:" + filepath.Join(t.TempDir(), "crash.db")
	before := openDesk(t, path)
	before.heardAgo(20*time.Minute, room.Event{Source: "default", SID: "s1", RoomID: "s1", ID: "e1", Kind: room.KindRoomCreated})
	if err := before.record.Sample(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	before.stop() // a watchman would have noted when
	d := openDesk(t, path)
	asked := make(chan struct{}, 1000)
	_, stop := d.watch(live.WatchConfig{Healthy: func() error { asked <- struct{}{}; return nil }})
	defer stop()
	<-asked // it has begun by then
	d.deliver()
	return d.gaps("default")
}

func TestAnotherReplicaHasNoGapAtItsStart(t *testing.T) {
	d := openDesk(t, "memory:")
	d.heardAgo(20*time.Minute, room.Event{Source: "default", SID: "s1", RoomID: "s1", ID: "e1", Kind: room.KindRoomCreated})
	asked := make(chan struct{}, 1000)
	_, stop := d.watch(live.WatchConfig{Leads: func() bool { return false }, Healthy: func() error { asked <- struct{}{}; return nil }})
	defer stop()
	<-asked // it has begun by then
	d.deliver()
	if g := d.gaps(""); len(g) != 0 {
		t.Errorf("%+v", g)
	}
}
