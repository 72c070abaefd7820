//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/store"
)

const (
	attackedSessions = 20_000 // of the past, to search in
	attackedRooms    = 200    // that go on
	honestOperators  = 10
	honestPause      = 2 * time.Second // between two pages of an operator
	deliveryPause    = 10 * time.Millisecond
	calmBefore       = 30 * time.Second
	calmAfter        = 2 * time.Minute
	patience         = 30 * time.Second // of everybody, for an answer
)

// target is the true program under attack: those who deliver, those who work with it, and those who do all they can to
// take it from them. Each comes from a loopback address of its own; attackers of a kind share one, as a person would.
type target struct {
	c        *child
	addr     string
	logins   []string // cookies of operators, then of the attackers
	token    string   // an API token of an attacker
	requests *maker

	delivered tally
	pages     tally
	sockets   tally
	attacks   map[string]*tally
}

// tally counts what came of requests, by status; 0 is no answer.
type tally struct {
	mu    sync.Mutex
	by    map[int]int
	took  []time.Duration
	fails []string // the first of them, in words
}

func (t *tally) add(status int, took time.Duration, failure string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by == nil {
		t.by = make(map[int]int)
	}
	t.by[status]++
	t.took = append(t.took, took)
	if failure != "" && len(t.fails) < 5 {
		t.fails = append(t.fails, failure)
	}
}

func (t *tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	slices.Sort(t.took)
	at := func(share float64) time.Duration {
		if len(t.took) == 0 {
			return 0
		}
		return t.took[int(math.Ceil(share*float64(len(t.took))))-1].Round(time.Millisecond)
	}
	var counts []string
	for _, status := range slices.Sorted(maps.Keys(t.by)) {
		counts = append(counts, fmt.Sprintf("%d × %d", t.by[status], status))
	}
	return fmt.Sprintf("%s; p50 %v, p99 %v, longest %v", strings.Join(counts, ", "), at(0.5), at(0.99), at(1))
}

// failed is how many were not answered as they should have been.
func (t *tally) failed(good int) (n int) {
	for status, count := range t.by {
		if status != good {
			n += count
		}
	}
	return n
}

func (t *tally) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.by, t.took, t.fails = nil, nil, nil
}

// attack runs a mixed attack for so long and says what honest people, deliveries and memory came to. The error says
// that one of them suffered.
func (b *bench) attack(duration time.Duration) error {
	s, err := b.underAttack()
	if err != nil {
		return err
	}
	defer s.c.stop()
	ctx, end := context.WithCancel(context.Background())
	var honest sync.WaitGroup
	defer func() { end(); honest.Wait() }()
	honest.Go(func() { s.deliver(ctx) })
	for n := range honestOperators {
		honest.Go(func() { s.work(ctx, n) })
		honest.Go(func() { s.watch(ctx, n) })
	}
	time.Sleep(calmBefore)
	before, err := s.c.resident()
	if err != nil {
		return err
	}
	fmt.Printf("before, %v: %.0f MB resident\n  deliveries %v\n  pages %v\n  sockets %v\n", calmBefore, before/1e6, &s.delivered, &s.pages, &s.sockets)
	s.delivered.reset()
	s.pages.reset()
	s.sockets.reset()
	peak := s.attacked(ctx, duration)
	fmt.Printf("attack, %v: %.0f MB resident at most\n  deliveries %v\n  pages %v\n  sockets %v\n", duration, peak/1e6, &s.delivered, &s.pages, &s.sockets)
	for _, name := range slices.Sorted(maps.Keys(s.attacks)) {
		fmt.Printf("  %s: %v\n", name, s.attacks[name])
	}
	time.Sleep(calmAfter)
	after, err := s.c.resident()
	if err != nil {
		return err
	}
	fmt.Printf("%v later: %.0f MB resident\n", calmAfter, after/1e6)
	return s.judged(before, after)
}

func (s *target) judged(before, after float64) (err error) {
	for name, t := range map[string]*tally{"deliveries": &s.delivered, "pages": &s.pages, "sockets": &s.sockets} {
		t.mu.Lock()
		good := http.StatusOK
		if t == &s.sockets {
			good = http.StatusSwitchingProtocols
		}
		if n := t.failed(good); n > 0 {
			err = errors.Join(err, fmt.Errorf("%d %s failed, such as %q", n, name, t.fails))
		}
		t.mu.Unlock()
	}
	if after > 1.5*before+32e6 {
		err = errors.Join(err, fmt.Errorf("memory does not come back: %.0f MB", after/1e6))
	}
	return err
}

