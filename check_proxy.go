package main

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// publicURL reads PUBLIC_URL; "" is none.
func (c *Config) publicURL() (string, error) {
	if c.PublicURL == "" {
		return "", nil
	}
	base, err := c.basePath()
	if err != nil {
		return "", err
	}
	u, err := url.Parse(c.PublicURL)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "",
		u.User != nil, u.RawQuery != "", u.Fragment != "":
		return "", errors.New("PUBLIC_URL: write the address that people open, like https://rooms.example.org")
	case strings.TrimRight(u.Path, "/") != base:
		return "", fmt.Errorf("PUBLIC_URL=%s: its path must be BASE_PATH, which is %q", c.PublicURL, base)
	}
	return u.Scheme + "://" + u.Host + base, nil
}

// proxyTime is for one question through the proxy.
const proxyTime = 5 * time.Second

// checkProxy tells what the running serve has seen in the way of pages, and tries the way that people take.
func (cmd *checkCommand) checkProxy() []finding {
	out := cmd.checkSockets()
	public, err := cmd.publicURL()
	if err != nil {
		return out // the settings' own finding says so
	}
	if public == "" {
		if len(cmd.TrustedProxies) > 0 || cmd.BasePath != "" {
			out = append(out, finding{doubt, "proxy", "was not tried: set PUBLIC_URL to the address that people " +
				"open"})
		}
		return out
	}
	client, err := cmd.client(proxyTime)
	if err != nil {
		return append(out, finding{wrong, "proxy", err.Error()})
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	way := client.Transport.(*http.Transport)
	way.Protocols = new(http.Protocols)
	way.Protocols.SetHTTP1(true) // sockets are not asked for otherwise here
	defer client.CloseIdleConnections()
	return append(out, passage{client, public}.try(cmd)...)
}

// checkSockets asks the serve at LISTEN what has kept pages from going live within the last minutes.
func (cmd *checkCommand) checkSockets() (out []finding) {
	base, err := localURL(cmd.Listen)
	if err != nil {
		return nil
	}
	client := http.Client{Timeout: proxyTime}
	defer client.CloseIdleConnections()
	answer, err := client.Get(base + "/health")
	if err != nil {
		return nil // none runs here
	}
	defer answer.Body.Close()
	var health struct {
		Checks map[string][]struct {
			Output string
			Time   time.Time
		}
	}
	if json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&health) != nil {
		return nil
	}
	for _, c := range health.Checks["live:sockets"] {
		ago := time.Since(c.Time).Round(time.Second)
		out = append(out, finding{doubt, "sockets", fmt.Sprintf("a page could not go live %s ago. %s", ago, c.Output)})
	}
	return out
}

// passage is the way to Roomwatch that people take.
type passage struct {
	client *http.Client
	base   string // PUBLIC_URL
}

// reply is an answer that came through the proxy.
type reply struct {
	code   int
	header http.Header
	said   struct{ Status, Detail string } // the small object that Roomwatch answers with
}

func (p passage) get(path string, headers http.Header) (reply, error) {
	request, err := http.NewRequest(http.MethodGet, p.base+path, nil)
	if err != nil {
		return reply{}, err
	}
	request.Header = headers
	answer, err := p.client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer answer.Body.Close()
	r := reply{code: answer.StatusCode, header: answer.Header}
	if answer.StatusCode != http.StatusSwitchingProtocols {
		_ = json.NewDecoder(io.LimitReader(answer.Body, 64<<10)).Decode(&r.said) // what is none says nothing
	}
	return r, nil
}

// try asks for what matters, and goes no further than where it ends.
func (p passage) try(cmd *checkCommand) []finding {
	alive, err := p.get("/livez", nil)
	if f := p.reached(alive, err); f.state != good {
		return []finding{f}
	}
	out := []finding{{good, "proxy", p.base + " leads to Roomwatch"}}
	if strings.HasPrefix(p.base, "https:") && cmd.Auth != "none" && alive.header.Get("Strict-Transport-Security") == "" {
		out = append(out, finding{wrong, "proxy", "people come over TLS and Roomwatch does not know it, so that " +
			"it refuses logins: name the proxy in TRUSTED_PROXIES, and have it set X-Forwarded-Proto"})
	}
	return append(out, p.tryWebhook(), p.trySocket(cmd))
}

