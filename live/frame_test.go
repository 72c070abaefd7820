package live

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// scene is a model whose elements are given; it stands for any page.
type scene struct{ elements []Element }

func (scene) model() {}

// plain renders scenes: an element's HTML is its own text, a root is its children by parent.
type plain struct{}

func (plain) Elements(m Model) []Element { return m.(scene).elements }

func (plain) Root(_ Model, inner map[string][]byte) []byte {
	data, _ := json.Marshal(map[string]string{"left": string(inner["left"]), "right": string(inner["right"])})
	return data
}

// browser is what a viewer's page is made of, and the rules of live.js for changing it.
type browser struct {
	children map[string][]string
	html     map[string]string
	seq      uint64
}

func newBrowser() *browser {
	return &browser{children: map[string][]string{}, html: map[string]string{}}
}

func (b *browser) apply(data []byte) error {
	var f frame
	if err := json.Unmarshal(data, &f); err != nil {
		return err
	}
	b.seq = f.Seq
	for _, o := range f.Ops {
		if f.Reset {
			return b.reset(o.HTML)
		}
		if err := b.do(o); err != nil {
			return err
		}
	}
	return nil
}

func (b *browser) do(o op) error {
	for parent, ids := range b.children {
		b.children[parent] = slices.DeleteFunc(ids, func(id string) bool { return id == o.Target })
	}
	delete(b.html, o.Target)
	if o.Kind == "del" {
		return nil
	}
	at := len(b.children[o.Parent])
	if o.Before != "" {
		if at = slices.Index(b.children[o.Parent], o.Before); at < 0 {
			return fmt.Errorf("%s is put before %s, which is not there", o.Target, o.Before)
		}
	}
	b.children[o.Parent] = slices.Insert(b.children[o.Parent], at, o.Target)
	b.html[o.Target] = o.HTML
	return nil
}

func (b *browser) reset(root string) error {
	*b = browser{children: map[string][]string{}, html: map[string]string{}, seq: b.seq}
	var inner map[string]string
	if err := json.Unmarshal([]byte(root), &inner); err != nil {
		return err
	}
	for parent, html := range inner {
		for _, text := range strings.FieldsFunc(html, func(r rune) bool { return r == ';' }) {
			id, _, _ := strings.Cut(text, "=")
			b.children[parent] = append(b.children[parent], id)
			b.html[id] = text + ";"
		}
	}
	return nil
}

func (b *browser) String() string {
	var out strings.Builder
	for _, parent := range []string{"left", "right"} {
		fmt.Fprintf(&out, "%s:", parent)
		for _, id := range b.children[parent] {
			out.WriteString(b.html[id])
		}
	}
	return out.String()
}

// anyScene draws a page of few elements, so that they come, go, change and move.
func anyScene(t *rapid.T) scene {
	ids := rapid.Permutation([]string{"a", "b", "c", "d", "e", "f", "g"}).Draw(t, "order")
	ids = ids[:rapid.IntRange(0, len(ids)).Draw(t, "many")]
	var s scene
	for _, parent := range []string{"left", "right"} {
		for i, id := range ids {
			if (i%3 == 0) != (parent == "right") {
				continue
			}
			version := rapid.IntRange(0, 1).Draw(t, "version")
			s.elements = append(s.elements, Element{ID: id, Parent: parent, Version: version,
				Render: func() []byte { return fmt.Appendf(nil, "%s=%d;", id, version) }})
		}
	}
	return s
}

// Whatever happened to a page, and from whatever state a viewer comes, one frame leads to what a fresh
// page shows: also over removals, moves, and elements that come back.
func TestAFrameLeadsFromAnyKnownStateToTheOneShown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var now scene
		seq := uint64(0)
		v := viewOf(t, func() (Model, uint64) { seq++; return now, seq })
		viewers := []*browser{}
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			viewers = append(viewers, visit(t, v, 0, true))
			now = anyScene(t)
			v.refresh(context.Background())
			fresh := visit(t, v, 0, true)
			for i, b := range viewers {
				if rapid.Bool().Draw(t, "asleep") {
					continue
				}
				f, _ := v.after("e", b.seq, false)
				if err := b.apply(f.Text); err != nil {
					t.Fatalf("viewer %d: %v", i, err)
				}
				if b.String() != fresh.String() {
					t.Fatalf("viewer %d shows\n%s, a fresh page\n%s, after\n%s", i, b, fresh, f.Text)
				}
			}
		}
	})
}

