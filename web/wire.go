package web

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

// The WebSocket protocol after the upgrade (RFC 6455, and 7692 for what is compressed): how we write frames.

// Opcodes, and the first bits of a frame.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xa

	bitFinal  = 0x80
	bitPacked = 0x40 // RSV1: the message is compressed
	bitsOther = 0x30 // RSV2 and RSV3 mean nothing
	bitMasked = 0x80 // of the second byte
)

// inFrame is a payload with its header. Servers mask nothing.
func inFrame(first byte, payload []byte) []byte {
	out := make([]byte, 0, len(payload)+10)
	switch n := len(payload); {
	case n < 126:
		out = append(out, first, byte(n))
	case n < 1<<16:
		out = binary.BigEndian.AppendUint16(append(out, first, 126), uint16(n))
	default:
		out = binary.BigEndian.AppendUint64(append(out, first, 127), uint64(n))
	}
	return append(out, payload...)
}

func plainText(text []byte) []byte { return inFrame(bitFinal|opText, text) }

// packedFrom is the length from which on a text is worth compressing.
const packedFrom = 300

// packers compress a message: all that is in one is forgotten with it, so that it is the same for everybody.
var packers = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, packLevel)
	if err != nil {
		panic(err) // of a level that there is not
	}
	return w
}}

const packLevel = 1

// flushed ends a message that is compressed, and is not sent.
var flushed = []byte{0, 0, 0xff, 0xff}

// packedText is a text in a frame for who takes it compressed.
func packedText(text []byte) []byte {
	if len(text) < packedFrom {
		return plainText(text)
	}
	packer := packers.Get().(*flate.Writer)
	defer packers.Put(packer)
	var out bytes.Buffer
	packer.Reset(&out)
	if _, err := packer.Write(text); err != nil || packer.Flush() != nil {
		return plainText(text)
	}
	packed := bytes.TrimSuffix(out.Bytes(), flushed)
	if len(packed) >= len(text) {
		return plainText(text)
	}
	return inFrame(bitFinal|bitPacked|opText, packed)
}

var errTooLong = errors.New("a message is too long")

// unpacked is a message that a viewer has compressed, if it is not longer than so many bytes.
func unpacked(message []byte, most int) ([]byte, error) {
	// An empty last block ends what the viewer has only flushed.
	in := flate.NewReader(io.MultiReader(bytes.NewReader(message), bytes.NewReader(flushed), bytes.NewReader([]byte{1, 0, 0, 0xff, 0xff})))
	defer in.Close()
	out, err := io.ReadAll(io.LimitReader(in, int64(most)+1))
	if err == nil && len(out) > most {
		err = errTooLong
	}
	return out, err
}
