package web_test

import (
	"bytes"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
)

func TestFault36NoSocketForAForeignPage(t *testing.T) {
	t.Parallel()
	r := start(t)
	port := r.addr[strings.LastIndex(r.addr, ":"):]
	for _, origin := range []string{"", "null", "https://evil.example", "http://evil.example" + port, "http://127.0.0.1", "http://127.0.0.1:1",
		"ftp://" + r.addr, "http://" + r.addr + ".evil.example", "http://evil.example#" + r.addr, "http://" + r.addr + "@evil.example",
		"http://x@" + r.addr, "http://" + r.addr + "/", "http://localhost" + port, r.addr, "http://"} {
		if s, code := r.dial("view=overview", "Origin", origin); s != nil || code != http.StatusForbidden {
			t.Errorf("origin %q: %d", origin, code)
		}
	}
	if s, code := r.dial("view=overview", "Origin", r.url+" https://evil.example"); s != nil || code != http.StatusForbidden {
		t.Errorf("two origins: %d", code)
	}
	for _, origin := range []string{r.url, "https://" + r.addr} { // the second: behind a proxy that ends TLS
		if s, code := r.dial("view=overview", "Origin", origin); s == nil || s.Subprotocol() != "roomwatch.v1" {
			t.Errorf("our own origin %s: %d", origin, code)
		}
	}
	for query, want := range map[string]int{"view=bogus": 400, "": 400, "view=room:": 400, "view=room:unknown": 404, "view=room:" + strings.Repeat("x", 257): 400} {
		if s, code := r.dial(query); s != nil || code != want {
			t.Errorf("%.30s: %d, want %d", query, code, want)
		}
	}
	if a := r.get("/live?view=overview", "Origin", r.url); a.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("without an upgrade: %d", a.StatusCode)
	}
}

func TestFault37ASocketThatBreaksTheRulesIsClosedWithItsCode(t *testing.T) {
	t.Parallel()
	r := start(t, readTime(500*time.Millisecond))
	const text, binaryData, ping, pong, fin = 1, 2, 9, 10, 0x80
	unmasked := []byte{fin | text, 1, 'x'}
	long := make([]byte, 126)
	for name, c := range map[string]struct {
		code int
		send [][]byte
	}{
		"unmasked":              {1002, [][]byte{unmasked}},
		"RSV1":                  {1002, [][]byte{wire(fin|0x40|text, nil)}},
		"RSV2":                  {1002, [][]byte{wire(fin|0x20|text, nil)}},
		"RSV3":                  {1002, [][]byte{wire(fin|0x10|text, nil)}},
		"a bad opcode":          {1002, [][]byte{wire(fin|3, nil)}},
		"a bad control opcode":  {1002, [][]byte{wire(fin|11, nil)}},
		"a ping of 126 bytes":   {1002, [][]byte{wire(fin|ping, long)}},
		"a ping in fragments":   {1002, [][]byte{wire(ping, nil)}},
		"a lone continuation":   {1002, [][]byte{wire(fin, nil)}},
		"text within a message": {1002, [][]byte{wire(text, []byte("a")), wire(fin|text, []byte("b"))}},
		"a close code of 1005":  {1002, [][]byte{wire(fin|8, []byte{0x03, 0xed})}},
		"invalid UTF-8":         {1007, [][]byte{wire(fin|text, []byte("\xc3\x28"))}},
		"UTF-8 cut in two":      {1007, [][]byte{wire(text, []byte("\xf0\x9f")), wire(fin, []byte("x"))}},
		"binary":                {1003, [][]byte{wire(fin|binaryData, []byte("x"))}},
		"5 KiB":                 {1009, [][]byte{wire(fin|text, make([]byte, 5<<10))}},
		"5 KiB in fragments":    {1009, [][]byte{wire(text, make([]byte, 3<<10)), wire(fin, make([]byte, 3<<10))}},
		"100 messages":          {4429, repeat(wire(fin|text, []byte(`{"k":"pause"}`)), 100)},
		"100 empty messages":    {4429, repeat(wire(fin|text, nil), 100)},
		"100 pings":             {4429, repeat(wire(fin|ping, []byte("x")), 100)},
		"100 pongs":             {4429, repeat(wire(fin|pong, nil), 100)},
		"pings in a message":    {4429, append([][]byte{wire(text, nil)}, repeat(wire(fin|ping, nil), 100)...)},
		"nothing, then a close": {1000, [][]byte{wire(fin|8, []byte{0x03, 0xe8})}},
		"half a frame":          {0, [][]byte{{fin | text, 0x80 | 100, 0, 0, 0, 0, 'x'}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := r.open("view=overview")
			s.next()
			s.send(c.send...)
			if code := s.closed(patience); code != c.code {
				t.Errorf("closed with %d, want %d", code, c.code)
			}
		})
	}
}

