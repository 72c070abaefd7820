package store

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// IsRedis says whether a STORE url is one of a record in Redis.
func IsRedis(storeURL string) bool {
	scheme, _, _ := strings.Cut(storeURL, "://")
	switch scheme {
	case "redis", "rediss", "redis-sentinel", "redis-cluster":
		return true
	}
	return false
}

// optionsOf reads a STORE url. What it holds of names and passwords is in no error.
func optionsOf(storeURL string) (*redis.UniversalOptions, error) {
	scheme, rest, _ := strings.Cut(storeURL, "://")
	u, err := url.Parse("redis://" + firstHost(rest))
	if err != nil {
		return nil, errors.New("it is not a URL; write a password's special characters as %XX")
	}
	options := &redis.UniversalOptions{IsClusterMode: scheme == "redis-cluster", Username: u.User.Username()}
	options.Password, _ = u.User.Password()
	port := "6379"
	if scheme == "redis-sentinel" {
		port = "26379"
	}
	for host := range strings.SplitSeq(hostsOf(rest), ",") {
		options.Addrs = append(options.Addrs, withPort(host, port))
	}
	if err := pathOptions(options, scheme, strings.Trim(u.Path, "/")); err != nil {
		return nil, err
	}
	return options, queryOptions(options, scheme, u.RawQuery)
}

// pathOptions: the path is db, of Sentinel master/db, of a Cluster nothing.
func pathOptions(options *redis.UniversalOptions, scheme, path string) (err error) {
	db := path
	switch {
	case scheme == "redis-sentinel":
		if options.MasterName, db, _ = strings.Cut(path, "/"); options.MasterName == "" {
			return errors.New("it names no master: redis-sentinel://host,host/master/db")
		}
	case scheme == "redis-cluster" && path != "":
		return errors.New("a Cluster has no numbered databases: redis-cluster://host,host")
	case scheme != "redis-cluster" && len(options.Addrs) > 1:
		return errors.New("it names several hosts: those of a Sentinel are redis-sentinel://host,host/master/db, of a Cluster redis-cluster://host,host")
	}
	if db == "" {
		return nil
	}
	if options.DB, err = strconv.Atoi(db); err != nil || options.DB < 0 {
		return fmt.Errorf("%q is not the number of a database", db)
	}
	return nil
}

// queryOptions: tls=true, ca, cert and key (files in PEM), sentinel_username and sentinel_password.
func queryOptions(options *redis.UniversalOptions, scheme, query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("what follows its ? cannot be read; write special characters as %XX")
	}
	secure := scheme == "rediss" || values.Get("tls") == "true"
	options.SentinelUsername, options.SentinelPassword = values.Get("sentinel_username"), values.Get("sentinel_password")
	for name := range values {
		switch name {
		case "tls", "sentinel_username", "sentinel_password":
		case "ca", "cert", "key":
			secure = true
		default:
			return fmt.Errorf("%q is not known: there are tls, ca, cert, key, sentinel_username and sentinel_password", name)
		}
	}
	if secure {
		options.TLSConfig, err = tlsOf(values.Get("ca"), values.Get("cert"), values.Get("key"))
	}
	return err
}

// tlsOf trusts the authorities of the system, or only those in a file. With a certificate and its key we
// say who we are.
func tlsOf(ca, cert, key string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, err
		}
		if config.RootCAs = x509.NewCertPool(); !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", ca)
		}
	}
	if cert != "" || key != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("cert and key: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// hostsOf is host,host of [user[:password]@]host,host[/path][?query].
func hostsOf(rest string) string {
	rest, _, _ = strings.Cut(rest, "?")
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = rest[at+1:]
	}
	hosts, _, _ := strings.Cut(rest, "/")
	return hosts
}

// firstHost leaves one host of many: net/url knows no list.
func firstHost(rest string) string {
	hosts := hostsOf(rest)
	first, _, _ := strings.Cut(hosts, ",")
	return strings.Replace(rest, hosts, first, 1)
}

func withPort(host, port string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port)
}
