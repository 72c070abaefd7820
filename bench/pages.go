//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/share"
	"github.com/roomwatch/roomwatch/simulate"
	"github.com/roomwatch/roomwatch/store"
	"github.com/roomwatch/roomwatch/views"
)

// frameBytes is row 9: one frame in which ten rooms changed, as a browser gets it, against the HTML in it.
func (b *bench) frameBytes(map[int]bool) ([]figure, error) {
	f := figure{Name: "9 bytes of a ten-row frame on the wire", Goal: 0.20, moonshot: 0.13, Better: lower}
	const before, rows = 3000, 10
	c, err := b.serve("memory:", "--tick=1s")
	if err != nil {
		return nil, err
	}
	defer c.stop()
	posts, changes, err := tenChanges(before, rows)
	if err != nil {
		return nil, err
	}
	l, err := newLoad(c.addr, rows)
	if err != nil {
		return nil, err
	}
	defer l.close()
	if _, err := l.post(posts); err != nil {
		return nil, err
	}
	time.Sleep(2 * settled)
	packed, plain := &lastFrame{}, &lastFrame{}
	for _, v := range []viewing{{compress: true, heard: packed.heard}, {heard: plain.heard}} {
		v.paths, v.n = []string{overviewPath}, 1
		a, err := watch(c.addr, v)
		if err != nil {
			return nil, err
		}
		defer a.close()
	}
	time.Sleep(2 * settled)
	packed.forget()
	plain.forget()
	// The first is sent at once, and the others a tick later, together.
	if _, err := l.post(changes[:1]); err != nil {
		return nil, err
	}
	time.Sleep(300 * time.Millisecond)
	packed.forget()
	plain.forget()
	if _, err := l.post(changes[1:]); err != nil {
		return nil, err
	}
	time.Sleep(2 * settled)
	html, changed, err := plain.html()
	if err != nil {
		return nil, err
	}
	f.note = fmt.Sprintf("%d rows among its elements", changed)
	return []figure{single(f, float64(packed.size()), float64(html))}, nil
}

// tenChanges is the beginning of a simulated day and then, after one more, changes in ten rooms.
func tenChanges(before, rows int) (posts, changes [][]byte, err error) {
	plan := simulate.Plan{Seed: 1, Start: time.Now().Add(-3 * time.Hour)}
	changed := make(map[string]bool)
	for d := range plan.Begin().Until(time.Now()) {
		post, err := request(d.Body)
		switch {
		case err != nil:
			return nil, nil, err
		case len(posts) < before:
			posts = append(posts, post)
		case d.Event == "track_published" && !changed[d.RoomID]:
			changed[d.RoomID] = true
			changes = append(changes, post)
		}
		if len(changes) == rows+1 {
			return posts, changes, nil
		}
	}
	return nil, nil, errors.New("the day is too quiet")
}

// lastFrame keeps the longest message of a viewer.
type lastFrame struct {
	mu      sync.Mutex
	message []byte
}

func (l *lastFrame) heard(_ *socket, message []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(message) > len(l.message) {
		l.message = bytes.Clone(message)
	}
}

func (l *lastFrame) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.message = nil
}

func (l *lastFrame) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.message)
}

// html is the length of the HTML in a frame that is not compressed, and how many rows of rooms are in it.
func (l *lastFrame) html() (size, rows int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var frame struct {
		Ops []struct {
			Target string `json:"t"`
			HTML   string `json:"h"`
		} `json:"o"`
	}
	if err := json.Unmarshal(l.message, &frame); err != nil {
		return 0, 0, fmt.Errorf("no frame came: %w", err)
	}
	for _, op := range frame.Ops {
		size += len(op.HTML)
		if strings.HasPrefix(op.Target, "session-") {
			rows++
		}
	}
	return size, rows, nil
}

// spy is the renderer that pages are made with. It remembers the elements of the last one.
type spy struct {
	views.HTML
	elements []live.Element
}

func (s *spy) Elements(m live.Model) []live.Element {
	s.elements = s.HTML.Elements(m)
	return s.elements
}

// firstView is row 18: an overview of fifty rooms that nobody has open, as a whole document, against the
// rendering of its rows.
func (b *bench) firstView(map[int]bool) ([]figure, error) {
	f := figure{Name: "18 CPU of a first view of fifty rooms, µs", Goal: 1.5, moonshot: 1.1, Better: lower}
	record, board, stop, err := folded(50)
	if err != nil {
		return nil, err
	}
	defer stop()
	html, n := &spy{}, 0
	hub := live.NewHub(board, record, html, room.Limits{}, live.Tick, quiet)
	whole := func() error {
		n++ // another page that there is not shows the only one: a view that nobody has open
		page, err := hub.Page(live.Question{Name: "overview", List: live.RoomQuery{Sort: "people", Page: n}}, share.Holder{})
		if err != nil {
			return err
		}
		var out bytes.Buffer
		return views.Page(views.PageData{Title: "Live rooms", Nav: "overview", Root: page.Root, Live: page.Live, Epoch: page.Epoch, Seq: page.Seq, At: page.At}).Render(context.Background(), &out)
	}
	if err := whole(); err != nil {
		return nil, err
	}
	rows := func() error {
		n := 0
		for _, el := range html.elements {
			if el.Parent == "rooms" {
				el.Render()
				n++
			}
		}
		if n != 50 {
			return fmt.Errorf("the overview shows %d rooms", n)
		}
		return nil
	}
	kept, err := interleave(b.repetitions, ownCPU(rows), ownCPU(whole))
	if err != nil {
		return []figure{missing(f, err)}, nil
	}
	return []figure{compare(f, kept, 0, "cpu", theFloor, "cpu")}, nil
}

// folded is a board that was told of some rooms, over a record in memory.
func folded(rooms int) (*store.SQLite, *live.Board, func(), error) {
	record, err := store.Open(context.Background(), "memory:", quiet)
	if err != nil {
		return nil, nil, nil, err
	}
	board := live.NewBoard(record, []string{"default"}, quiet)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = board.Run(ctx) })
	stop := func() {
		cancel()
		running.Wait()
		_ = record.Close()
	}
	for _, body := range meetings(rooms, 5) {
		d, err := plugnmeet.Decode("default", body, time.Now())
		if err == nil {
			_, err = record.Append(ctx, d)
		}
		if err != nil {
			stop()
			return nil, nil, nil, err
		}
	}
	for deadline := time.Now().Add(10 * time.Second); board.Totals().People < 5*rooms; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			stop()
			return nil, nil, nil, errors.New("the board does not follow")
		}
	}
	return record, board, stop, nil
}

// ownCPU measures what a call costs this process.
func ownCPU(do func() error) run {
	return func() (outcome, error) {
		const calls = 200
		before, err := processCPU()
		if err != nil {
			return nil, err
		}
		for range calls {
			if err := do(); err != nil {
				return nil, err
			}
		}
		after, err := processCPU()
		return outcome{"cpu": (after - before).Seconds() * 1e6 / calls}, err
	}
}

func processCPU() (time.Duration, error) {
	var ts unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts)
	return time.Duration(ts.Nano()), err
}
