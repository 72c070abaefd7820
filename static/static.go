// Package static holds the files that browsers ask for: styles, scripts, icons and the font. They are
// built into the program, so that it runs with nothing but itself.
package static

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"path"
)

//go:embed app.css *.js *.svg *.woff2 *.LICENSE.txt
var embedded embed.FS

// Asset is one file. Type is its content type, Tag the first ten hex digits of its SHA-256: an asset that
// was asked for with its tag (?v=…) never changes and may be kept for ever.
type Asset struct {
	Body []byte
	Type string
	Tag  string
}

var contentTypes = map[string]string{
	".css":   "text/css; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".svg":   "image/svg+xml",
	".woff2": "font/woff2",
	".txt":   "text/plain; charset=utf-8",
}

// assets are read once and never changed.
var assets = read(embedded)

func read(files fs.FS) map[string]Asset {
	found := make(map[string]Asset)
	names, err := fs.Glob(files, "*")
	if err != nil {
		panic(err) // the pattern is ours
	}
	for _, name := range names {
		body, err := fs.ReadFile(files, name)
		if err != nil {
			panic(err) // it was embedded a line above
		}
		sum := sha256.Sum256(body)
		found[name] = Asset{Body: body, Type: contentTypes[path.Ext(name)], Tag: hex.EncodeToString(sum[:])[:10]}
	}
	return found
}

// Open finds an asset by its name. The body is shared: don't change it.
func Open(name string) (Asset, bool) {
	asset, ok := assets[name]
	return asset, ok
}

// URL is where an asset is served, with its tag. A name that is not there has a URL without one, which
// answers 404; the tests of the pages find such names.
func URL(name string) string {
	url := "/static/" + name
	if asset, ok := assets[name]; ok {
		url += "?v=" + asset.Tag
	}
	return url
}