// underAttack starts the program with a past, with users and with an API token.
func (b *bench) underAttack() (*target, error) {
	path, err := b.recorded("past", attackedSessions, past)
	if err != nil {
		return nil, err
	}
	s := &target{attacks: make(map[string]*tally)}
	if s.requests, err = newMaker(); err != nil {
		return nil, err
	}
	if err := s.people(path); err != nil {
		return nil, err
	}
	program, err := b.build(".", "roomwatch", ".")
	if err != nil {
		return nil, err
	}
	s.c, err = start(program, "serve", "--auth=local", "--listen=127.0.0.1:0", "--log=error", "--store=file:"+path)
	if err != nil {
		return nil, err
	}
	s.addr = s.c.addr
	return s, s.c.ready()
}

// people adds operators, one of whom attacks, with a login each.
func (s *target) people(path string) error {
	ctx := context.Background()
	record, err := store.Open(ctx, "file:"+path, quiet)
	if err != nil {
		return err
	}
	accounts := record.Accounts()
	for n := range honestOperators + 1 {
		name := fmt.Sprint("operator", n)
		if n == honestOperators {
			name = "attacker"
		}
		u := access.User{Key: access.LocalKey(name), Name: name, Role: access.Operator, CreatedAt: time.Now()}
		text := access.TokenLogin.Token(random())
		err = errors.Join(err, accounts.AddUser(ctx, u, false),
			accounts.AddLogin(ctx, access.NewLogin(access.HashOf(text), u, "127.0.0.1", "the bench", time.Now())))
		s.logins = append(s.logins, "roomwatch="+text)
	}
	s.token = access.TokenAPI.Token(random())
	token, made := access.NewAPIToken(access.HashOf(s.token), "attacker", []access.Scope{access.ReadState}, true, "", time.Now(), 24*time.Hour)
	if err = errors.Join(err, made); err == nil {
		err = accounts.AddToken(ctx, token)
	}
	return errors.Join(err, record.Close())
}

func random() (r access.Random) {
	_, _ = rand.Read(r[:])
	return r
}

// from is a client that comes from an address of its own.
func from(ip string) *http.Client {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	return &http.Client{Timeout: patience, Transport: &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 50},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// ask sends a request and counts its answer.
func (s *target) ask(ctx context.Context, t *tally, client *http.Client, method, path string, body io.Reader, headers ...string) {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+s.addr+path, body)
	if err != nil {
		return
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	began := time.Now()
	answer, err := client.Do(r)
	if err == nil {
		_, err = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	}
	switch {
	case ctx.Err() != nil: // the end
	case err != nil:
		t.add(0, time.Since(began), method+" "+path+": "+err.Error())
	case answer.StatusCode >= 400:
		t.add(answer.StatusCode, time.Since(began), fmt.Sprint(method, " ", path, ": ", answer.StatusCode))
	default:
		t.add(answer.StatusCode, time.Since(began), "")
	}
}

// deliver sends a hundred deliveries a second, sixteen at a time at most.
func (s *target) deliver(ctx context.Context) {
	client := from("127.0.3.1")
	slots := make(chan struct{}, 16)
	var under sync.WaitGroup
	defer under.Wait()
	for tick := time.NewTicker(deliveryPause); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
		body := s.requests.body(s.requests.made % attackedRooms)
		slots <- struct{}{}
		under.Go(func() {
			defer func() { <-slots }()
			token, err := plugnmeet.Sign(benchKey, benchSecret, body, time.Now())
			if err == nil {
				s.ask(ctx, &s.delivered, client, http.MethodPost, "/webhook", bytes.NewReader(body), "Authorization", token, "Hash-Token", token, "Content-Type", "application/json")
			}
		})
	}
}

