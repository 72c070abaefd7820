package web_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

const mebibyte = 1 << 20

// padded is a body of exactly so many bytes.
func padded(size int) string {
	body := event("room_created", "padded", "r1", `,"x":""`)
	return body[:len(body)-2] + strings.Repeat("x", size-len(body)) + body[len(body)-2:]
}

func post(path, headers, body string) string {
	return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n" + body
}

func contentLength(n int) string { return fmt.Sprintf("Content-Length: %d\r\n", n) }

func TestFault10ABodyOfOneMebibyteIsTakenAndOneByteMoreIsNot(t *testing.T) {
	r := start(t)
	r.taken(padded(mebibyte))
	large := padded(mebibyte + 1)
	auth := "Authorization: " + sign(t, large) + "\r\n"
	chunk := fmt.Sprintf("%x\r\n%s\r\n", 64<<10, large[:64<<10])
	for name, request := range map[string][]string{
		"all of it":         {post("/webhook", auth+contentLength(len(large)), large)},
		"its length only":   {post("/webhook", auth+contentLength(len(large)), "")},
		"a monstrous claim": {post("/webhook/", auth+contentLength(1<<40), "")},
		"chunks":            {post("/webhook", auth+"Transfer-Encoding: chunked\r\n", ""), strings.Repeat(chunk, 17), "0\r\n\r\n"},
		"one huge chunk":    {post("/webhook", auth+"Transfer-Encoding: chunked\r\n", "7fffffff\r\n"), large},
		"asking first":      {post("/webhook", auth+"Expect: 100-continue\r\n"+contentLength(len(large)), "")},
	} {
		got, bodies, err := r.raw(1, request...)
		if len(got) != 1 || got[0].StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %v %v %v", name, got, bodies, err)
			continue
		}
		var slow net.Error
		if !got[0].Close || errors.As(err, &slow) && slow.Timeout() {
			t.Errorf("%s: the connection stays open: %v", name, err)
		}
		if !strings.Contains(bodies[0], "too large") || strings.Contains(bodies[0], "xx") {
			t.Errorf("%s: %s", name, bodies[0])
		}
	}
	r.await("a note of each", func() bool { return len(r.deliveries("verdict=unreadable")) == 6 })
	if got, _, err := r.raw(1, post("/api/v1/state", contentLength(100<<10), "")); len(got) != 1 || got[0].StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("100 KiB to another address: %v %v", got, err)
	}
	before := allocated()
	for range 50 {
		_, _, _ = r.raw(1, post("/webhook", auth+contentLength(mebibyte+1), ""))
	}
	if grown := allocated() - before; grown > 5*mebibyte {
		t.Errorf("50 bodies that are too large allocated %d KiB", grown>>10)
	}
}

// allocated is all that was ever allocated: what a request costs even if it is collected at once.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func TestFault11AnEncodedBodyIsNotInflated(t *testing.T) {
	r := start(t)
	var member bytes.Buffer
	zip := gzip.NewWriter(&member)
	_, _ = zip.Write(make([]byte, mebibyte))
	_ = zip.Close()
	bomb := strings.Repeat(member.String(), 60) // members in a row are one stream
	text := sign(t, bomb)
	send := func(encoding string) answer {
		return r.do(http.MethodPost, "/webhook", bomb, "Authorization", text, "Content-Encoding", encoding)
	}
	send("gzip")
	before := allocated()
	for _, encoding := range []string{"gzip", "GZIP", "br", "deflate", "zstd", "x", "gzip, gzip", "identity, gzip"} {
		if a := send(encoding); a.StatusCode != http.StatusUnsupportedMediaType {
			t.Errorf("%s: %d %s", encoding, a.StatusCode, a.body)
		}
	}
	if each := (allocated() - before) / 8; each > mebibyte {
		t.Errorf("a body of %d KiB that inflates to 60 MiB allocated %d KiB", len(bomb)>>10, each>>10)
	}
	if a := send("identity"); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("zeros that nobody inflates: %d", a.StatusCode)
	}
}

// riders are requests that somebody may read as two, the second of which is signed by who sent it.
func riders(t *testing.T) map[string]string {
	body, inner := event("room_created", "outer", "r1", ""), event("room_created", "inner", "r1", "")
	auth := "Authorization: " + sign(t, body) + "\r\n"
	hidden := post("/webhook", "Authorization: "+sign(t, inner)+"\r\n"+contentLength(len(inner)), inner)
	return map[string]string{
		"CL and TE":              post("/webhook", auth+contentLength(4)+"Transfer-Encoding: chunked\r\n", "0\r\n\r\n"+hidden),
		"TE and CL":              post("/webhook", auth+"Transfer-Encoding: chunked\r\n"+contentLength(4), "0\r\n\r\n"+hidden),
		"CL twice":               post("/webhook", auth+contentLength(len(body))+contentLength(len(body)), body+hidden),
		"CL twice, different":    post("/webhook", auth+contentLength(len(body))+contentLength(0), body+hidden),
		"CL as a list":           post("/webhook", auth+"Content-Length: 5, 5\r\n", body),
		"CL with a sign":         post("/webhook", auth+"Content-Length: +5\r\n", body),
		"CL below zero":          post("/webhook", auth+"Content-Length: -5\r\n", body),
		"CL beyond numbers":      post("/webhook", auth+"Content-Length: 99999999999999999999999\r\n", body),
		"a space before colon":   post("/webhook", auth+"Content-Length : 5\r\n", body),
		"TE twice":               post("/webhook", auth+"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"+hidden),
		"an unknown TE":          post("/webhook", auth+"Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"+hidden),
		"a folded header":        post("/webhook", auth+"X: a\r\n\tContent-Length: 5\r\n", hidden),
		"bare LF":                strings.ReplaceAll(post("/webhook", auth+contentLength(len(body)), ""), "\r\n", "\n") + body + hidden,
		"one bare LF":            post("/webhook", auth+"X: a\n"+contentLength(len(body)), body+hidden),
		"bare LF in the body":    post("/webhook", auth+"Transfer-Encoding: chunked\r\n", "5\nhello\n0\n\n"+hidden),
		"a chunk that lies":      post("/webhook", auth+"Transfer-Encoding: chunked\r\n", "3\r\nhello\r\n0\r\n\r\n"+hidden),
		"a negative chunk":       post("/webhook", auth+"Transfer-Encoding: chunked\r\n", "-1\r\n\r\n"+hidden),
		"auth in a trailer":      post("/webhook", "Trailer: Authorization\r\nTransfer-Encoding: chunked\r\n", "0\r\n"+auth+"\r\n"),
		"auth hidden in trailer": post("/webhook", "Transfer-Encoding: chunked\r\n", "0\r\n"+auth+"\r\n"),
		"a NUL in a header":      post("/webhook", auth+"X: a\x00b\r\n"+contentLength(len(body)), body),
		"a CR in a header":       post("/webhook", auth+"X: a\rContent-Length: 0\r\n"+contentLength(len(body)), body),
		"no Host":                "POST /webhook HTTP/1.1\r\n" + auth + contentLength(len(body)) + "\r\n" + body,
		"two Hosts":              post("/webhook", "Host: localhost\r\n"+auth+contentLength(len(body)), body),
		"no version":             "GET /webhook\r\n\r\n",
		"nonsense":               "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
		"a lower-case scheme":    "GET xxsecretxx HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"a method of its own":    "XXSECRETXX /webhook HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
	}
}