func visit(t *rapid.T, v *view, s uint64, reset bool) *browser {
	b := newBrowser()
	f, _ := v.after("e", s, reset)
	if err := b.apply(f.Text); err != nil {
		t.Fatalf("a fresh visit: %v", err)
	}
	return b
}

func TestAStateBeforeTheViewWasMadeIsAnsweredWithAReset(t *testing.T) {
	v := viewOf(t, func() (Model, uint64) { return scene{}, 7 })
	for s, reset := range map[uint64]bool{0: true, 6: true, 7: false, 8: false} {
		f, _ := v.after("e", s, false)
		if bytes.Contains(f.Text, []byte(`"r":true`)) != reset {
			t.Errorf("from state %d: %s; want a reset: %v", s, f.Text, reset)
		}
	}
}

func TestAnElementThatOnlyStandsElsewhereIsNotRenderedAgain(t *testing.T) {
	renders := 0
	el := func(id string) Element {
		return Element{ID: id, Parent: "left", Version: 1, Render: func() []byte { renders++; return []byte(id + "=1;") }}
	}
	now, seq := scene{[]Element{el("a"), el("b"), el("c")}}, uint64(1)
	v := viewOf(t, func() (Model, uint64) { return now, seq })
	now, seq = scene{[]Element{el("c"), el("a"), el("b")}}, 2
	v.refresh(context.Background())
	if renders != 3 {
		t.Errorf("%d renderings of 3 elements", renders)
	}
	f, _ := v.after("e", 1, false)
	if n := bytes.Count(f.Text, []byte(`"k":"put"`)); n != 1 {
		t.Errorf("one element moved, %d were put: %s", n, f.Text)
	}
}

func TestEqualStatesShareOneEncoding(t *testing.T) {
	v := viewOf(t, func() (Model, uint64) { return scene{}, 3 })
	a, _ := v.after("e", 3, false)
	b, _ := v.after("e", 3, false)
	if a != b {
		t.Error("the same frame was encoded twice")
	}
}

func TestAnElementThatCameBackIsNotRemovedFirst(t *testing.T) {
	el := Element{ID: "a", Parent: "left", Version: 1, Render: func() []byte { return []byte("a=1;") }}
	now, seq := scene{[]Element{el}}, uint64(1)
	v := viewOf(t, func() (Model, uint64) { return now, seq })
	for _, next := range []scene{{}, {[]Element{el}}} {
		now, seq = next, seq+1
		v.refresh(context.Background())
	}
	if f, _ := v.after("e", 1, false); bytes.Contains(f.Text, []byte(`"del"`)) {
		t.Errorf("a viewer who slept meanwhile loses what it opened: %s", f.Text)
	}
}

func TestAnEmptyFrameSaysThatItIsEmpty(t *testing.T) {
	data := encode(frame{Epoch: "e", Seq: 3, At: 5})
	if want := `{"e":"e","s":3,"at":5,"o":[]}`; string(data) != want {
		t.Errorf("%s, want %s", data, want)
	}
}

// viewOf is a view of a question that always has an answer, and was asked once.
func viewOf(t interface {
	Helper()
	Fatal(args ...any)
}, ask func() (Model, uint64)) *view {
	t.Helper()
	v := newView(plain{}, func(context.Context) (Model, uint64, error) {
		m, seq := ask()
		return m, seq, nil
	})
	if _, err := v.refresh(context.Background()); err != nil {
		t.Fatal(err)
	}
	return v
}
