package live

import (
	"context"
	"slices"
	"sync"
)

// maxGone bounds how many removals a view remembers for those who resume.
const maxGone = 1024

// view is what some viewers watch: one question, evaluated and rendered once for all of them. Every
// element has the seq at which it last changed or moved, every removal too; so the difference between
// any state since the view was made and now can be told, to whoever was there at seq s.
type view struct {
	ask    func(context.Context) (Model, uint64, error) // the model now, and the seq that it is of
	asking sync.Mutex                                   // held while it is asked, which may take seconds; before mu

	mu    sync.Mutex
	html  Renderer
	model Model
	shown []piece
	gone  map[string]uint64 // removed elements, by the seq of their removal
	floor uint64            // nothing is known of states before
	seq   uint64            // the state shown
	sent  []sent            // frames that lead to the state shown
}

// piece is an element as it is shown.
type piece struct {
	id, parent string
	version    any
	html       []byte
	rev        uint64
}

func newView(html Renderer, ask func(context.Context) (Model, uint64, error)) *view {
	return &view{html: html, ask: ask, gone: make(map[string]uint64)}
}

// refresh evaluates the question and renders what changed. It says whether anything did. When the
// question cannot be answered, what is shown stays; so it does meanwhile.
func (v *view) refresh(ctx context.Context) (changed bool, err error) {
	v.asking.Lock()
	defer v.asking.Unlock()
	return v.renew(ctx)
}

// renew asks and renders. A panic in that is an error of this view alone (ErrBroken): what it shows stays, others go on.
func (v *view) renew(ctx context.Context) (changed bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			changed, err = false, brokenBy(p)
		}
	}()
	model, seq, err := v.ask(ctx)
	if err != nil {
		return false, err
	}
	return v.show(model, seq), nil
}

// answer sees to it that there is something to show, asking if need be.
func (v *view) answer(ctx context.Context) error {
	if v.answered() {
		return nil
	}
	v.asking.Lock()
	defer v.asking.Unlock()
	if v.answered() {
		return nil // somebody else has asked
	}
	_, err := v.renew(ctx)
	return err
}

// answered says whether there is something to show.
func (v *view) answered() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.model != nil
}

// show renders what changed, and says whether anything did.
func (v *view) show(model Model, seq uint64) (changed bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if seq == v.seq && v.model != nil {
		return false
	}
	first := v.model == nil
	next, changed := v.render(v.html.Elements(model), seq)
	v.model = model
	changed = v.bury(next, seq) || changed
	v.shown = next
	if changed || first {
		v.seq, v.sent = seq, nil
	}
	if first {
		v.floor = seq
	}
	return changed
}

// render makes the pieces of the elements. What has its version keeps its HTML; what has its HTML and its
// place among the others keeps its rev.
func (v *view) render(elements []Element, seq uint64) (next []piece, changed bool) {
	before := make(map[string]int, len(v.shown))
	for i, p := range v.shown {
		before[p.id] = i
	}
	elements = distinct(elements)
	next = make([]piece, len(elements))
	places := make([]int, len(elements)) // where each piece stood, -1 if it has to be put anyway
	for i, el := range elements {
		places[i] = -1
		p := piece{id: el.ID, parent: el.Parent, version: el.Version, rev: seq}
		was, known := before[el.ID]
		if known && v.shown[was].version == el.Version {
			p.html = v.shown[was].html
		} else {
			p.html = el.Render()
		}
		if known && v.shown[was].parent == el.Parent && string(v.shown[was].html) == string(p.html) {
			places[i], p.rev = was, v.shown[was].rev
		}
		next[i] = p
		changed = changed || places[i] < 0
	}
	for _, i := range moved(places) {
		next[i].rev, changed = seq, true
	}
	return next, changed
}

// distinct leaves out elements whose id was there already: an id names one place of the page.
func distinct(elements []Element) []Element {
	seen := make(map[string]bool, len(elements))
	return slices.DeleteFunc(elements, func(el Element) bool {
		twice := seen[el.ID]
		seen[el.ID] = true
		return twice
	})
}

// bury remembers what is shown no longer.
func (v *view) bury(next []piece, seq uint64) bool {
	there := make(map[string]bool, len(next))
	for _, p := range next {
		there[p.id] = true
		delete(v.gone, p.id)
	}
	buried := false
	for _, p := range v.shown {
		if !there[p.id] {
			v.gone[p.id], buried = seq, true
		}
	}
	if len(v.gone) > maxGone {
		clear(v.gone)
		v.floor = seq
	}
	return buried
}

// moved picks the fewest elements that have to be put again so that the others stand in their old order:
// all that are not on a longest rising run of old places. Those without an old place are put anyway.
func moved(places []int) []int {
	var tails []int // tails[k]: the element that ends the best rising run of length k+1
	previous := make([]int, len(places))
	for i, at := range places {
		if at < 0 {
			continue
		}
		k, _ := slices.BinarySearchFunc(tails, at, func(t, at int) int { return places[t] - at })
		previous[i] = -1
		if k > 0 {
			previous[i] = tails[k-1]
		}
		if k == len(tails) {
			tails = append(tails, i)
		} else {
			tails[k] = i
		}
	}
	stays := make(map[int]bool, len(tails))
	if len(tails) > 0 {
		for i := tails[len(tails)-1]; i >= 0; i = previous[i] {
			stays[i] = true
		}
	}
	var out []int
	for i, at := range places {
		if at >= 0 && !stays[i] {
			out = append(out, i)
		}
	}
	return out
}

// root is the whole view.
func (v *view) root() []byte {
	inner := make(map[string][]byte)
	for _, p := range v.shown {
		inner[p.parent] = append(inner[p.parent], p.html...)
	}
	return v.html.Root(v.model, inner)
}

// page is the whole view, which was answered, and the state that it is of.
func (v *view) page() (root []byte, seq uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.root(), v.seq
}

// matches is how much the view lists, for those that list much.
func (v *view) matches() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	if o, ok := v.model.(Overview); ok {
		return o.Matches
	}
	return 0
}
