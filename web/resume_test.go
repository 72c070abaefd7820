package web_test

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
)

var bodyData = regexp.MustCompile(`data-(live|epoch|seq)="([^"]*)"`)

// page is what a page says of the state that it shows.
func (r *rig) page(path string) (epoch string, seq uint64) {
	r.t.Helper()
	for _, found := range bodyData.FindAllStringSubmatch(r.get(path).body, -1) {
		switch found[1] {
		case "epoch":
			epoch = found[2]
		case "seq":
			seq, _ = strconv.ParseUint(found[2], 10, 64)
		}
	}
	if epoch == "" || seq == 0 {
		r.t.Fatalf("%s says nothing of its state", path)
	}
	return epoch, seq
}

func TestFault39AStateThatIsNotOursIsAnsweredWithAReset(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.taken(event("room_created", "s1", "r1", ""), joined("s1", "r1", "ana"), joined("s1", "r1", "bo"))
	r.await("two are there", func() bool { return strings.Contains(r.get("/api/v1/state").body, `"people":2`) })
	epoch, seq := r.page("/")
	for name, query := range map[string]string{
		"another epoch": fmt.Sprintf("e=OLDEPOCH00&s=%d", seq), "no epoch": fmt.Sprintf("s=%d", seq), "no state": "e=" + epoch, "nothing": "",
		"the future": fmt.Sprintf("e=%s&s=%d", epoch, seq+1000), "the far future": "e=" + epoch + "&s=18446744073709551615",
		"beyond numbers": "e=" + epoch + "&s=18446744073709551616", "negative": "e=" + epoch + "&s=-1", "nil": "e=" + epoch + "&s=0",
		"garbage": "e=" + epoch + "&s=x", "a fraction": fmt.Sprintf("e=%s&s=%d.5", epoch, seq), "hexadecimal": fmt.Sprintf("e=%s&s=0x%x", epoch, seq),
	} {
		code, f := r.watch("view=overview&" + query)
		if code != 0 || !f.Reset || f.Epoch != epoch || f.Seq < seq || len(f.Ops) != 1 || f.Ops[0].Target != "view" {
			t.Errorf("%s: %d, %.200s", name, code, f.bytes)
			continue
		}
		if n := strings.Count(f.Ops[0].HTML, `id="session-s1"`); n != 1 {
			t.Errorf("%s: %d rows of the session", name, n)
		}
	}
	if _, f := r.watch(fmt.Sprintf("view=overview&e=%s&s=%d", epoch, seq)); f.Reset || len(f.Ops) != 0 || f.Seq != seq {
		t.Errorf("from the state of the page: %s", f.bytes)
	}
}

func TestWhoComesBackGetsOnlyWhatChangedMeanwhile(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.taken(event("room_created", "s1", "r1", ""), event("room_created", "s2", "r2", ""))
	r.await("two rooms", func() bool { return strings.Contains(r.get("/api/v1/state").body, `"rooms":2`) })
	epoch, seq := r.page("/")
	r.taken(joined("s1", "r1", "ana"))
	f := r.open(fmt.Sprintf("view=overview&e=%s&s=%d", epoch, seq)).shows("session-s1")
	if f.Reset || f.Seq <= seq {
		t.Errorf("%s", f.bytes)
	}
	for _, op := range f.Ops {
		if op.Target == "session-s2" {
			t.Error("what did not change came again")
		}
	}
}

func TestTwoViewersOfOneViewGetTheSameBytes(t *testing.T) {
	t.Parallel()
	r := start(t)
	a, b := r.open("view=overview"), r.open("view=overview")
	row := func(f frame, id string) string { // what else is in a frame depends on when its viewer got one before
		for _, op := range f.Ops {
			if op.Kind == "put" && op.Target == id {
				return op.HTML
			}
		}
		return ""
	}
	for n := range 10 {
		sid := fmt.Sprint("same", n)
		r.taken(event("room_created", sid, sid, ""))
		if x, y := row(a.shows("session-"+sid), "session-"+sid), row(b.shows("session-"+sid), "session-"+sid); x != y || n > 0 && x == "" {
			t.Errorf("%s\n%s", x, y)
		}
	}
}

