package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fasthttp/websocket"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// watcher is a reader of the overview who never loads it again: it takes frames as static/live.js does, and
// comes back to another replica when its own is gone.
type watcher struct {
	f      *fleet
	cancel context.CancelFunc
	ended  chan struct{}

	mu         sync.Mutex
	view       *html.Node
	live       string
	epoch, seq string
	at         int // which replica it is connected to
	resets     int
}

// watch loads the page of a replica and goes on from there until the test ends.
func (f *fleet) watch(r *replica) *watcher {
	f.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &watcher{f: f, cancel: cancel, ended: make(chan struct{}), at: slices.Index(f.replicas, r)}
	page := w.load(r)
	body := find(page, func(n *html.Node) bool { return n.Data == "body" })
	w.view, w.live, w.epoch, w.seq = byID(page, "view"), attributeOf(body, "data-live"), attributeOf(body, "data-epoch"), attributeOf(body, "data-seq")
	go w.run(ctx)
	f.t.Cleanup(w.close)
	return w
}

func (w *watcher) load(r *replica) *html.Node {
	w.f.t.Helper()
	var page *html.Node
	await(w.f.t, "the page is there", func() bool {
		body, code := r.fetch("/")
		page, _ = html.Parse(bytes.NewReader(body))
		return code == http.StatusOK
	})
	return page
}

func (w *watcher) close() {
	w.cancel()
	<-w.ended
}

// run keeps connecting until ctx ends.
func (w *watcher) run(ctx context.Context) {
	defer close(w.ended)
	for fresh := false; ctx.Err() == nil; {
		err := w.listen(ctx, fresh)
		fresh = err == errNoPlace
		if err == errGone {
			w.mu.Lock()
			w.at = (w.at + 1) % len(w.f.replicas)
			w.mu.Unlock()
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

var (
	errGone    = fmt.Errorf("the replica does not answer")
	errNoPlace = fmt.Errorf("a change has no place on the page")
)

// listen takes the frames of one socket until it ends.
func (w *watcher) listen(ctx context.Context, fresh bool) error {
	w.mu.Lock()
	base := w.f.replicas[w.at].url
	address, err := url.Parse("ws" + strings.TrimPrefix(base, "http") + w.live)
	if err == nil && !fresh {
		query := address.Query()
		query.Set("e", w.epoch)
		query.Set("s", w.seq)
		address.RawQuery = query.Encode()
	}
	w.mu.Unlock()
	if err != nil {
		return err
	}
	socket, _, err := websocket.DefaultDialer.DialContext(ctx, address.String(), http.Header{"Origin": {base}, "Sec-Websocket-Protocol": {"roomwatch.v1"}})
	if err != nil {
		return errGone
	}
	defer socket.Close()
	defer context.AfterFunc(ctx, func() { _ = socket.Close() })()
	for {
		_ = socket.SetReadDeadline(time.Now().Add(40 * time.Second))
		_, data, err := socket.ReadMessage()
		if err != nil {
			return err
		}
		if err := w.take(data); err != nil {
			return err
		}
	}
}

type change struct {
	Kind   string `json:"k"`
	Target string `json:"t"`
	Parent string `json:"p"`
	Before string `json:"b"`
	HTML   string `json:"h"`
}

// take applies a frame.
func (w *watcher) take(data []byte) error {
	var frame struct {
		Epoch string   `json:"e"`
		Seq   uint64   `json:"s"`
		Reset bool     `json:"r"`
		Ops   []change `json:"o"`
	}
	if err := json.Unmarshal(data, &frame); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	seq, _ := strconv.ParseUint(w.seq, 10, 64)
	switch {
	case frame.Reset:
		w.view, w.epoch = element(frame.Ops[0].HTML), frame.Epoch
		w.resets++
	case frame.Seq <= seq:
		return nil
	default:
		for _, op := range frame.Ops {
			if !w.apply(op) {
				return errNoPlace
			}
		}
	}
	w.seq = strconv.FormatUint(frame.Seq, 10)
	return nil
}

// apply says whether the change had its place.
func (w *watcher) apply(op change) bool {
	old := byID(w.view, op.Target)
	if op.Kind == "del" {
		if old != nil {
			old.Parent.RemoveChild(old)
		}
		return true
	}
	if op.Kind != "put" {
		return true
	}
	parent := byID(w.view, op.Parent)
	var before *html.Node
	if op.Before != "" {
		before = byID(w.view, op.Before)
	}
	if parent == nil || op.Before != "" && (before == nil || before.Parent != parent) {
		return false
	}
	if old != nil {
		if before == old {
			return false
		}
		old.Parent.RemoveChild(old)
	}
	parent.InsertBefore(element(op.HTML), before)
	return true
}

// caughtUp waits until the page is as one that is loaded now from the same replica.
func (w *watcher) caughtUp() {
	t := w.f.t
	t.Helper()
	var got, want string
	for deadline := time.Now().Add(awaitTime); ; time.Sleep(50 * time.Millisecond) {
		w.mu.Lock()
		r := w.f.replicas[w.at]
		w.mu.Unlock()
		fresh := w.load(r)
		w.mu.Lock()
		got, want = text(w.view), text(byID(fresh, "view"))
		resets := w.resets
		w.mu.Unlock()
		if got == want {
			t.Logf("a viewer has caught up, with %d resets", resets)
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("a viewer of %s does not see what the page shows: %s", r.url, difference(strings.ReplaceAll(got, "<", "\n<"), strings.ReplaceAll(want, "<", "\n<")))
			return
		}
	}
}

func find(n *html.Node, is func(*html.Node) bool) *html.Node {
	if is(n) {
		return n
	}
	for d := range n.Descendants() {
		if is(d) {
			return d
		}
	}
	return nil
}

func byID(n *html.Node, id string) *html.Node {
	return find(n, func(n *html.Node) bool { return attributeOf(n, "id") == id })
}

func attributeOf(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// element parses one element wherever it belongs: a row is one only in a table.
func element(text string) *html.Node {
	within := &html.Node{Type: html.ElementNode, Data: "template", DataAtom: atom.Template}
	nodes, err := html.ParseFragment(strings.NewReader(text), within)
	for _, n := range nodes {
		if err == nil && n.Type == html.ElementNode {
			return n
		}
	}
	return &html.Node{Type: html.TextNode, Data: text}
}

// text is the HTML of a node without the white space between elements.
func text(n *html.Node) string {
	var blanks []*html.Node
	for d := range n.Descendants() {
		if d.Type == html.TextNode && strings.TrimSpace(d.Data) == "" {
			blanks = append(blanks, d)
		}
	}
	for _, b := range blanks {
		b.Parent.RemoveChild(b)
	}
	var out bytes.Buffer
	_ = html.Render(&out, n)
	return out.String()
}
