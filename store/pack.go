package store

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/klauspost/compress/s2"
)

// Bodies, what entries say and documents are written packed: they are much alike, so that a sample of them as a
// dictionary takes two thirds off, for a few microseconds (docs/decisions/0013).

// packedByTypical begins what is packed by that dictionary; JSON, which is written as it is in older records,
// never begins so. The sample is never changed: another one is another dictionary, with a byte of its own.
const packedByTypical = 1

//go:embed typical.txt
var typicalText []byte

var typical = s2.MakeDict(typicalText, nil)

// maxUnpacked bounds what a damaged length can ask for. A document is the largest that there is.
const maxUnpacked = 256 << 20

// pack appends a text to space as it is stored; nothing stays nothing.
func pack(space, text []byte) []byte {
	if len(text) == 0 {
		return space
	}
	space = slices.Grow(space, 1+s2.MaxEncodedLen(len(text)))
	space = append(space, packedByTypical)
	packed := typical.Encode(space[len(space):cap(space)], text) // in the space that there is
	return space[:len(space)+len(packed)]
}

// unpack is the text that is stored: in memory of its own if it was packed, else the same.
func unpack(stored []byte) ([]byte, error) {
	if len(stored) == 0 || stored[0] != packedByTypical {
		return stored, nil
	}
	if size, err := s2.DecodedLen(stored[1:]); err != nil || size > maxUnpacked {
		return nil, fmt.Errorf("%w: what is packed has no length (%w)", errUndecodable, err)
	}
	text, err := typical.Decode(nil, stored[1:])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUndecodable, err)
	}
	return text, nil
}

// packed is what an entry says and its body, as they are stored.
type packed struct {
	said, body []byte
	space      []byte // that they are in, to be used again
}

func (p *packed) pack(said, body []byte) {
	p.space = pack(p.space[:0], said)
	end := len(p.space)
	p.space = pack(p.space, body)
	p.said, p.body = p.space[:end:end], p.space[end:]
}
