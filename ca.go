package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"
)

// trust is whom we believe that a server is who it says to be.
type trust struct {
	CAFile string `name:"ca-file" help:"Certificates (PEM) of authorities of your own, believed beside the system's: of plugNmeet, the identity provider, whoever is told." placeholder:"FILE"`
}

// authorities are the system's and those of CA_FILE; nil, which is the system's alone, when none is named.
func (t trust) authorities() (*x509.CertPool, error) {
	if t.CAFile == "" {
		return nil, nil
	}
	data, err := os.ReadFile(t.CAFile)
	if err != nil {
		return nil, fmt.Errorf("CA_FILE: %w", err)
	}
	own, err := certificates(data)
	if err != nil {
		return nil, fmt.Errorf("CA_FILE: %s %w", t.CAFile, err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a system without any
	}
	for _, certificate := range own {
		pool.AddCert(certificate)
	}
	return pool, nil
}

// certificates reads PEM, and refuses what a pool would pass over in silence.
func certificates(data []byte) (out []*x509.Certificate, err error) {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("holds a %s: leave certificates alone in it", block.Type)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("holds a certificate that cannot be read, the one in place %d: %w", len(out)+1, err)
		}
		out = append(out, certificate)
	}
	if len(out) > 0 {
		return out, nil
	}
	if _, err := x509.ParseCertificate(data); err == nil {
		return nil, errors.New("is not PEM but DER: `openssl x509 -inform der -in FILE` writes it as PEM")
	}
	return nil, errors.New("holds no certificate in PEM (-----BEGIN CERTIFICATE-----)")
}

// transport is a way to servers that believes these authorities; nil are the system's.
func transport(authorities *x509.CertPool) *http.Transport {
	out := http.DefaultTransport.(*http.Transport).Clone()
	if authorities != nil {
		out.TLSClientConfig = &tls.Config{RootCAs: authorities}
	}
	return out
}

// client asks servers, and waits so long for an answer.
func (t trust) client(patience time.Duration) (*http.Client, error) {
	authorities, err := t.authorities()
	return &http.Client{Timeout: patience, Transport: transport(authorities)}, err
}
