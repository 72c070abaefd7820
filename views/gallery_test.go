package views

import (
	"bytes"
	flags "flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flags.Bool("update", false, "write the golden files anew")

// version is what tells one build's assets from another's.
var version = regexp.MustCompile(`\?v=[0-9a-f]{10}`)

// golden is an exhibit as it is kept: a tag a line, so that a change of one is a change of a line.
func golden(e exhibit) []byte {
	var out bytes.Buffer
	for _, s := range e.states {
		html := version.ReplaceAll(s.html, nil)
		fmt.Fprintf(&out, "<!-- %s -->\n%s\n", s.name, bytes.ReplaceAll(bytes.TrimSpace(html), []byte("><"), []byte(">\n<")))
	}
	return out.Bytes()
}

// Each component in each state is the HTML that is kept in testdata/golden. After a change that is meant:
// go test ./views -run TestGolden -update
func TestGolden(t *testing.T) {
	dir := filepath.Join("testdata", "golden")
	kept, err := filepath.Glob(filepath.Join(dir, "*.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range (gallery{noon}).sections() {
		for _, e := range s.exhibits {
			path := filepath.Join(dir, slug(e.name)+".html")
			kept = slices.DeleteFunc(kept, func(p string) bool { return p == path })
			got := golden(e)
			if *update {
				if err := os.MkdirAll(dir, 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Errorf("%v: write it with -update", err)
			} else if !bytes.Equal(got, want) {
				t.Errorf("%s has changed. If that is meant: go test ./views -run TestGolden -update\n%s", e.name, difference(string(want), string(got)))
			}
		}
	}
	for _, path := range kept {
		if !*update {
			t.Errorf("%s is of no component", path)
		} else if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// difference shows the lines that differ, with the state that they are of and a line on either side.
func difference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	from := 0
	for from < len(a) && from < len(b) && a[from] == b[from] {
		from++
	}
	to := 0
	for to < len(a)-from && to < len(b)-from && a[len(a)-1-to] == b[len(b)-1-to] {
		to++
	}
	var out strings.Builder
	for i := from - 1; i >= 0; i-- {
		if strings.HasPrefix(a[i], "<!--") {
			out.WriteString(a[i] + "\n")
			break
		}
	}
	show := func(mark string, lines []string) {
		for i, line := range lines {
			if i == 12 {
				fmt.Fprintf(&out, "%s … %d lines more\n", mark, len(lines)-i)
				break
			}
			out.WriteString(mark + " " + line + "\n")
		}
	}
	show(" ", a[max(0, from-1):from])
	show("-", a[from:len(a)-to])
	show("+", b[from:len(b)-to])
	show(" ", a[len(a)-to:min(len(a), len(a)-to+1)])
	return out.String()
}

// pageParts are of the page itself: the gallery stands in one of them, and shows what is in the others.
var pageParts = []string{"Page", "head", "logo", "bar", "placeLink", "foot", "galleryRoot", "exhibitShown", "overviewRoot", "roomRoot", "sessionsRoot", "recordingsRoot", "artifactsRoot",
	"intakeRoot", "deliveryRoot", "side", "costSections", "listFoot", "deliveriesSection", "timelineSection", "nameCell",
	"palette", "help", "connection", "notices", "findRoot", "bare", "LoginPage", "SetupPage", "EmbedPage", "EmbedRefused", "barePage", "bareFrame"}

// takenOut are in the parts of pages that the gallery takes out of them: filters, heads of columns, and the timeline.
var takenOut = []string{"titleHead", "sortHead", "sorter", "filter", "deliveryFilters", "searchField", "dayFields", "textField", "sourceField", "kindField", "hidden", "legend"}

// A new component is not forgotten: from what makes the gallery, every templ function is reached, not counting
// the whole pages that tables are taken from.
func TestEveryComponentIsInTheGallery(t *testing.T) {
	calls, components := callsOf(t)
	reached := make(map[string]bool)
	var visit func(name string)
	visit = func(name string) {
		if reached[name] || slices.Contains(pageParts, name) {
			return
		}
		reached[name] = true
		for _, callee := range calls[name] {
			visit(callee)
		}
	}
	visit("sections")
	for _, name := range takenOut {
		visit(name)
	}
	for _, name := range components {
		if !reached[name] && !slices.Contains(pageParts, name) {
			t.Errorf("%s is in no state in the gallery", name)
		}
	}
	for _, name := range pageParts {
		if !slices.Contains(components, name) {
			t.Errorf("there is no %s any more", name)
		}
	}
	if len(components) < 80 || len(reached) < 100 {
		t.Errorf("%d components and %d functions: this test reads too little", len(components), len(reached))
	}
}

// callsOf are the functions and methods of this package with what each of them names, and which are components.
func callsOf(t *testing.T) (calls map[string][]string, components []string) {
	t.Helper()
	calls = make(map[string][]string)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if strings.HasSuffix(path, "_templ.go") && f.Recv == nil && f.Type.Results != nil {
				if result, ok := f.Type.Results.List[0].Type.(*ast.SelectorExpr); ok && result.Sel.Name == "Component" {
					components = append(components, f.Name.Name)
				}
			}
			ast.Inspect(f.Body, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok {
					calls[f.Name.Name] = append(calls[f.Name.Name], id.Name)
				}
				return true
			})
		}
	}
	return calls, components
}

// The same component is on the page many times: each time its ids, and what refers to them, are its own.
func TestSpecimensHaveIDsOfTheirOwn(t *testing.T) {
	page := Gallery(noon)
	seen := make(map[string]bool)
	for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllSubmatch(page, -1) {
		if id := string(m[1]); seen[id] {
			t.Errorf("%q is there twice", id)
		} else {
			seen[id] = true
		}
	}
	for _, m := range regexp.MustCompile(`url\(#([^)]*)\)`).FindAllSubmatch(page, -1) {
		if !seen[string(m[1])] && !bytes.HasSuffix(m[1], []byte("-past")) { // nothing is cut off where nothing goes on
			t.Errorf("a drawing refers to %s", m[1])
		}
	}
	for _, state := range []string{"connecting", "live", "paused", "reconnecting", "stale", "offline", "blocked", "expired"} {
		if n := bytes.Count(page, []byte(`data-state="`+state+`"`)); n != 2 {
			t.Errorf("the pill is %s %d times, want once in each theme", state, n)
		}
	}
	for _, sign := range reasonSigns {
		if !bytes.Contains(page, []byte(sign.word)) {
			t.Errorf("nobody %s", sign.word)
		}
	}
}