// work is an operator who looks at one page after the other.
func (s *target) work(ctx context.Context, n int) {
	client := from(fmt.Sprint("127.0.1.", n+1))
	for page := 0; ctx.Err() == nil; page++ {
		path := []string{"/", "/rooms/" + sidOf(page%attackedRooms), "/sessions", "/recordings", "/intake", "/find?q=meet", "/api/v1/state"}[page%7]
		s.ask(ctx, &s.pages, client, http.MethodGet, path, nil, "Cookie", s.logins[n])
		rest(ctx, honestPause)
	}
}

// watch is an operator's overview, which is opened anew whenever it ends. How long a change took is not looked at
// here: row 22 has that.
func (s *target) watch(ctx context.Context, n int) {
	for ctx.Err() == nil {
		conn, code := s.socket(ctx, fmt.Sprint("127.0.1.", n+1), "view=overview", s.logins[n])
		if ctx.Err() != nil {
			return
		}
		if conn == nil {
			s.sockets.add(code, 0, fmt.Sprint("a socket: ", code))
			rest(ctx, time.Second)
			continue
		}
		began := time.Now()
		failure := s.read(ctx, conn)
		if ctx.Err() == nil {
			s.sockets.add(0, time.Since(began), failure)
		} else {
			s.sockets.add(http.StatusSwitchingProtocols, time.Since(began), "")
		}
	}
}

// read reads until the socket ends and says how it ended.
func (s *target) read(ctx context.Context, conn *websocket.Conn) string {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	defer conn.Close()
	for {
		_ = conn.SetReadDeadline(time.Now().Add(patience)) // there is a heartbeat
		if _, _, err := conn.ReadMessage(); err != nil {
			return err.Error()
		}
	}
}

func (s *target) socket(ctx context.Context, ip, query, cookie string) (*websocket.Conn, int) {
	dialer := websocket.Dialer{NetDial: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}).Dial, HandshakeTimeout: patience}
	header := http.Header{"Origin": {"http://" + s.addr}}
	if cookie != "" {
		header.Set("Cookie", cookie)
	}
	conn, answer, err := dialer.DialContext(ctx, "ws://"+s.addr+"/live?"+query, header)
	switch {
	case err == nil:
		return conn, http.StatusSwitchingProtocols
	case answer != nil:
		return nil, answer.StatusCode
	}
	return nil, 0
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// attacked runs all attacks at once and gives the most memory that was seen.
func (s *target) attacked(ctx context.Context, duration time.Duration) (peak float64) {
	ctx, end := context.WithTimeout(ctx, duration)
	defer end()
	var attackers sync.WaitGroup
	for _, a := range []struct {
		name string
		n    int
		do   func(context.Context, *tally, int)
	}{
		{"searches", 20, s.searches}, {"views", 220, s.views}, {"sockets of strangers", 20, s.strangersSockets}, {"frames", 10, s.frames},
		{"bodies that never end", 300, s.bodies}, {"silence", 1000, s.silence}, {"forbidden requests", 4, s.forbidden}, {"exports", 20, s.exports},
		{"embed renewals", 4, s.renewals}, {"logins", 4, s.guesses}, {"API", 8, s.api},
	} {
		t := &tally{}
		s.attacks[a.name] = t
		for n := range a.n {
			attackers.Go(func() {
				for ctx.Err() == nil {
					a.do(ctx, t, n)
				}
			})
		}
	}
	for ctx.Err() == nil {
		if now, err := s.c.resident(); err == nil {
			peak = max(peak, now)
		}
		rest(ctx, time.Second)
	}
	attackers.Wait()
	return peak
}

const attackerIP = "127.0.2.1"

var attackersClient = from(attackerIP)

func (s *target) attacker() string { return s.logins[honestOperators] }

// searches asks for what is slow to find, twenty at a time.
func (s *target) searches(ctx context.Context, t *tally, n int) {
	text := string([]byte{byte('a' + mathrand.IntN(26)), byte('a' + mathrand.IntN(26))})
	s.ask(ctx, t, attackersClient, http.MethodGet, "/sessions?q="+text+"+meeting&limit=200", nil, "Cookie", s.attacker())
}

// views is one person with more than two hundred tabs of different views.
func (s *target) views(ctx context.Context, t *tally, n int) {
	s.hold(ctx, t, fmt.Sprint("view=overview&q=x", n), s.attacker(), nil)
}