func repeat(part []byte, times int) (out [][]byte) {
	for range times {
		out = append(out, part)
	}
	return out
}

func TestFault37EndlessEmptyFragmentsEndAndCostNoMemory(t *testing.T) {
	r := start(t, readTime(300*time.Millisecond))
	before := heap()
	var flood sync.WaitGroup
	began := time.Now()
	for range 20 {
		s := r.open("view=overview")
		s.next()
		flood.Go(func() {
			s.send(wire(1, nil))
			pieces := bytes.Repeat(wire(0, nil), 1000)
			for n := 0; ; n++ {
				if _, err := s.NetConn().Write(pieces); err != nil {
					return
				}
				if n%50 == 0 { // a pong says that somebody is there, not that the message ends
					_, _ = s.NetConn().Write(wire(0x80|10, nil))
				}
			}
		})
	}
	flood.Wait()
	if took := time.Since(began); took > patience {
		t.Errorf("closed after %v", took)
	}
	r.await("no socket is left", func() bool { return strings.HasSuffix(r.metric("roomwatch_sockets"), " 0") })
	if grown := int64(heap()) - int64(before); grown > 2<<20 {
		t.Errorf("20 sockets of empty fragments cost %d KiB", grown>>10)
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestAPingIsAnsweredWithWhatItSaid(t *testing.T) {
	t.Parallel()
	r := start(t)
	s := r.open("view=overview")
	heard := make(chan string, 1)
	s.SetPongHandler(func(text string) error { heard <- text; return nil })
	s.next()
	s.send(wire(0x80|9, []byte("are you there")))
	go func() {
		for err := error(nil); err == nil; { // a frame may come before the pong: pages change by the minute, too
			_, err = s.frame(patience)
		}
	}()
	select {
	case text := <-heard:
		if text != "are you there" {
			t.Errorf("%q", text)
		}
	case <-time.After(patience):
		t.Error("no pong")
	}
}

// Row 38: viewers that never read hold up nobody, and are caught up when they do, or dropped before.
func TestFault38AViewerThatNeverReadsHoldsUpNobody(t *testing.T) {
	r := start(t)
	const rooms, changes = 40, 500
	title := func(n int) string {
		return fmt.Sprintf(`{"event":"room_created","id":"EV38_%d","created_at":"%d","room":{"sid":"busy%d","room_id":"r%d","metadata":{"room_title":"title-%d. %s"}}}`,
			n, 1795309000+n, n%rooms, n%rooms, n, strings.Repeat("x", 400))
	}
	for n := range rooms {
		r.taken(title(n))
	}
	var asleep []*socket
	for range 5 {
		asleep = append(asleep, r.deaf("view=overview"))
	}
	awake := r.open("view=overview")
	before := heap()
	worst := make(chan time.Duration)
	last := fmt.Sprintf("title-%d. ", rooms+changes-1)
	go func() { worst <- awake.lateUntil(last) }()
	var senders sync.WaitGroup
	for part := range 8 {
		senders.Go(func() {
			for n := rooms + part; n < rooms+changes-1; n += 8 {
				r.deliver(title(n))
			}
		})
	}
	senders.Wait()
	r.taken(title(rooms + changes - 1))
	if late := <-worst; late > patience/2 { // ten milliseconds without the race detector; how fast it is the bench says
		t.Errorf("who reads got a frame %v late", late)
	} else {
		t.Logf("%d changes, no frame came later than %v after it was made", changes, late)
	}
	if grown := int64(heap()) - int64(before); grown > 16<<20 {
		t.Errorf("the heap grew by %d KiB", grown>>10)
	}
	for _, s := range asleep {
		if !s.reaches(last) {
			t.Error("who woke up was neither caught up nor dropped")
		}
	}
}

func TestShutdownSendsEveryViewerAwayToComeAgain(t *testing.T) {
	t.Parallel()
	r := start(t)
	var viewers sync.WaitGroup
	codes := make(chan int, 20)
	for range cap(codes) {
		s := r.open("view=overview")
		s.next()
		viewers.Go(func() { codes <- s.closed(patience) })
	}
	began := time.Now()
	r.close()
	viewers.Wait()
	close(codes)
	for code := range codes {
		if code != websocket.CloseServiceRestart {
			t.Errorf("closed with %d", code)
		}
	}
	if took := time.Since(began); took > patience {
		t.Errorf("took %v", took)
	}
}
