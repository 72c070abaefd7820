package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/roomwatch/roomwatch/access"
)

// valueIn is the value of an expression, or of its promise, in the document of an origin.
func valueIn[T any](d *documents, b *browser, origin, expression string) (value T) {
	b.t.Helper()
	d.mu.Lock()
	id := d.of[origin]
	d.mu.Unlock()
	b.do(chromedp.ActionFunc(func(ctx context.Context) error {
		result, failed, err := runtime.Evaluate(expression).WithContextID(id).WithReturnByValue(true).WithAwaitPromise(true).Do(ctx)
		if err != nil || failed != nil {
			return fmt.Errorf("%w %v", err, failed)
		}
		if len(result.Value) == 0 {
			return nil
		}
		return json.Unmarshal(result.Value, &value)
	}))
	return value
}

// sound lets axe look at the document of an origin at several widths, in both themes; nothing sticks out of it.
func (d *documents) sound(t *testing.T, b *browser, origin, name string, resize func(width int64)) {
	t.Helper()
	valueIn[any](d, b, origin, axeSource(t)+"; 0")
	for _, look := range []look{{320, "light"}, {390, "dark"}, {768, "light"}, {1280, "dark"}} {
		resize(look.width)
		valueIn[any](d, b, origin, fmt.Sprintf(`document.documentElement.dataset.theme = %q`, look.theme))
		for _, fault := range valueIn[[]string](d, b, origin, fmt.Sprintf(axeRun, axeTags, `{}`)) {
			t.Errorf("%s at %d px, %s: %s", name, look.width, look.theme, fault)
		}
		if fault := valueIn[string](d, b, origin, tooWide); fault != "" {
			t.Errorf("%s at %d px %s", name, look.width, fault)
		}
	}
}

func TestPagesOfAccountsAndFramesAreForEverybody(t *testing.T) {
	b, documents := startTogether(t)
	var address string
	around := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!DOCTYPE html><title>x</title><link rel="icon" href="data:,"><iframe src="%s" title="x" style="border:0;position:fixed;inset:0;width:100%%;height:100%%"></iframe>`, address)
	}))
	defer around.Close()
	c := &console{secret: "a secret of these tests, of which keys are derived", ttl: 5 * time.Minute, origin: site("support", around.Listener.Addr().String())}
	app := startFramed(t, c, c.origin)
	defer app.close()
	app.replay(capture(t, "three-rooms.jsonl")[:100], 0)
	resize := func(width int64) { b.do(emulation.SetDeviceMetricsOverride(width, 900, 1, false)) }
	look := func(path string) {
		t.Helper()
		b.visit(c.ops + path)
		documents.await(b, c.ops, path+" is there", `document.querySelector("h1") && location.pathname + location.search === `+fmt.Sprintf("%q", path))
		documents.sound(t, b, c.ops, path, resize)
	}
	look("/login")
	look("/setup")
	accounts := accountsOf(app.record)
	token := access.TokenLogin.Token(access.Random([]byte("0123456789abcdef0123456789abcdef")))
	root := access.User{Key: access.LocalKey("root"), Name: "root", Role: access.Admin, Password: "$argon2id$", CreatedAt: time.Now()}
	bo := access.User{Key: access.LocalKey(strings.Repeat("w", 60)), Name: strings.Repeat("w", 60), Role: access.Viewer, CreatedAt: time.Now()}
	api, err := access.NewAPIToken(access.HashOf("x"), "prometheus", []access.Scope{access.ReadMetrics, access.ReadState}, true, root.Key, time.Now(), time.Hour)
	for _, err := range []error{err, accounts.AddUser(t.Context(), root, false), accounts.AddUser(t.Context(), bo, false), accounts.AddToken(t.Context(), api),
		accounts.AddLogin(t.Context(), access.NewLogin(access.HashOf(token), root, "2001:db8:1111:2222:3333:4444:5555:6666", strings.Repeat("Mozilla/5.0 ", 20), time.Now())),
		accounts.AddLogin(t.Context(), access.NewLogin(access.HashOf("y"), bo, "192.0.2.1", strings.Repeat("w", 250), time.Now())),
		accounts.AddEntry(t.Context(), access.NewEntry(time.Now(), access.ActRoleChanged, access.Actor{Kind: "user", Name: string(root.Key)}, string(bo.Key), "192.0.2.1", "viewer → operator"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	b.do(network.SetCookie("roomwatch", token).WithURL(c.ops))
	for _, path := range []string{"/account", "/users", "/tokens", "/audit"} {
		look(path)
	}
	look("/")
	if who := valueIn[string](documents, b, c.ops, `document.querySelector(".account summary").getAttribute("aria-label")`); who != "Account of root" {
		t.Errorf("the bar tells of %q", who)
	}
	for name, path := range map[string]string{"a room": "/embed/rooms/rig-f1-1?token=", "all rooms": "/embed?token=", "no room": "/embed/rooms/none?token=", "refused": "/embed?token=x"} {
		embed, err := c.token(strings.TrimSuffix(strings.TrimPrefix(path, "/embed/rooms/"), "?token="))
		if name == "all rooms" {
			embed, err = c.tokenFor(access.EmbedScope{Source: "default", All: true, Parent: access.Origin(c.origin)})
		}
		if err != nil {
			t.Fatal(err)
		}
		if address = c.ops + path + embed; name == "refused" {
			address = c.ops + path
		}
		b.visit(c.origin + "/" + url.PathEscape(name))
		shown, _, _ := strings.Cut(path, "?")
		documents.await(b, c.ops, name+" is there", fmt.Sprintf(`document.querySelector("h1") && location.pathname === %q && parent !== window`, shown))
		documents.sound(t, b, c.ops, name+", in a frame", resize)
	}
	b.forgive("401")
	for _, trouble := range b.troubles {
		t.Errorf("the browser says: %s", trouble)
	}
}
