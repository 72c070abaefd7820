package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/roomwatch/roomwatch/redistest"
)

// snippet is the example of the manual for a proxy, as it is.
func snippet(t *testing.T, language string) string {
	t.Helper()
	manual, err := os.ReadFile("docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(manual), "```"+language+"\n")
	text, _, there := strings.Cut(rest, "```\n")
	if !there {
		t.Fatalf("the manual has no example for %s", language)
	}
	return text
}

// bundle writes the certificate of the servers and its key into one file, as proxies read them.
func (a authority) bundle(t *testing.T) string {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(a.pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return secretFile(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.pair.Certificate[0]}))+
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
}

// The examples of the manual, run by the programs that they are for, let pages go live, deliveries through and people
// log in: check says so.
func TestTheProxiesOfTheManualLeadToRoomwatch(t *testing.T) {
	t.Parallel()
	own := newAuthority(t)
	for program, c := range map[string]struct {
		language string
		config   func(example, address string) string
		args     func(file string) []string
		below    func(example string) string // the example below /roomwatch
	}{
		"nginx": {"nginx", func(example, address string) string {
			return "daemon off; pid nginx.pid; error_log stderr; events {} http { access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;\n" +
				strings.Replace(example, "listen 443", "listen "+address, 1) + "}"
		}, func(file string) []string { return []string{"-p", filepath.Dir(file), "-c", file} },
			func(example string) string {
				return strings.Replace(example, "location / ", "location /roomwatch/ ", 1)
			}},
		"haproxy": {"haproxy", func(example, address string) string { return strings.Replace(example, "bind :443", "bind "+address, 1) },
			func(file string) []string { return []string{"-f", file} },
			func(example string) string {
				return strings.Replace(example, "default_backend roomwatch", "use_backend roomwatch if { path_beg /roomwatch/ }", 1)
			}},
		"caddy": {"caddy", func(example, address string) string {
			return "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n" + strings.Replace(example, "rooms.example.org", "https://"+address, 1)
		}, func(file string) []string { return []string{"run", "--adapter", "caddyfile", "--config", file} },
			func(example string) string {
				return strings.Replace(example, "\treverse_proxy", "\thandle_path /roomwatch/* {\n\treverse_proxy", 1) + "}\n"
			}},
	} {
		path, err := exec.LookPath(program)
		if err != nil {
			t.Errorf("%s is missing: `make test` installs it (%v)", program, err)
			continue
		}
		for _, base := range []string{"", "/roomwatch"} {
			t.Run(fmt.Sprint(program, " at ", base, "/"), func(t *testing.T) {
				t.Parallel()
				config := testConfig("memory:")
				config.Auth, config.TrustedProxies, config.CAFile, config.BasePath = "local", []string{"127.0.0.1"}, own.file, base
				app := startApp(t, config)
				t.Cleanup(app.close)
				example := strings.NewReplacer("/etc/ssl/rooms.pem", own.bundle(t), "/etc/ssl/rooms.key", own.bundle(t), "127.0.0.1:8080", app.Addr()).Replace(snippet(t, c.language))
				if base != "" {
					example = c.below(example)
				}
				address := fmt.Sprint("127.0.0.1:", redistest.FreePort(t))
				file := secretFile(t, c.config(example, address))
				cmd := exec.Command(path, c.args(file)...)
				cmd.Dir = filepath.Dir(file)
				cmd.Env = append(os.Environ(), "HOME="+filepath.Dir(file), "XDG_DATA_HOME="+filepath.Dir(file), "XDG_CONFIG_HOME="+filepath.Dir(file))
				var said strings.Builder
				cmd.Stdout, cmd.Stderr = &said, &said
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				ended := make(chan error, 1)
				go func() { ended <- cmd.Wait() }()
				t.Cleanup(func() {
					_ = cmd.Process.Signal(os.Interrupt)
					<-ended
					if t.Failed() {
						t.Log(said.String())
					}
				})
				config.Listen, config.PublicURL = app.Addr(), "https://"+address+base
				var found []finding
				app.await("the proxy answers", func() bool {
					found = (&checkCommand{config}).checkProxy()
					return len(found) > 1 || found[0].state == wrong
				})
				if len(found) != 3 {
					t.Errorf("%+v", found)
				}
				for _, f := range found {
					if f.state != good {
						t.Errorf("%+v", f)
					}
				}
			})
		}
	}
}
