package main

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/roomwatch/roomwatch/access"
)

// What would be insecure does not start, and check says the same.
func TestInsecureStartsAreRefusedWithTheReasonAndTheWayOut(t *testing.T) {
	long := "0123456789012345678901234567890123456789"
	pair := []string{"--api-key=k", "--api-secret=" + long, "--store=memory:"}
	for name, c := range map[string]struct {
		args []string
		says []string
	}{
		"no login off loopback":             {[]string{"--auth=none", "--listen=0.0.0.0:0"}, []string{"AUTH=none", "everybody", "127.0.0.1"}},
		"a short secret":                    {[]string{"--secret=short"}, []string{"SECRET", "32 bytes", "openssl"}},
		"a short token":                     {[]string{"--api-token=short"}, []string{"API_TOKEN", "32 bytes"}},
		"the token is the secret":           {[]string{"--secret=" + long, "--api-token=" + long}, []string{"same", "Use two"}},
		"the sample secret off loopback":    {[]string{"--listen=0.0.0.0:0", "--api-secret=" + sampleSecret}, []string{"public sample"}},
		"Redis without a secret":            {[]string{"--store=redis://127.0.0.1:1/0"}, []string{"SECRET is missing", "replicas", "openssl"}},
		"everybody is a trusted proxy":      {[]string{"--trusted-proxies=0.0.0.0/0"}, []string{"TRUSTED_PROXIES", "everybody"}},
		"a proxy that nobody trusts":        {[]string{"--auth=proxy"}, []string{"AUTH=proxy", "TRUSTED_PROXIES"}},
		"a proxy header that is a password": {[]string{"--auth=proxy", "--trusted-proxies=10.0.0.1", "--proxy-header=Authorization"}, []string{"PROXY_HEADER"}},
		"no provider":                       {[]string{"--auth=oidc"}, []string{"OIDC_ISSUER", "OIDC_ROLES"}},
		"a provider over plain http":        {[]string{"--auth=oidc", "--oidc-issuer=http://id.example.org", "--oidc-client-id=x", "--oidc-roles=*=viewer"}, []string{"https"}},
		"a role that is none":               {[]string{"--auth=oidc", "--oidc-issuer=https://id.example.org", "--oidc-client-id=x", "--oidc-roles=*=root"}, []string{"OIDC_ROLES", "no role"}},
		"a parent over plain http":          {[]string{"--embed-parents=http://support.example.org"}, []string{"EMBED_PARENTS", "https"}},
		"any parent":                        {[]string{"--embed-parents=*"}, []string{"EMBED_PARENTS", "origin"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, verb := range []string{"serve", "check"} {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				cmd := command(t, t.TempDir(), append(append([]string{verb, "--listen=127.0.0.1:0"}, pair...), c.args...)...)
				out, _ := runWithin(ctx, cmd)
				if code := cmd.ProcessState.ExitCode(); code != 1 {
					t.Errorf("%s: exit %d, %s", verb, code, out)
				}
				for _, want := range c.says {
					if !strings.Contains(out, want) {
						t.Errorf("%s does not say %q: %s", verb, want, out)
					}
				}
				if strings.Contains(out, "short\"") || strings.Contains(out, long) {
					t.Errorf("%s prints a secret: %s", verb, out)
				}
			}
		})
	}
}

// visitor is a browser without a window: it keeps cookies and does not follow redirects.
type visitorClient struct {
	*http.Client
	t    *testing.T
	base string
}

