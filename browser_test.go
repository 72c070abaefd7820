package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	cdptarget "github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// chromiumOptions are those of every Chromium that a test starts, with more of its own. The shell without windows
// draws the same pages and takes three quarters of the processor.
func chromiumOptions(more ...chromedp.ExecAllocatorOption) ([]chromedp.ExecAllocatorOption, error) {
	path, err := exec.LookPath("chromium-headless-shell")
	if err != nil {
		path, err = exec.LookPath("chromium")
	}
	if err != nil {
		return nil, fmt.Errorf("chromium is missing: `make tools` installs it (%w)", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU)
	for _, off := range []string{"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync"} {
		options = append(options, chromedp.Flag(off, true))
	}
	return append(options, more...), nil
}

// chromium is the one process of all tests, or the error of its start. Each test has a profile of its own in it.
var chromium = sync.OnceValues(func() (context.Context, error) {
	options, err := chromiumOptions()
	if err != nil {
		return nil, err
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ := chromedp.NewContext(allocator, chromedp.WithErrorf(driverError))
	closeChromium = func() { _ = chromedp.Cancel(ctx); stop() }
	return ctx, chromedp.Run(ctx) // starts it
})

// driverError prints what the driver finds wrong, but for events of nodes that it has no use for: with every change of a
// page it says so of some newer kind, hundreds of times in a run.
func driverError(format string, args ...any) {
	if !strings.HasPrefix(format, "unhandled ") {
		log.Printf("chromedp: "+format, args...)
	}
}

// closeChromium is for the end of all tests.
var closeChromium = func() {}

// browser is a page of headless Chromium, in a profile that is its test's own. Any error in its console, and
// any violation of the content policy, fails the test; what the network says of a server that was taken away
// on purpose does not.
type browser struct {
	context.Context // of the page
	t               *testing.T
	process         context.Context
	profile         cdp.BrowserContextID

	mu       sync.Mutex
	troubles []string
	expected []string // troubles that the test brings about, whenever they are told
}

func startBrowser(t *testing.T) *browser {
	t.Helper()
	process, err := chromium()
	if err != nil {
		t.Fatal(err)
	}
	whole := cdp.WithExecutor(process, chromedp.FromContext(process).Browser)
	profile, err := cdptarget.CreateBrowserContext().Do(whole)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cdptarget.DisposeBrowserContext(profile).Do(whole) })
	b := openPage(t, process, profile)
	b.size(1440, 240)
	return b
}

// openPage opens an empty page of a profile, in a window of its own: so nobody but its test hides it.
func openPage(t *testing.T, process context.Context, profile cdp.BrowserContextID) *browser {
	t.Helper()
	window, err := cdptarget.CreateTarget("about:blank").WithBrowserContextID(profile).WithNewWindow(true).
		Do(cdp.WithExecutor(process, chromedp.FromContext(process).Browser))
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, process: process, profile: profile}
	var leave context.CancelFunc
	b.Context, leave = chromedp.NewContext(process, chromedp.WithTargetID(window))
	t.Cleanup(leave)
	b.listen(b.Context)
	if err := chromedp.Run(b.Context); err != nil { // as long as this context lives, it hears of the page
		t.Fatal(err)
	}
	b.do(cdplog.Enable())
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, trouble := range b.troubles {
			t.Errorf("the browser says: %s", trouble)
		}
	})
	return b
}

