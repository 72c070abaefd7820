package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// said is what a command prints, and with which code it exits.
func said(t *testing.T, dir, stdin string, args ...string) (text string, code int) {
	t.Helper()
	cmd := command(t, dir, args...)
	cmd.Stdin = strings.NewReader(stdin)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	text, err := runWithin(ctx, cmd)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return text, exit.ExitCode()
	}
	if err != nil {
		t.Fatalf("%q: %v, %s", args, err, text)
	}
	return text, 0
}

func TestCommandsInTheWrongFolderMakeNothingAndSayWhichFileTheyLookedFor(t *testing.T) {
	for name, args := range map[string][]string{
		"adding a user":     {"user", "add", "ana", "--role=viewer"},
		"listing users":     {"user", "list"},
		"removing a user":   {"user", "remove", "ana"},
		"an API token":      {"token", "api", "x", "--scope=read:state"},
		"listing tokens":    {"token", "list"},
		"revoking a token":  {"token", "revoke", "0123"},
		"an embed token":    {"token", "embed", "--all", "--parent=https://x.example", "--embed-parents=https://x.example"},
		"one of other file": {"token", "embed", "--all", "--parent=https://x.example", "--embed-parents=https://x.example", "--store=file:other.db"},
	} {
		dir := t.TempDir()
		text, code := said(t, dir, testPassword+"\n", args...)
		file := "roomwatch.db"
		if strings.Contains(strings.Join(args, " "), "other") {
			file = "other.db"
		}
		if code != 1 || !strings.Contains(text, filepath.Join(filepath.Base(dir), file)) || strings.Count(text, "\n") != 1 {
			t.Errorf("%s: exit %d, %q", name, code, text)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("%s made %v, %v", name, left, err)
		}
	}
}

func TestCheckReadsTheSourcesOfTheSettingsFile(t *testing.T) {
	dir := t.TempDir()
	settings := "auth: none\nlisten: 127.0.0.1:0\nstore: 'memory:'\nsources:\n  - name: emea\n    api_key: emea-key\n    secrets: [a secret of the tests that is long enough]\n" +
		"  - name: apac\n    api_key: apac-key\n    secrets: [another secret of the tests that is long enough]\n"
	file := filepath.Join(dir, "roomwatch.yaml")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	text, code := said(t, dir, "", "check", "--config="+file)
	for _, want := range []string{`source "emea" signs with key "emea-key"`, `source "apac" signs with key "apac-key"`, `source "apac" has no SERVER_URL`} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %s: %s", want, text)
		}
	}
	if code != 0 {
		t.Errorf("exit %d", code)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(settings, "[another secret of the tests that is long enough]", "[short]", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, code := said(t, dir, "", "check", "--config="+file); code != 1 || !strings.Contains(text, `the secret of source "apac" is shorter`) {
		t.Errorf("a bad source passes: exit %d, %s", code, text)
	}
}
