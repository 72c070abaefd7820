package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/store"
	"github.com/roomwatch/roomwatch/views"
	"github.com/roomwatch/roomwatch/web"
)

const (
	apiKey      = "plugnmeet"
	current     = plugnmeet.Secret("the current secret of the tests, long enough")
	previous    = plugnmeet.Secret("the previous secret of the tests, long enough")
	fixedAnswer = `{"status":"not authentic"}`
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreTopFunction("github.com/valyala/fasthttp/stackless.funcWorker"),      // compress, a few for all requests
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"), // sleeps ten seconds, then ends
		goleak.IgnoreAnyFunction("github.com/gofiber/fiber/v2/utils.StartTimeStampUpdater.func1.1"))
}

// rig is all of Roomwatch but the command line, on a port of its own and over a store in memory.
type rig struct {
	t      *testing.T
	addr   string
	url    string
	client *http.Client
	server *web.Server
	record *store.SQLite
	logged *logged
	close  func()
}

// setting changes what a rig is built of.
type setting func(*web.Config)

func readTime(d time.Duration) setting { return func(c *web.Config) { c.ReadTime = d } }

// instead puts something between the server and the store.
func instead(wrap func(web.Record) web.Record) setting {
	return func(c *web.Config) { c.Record = wrap(c.Record) }
}

func start(t *testing.T, settings ...setting) *rig {
	t.Helper()
	return startOn(t, nil, settings...)
}

// startOn puts something between the server and its listener.
func startOn(t *testing.T, between func(net.Listener) net.Listener, settings ...setting) *rig {
	t.Helper()
	return startAll(t, []plugnmeet.Source{{Name: "default", APIKey: apiKey, Secrets: []plugnmeet.Secret{current, previous}}}, between, settings...)
}

func startSources(t *testing.T, sources []plugnmeet.Source, settings ...setting) *rig {
	t.Helper()
	return startAll(t, sources, nil, settings...)
}

func startAll(t *testing.T, sources []plugnmeet.Source, between func(net.Listener) net.Listener, settings ...setting) *rig {
	t.Helper()
	logged := &logged{}
	log := slog.New(slog.NewTextHandler(logged, nil))
	record, err := store.Open(t.Context(), "memory:", log)
	if err != nil {
		t.Fatal(err)
	}
	keyring, err := plugnmeet.NewKeyring(sources)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, source := range sources {
		names = append(names, source.Name)
	}
	board := live.NewBoard(record, names, log)
	config := web.Config{Record: record, Board: board, Keyring: keyring, LoopbackOnly: true, Log: log}
	for _, set := range settings {
		set(&config)
	}
	hub := live.NewHub(board, config.Record, views.HTML{Base: config.BasePath}, room.DefaultLimits, 10*time.Millisecond, log)
	config.Hub = hub
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if between != nil {
		listener = between(listener)
	}
	r := &rig{t: t, addr: listener.Addr().String(), url: "http://" + listener.Addr().String(), server: web.New(config), record: record, logged: logged,
		client: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64, ExpectContinueTimeout: 10 * time.Second},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	ctx, stop := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	tasks.Go(func() { r.check(board.Run(ctx)) })
	tasks.Go(func() { hub.Run(ctx) })
	tasks.Go(func() { r.check(r.server.Serve(listener)) })
	r.close = sync.OnceFunc(func() {
		r.client.CloseIdleConnections()
		r.check(r.server.Shutdown())
		stop()
		tasks.Wait()
		r.check(record.Close())
	})
	t.Cleanup(r.close)
	r.await("ready", func() bool { return r.get("/readyz").StatusCode == http.StatusOK })
	return r
}

func (r *rig) check(err error) {
	if err != nil {
		r.t.Error(err)
	}
}

// logged keeps what the program logs.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// patience is how long is waited for a fact before it is given up as stuck. A test waits as long only when it fails.
const patience = time.Minute

// await returns when the fact is there, and fails the test if it never comes.
func (r *rig) await(what string, fact func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(patience); !fact(); time.Sleep(3 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("never: %s", what)
		}
	}
}

