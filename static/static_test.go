package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestEveryAssetIsEmbedded(t *testing.T) {
	expected := map[string]string{
		"app.css": "text/css; charset=utf-8", "theme.js": "text/javascript; charset=utf-8", "ui.js": "text/javascript; charset=utf-8",
		"timeline.js": "text/javascript; charset=utf-8", "payload.js": "text/javascript; charset=utf-8", "pill.js": "text/javascript; charset=utf-8",
		"keys.js": "text/javascript; charset=utf-8", "news.js": "text/javascript; charset=utf-8", "palette.js": "text/javascript; charset=utf-8",
		"toasts.js": "text/javascript; charset=utf-8", "more.css": "text/css; charset=utf-8", "favicon-alert.svg": "image/svg+xml",
		"live.js": "text/javascript; charset=utf-8", "idiomorph.min.js": "text/javascript; charset=utf-8",
		"idiomorph.LICENSE.txt": "text/plain; charset=utf-8", "lucide.LICENSE.txt": "text/plain; charset=utf-8", "inter.LICENSE.txt": "text/plain; charset=utf-8",
		"inter.woff2": "font/woff2", "icons.svg": "image/svg+xml", "favicon.svg": "image/svg+xml",
		"mask-people.svg": "image/svg+xml", "mask-mic.svg": "image/svg+xml", "mask-camera.svg": "image/svg+xml", "mask-screen.svg": "image/svg+xml",
	}
	for name, contentType := range expected {
		asset, ok := Open(name)
		if !ok || len(asset.Body) == 0 {
			t.Errorf("%s is not embedded", name)
		}
		if asset.Type != contentType {
			t.Errorf("%s is %q, want %q", name, asset.Type, contentType)
		}
	}
}

func TestURLNamesTheContent(t *testing.T) {
	asset, _ := Open("ui.js")
	sum := sha256.Sum256(asset.Body)
	if got, want := URL("ui.js"), "/static/ui.js?v="+hex.EncodeToString(sum[:])[:10]; got != want {
		t.Errorf("URL = %s, want %s", got, want)
	}
	if got := URL("missing.js"); got != "/static/missing.js" {
		t.Errorf("URL of a missing asset = %s", got)
	}
	if _, ok := Open("../static.go"); ok {
		t.Error("a file outside the assets can be opened")
	}
}

// The style sheet is built with the hashes of the files that it names: stale ones would never be cached.
func TestStylesNameOnlyEmbeddedFiles(t *testing.T) {
	css, _ := Open("app.css")
	more, _ := Open("more.css")
	css.Body = append(css.Body[:len(css.Body):len(css.Body)], more.Body...)
	urls := regexp.MustCompile(`url\("?([^")]+)"?\)`).FindAllSubmatch(css.Body, -1)
	if len(urls) == 0 {
		t.Fatal("the style sheet names no file, not even the font")
	}
	for _, found := range urls {
		url := string(found[1])
		name, _, _ := strings.Cut(url, "?")
		if URL(name) != "/static/"+url { // beside the style sheet, wherever that is served
			t.Errorf("the style sheet names %s, the file is %s: run npm run assets css", url, URL(name))
		}
	}
}

// scripts are ours but live.js, which alone may make markup of text.
var scripts = []string{"theme.js", "ui.js", "timeline.js", "payload.js", "pill.js", "obstacle.js", "keys.js", "news.js", "palette.js", "toasts.js"}

// What is taken off a script before it is sent must not be inside of a text.
func TestNoTextOfAScriptGoesOverSeveralLines(t *testing.T) {
	for _, name := range append(scripts, "live.js") {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for n, line := range strings.Split(string(source), "\n") {
			if strings.Count(line, "`")%2 != 0 || strings.Contains(line, "/*") && !strings.Contains(line, "*/") {
				t.Errorf("%s:%d opens what it does not close: %s", name, n+1, line)
			}
		}
		asset, _ := Open(name)
		if got, want := strings.Count(string(asset.Body), "\n"), strings.Count(string(source), "\n"); got != want {
			t.Errorf("%s is sent with %d lines, and has %d", name, got, want)
		}
	}
}

func TestGzipIsTheBody(t *testing.T) {
	asset, _ := Open("app.css")
	r, err := gzip.NewReader(bytes.NewReader(asset.Gzip()))
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(r); err != nil || !bytes.Equal(body, asset.Body) {
		t.Errorf("%d bytes of %d, %v", len(body), len(asset.Body), err)
	}
}

// The protocol stays small enough to be read whole.
func TestTheProtocolFitsOnAFewScreens(t *testing.T) {
	source, err := os.ReadFile("live.js")
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(source, []byte("\n")); n > 250 {
		t.Errorf("live.js has %d lines", n)
	}
}

// Roomwatch may be served below a path, which no file knows: what leads elsewhere leads there from where it is.
func TestNoFileNamesAnAddressFromTheRoot(t *testing.T) {
	rooted := regexp.MustCompile("[\"'`(]/[a-z]")
	for _, name := range append([]string{"live.js", "frame.js", "embed.js", "app.css", "more.css"}, scripts...) {
		asset, _ := Open(name)
		if found := rooted.Find(asset.Body); found != nil {
			t.Errorf("%s has %s…", name, found)
		}
	}
}

// The content security policy forbids them, and so do we.
func TestScriptsUseNoSinks(t *testing.T) {
	sinks := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function`)
	for _, name := range scripts {
		asset, _ := Open(name)
		if found := sinks.Find(asset.Body); found != nil {
			t.Errorf("%s uses %s", name, found)
		}
	}
}