// hold opens a socket, says something, and reads on for a minute.
func (s *target) hold(ctx context.Context, t *tally, query, cookie string, say func(*websocket.Conn)) {
	began := time.Now()
	conn, code := s.socket(ctx, attackerIP, query, cookie)
	t.add(code, time.Since(began), "")
	if conn == nil {
		rest(ctx, 100*time.Millisecond)
		return
	}
	if say != nil {
		say(conn)
	}
	minute, end := context.WithTimeout(ctx, time.Minute)
	defer end()
	_ = s.read(minute, conn)
}

func (s *target) strangersSockets(ctx context.Context, t *tally, n int) {
	s.hold(ctx, t, "view=overview", "", nil)
}

// frames says nonsense, and pings without end.
func (s *target) frames(ctx context.Context, t *tally, n int) {
	s.hold(ctx, t, "view=overview", s.attacker(), func(conn *websocket.Conn) {
		for range 200 {
			_ = conn.WriteMessage(websocket.TextMessage, bytes.Repeat([]byte("["), 4000))
			_ = conn.WriteControl(websocket.PingMessage, bytes.Repeat([]byte("p"), 125), time.Now().Add(time.Second))
		}
	})
}

// bodies begins a body of 64 kB without a token and never ends it.
func (s *target) bodies(ctx context.Context, t *tally, n int) {
	s.dribble(ctx, t, n, "POST /webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 65536\r\n\r\n"+strings.Repeat("x", 32<<10))
}

// silence opens a connection and says nothing.
func (s *target) silence(ctx context.Context, t *tally, n int) { s.dribble(ctx, t, n, "") }

// dribble holds a connection from one of a few addresses until it is closed.
func (s *target) dribble(ctx context.Context, t *tally, n int, say string) {
	began := time.Now()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(fmt.Sprint("127.0.2.", 2+n%5))}, Timeout: patience}
	conn, err := dialer.DialContext(ctx, "tcp", s.addr)
	if err != nil {
		t.add(0, time.Since(began), "")
		rest(ctx, 100*time.Millisecond)
		return
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	_, _ = io.WriteString(conn, say)
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	_, _ = io.Copy(io.Discard, conn)
	t.add(1, time.Since(began), "")
	rest(ctx, 100*time.Millisecond)
}

// forbidden asks for what only admins may.
func (s *target) forbidden(ctx context.Context, t *tally, n int) {
	path := []string{"/users", "/tokens", "/audit"}[n%3]
	s.ask(ctx, t, attackersClient, http.MethodGet, path, nil, "Cookie", s.attacker())
}

// exports asks for everything, twenty at a time.
func (s *target) exports(ctx context.Context, t *tally, n int) {
	s.ask(ctx, t, attackersClient, http.MethodGet, []string{"/sessions.csv", "/sessions.json", "/intake.json", "/artifacts.csv"}[n%4], nil, "Cookie", s.attacker())
}

// renewals asks for embed tokens, of which some are refused.
func (s *target) renewals(ctx context.Context, t *tally, n int) {
	body := fmt.Sprintf(`{"source":"default","room_id":"room-%07d","parent":"https://%d.example.org"}`, mathrand.IntN(attackedRooms), n)
	s.ask(ctx, t, attackersClient, http.MethodPost, "/api/v1/embed-tokens", strings.NewReader(body), "Cookie", s.attacker(),
		"Content-Type", "application/json", "Sec-Fetch-Site", "same-origin")
}

// guesses tries passwords.
func (s *target) guesses(ctx context.Context, t *tally, n int) {
	form := fmt.Sprintf("name=operator%d&password=guess-number-%d", n, mathrand.IntN(1e9))
	s.ask(ctx, t, attackersClient, http.MethodPost, "/login", strings.NewReader(form), "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
}

// api asks with a token of its own.
func (s *target) api(ctx context.Context, t *tally, n int) {
	path := []string{"/api/v1/state?limit=200", "/api/v1/sessions?q=meet&limit=200", "/api/v1/deliveries?limit=200", "/api/v1/sessions/" + sidOf(n)}[n%4]
	s.ask(ctx, t, attackersClient, http.MethodGet, path, nil, "Authorization", "Bearer "+s.token)
}