func TestAPausedViewerGetsOneFrameWhenItResumesAndHeartbeatsMeanwhile(t *testing.T) {
	t.Parallel()
	r := start(t)
	s, other := r.open("view=overview"), r.open("view=overview")
	first := s.next()
	other.next()
	s.send(wire(0x81, []byte(`{"k":"pause"}`)))
	s.send(wire(0x89, []byte("heard")))
	heard := make(chan struct{}, 1)
	s.SetPongHandler(func(string) error { heard <- struct{}{}; return nil })
	frames := make(chan frame, 100) // never full: who waits with a frame does not hear the pong
	go func() {
		defer close(frames)
		for {
			f, err := s.frame(patience)
			if err != nil {
				return
			}
			frames <- f
		}
	}()
	<-heard // so the pause was heard too
	for len(frames) > 0 {
		first = <-frames // a change that came before it
	}
	for n := range 5 {
		sid := fmt.Sprint("paused", n)
		r.taken(event("room_created", sid, sid, ""))
		other.shows("session-" + sid)
	}
	beat := <-frames // comes after the heartbeat's fifteen seconds
	if late := time.Since(time.UnixMilli(first.At)); len(beat.Ops) != 0 || beat.Seq != first.Seq || beat.Epoch != first.Epoch || late > patience || late < 5*time.Second {
		t.Errorf("while paused, after %v: %s", late, beat.bytes)
	}
	s.send(wire(0x81, []byte(`{"k":"resume"}`)))
	all := <-frames
	for n := range 5 {
		if !bytes.Contains(all.bytes, fmt.Appendf(nil, "session-paused%d", n)) {
			t.Errorf("paused%d is not in the frame after: %.300s", n, all.bytes)
		}
	}
	_ = s.Close()
	for range frames { //nolint:revive // until it is closed
	}
}

func TestAViewerThatChangesItsMindQuicklyIsLeftAsItSaidLast(t *testing.T) {
	t.Parallel()
	r := start(t)
	s := r.open("view=overview")
	s.next()
	var said []byte
	for range 9 {
		said = append(append(said, wire(0x81, []byte(`{"k":"pause"}`))...), wire(0x81, []byte(`{"k":"resume"}`))...)
	}
	s.send(said)
	r.taken(event("room_created", "after", "after", ""))
	s.shows("session-after")
}

func TestNonsenseFromAViewerChangesNothing(t *testing.T) {
	t.Parallel()
	r := start(t)
	s := r.open("view=overview")
	s.next()
	for _, text := range []string{"", "null", "[]", "{", `{"k":1}`, `{"k":"PAUSE"}`, `{"k":"auth","token":"x"}`, strings.Repeat("[", 4000), `"pause"`} {
		s.send(wire(0x81, []byte(text)))
	}
	r.taken(event("room_created", "still", "still", ""))
	s.shows("session-still")
}

// Who takes compressed frames gets what the others get, in fewer bytes, and may compress what it says.
func TestFramesAreCompressedForWhoAsks(t *testing.T) {
	t.Parallel()
	r := start(t)
	plain := r.open("view=overview")
	packed, code := r.dialWith(&websocket.Dialer{EnableCompression: true}, "view=overview", http.Header{"Origin": {r.url}})
	if packed == nil {
		t.Fatal(code)
	}
	packed.EnableWriteCompression(true)
	plain.next()
	packed.next()
	for n := range 3 {
		sid := fmt.Sprint("packed", n)
		r.taken(event("room_created", sid, sid, ""))
		if x, y := plain.shows("session-"+sid), packed.shows("session-"+sid); !bytes.Equal(x.bytes, y.bytes) {
			t.Errorf("%s\n%s", x.bytes, y.bytes)
		}
	}
	for kind, code := range map[string]int{`{"k":"resume"}`: 0, strings.Repeat("x", 5000): websocket.CloseMessageTooBig} {
		s, _ := r.dialWith(&websocket.Dialer{EnableCompression: true}, "view=overview", http.Header{"Origin": {r.url}})
		s.next()
		if err := s.WriteMessage(websocket.TextMessage, []byte(kind)); err != nil {
			t.Fatal(err)
		}
		if code != 0 && s.closed(patience) != code {
			t.Errorf("%.20s: not closed with %d", kind, code)
		}
		if code == 0 {
			r.taken(event("room_created", "heard", "heard", ""))
			s.shows("session-heard")
		}
	}
}
