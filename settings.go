package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
)

// maxSettings bounds the settings file, in bytes.
const maxSettings = 1 << 20

// settingsFile is what the file of --config says. A flag beats the environment, which beats the file.
type settingsFile struct {
	settings map[string]any
	sources  []SourceConfig // no flag: it is handed to whoever has settings as it is
}

func fromYAML(r io.Reader) (kong.Resolver, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSettings))
	if err != nil {
		return nil, err
	}
	var file settingsFile
	if err := yaml.Unmarshal(data, &file.settings); err != nil {
		return nil, fmt.Errorf("not YAML: %s", strings.SplitN(err.Error(), "\n", 2)[0])
	}
	var listed struct {
		Sources []SourceConfig `yaml:"sources"`
	}
	if err := yaml.Unmarshal(data, &listed); err != nil {
		return nil, errors.New("sources: each needs name, api_key and secrets")
	}
	file.sources = listed.Sources
	delete(file.settings, "sources")
	return file, nil
}

// Validate refuses settings that no command has: a typing error must not pass for a default.
func (f settingsFile) Validate(app *kong.Application) error {
	known := make(map[string]bool)
	for _, node := range append([]*kong.Node{app.Node}, app.Children...) {
		for _, flag := range node.Flags {
			known[settingOf(flag)] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.settings)) {
		if !known[name] {
			return fmt.Errorf("the settings file has %q, which is no setting", name)
		}
	}
	return nil
}

// Resolve gives a flag its value from the file, unless the environment has one.
func (f settingsFile) Resolve(ctx *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if cli, ok := ctx.Model.Target.Addr().Interface().(*CLI); ok {
		for _, config := range []*Config{&cli.Serve.Config, &cli.Check.Config, &cli.Token.Embed.Config} {
			config.Sources = f.sources
		}
	}
	for _, env := range flag.Envs {
		if _, set := os.LookupEnv(env); set {
			return nil, nil
		}
	}
	return f.settings[settingOf(flag)], nil
}

func settingOf(flag *kong.Flag) string { return strings.ReplaceAll(flag.Name, "-", "_") }
