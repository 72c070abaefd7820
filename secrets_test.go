package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
)

const wellSet = "Zq7-what only the tests know, and it is long"

// secretSettings are all settings that hold a secret: how each is set, set by a file, and what of it is used.
var secretSettings = map[string]struct {
	set, file func(*Config, string)
	used      func(*Config) (string, error)
}{
	"API_SECRET": {func(c *Config, s string) { c.APISecret = plugnmeet.Secret(s) }, func(c *Config, f string) { c.APISecret, c.APISecretFile = "", f }, usedSecret},
	"source": {func(c *Config, s string) {
		c.APIKey, c.APISecret = "", ""
		c.Sources = []SourceConfig{{Name: "emea", APIKey: "key", Secrets: []plugnmeet.Secret{plugnmeet.Secret(s)}}}
	}, nil, usedSecret},
	"previous secret": {func(c *Config, s string) {
		c.APIKey, c.APISecret = "", ""
		c.Sources = []SourceConfig{{Name: "emea", APIKey: "key", Secrets: []plugnmeet.Secret{testSecret, plugnmeet.Secret(s)}}}
	}, nil, usedSecret},
	"SECRET": {func(c *Config, s string) { c.Secret = plugnmeet.Secret(s) }, func(c *Config, f string) { c.Secret, c.SecretFile = "", f },
		func(c *Config) (string, error) { auth, err := c.auth(nil); return string(auth.Secret), err }},
	"API_TOKEN": {func(c *Config, s string) { c.APIToken = plugnmeet.Secret(s) }, func(c *Config, f string) { c.APITokenFile = f },
		func(c *Config) (string, error) { auth, err := c.auth(nil); return auth.APIToken, err }},
	"OIDC_CLIENT_SECRET": {func(c *Config, s string) { atSomeProvider(c); c.OIDCClientSecret = plugnmeet.Secret(s) },
		func(c *Config, f string) { atSomeProvider(c); c.OIDCClientSecretFile = f },
		func(c *Config) (string, error) { auth, err := c.auth(nil); return auth.OIDC.ClientSecret, err }},
	"ATTENTION_SECRET": {func(c *Config, s string) {
		c.Attention.URL, c.Attention.Secret = "https://chat.example.org/hook", plugnmeet.Secret(s)
	},
		func(c *Config, f string) {
			c.Attention.URL, c.Attention.SecretFile = "https://chat.example.org/hook", f
		},
		func(c *Config) (string, error) { s, err := c.Attention.secret(); return string([]byte(s)), err }},
	"API_KEY": {func(c *Config, s string) { c.APIKey = s }, nil, func(c *Config) (string, error) {
		sources, err := c.sources()
		return sources[0].APIKey, err
	}},
}

func atSomeProvider(c *Config) {
	c.Auth, c.OIDCIssuer, c.OIDCClientID, c.OIDCRoles = "oidc", "https://id.example.org", "roomwatch", []string{"*=viewer"}
}

// usedSecret is what the deliveries of the only source are verified with, the oldest of its secrets.
func usedSecret(c *Config) (string, error) {
	sources, err := c.sources()
	if err != nil {
		return "", err
	}
	secrets := sources[0].Secrets
	return string([]byte(secrets[len(secrets)-1])), nil
}

// Fault 63.
func TestFault63WhiteSpaceAroundASecretIsNoPartOfIt(t *testing.T) {
	for setting, s := range secretSettings {
		for _, given := range []string{wellSet, wellSet + "\n", wellSet + "\r\n", "  " + wellSet + "\t", "\ufeff" + wellSet, "\u00a0" + wellSet + "\u200b\n\n"} {
			config := testConfig("memory:")
			s.set(&config, given)
			if err := config.validate(); err != nil {
				t.Errorf("%s=%q: %v", setting, given, err)
			} else if used, err := s.used(&config); err != nil || used != wellSet {
				t.Errorf("%s=%q is used as %q, %v", setting, given, used, err)
			}
			if s.file == nil {
				continue
			}
			config = testConfig("memory:")
			s.file(&config, secretFile(t, given))
			if used, err := s.used(&config); err != nil || used != wellSet {
				t.Errorf("%s_FILE with %q is used as %q, %v", setting, given, used, err)
			}
		}
	}
}

