package views

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/roomwatch/roomwatch/live"
)

// Whatever people type, below a path a page differs from one at the root in its addresses alone.
func TestBelowAPathOnlyAddressesDiffer(t *testing.T) {
	const base = "/tools/roomwatch"
	everyModel(t, func(t *testing.T, m live.Model) {
		source := page(t, m)
		moved := Below(base, source)
		compare(t, base, parse(t, source), parse(t, moved))
		if again := Below(base, moved); !bytes.Equal(again, moved) {
			t.Error("what is moved already is moved again")
		}
		if same := Below("", source); !bytes.Equal(same, source) {
			t.Error("a page at the root is changed")
		}
	})
}

// What is made in parts is the same as what is moved whole.
func TestPartsBelowAPathAreThoseOfTheWhole(t *testing.T) {
	const base = "/roomwatch"
	everyModel(t, func(t *testing.T, m live.Model) {
		_, atRoot := parts(t, m)
		inner := make(map[string][]byte)
		for _, e := range (HTML{Base: base}).Elements(m) {
			inner[e.Parent] = append(inner[e.Parent], e.Render()...)
		}
		if got, want := (HTML{Base: base}).Root(m, inner), Below(base, HTML{}.Root(m, atRoot)); !bytes.Equal(got, want) {
			t.Errorf("%.900s\nis not\n%.900s", got, want)
		}
	})
}

func parse(t *testing.T, source []byte) *html.Node {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func compare(t *testing.T, base string, old, now *html.Node) {
	t.Helper()
	if old.Type != now.Type || len(old.Attr) != len(now.Attr) || old.Type == html.ElementNode && old.Data != now.Data {
		t.Fatalf("<%s %v> became <%s %v>", old.Data, old.Attr, now.Data, now.Attr)
	}
	tells := old.Parent != nil && slices.ContainsFunc(old.Parent.Attr, func(a html.Attribute) bool { return a.Key == "data-origin" })
	if old.Type == html.TextNode && old.Data != now.Data && !tells {
		t.Errorf("the text %q became %q", old.Data, now.Data)
	}
	for i, a := range old.Attr {
		want := a
		if slices.Contains(rooted, a.Key) && strings.HasPrefix(a.Val, "/") || a.Key == "data-origin" {
			want.Val = base + a.Val
		}
		if now.Attr[i] != want {
			t.Errorf("%s=%q of <%s> became %q", a.Key, a.Val, old.Data, now.Attr[i].Val)
		}
	}
	next := now.FirstChild
	for child := old.FirstChild; child != nil; child = child.NextSibling {
		if next == nil {
			t.Fatalf("a child of <%s> is gone", old.Data)
		}
		compare(t, base, child, next)
		next = next.NextSibling
	}
	if next != nil {
		t.Fatalf("<%s> has a child more", old.Data)
	}
}
