package redistest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Secured is a server that is reached through TLS, by whoever shows a certificate of its authority. The
// plain port is for Say alone.
type Secured struct {
	*Server
	CA, Cert, Key string // files in PEM
	TLSPort       int
}

// StartSecured starts a server with an authority of its own.
func StartSecured(t testing.TB) *Secured {
	t.Helper()
	dir := t.TempDir()
	s := &Secured{CA: filepath.Join(dir, "ca.pem"), Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"), TLSPort: FreePort(t)}
	if err := s.certify(); err != nil {
		t.Fatal(err)
	}
	s.Server = Start(t, "--tls-port", strconv.Itoa(s.TLSPort), "--tls-cert-file", s.Cert, "--tls-key-file", s.Key, "--tls-ca-cert-file", s.CA)
	return s
}

// URL is the server as a STORE setting.
func (s *Secured) URL() string {
	return fmt.Sprintf("rediss://127.0.0.1:%d/0?ca=%s&cert=%s&key=%s", s.TLSPort, s.CA, s.Cert, s.Key)
}

// certify writes an authority and one certificate of it, for both sides.
func (s *Secured) certify() error {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	ca := certificate("authority of a test", true)
	own, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return err
	}
	issued, err := x509.CreateCertificate(rand.Reader, certificate("a test", false), ca, key.Public(), caKey)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	for path, block := range map[string]*pem.Block{
		s.CA:   {Type: "CERTIFICATE", Bytes: own},
		s.Cert: {Type: "CERTIFICATE", Bytes: issued},
		s.Key:  {Type: "PRIVATE KEY", Bytes: keyDER},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func certificate(name string, authority bool) *x509.Certificate {
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), BasicConstraintsValid: true, IsCA: authority, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	if authority {
		c.KeyUsage |= x509.KeyUsageCertSign
	}
	return c
}
