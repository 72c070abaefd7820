//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	benchKey    = "bench"
	benchSecret = "a secret of the bench, which keeps nothing secret"
)

// child is a process that is measured: Roomwatch, a floor or a peer.
type child struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	addr string // host:port

	debug string // where Roomwatch shows its profiles
}

// bench is what all rows share.
type bench struct {
	dir         string // for what is built and stored, removed at the end
	repetitions int
	quick       bool
	made        map[string]bool // records that are ready
	profiles    string          // a folder for CPU profiles of Roomwatch; "" for none
	profiled    int             // seconds
}

// build compiles a main package of a module, or files of one, and gives the path of the binary.
func (b *bench) build(module, name string, pkg ...string) (string, error) {
	path := filepath.Join(b.dir, name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	cmd := exec.Command("go", append([]string{"build", "-o", path}, pkg...)...)
	cmd.Dir = module
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
	}
	return path, nil
}

// serve starts the true program with a store and waits until it is ready.
func (b *bench) serve(store string, more ...string) (*child, error) {
	path, err := b.build(".", "roomwatch", ".")
	if err != nil {
		return nil, err
	}
	debug, err := freeAddress()
	if err != nil {
		return nil, err
	}
	c, err := start(path, append([]string{"serve", "--auth=none", "--listen=127.0.0.1:0", "--debug-listen=" + debug, "--log=error", "--store=" + store}, more...)...)
	if err != nil {
		return nil, err
	}
	if c.debug = debug; b.profiles != "" {
		go c.profile(b.profiles, b.profiled)
	}
	return c, c.ready()
}

// profile keeps a CPU profile of the process. A process that ends sooner has none.
func (c *child) profile(folder string, seconds int) {
	text, err := (&child{addr: c.debug}).get(fmt.Sprintf("/debug/pprof/profile?seconds=%d", seconds))
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, fmt.Sprintf("cpu-%d.pprof", c.cmd.Process.Pid)), []byte(text), 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: no profile:", err)
	}
}

// fresh starts it with a record of its own, in a file.
func (b *bench) fresh(more ...string) (*child, error) {
	dir, err := os.MkdirTemp(b.dir, "store")
	if err != nil {
		return nil, err
	}
	return b.serve("file:"+filepath.Join(dir, "record.db"), more...)
}

// floor starts one of this program's own floors.
func (b *bench) floor(name string, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return start(self, append([]string{"floor", name}, args...)...)
}

var peers = filepath.Join("bench", "peers")

// livekit starts the field's receiver of webhooks.
func (b *bench) livekit() (*child, error) {
	path, err := b.build(peers, "peer-livekit", "./livekit")
	if err != nil {
		return nil, err
	}
	return start(path)
}

// hub starts gorilla's hub example: two files of it as they are in its module, and a main of ours.
func (b *bench) hub() (*child, error) {
	dir, err := os.MkdirTemp(b.dir, "hub")
	if err != nil {
		return nil, err
	}
	list := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/gorilla/websocket")
	list.Dir = peers
	module, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("find gorilla/websocket: %w", err)
	}
	example := filepath.Join(strings.TrimSpace(string(module)), "examples", "chat")
	var files []string
	for _, from := range []string{filepath.Join(example, "hub.go"), filepath.Join(example, "client.go"), filepath.Join(peers, "hub", "main.go")} {
		text, err := os.ReadFile(from)
		if err != nil {
			return nil, err
		}
		to := filepath.Join(dir, filepath.Base(from))
		if err := os.WriteFile(to, text, 0o600); err != nil {
			return nil, err
		}
		files = append(files, to)
	}
	path, err := b.build(peers, "peer-hub", files...)
	if err != nil {
		return nil, err
	}
	return start(path)
}

// start runs a program that prints its address as the last word of its first line.
func start(path string, args ...string) (*child, error) {
	c := &child{cmd: exec.Command(path, args...)}
	c.cmd.Stderr = os.Stderr
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	for _, line := range os.Environ() {
		if !strings.HasPrefix(line, "ROOMWATCH_") {
			c.cmd.Env = append(c.cmd.Env, line)
		}
	}
	c.cmd.Env = append(c.cmd.Env, "ROOMWATCH_API_KEY="+benchKey, "ROOMWATCH_API_SECRET="+benchSecret, "ROOMWATCH_SECRET="+benchSecret)
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	c.out = bufio.NewReader(out)
	line, err := c.out.ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s printed no address: %w", filepath.Base(path), err), c.stop())
	}
	words := strings.Fields(line)
	c.addr = strings.TrimPrefix(words[len(words)-1], "http://")
	return c, nil
}

// ready waits until the program says that it is.
func (c *child) ready() error {
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		answer, err := http.Get("http://" + c.addr + "/readyz")
		if err != nil {
			return err
		}
		_ = answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			return nil
		}
	}
	return errors.New("roomwatch did not become ready")
}

// stop ends the process, which keeps nothing that is needed.
func (c *child) stop() error {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait() // killed
	return nil
}

// quit ends the process in good order.
func (c *child) quit() error {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	return c.cmd.Wait()
}

// cpu is the CPU time that the process has used so far: CLOCK_PROCESS_CPUTIME_ID of another process.
func (c *child) cpu() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^c.cmd.Process.Pid)<<3|2, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// resident is the memory that the process has in use, in bytes.
func (c *child) resident() (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", c.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text))
	pages, err := strconv.ParseFloat(fields[1], 64)
	return pages * float64(os.Getpagesize()), err
}

// get asks the child for a page, and wants it.
func (c *child) get(path string) (string, error) {
	answer, err := http.Get("http://" + c.addr + path)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s", path, answer.Status)
	}
	return string(body), err
}
