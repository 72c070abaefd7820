package web_test

import (
	"net/http"
	"strings"
	"testing"
)

// A body that is answered unread must not be read as requests afterwards: a proxy may share the line
// between senders.
func TestFault12ABodyThatIsNotReadIsNoRequest(t *testing.T) {
	t.Parallel()
	l := &ledger{}
	r := start(t, instead(l.over))
	inner := event("room_created", "inner", "r1", "")
	hidden := post("/webhook", "Authorization: "+sign(t, inner)+"\r\n"+contentLength(len(inner)), inner)
	small, large := strings.Repeat(hidden, 4), strings.Repeat(hidden, 400)
	large = large[len(large)%len(hidden):]
	for name, c := range map[string]struct {
		request string
		code    int
	}{
		"encoded":             {post("/webhook", "Content-Encoding: gzip\r\n"+contentLength(len(large)), large), 415},
		"a large stranger":    {post("/webhook", contentLength(len(large)), large), 401},
		"too large":           {post("/webhook", contentLength(mebibyte+1), large), 413},
		"encoded, in chunks":  {post("/webhook", "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", large), 415},
		"to a page":           {strings.Replace(post("/", contentLength(60<<10), large), "POST", "GET", 1), 200},
		"to a page in chunks": {strings.Replace(post("/", "Transfer-Encoding: chunked\r\n", large), "POST", "GET", 1), 413},
		"to nobody":           {post("/nobody", contentLength(60<<10), large), 404},
		"with a method":       {strings.Replace(post("/webhook", contentLength(60<<10), large), "POST", "PUT", 1), 405},
	} {
		got, _, err := r.raw(2, c.request)
		if len(got) != 1 || got[0].StatusCode != c.code || !got[0].Close {
			t.Errorf("%s: %v %v, want %d and the end of the line", name, got, err, c.code)
		}
	}
	// What the engine has read anyway may be followed by another request, which is one.
	signed := "Authorization: " + sign(t, small) + "\r\n"
	got, _, err := r.raw(2, post("/webhook", signed+"Content-Encoding: gzip\r\n"+contentLength(len(small)), small)+hidden)
	if len(got) != 2 || got[0].StatusCode != 415 || got[1].StatusCode != 200 || l.appends.Load() != 1 {
		t.Errorf("%v %v, %d appends; want the one after", got, err, l.appends.Load())
	}
}

func TestTheLineStaysOpenAfterDeliveriesOfAnySize(t *testing.T) {
	t.Parallel()
	r := start(t)
	var requests string
	sizes := []int{300, 8 << 10, 8<<10 + 1, 12 << 10, 64 << 10, 64<<10 + 1, 300 << 10, mebibyte, 400}
	for _, size := range sizes {
		body := padded(size)
		requests += post("/webhook", "Authorization: "+sign(t, body)+"\r\n"+contentLength(len(body)), body)
	}
	body := padded(100 << 10)
	requests += post("/webhook", "Authorization: "+sign(t, body)+"\r\nTransfer-Encoding: chunked\r\n", "5\r\n"+body[:5]+"\r\n18ffb\r\n"+body[5:]+"\r\n0\r\n\r\n")
	body = padded(100 << 10)
	requests += post("/webhook", "Authorization: "+sign(t, body)+"\r\nExpect: 100-continue\r\n"+contentLength(len(body)), body)
	got, bodies, err := r.raw(len(sizes)+2, requests)
	for i, a := range got {
		if a.StatusCode != http.StatusOK || a.Close {
			t.Errorf("delivery %d: %d %s", i, a.StatusCode, bodies[i])
		}
	}
	if len(got) != len(sizes)+2 {
		t.Errorf("%d answers: %v", len(got), err)
	}
	if n := len(r.deliveries("verdict=accepted")); n != len(sizes)+2 {
		t.Errorf("%d are in the record", n)
	}
}