func TestFault63WhatMayNotBelongToASecretIsRefusedWithTheReason(t *testing.T) {
	utf16 := "\xff\xfe" + strings.Join(strings.Split(wellSet, ""), "\x00") + "\x00"
	for setting, s := range secretSettings {
		for given, says := range map[string]string{
			`"` + wellSet + `"`: "quotes", "'" + wellSet + "'\n": "quotes", "“" + wellSet + "”": "quotes", " `" + wellSet + "`": "quotes",
			wellSet + "\n# of the server in Madrid": "line break", wellSet[:20] + "\u200b" + wellSet[20:]: "nobody sees", wellSet[:20] + "\x00" + wellSet[20:]: "nobody sees",
			utf16: "UTF-16",
		} {
			config := testConfig("memory:")
			s.set(&config, given)
			refusedFor(t, setting, given, config.validate(), says)
			if s.file == nil {
				continue
			}
			config = testConfig("memory:")
			s.file(&config, secretFile(t, given))
			refusedFor(t, setting+"_FILE", given, config.validate(), says)
		}
	}
}

// refusedFor: the reason names the setting and what is wrong, and gives nothing of the secret away.
func refusedFor(t *testing.T, setting, given string, err error, says string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), strings.Fields(setting)[0]) && !strings.Contains(err.Error(), `source "emea"`) {
		t.Errorf("%s=%q: %v", setting, given, err)
	} else if strings.Contains(err.Error(), wellSet[:10]) {
		t.Errorf("%s: the reason gives the secret away: %v", setting, err)
	}
}

func secretFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFault63AFileWithNothingInItIsNoSecret(t *testing.T) {
	for setting, s := range secretSettings {
		if s.file == nil {
			continue
		}
		config := testConfig("memory:")
		s.file(&config, secretFile(t, " \n"))
		if err := config.validate(); err == nil || !strings.Contains(err.Error(), setting+"_FILE") || !strings.Contains(err.Error(), "is empty") {
			t.Errorf("%s: %v", setting, err)
		}
	}
}

// An address may hold a password, too.
func TestFault63AnAddressWithSomethingAroundItIsRefused(t *testing.T) {
	for setting, set := range map[string]func(*Config, string){
		"STORE":          func(c *Config, around string) { c.Store = around + "redis://:hunter2@localhost" + around },
		"ATTENTION_URL":  func(c *Config, around string) { c.Attention.URL = "https://example.org/hook/hunter2" + around },
		"OIDC_ISSUER":    func(c *Config, around string) { atSomeProvider(c); c.OIDCIssuer += around },
		"OIDC_CLIENT_ID": func(c *Config, around string) { atSomeProvider(c); c.OIDCClientID = around + c.OIDCClientID + around },
	} {
		for _, around := range []string{"\n", " ", "\u00a0"} {
			config := testConfig("memory:")
			set(&config, around)
			if err := config.validate(); err == nil || !strings.Contains(err.Error(), setting+" has quotes, a space or a line break") || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s with %q: %v", setting, around, err)
			}
		}
	}
}

// What is meant is the same for who verifies, who signs, and check.
func TestFault63TheProgramTakesASecretWithALineBreak(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := startProcess(t, dir, "--api-secret="+string([]byte(testSecret))+"\n")
	defer func() { _ = p.Process.Kill(); _ = p.Wait() }()
	client := &http.Client{Timeout: 10 * time.Second}
	if !post(client, p.url, session(0, time.Now().Unix())[0].body) {
		t.Error("a delivery that is signed with the secret is refused")
	}
	for _, verb := range []string{"serve", "check"} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		cmd := command(t, dir, verb, "--auth=none", "--listen=127.0.0.1:0", "--store=memory:", "--api-key="+testKey, `--api-secret="`+string([]byte(testSecret))+`"`)
		out, _ := runWithin(ctx, cmd)
		if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(out, "API_SECRET has quotes around it") {
			t.Errorf("%s: exit %d, %s", verb, code, out)
		}
	}
}
