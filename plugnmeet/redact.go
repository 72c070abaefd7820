package plugnmeet

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// redaction rewrites a body, which strict has checked, without what must not be kept.
type redaction struct {
	body, metadata trusting
	document       []byte // the text of room.metadata
	out            bytes.Buffer
	enc            jsontext.Encoder
	oddity         string
}

// redact rewrites body compactly without secrets. Of room.metadata, a document within the document, an
// object with what the policy lists is left; oddity says if it could not be read.
func (d *redaction) redact(body []byte) (shown []byte, oddity string) {
	d.out.Reset()
	d.oddity = ""
	d.body.reset(body)
	d.enc.Reset(&d.out, asIs...)
	d.value(atTop)
	return bytes.Clone(bytes.TrimSuffix(d.out.Bytes(), []byte("\n"))), d.oddity
}

func (d *redaction) value(in place) {
	switch d.body.PeekKind() {
	case '{':
		d.object(in)
	case '[':
		d.array()
	default:
		d.copy()
	}
}

// copy takes one token over.
func (d *redaction) copy() {
	token, _ := d.body.ReadToken()
	_ = d.enc.WriteToken(token)
}

func (d *redaction) array() {
	d.copy()
	for d.body.PeekKind() != ']' {
		d.value(elsewhere)
	}
	d.copy()
}

func (d *redaction) object(in place) {
	d.copy()
	for d.body.PeekKind() == '"' {
		raw, _ := d.body.ReadValue()
		label := labelOf(raw)
		_ = d.enc.WriteValue(raw)
		d.member(in, label)
	}
	d.copy()
}

func (d *redaction) member(in place, label label) {
	switch treat(in, label, d.body.PeekKind()) {
	case hide:
		d.hide()
	case sift:
		d.sift()
	default:
		d.value(within(in, label))
	}
}

// hide keeps only whether there was something.
func (d *redaction) hide() {
	raw, _ := d.body.ReadValue()
	if !empty(raw) {
		raw = hiddenValue
	}
	_ = d.enc.WriteValue(raw)
}

var hiddenValue = jsontext.Value(`"` + redacted + `"`)

func empty(raw jsontext.Value) bool { return raw.Kind() == 'n' || string(raw) == `""` }

// sift replaces room.metadata, in whichever form it comes, by an object of what the policy lists.
func (d *redaction) sift() {
	document, _ := d.body.ReadValue()
	if document.Kind() == '"' {
		d.document, _ = jsontext.AppendUnquote(d.document[:0], document)
		document = d.document
	}
	switch {
	case len(document) == 0 || document.Kind() == 'n':
	case !document.IsValid() || document.Kind() != '{':
		d.oddity = "ignored room.metadata: not a JSON object"
	default:
		d.metadata.reset(document)
		metadataPolicy.sift(&d.metadata, &d.enc)
		return
	}
	_ = d.enc.WriteValue(jsontext.Value("{}"))
}
