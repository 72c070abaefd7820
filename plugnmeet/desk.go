package plugnmeet

import (
	"bytes"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// trusting reads JSON that is known to be strict: its methods cannot fail.
type trusting struct {
	jsontext.Decoder
	document bytes.Buffer
}

// asIs spares a second check of what strict has checked.
var asIs = []jsontext.Options{jsontext.AllowDuplicateNames(true)}

func (t *trusting) reset(document []byte) {
	t.document = *bytes.NewBuffer(document)
	t.Reset(&t.document, asIs...)
}

// desk holds what reading a delivery needs and the delivery does not keep. Desks are used again: most of
// what a body costs otherwise is their making.
type desk struct {
	swift     swift
	reading   reading
	redaction redaction
}

// maxDesk keeps a rare huge body from staying in memory with the desk it was read at.
const maxDesk = 64 << 10

var desks = sync.Pool{New: func() any { return new(desk) }}

func takeDesk() *desk { return desks.Get().(*desk) }

func (d *desk) leave(body []byte) {
	d.reading = reading{at: d.reading.at} // what was read belongs to the delivery
	d.swift.wipe()
	clear(d.redaction.document[:cap(d.redaction.document)])
	if len(body) <= maxDesk {
		desks.Put(d)
	}
}
