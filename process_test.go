package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/store"
)

// program is the built binary, made once for all tests that need a true process.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "roomwatch-test-")
	if err != nil {
		return "", err
	}
	built = dir
	path := filepath.Join(dir, "roomwatch")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

var built string

func cleanup() {
	if built != "" {
		_ = os.RemoveAll(built)
	}
}

// command prepares a run of the binary in a folder, with nothing of our environment that it reads.
func command(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	for _, line := range os.Environ() {
		if !strings.HasPrefix(line, "ROOMWATCH_") {
			cmd.Env = append(cmd.Env, line)
		}
	}
	return cmd
}

// process is a serve that runs.
type process struct {
	*exec.Cmd
	url string
}

func startProcess(t *testing.T, dir string, more ...string) *process {
	t.Helper()
	return startLogged(t, dir, os.Stderr, more...)
}

// startLogged starts a serve that writes its log there.
func startLogged(t *testing.T, dir string, log io.Writer, more ...string) *process {
	t.Helper()
	cmd := command(t, dir, serveArgs(more...)...)
	cmd.Stderr = log
	return started(t, cmd)
}

func serveArgs(more ...string) []string {
	return append([]string{"serve", "--auth=none", "--listen=127.0.0.1:0", "--store=file:record.db", "--log=error"}, more...)
}

// started runs a prepared serve until it says where it is.
func started(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	cmd.Env = append(cmd.Env, "ROOMWATCH_API_KEY="+testKey, "ROOMWATCH_API_SECRET="+string([]byte(testSecret)))
	if cmd.Stderr == nil {
		cmd.Stderr = os.Stderr
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("serve printed no address: %v", err)
	}
	fields := strings.Fields(line)
	return &process{cmd, fields[len(fields)-1]}
}

// delivered is the ids of what was answered 200.
type delivered struct {
	mu  sync.Mutex
	ids []string
}

func (d *delivered) add(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ids = append(d.ids, id)
}

// burst posts deliveries from several connections until the server goes away.
func burst(url string, round int, acked *delivered, enough func(int)) {
	var senders sync.WaitGroup
	var count atomic.Int64
	for sender := range 8 {
		senders.Go(func() {
			client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for n := 0; ; n++ {
				id := fmt.Sprintf("EV_%d_%d_%d", round, sender, n)
				body := fmt.Appendf(nil, `{"event":"participant_joined","room":{"sid":"s%d","room_id":"r%d"},"participant":{"sid":"PA_%s","identity":"u%d"},"id":"%s","created_at":"%d"}`,
					sender, sender, id, n, id, time.Now().Unix())
				if !post(client, url, body) {
					return
				}
				acked.add(id)
				enough(int(count.Add(1)))
			}
		})
	}
	senders.Wait()
}

func post(client *http.Client, url string, body []byte) bool {
	return postSigned(client, url, testKey, testSecret, body)
}

func postSigned(client *http.Client, url, key string, secret plugnmeet.Secret, body []byte) bool {
	token, err := plugnmeet.Sign(key, secret, body, time.Now())
	if err != nil {
		return false
	}
	request, err := http.NewRequest(http.MethodPost, url+"/webhook", strings.NewReader(string(body)))
	if err != nil {
		return false
	}
	request.Header.Set("Authorization", token)
	answer, err := client.Do(request)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode == http.StatusOK
}

// Row 30 of the faults: whatever was answered 200 is there after a kill -9, once.
func TestFault30EveryAnsweredDeliveryOutlivesAKillOnce(t *testing.T) {
	dir, acked := t.TempDir(), &delivered{}
	for round := range 12 {
		p := startProcess(t, dir)
		after := 20 + rand.IntN(200)
		var kill sync.Once
		burst(p.url, round, acked, func(n int) {
			if n >= after {
				kill.Do(func() { _ = p.Process.Kill() })
			}
		})
		_ = p.Wait()
		recorded := recordedIDs(t, dir)
		for _, id := range acked.ids {
			if recorded[id] != 1 {
				t.Fatalf("round %d: %s was answered 200 and is recorded %d times, among %d", round, id, recorded[id], len(recorded))
			}
		}
		for id, times := range recorded {
			if times != 1 {
				t.Fatalf("round %d: %s is recorded %d times", round, id, times)
			}
		}
	}
	t.Logf("%d deliveries answered over 12 kills", len(acked.ids))
}

