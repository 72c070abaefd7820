// Package views turns plain results into HTML: pages, and the parts of them that are sent by themselves.
// A view's HTML is a function of its model alone. It holds no age and no time zone: moments are
// <time datetime> with the exact UTC time as text, which the browser rewrites.
package views

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/a-h/templ"

	"github.com/roomwatch/roomwatch/live"
)

// HTML is the renderer that live pages are made with.
type HTML struct {
	History time.Duration // how long history is kept; 0: pages do not tell
	Bodies  time.Duration // how long the bodies of deliveries are kept
	Base    string        // the path below which all is served, see Below
}

var _ live.Renderer = HTML{}

// Elements lists the parts of the page that can change by themselves, parent by parent, in order.
func (h HTML) Elements(m live.Model) []live.Element {
	elements := elementsOf(m)
	if h.Base == "" {
		return elements
	}
	for i, e := range elements {
		elements[i].Render = func() []byte { return Below(h.Base, e.Render()) }
	}
	return elements
}

func elementsOf(m live.Model) []live.Element {
	switch m := m.(type) {
	case live.Overview:
		return overviewElements(m)
	case live.Room:
		return roomElements(m)
	case live.Sessions:
		return sessionsElements(m)
	case live.Recordings:
		return recordingsElements(m)
	case live.Artifacts:
		return artifactsElements(m)
	case live.Intake:
		return intakeElements(m)
	case live.EmbedRoom:
		return embedRoomElements(m)
	case live.EmbedRooms:
		return embedRoomsElements(m)
	}
	panic(fmt.Sprintf("views: no page for %T", m))
}

// Root is the HTML of the view's root around the elements' HTML, which is given by parent.
func (h HTML) Root(m live.Model, inner map[string][]byte) []byte {
	return Below(h.Base, h.rootOf(m, inner))
}

func (h HTML) rootOf(m live.Model, inner map[string][]byte) []byte {
	switch m := m.(type) {
	case live.Overview:
		return render(overviewRoot(m, inner))
	case live.Room:
		return render(roomRoot(m, inner))
	case live.Sessions:
		return render(sessionsRoot(m, inner, h.History))
	case live.Recordings:
		return render(recordingsRoot(m, inner))
	case live.Artifacts:
		return render(artifactsRoot(m, inner))
	case live.Intake:
		return render(intakeRoot(m, inner, h.Bodies))
	case live.EmbedRoom:
		return render(embedRoomRoot(m, inner))
	case live.EmbedRooms:
		return render(embedRoomsRoot(m, inner))
	}
	panic(fmt.Sprintf("views: no page for %T", m))
}

// element is a part whose HTML depends on version alone.
func element[V comparable](id, parent string, version V, html func(id string, version V) templ.Component) live.Element {
	return live.Element{ID: id, Parent: parent, Version: version, Render: func() []byte { return render(html(id, version)) }}
}

// dialogs are at the end of every page and never change: they are made once.
var dialogs = sync.OnceValue(func() []byte { return slices.Concat(render(palette()), render(help()), render(notices())) })

func render(c templ.Component) []byte {
	var out bytes.Buffer
	out.Grow(2 << 10) // a row is a little less
	if err := c.Render(context.Background(), &out); err != nil {
		panic(fmt.Errorf("views: %w", err)) // a buffer takes everything
	}
	return out.Bytes()
}

// rendered writes HTML that this package has made before, so it is not escaped again. What people typed
// was escaped when it was made; nothing else may be passed here.
func rendered(html []byte) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := w.Write(html)
		return err
	})
}
