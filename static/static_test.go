package static

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"testing"
)

func TestEveryAssetIsEmbedded(t *testing.T) {
	expected := map[string]string{
		"app.css": "text/css; charset=utf-8", "theme.js": "text/javascript; charset=utf-8", "ui.js": "text/javascript; charset=utf-8",
		"timeline.js": "text/javascript; charset=utf-8", "payload.js": "text/javascript; charset=utf-8",
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
	urls := regexp.MustCompile(`url\("?([^")]+)"?\)`).FindAllSubmatch(css.Body, -1)
	if len(urls) == 0 {
		t.Fatal("the style sheet names no file, not even the font")
	}
	for _, found := range urls {
		url := string(found[1])
		name, _, _ := strings.Cut(strings.TrimPrefix(url, "/static/"), "?")
		if URL(name) != url {
			t.Errorf("the style sheet names %s, the file is %s: run npm run assets css", url, URL(name))
		}
	}
}

// The content security policy forbids them, and so do we.
func TestScriptsUseNoSinks(t *testing.T) {
	sinks := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function`)
	for _, name := range []string{"theme.js", "ui.js", "timeline.js", "payload.js"} {
		asset, _ := Open(name)
		if found := sinks.Find(asset.Body); found != nil {
			t.Errorf("%s uses %s", name, found)
		}
	}
}