// answer is an HTTP answer, read whole.
type answer struct {
	*http.Response
	body string
}

func (r *rig) do(method, path, body string, headers ...string) answer {
	r.t.Helper()
	request, err := http.NewRequest(method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			request.Host = headers[i+1]
			continue
		}
		request.Header.Add(headers[i], headers[i+1])
	}
	response, err := r.client.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer{response, string(data)}
}

func (r *rig) get(path string, headers ...string) answer {
	r.t.Helper()
	return r.do(http.MethodGet, path, "", headers...)
}

// read gets JSON that must be there.
func read[T any](r *rig, path string) (out T) {
	r.t.Helper()
	a := r.get(path)
	if a.StatusCode != http.StatusOK {
		r.t.Fatalf("%s: %d %s", path, a.StatusCode, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		r.t.Fatalf("%s: %v in %s", path, err, a.body)
	}
	return out
}

func sign(t *testing.T, body string) string {
	t.Helper()
	return signBy(t, apiKey, current, body)
}

func signBy(t *testing.T, key string, secret plugnmeet.Secret, body string) string {
	t.Helper()
	token, err := plugnmeet.Sign(key, secret, []byte(body), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// deliver posts a signed body.
func (r *rig) deliver(body string) answer {
	r.t.Helper()
	return r.do(http.MethodPost, "/webhook", body, "Authorization", sign(r.t, body))
}

// taken posts signed bodies that must all be stored, and waits until the board shows them.
func (r *rig) taken(bodies ...string) {
	r.t.Helper()
	for _, body := range bodies {
		if a := r.deliver(body); a.StatusCode != http.StatusOK {
			r.t.Fatalf("%.200s: %d %s", body, a.StatusCode, a.body)
		}
	}
	r.await("the board shows it", func() bool {
		end, err := r.record.End(r.t.Context())
		return err == nil && r.server.Board.Position() == end
	})
}

var events struct {
	sync.Mutex
	n int
}

// event is a body with an id of its own. More are further members, each with a comma before it.
func event(name, sid, roomID, more string) string {
	events.Lock()
	defer events.Unlock()
	events.n++
	return fmt.Sprintf(`{"event":%q,"id":"EV_%d","created_at":"%d","room":{"sid":%q,"room_id":%q}%s}`, name, events.n, time.Now().Unix(), sid, roomID, more)
}

func joined(sid, roomID, who string) string {
	return event("participant_joined", sid, roomID, fmt.Sprintf(`,"participant":{"sid":"PA_%s","identity":%q,"name":%q}`, who, who, who))
}

func (r *rig) deliveries(query string) []room.Delivery {
	r.t.Helper()
	return read[room.Page[room.Delivery]](r, "/api/v1/deliveries?limit=200&"+query).Items
}

// metric is the line of a metric, "" if there is none.
func (r *rig) metric(name string) string {
	for line := range strings.Lines(r.get("/metrics").body) {
		if strings.HasPrefix(line, name) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// raw sends bytes on a line of their own and reads all that comes until the server closes it, or the
// answers asked for are there.
func (r *rig) raw(answers int, parts ...string) (got []*http.Response, bodies []string, err error) {
	r.t.Helper()
	line, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	defer line.Close()
	_ = line.SetDeadline(time.Now().Add(patience))
	for _, part := range parts {
		if _, err := io.WriteString(line, part); err != nil {
			break // the server may answer before it has read all
		}
	}
	in := bufio.NewReader(line)
	for len(got) < answers {
		response, err := http.ReadResponse(in, nil)
		if err != nil {
			return got, bodies, err
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return got, bodies, err
		}
		if response.StatusCode == http.StatusContinue {
			continue
		}
		got, bodies = append(got, response), append(bodies, string(body))
	}
	_ = line.SetReadDeadline(time.Now().Add(2 * time.Second))
	_, err = in.ReadByte()
	return got, bodies, err
}
