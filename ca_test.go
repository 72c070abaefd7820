package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oauth2-proxy/mockoidc"

	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/simulate"
)

// authority is a CA of an operator's own, and a certificate that it has made for this machine.
type authority struct {
	file string // the CA, in PEM
	der  []byte
	pair tls.Certificate // of the servers
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "an authority of the tests"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, &key.PublicKey, key)
	must(err)
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "a server"}, NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, &leafKey.PublicKey, key)
	must(err)
	a := authority{file: filepath.Join(t.TempDir(), "ca.pem"), der: der, pair: tls.Certificate{Certificate: [][]byte{leafDER}, PrivateKey: leafKey}}
	must(os.WriteFile(a.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return a
}

func (a authority) config() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{a.pair}, MinVersion: tls.VersionTLS12}
}

func (a authority) serve(t *testing.T, handler http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.TLS = a.config()
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that do not believe it
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// provider is an identity provider with a certificate of this authority.
func (a authority) provider(t *testing.T) *mockoidc.MockOIDC {
	t.Helper()
	provider, err := mockoidc.NewServer(nil)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", a.config())
	if err != nil {
		t.Fatal(err)
	}
	if err := provider.Start(listener, a.config()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = provider.Shutdown() })
	return provider
}

// Fault 64: plugNmeet, the identity provider and whoever is told, each with a certificate that the system does
// not know.
func TestFault64APlugNmeetBehindAnOwnAuthorityIsAskedWhenItIsNamed(t *testing.T) {
	t.Parallel()
	own := newAuthority(t)
	standIn := own.serve(t, &simulate.API{APIKey: testKey, Secret: testSecret, Rooms: func() []room.Detail { return nil }})
	config := testConfig("memory:")
	config.ServerURL = standIn.URL
	found, _ := (&checkCommand{config}).checkAPI()
	if len(found) != 1 || found[0].state != wrong || !strings.Contains(found[0].text, "name that in CA_FILE") {
		t.Errorf("without it, check says %+v", found)
	}
	config.CAFile = own.file
	if found, _ := (&checkCommand{config}).checkAPI(); len(found) != 1 || found[0].state != good {
		t.Errorf("with it, check says %+v", found)
	}
	app := startApp(t, config)
	defer app.close()
	app.await("the API has confirmed its rooms", func() bool {
		var state struct{ Sources []struct{ API string } }
		return app.get("/api/v1/state", &state) == http.StatusOK && len(state.Sources) == 1 && state.Sources[0].API == "answering"
	})
}

func TestFault64PeopleLogInAtAProviderBehindAnOwnAuthority(t *testing.T) {
	t.Parallel()
	own := newAuthority(t)
	provider := own.provider(t)
	config := testConfig("memory:")
	config.Auth, config.OIDCIssuer, config.OIDCClientID, config.OIDCRoles = "oidc", provider.Issuer(), provider.ClientID, []string{"*=viewer"}
	for file, code := range map[string]int{"": http.StatusBadGateway, own.file: http.StatusSeeOther} {
		config.CAFile = file
		f := (&checkCommand{config}).checkProvider()
		if want := map[string]string{"": wrong, own.file: good}[file]; f.state != want || f.state == wrong && !strings.Contains(f.text, "CA_FILE") {
			t.Errorf("CA_FILE=%s: check says %+v", file, f)
		}
		app := startApp(t, config)
		answer, err := visit(t, app.URL()).Get(app.URL() + "/login/start")
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != code || code == http.StatusSeeOther && !strings.HasPrefix(answer.Header.Get("Location"), provider.Issuer()) {
			t.Errorf("CA_FILE=%s: %d", file, answer.StatusCode)
		}
		app.close()
	}
}

func TestFault64WhoeverIsToldMayBeBehindAnOwnAuthority(t *testing.T) {
	t.Parallel()
	own := newAuthority(t)
	plain := startReceiver(t)
	server := own.serve(t, plain.Config.Handler)
	config := testConfig("memory:")
	config.Attention.URL, config.Attention.Secret, config.CAFile = server.URL+"/hook", hookSecret, own.file
	n, err := newNotifier(&config, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer n.client.CloseIdleConnections()
	if err := n.post(t.Context(), []byte("{}")); err != nil {
		t.Error(err)
	}
}

// A machine that asks from outside needs it, too.
func TestFault64CommandsAskThroughAnOwnAuthority(t *testing.T) {
	t.Parallel()
	own := newAuthority(t)
	app := startApp(t, testConfig("memory:"))
	defer app.close()
	inside, err := url.Parse(app.URL())
	if err != nil {
		t.Fatal(err)
	}
	front := own.serve(t, httputil.NewSingleHostReverseProxy(inside))
	run := func(args ...string) (string, int) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		cmd := command(t, t.TempDir(), args...)
		out, _ := runWithin(ctx, cmd)
		return out, cmd.ProcessState.ExitCode()
	}
	if out, code := run("healthcheck", "--url="+front.URL); code != 1 {
		t.Errorf("without it: %d %s", code, out)
	}
	if out, code := run("healthcheck", "--url="+front.URL, "--ca-file="+own.file); code != 0 {
		t.Errorf("with it: %d %s", code, out)
	}
	day := filepath.Join(t.TempDir(), "day.jsonl")
	if err := os.WriteFile(day, fmt.Appendf(nil, `{"at_ms":0,"body":%q}`, session(0, time.Now().Unix())[0].body), 0o600); err != nil {
		t.Fatal(err)
	}
	pair := []string{"--api-key=" + testKey, "--api-secret=" + string([]byte(testSecret))}
	if out, code := run(append([]string{"replay", day, "--target=" + front.URL, "--ca-file=" + own.file}, pair...)...); code != 0 {
		t.Errorf("replay: %d %s", code, out)
	}
}

func TestFault64AFileThatNamesNoAuthorityRefusesToStartWithTheReason(t *testing.T) {
	own := newAuthority(t)
	good, err := os.ReadFile(own.file)
	if err != nil {
		t.Fatal(err)
	}
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")})
	broken := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own.der[:40]})
	for content, says := range map[string]string{
		"":                              "holds no certificate",
		"-----BEGIN CERTIFICATE-----\n": "holds no certificate",
		string(own.der):                 "openssl x509 -inform der",
		string(good) + string(key):      "holds a PRIVATE KEY",
		string(good) + string(broken):   "the one in place 2",
	} {
		config := testConfig("memory:")
		config.CAFile = secretFile(t, content)
		if err := config.validate(); err == nil || !strings.Contains(err.Error(), "CA_FILE") || !strings.Contains(err.Error(), says) {
			t.Errorf("%.20q: %v", content, err)
		}
	}
	config := testConfig("memory:")
	config.CAFile = filepath.Join(t.TempDir(), "nowhere.pem")
	if err := config.validate(); err == nil || !strings.Contains(err.Error(), "CA_FILE") || !strings.Contains(err.Error(), "no such file") {
		t.Error(err)
	}
	config.CAFile = secretFile(t, "# the authority of Madrid\n"+string(good)+string(good))
	if err := config.validate(); err != nil {
		t.Errorf("two, and a comment: %v", err)
	}
}
