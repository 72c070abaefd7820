// Package static holds the files that browsers ask for: styles, scripts, icons and the font. They are
// built into the program, so that it runs with nothing but itself.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"path"
	"strings"
	"sync"
)

//go:embed *.css *.js *.svg *.woff2 *.LICENSE.txt
var embedded embed.FS

// Asset is one file as browsers get it. Type is its content type, Tag the first ten hex digits of its
// SHA-256: an asset that was asked for with its tag (?v=…) never changes and may be kept for ever. Gzip is
// the body compressed as well as can be, made when it is first asked for.
type Asset struct {
	Body []byte
	Type string
	Tag  string
	Gzip func() []byte
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
		if path.Ext(name) == ".js" && !strings.HasSuffix(name, ".min.js") {
			body = lean(body)
		}
		sum := sha256.Sum256(body)
		found[name] = Asset{Body: body, Type: contentTypes[path.Ext(name)], Tag: hex.EncodeToString(sum[:])[:10],
			Gzip: sync.OnceValue(func() []byte { return compressed(body) })}
	}
	return found
}

// lean is a script without comments that have a line of their own, and without indentation. Lines keep
// their numbers. No text of ours goes over several lines: a test holds that.
func lean(script []byte) []byte {
	var out []byte
	for line := range bytes.Lines(script) {
		line = bytes.TrimSpace(line)
		if !bytes.HasPrefix(line, []byte("//")) {
			out = append(out, line...)
		}
		out = append(out, '\n')
	}
	return out
}

func compressed(body []byte) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is Go's own
	}
	if _, err := w.Write(body); err != nil {
		panic(err) // a buffer takes everything
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
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