func recordedIDs(t *testing.T, dir string) map[string]int {
	t.Helper()
	record, err := store.Open(t.Context(), "file:"+filepath.Join(dir, "record.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer record.Close()
	end, err := record.End(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ids, done := map[string]int{}, errors.New("at the end")
	err = record.Follow(t.Context(), "", func(batch []room.Delivery) error {
		for _, d := range batch {
			ids[d.ID]++
			if d.Position == end {
				return done
			}
		}
		return nil
	})
	if !errors.Is(err, done) {
		t.Fatal(err)
	}
	return ids
}

func TestServeEndsOnATermSignalWithEverythingSaved(t *testing.T) {
	dir := t.TempDir()
	p := startProcess(t, dir)
	client := &http.Client{Timeout: 5 * time.Second}
	if !post(client, p.url, []byte(`{"event":"room_created","room":{"sid":"s1","room_id":"r1"},"id":"e1","created_at":"1795311099"}`)) {
		t.Fatal("not stored")
	}
	began := time.Now()
	if err := p.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("exit: %v", err)
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("ended after %v", took)
	}
	record, err := store.Open(t.Context(), "file:"+filepath.Join(dir, "record.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer record.Close()
	checkpoint, _ := record.Checkpoint(t.Context())
	page, err := record.Deliveries(t.Context(), room.DeliveryQuery{Limit: 2})
	if err != nil || len(page.Items) != 2 {
		t.Fatalf("%+v, %v", page.Items, err)
	}
	if last, told := page.Items[0], page.Items[1]; last.Event != room.EventGap || told.ID != "e1" || checkpoint < told.Position {
		t.Errorf("checkpoint %q, then %+v and %+v: the next start has to replay more than that intake was closed", checkpoint, told, last)
	}
}

func TestExitCodes(t *testing.T) {
	pair := []string{"--api-key=k", "--api-secret=0123456789012345678901234567890123456789"}
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"an unknown command":       {[]string{"bogus"}, 2, "unexpected argument bogus"},
		"an unknown flag":          {[]string{"serve", "--bogus"}, 2, "unknown flag --bogus"},
		"a replay without target":  {[]string{"replay", "x.jsonl"}, 2, "--target"},
		"no login off loopback":    {append([]string{"serve", "--auth=none", "--listen=:0"}, pair...), 1, "loopback"},
		"user without a role":      {[]string{"user", "add", "ana"}, 2, "--role"},
		"token without a scope":    {[]string{"token", "api", "x"}, 2, "--scope"},
		"a scope that is none":     {[]string{"token", "api", "x", "--scope=all", "--store=file:x.db"}, 1, "is no scope"},
		"no source":                {[]string{"serve", "--auth=none", "--listen=127.0.0.1:0"}, 1, "API_KEY"},
		"a short secret":           {[]string{"serve", "--auth=none", "--listen=127.0.0.1:0", "--api-key=k", "--api-secret=short"}, 1, "shorter than 32"},
		"a store that is not ours": {append([]string{"serve", "--auth=none", "--listen=127.0.0.1:0", "--store=mysql://u:hunter2@h/d"}, pair...), 1, "STORE=mysql://u:xxxxx@h/d"},
		"Redis without a secret":   {append([]string{"serve", "--auth=none", "--listen=127.0.0.1:0", "--store=redis://127.0.0.1:1"}, pair...), 1, "SECRET is missing"},
		"a short secret of ours":   {append([]string{"serve", "--auth=none", "--listen=127.0.0.1:0", "--secret=short"}, pair...), 1, "SECRET is shorter than 32"},
		"nobody to be healthy":     {[]string{"healthcheck", "--listen=127.0.0.1:1"}, 1, "not healthy"},
		"version":                  {[]string{"version"}, 0, "roomwatch "},
		"help":                     {[]string{"--help"}, 0, "serve"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := command(t, t.TempDir(), c.args...) // the first builds the program
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			out, err := runWithin(ctx, cmd)
			if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(out, c.says) {
				t.Errorf("exit %d (%v), printed %q; want %d and %q", code, err, out, c.code, c.says)
			}
			if c.code != 0 && strings.Count(strings.TrimSpace(out), "\n") > 0 {
				t.Errorf("more than one line: %q", out)
			}
		})
	}
}

func runWithin(ctx context.Context, cmd *exec.Cmd) (string, error) {
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return "", err
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stop()
	err := cmd.Wait()
	return out.String(), err
}

func TestSettingsFlagBeatsEnvironmentBeatsFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "roomwatch.yaml")
	if err := os.WriteFile(file, []byte("auth: none\nlisten: file-says:1\nsources:\n  - name: emea\n    api_key: k\n    secrets: [short]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		env, flag, says string
	}{
		{"", "", "file-says:1"},
		{"ROOMWATCH_LISTEN=env-says:1", "", "env-says:1"},
		{"ROOMWATCH_LISTEN=env-says:1", "--listen=flag-says:1", "flag-says:1"},
		{"ROOMWATCH_LISTEN=127.0.0.1:0", "", `source "emea" is shorter`},
	} {
		args := []string{"serve", "--config=" + file}
		if c.flag != "" {
			args = append(args, c.flag)
		}
		cmd := command(t, dir, args...)
		if c.env != "" {
			cmd.Env = append(cmd.Env, c.env)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		if out, _ := runWithin(ctx, cmd); !strings.Contains(out, c.says) {
			t.Errorf("env %q, flag %q: %q does not say %q", c.env, c.flag, out, c.says)
		}
		cancel()
	}
	if err := os.WriteFile(file, []byte("lisen: 127.0.0.1:1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _ := runWithin(t.Context(), command(t, dir, "serve", "--config="+file)); !strings.Contains(out, `"lisen", which is no setting`) {
		t.Errorf("a typing error in the file passes: %q", out)
	}
}

func TestKeysAreRotatedWithoutARestart(t *testing.T) {
	dir := t.TempDir()
	const first, second = plugnmeet.Secret("the first secret, of more than 32 bytes"), plugnmeet.Secret("the second secret, of more than 32 bytes")
	write := func(secrets ...plugnmeet.Secret) {
		text := "sources:\n  - name: emea\n    api_key: emea-key\n    secrets:\n"
		for _, secret := range secrets {
			text += "      - " + string([]byte(secret)) + "\n"
		}
		if err := os.WriteFile(filepath.Join(dir, "roomwatch.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(first)
	p := startProcess(t, dir, "--config=roomwatch.yaml")
	defer func() { _ = p.Process.Kill(); _ = p.Wait() }()
	client := &http.Client{Timeout: 5 * time.Second}
	n := 0
	taken := func(secret plugnmeet.Secret) bool {
		n++
		return postSigned(client, p.url, "emea-key", secret, fmt.Appendf(nil, `{"event":"room_created","room":{"sid":"s1","room_id":"r1"},"id":"e%d","created_at":"1795311099"}`, n))
	}
	if !taken(first) || taken(second) {
		t.Fatal("before the rotation the first secret counts, and no other")
	}
	rotate := func(what string, done func() bool, secrets ...plugnmeet.Secret) {
		t.Helper()
		write(secrets...)
		if err := p.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(5 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("never: " + what)
			}
		}
	}
	rotate("both secrets count", func() bool { return taken(second) && taken(first) }, second, first)
	rotate("only the second counts", func() bool { return taken(second) && !taken(first) }, second)
	rotate("a secret that is too short changes nothing", func() bool { return taken(second) }, "short")
}