func visit(t *testing.T, base string) visitorClient {
	t.Helper()
	return visitorClient{&http.Client{Jar: newJar(t), Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, t, base}
}

func (v visitorClient) post(path string, fields ...string) (code int, body, location string) {
	v.t.Helper()
	form := make(url.Values)
	for i := 0; i+1 < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	request, err := http.NewRequest(http.MethodPost, v.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	return v.send(request)
}

func (v visitorClient) see(path string) (code int, body, location string) {
	v.t.Helper()
	request, err := http.NewRequest(http.MethodGet, v.base+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.send(request)
}

func (v visitorClient) send(request *http.Request) (code int, body, location string) {
	v.t.Helper()
	answer, err := v.Do(request)
	if err != nil {
		v.t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode, readAll(v.t, answer.Body), answer.Header.Get("Location")
}

// socket opens the overview's socket with the visitor's cookies.
func (v visitorClient) socket() *websocket.Conn { return v.socketAt("overview") }

func (v visitorClient) socketAt(view string) *websocket.Conn {
	v.t.Helper()
	header := http.Header{"Origin": {v.base}}
	at, err := url.Parse(v.base)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, c := range v.Jar.Cookies(at) {
		header.Add("Cookie", c.String())
	}
	conn, _, err := websocket.DefaultDialer.Dial(strings.Replace(v.base, "http", "ws", 1)+"/live?view="+view, header)
	if err != nil {
		v.t.Fatal(err)
	}
	return conn
}

// closedBy reads until the socket is closed, and says with which code and after how long.
func closedBy(t *testing.T, conn *websocket.Conn) (code int, took time.Duration) {
	t.Helper()
	defer conn.Close()
	began := time.Now()
	_ = conn.SetReadDeadline(began.Add(20 * time.Second))
	for {
		if _, _, err := conn.ReadMessage(); err != nil {
			if closed, ok := err.(*websocket.CloseError); ok {
				code = closed.Code
			}
			return code, time.Since(began)
		}
	}
}

const testPassword = "four words of a test"

// The life of an installation: the setup token, a user by the command line beside serve, a token, and a role
// that is taken away while its owner watches.
func TestAnInstallationIsSetUpAndRunByItsCommands(t *testing.T) {
	dir := t.TempDir()
	p := startServe(t, dir, "--listen=127.0.0.1:0", "--store=file:record.db", "--api-key="+testKey, "--api-secret="+string([]byte(testSecret)))
	token := regexp.MustCompile(`rws_[a-z2-7]+`).FindString(p.printed())
	if token == "" {
		t.Fatalf("no setup token in %s", p.printed())
	}
	if info, err := os.Stat(filepath.Join(dir, "record.db.secret")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the generated secret: %v, %v", info, err)
	}
	root := visit(t, p.url)
	if code, body, to := root.post("/setup", "token", token, "name", "root", "password", testPassword); code != http.StatusSeeOther || to != "/" {
		t.Fatalf("setup: %d %s", code, body)
	}
	run := func(stdin string, args ...string) string {
		t.Helper()
		cmd := command(t, dir, args...)
		cmd.Stdin = strings.NewReader(stdin)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		out, err := runWithin(ctx, cmd)
		if err != nil {
			t.Fatalf("%q: %v, %s", args, err, out)
		}
		return out
	}
	run(testPassword+"\n", "user", "add", "ana", "--role=operator", "--store=file:record.db")
	ana := visit(t, p.url)
	if code, _, to := ana.post("/login", "name", "ana", "password", testPassword, "next", "/intake"); code != http.StatusSeeOther || to != "/intake" {
		t.Fatalf("logging in: %d to %s", code, to)
	}
	if code, _, _ := ana.see("/intake"); code != http.StatusOK {
		t.Errorf("an operator's page: %d", code)
	}
	watching := ana.socket()
	run("", "user", "role", "ana", "viewer", "--store=file:record.db")
	if code, took := closedBy(t, watching); code != 4401 || took > 5*time.Second {
		t.Errorf("after the role was taken away the socket was closed with %d after %v", code, took)
	}
	if code, _, _ := ana.see("/intake"); code != http.StatusSeeOther {
		t.Errorf("and the login: %d", code)
	}
	machine := strings.TrimSpace(run("", "token", "api", "prometheus", "--scope=read:metrics", "--for=1d", "--store=file:record.db"))
	if _, err := access.TokenAPI.Parse(machine); err != nil {
		t.Fatalf("the token %q: %v", machine, err)
	}
	for path, want := range map[string]int{"/metrics": 200, "/api/v1/state": 403} {
		request, err := http.NewRequest(http.MethodGet, p.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+machine)
		if code, _, _ := visit(t, p.url).send(request); code != want {
			t.Errorf("%s with the token: %d", path, code)
		}
	}
	if list := run("", "token", "list", "--store=file:record.db"); !strings.Contains(list, "prometheus") || strings.Contains(list, machine) {
		t.Errorf("tokens are listed as %s", list)
	}
	code, trail, _ := root.see("/audit")
	for _, want := range []string{"made the first user", "added a user", "changed a role", "made a token", "command", "local:ana"} {
		if code != http.StatusOK || !strings.Contains(trail, want) {
			t.Errorf("the audit trail (%d) does not tell %q", code, want)
		}
	}
	for _, secret := range []string{testPassword, machine, token} {
		if strings.Contains(trail, secret) || strings.Contains(strings.Replace(p.printed(), token, "", 1), secret) {
			t.Errorf("%.8s… is told", secret)
		}
	}
}

func newJar(t *testing.T) http.CookieJar {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return jar
}

func readAll(t *testing.T, from io.Reader) string {
	t.Helper()
	data, err := io.ReadAll(from)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// served is a serve whose output is kept.
type served struct {
	*exec.Cmd
	url string
	mu  sync.Mutex
	out strings.Builder
}

func (s *served) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Write(p)
}

func (s *served) printed() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()
}

// startServe starts a serve with these settings, and ends it with the test.
func startServe(t *testing.T, dir string, args ...string) *served {
	t.Helper()
	s := &served{Cmd: command(t, dir, append([]string{"serve"}, args...)...)}
	s.Stdout, s.Stderr = s, s
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Process.Kill(); _ = s.Wait() })
	address := regexp.MustCompile(`Roomwatch is at (\S+)`)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if found := address.FindStringSubmatch(s.printed()); found != nil {
			s.url = found[1]
		}
		if s.url != "" && (strings.Contains(s.printed(), "rws_") || !strings.Contains(s.printed(), "Nobody can log in")) {
			if answer, err := http.Get(s.url + "/readyz"); err == nil {
				_ = answer.Body.Close()
				if answer.StatusCode == http.StatusOK {
					return s
				}
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("serve is not ready: %s", s.printed())
		}
	}
}