func (b *browser) listen(ctx context.Context) {
	chromedp.ListenTarget(ctx, func(event any) {
		switch event := event.(type) {
		case *runtime.EventExceptionThrown:
			b.trouble(event.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			if event.Type == runtime.APITypeError || event.Type == runtime.APITypeWarning {
				b.trouble(fmt.Sprint(event.Type, event.Args))
			}
		case *cdplog.EventEntryAdded:
			if event.Entry.Level == cdplog.LevelError || event.Entry.Level == cdplog.LevelWarning {
				b.trouble(fmt.Sprint(event.Entry.Source, ": ", event.Entry.Text, " ", event.Entry.URL))
			}
		}
	})
}

func (b *browser) trouble(text string) {
	for _, away := range []string{"WebSocket connection to", "net::ERR_CONNECTION_", "net::ERR_SOCKET_NOT_CONNECTED", "net::ERR_EMPTY_RESPONSE"} {
		if strings.Contains(text, away) {
			return // the server was taken away: the page says so itself
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if slices.ContainsFunc(b.expected, func(part string) bool { return strings.Contains(text, part) }) {
		return
	}
	b.troubles = append(b.troubles, text)
}

// expect lets troubles pass that the test is about to bring about. The browser may tell of them much later.
func (b *browser) expect(parts ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected = parts
}

// tab opens another page of the same profile.
func (b *browser) tab(url string) *browser {
	b.t.Helper()
	other := openPage(b.t, b.process, b.profile)
	other.size(1440, 240)
	other.visit(url)
	return other
}

// visit goes to a page, and returns when it is read. chromedp.Navigate would wait until it is loaded, too,
// which Chromium may put off in a tab that nobody sees.
func (b *browser) visit(url string) {
	b.t.Helper()
	b.do(chromedp.ActionFunc(func(ctx context.Context) error {
		_, _, failed, _, err := page.Navigate(url).Do(ctx)
		if err == nil && failed != "" {
			err = fmt.Errorf("go to %s: %s", url, failed)
		}
		return err
	}))
	b.await("the page is loaded", `document.readyState !== "loading" && location.href !== "about:blank"`)
}

// patience is how long is waited for a fact, or for one step in the browser, before it is given up as stuck. A test waits as
// long only when it fails, so this is no bet on how fast a machine is.
const patience = time.Minute

func (b *browser) do(actions ...chromedp.Action) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.Context, patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// eval is the value of an expression in the page.
func eval[T any](b *browser, expression string) (value T) {
	b.t.Helper()
	b.do(chromedp.Evaluate(expression, &value))
	return value
}

// await returns when the expression is true in the page. While the browser goes from one page to another there is
// none to ask, and nothing is true.
func (b *browser) await(what, expression string) {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	for !b.now(expression) {
		if time.Now().After(deadline) {
			b.t.Fatalf("never: %s (%s); the page shows\n%s", what, expression, eval[string](b, "document.body.innerText"))
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (b *browser) now(expression string) (is bool) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.Context, patience)
	defer cancel()
	err := chromedp.Run(ctx, chromedp.Evaluate("Boolean("+expression+")", &is))
	leaving := func(text string) bool { return err != nil && strings.Contains(err.Error(), text) }
	if err != nil && !leaving("Inspected target navigated or closed") && !leaving("Cannot find context with specified id") {
		b.t.Fatal(err)
	}
	return is && err == nil
}

// shown is the view as it stands, without what differs between readers: texts of times, titles put by
// the pointer, and details that one of them opened.
const shown = `(() => {
	const view = document.getElementById("view").cloneNode(true);
	for (const time of view.querySelectorAll("time")) time.textContent = "";
	for (const element of view.querySelectorAll("[title]")) element.removeAttribute("title");
	for (const details of view.querySelectorAll("details")) details.open = false;
	for (const element of view.querySelectorAll("[class='']")) element.removeAttribute("class");
	for (const element of view.querySelectorAll("*")) { // their order means nothing
		const attributes = [...element.attributes].sort((a, b) => a.name < b.name ? -1 : 1);
		for (const { name } of attributes) element.removeAttribute(name);
		for (const { name, value } of attributes) element.setAttribute(name, value);
	}
	return view.outerHTML;
})()`

// sameAsFresh waits until the page shows what a page that is loaded now shows.
func (b *browser) sameAsFresh(url string) {
	b.t.Helper()
	fresh := b.tab(url)
	fresh.await("the fresh page is live", `document.querySelector("#pill[data-state=live]")`)
	var old, now string
	deadline := time.Now().Add(patience)
	for old, now = eval[string](b, shown), eval[string](fresh, shown); old != now; old, now = eval[string](b, shown), eval[string](fresh, shown) {
		if time.Now().After(deadline) {
			at := 0
			for at < min(len(old), len(now)) && old[at] == now[at] {
				at++
			}
			b.t.Fatalf("after all that the page differs from a fresh one:\n…%.500s\n…%.500s", old[max(0, at-200):], now[max(0, at-200):])
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// cable is a TCP line to the server that can be cut: Chromium's own offline mode leaves sockets open.
type cable struct {
	net.Listener
	mu    sync.Mutex
	to    string
	lines map[net.Conn]struct{}
}

func layCable(t *testing.T, to string) *cable {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{Listener: listener, to: to, lines: make(map[net.Conn]struct{})}
	t.Cleanup(func() { _ = c.Close(); c.cut() })
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			go c.join(near)
		}
	}()
	return c
}

func (c *cable) join(near net.Conn) {
	c.mu.Lock()
	to := c.to
	c.mu.Unlock()
	far, err := net.Dial("tcp", to)
	if to == "" || err != nil {
		_ = near.Close()
		return
	}
	c.mu.Lock()
	c.lines[near], c.lines[far] = struct{}{}, struct{}{}
	c.mu.Unlock()
	go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
	_, _ = io.Copy(near, far)
	_ = near.Close()
}

// cut breaks every line; lead says where new ones go, "" is nowhere.
func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.to = ""
	for line := range c.lines {
		_ = line.Close()
	}
	clear(c.lines)
}

func (c *cable) lead(to string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.to = to
}

func (c *cable) url() string { return "http://" + c.Addr().String() }

const (
	rowOf   = `[...document.querySelectorAll("#rooms > tr")].find(row => row.innerText.includes(%q))`
	noRows  = `document.querySelectorAll("#rooms > tr[id^=session-]").length === 0`
	isLive  = `document.querySelector("#pill[data-state=live]")`
	notLive = `document.querySelector("#pill:not([data-state=live])")`
	placeOf = `document.querySelector("#filter").getBoundingClientRect().y`
)

func row(text string) string { return fmt.Sprintf(rowOf, text) }

func TestTheOverviewFollowsAMeetingDayWithoutReloading(t *testing.T) {
	t.Parallel()
	config := testConfig("file:" + filepath.Join(t.TempDir(), "record.db"))
	day := capture(t, "three-rooms.jsonl")
	app := startApp(t, config)
	line := layCable(t, app.Addr())
	b := startBrowser(t)
	b.visit(line.url())
	b.await("live", isLive)
	b.do(chromedp.Evaluate(`window.neverReloaded = true`, nil))

	app.replay(day[:40], 0)
	b.await("rows appear", `document.querySelectorAll("#rooms > tr[id^=session-]").length === 3`)
	b.do(
		chromedp.Evaluate(row("rig-f1-1")+`.querySelector("details").open = true`, nil),
		chromedp.SendKeys(`#filter input`, "half a wo", chromedp.ByQuery),
		chromedp.Evaluate(`document.querySelector("#filter input").setSelectionRange(2, 6); scrollTo(0, 60)`, nil),
	)
	if eval[float64](b, `scrollY`) == 0 {
		t.Error("the page is too short to scroll: this test proves nothing about scrolling")
	}
	place := eval[float64](b, placeOf) // on the screen: what comes above it must not push it away
	people := eval[string](b, row("rig-f1-1")+`.innerText`)

	app.replay(day[40:114], 0)
	b.await("rows change", row("rig-f1-1")+`.innerText !== `+fmt.Sprintf("%q", people))
	b.await("the breakout appears", row("Side room"))
	b.kept(place)

	line.cut()
	b.await("the page says that it is not live", notLive)
	app.replay(day[114:130], 0)
	line.lead(app.Addr())
	b.await("live again", isLive)
	b.kept(place)
	b.sameAsFresh(line.url())

	line.cut()
	app.close()
	app = startApp(t, config)
	line.lead(app.Addr())
	b.await("live after a restart", isLive)
	b.sameAsFresh(line.url())

	app.replay(day[130:], 0)
	b.await("rows vanish", noRows)
	b.await("and are listed as ended", `document.querySelectorAll("#ended > *").length === 5`)
	b.sameAsFresh(line.url())
	if !eval[bool](b, `window.neverReloaded`) {
		t.Error("the page was reloaded")
	}
	app.close()
}

// kept holds what belongs to the reader while rows come, change and go.
func (b *browser) kept(place float64) {
	b.t.Helper()
	for what, expression := range map[string]string{
		"the open details":  row("rig-f1-1") + `.querySelector("details").open`,
		"the focus":         `document.activeElement === document.querySelector("#filter input")`,
		"the typed text":    `document.querySelector("#filter input").value === "half a wo"`,
		"the selection":     `document.activeElement.selectionStart === 2 && document.activeElement.selectionEnd === 6`,
		"the place in page": fmt.Sprintf(`Math.abs(%s - %v) < 1`, placeOf, place),
	} {
		if !eval[bool](b, "Boolean("+expression+")") {
			b.t.Errorf("%s was lost", what)
		}
	}
}

func TestARoomPageFollowsItsSession(t *testing.T) {
	t.Parallel()
	app := startApp(t, testConfig("memory:"))
	defer app.close()
	day := capture(t, "three-rooms.jsonl")
	app.replay(day[:90], 0)
	b := startBrowser(t)
	const sid = "770aa658-cb96-4525-8930-57d5a3d2e818"
	url := app.URL() + "/rooms/" + sid
	b.visit(url)
	b.await("live", isLive)
	b.await("five are here", `document.querySelectorAll("#here > tr").length === 5`)
	app.replay(day[90:], 0)
	b.await("all have left", `document.querySelectorAll("#here > tr").length === 0`)
	b.await("both recordings are ready", `[...document.querySelectorAll("#recordings > .job > .badge")].filter(badge => badge.innerText.trim() === "Ready").length === 2`)
	b.await("nine artifacts are there", `document.querySelectorAll("#artifacts > *").length === 9`)
	b.sameAsFresh(url)
}

func TestPagesAreCompleteWithoutJavaScript(t *testing.T) {
	t.Parallel()
	app := startApp(t, testConfig("memory:"))
	defer app.close()
	app.replay(capture(t, "three-rooms.jsonl")[:100], 0)
	b := startBrowser(t)
	b.do(emulation.SetScriptExecutionDisabled(true))
	b.visit(app.URL())
	var text string
	b.do(chromedp.Text("body", &text, chromedp.ByQuery))
	for _, want := range []string{"rig-f1-1", "rig-f1-2", "rig-f1-3", "does not update without JavaScript"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page without JavaScript does not show %q:\n%s", want, text)
		}
	}
}
