package live

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// frame is what goes over the socket (design section 4). It is pinned.
type frame struct {
	Epoch string `json:"e"`
	Seq   uint64 `json:"s"`
	At    int64  `json:"at"` // the server's clock, in milliseconds
	Reset bool   `json:"r,omitempty"`
	Ops   []op   `json:"o"`
}

// op is one change of the page: put an element under its parent before another, delete one, or say
// something to screen readers.
type op struct {
	Kind   string `json:"k"`
	Target string `json:"t,omitempty"`
	Parent string `json:"p,omitempty"`
	Before string `json:"b,omitempty"`
	HTML   string `json:"h,omitempty"`
}

// rootID is the id of the element that a reset replaces.
const rootID = "view"

// Frame is a frame as it is sent, to however many viewers.
type Frame struct {
	Text  []byte // JSON
	forms [2]form
}

// form is a frame as lines of one kind take it.
type form struct {
	once sync.Once
	data []byte
}

// As is the frame in one of two forms, which is made once for all who take it so.
func (f *Frame) As(second bool, make func(text []byte) []byte) []byte {
	form := &f.forms[0]
	if second {
		form = &f.forms[1]
	}
	form.once.Do(func() { form.data = make(f.Text) })
	return form.data
}

// encode writes a frame. HTML is not escaped a second time: it is data in a socket, not in a page.
func encode(f frame) []byte {
	if f.Ops == nil {
		f.Ops = []op{} // an empty frame says so
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(f); err != nil {
		panic(fmt.Errorf("encode frame: %w", err)) // texts and numbers
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}

// after is the frame that leads from state s of the view to the state shown, encoded once for all who are
// at s. A state of which nothing is known, and every state when reset is asked for, leads there by a reset. Of a view
// that was not answered yet there is none.
func (v *view) after(epoch string, s uint64, reset bool) (to *Frame, seq uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.model == nil {
		return nil, 0
	}
	from := &s
	if reset || s < v.floor {
		from = nil
	}
	for _, known := range v.sent {
		if known.epoch != epoch {
			continue
		}
		if known.from == from || known.from != nil && from != nil && *known.from == *from {
			return known.frame, v.seq
		}
	}
	f := frame{Epoch: epoch, Seq: v.seq, At: time.Now().UnixMilli()}
	if from == nil {
		f.Reset, f.Ops = true, []op{{Kind: "put", Target: rootID, HTML: string(v.root())}}
	} else {
		f.Ops = v.changes(s)
	}
	to = &Frame{Text: encode(f)}
	if len(v.sent) < maxSent {
		v.sent = append(v.sent, sent{epoch, from, to})
	}
	return to, v.seq
}

// sent is an encoded frame that leads to the state shown; from nil it is a reset.
type sent struct {
	epoch string
	from  *uint64
	frame *Frame
}

// maxSent bounds the encoded frames that a view keeps: nearly all viewers are at the state before.
const maxSent = 8

// changes lists removals first, then what is put, from last to first, so that what an element is put
// before is always there already.
func (v *view) changes(s uint64) []op {
	var ops []op
	for id, rev := range v.gone {
		if rev > s {
			ops = append(ops, op{Kind: "del", Target: id})
		}
	}
	slices.SortFunc(ops, func(a, b op) int { return strings.Compare(a.Target, b.Target) })
	next := make(map[string]string) // by parent: the sibling that follows
	for i := len(v.shown) - 1; i >= 0; i-- {
		p := v.shown[i]
		if p.rev > s {
			ops = append(ops, op{Kind: "put", Target: p.id, Parent: p.parent, Before: next[p.parent], HTML: string(p.html)})
		}
		next[p.parent] = p.id
	}
	return ops
}