func TestFault12NoSecondRequestRidesOnTheFirst(t *testing.T) {
	t.Parallel()
	l := &ledger{}
	r := start(t, instead(l.over))
	for name, request := range riders(t) {
		got, bodies, err := r.raw(2, request)
		if len(got) != 1 || got[0].StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %v %v; want one answer, 400", name, got, err)
		}
		for i, a := range got {
			if strings.Contains(bodies[i], "xxsecretxx") || strings.Contains(bodies[i], "XXSECRETXX") || len(bodies[i]) > 200 || a.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: %v %s", name, a.Header, bodies[i])
			}
		}
	}
	if n := l.appends.Load(); n != 0 {
		t.Errorf("%d deliveries got through", n)
	}
	// Two whole requests on one line are two requests, each with a token of its own.
	body, inner := event("room_created", "outer", "r1", ""), event("room_created", "inner", "r1", "")
	auth := "Authorization: " + sign(t, body) + "\r\n"
	second := post("/webhook", "Authorization: "+sign(t, inner)+"\r\n"+contentLength(len(inner)), inner)
	got, _, err := r.raw(2, post("/webhook", auth+contentLength(len(body)), body)+second)
	if len(got) != 2 || got[0].StatusCode != 200 || got[1].StatusCode != 200 {
		t.Errorf("two requests in a row: %v %v", got, err)
	}
}

// trickle sends a request a byte at a time until the server has enough, and says what it answered.
func trickle(addr, quick, slowly string, pause time.Duration) (code int, took time.Duration) {
	line, err := net.Dial("tcp", addr)
	if err != nil {
		return -1, 0
	}
	defer line.Close()
	began := time.Now()
	_, _ = io.WriteString(line, quick)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range slowly {
			if _, err := io.WriteString(line, slowly[i:i+1]); err != nil {
				return
			}
			time.Sleep(pause)
		}
	}()
	_ = line.SetReadDeadline(time.Now().Add(patience))
	answer, _ := io.ReadAll(line)
	took = time.Since(began)
	_ = line.Close()
	<-done
	_, _ = fmt.Sscanf(string(answer), "HTTP/1.1 %d", &code)
	return code, took
}

func TestFault13SlowRequestsEndAndHoldUpNobody(t *testing.T) {
	const patience = 700 * time.Millisecond
	r := start(t, readTime(patience))
	r.taken(event("room_created", "s1", "r1", ""))
	body := event("room_created", "s2", "r1", "")
	auth := "Authorization: " + sign(t, body) + "\r\n"
	var slow sync.WaitGroup
	for n := range 60 {
		slow.Go(func() {
			quick, slowly := "", post("/webhook", auth+contentLength(len(body)), body)
			switch n % 3 {
			case 0: // the body
				quick, slowly = post("/webhook", auth+contentLength(len(body)), ""), body
			case 1: // nothing at all
				slowly = ""
			}
			code, took := trickle(r.addr, quick, slowly, 50*time.Millisecond)
			if code != http.StatusRequestTimeout && code != 0 || took > 20*patience { // the whole would take longer
				t.Errorf("slow request %d: %d after %v", n%3, code, took)
			}
			if n%3 == 0 && code != http.StatusRequestTimeout {
				t.Errorf("a slow body: %d after %v", code, took)
			}
		})
	}
	var worst time.Duration
	for range 40 {
		began := time.Now()
		if a := r.get("/livez"); a.StatusCode != http.StatusOK {
			t.Errorf("meanwhile: %d", a.StatusCode)
		}
		r.taken(event("room_created", "s3", "r1", ""))
		worst = max(worst, time.Since(began)/2)
	}
	slow.Wait()
	t.Logf("others were answered within %v meanwhile", worst)
	if worst > 10*time.Second { // the row says 50 ms, which the bench holds; a request that waits for slow ones never ends
		t.Errorf("others waited %v", worst)
	}
	if strings.Contains(r.logged.String(), "level=ERROR") {
		t.Errorf("a slow client is no failure of ours: %s", r.logged)
	}
}
