package live

import (
	"context"
	"errors"
	"testing"
)

// crumbly is a renderer that panics in the middle of a view while it is broken.
type crumbly struct {
	broken bool
	times  int // an element of another version is rendered anew
}

type anything struct{ Model }

func (c *crumbly) Elements(Model) []Element {
	c.times++
	return []Element{{ID: "a", Version: c.times, Render: func() []byte { return []byte("a") }}, {ID: "b", Version: c.times, Render: func() []byte {
		if c.broken {
			panic("a name")
		}
		return []byte("b")
	}}}
}

func (c *crumbly) Root(Model, map[string][]byte) []byte { return nil }

// Row 55: a panic in the middle of rendering leaves what was shown, and nothing half done.
func TestFault55WhatWasShownStaysWhenRenderingPanics(t *testing.T) {
	html := &crumbly{broken: true}
	seq := uint64(0)
	v := newView(html, func(context.Context) (Model, uint64, error) { seq++; return anything{}, seq, nil })
	if _, err := v.refresh(t.Context()); !errors.Is(err, ErrBroken) || v.answered() {
		t.Errorf("the first time: %v, and there is something to show: %v", err, v.answered())
	}
	html.broken = false
	if changed, err := v.refresh(t.Context()); err != nil || !changed || len(v.shown) != 2 {
		t.Errorf("when it is over: %v, %v, %d elements", changed, err, len(v.shown))
	}
	html.broken = true
	if _, err := v.refresh(t.Context()); !errors.Is(err, ErrBroken) || len(v.shown) != 2 || !v.answered() {
		t.Errorf("when it is broken again: %v, %d elements", err, len(v.shown))
	}
}
