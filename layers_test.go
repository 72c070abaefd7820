package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/roomwatch/roomwatch/"

// mayImport is the map of the house: what of our own each package may know. The pure ones, in pure, know
// nothing but Go's own library.
var (
	mayImport = map[string][]string{
		"web":       {"live", "views", "plugnmeet", "access", "static", "room", "share"},
		"views":     {"live", "room", "static"},
		"live":      {"room", "share"},
		"store":     {"room", "access"},
		"plugnmeet": {"room"},
		"simulate":  {"plugnmeet", "room"},
		"room":      nil,
		"share":     nil,
		"access":    nil,
		"static":    nil,
		"redistest": nil, // of tests: real servers
	}
	pure = []string{"room", "access", "static", "share"}
)

// imports reads what every package of the product imports, by its folder; "." is main.
func imports(t *testing.T) map[string]map[string]string {
	t.Helper()
	found := make(map[string]map[string]string)
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (path == "node_modules" || path == "tools" || path == "bench" || path == "docs" || strings.HasPrefix(entry.Name(), ".") && path != ".") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir := filepath.Dir(path)
		if found[dir] == nil {
			found[dir] = make(map[string]string)
		}
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			found[dir][name] = path
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestPackagesKnowOnlyWhomTheyMay(t *testing.T) {
	found := imports(t)
	for _, must := range []string{"web", "views", "live", "store", "plugnmeet", "simulate", "room", "static"} {
		if len(found[must]) == 0 {
			t.Errorf("the house has no %s", must)
		}
	}
	for dir, names := range found {
		if dir == "." {
			continue
		}
		allowed, known := mayImport[dir]
		if !known {
			t.Errorf("the house has no room called %s", dir)
		}
		for name, file := range names {
			own, isOwn := strings.CutPrefix(name, module)
			if isOwn && !slices.Contains(allowed, own) {
				t.Errorf("%s: %s must not know %s", file, dir, own)
			}
			if !isOwn && slices.Contains(pure, dir) && strings.Contains(strings.SplitN(name, "/", 2)[0], ".") {
				t.Errorf("%s: %s knows Go's own library only, not %s", file, dir, name)
			}
		}
	}
}