func (p passage) reached(alive reply, err error) finding {
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &unknown):
		return finding{doubt, "proxy", p.base + untrusted}
	case err != nil:
		return finding{doubt, "proxy", fmt.Sprintf("could not be tried: from here %v", err)}
	case alive.said.Status == "alive":
		return finding{good, "proxy", ""}
	case elsewhere(alive.code):
		return finding{doubt, "proxy", fmt.Sprintf("%s sends to %s, perhaps to log in: what is behind it cannot "+
			"be tried. /webhook must not be behind a login", p.base, shortAddress(alive.header.Get("Location")))}
	case alive.code >= 500:
		return finding{wrong, "proxy", fmt.Sprintf("%s answers HTTP %d: does it reach a serve?", p.base, alive.code)}
	}
	return finding{wrong, "proxy", fmt.Sprintf("what answers at %s/livez is not Roomwatch (HTTP %d): the proxy "+
		"leads elsewhere, or changes the path. Below a path, set BASE_PATH and PUBLIC_URL to it", p.base, alive.code)}
}

// tryWebhook: a GET is refused there, and leaves nothing behind.
func (p passage) tryWebhook() finding {
	answer, err := p.get("/webhook", nil)
	switch {
	case err != nil:
		return finding{doubt, "webhook", fmt.Sprintf("could not be tried: from here %v", err)}
	case elsewhere(answer.code):
		return finding{wrong, "webhook", fmt.Sprintf("%s/webhook sends to %s: plugNmeet takes that for delivered, "+
			"and the event is lost", p.base, shortAddress(answer.header.Get("Location")))}
	case answer.code != http.StatusMethodNotAllowed || answer.said.Status == "":
		return finding{wrong, "webhook", fmt.Sprintf("what answers at %s/webhook is not Roomwatch (HTTP %d): have "+
			"the proxy pass it as it is", p.base, answer.code)}
	}
	return finding{good, "webhook", p.base + "/webhook is passed on"}
}

// trySocket asks for a socket as a page would.
func (p passage) trySocket(cmd *checkCommand) finding {
	at, err := url.Parse(p.base)
	if err != nil {
		return finding{wrong, "sockets", err.Error()}
	}
	headers := http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
		"Sec-Websocket-Key": {"cm9vbXdhdGNoIGNoZWNrcw=="}, "Sec-Websocket-Protocol": {"roomwatch.v1"},
		"Origin": {at.Scheme + "://" + at.Host}}
	token, err := secretOf(cmd.APIToken, cmd.APITokenFile, "API_TOKEN")
	if err == nil && token != "" {
		headers.Set("Authorization", "Bearer "+string([]byte(token)))
	}
	answer, err := p.get("/live?view=overview", headers)
	switch {
	case err != nil:
		return finding{doubt, "sockets", fmt.Sprintf("could not be tried: from here %v", err)}
	case answer.code == http.StatusSwitchingProtocols:
		return finding{good, "sockets", "pages can go live at " + p.base}
	case answer.code == http.StatusUnauthorized && answer.said.Status != "":
		return finding{good, "sockets", "what a page asks at " + p.base + " is passed on; it is live once " +
			"somebody has logged in"}
	case answer.said.Detail != "":
		return finding{wrong, "sockets", "pages cannot go live. " + answer.said.Detail}
	case answer.code == http.StatusUpgradeRequired, answer.code == http.StatusBadRequest:
		return finding{wrong, "sockets", fmt.Sprintf("pages cannot go live (HTTP %d): have the proxy speak "+
			"HTTP/1.1 to Roomwatch, and pass Upgrade, Connection and Sec-WebSocket-… at /live", answer.code)}
	}
	return finding{wrong, "sockets", fmt.Sprintf("pages cannot go live: what answers at %s/live is not Roomwatch "+
		"(HTTP %d). Have the proxy pass it as it is", p.base, answer.code)}
}

func elsewhere(code int) bool { return code >= 300 && code < 400 }

// shortAddress is where an answer leads, without what may be a secret.
func shortAddress(location string) string {
	u, err := url.Parse(location)
	if err != nil {
		return "another address"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
